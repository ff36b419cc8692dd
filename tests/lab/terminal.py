"""A person at a terminal, for the interactive commands of kubectl: a pseudo terminal, and answers to what it shows."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import termios
import time
from collections.abc import Mapping, Sequence

from tests.whole_lab import Lab


def converse(
    lab: Lab, arguments: Sequence[str], talk: Sequence[tuple[str, str]], *, rows: int = 33, columns: int = 111
) -> tuple[int, str]:
    """Run kubectl on a terminal. `talk`: wait for the first text after what was answered last, then type the second.
    Returns the exit code and everything that was shown."""
    command = ["kubectl", "--kubeconfig", str(lab.kubeconfig), *arguments]
    environment = {**os.environ, "HOME": str(lab.data), "KUBECACHEDIR": str(lab.data / "kubecache")}
    return converse_with(command, environment, talk, rows=rows, columns=columns)


def converse_with(
    command: Sequence[str],
    environment: Mapping[str, str],
    talk: Sequence[tuple[str, str]],
    *,
    rows: int = 33,
    columns: int = 111,
) -> tuple[int, str]:
    """The same with any command."""
    pid, master = pty.fork()
    if pid == 0:
        os.execvpe(command[0], list(command), dict(environment))
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    shown, seen, waiting = "", 0, list(talk)
    deadline = time.monotonic() + 60
    try:
        while time.monotonic() < deadline:
            if waiting and waiting[0][0] in shown[seen:]:
                seen = len(shown)
                os.write(master, waiting.pop(0)[1].encode())
            if not select.select([master], [], [], 0.1)[0]:
                continue
            try:
                data = os.read(master, 65536)
            except OSError:  # Linux says so when the other side has gone
                data = b""
            if not data:
                _, status = os.waitpid(pid, 0)
                pid = 0
                return os.waitstatus_to_exitcode(status), shown
            shown += data.decode(errors="replace")
        raise AssertionError(f"{command} did not end; it waits for {waiting[:1]} and showed: {shown!r}")
    finally:
        if pid:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        os.close(master)
