"""Everything that goes over the websocket, in both directions.

`consumers` sends and parses these; `static/src/socket.js` and the page modules are the other end. A `sub` is the name
that the client gave to what it opened; every answer carries it. Times are ISO 8601 in the cluster's lab time, UTC.
"""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict

from podlab.glance.values import PodFacts, Row

MarkKind = Literal["phase", "condition", "span", "probe", "event", "log", "deletion", "grace"]


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
    lane: str  # phase | condition/<type> | container/<name> | probe/<container>/<type> | events | deletion
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


class Rows(TypedDict):
    type: Literal["rows"]
    sub: str
    reset: bool  # the list is complete: drop what is not in it
    rows: list[Row]
    removed: list[str]
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


ServerMessage = Hello | Clock | PodMessage | Marks | Rows | LogLines | Ended | Refused


# --- from the client -------------------------------------------------------------------------------------------------


class OpenPod(TypedDict):
    type: Literal["open-pod"]
    sub: str
    namespace: str
    name: str
    uid: NotRequired[str]
    since: NotRequired[int]
    probes: NotRequired[int]


class OpenList(TypedDict):
    type: Literal["open-list"]
    sub: str
    namespace: str


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


class Close(TypedDict):
    type: Literal["close"]
    sub: str


ClientMessage = OpenPod | OpenList | OpenLog | Close


class BadMessage(Exception):
    """The client sent something that is not one of its messages; the text names what is wrong."""


_TEXT = {"sub": 32, "namespace": 63, "name": 253, "uid": 36, "container": 63, "after": 40}
_NUMBERS = ("since", "probes", "attempt", "tail")
_REQUIRED: dict[str, tuple[str, ...]] = {
    "open-pod": ("sub", "namespace", "name"),
    "open-list": ("sub", "namespace"),
    "open-log": ("sub", "namespace", "name", "container"),
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
        clean[field] = value
    for field in _NUMBERS:
        value = raw.get(field)
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**53:
            raise BadMessage(f"{field} must be a whole number")
        clean[field] = value
    for field in _REQUIRED[kind]:
        if field not in clean:
            raise BadMessage(f"{kind} needs {field}")
    return clean  # type: ignore[return-value]  # checked above against the TypedDicts' own fields
