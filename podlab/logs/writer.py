"""Writes the log of one container run and rotates it by size. The kubelet's log pump owns one writer per container.

A pump may die by `kill -9` at any byte. A new writer on the same path cuts a torn record off, and `resume_since` says
where to go on: the runtime is asked for everything after that point, and lines that are already in the file are dropped.
The runtime's cursor is exact to the microsecond only, and a busy container writes several lines in one; so the cursor
stands one microsecond before the last line, and the records of that microsecond are recognised by their bytes.
"""

from __future__ import annotations

import os
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType

from podlab.apis.types import LogLine
from podlab.logs import format as cri
from podlab.logs import layout
from podlab.logs.reader import last_records

MAX_BYTES = 10 * 2**20  # containerLogMaxSize
MAX_FILES = 5  # containerLogMaxFiles: the live one and four rotated ones
_MICROSECOND = timedelta(microseconds=1)


class LogWriter:
    """Appends to `path`. Not thread-safe: one pump, one writer."""

    def __init__(self, path: Path, max_bytes: int = MAX_BYTES, max_files: int = MAX_FILES) -> None:
        self._path = path
        self._max_bytes = max_bytes
        self._max_files = max(max_files, 1)
        self._written: Counter[bytes] = Counter()
        self._last: bytes = b""
        self.resume_since: datetime | None = None
        path.parent.mkdir(parents=True, exist_ok=True)
        _cut_torn_record(path)
        self._file, self._size = self._open()
        self._recognise()

    def write(self, line: LogLine) -> None:
        """Append, unless the file holds this line from before the restart."""
        data = cri.encode(line)
        if self._written and self._is_repeat(line, data):
            return
        if self._size and self._size + len(data) > self._max_bytes:
            self._rotate(line.at)
        _write_all(self._file, data)
        self._size += len(data)

    def close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def __enter__(self) -> LogWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _open(self) -> tuple[int, int]:
        file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)
        return file, os.fstat(file).st_size

    def _recognise(self) -> None:
        records = last_records(self._path)
        if not records:
            return
        at, _ = cri.parse_stamp(records[-1].split(b" ", 1)[0])
        self.resume_since = at - _MICROSECOND
        self._last = cri.stamp(at, 999)
        self._written = Counter(record + b"\n" for record in records)

    def _is_repeat(self, line: LogLine, data: bytes) -> bool:
        if cri.stamp(line.at, line.nanos) > self._last:
            self._written.clear()  # beyond what the file held: nothing can repeat any more
            return False
        repeats = Counter(data.splitlines(keepends=True)) if data.count(b"\n") > 1 else Counter((data,))
        if repeats - self._written:
            return False
        self._written -= repeats
        return True

    def _rotate(self, at: datetime) -> None:
        os.close(self._file)
        self._file = -1
        self._path.rename(self._path.with_name(self._rotated_name(at)))
        old = layout.rotated(self._path)
        for file in old[: max(len(old) - (self._max_files - 1), 0)]:
            file.unlink(missing_ok=True)
        self._file, self._size = self._open()

    def _rotated_name(self, at: datetime) -> str:
        """After every name there is, also when a burst fills several files in one second."""
        name = f"{self._path.name}.{at.astimezone(UTC):%Y%m%d-%H%M%S}"
        newest = max((file.name for file in layout.rotated(self._path)), default="")
        if name > newest:
            return name
        moment, _, number = newest.removeprefix(f"{self._path.name}.").partition("_")
        return f"{self._path.name}.{moment}_{int(number or 0) + 1:04d}"


def _write_all(file: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(file, view) :]


def _cut_torn_record(path: Path) -> None:
    """Drop bytes after the last newline: the writer died inside a write, and the runtime still has the line."""
    try:
        file = path.open("r+b")
    except FileNotFoundError:
        return
    with file:
        end = file.seek(0, os.SEEK_END)
        keep = end
        while keep:
            begin = max(keep - 65536, 0)
            file.seek(begin)
            newline = file.read(keep - begin).rfind(b"\n")
            if newline >= 0:
                keep = begin + newline + 1
                break
            keep = begin
        if keep != end:
            file.truncate(keep)
