"""The lanes of the containers: waiting and running spans, how runs end, the back-off countdown. Pure; part of `story`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from podlab.apis import times
from podlab.apis.types import Manifest
from podlab.glance import anatomy, sentences
from podlab.glance.sentences import say
from podlab.timeline import marks, story_grace
from podlab.timeline.messages import EventFacts, Mark
from podlab.timeline.story_book import Book, Change

LOST = "ContainerStatusUnknown"


class Run(Protocol):
    """What the story needs of a `storage.models.ContainerRun`."""

    @property
    def container(self) -> str: ...
    @property
    def attempt(self) -> int: ...
    @property
    def started_at(self) -> datetime | None: ...
    @property
    def finished_at(self) -> datetime | None: ...
    @property
    def start_why(self) -> str: ...
    @property
    def stop_why(self) -> str: ...


# Events that say why a container is in the state that a span shows.
_SPAN_EVENTS = {
    "CrashLoopBackOff": ("BackOff",),
    "ImagePullBackOff": ("BackOff", "Failed"),
    "ErrImagePull": ("Failed",),
    "ErrImageNeverPull": ("ErrImageNeverPull", "Failed"),
    "CreateContainerConfigError": ("Failed",),
    "CreateContainerError": ("Failed",),
    "RunContainerError": ("Failed",),
    "running": ("Started", "Killing"),
}


@dataclass(slots=True)
class _Container:
    waiting: Mark | None = None
    runs: dict[int, Mark] = field(default_factory=dict)
    graces: dict[int, Mark] = field(default_factory=dict)  # of the runs that were asked to end
    killing: dict[int, EventFacts] = field(default_factory=dict)  # what asked them
    finished: datetime | None = None  # of the last run


class Containers:
    """All containers of one pod by name."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self._containers: dict[str, _Container] = {}
        self._runs: dict[tuple[str, int], Run] = {}

    def run_needed(self) -> bool:
        """Whether a run has begun or ended of which the history is not known yet."""
        for name, container in self._containers.items():
            for attempt, mark in container.runs.items():
                known = self._runs.get((name, attempt))
                if known is None or (mark["end"] is not None and known.finished_at is None):
                    return True
        return False

    def learn(self, rows: Iterable[Run]) -> None:
        for row in rows:
            self._runs[(row.container, row.attempt)] = row
            container = self._containers.get(row.container)
            mark = container.runs.get(row.attempt) if container is not None else None
            if container is not None and mark is not None and self._refine(mark, row):
                self._book.put(mark)
                self._end_grace(container, mark, mark["rev"])

    def status(self, entry: Change, status: Manifest) -> None:
        name, attempt = str(status["name"]), int(status.get("restartCount") or 0)
        container = self._containers.setdefault(name, _Container())
        state = status.get("state") or {}
        last = (status.get("lastState") or {}).get("terminated")
        if "running" in state:
            if last is not None and attempt > 0:
                self._end(entry, container, name, attempt - 1, last)
            self._book.close(container.waiting, entry)
            container.waiting = None
            self._start(entry, container, name, attempt, started=None)
        elif "terminated" in state:
            self._book.close(container.waiting, entry)
            container.waiting = None
            self._end(entry, container, name, attempt, state["terminated"])
        else:
            if last is not None:
                # Of a container that was lost, the restart that is due is counted already.
                lost = attempt > 0 and last.get("reason") == LOST
                self._end(entry, container, name, attempt - lost, last)
            self._wait(entry, container, name, state.get("waiting") or {}, attempt)

    def _start(self, entry: Change, container: _Container, name: str, attempt: int, started: datetime | None) -> Mark:
        if attempt in container.runs:
            return container.runs[attempt]
        text = sentences.RUNNING_AGAIN if attempt else sentences.RUNNING_FIRST
        mark = marks.mark(
            id=f"run:{name}:{attempt}",
            kind="span",
            lane=f"container/{name}",
            start=started or entry.at,
            rev=entry.revision,
            sentence=say(self._book.say, text, container=name, attempt=attempt),
            path=self._book.paths.get(name, ""),
            command=self._book.place.logs(name, previous=False),
        )
        mark.update({"container": name, "attempt": attempt, "state": "running", "reason": "Running", "text": f"#{attempt}", "why": entry.why, "outcome": "running"})  # fmt: skip
        mark["evidence"]["event"] = self._book.events.get((name, "Started"))
        if (before := container.runs.get(attempt - 1)) is not None:  # from now on its log is the previous one
            before["evidence"]["command"] = self._book.place.logs(name, previous=True)
            self._book.retold[before["id"]] = entry.revision
            self._book.put(before)
        container.runs[attempt] = mark
        row = self._runs.get((name, attempt))
        if row is not None:
            self._refine(mark, row)
        return self._book.put(mark)

    def _end(self, entry: Change, container: _Container, name: str, attempt: int, term: Manifest) -> None:
        finished = _time(term.get("finishedAt"))
        mark = container.runs.get(attempt)
        if mark is None:
            mark = self._start(entry, container, name, attempt, _time(term.get("startedAt")) or finished)
        if mark["end"] is not None:
            return
        # The status was written just after the end and keeps whole seconds; the run's own row is exact.
        end = entry.at
        if finished is not None and not timedelta() <= entry.at - finished < timedelta(seconds=2):
            end = max(finished, times.parse(mark["start"]))
        container.finished = finished or end
        code = term.get("exitCode")
        reason = str(term.get("reason") or ("Completed" if code == 0 else "Error"))
        mark.update(
            {"end": anatomy.instant(end), "rev": entry.revision, "state": "ended", "reason": reason, "exit_code": code}
        )
        mark["outcome"] = "completed" if code == 0 else "unknown" if reason == LOST else "failed"
        if entry.why:
            mark["why"] = entry.why
        self._tell_end(mark)
        killing, path = container.killing.get(attempt), mark["evidence"]["path"]
        if killing is not None:
            mark["evidence"]["event"] = killing
            mark["evidence"]["path"] = story_grace.asked_by(path, killing["message"])
        if reason == "OOMKilled" and path:
            mark["evidence"]["path"] = f"{path}.resources"
        row = self._runs.get((name, attempt))
        if row is not None:
            self._refine(mark, row)
        self._book.put(mark)
        self._end_grace(container, mark, entry.revision)

    def _end_grace(self, container: _Container, run: Mark, revision: int) -> None:
        grace = container.graces.get(run["attempt"] or 0)
        if grace is not None and run["end"] is not None and grace["end"] != max(run["end"], grace["start"]):
            grace.update({"end": max(run["end"], grace["start"]), "rev": revision})
            self._book.put(grace)

    def _tell_end(self, mark: Mark) -> None:
        if mark["end"] is None:
            return
        ran = times.parse(mark["end"]) - times.parse(mark["start"])
        mark["sentence"] = sentences.ended(
            self._book.say, container=mark["container"], code=mark["exit_code"], reason=mark["reason"], ran=ran
        )

    def _wait(self, entry: Change, container: _Container, name: str, waiting: Manifest, attempt: int) -> None:
        reason, message = str(waiting.get("reason") or "Waiting"), str(waiting.get("message") or "")
        present = container.waiting
        if present is not None and present["reason"] == reason and present["attempt"] == attempt:
            return
        self._book.close(present, entry)
        delay = anatomy.back_off(message) if reason == "CrashLoopBackOff" else None
        row = self._runs.get((name, attempt))
        finished = (row.finished_at if row is not None else None) or container.finished
        start = entry.at
        mark = marks.mark(
            id=f"wait:{name}:{entry.revision}",
            kind="span",
            lane=f"container/{name}",
            start=start,
            rev=entry.revision,
            sentence=sentences.waiting(self._book.say, container=name, reason=reason, message=message, delay=delay),
            path=self._book.paths.get(name, "") if reason != "CrashLoopBackOff" else "spec.restartPolicy",
            # During a back-off there is no newer run: the plain log is that of the one that ended.
            command=self._book.place.logs(name, previous=False) if delay else self._book.place.describe(),
        )
        mark.update({"container": name, "attempt": attempt, "state": "waiting", "reason": reason, "text": reason, "why": entry.why, "outcome": "waiting", "until": anatomy.instant(finished + delay) if delay and finished else None})  # fmt: skip
        if "Image" in reason and mark["evidence"]["path"]:
            mark["evidence"]["path"] += ".image"
        mark["evidence"]["event"] = self._span_event(name, reason)
        container.waiting = self._book.put(mark)

    def _refine(self, mark: Mark, row: Run) -> bool:
        before = dict(mark)
        if row.started_at is not None and row.started_at.timestamp() > 0:
            mark["start"] = anatomy.instant(row.started_at)
        if row.start_why and mark["end"] is None:
            mark["why"] = self._book.why(row.start_why)
        if row.finished_at is not None and mark["end"] is not None:
            mark["end"] = anatomy.instant(row.finished_at)
            mark["why"] = self._book.why(row.stop_why) or mark["why"]
            self._tell_end(mark)
        return dict(mark) != before

    def lend(self, name: str, facts: EventFacts, entry: Change) -> None:
        """Give an Event to the open span that it explains: it comes just before or just after the status."""
        container = self._containers.get(name)
        if container is None:
            return
        running = [mark for mark in container.runs.values() if mark["end"] is None]
        if facts["reason"] == "Killing" and running:
            self._stopping(container, running[-1], facts, entry)
        for mark in [container.waiting, *running]:
            if mark is None or mark["end"] is not None:
                continue
            key = "running" if mark["state"] == "running" else mark["reason"]
            if facts["reason"] in _SPAN_EVENTS.get(key, ()):
                mark["evidence"]["event"] = facts
                mark["rev"] = entry.revision
                self._book.put(mark)

    def _stopping(self, container: _Container, run: Mark, facts: EventFacts, entry: Change) -> None:
        attempt = run["attempt"] or 0
        container.killing.setdefault(attempt, facts)
        grace = None if attempt in container.graces else story_grace.begin(self._book, run, facts, entry)
        if grace is not None:
            container.graces[attempt] = self._book.put(grace)

    def _span_event(self, name: str, reason: str) -> EventFacts | None:
        for wanted in _SPAN_EVENTS.get(reason, ()):
            if (name, wanted) in self._book.events:
                return self._book.events[(name, wanted)]
        return None


def _time(text: object) -> datetime | None:
    """None also for the zero of Unix time: so the kubelet writes the start of a container that never started."""
    at = times.parse(text) if isinstance(text, str) and text else None
    return None if at is None or at.timestamp() == 0 else at
