"""An append-only file with what a simulated node did, one JSON object a line: enough to rebuild it after a crash.

`runtime` writes a line for each operation and reads all of them when it starts. A line that was cut off by a crash is
dropped, and so is everything behind a damaged one: what is lost was not acted upon yet, and the kubelet asks again.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

Record = dict[str, Any]


class Journal:
    def __init__(self, path: Path | None) -> None:
        """Without a path nothing is kept."""
        self._path = path
        self.written = 0  # records since the last rewrite

    def append(self, record: Record) -> None:
        self.written += 1
        if self._path is not None:
            # Opened for each line: thousands of idle nodes must not hold files open.
            with self._path.open("ab") as file:
                file.write(_line(record))

    def load(self) -> list[Record]:
        """All whole records, in order. The file is cut behind them, so that the next one starts on a line of its own."""
        if self._path is None:
            return []
        self._path.parent.mkdir(parents=True, exist_ok=True)
        if not self._path.exists():
            return []
        records: list[Record] = []
        good = 0
        with self._path.open("rb") as file:
            for line in file:
                record = _decoded(line)
                if record is None:
                    break
                records.append(record)
                good += len(line)
        if good < self._path.stat().st_size:
            os.truncate(self._path, good)
        self.written = len(records)
        return records

    def rewrite(self, records: Iterable[Record]) -> None:
        """Put these in place of all, at once."""
        self.written = 0
        if self._path is None:
            return
        fresh = self._path.with_suffix(".new")
        with fresh.open("wb") as file:
            for record in records:
                file.write(_line(record))
                self.written += 1
        fresh.replace(self._path)


def _line(record: Record) -> bytes:
    return json.dumps(record, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"


def _decoded(line: bytes) -> Record | None:
    if not line.endswith(b"\n"):
        return None
    try:
        record = json.loads(line)
    except ValueError:
        return None
    return record if isinstance(record, dict) and "op" in record else None
