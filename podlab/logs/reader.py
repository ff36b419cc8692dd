"""Reads container logs as Kubernetes' log endpoint answers them. Called by the API's log subresource and the log pane.

The text is what the container wrote; with `timestamps` each line begins with an RFC 3339 time and a space. Unlike the
kubelet, which reads only the live file, a reader here goes over the rotated parts as well. `follow` costs no thread:
it looks at the file every 100 ms, or when it is told that there is more (`bell`).
"""

from __future__ import annotations

import asyncio
import os
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from podlab.logs import format as cri
from podlab.logs import layout

_BLOCK = 65536
POLL_SECONDS = 0.1


def read(
    path: Path,
    *,
    tail: int | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    timestamps: bool = False,
    limit_bytes: int | None = None,
) -> Iterator[bytes]:
    """What there is now, in chunks. `tail` counts records first, `since` and `until` (inclusive) are applied to those, as in
    the kubelet (kuberuntime/logs ReadLogs); `limit_bytes` may cut inside a line. A missing file is an empty log."""
    with _Cursor(path, tail) as cursor:
        shape = _Shape(since, until, timestamps=timestamps, limit_bytes=limit_bytes)
        while not shape.full and (records := cursor.next_records()) is not None:
            if chunk := shape.render(records):
                yield chunk


async def follow(
    path: Path,
    *,
    finished: Callable[[], bool],
    tail: int | None = None,
    since: datetime | None = None,
    timestamps: bool = False,
    limit_bytes: int | None = None,
    poll: float = POLL_SECONDS,
    rung: Callable[[], Awaitable[None]] | None = None,
) -> AsyncIterator[bytes]:
    """As `read`, then live until `finished()` holds and nothing more came during one poll, or the limit is reached.
    The file need not exist yet. `finished` is asked at every poll, so it must be cheap; with `rung` (of `bell.listen`, begun
    before) only when it rings, so it must hold by something that rings."""
    with _Cursor(path, tail) as cursor:
        shape = _Shape(since, None, timestamps=timestamps, limit_bytes=limit_bytes)
        ending = False
        while not shape.full:
            records = cursor.next_records()
            if records is not None:
                ending = False
                if chunk := shape.render(records):
                    yield chunk
                await asyncio.sleep(0)  # a long log must not hold up the other viewers
                continue
            if ending:
                return
            # The writer may be a moment behind the container's end: one more look before leaving.
            ending = finished()
            await (rung() if rung and not ending else asyncio.sleep(poll))


def last_lines(path: Path, tail: int, *, since: datetime | None = None, until: datetime | None = None) -> list[bytes]:
    """Whole lines, each with its time: the last `tail` of those between two moments (inclusive)."""
    first = tail if until is None else None  # what comes after `until` does not count
    kept: deque[bytes] = deque(maxlen=tail)
    rest = b""
    for chunk in read(path, tail=first, since=since, until=until, timestamps=True):
        *lines, rest = (rest + chunk).split(b"\n")
        kept.extend(lines)
    if rest:
        kept.append(rest)
    return list(kept)


def last_time(path: Path) -> datetime | None:
    """The time of the newest record, also if it lies in a rotated part; None for an empty log."""
    records = last_records(path)
    return cri.parse_stamp(records[-1].split(b" ", 1)[0])[0] if records else None


def last_records(path: Path) -> list[bytes]:
    """The newest record and all others of the same microsecond, oldest first, without their newlines."""
    found: list[bytes] = []
    for file in (path, *reversed(layout.rotated(path))):
        try:
            stream = file.open("rb")
        except FileNotFoundError:
            continue
        with stream:
            for raw in _lines_backwards(stream):
                if cri.parse(raw) is None:
                    continue
                if found and raw[:26] != found[0][:26]:  # up to the microsecond
                    return found[::-1]
                found.append(raw)
    return found[::-1]


class _Shape:
    """What the caller wants to see of each record."""

    def __init__(
        self, since: datetime | None, until: datetime | None, *, timestamps: bool, limit_bytes: int | None
    ) -> None:
        self._since = cri.stamp(since) if since else b""
        # Python's microseconds: what was written within the last of them counts too.
        self._until = cri.stamp(until)[:26] if until else b""
        self._timestamps = timestamps
        self._left = limit_bytes
        self._inside = False  # the record before was a part of a line

    @property
    def full(self) -> bool:
        return self._left is not None and self._left <= 0

    def render(self, records: list[bytes]) -> bytes:
        parts: list[bytes] = []
        for raw in records:
            record = cri.parse(raw)
            if record is None or record.stamp < self._since:
                continue
            if self._until and record.stamp[:26] > self._until:
                continue  # not the end: the two streams of a container may overtake each other a little
            if self._timestamps and not self._inside:
                parts += (record.stamp, b" ")
            parts.append(record.text)
            if not record.partial:
                parts.append(b"\n")
            self._inside = record.partial
        chunk = b"".join(parts)
        if self._left is not None:
            chunk = chunk[: self._left]
            self._left -= len(chunk)
        return chunk


