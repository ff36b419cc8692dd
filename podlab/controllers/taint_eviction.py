"""Ends pods that do not tolerate a NoExecute taint of their node, or not for longer.

A key is "namespace/name" of a pod. As in Kubernetes, what a pod has left of its `tolerationSeconds` is known to nobody but this
process: one that begins anew gives the whole time again. Source: pkg/controller/tainteviction/taint_eviction.go.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from podlab.apis import pods as pod_facts
from podlab.apis import reasons, taints
from podlab.apis.types import Manifest
from podlab.controllers.controller import Controller
from podlab.storage.log import LogEntry

NODES, PODS = "nodes", "pods"
DISRUPTED = "Taint manager: deleting due to NoExecute taint"


class TaintEviction(Controller):
    name = "tainteviction"
    component = "taint-eviction-controller"

    def load(self) -> Iterable[str]:
        self._planned: dict[str, datetime] = {}
        self._there: defaultdict[str, set[str]] = defaultdict(set)
        self._taints = {item.key.name: taints.no_execute(item.obj) for item in self.client.list(NODES, None).items}
        for item in self.client.list(PODS, None, field_selector="spec.nodeName!=").items:
            self._there[item.obj["spec"]["nodeName"]].add(f"{item.key.namespace}/{item.key.name}")
        return [key for node, keys in self._there.items() if self._taints.get(node) for key in keys]

    def affected(self, entry: LogEntry) -> Iterable[str]:
        if entry.key.resource == NODES:
            yield from self._node(entry)
        elif entry.key.resource == PODS:
            yield from self._pod(entry)

    def _node(self, entry: LogEntry) -> Iterable[str]:
        name = entry.key.name
        present = () if entry.type == "DELETED" else taints.no_execute(entry.obj)
        if present != self._taints.get(name, ()):
            self._taints[name] = present
            yield from sorted(self._there[name])

    def _pod(self, entry: LogEntry) -> Iterable[str]:
        key = f"{entry.key.namespace}/{entry.key.name}"
        node = entry.obj["spec"].get("nodeName")
        if not node:
            return
        if entry.type == "DELETED":
            self._there[node].discard(key)
        else:
            self._there[node].add(key)
        if key in self._planned or (self._taints.get(node) and _matters(entry)):
            yield key

    def sync(self, key: str) -> None:
        namespace, name = key.split("/")
        found = self.client.find(PODS, namespace, name)
        pod = found.obj if found is not None else None
        if pod is None or pod["metadata"].get("deletionTimestamp") or not pod["spec"].get("nodeName"):
            self._planned.pop(key, None)
            return
        node = self.client.find(NODES, "", pod["spec"]["nodeName"])
        present = () if node is None else taints.no_execute(node.obj)
        seconds = tolerated_seconds(present, pod["spec"].get("tolerations") or ())
        now = self.kit.clock.now()
        if seconds is None:
            self._keep(key, pod)
        elif seconds <= 0 or (key in self._planned and now >= self._planned[key]):
            self._planned.pop(key, None)
            self._end(pod, present, now)
        else:
            self._plan(key, seconds, now)

    def _plan(self, key: str, seconds: float, now: datetime) -> None:
        """An end that is planned stays as it was, whatever other taint comes that is tolerated for a while."""
        due = self._planned.setdefault(key, now + timedelta(seconds=seconds))
        self.kit.enqueue(key, max((due - now).total_seconds(), 0.001))

    def _keep(self, key: str, pod: Manifest) -> None:
        if self._planned.pop(key, None) is not None:
            text = f"Cancelling deletion of Pod {key}"
            self.kit.recorder.event(pod, reasons.NORMAL, reasons.TAINT_MANAGER_EVICTION, text)

    def _end(self, pod: Manifest, present: Sequence[Manifest], now: datetime) -> None:
        meta = pod["metadata"]
        names = ", ".join(f"{taint['key']}:NoExecute" for taint in present)
        why = (
            f"Node {pod['spec']['nodeName']} has the taint {names}, which the pod does not tolerate, or not for longer."
        )
        text = f"Marking for deletion Pod {meta['namespace']}/{meta['name']}"
        self.kit.recorder.event(pod, reasons.NORMAL, reasons.TAINT_MANAGER_EVICTION, text, why=why)

        def mark(obj: Manifest) -> None:
            pod_facts.mark_disrupted(obj, reasons.DELETION_BY_TAINT_MANAGER, DISRUPTED, now=now)

        self.client.update_status(PODS, meta["namespace"], meta["name"], mark, uid=meta["uid"], why=why)
        self.client.delete(PODS, meta["namespace"], meta["name"], uid=meta["uid"], why=why)


def tolerated_seconds(present: Iterable[Manifest], tolerations: Sequence[Manifest]) -> float | None:
    """For how long a pod may stay; None = for ever. Each taint counts with the first toleration that fits it
    (GetMatchingTolerations, getMinTolerationTime)."""
    shortest: float | None = None
    for taint in present:
        fitting = next((one for one in tolerations if pod_facts.tolerates(one, taint)), None)
        if fitting is None:
            return 0.0
        if fitting.get("tolerationSeconds") is not None:
            seconds = max(float(fitting["tolerationSeconds"]), 0.0)
            shortest = seconds if shortest is None else min(shortest, seconds)
    return shortest


def _matters(entry: LogEntry) -> bool:
    """Whether a pod came to its node, or tolerates something else now."""
    if entry.type != "MODIFIED" or entry.prev is None:
        return True
    now, before = entry.obj["spec"], entry.prev["spec"]
    return any(now.get(field) != before.get(field) for field in ("nodeName", "tolerations"))
