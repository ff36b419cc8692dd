"""The story of one pod: changes, probe results and container runs in, marks out.

Pure: no clock, no database, no Django. `consumers` feeds a `Story` in log order and sends what each call returns; a mark
that is returned again replaces the one with the same id, so feeding the same thing twice does no harm. `glance.sentences` has the
sentences, `marks` the shapes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from podlab.apis import times
from podlab.apis.types import Manifest
from podlab.glance import anatomy, sentences
from podlab.glance.sentences import Translate, say
from podlab.timeline import marks, story_pulls
from podlab.timeline.messages import Mark
from podlab.timeline.story_book import Book, Change
from podlab.timeline.story_containers import Containers, Run
from podlab.timeline.story_endpoints import Endpoints
from podlab.timeline.story_points import Points, Probe
from podlab.timeline.story_pulls import Pull


class Story:
    """One pod uid. Call `change` with every change of the pod and of Events about it, `probe` and `runs` as they come."""

    def __init__(self, uid: str, *, cluster: str = "main", runtime_uid: str = "", translate: Translate = str) -> None:
        """`runtime_uid`: the static pod's, when this is its mirror; events may name either."""
        self.cluster = cluster
        self.uid, self.runtime_uid = uid, runtime_uid or uid
        self.pod: Manifest | None = None
        self.gone = False
        self.revision = 0
        self.seq = 0
        self._book = Book(translate)
        self._containers = Containers(self._book)
        self._points = Points(self._book, frozenset({self.uid, self.runtime_uid}))
        self._endpoints = Endpoints(self._book, frozenset({self.uid, self.runtime_uid}))
        self._open: dict[str, Mark] = {}  # phase and conditions, by lane
        self._deletion: Mark | None = None

    @property
    def marks(self) -> list[Mark]:
        """Every mark in time order."""
        return sorted(self._book.marks.values(), key=lambda mark: (mark["start"], mark["rev"], mark["id"]))

    def get(self, id: str) -> Mark | None:
        return self._book.marks.get(id)

    def since(self, revision: int, seq: int) -> list[Mark]:
        """The marks that somebody who saw everything up to `revision` and probe `seq` does not have as they are."""
        retold = self._book.retold
        return [
            m
            for m in self.marks
            # Pulls change between revisions, and there are few of them.
            if m["kind"] == "pull"
            or (m["seq"] > seq if m["kind"] == "probe" else max(m["rev"], retold.get(m["id"], 0)) > revision)
        ]

    def run_needed(self) -> bool:
        """Whether a run has begun or ended of which the history is not known yet."""
        return self._containers.run_needed()

    # --- in --------------------------------------------------------------------------------------------------------

    def change(self, entry: Change) -> list[Mark]:
        """A change of the pod itself or of an Event. Returns the marks that are new or different."""
        self.revision = max(self.revision, entry.revision)
        if entry.obj.get("kind") == "Event":
            found = self._points.event(entry)
            if found is not None:
                self._containers.lend(*found, entry)
        elif entry.obj.get("kind") == "EndpointSlice":
            self._endpoints.change(entry)
        elif entry.obj.get("metadata", {}).get("uid") == self.uid:
            self._pod(entry)
        return self._book.take()

    def probes(self, results: Iterable[Probe]) -> list[Mark]:
        for result in results:
            self.seq = max(self.seq, result.seq)
            self._points.probe(result, revision=self.revision)
        return self._book.take()

    def pulls(self, rows: Iterable[Pull]) -> list[Mark]:
        for row in rows:
            story_pulls.pull(self._book, row, revision=self.revision)
        return self._book.take()

    def one_probe(self, result: Probe) -> Mark:
        """The mark of one result that the story is not told of."""
        self._points.probe(result, revision=self.revision)
        return self._book.forget(f"probe:{result.seq}")

    def runs(self, rows: Iterable[Run]) -> list[Mark]:
        """Exact times and reasons of container runs; Kubernetes' own status knows whole seconds only."""
        self._containers.learn(rows)
        return self._book.take()

    # --- the pod ---------------------------------------------------------------------------------------------------

    def _pod(self, entry: Change) -> None:
        pod = entry.obj
        meta = pod["metadata"]
        self.pod = pod
        self._book.place = marks.Place(meta.get("namespace", ""), meta["name"], self.cluster)
        self._book.pod = pod
        for container in anatomy.spec_containers(pod):
            self._book.paths[container.name] = container.path
        self._phase(entry, pod)
        self._conditions(entry, pod)
        for status in anatomy.container_statuses(pod):
            self._containers.status(entry, status)
        self._deleting(entry, pod)
        if entry.type == "DELETED":
            self._finish(entry)

    def _phase(self, entry: Change, pod: Manifest) -> None:
        phase = (pod.get("status") or {}).get("phase") or "Pending"
        present = self._open.get("phase")
        if present is not None and present["reason"] == phase:
            return
        self._book.close(present, entry)
        text = sentences.PHASES.get(phase, phase)
        mark = marks.mark(
            id=f"phase:{entry.revision}",
            kind="phase",
            lane="phase",
            start=entry.at,
            rev=entry.revision,
            sentence=self._book.say(text),
            command=self._book.place.field(".status.phase"),
            path="spec.restartPolicy",
        )
        why = entry.why or (self._book.say(sentences.BEGUN) if entry.type == "ADDED" and phase == "Pending" else "")
        mark.update({"reason": phase, "text": phase, "state": phase, "why": why})
        self._open["phase"] = self._book.put(mark)

    def _conditions(self, entry: Change, pod: Manifest) -> None:
        for condition in (pod.get("status") or {}).get("conditions") or ():
            type, status = condition["type"], condition["status"]
            reason, message = condition.get("reason") or "", condition.get("message") or ""
            lane = f"condition/{type}"
            present = self._open.get(lane)
            if present is not None and (present["state"], present["reason"]) == (status, reason):
                continue
            self._book.close(present, entry)
            query = f'.status.conditions[?(@.type=="{type}")]'
            mark = marks.mark(
                id=f"condition:{type}:{entry.revision}",
                kind="condition",
                lane=lane,
                start=entry.at,
                rev=entry.revision,
                command=self._book.place.field(query),
                path=_rests_on(pod, type, message),
                sentence=sentences.condition(self._book.say, type=type, status=status, reason=reason, message=message),
            )
            mark.update({"reason": reason, "text": type, "state": status, "outcome": status, "why": entry.why})
            if type == "PodScheduled":
                wanted = "Scheduled" if status == "True" else "FailedScheduling"
                mark["evidence"]["event"] = self._book.events.get(("", wanted))
            self._open[lane] = self._book.put(mark)

    def _deleting(self, entry: Change, pod: Manifest) -> None:
        meta = pod["metadata"]
        if not meta.get("deletionTimestamp"):
            return
        grace = times.span(meta.get("deletionGracePeriodSeconds") or 0)
        if self._deletion is None:
            hooks = any(c.spec.get("lifecycle", {}).get("preStop") for c in anatomy.spec_containers(pod))
            text = (sentences.DELETING_HOOK if hooks else sentences.DELETING) if grace else sentences.DELETING_NOW
            self._deletion = self._begin_deletion(entry, say(self._book.say, text, grace=sentences.seconds_text(grace)))
        # deletionTimestamp has whole seconds; a later, shorter delete moves it.
        until = anatomy.instant(max(times.parse(meta["deletionTimestamp"]), times.parse(self._deletion["start"])))
        if self._deletion["until"] != until or not self._deletion["text"]:
            hooks = any(c.spec.get("lifecycle", {}).get("preStop") for c in anatomy.spec_containers(pod))
            short = sentences.DELETING_SHORT_HOOK if hooks and grace else sentences.DELETING_SHORT
            self._deletion.update({"until": until, "text": self._book.say(short), "rev": entry.revision})
            self._book.put(self._deletion)

    def _finish(self, entry: Change) -> None:
        """The object is gone: nothing on the timeline goes on."""
        self.gone = True
        if self._deletion is None:
            self._deletion = self._begin_deletion(entry, self._book.say(sentences.DELETING_NOW))
        ran = sentences.seconds_text(entry.at - times.parse(self._deletion["start"]))
        self._deletion.update({"reason": "Deleted", "sentence": say(self._book.say, sentences.DELETED_AFTER, ran=ran)})
        self._book.put(self._deletion)
        for mark in [*self._book.marks.values()]:
            if mark["kind"] in {"phase", "condition", "span", "grace", "endpoint", "deletion"}:
                self._book.close(mark, entry)

    def _begin_deletion(self, entry: Change, sentence: str) -> Mark:
        mark = marks.mark(
            id=f"deletion:{entry.revision}",
            kind="deletion",
            lane="deletion",
            start=entry.at,
            rev=entry.revision,
            sentence=sentence,
            path="spec.terminationGracePeriodSeconds",
            command=self._book.place.watch(),
        )
        mark.update({"reason": "Terminating", "state": "terminating", "why": entry.why})
        return mark


def _rests_on(pod: Manifest, type: str, message: str) -> str:
    """The field of the pod that a condition follows from; "" where there is none to show."""
    spec = pod.get("spec") or {}
    if type == "PodScheduled":
        return "spec.nodeName" if spec.get("nodeName") else "spec.nodeSelector" if spec.get("nodeSelector") else ""
    if type == "Initialized":
        return "spec.initContainers" if spec.get("initContainers") else ""
    if type not in {"ContainersReady", "Ready"}:
        return ""
    # "containers with unready status: [app other]"
    named = re.findall(r"[\w.-]+", message.partition("[")[2].partition("]")[0])
    probed = [one for one in anatomy.spec_containers(pod) if one.spec.get("readinessProbe")]
    chosen = next((one for one in probed if not named or one.name in named), None)
    return f"{chosen.path}.readinessProbe" if chosen is not None else ""
