"""What decode.py and yaml_events.py share: positions, refusals, limits."""

from __future__ import annotations

from dataclasses import dataclass

MAX_BYTES = 3 * 2**20  # the limit of the API server for a request body
MAX_DEPTH = 200
MAX_NODES = 300_000  # of a text, after aliases are followed: a few lines of YAML can ask for billions
MAX_DOCUMENTS = 1000


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """Both count from 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Duplicate:
    """A key that came again. `line` is 0 where the format does not count lines (JSON)."""

    key: str
    path: str
    line: int

    def text(self) -> str:
        if self.line:
            return f'line {self.line}: key "{self.key}" already set in map'
        return f'duplicate field "{self.path}"'


class DecodeError(Exception):
    """Text that is not JSON or not YAML. `go_line` is the line that Kubernetes' YAML library would name (parser errors
    are one off there); 0 means that it is JSON."""

    def __init__(self, message: str, line: int, column: int, *, go_line: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.column = column
        self.go_line = go_line

    @property
    def go_text(self) -> str:
        """The sentence in a 400 of the API server."""
        if self.go_line:
            where = f"line {self.go_line}: " if self.line > 1 else ""  # Go's YAML library never names the first line
            return f"yaml: {where}{self.message}"
        return f"couldn't get version/kind; json parse error: {self.message}"

    def __str__(self) -> str:
        return f"line {self.line}, column {self.column}: {self.message}"


class TooLarge(DecodeError):
    """Above the size limit: 413 at the API."""


def check_size(size: int) -> None:
    if size > MAX_BYTES:
        raise TooLarge(f"limit is {MAX_BYTES}", 1, 1)
