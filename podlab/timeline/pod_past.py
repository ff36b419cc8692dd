"""What the database has of one pod when its timeline is opened. `pod_feed` goes on live from `Past.head`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext

from podlab.apis import static_pods
from podlab.apis.types import Key
from podlab.registry import authorizer
from podlab.storage import history, log, moments, pulls
from podlab.storage.history import ProbeRow
from podlab.storage.log import LogEntry
from podlab.storage.pulls import PullRow
from podlab.timeline.messages import OpenPod
from podlab.timeline.outlet import Outlet, Refusal

_PAGE = 1000
# Kinds beside the pod itself that say something about it.
ABOUT_PODS = ("events", "endpointslices.discovery.k8s.io")


@dataclass(frozen=True, slots=True)
class Past:
    """Everything up to `head`; what comes after it comes live, unless `at` says that the page shows that moment."""

    uid: str
    runtime_uid: str  # another one for the mirror of a static pod: probes and runs are told under it
    entries: list[LogEntry]
    head: int
    probes: list[ProbeRow]
    runs: list[history.Run]
    pulls: list[PullRow]
    at: datetime | None


def read_past(outlet: Outlet, message: OpenPod) -> Past:
    """Authorised by namespace and name; a uid of somewhere else is a 404, as if it did not exist."""
    namespace, name = message["namespace"], message["name"]
    client = outlet.client()
    request = authorizer.Attributes(
        verb="watch", resource="pods", cluster=outlet.cluster, namespace=namespace, name=name
    )
    authorizer.require(client.actor, request)
    newest = log.head()
    head = min(newest, message.get("rev", newest))
    key = Key(outlet.cluster, "pods", namespace, name)
    uid = message.get("uid") or _present_uid(outlet, namespace, name)
    entries = [entry for entry in log.history_of(outlet.cluster, uid) if entry.key == key]
    if not entries:
        raise Refusal(404, gettext("There is no such pod."))
    runtime = static_pods.runtime_uid(entries[-1].obj)
    probes, runs = history.probes_of(outlet.cluster, runtime), history.runs_of(outlet.cluster, runtime)
    pulled = pulls.pulls_of(outlet.cluster, runtime)
    if "rev" not in message:
        # The pod itself may have gone on since the head was read.
        head = max(head, entries[-1].revision)
        merged = _with_others(outlet.cluster, namespace, entries, head)
        return Past(uid, runtime, merged, head, probes, runs, pulled, None)
    # Before its beginning a pod is shown as it began.
    head = max(head, entries[0].revision)
    moment = moments.moment_of(outlet.cluster, head)
    at = moments.later_of(entries[0].at if moment is None else moment.at, message.get("at"))
    known = [entry for entry in entries if entry.revision <= head]
    merged = _with_others(outlet.cluster, namespace, known, head)
    told = [one for one in probes if one.at <= at]
    return Past(uid, runtime, merged, head, told, moments.known_at(runs, at), moments.pulled_at(pulled, at), at)


def _present_uid(outlet: Outlet, namespace: str, name: str) -> str:
    stored = outlet.client().find("pods", namespace, name)
    if stored is None:
        raise Refusal(404, gettext("There is no such pod."))
    return stored.uid


def _with_others(cluster: str, namespace: str, entries: list[LogEntry], head: int) -> list[LogEntry]:
    """The pod's changes and those of its namespace that may say something about it, since it began."""
    after = entries[0].revision - 1
    others = [entry for resource in ABOUT_PODS for entry in _since(cluster, namespace, resource, after, head)]
    return sorted([*entries, *others], key=lambda entry: entry.revision)


def _since(cluster: str, namespace: str, resource: str, after: int, head: int) -> Iterable[LogEntry]:
    while True:
        page = moments.history_in(cluster, resource, namespace, after=after, upto=head, limit=_PAGE)
        yield from page
        if len(page) < _PAGE:
            return
        after = page[-1].revision
