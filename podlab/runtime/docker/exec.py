"""Runs a command in a container for probes and hooks: bounded in time and output.

The engine cannot end a command it started. If it runs on this machine, a command that overran its time is killed here,
but only after the kernel confirms that the process belongs to the container.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from podlab.clock import Clock, monotonic, pause
from podlab.runtime.calls import ExecResult
from podlab.runtime.docker.client import Engine, Stream, engine_errors
from podlab.runtime.docker.frames import split
from podlab.runtime.errors import RuntimeFailure

_OUTPUT_LIMIT = 64 * 1024  # probes look at 10 KiB at most
_CANNOT_RUN = "OCI runtime exec failed"
_SETTLE_TRIES, _SETTLE_PAUSE = 100, 0.01


def run(
    engine: Engine,
    container_id: str,
    argv: tuple[str, ...],
    timeout: float,
    *,
    clock: Clock,
    opened: Callable[[Stream], None],
) -> ExecResult:
    """Never raises a runtime failure. `timeout` counts from the start of the command; 0 means none. `opened` gets the
    stream, for somebody who wants to break off."""
    began = monotonic()
    try:
        with engine_errors():
            exec_id = engine.api.exec_create(container_id, list(argv))["Id"]
            began = monotonic()
            stream = engine.post_stream(f"/exec/{exec_id}/start", body={"Detach": False, "Tty": False})
        opened(stream)
        timer = clock.call_later(timeout, stream.close) if timeout > 0 else None
        try:
            output, stderr = _read(stream)
        finally:
            if timer is not None:
                timer.cancel()
        seconds = monotonic() - began
        if stream.closed:
            kill(engine, container_id, exec_id)
            return ExecResult(-1, output, seconds, timed_out=True)
        code = exit_code(engine, exec_id)
    except RuntimeFailure as error:
        return ExecResult(-1, "", monotonic() - began, error=str(error))
    if code in {126, 127} and output.startswith(_CANNOT_RUN):
        return ExecResult(-1, "", seconds, error=output.rstrip("\r\n"))
    return ExecResult(code, output, seconds, stderr=stderr)


def _read(stream: Stream) -> tuple[str, str]:
    """Standard output, then standard error, as the kubelet joins them, and the latter alone; the rest beyond the limit is
    read and dropped."""
    parts: dict[str, bytearray] = {"stdout": bytearray(), "stderr": bytearray()}
    for name, payload in split(stream.chunks()):
        parts[name] += payload[: _OUTPUT_LIMIT - len(parts[name])]
    both, errors = bytes(parts["stdout"] + parts["stderr"]), bytes(parts["stderr"])
    return both.decode("utf-8", "replace"), errors.decode("utf-8", "replace")


def exit_code(engine: Engine, exec_id: str) -> int:
    """The engine closes the stream a moment before it notes the code."""
    for _ in range(_SETTLE_TRIES):
        found = _inspect(engine, exec_id)
        if not found["Running"] and found["ExitCode"] is not None:
            return int(found["ExitCode"])
        pause(_SETTLE_PAUSE)
    raise RuntimeFailure("the engine does not say how the command ended")


def _inspect(engine: Engine, exec_id: str) -> dict[str, Any]:
    with engine_errors():
        return dict(engine.api.exec_inspect(exec_id))


def kill(engine: Engine, container_id: str, exec_id: str) -> None:
    """End a command that still runs; nothing for an engine elsewhere, which has no call for it."""
    if not engine.base_url.startswith("unix:"):
        return
    with suppress(RuntimeFailure, OSError):
        found = _inspect(engine, exec_id)
        number = int(found["Pid"])
        if not found["Running"] or number <= 1:
            return
        # A handle first, then the check: a number that is used again cannot slip between.
        handle = os.pidfd_open(number)
        try:
            if container_id in Path(f"/proc/{number}/cgroup").read_text():
                signal.pidfd_send_signal(handle, signal.SIGKILL)
        finally:
            os.close(handle)
