"""One kubelet with a fake runtime, a lab clock and an API in memory: `World.apply`, `advance`, `delete`, then look."""

from __future__ import annotations

import copy
import json
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from fake_runtime import FakeRuntime

from podlab.apis import status_errors, times
from podlab.apis.types import Key, Manifest
from podlab.clock import LabClock
from podlab.kubelet.agent import Kubelet
from podlab.kubelet.runs import KnownRun, ProbeNote, PullNote
from podlab.registry.operations import Deleted, ListPage, Written
from podlab.runtime.interface import ContainerStatus, PodRef
from podlab.storage.errors import StorageError
from podlab.storage.log import LogEntry
from podlab.storage.store import Stored

START = datetime(2026, 11, 21, 2, 0, tzinfo=UTC)


@dataclass
class FakeApi:
    """As much of `registry.client.Client` as a kubelet uses."""

    clock: LabClock
    cluster: str = "main"
    revision: int = 0
    objects: dict[tuple[str, str, str], Manifest] = field(default_factory=dict)
    made: int = 0
    down: bool = False  # as when the database is away
    listeners: list[Callable[[LogEntry], None]] = field(default_factory=list)
    whys: list[str] = field(default_factory=list)
    statuses: list[Manifest] = field(default_factory=list)

    def now(self) -> datetime:
        return self.clock.now()

    def put(self, resource: str, obj: Manifest, kind: str = "MODIFIED", why: str = "") -> Stored:
        self.revision += 1
        obj["metadata"]["resourceVersion"] = str(self.revision)
        meta = obj["metadata"]
        place = (resource, meta.get("namespace", ""), meta["name"])
        if kind == "DELETED":
            self.objects.pop(place, None)
        else:
            self.objects[place] = obj
        self.whys.append(why)
        if resource == "pods" and kind == "MODIFIED":
            self.statuses.append(copy.deepcopy(obj.get("status") or {}))
        key = Key(self.cluster, *place)
        entry = LogEntry(self.revision, 0, kind, key, meta.get("uid", ""), json.dumps(obj), self.now(), self.now())
        for listener in list(self.listeners):
            listener(entry)
        return self._stored(place, obj)

    def _stored(self, place: tuple[str, str, str], obj: Manifest) -> Stored:
        revision = int(obj["metadata"]["resourceVersion"])
        return Stored(Key(self.cluster, *place), obj["metadata"].get("uid", ""), revision, revision, json.dumps(obj))

    def find(self, resource: str, namespace: str, name: str) -> Stored | None:
        found = self.objects.get((resource, namespace, name))
        return self._stored((resource, namespace, name), found) if found else None

    def get(self, resource: str, namespace: str, name: str) -> Stored:
        found = self.find(resource, namespace, name)
        assert found is not None
        return found

    def create(self, resource: str, obj: Manifest, *, namespace: str = "", why: str = "") -> Written:
        self._answer()
        place = (resource, namespace, obj["metadata"]["name"])
        if place in self.objects:
            raise status_errors.ApiError(409, "AlreadyExists", "exists")
        made = copy.deepcopy(obj)
        self.made += 1
        made["metadata"].setdefault("uid", f"made-{self.made}")
        if resource == "pods":
            made["metadata"]["generation"] = 1
            made["status"] = {"phase": "Pending", "qosClass": "BestEffort"}
        stored = self.put(resource, made, "ADDED", why)
        return Written(stored.obj, (), stored, created=True)

    def _answer(self) -> None:
        if self.down:
            raise StorageError("the store is away")

    def list(self, resource: str, namespace: str | None, *, field_selector: str = "") -> ListPage:
        node = field_selector.partition("=")[2]
        items = [
            self._stored(place, obj)
            for place, obj in self.objects.items()
            if place[0] == resource and obj["spec"].get("nodeName") == node
        ]
        return ListPage(items=items, revision=self.revision)

    def update_status(
        self, resource: str, namespace: str, name: str, mutate: Any, *, uid: str | None = None, why: str = ""
    ) -> Stored:
        self._answer()
        obj = self.objects.get((resource, namespace, name))
        if obj is None or (uid is not None and obj["metadata"].get("uid") != uid):
            raise status_errors.ApiError(404, "NotFound", "gone")
        fresh = copy.deepcopy(obj)
        mutate(fresh)
        return self.put(resource, fresh, "MODIFIED", why)

    def patch(self, resource: str, namespace: str, name: str, kind: str, change: Manifest, *, why: str = "") -> Stored:
        """As much of a merge patch as labels, annotations and a flat spec take."""
        self._answer()
        fresh = copy.deepcopy(self.objects[(resource, namespace, name)])
        fresh.setdefault("spec", {}).update(change.get("spec") or {})
        for part, values in change.get("metadata", {}).items():
            fresh["metadata"][part] = {**(fresh["metadata"].get(part) or {}), **values}
        return self.put(resource, fresh, "MODIFIED", why)

    def delete(
        self,
        resource: str,
        namespace: str,
        name: str,
        *,
        grace: int | None = None,
        uid: str | None = None,
        why: str = "",
    ) -> Deleted:
        self._answer()
        if (resource, namespace, name) not in self.objects:
            raise status_errors.ApiError(404, "NotFound", "gone")
        obj = copy.deepcopy(self.objects[(resource, namespace, name)])
        assert uid in (None, obj["metadata"]["uid"])
        seconds = obj["spec"].get("terminationGracePeriodSeconds", 30) if grace is None else grace
        obj["metadata"]["deletionTimestamp"] = times.rfc3339(self.now() + timedelta(seconds=seconds))
        obj["metadata"]["deletionGracePeriodSeconds"] = seconds
        self.put(resource, obj, "MODIFIED" if seconds else "DELETED", why)
        return Deleted(obj=obj, gone=not seconds, answer=obj)


