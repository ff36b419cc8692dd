"""Points in time: probe results and Events as marks. Pure; part of `story`."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Protocol

from podlab.glance import sentences
from podlab.glance.sentences import say
from podlab.timeline import marks
from podlab.timeline.messages import EventFacts
from podlab.timeline.story_book import Book, Change


class Probe(Protocol):
    """What the story needs of a `storage.models.ProbeResult`."""

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
    def message(self) -> str: ...
    @property
    def run(self) -> int: ...
    @property
    def threshold(self) -> int: ...
    @property
    def caused(self) -> str: ...


class Points:
    def __init__(self, book: Book, uids: frozenset[str]) -> None:
        self._book = book
        self._uids = uids
        self._counts: dict[str, int] = {}  # occurrences seen of each Event object

    def probe(self, result: Probe, *, revision: int) -> None:
        name, lane = result.container, f"probe/{result.container}/{result.probe}"
        path = self._book.paths.get(name, "")
        probe = self._book.say(sentences.PROBE_TYPES.get(result.probe, result.probe))
        latency = sentences.latency_text(result.latency_ms)
        template = {
            "success": sentences.PROBE_OK if result.run <= result.threshold else sentences.PROBE_STILL_OK,
            "failure": sentences.PROBE_FAILED,
            "warning": sentences.PROBE_WARNING,
        }.get(result.outcome, sentences.PROBE_ERROR)
        numbers = {"container": name, "run": result.run, "threshold": result.threshold}
        sentence = say(self._book.say, template, probe=probe, latency=latency, **numbers)
        caused = sentences.CAUSED.get(result.caused)
        leads_to = caused or _counts(result)
        why = say(self._book.say, leads_to, **numbers) if leads_to else ""
        detail = result.message.strip()
        mark = marks.mark(
            id=f"probe:{result.seq}",
            kind="probe",
            lane=lane,
            start=result.at,
            rev=revision,
            sentence=say(self._book.say, sentences.DETAIL, sentence=sentence, detail=detail) if detail else sentence,
            path=f"{path}.{result.probe}Probe" if path else "",
            command=self._book.place.describe(),
        )
        mark.update({"container": name, "attempt": result.attempt, "probe": result.probe, "outcome": result.outcome, "run": result.run, "threshold": result.threshold, "latency_ms": result.latency_ms, "caused": result.caused, "seq": result.seq, "why": why, "reason": result.outcome, "end": mark["start"], "state": result.outcome})  # fmt: skip
        if result.outcome in {"failure", "error"}:
            mark["evidence"]["event"] = self._book.events.get((name, "Unhealthy"))
        if caused:
            mark["text"] = say(self._book.say, sentences.CAUSED_SHORT[result.caused], **numbers)
            unready = result.caused in {"ready", "unready"}
            mark["target"] = "condition/ContainersReady" if unready else f"container/{name}"
        self._book.put(mark)

    def event(self, entry: Change) -> tuple[str, EventFacts] | None:
        """The Event's container and facts if it is a new occurrence about this pod."""
        event = entry.obj
        about = event.get("involvedObject") or {}
        if about.get("uid") not in self._uids or entry.type == "DELETED":
            return None
        name, count = event["metadata"]["name"], int(event.get("count") or 1)
        if count <= self._counts.get(name, 0):
            return None
        self._counts[name] = count
        found = re.search(r"\{(.+)\}$", about.get("fieldPath") or "")
        container = found[1] if found else ""
        facts: EventFacts = {
            "type": event.get("type") or "Normal",
            "reason": event.get("reason") or "",
            "message": event.get("message") or "",
            "source": (event.get("source") or {}).get("component") or event.get("reportingComponent") or "",
            "count": count,
        }
        mark = marks.mark(
            id=f"event:{name}:{count}",
            kind="event",
            lane="events",
            start=entry.at,
            rev=entry.revision,
            sentence=say(self._book.say, sentences.EVENT_AGAIN if count > 1 else sentences.EVENT, **facts),
            path=self._book.paths.get(container, ""),
            command=self._book.place.events(),
        )
        mark.update({"reason": facts["reason"], "text": facts["reason"], "state": facts["type"], "outcome": facts["type"], "why": entry.why, "container": container, "source": facts["source"], "end": mark["start"]})  # fmt: skip
        mark["evidence"]["event"] = facts
        self._book.put(mark)
        self._book.events[(container, facts["reason"])] = facts
        return container, facts


def _counts(probe: Probe) -> str:
    """What a probing that changed nothing counts towards; "" where there is nothing to say."""
    if probe.run < probe.threshold:
        return sentences.COUNTS.get((probe.probe, probe.outcome), "")
    return sentences.STAYS_UNREADY if (probe.probe, probe.outcome) == ("readiness", "failure") else ""
