"""What the database has of a namespace when its timeline is opened: pods, their Events, runs, whom they belong to.

`space_feed` reads with this and goes on live from `Read.head`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from heapq import merge

from podlab.apis import static_pods
from podlab.apis.types import Key, Manifest
from podlab.registry import authorizer
from podlab.registry.client import Client
from podlab.storage import history, log, moments, pulls
from podlab.storage.history import ProbeRow, Run
from podlab.storage.log import LogEntry
from podlab.storage.pulls import PullRow
from podlab.timeline.messages import Owner

_PAGE = 1000
MOST_PODS = 2000
MOST_TICKS = 150_000  # probe results of one window; the newest are kept


@dataclass(frozen=True, slots=True)
class Read:
    entries: list[LogEntry]  # of pods and Events, in order
    runs: list[Run]
    pulls: list[PullRow]
    head: int
    seq: int
    pulls_seq: int
    left_out: int


def entries(cluster: str, namespace: str, resource: str, upto: int) -> Iterable[LogEntry]:
    """Every change that is still in the log."""
    after = 0
    while True:
        page = moments.history_in(cluster, resource, namespace, after=after, upto=upto, limit=_PAGE)
        yield from page
        if len(page) < _PAGE:
            return
        after = page[-1].revision


def read(client: Client, namespace: str, rev: int | None) -> Read:
    """Up to `rev`, or up to now. Whoever may watch the pods may read this (ApiError)."""
    request = authorizer.Attributes(verb="watch", resource="pods", cluster=client.cluster, namespace=namespace)
    authorizer.require(client.actor, request)
    head = log.head() if rev is None else min(rev, log.head())
    seq, pulls_seq = history.head(), pulls.head()
    pods = list(entries(client.cluster, namespace, "pods", head))
    kept, left_out = _newest(pods)
    # Mirrors of static pods: Events, probes and runs are told under another uid.
    known = kept | {static_pods.runtime_uid(one.obj) for one in pods if one.uid in kept}
    events = entries(client.cluster, namespace, "events", head)
    about = (one for one in events if (one.obj.get("involvedObject") or {}).get("uid") in known)
    told = merge((one for one in pods if one.uid in kept), about, key=lambda one: one.revision)
    runs = history.runs_in(client.cluster, namespace)
    pulled = pulls.pulls_among(client.cluster, known)
    return Read(list(told), [run for run in runs if run.pod_uid in known], pulled, head, seq, pulls_seq, left_out)


def _newest(pods: Sequence[LogEntry]) -> tuple[set[str], int]:
    """Uids of the pods that there is room for: living ones before deleted ones, then the newest."""
    last = {one.uid: one for one in pods}
    order = sorted(last.values(), key=lambda one: (one.type != "DELETED", one.obj["metadata"]["creationTimestamp"]))
    kept = {one.uid for one in order[-MOST_PODS:]}
    return kept, len(last) - len(kept)


def ticks(
    cluster: str, uids: Sequence[str], begin: datetime, end: datetime, *, most: int = MOST_TICKS
) -> list[ProbeRow]:
    """Probe results between two moments, in order; of too many the newest."""
    return history.probes_between(cluster, uids, begin, end, limit=most)


class Owners:
    """Chains of owners, root first: Deployment, ReplicaSet. Asked once for each owner of pods; what the person may not
    read is left out, but for what stands in the pod itself."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._above: dict[str, list[Owner]] = {}

    def of(self, pod: Manifest) -> list[Owner]:
        return self._chain(pod, pod["metadata"].get("namespace", ""), depth=3)

    def _chain(self, obj: Manifest, namespace: str, depth: int) -> list[Owner]:
        reference = next((one for one in obj["metadata"].get("ownerReferences") or () if one.get("controller")), None)
        if reference is None or depth == 0:
            return []
        uid = str(reference["uid"])
        if uid not in self._above:
            owner = self._read(reference, namespace)
            self._above[uid] = self._chain(owner, namespace, depth - 1) if owner is not None else []
        return [*self._above[uid], {"kind": reference["kind"], "name": reference["name"], "uid": uid}]

    def _read(self, reference: Manifest, namespace: str) -> Manifest | None:
        """As it was first; owners do not change."""
        found = log.history_of(self._client.cluster, str(reference["uid"]), limit=1)
        if not found or found[0].key.namespace != namespace or not self._may_read(found[0].key):
            return None
        return found[0].obj

    def _may_read(self, key: Key) -> bool:
        return authorizer.allowed(
            self._client.actor, "get", key.resource, cluster=key.cluster, namespace=key.namespace, name=key.name
        )
