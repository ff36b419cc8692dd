"""The marks of one story: what is known, what changed since the last `take`. `story` and its parts write here. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from podlab.apis.types import Manifest
from podlab.glance import anatomy, whys
from podlab.glance.sentences import Translate
from podlab.timeline import marks
from podlab.timeline.messages import EventFacts, Mark


class Change(Protocol):
    """What the story needs of a `storage.log.LogEntry`."""

    @property
    def revision(self) -> int: ...
    @property
    def type(self) -> str: ...
    @property
    def at(self) -> datetime: ...
    @property
    def why(self) -> str: ...
    @property
    def obj(self) -> Manifest: ...


class Book:
    def __init__(self, translate: Translate) -> None:
        self.say = translate
        self.place = marks.Place("", "")
        self.pod: Manifest = {}  # as it was last
        self.paths: dict[str, str] = {}  # container name → its place in the YAML
        self.events: dict[tuple[str, str], EventFacts] = {}  # the latest by (container, reason)
        self.marks: dict[str, Mark] = {}
        self.retold: dict[str, int] = {}  # mark → the revision that changed its evidence and not its own moment, `rev`
        self._touched: dict[str, Mark] = {}

    def put(self, mark: Mark) -> Mark:
        """Every mark that is new or has changed comes through here; its `why` is in the viewer's language from here on."""
        mark["why"] = self.why(mark["why"])
        self.marks[mark["id"]] = mark
        self._touched[mark["id"]] = mark
        return mark

    def why(self, stored: str) -> str:
        """A `why` as the machine wrote it, for the viewer."""
        return whys.told(self.say, stored)

    def close(self, mark: Mark | None, entry: Change) -> None:
        """End a mark that still goes on."""
        if mark is not None and mark["end"] is None:
            mark.update({"end": anatomy.instant(entry.at), "rev": entry.revision})
            self.put(mark)

    def forget(self, id: str) -> Mark:
        """The mark, which is then no longer known."""
        self._touched.pop(id, None)
        return self.marks.pop(id)

    def take(self) -> list[Mark]:
        """What changed since the last call."""
        touched, self._touched = list(self._touched.values()), {}
        return touched