@dataclass
class Told:
    """Recorder and run history."""

    clock: LabClock
    events: list[tuple[str, str, str]] = field(default_factory=list)
    node_events: list[tuple[str, str, str]] = field(default_factory=list)
    event_whys: list[str] = field(default_factory=list)
    times: list[datetime] = field(default_factory=list)
    runs: dict[tuple[str, int], dict[str, Any]] = field(default_factory=dict)
    begun: set[tuple[str, str, int]] = field(default_factory=set)
    probes: list[ProbeNote] = field(default_factory=list)
    pulls: list[PullNote] = field(default_factory=list)

    def event(
        self, obj: Manifest, kind: str, reason: str, message: str, *, field_path: str = "", why: str = ""
    ) -> None:
        if obj["kind"] == "Node" and reason != "Starting":
            self.node_events.append((kind, reason, message))
        if obj["kind"] == "Pod":
            self.events.append((kind, reason, message))
            self.event_whys.append(why)
            self.times.append(self.clock.now())

    def settle(self, seconds: float = 1.0) -> None:
        """Everything is told at once."""

    def started(self, pod: PodRef, status: ContainerStatus, *, image: str, why: str) -> None:
        key = (status.name, status.attempt)
        assert (pod.uid, *key) not in self.begun, "a start was told twice"
        self.begun.add((pod.uid, *key))
        self.runs[key] = {"image": image, "started": status.started_at, "start_why": why, "finished": None}

    def finished(self, pod: PodRef, status: ContainerStatus, *, why: str) -> None:
        run = self.runs[(status.name, status.attempt)]
        run.update(finished=status.finished_at, code=status.exit_code, stop_why=why)

    def of(self, uid: str) -> list[KnownRun]:
        return [
            KnownRun(container=name, attempt=n, image=r["image"], started_at=r["started"], finished_at=r["finished"])
            for (name, n), r in sorted(self.runs.items())
        ]

    def pulling(self, note: PullNote) -> None:
        self.pulls.append(note)

    def probed(self, notes: list[ProbeNote]) -> None:
        self.probes += notes

    def reasons(self) -> list[str]:
        return [reason for _, reason, _ in self.events]

    def messages(self, reason: str) -> list[str]:
        return [message for _, one, message in self.events if one == reason]


