"""pods/<name>/log: what a container wrote, from the lab's own log files. `dispatch` calls `respond`.

Which run is meant is decided in `log_options`, from the pod's status; the container runs in `storage.history` tell its
attempt and with it the file. A followed log ends when that run has ended and its file is drained.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import cast

from django.conf import settings
from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase

from podlab.apis import static_pods
from podlab.apis.types import Manifest
from podlab.apiserver import calls, log_options, pool, responses
from podlab.apiserver.calls import Call
from podlab.apiserver.log_options import LogOptions, Run
from podlab.logs import layout, reader
from podlab.registry import authorizer
from podlab.storage import history, hub
from podlab.storage.errors import Compacted, FutureRevision
from podlab.storage.hub import End, Filter, LogEntry, Subscription
from podlab.storage.objects import Stored


@dataclass(frozen=True, slots=True)
class _Pod:
    """What names a pod's log folder."""

    namespace: str
    name: str
    uid: str


@dataclass(frozen=True, slots=True)
class Opening:
    path: Path | None  # None: the pod has no node yet, so there is no log
    run: Run | None
    wanted: LogOptions
    since: datetime | None
    stored: Stored


async def respond(call: Call) -> HttpResponseBase:
    opening = await pool.run(lambda: _open(call))
    if opening.path is None and not opening.stored.obj["spec"].get("nodeName"):
        return responses.nothing()  # there is nobody to ask (LogREST.Get without a location)
    response = StreamingHttpResponse(_bytes(opening), content_type="text/plain")
    response["Cache-Control"] = "no-cache, private"
    return response


async def stream(call: Call) -> AsyncIterator[bytes]:
    """The bytes of the log; raises ApiError at once."""
    return _bytes(await pool.run(lambda: _open(call)))


def _bytes(opening: Opening) -> AsyncIterator[bytes]:
    return _follow(opening) if opening.wanted.follow else _read(opening)


def log_root(cluster: str) -> Path:
    """Where the nodes of a cluster keep their container logs."""
    return Path(settings.PODLAB_DATA) / "logs" / cluster


def _open(call: Call) -> Opening:
    session = calls.open_session(call)
    place = call.place
    authorizer.require(
        session.identity,
        authorizer.Attributes(
            verb="get",
            resource=place.resource.key,
            cluster=call.cluster,
            namespace=place.namespace,
            name=place.name,
            subresource=place.subresource,
        ),
    )
    wanted = log_options.read(call.query, place.name)
    stored = session.client.as_system("apiserver").get(place.resource.key, place.namespace, place.name)
    container = log_options.choose_container(stored.obj, wanted.container)
    since = wanted.since(session.now())
    if not stored.obj["spec"].get("nodeName"):
        return Opening(None, None, wanted, since, stored)
    run = log_options.choose_run(stored.obj, container, previous=wanted.previous)
    if not run.container_id:
        run = replace(run, container_id=_container_id(call.cluster, stored, run))
    return Opening(_file(call.cluster, stored, run), run, wanted, since, stored)


def _file(cluster: str, stored: Stored, run: Run) -> Path:
    uid = static_pods.runtime_uid(stored.obj)
    pod = _Pod(stored.key.namespace, stored.key.name, uid)
    return layout.container_log(log_root(cluster), pod, run.container, _attempt(cluster, uid, run))


def _container_id(cluster: str, stored: Stored, run: Run) -> str:
    """The id of an attempt from the run history, written as the pod's status writes ids; "" if history lacks it."""
    status = log_options.container_status(stored.obj, run.container) or {}
    last = (status.get("lastState") or {}).get("terminated") or {}
    scheme = last.get("containerID", "").rpartition("/")[0]
    for row in history.runs_of(cluster, static_pods.runtime_uid(stored.obj)):
        if (row.container, row.attempt) == (run.container, run.attempt):
            return f"{scheme}/{row.container_id.rpartition('/')[2]}"
    return ""


def _attempt(cluster: str, pod_uid: str, run: Run) -> int:
    """The attempt of the run with this container id; the status' own count if history does not know it (yet)."""
    bare = run.container_id.rpartition("/")[2]
    for row in history.runs_of(cluster, pod_uid):
        if bare and row.container == run.container and row.container_id.rpartition("/")[2] == bare:
            return row.attempt
    return run.attempt


async def _read(opening: Opening) -> AsyncIterator[bytes]:
    if opening.path is None:
        return
    if opening.run is not None and opening.run.removed:
        yield f"unable to retrieve container logs for {opening.run.container_id}".encode()
        return
    wanted = opening.wanted
    chunks = reader.read(
        opening.path,
        tail=wanted.tail,
        since=opening.since,
        timestamps=wanted.timestamps,
        limit_bytes=wanted.limit_bytes,
    )
    while (chunk := await pool.run(lambda: next(chunks, None))) is not None:
        yield chunk


async def _follow(opening: Opening) -> AsyncIterator[bytes]:
    if opening.path is None or opening.run is None:
        return
    if opening.run.removed:
        async for chunk in _read(opening):
            yield chunk
        return
    wanted = opening.wanted
    end = RunEnd(opening.stored.obj, opening.run)
    subscription = await pool.run(lambda: _subscribe(opening.stored, end))
    try:
        lines = cast(
            "AsyncGenerator[bytes, None]",
            reader.follow(
                opening.path,
                finished=lambda: end.reached,
                tail=wanted.tail,
                since=opening.since,
                timestamps=wanted.timestamps,
                limit_bytes=wanted.limit_bytes,
            ),
        )
        async with aclosing(lines):
            async for chunk in lines:
                yield chunk
    finally:
        if subscription is not None:
            subscription.close()


class RunEnd:
    """Knows whether a run has ended. The hub's thread tells it every change of the pod."""

    def __init__(self, pod: Manifest, run: Run) -> None:
        self._run = run
        self.reached = log_options.has_ended(pod, run)

    def deliver(self, entries: list[LogEntry]) -> None:
        if any(entry.type == "DELETED" or log_options.has_ended(entry.obj, self._run) for entry in entries):
            self.reached = True

    def stop(self, reason: End) -> None:
        """The hub gave up on us: what there is will be sent, and the client may ask again."""
        self.reached = True


def _subscribe(stored: Stored, end: RunEnd) -> Subscription[LogEntry] | None:
    wanted = Filter(cluster=stored.key.cluster, uid=stored.uid)
    try:
        return hub.hub().subscribe(wanted, stored.revision, end.deliver, on_end=end.stop)
    except (Compacted, FutureRevision):
        end.stop(End.COMPACTED)
        return None
