"""Which Services send requests to the pod: its places in EndpointSlices as marks, one lane a Service. Pure; part of `story`.

A slice names the pod in `targetRef` and says `conditions.ready` (discovery/v1 EndpointConditions; missing means ready).
"""

from __future__ import annotations

from podlab.apis.types import Manifest
from podlab.glance import sentences
from podlab.glance.sentences import say
from podlab.timeline import marks
from podlab.timeline.messages import Mark
from podlab.timeline.story_book import Book, Change

_SERVICE = "kubernetes.io/service-name"


class Endpoints:
    def __init__(self, book: Book, uids: frozenset[str]) -> None:
        self._book = book
        self._uids = uids
        self._open: dict[str, Mark] = {}  # by slice

    def change(self, entry: Change) -> None:
        """A change of an EndpointSlice."""
        meta = entry.obj["metadata"]
        service = (meta.get("labels") or {}).get(_SERVICE) or meta["name"]
        found = None if entry.type == "DELETED" else self._place(entry.obj)
        present = self._open.get(meta["name"])
        if found is None and present is None:
            return
        state = "True" if found is not None and _ready(found) else "False"
        if present is not None and present["state"] == state:
            return
        self._book.close(present, entry)
        mark = self._mark(entry, service, state, left=found is None)
        if present is not None and present["state"] == "True":
            mark["target"] = "condition/Ready"  # what took it out
        self._open[meta["name"]] = self._book.put(mark)

    def _place(self, obj: Manifest) -> Manifest | None:
        return next(
            (one for one in obj.get("endpoints") or () if (one.get("targetRef") or {}).get("uid") in self._uids), None
        )

    def _mark(self, entry: Change, service: str, state: str, *, left: bool) -> Mark:
        text = (
            sentences.ENDPOINT if state == "True" else sentences.ENDPOINT_LEFT if left else sentences.ENDPOINT_UNREADY
        )
        mark = marks.mark(
            id=f"endpoint:{service}:{entry.revision}",
            kind="endpoint",
            lane=f"endpoint/{service}",
            start=entry.at,
            rev=entry.revision,
            sentence=say(self._book.say, text, service=service),
            path="metadata.labels",
            command=self._book.place.endpoints(service),
        )
        mark.update({"reason": service, "text": service, "state": state, "outcome": state, "why": entry.why})
        return mark


def _ready(endpoint: Manifest) -> bool:
    return (endpoint.get("conditions") or {}).get("ready") is not False
