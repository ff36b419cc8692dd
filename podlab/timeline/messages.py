"""Everything that goes over the websocket, in both directions.

`consumers` sends and parses these; `static/src/socket.js` and the page modules are the other end. A `sub` is the name
that the client gave to what it opened; every answer carries it. Times are ISO 8601 in the cluster's lab time, UTC.
"""

from __future__ import annotations

import re
from typing import Literal, NotRequired, TypedDict

from podlab.glance.values import ContainerLane, ObjectRow, PodFacts, Row

MarkKind = Literal["phase", "condition", "span", "pull", "probe", "event", "log", "deletion", "grace", "endpoint"]
Cell = int | float | str | None  # of a packed row


class EventFacts(TypedDict):
    type: str
    reason: str
    message: str
    source: str
    count: int


class Evidence(TypedDict):
    """What a mark rests on: a place in the pod's YAML ("" = none), an Event, a kubectl line that shows the same."""

    path: str
    event: EventFacts | None
    command: str


class Mark(TypedDict):
    """One thing on the timeline. A mark with an id that the client knows replaces the one it has."""

    id: str
    kind: MarkKind
    lane: str  # phase | condition/<type> | container/<name> | probe/<container>/<type> | events | endpoint/<service> | deletion
    start: str
    end: str | None  # None: still going on
    state: (
        str  # spans: running | waiting | ended | unknown; conditions: True | False | Unknown; events: Normal | Warning
    )
    reason: str
    text: str  # the few words that are drawn
    sentence: str
    why: str
    container: str
    attempt: int | None
    probe: str
    outcome: str
    exit_code: int | None
    run: int
    threshold: int
    latency_ms: float | None
    caused: str
    target: str  # the lane that a threshold crossing points to
    until: str | None  # of a countdown
    term: str | None  # of a grace period: when TERM was sent, if that is known; the preStop hook lies before it
    share: float | None  # of a pull: how much of the image is there, 0–1; None = nobody says
    source: str
    rev: int  # last revision that touched the mark
    seq: int  # of a probe result
    evidence: Evidence


class LogText(TypedDict):
    container: str
    attempt: int
    at: str
    text: str


# --- from the server -------------------------------------------------------------------------------------------------


class Clock(TypedDict):
    """Lab time when this was sent, and how it goes on. The client counts from the moment of arrival."""

    type: Literal["clock"]
    lab: str
    speed: float
    paused: bool


class Hello(TypedDict):
    type: Literal["hello"]
    cluster: str
    runtime: str
    clock: Clock


class PodMessage(TypedDict):
    type: Literal["pod"]
    sub: str
    pod: PodFacts


class Marks(TypedDict):
    """`revision` and `seq` are what the client sends as `since` and `probes` when it comes back."""

    type: Literal["marks"]
    sub: str
    marks: list[Mark]
    revision: int
    seq: int


class Past(TypedDict):
    """The feed tells what was at `rev` and does not go on. `at` is the lab time of that moment."""

    type: Literal["past"]
    sub: str
    rev: int
    at: str


class Times(TypedDict):
    """Moments of which lab time and the world's time are known, both in ms since 1970, for times of the world on the axis."""

    type: Literal["times"]
    sub: str
    points: list[list[int]]


class Owner(TypedDict):
    kind: str
    name: str
    uid: str


class SpacePod(TypedDict):
    """A pod among those of its namespace. `number` is what packed rows call it; `owners` stand root first."""

    number: int
    uid: str
    name: str
    created: str
    gone: bool
    tone: str
    status: str
    owners: list[Owner]
    containers: list[ContainerLane]


class SpacePods(TypedDict):
    """Pods that are new or different; with `reset` all there are. `left_out`: older ones that there is no room for."""

    type: Literal["pods"]
    sub: str
    reset: bool
    pods: list[SpacePod]
    left_out: int


class Batch(TypedDict):
    """Packed marks of many pods (`batches` has the columns); `words` go on the table of those before.

    `window`, of an answer to `look`: all marks that touch the time between these are known now."""

    type: Literal["batch"]
    sub: str
    words: list[str]
    marks: list[list[Cell]]
    ticks: list[list[Cell]]
    window: list[str] | None


class Told(TypedDict):
    """The whole marks that `tell` asked for; their ids begin with the pod's uid and a slash."""

    type: Literal["told"]
    sub: str
    marks: list[Mark]


class Rows(TypedDict):
    type: Literal["rows"]
    sub: str
    reset: bool  # the list is complete: drop what is not in it
    rows: list[Row]
    removed: list[str]
    revision: int


class Objects(TypedDict):
    """The same for the list of another kind."""

    type: Literal["objects"]
    sub: str
    reset: bool
    rows: list[ObjectRow]
    removed: list[str]
    revision: int


class Changed(TypedDict):
    """Something of what the page shows is different since the last one; at the beginning: may be."""

    type: Literal["changed"]
    sub: str
    revision: int


class LogLines(TypedDict):
    type: Literal["log"]
    sub: str
    lines: list[LogText]


class Ended(TypedDict):
    """Nothing more comes for `sub`. `again` says whether opening it anew may help."""

    type: Literal["ended"]
    sub: str
    reason: str
    again: bool


class Refused(TypedDict):
    type: Literal["refused"]
    sub: str
    code: int
    message: str


_Timeline = PodMessage | Marks | Past | Times | SpacePods | Batch | Told
ServerMessage = Hello | Clock | _Timeline | Rows | Objects | Changed | LogLines | Ended | Refused


