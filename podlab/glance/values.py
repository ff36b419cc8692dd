"""The facts of a pod as plain values; they go over the websocket and into templates as they are."""

from __future__ import annotations

from typing import TypedDict


class ProbeLane(TypedDict):
    type: str
    failure_threshold: int
    success_threshold: int
    period: int


class ContainerLane(TypedDict):
    name: str
    sort: str  # init | sidecar | app | ephemeral
    image: str
    probes: list[ProbeLane]


class PodFacts(TypedDict):
    """The head of the pod page and the lanes of its timeline."""

    namespace: str
    name: str
    uid: str
    ready: str
    status: str
    tone: str
    restarts: str
    restarts_at: str | None  # the last restart, for a running "(5m ago)"
    created: str
    node: str
    ip: str
    qos: str
    sentence: str
    deleting: bool
    gone: bool
    containers: list[ContainerLane]


class Row(TypedDict):
    uid: str
    name: str
    cells: list[str]
    tone: str
    created: str
    restarts_at: str | None
    deleting: bool


class ObjectRow(TypedDict):
    """A line of the list of any kind but pods. `since`: for a cell that says how long ago something was, when that was."""

    uid: str
    name: str
    cells: list[str]
    since: list[str | None]
