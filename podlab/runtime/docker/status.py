"""What the engine says of our containers, as the runtime interface's values.

A listing carries enough for sandboxes; containers need an inspect for their times and exit code. A running or ended
container does not change any more in what is kept, so each is inspected once per state.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from datetime import UTC, datetime
from typing import Any

from podlab.runtime.docker import labels
from podlab.runtime.docker.client import Engine, engine_errors
from podlab.runtime.docker.labels import Scope
from podlab.runtime.errors import NotFound, RuntimeFailure
from podlab.runtime.interface import ContainerState, ContainerStatus, PodRef, PodStatus, SandboxStatus

log = logging.getLogger(__name__)
Entry = Mapping[str, Any]
_PATIENCE = 5.0  # seconds for a look that was begun before
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_STATES = {
    "created": ContainerState.CREATED,
    "running": ContainerState.RUNNING,
    "paused": ContainerState.RUNNING,
    "restarting": ContainerState.RUNNING,
    "exited": ContainerState.EXITED,
    "dead": ContainerState.EXITED,
    "removing": ContainerState.EXITED,
}
START_ERROR_CODE = 128


class StatusReader:
    """Reads the pods of one node. Thread-safe: the caches are only ever read or replaced by key."""

    def __init__(self, engine: Engine, scope: Scope) -> None:
        self._engine = engine
        self._scope = scope
        self._known: dict[str, ContainerStatus] = {}
        self._looking: dict[str, Future[ContainerStatus]] = {}

    def all(self) -> dict[str, PodStatus]:
        with engine_errors():
            entries = self._engine.api.containers(all=True, filters=self._scope.filters())
        present = {entry["Id"] for entry in entries}
        for gone in {*self._known, *self._looking} - present:
            self.forget(gone)
        by_pod: dict[PodRef, list[Entry]] = defaultdict(list)
        for entry in entries:
            by_pod[labels.pod_of(entry["Labels"])].append(entry)
        return {pod.uid: self._pod(pod, found) for pod, found in by_pod.items()}

    def one(self, pod: PodRef) -> PodStatus:
        with engine_errors():
            entries = self._engine.api.containers(all=True, filters=self._scope.filters(uid=pod.uid))
        return self._pod(pod, entries)

    def look(self, container_id: str, submit: Callable[[Callable[[], None]], None]) -> None:
        """Begin to look at a container that has just been started; the next reader takes what was found."""
        answer: Future[ContainerStatus] = Future()

        def inspect() -> None:
            try:
                answer.set_result(self._inspect(container_id))
            except Exception as error:
                answer.set_exception(error)

        self._looking[container_id] = answer
        submit(inspect)

    def forget(self, container_id: str) -> None:
        self._known.pop(container_id, None)
        self._looking.pop(container_id, None)

    def _pod(self, pod: PodRef, entries: Iterable[Entry]) -> PodStatus:
        sandboxes: list[SandboxStatus] = []
        containers: list[ContainerStatus] = []
        for entry in entries:
            if entry["Labels"].get(labels.TYPE) == labels.SANDBOX:
                sandboxes.append(sandbox(entry))
            elif (found := self._container(entry)) is not None:
                containers.append(found)
        sandboxes.sort(key=lambda one: (one.attempt, one.created_at), reverse=True)
        containers.sort(key=lambda one: (one.attempt, one.created_at), reverse=True)
        return PodStatus(pod, tuple(sandboxes), tuple(containers))

    def _container(self, entry: Entry) -> ContainerStatus | None:
        self._take(entry["Id"])
        known = self._known.get(entry["Id"])
        state = _STATES.get(entry["State"], ContainerState.UNKNOWN)
        # One that could not start is "created" for the engine and ended for us.
        if known is not None and (known.state is state or known.state is ContainerState.EXITED):
            return known
        try:
            found = self._inspect(entry["Id"])
        except NotFound:
            return None
        self._keep(found)
        return found

    def _inspect(self, container_id: str) -> ContainerStatus:
        with engine_errors():
            return container(self._engine.api.inspect_container(container_id))

    def _take(self, container_id: str) -> None:
        """What `look` was begun for. When that failed, the reader asks himself."""
        answer = self._looking.pop(container_id, None)
        if answer is None:
            return
        try:
            self._keep(answer.result(_PATIENCE))
        except (RuntimeFailure, TimeoutError) as error:
            log.debug("container %s is inspected again: %s", container_id[:12], error)

    def _keep(self, found: ContainerStatus) -> None:
        if found.state in {ContainerState.RUNNING, ContainerState.EXITED}:
            self._known[found.id] = found


def sandbox(entry: Entry) -> SandboxStatus:
    """From a listing's entry."""
    networks = ((entry.get("NetworkSettings") or {}).get("Networks") or {}).values()
    return SandboxStatus(
        id=entry["Id"],
        pod=labels.pod_of(entry["Labels"]),
        attempt=int(entry["Labels"][labels.ATTEMPT]),
        ready=entry["State"] == "running",
        ip=next((network["IPAddress"] for network in networks if network.get("IPAddress")), ""),
        created_at=datetime.fromtimestamp(entry["Created"], UTC),
    )


def container(details: Entry) -> ContainerStatus:
    """From an inspect."""
    own = details["Config"]["Labels"]
    state = details["State"]
    created_at = _time(details["Created"]) or _EPOCH
    return ContainerStatus(
        id=details["Id"],
        pod=labels.pod_of(own),
        name=own[labels.CONTAINER_NAME],
        sandbox_id=own[labels.SANDBOX_ID],
        attempt=int(own[labels.ATTEMPT]),
        image=own[labels.IMAGE],
        image_id=own.get(labels.IMAGE_ID) or details["Image"],
        created_at=created_at,
        hash=own[labels.CONTAINER_HASH],
        grace_seconds=int(own[labels.GRACE]),
        **_run(state, created_at),
    )


def _run(state: Mapping[str, Any], created_at: datetime) -> dict[str, Any]:
    kind = _STATES.get(state["Status"], ContainerState.UNKNOWN)
    started, finished = _time(state["StartedAt"]), _time(state["FinishedAt"])
    if started is None and state["Error"]:
        # The process could not be started: the engine leaves such a container "created", with a shell's exit code. The
        # kubelet expects what containerd says: StartError, 128, begun at the epoch. The engine keeps no time for the
        # failure; the container was made just before it.
        return {
            "state": ContainerState.EXITED,
            "started_at": _EPOCH,
            "finished_at": finished or created_at,
            "exit_code": START_ERROR_CODE,
            "reason": "StartError",
            "message": state["Error"],
        }
    if kind is not ContainerState.EXITED:
        return {"state": kind, "started_at": started}
    code = int(state["ExitCode"])
    return {
        "state": kind,
        "started_at": started,
        # A short process may end, by the engine's two clocks, before it began.
        "finished_at": max(finished or created_at, started or created_at),
        "exit_code": code,
        "reason": "OOMKilled" if state["OOMKilled"] else "Error" if code else "Completed",
        "message": state["Error"],
    }


def _time(text: str) -> datetime | None:
    """The engine writes year 1 for "never"."""
    return None if not text or text.startswith("0001-") else datetime.fromisoformat(text)
