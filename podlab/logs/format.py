"""The CRI log format: `2026-11-21T02:00:00.000000000Z stdout F text`.

`F` ends a line, `P` is a part of one that goes on in the next record (cri-api, kuberuntime/logs parseCRILog). Times are
written with nine digits, so that they compare as text and readers need not parse them.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NamedTuple

from podlab.apis.types import LogLine


class Record(NamedTuple):
    """One record as it lies in the file."""

    stamp: bytes
    stream: bytes
    partial: bool
    text: bytes


def stamp(at: datetime, nanos: int = 0) -> bytes:
    """RFC 3339 in UTC with nine digits (Go's RFC3339NanoFixed)."""
    utc = at.astimezone(UTC)
    return f"{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond:06d}{nanos:03d}Z".encode("ascii")


def parse_stamp(text: bytes) -> tuple[datetime, int]:
    """The time to the microsecond, and the nanoseconds below it. ValueError if it is no stamp of ours."""
    seconds, _, fraction = text.decode("ascii").rstrip("Z").partition(".")
    digits = (fraction or "0").ljust(9, "0")[:9]
    at = datetime.strptime(seconds, "%Y-%m-%dT%H:%M:%S").replace(microsecond=int(digits[:6]), tzinfo=UTC)
    return at, int(digits[6:])


def encode(line: LogLine) -> bytes:
    """The record(s) of a line. Text that is not UTF-8 arrives as surrogates and leaves as the bytes it was; a newline
    inside the text would forge a record, so it becomes a line of its own."""
    head = b"%s %s " % (stamp(line.at, line.nanos), line.stream.encode("ascii"))
    *whole, last = line.text.encode("utf-8", "surrogateescape").split(b"\n")
    records = [head + b"F " + text + b"\n" for text in whole]
    records.append(head + (b"P " if line.partial else b"F ") + last + b"\n")
    return b"".join(records)


def parse(raw: bytes) -> Record | None:
    """A record without its newline; None if it is not one (a torn write that was completed by another program)."""
    parts = raw.split(b" ", 3)
    if len(parts) != 4 or parts[1] not in {b"stdout", b"stderr"}:
        return None
    # The tag may carry more fields after a colon; only the first is defined (parseCRILog).
    return Record(parts[0], parts[1], parts[2].split(b":", 1)[0] == b"P", parts[3])