class Steady(random.Random):
    """No jitter, unless a test sets `value`."""

    value = 0.0

    def random(self) -> float:
        return self.value


class World:
    def __init__(self, folder: Path) -> None:
        self.clock = LabClock(START)
        self.rng = Steady()
        self.runtime = FakeRuntime(self.clock)
        self.api = FakeApi(self.clock)
        self.told = Told(self.clock)
        self.folder = folder
        self.queue: deque[str] = deque()
        self.files = 0  # written so far
        self.kubelet = self._make()
        self.boot()

    def _make(self) -> Kubelet:
        return Kubelet(
            cluster="main",
            node="node-a",
            runtime=self.runtime,
            clock=self.clock,
            client=self.api,  # type: ignore[arg-type]
            recorder=self.told,  # type: ignore[arg-type]
            log_root=self.folder / "logs" / "main",
            dispatch=self.queue.append,
            address="192.0.2.1",
            runs=self.told,
            rng=self.rng,
            static_folder=self.folder / "static",
        )

    def boot(self) -> None:
        self.kubelet.start()
        self.api.listeners.append(self.kubelet.on_change)
        self.drain()

    def crash(self) -> None:
        """The agent dies without a word."""
        self.kubelet.stop()
        self.api.listeners.clear()
        self.queue.clear()

    def replace_agent(self) -> None:
        self.crash()
        self.kubelet = self._make()
        self.boot()

    def drain(self) -> None:
        for _ in range(1000):
            if not self.queue:
                return
            self.kubelet.sync_pod(self.queue.popleft())
        raise AssertionError("the kubelet does not come to rest")

    def advance(self, seconds: float) -> None:
        until = self.clock.now() + timedelta(seconds=seconds)
        while self.clock.fire_next(until):
            self.drain()
        self.clock.advance(until)

    def apply(self, pod: Manifest) -> None:
        self.api.put("pods", copy.deepcopy(pod), "ADDED")
        self.drain()

    def delete(self, name: str = "p", grace: int | None = None) -> None:
        self.api.delete("pods", "default", name, grace=grace)
        self.drain()

    def edit(self, change: Callable[[Manifest], None], name: str = "p") -> None:
        pod = copy.deepcopy(self.api.objects[("pods", "default", name)])
        change(pod)
        self.api.put("pods", pod)
        self.drain()

    @property
    def pod(self) -> Manifest:
        return self.api.objects[("pods", "default", "p")]

    @property
    def status(self) -> Manifest:
        return self.pod["status"]

    def container(self, name: str = "main") -> Manifest:
        everything = [*self.status.get("initContainerStatuses", []), *self.status["containerStatuses"]]
        return next(c for c in everything if c["name"] == name)

    def condition(self, kind: str) -> Manifest:
        return next(c for c in self.status["conditions"] if c["type"] == kind)

    def seconds(self) -> float:
        return (self.clock.now() - START).total_seconds()


def container(name: str = "main", **more: Any) -> Manifest:
    return {"name": name, "image": "busybox:1.36", "imagePullPolicy": "IfNotPresent", **more}


def pod(*containers: Manifest, name: str = "p", policy: str = "Always", grace: int = 30, **spec: Any) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "default", "uid": f"uid-{name}", "generation": 1},
        "spec": {
            "nodeName": "node-a",
            "restartPolicy": policy,
            "terminationGracePeriodSeconds": grace,
            "containers": list(containers) or [container()],
            **spec,
        },
        "status": {
            "phase": "Pending",
            "qosClass": "BestEffort",
            "conditions": [{"type": "PodScheduled", "status": "True", "lastTransitionTime": "2026-11-21T02:00:00Z"}],
        },
    }
