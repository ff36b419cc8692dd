"""One supervised child process: start, watch, restart with back-off, stop. Used by `supervisor`; knows no Django."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from podlab import clock
from podlab.ops.ready import is_ready, ready_file

PR_SET_PDEATHSIG = 1
FIRST_DELAY = 0.5
LONGEST_DELAY = 30.0
STEADY_AFTER = 60.0  # seconds of running that forgive earlier crashes
LOG_BYTES = 5 * 1024 * 1024


def _die_with_parent() -> None:
    """In the child before exec: a supervisor that is killed leaves no orphans (Linux)."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


class Child:
    """A process by role. Its pid file and log belong to it; output is appended to the log."""

    def __init__(
        self, role: str, command: Sequence[str], *, environment: Mapping[str, str], data: Path, stop_seconds: float
    ) -> None:
        self.role = role
        self.command = list(command)
        self.environment = dict(environment)
        self.stop_seconds = stop_seconds
        self.pid_file = data / "pids" / f"{role}.pid"
        self.data = data
        self.ready_file = ready_file(data, role)
        self.log_file = data / "process-logs" / f"{role}.log"
        self.restarts = 0
        self.process: subprocess.Popen[bytes] | None = None
        self._started = 0.0
        self._delay = FIRST_DELAY
        self._retry_at = 0.0

    def start(self) -> None:
        for path in (self.pid_file, self.log_file, self.ready_file):
            path.parent.mkdir(parents=True, exist_ok=True)
        self.ready_file.unlink(missing_ok=True)
        if self.log_file.exists() and self.log_file.stat().st_size > LOG_BYTES:
            self.log_file.replace(self.log_file.with_suffix(".log.1"))
        with self.log_file.open("ab") as log:
            self.process = subprocess.Popen(
                self.command,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C reaches the supervisor only, which then stops in order
                preexec_fn=_die_with_parent,
            )
        self._started = clock.monotonic()
        self.pid_file.write_text(f"{self.process.pid}\n")

    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def ready(self) -> bool:
        """A role says so itself by its ready file."""
        return self.running() and is_ready(self.data, self.role)

    def tend(self) -> str | None:
        """Restart it if it ended and its back-off is over; returns a sentence when something happened."""
        if self.running():
            if clock.monotonic() - self._started > STEADY_AFTER:
                self._delay = FIRST_DELAY
            return None
        now = clock.monotonic()
        if self._retry_at == 0.0:
            code = self.process.returncode if self.process else None
            self._retry_at = now + self._delay
            sentence = f"{self.role} ended with {describe_exit(code)}; next start in {self._delay:g} s"
            self._delay = min(self._delay * 2, LONGEST_DELAY)
            return sentence
        if now < self._retry_at:
            return None
        self._retry_at = 0.0
        self.restarts += 1
        self.start()
        return f"{self.role} started again (restart {self.restarts})"

    def stop(self) -> None:
        """TERM, then KILL after `stop_seconds`. Harmless when it does not run."""
        process = self.process
        if process is not None and process.poll() is None:
            process.terminate()
            try:
                process.wait(self.stop_seconds)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.pid_file.unlink(missing_ok=True)
        self.ready_file.unlink(missing_ok=True)

    def log_tail(self, lines: int = 15) -> str:
        with contextlib.suppress(OSError):
            return "\n".join(self.log_file.read_text(errors="replace").splitlines()[-lines:])
        return ""


def describe_exit(code: int | None) -> str:
    if code is None:
        return "no exit code"
    if code < 0:
        with contextlib.suppress(ValueError):
            return signal.Signals(-code).name
    return f"exit code {code}"


def stop_leftover(pid_file: Path, data: Path) -> bool:
    """Kill the process of a stale pid file if it really is one of this data folder; say whether one was there."""
    try:
        pid = int(pid_file.read_text())
        environment = Path(f"/proc/{pid}/environ").read_bytes()
    except (OSError, ValueError):
        pid_file.unlink(missing_ok=True)
        return False
    mine = f"PODLAB_DATA={data}".encode() in environment.split(b"\0")
    if mine and pid != os.getpid():
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    pid_file.unlink(missing_ok=True)
    return mine
