"""Streams into a container that stay open: exec, attach and port-forward. `Runtime` in `interface` opens them.

The runtime calls a `StreamSink`, the caller a `StreamSession`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamOptions:
    """Which streams somebody wants. With a terminal there is no stderr: everything comes on stdout."""

    stdin: bool = False
    stdout: bool = True
    stderr: bool = True
    tty: bool = False


class StreamSink(Protocol):
    """Where the output of a stream goes. Both are called from the runtime's threads, never at the same time."""

    def output(self, stream: str, data: bytes) -> None:
        """`stream`: "stdout" | "stderr". May block while the reader is slow; raises OSError when nobody reads any more."""
        ...

    def ended(self, exit_code: int | None, error: str) -> None:
        """The last call, exactly once. `exit_code` is that of an exec's command; `error` tells why it broke off."""
        ...


class StreamSession(Protocol):
    """The other direction of a stream, for one caller at a time. Calls after the end do nothing."""

    def write(self, data: bytes) -> None:
        """To standard input, or to the server. May block while nobody reads there."""
        ...

    def close_input(self) -> None:
        """Standard input is over; the rest goes on."""
        ...

    def resize(self, width: int, height: int) -> None:
        """Of the terminal, in characters. Nothing happens without one."""
        ...

    def close(self) -> None:
        """The caller is gone: ends the command of an exec, detaches from a container, hangs up. From any thread."""
        ...
