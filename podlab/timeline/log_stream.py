"""The log lines of one container, run after run, as they are written. Opened by `consumers` for each `open-log`; `ring`, for
each `open-written`, says only that a pod has written, to a page whose lines the server draws.

Reads the files that the kubelet writes, through `podlab.logs`; a container that is restarted goes on in a new file, and
so does the stream. However many viewers a pod has, its files are looked at once (`logs.bell`).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext

from podlab.apis import static_pods, times
from podlab.apis.types import Key
from podlab.logs import bell, layout, reader
from podlab.registry import authorizer
from podlab.storage import log
from podlab.timeline.messages import LogText, OpenLog, OpenWritten
from podlab.timeline.outlet import Outlet, Refusal

_SETTLE = 0.2  # seconds in which a run that has ended may still have lines written
_LINES_A_MESSAGE = 300
_LONGEST_LINE = 16 * 1024
_KEPT_OF_LINE = _LONGEST_LINE + 64  # bytes: with its time
_MOST_RUNS = 10  # how many earlier runs are shown
_TAIL = 500


@dataclass(frozen=True, slots=True)
class PodFolder:
    """Names the folder of a pod's logs."""

    namespace: str
    name: str
    uid: str


def log_root(cluster: str) -> Path:
    return Path(settings.PODLAB_DATA) / "logs" / cluster


def authorise(outlet: Outlet, message: OpenLog | OpenWritten) -> PodFolder:
    """The pod, if the person may read its logs and it is really in that namespace under that name."""
    namespace, name = message["namespace"], message["name"]
    client = outlet.client()
    request = authorizer.Attributes(
        verb="get", resource="pods", subresource="log", cluster=outlet.cluster, namespace=namespace, name=name
    )
    authorizer.require(client.actor, request)
    uid = message.get("uid", "")
    if not uid:
        stored = client.find("pods", namespace, name)
        uid = stored.uid if stored is not None else ""
    entries = log.history_of(outlet.cluster, uid, limit=1) if uid else []
    if not entries or entries[0].key != Key(outlet.cluster, "pods", namespace, name):
        raise Refusal(404, gettext("There is no such pod."))
    return PodFolder(namespace, name, static_pods.runtime_uid(entries[0].obj))


async def feed(outlet: Outlet, message: OpenLog) -> None:
    if message.get("until"):
        known = await outlet.in_thread(lambda: written(outlet, message))
        for start in range(0, len(known), _LINES_A_MESSAGE):
            part = known[start : start + _LINES_A_MESSAGE]
            await outlet.send_message({"type": "log", "sub": message["sub"], "lines": part})
        return
    pod = await outlet.in_thread(lambda: authorise(outlet, message))
    root, container = log_root(outlet.cluster), message["container"]
    since = _moment(message.get("after"))
    tail = None if since else message.get("tail", _TAIL)
    async with bell.listen(layout.pod_folder(root, pod)) as rung:
        attempts = layout.attempts(root, pod, container)[-_MOST_RUNS:]
        for attempt in attempts[:-1]:
            path = layout.container_log(root, pod, container, attempt)
            await _send(outlet, message, attempt, _lines(reader.read(path, tail=tail, since=since, timestamps=True)))
        attempt = attempts[-1] if attempts else 0
        while True:
            following = layout.container_log(root, pod, container, attempt + 1)
            path = layout.container_log(root, pod, container, attempt)
            chunks = reader.follow(
                path, finished=following.exists, tail=tail, since=since, timestamps=True, poll=_SETTLE, rung=rung
            )
            async for lines in _live(chunks):
                await _send(outlet, message, attempt, lines)
            attempt, tail = attempt + 1, None


async def ring(outlet: Outlet, message: OpenWritten) -> None:
    """Once at the beginning, for what was written before it, then whenever a container of the pod has written or begun anew."""
    pod = await outlet.in_thread(lambda: authorise(outlet, message))
    async with bell.listen(layout.pod_folder(log_root(outlet.cluster), pod)) as rung:
        while True:
            await outlet.send_message({"type": "changed", "sub": message["sub"], "revision": 0})
            await rung()


def written(outlet: Outlet, message: OpenLog) -> list[LogText]:
    """What there is by now, or was at `until`, of the last runs, of each its last `tail` lines. Refused as `feed` is."""
    pod, root, container = authorise(outlet, message), log_root(outlet.cluster), message["container"]
    tail, since, until = message.get("tail", _TAIL), _moment(message.get("after")), _moment(message.get("until"))
    runs = []
    for attempt in layout.attempts(root, pod, container):
        path = layout.container_log(root, pod, container, attempt)
        lines = reader.last_lines(path, tail, since=since, until=until)
        if lines:
            runs.append([_text(container, attempt, line) for line in lines])
    return [line for run in runs[-_MOST_RUNS:] for line in run]


def _moment(text: str | None) -> datetime | None:
    try:
        return times.parse(text) if text else None
    except ValueError:
        raise Refusal(400, gettext("A moment is written as 2006-01-02T15:04:05Z.")) from None


def _lines(chunks: Iterable[bytes]) -> list[bytes]:
    """Only a newline ends a line: a carriage return is what the container wrote."""
    *lines, rest = b"".join(chunks).split(b"\n")
    return [*lines, rest] if rest else lines


async def _live(chunks: AsyncIterator[bytes]) -> AsyncIterator[list[bytes]]:
    """Whole lines; the last one may come in pieces."""
    rest = b""
    async for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        rest = rest[:_KEPT_OF_LINE]  # a container that never ends its line must not fill the memory
        if lines:
            yield lines
    if rest:
        yield [rest]


async def _send(outlet: Outlet, message: OpenLog, attempt: int, lines: list[bytes]) -> None:
    for start in range(0, len(lines), _LINES_A_MESSAGE):
        part = [_text(message["container"], attempt, line) for line in lines[start : start + _LINES_A_MESSAGE]]
        await outlet.send_message({"type": "log", "sub": message["sub"], "lines": part})
        await asyncio.sleep(0)


def _text(container: str, attempt: int, line: bytes) -> LogText:
    """A line as `reader` writes it: RFC 3339 time, a space, the text."""
    at, _, text = line.partition(b" ")
    words = text[:_LONGEST_LINE].decode("utf-8", "replace")
    return {"container": container, "attempt": attempt, "at": at.decode("ascii", "replace"), "text": words}
