"""What the page of a timeline has been told by one moment, as a list of messages: a file that holds it needs no server.

The feeds tell it as they tell a browser, so that the file shows what the page showed. static/src/recording.js plays it.
`podlab/exports.py` makes the page around it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar, cast

from asgiref.sync import async_to_sync, sync_to_async

from podlab.apis.status_errors import ApiError
from podlab.apis.types import Manifest
from podlab.glance import anatomy
from podlab.registry.client import Client
from podlab.timeline import log_stream
from podlab.timeline.messages import LogText, OpenLog, OpenPod, OpenSpace, ServerMessage
from podlab.timeline.pod_feed import PodFeed
from podlab.timeline.space_feed import SpaceFeed

T = TypeVar("T")
Told = dict[str, Any]  # a message of the feeds, ready for JSON

MOST_TICKS = 20_000  # probe results in the file of a namespace; the newest are kept
_TAIL = 2000  # lines of each run of a container
SPACE_TAIL = 200  # the same in the file of a namespace
MOST_LINES = 5000  # in all of that file; pods that were made last come first
_MOST_CHARACTERS = 2_000_000
_LOG_SUB = 28  # characters of a container's name in the name of its log, as in static/src/pod.js


@dataclass
class _Collector:
    """The outlet that keeps what a feed sends."""

    cluster: str
    registry: Client
    at: datetime  # lab time: the clock stands while it collects
    told: list[ServerMessage] = field(default_factory=list)

    async def send_message(self, message: ServerMessage) -> None:
        self.told.append(message)

    async def in_thread(self, work: Callable[[], T]) -> T:
        return await sync_to_async(work)()

    def client(self) -> Client:
        return self.registry

    def now(self) -> datetime:
        return self.at


@dataclass(frozen=True, slots=True)
class Exported:
    messages: list[Told]
    pods: dict[str, Manifest]  # by uid, as they were last
    paths: dict[str, set[str]]  # by uid: the fields that evidence points to
    at: datetime  # lab time: where the timeline ends
    revision: int
    logs_refused: bool = False  # the person may see the pod, but not read its logs


def pod(client: Client, message: OpenPod) -> Exported:
    """One pod with the lines of its logs. Raises ApiError and `outlet.Refusal`, as opening it on a page does."""
    outlet = _Collector(client.cluster, client, client.now())
    feed = PodFeed(outlet, message)
    past = async_to_sync(feed.begin)()
    at, revision = past.at or outlet.at, past.head
    manifest = cast(Manifest, feed.story.pod)
    try:
        containers = anatomy.spec_containers(manifest)
        logs = [line for one in containers for line in _log(outlet, message, past.uid, one.name, at)]
    except ApiError:
        return Exported(_from(outlet, at, revision), {past.uid: manifest}, {}, at, revision, logs_refused=True)
    return Exported([*_from(outlet, at, revision), *logs], {past.uid: manifest}, {}, at, revision)


def _log(outlet: _Collector, message: OpenPod, uid: str, container: str, at: datetime) -> list[Told]:
    sub = f"log:{container[:_LOG_SUB]}"
    wanted: OpenLog = {
        "type": "open-log",
        "sub": sub,
        "namespace": message["namespace"],
        "name": message["name"],
        "uid": uid,
        "container": container,
        "tail": _TAIL,
    }
    if "rev" in message:
        wanted["until"] = anatomy.instant(at)
    return [{"type": "log", "sub": sub, "container": container, "lines": log_stream.written(outlet, wanted)}]


def space(client: Client, message: OpenSpace) -> Exported:
    """All pods of a namespace, deleted ones too. Raises ApiError and `outlet.Refusal`."""
    outlet = _Collector(client.cluster, client, client.now())
    whole = {"from": anatomy.instant(_FIRST), "to": anatomy.instant(outlet.at + timedelta(days=1))}
    feed = SpaceFeed(outlet, cast(OpenSpace, {**message, **whole}), most_ticks=MOST_TICKS)
    past = async_to_sync(feed.begin)()
    async_to_sync(feed.tell_all)()
    messages = _from(outlet, outlet.at, past.head)
    at = next(one["at"] for one in messages if one["type"] == "past")
    paths: dict[str, set[str]] = {}
    for told in messages:
        if told["type"] == "told":
            told["marks"] = [_slim(mark, paths) for mark in told["marks"]]
    ends, pods = datetime.fromisoformat(at), feed.manifests()
    try:
        lines = _lines_of_all(outlet, message, pods, ends if "rev" in message else None)
    except ApiError:
        return Exported(messages, pods, paths, ends, past.head, logs_refused=True)
    told = {"type": "log", "sub": "logs", "lines": lines}
    return Exported([*messages, told], pods, paths, ends, past.head)


def _lines_of_all(
    outlet: _Collector, message: OpenSpace, pods: dict[str, Manifest], until: datetime | None
) -> list[LogText]:
    """The last lines of every container, which is called pod/container, until there are too many; by time."""
    found: list[LogText] = []
    room = _MOST_CHARACTERS
    newest = sorted(pods.items(), key=lambda one: one[1]["metadata"]["creationTimestamp"], reverse=True)
    for uid, pod in newest:
        for container in anatomy.spec_containers(pod):
            name = pod["metadata"]["name"]
            wanted: OpenLog = {"type": "open-log", "sub": "logs", "namespace": message["namespace"], "name": name, "uid": uid, "container": container.name, "tail": SPACE_TAIL}  # fmt: skip
            if until is not None:
                wanted["until"] = anatomy.instant(until)
            lines = log_stream.written(outlet, wanted)[-(MOST_LINES - len(found)) :]
            room -= sum(len(line["text"]) for line in lines)
            if room < 0:
                return sorted(found, key=lambda line: line["at"])
            found += [{**line, "container": f"{name}/{container.name}"} for line in lines]
            if len(found) >= MOST_LINES:
                return sorted(found, key=lambda line: line["at"])
    return sorted(found, key=lambda line: line["at"])


_FIRST = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


def _slim(mark: Told, paths: dict[str, set[str]]) -> Told:
    """What the packed row of the mark does not say."""
    path = mark["evidence"]["path"]
    if path:
        paths.setdefault(mark["id"].partition("/")[0], set()).add(path)
    return {name: mark[name] for name in ("id", "sentence", "why", "evidence")}


def _from(outlet: _Collector, at: datetime, revision: int) -> list[Told]:
    """Nothing goes on in a file: the story ends where it was exported."""
    told = [cast(Told, dict(message)) for message in outlet.told]
    if any(message["type"] == "past" for message in told):
        return told
    sub = told[0]["sub"] if told else ""
    return [{"type": "past", "sub": sub, "rev": revision, "at": anatomy.instant(at)}, *told]