# --- from the client -------------------------------------------------------------------------------------------------


class OpenPod(TypedDict):
    type: Literal["open-pod"]
    sub: str
    namespace: str
    name: str
    uid: NotRequired[str]
    since: NotRequired[int]
    probes: NotRequired[int]
    rev: NotRequired[int]  # tell what was at this revision, and no more
    at: NotRequired[str]  # … and of what has no revisions (probes, runs), what was by this moment of lab time


# `from` and `to` are words of Python, so these have the other form.
OpenSpace = TypedDict(
    "OpenSpace",
    {
        "type": Literal["open-space"],
        "sub": str,
        "namespace": str,
        "rev": NotRequired[int],
        "at": NotRequired[str],
        "from": NotRequired[str],
        "to": NotRequired[str],
    },
)
"""All pods of a namespace, the marks of a window of time first."""

Look = TypedDict("Look", {"type": Literal["look"], "sub": str, "from": str, "to": str})
"""The window of an open space has moved: what of it is not known yet?"""


class Tell(TypedDict):
    """The whole marks of an open space that have these ids."""

    type: Literal["tell"]
    sub: str
    ids: list[str]


class OpenList(TypedDict):
    """Pods as rows, those that the label selector fits; with another `resource` its objects. A kind of the cluster has no
    namespace (""). A client that has the pods of revision `since` is told what changed after it."""

    type: Literal["open-list"]
    sub: str
    namespace: str
    resource: NotRequired[str]
    labels: NotRequired[str]
    since: NotRequired[int]


class OpenChanges(TypedDict):
    """Ring when objects of these resources (keys with commas between) change; `change_feed.concerns` has the rest."""

    type: Literal["open-changes"]
    sub: str
    resources: str
    namespace: NotRequired[str]
    name: NotRequired[str]
    uid: NotRequired[str]
    node: NotRequired[str]


class OpenLog(TypedDict):
    type: Literal["open-log"]
    sub: str
    namespace: str
    name: str
    uid: NotRequired[str]
    container: str
    attempt: NotRequired[int]
    tail: NotRequired[int]
    after: NotRequired[str]  # the last line that the client has
    until: NotRequired[str]  # what had been written by then, and no more


class OpenWritten(TypedDict):
    """Ring when a container of the pod writes to its log."""

    type: Literal["open-written"]
    sub: str
    namespace: str
    name: str
    uid: NotRequired[str]


class Close(TypedDict):
    type: Literal["close"]
    sub: str


Opening = OpenPod | OpenSpace | OpenList | OpenChanges | OpenLog | OpenWritten
Asking = Look | Tell
ClientMessage = Opening | Asking | Close


class BadMessage(Exception):
    """The client sent something that is not one of its messages; the text names what is wrong."""


_TEXT = {
    **{"sub": 32, "namespace": 63, "name": 253, "uid": 36, "container": 63, "node": 253},
    **{"after": 40, "until": 40, "from": 40, "to": 40, "at": 40},
    **{"resource": 253, "resources": 1000, "labels": 500},
}
_CONTAINER = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")  # it becomes a part of a path
_NUMBERS = ("since", "probes", "attempt", "tail", "rev")
_MOST_IDS, _LONGEST_ID = 100, 400
_REQUIRED: dict[str, tuple[str, ...]] = {
    "open-pod": ("sub", "namespace", "name"),
    "open-space": ("sub", "namespace"),
    "look": ("sub", "from", "to"),
    "tell": ("sub", "ids"),
    "open-list": ("sub", "namespace"),
    "open-changes": ("sub", "resources"),
    "open-log": ("sub", "namespace", "name", "container"),
    "open-written": ("sub", "namespace", "name"),
    "close": ("sub",),
}


def parse(raw: object) -> ClientMessage:
    """A client's message, checked field by field; unknown fields are dropped."""
    if not isinstance(raw, dict):
        raise BadMessage("a message is a JSON object")
    kind = raw.get("type")
    if not isinstance(kind, str) or kind not in _REQUIRED:
        raise BadMessage("unknown message type")
    clean: dict[str, object] = {"type": kind}
    for field, longest in _TEXT.items():
        value = raw.get(field)
        if value is None:
            continue
        if not isinstance(value, str) or len(value) > longest:
            raise BadMessage(f"{field} must be a text of at most {longest} characters")
        if not value.isprintable() or (field == "container" and not _CONTAINER.fullmatch(value)):
            raise BadMessage(f"{field} holds what it cannot hold")
        clean[field] = value
    for field in _NUMBERS:
        value = raw.get(field)
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**53:
            raise BadMessage(f"{field} must be a whole number")
        clean[field] = value
    if "ids" in raw:
        clean["ids"] = _ids(raw["ids"])
    for field in _REQUIRED[kind]:
        if field not in clean:
            raise BadMessage(f"{kind} needs {field}")
    return clean  # type: ignore[return-value]  # checked above against the TypedDicts' own fields


def _ids(value: object) -> list[str]:
    fine = isinstance(value, list) and len(value) <= _MOST_IDS
    if not fine or not all(isinstance(one, str) and len(one) <= _LONGEST_ID for one in value):  # type: ignore[attr-defined]
        raise BadMessage(f"ids must be a list of at most {_MOST_IDS} texts")
    return list(value)  # type: ignore[call-overload,no-any-return]
