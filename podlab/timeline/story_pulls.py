"""Pulls of images as marks on their containers' lanes. Pure; part of `story`."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from podlab.glance import anatomy, sentences
from podlab.glance.sentences import say
from podlab.timeline import marks
from podlab.timeline.messages import Mark
from podlab.timeline.story_book import Book


class Pull(Protocol):
    """What the story needs of a `storage.pulls.PullRow`."""

    @property
    def container(self) -> str: ...
    @property
    def image(self) -> str: ...
    @property
    def started_at(self) -> datetime: ...
    @property
    def finished_at(self) -> datetime | None: ...
    @property
    def layers(self) -> int: ...
    @property
    def layers_done(self) -> int: ...
    @property
    def current(self) -> int: ...
    @property
    def total(self) -> int: ...
    @property
    def error(self) -> str: ...


def pull(book: Book, row: Pull, *, revision: int) -> Mark:
    """The mark of a pull as it is now; the same id all along."""
    path = book.paths.get(row.container, "")
    mark = marks.mark(
        id=f"pull:{row.container}:{anatomy.instant(row.started_at)}",
        kind="pull",
        lane=f"container/{row.container}",
        start=row.started_at,
        rev=revision,
        sentence=_sentence(book, row),
        path=f"{path}.image" if path else "",
        command=book.place.events(),
    )
    ended = row.finished_at is not None
    mark.update(
        {
            "container": row.container,
            "text": row.image,
            "reason": "Pulling",
            "end": anatomy.instant(row.finished_at) if row.finished_at is not None else None,
            "outcome": ("failed" if row.error else "done") if ended else "",
            "share": min(row.current / row.total, 1.0) if row.total else None,
        }
    )
    return book.put(mark)


def _sentence(book: Book, row: Pull) -> str:
    fields = {"image": row.image, "container": row.container}
    if row.finished_at is not None:
        took = sentences.seconds_text(row.finished_at - row.started_at)
        if row.error:
            return say(book.say, sentences.PULL_FAILED, took=took, error=row.error, **fields)
        return say(book.say, sentences.PULLED, took=took, **fields)
    if not row.layers:
        return say(book.say, sentences.PULLING_BARE, **fields)
    have, whole = (sentences.bytes_text(count) for count in (row.current, row.total))
    return say(
        book.say, sentences.PULLING, done=row.layers_done, layers=row.layers, current=have, total=whole, **fields
    )
