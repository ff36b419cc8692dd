"""The files of an image as a folder: what a container of it, made and never started, would see.

Engines before 28 cannot mount an image. Whatever the image holds, nothing is written outside the folder, and no device or pipe is
made (tarfile's `tar` filter, PEP 706).
"""

from __future__ import annotations

import hashlib
import io
import shutil
import tarfile
from collections.abc import Iterator
from pathlib import Path

from podlab.runtime.docker import labels
from podlab.runtime.docker.client import Engine, engine_errors
from podlab.runtime.docker.container import remove
from podlab.runtime.docker.labels import Scope
from podlab.runtime.errors import RuntimeFailure


def unpack(engine: Engine, scope: Scope, ref: str, folder: Path) -> str:
    """What went wrong, or "". All or nothing: the folder gets its name when it is complete."""
    if folder.exists():
        return ""
    fresh = folder.with_name(f"{folder.name}.new")
    try:
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(parents=True)
        _export(engine, scope, ref, fresh)
        fresh.rename(folder)
    except (RuntimeFailure, OSError, tarfile.TarError) as error:
        shutil.rmtree(fresh, ignore_errors=True)
        return str(error)
    return ""


def _export(engine: Engine, scope: Scope, ref: str, fresh: Path) -> None:
    # A name of its own for each folder: what a killed agent left behind is found and removed.
    name = f"podlab-unpack-{hashlib.sha256(f'{scope.prefix}{fresh}'.encode()).hexdigest()[:16]}"
    remove(engine, name)
    with engine_errors():
        made = engine.api.create_container(ref, command=["none"], name=name, labels={labels.LAB: scope.lab})["Id"]
    try:
        with engine_errors():
            chunks = engine.api.export(made)
            with tarfile.open(fileobj=io.BufferedReader(_Chunks(chunks)), mode="r|") as tar:
                tar.extractall(fresh, filter=_plain)
    finally:
        remove(engine, made)


def _plain(member: tarfile.TarInfo, path: str) -> tarfile.TarInfo | None:
    if not (member.isfile() or member.isdir() or member.issym() or member.islnk()):
        return None
    return tarfile.tar_filter(member, path)


class _Chunks(io.RawIOBase):
    """A stream of chunks as a file."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        if not self._rest:
            self._rest = next(self._chunks, b"")
        part, self._rest = self._rest[: len(buffer)], self._rest[len(buffer) :]
        buffer[: len(part)] = part
        return len(part)