class _Cursor:
    """A place in a log that survives rotation: it holds the file open, and at its end looks whether the path is
    another file by now. If so it goes on with the oldest part that is newer than its own."""

    def __init__(self, path: Path, tail: int | None) -> None:
        self._path = path
        self._rest = b""
        self._file: BinaryIO | None = None
        if tail is None:
            self._advance()
        else:
            self._seek_tail(tail)

    def __enter__(self) -> _Cursor:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def next_records(self) -> list[bytes] | None:
        """Complete records, at most about a block of them; None when there is nothing more at present."""
        while True:
            # The order matters: the writer may append between our read and its rotation, so a file that was left is
            # read once more before going on.
            moved = self._moved()
            block = self._file.read(_BLOCK) if self._file else b""
            if not block:
                if moved and self._advance():
                    continue
                return None
            *records, self._rest = (self._rest + block).split(b"\n")
            if records:
                return records

    def _moved(self) -> bool:
        try:
            now = os.stat(self._path)
        except FileNotFoundError:
            return bool(layout.rotated(self._path)) and self._file is None
        return self._file is None or now.st_ino != os.fstat(self._file.fileno()).st_ino

    def _advance(self) -> bool:
        """Open the part after the present one (the oldest if ours is gone); False if there is none."""
        own = os.fstat(self._file.fileno()).st_ino if self._file else None
        parts = _open_parts(self._path)
        numbers = [os.fstat(part.fileno()).st_ino for part in parts]
        index = numbers.index(own) + 1 if own in numbers else 0
        chosen = parts[index] if index < len(parts) else None
        for part in parts:
            if part is not chosen:
                part.close()
        if chosen is None:
            return False
        self._close()
        self._file, self._rest = chosen, b""
        return True

    def _seek_tail(self, tail: int) -> None:
        parts = _open_parts(self._path)
        left = tail
        while parts:
            part = parts.pop()
            offset, left = _tail_offset(part, left)
            part.seek(offset)
            self._close()
            self._file = part
            if left <= 0:
                break
        for part in parts:
            part.close()

    def _close(self) -> None:
        if self._file:
            self._file.close()
            self._file = None


def _open_parts(path: Path) -> list[BinaryIO]:
    """Every part of a log, oldest first, opened: a handle cannot be renamed away. If a rotation came between, the list
    might lack a part or show one under two names, so it is made again."""
    while True:
        names = (*layout.rotated(path), path)
        parts = [part for name in names if (part := _open(name)) is not None]
        numbers = [os.fstat(part.fileno()).st_ino for part in parts]
        if (*layout.rotated(path), path) == names and len(set(numbers)) == len(numbers):
            return parts
        for part in parts:
            part.close()


def _open(path: Path) -> BinaryIO | None:
    try:
        return path.open("rb")
    except FileNotFoundError:
        return None


def _tail_offset(file: BinaryIO, lines: int) -> tuple[int, int]:
    """Where the last `lines` complete records begin, and how many of them the file did not have."""
    end = file.seek(0, os.SEEK_END)
    if lines <= 0:
        return _after_last_newline(file, end), 0
    seen, position = -1, end  # the newline at the very end closes the last record, it does not begin one
    while position:
        begin = max(position - _BLOCK, 0)
        file.seek(begin)
        block = file.read(position - begin)
        found = len(block)
        while (found := block.rfind(b"\n", 0, found)) >= 0:
            seen += 1
            if seen == lines:
                return begin + found + 1, 0
        position = begin
    return 0, lines - (seen + 1)


def _after_last_newline(file: BinaryIO, end: int) -> int:
    position = end
    while position:
        begin = max(position - _BLOCK, 0)
        file.seek(begin)
        found = file.read(position - begin).rfind(b"\n")
        if found >= 0:
            return begin + found + 1
        position = begin
    return 0


def _lines_backwards(file: BinaryIO) -> Iterator[bytes]:
    """Complete lines, newest first, without newlines; bytes after the last newline are not a line yet."""
    position = _after_last_newline(file, file.seek(0, os.SEEK_END))
    rest = b""
    while position:
        begin = max(position - _BLOCK, 0)
        file.seek(begin)
        parts = (file.read(position - begin) + rest).split(b"\n")
        position = begin
        rest = parts.pop(0) if begin else b""
        yield from (line for line in reversed(parts) if line)
