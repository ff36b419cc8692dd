"""Marks packed for many lanes: rows of numbers and a growing table of words. `space_feed` sends them; the other end is
static/src/batches.js, which knows the same columns in the same order. Pure.

The sentence and the evidence of a mark are not in it: they are told when somebody asks for them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol

from podlab.timeline.messages import Cell, Mark

# A mark: the pod's number, the id, then these. Texts are numbers in the table of words.
WORDS = ("kind", "lane", "state", "reason", "text", "container", "probe", "outcome", "caused", "target", "source")
NUMBERS = ("attempt", "exit_code", "run", "threshold", "rev", "seq", "share")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


class Tick(Protocol):
    """What is packed of a probe result."""

    @property
    def seq(self) -> int: ...
    @property
    def container(self) -> str: ...
    @property
    def attempt(self) -> int: ...
    @property
    def probe(self) -> str: ...
    @property
    def at(self) -> datetime: ...
    @property
    def latency_ms(self) -> float: ...
    @property
    def outcome(self) -> str: ...
    @property
    def run(self) -> int: ...
    @property
    def threshold(self) -> int: ...
    @property
    def caused(self) -> str: ...


def milliseconds(at: datetime) -> int:
    """Since 1970, as a browser's Date counts."""
    return (at - _EPOCH) // _MILLISECOND


def _moment(text: str | None) -> int | None:
    """Marks write milliseconds and Z (anatomy.instant)."""
    return None if text is None else milliseconds(datetime.fromisoformat(text))


@dataclass
class Packer:
    """Of one connection: both ends know the words of all batches before."""

    _words: dict[str, int] = field(default_factory=dict)
    _new: list[str] = field(default_factory=list)

    def mark(self, pod: int, mark: Mark) -> list[Cell]:
        times = [_moment(mark["start"]), _moment(mark["end"]), _moment(mark["until"]), _moment(mark["term"])]
        words = [self._word(str(mark[name])) for name in WORDS]  # type: ignore[literal-required]  # names of fields
        numbers = [mark[name] for name in NUMBERS]  # type: ignore[literal-required]
        return [pod, mark["id"], *times, *words, *numbers]

    def tick(self, pod: int, row: Tick) -> list[Cell]:
        """A probe result: pod, seq, time, container, attempt, probe, outcome, run, threshold, latency (ms), caused."""
        return [
            *(pod, row.seq, milliseconds(row.at), self._word(row.container), row.attempt, self._word(row.probe)),
            *(self._word(row.outcome), row.run, row.threshold, round(row.latency_ms, 1), self._word(row.caused)),
        ]

    def ticks(self, rows: Iterable[tuple[int, Tick]]) -> list[list[Cell]]:
        return [self.tick(pod, row) for pod, row in rows]

    def new_words(self) -> list[str]:
        """Those that have come since the last call, in the order of their numbers."""
        new, self._new = self._new, []
        return new

    def _word(self, text: str) -> int:
        number = self._words.get(text)
        if number is None:
            number = self._words[text] = len(self._words)
            self._new.append(text)
        return number
