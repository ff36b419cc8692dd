"""The disruption controller: keeps the status of disruption budgets, from which evictions take their permission.

A key is "namespace/name" of a budget. The arithmetic is `apis.disruption`; here it gets its pods and their controllers'
scale. Source: pkg/controller/disruption/disruption.go.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from podlab.apis import disruption, pods, scheme, selectors
from podlab.apis.selectors import SelectorError
from podlab.apis.types import Manifest
from podlab.controllers.controller import Controller
from podlab.storage.log import LogEntry

BUDGETS = "poddisruptionbudgets.policy"
PODS = "pods"


class _NoController(Exception):
    """A pod whose controller wants a number of pods that nobody knows."""


class Disruption(Controller):
    name = "disruption"
    component = "controllermanager"

    def load(self) -> Iterable[str]:
        self._budgets: defaultdict[str, dict[str, Manifest]] = defaultdict(dict)
        for item in self.client.list(BUDGETS, None).items:
            self._budgets[item.key.namespace][item.key.name] = item.obj
            yield f"{item.key.namespace}/{item.key.name}"

    def affected(self, entry: LogEntry) -> Iterable[str]:
        key = entry.key
        if key.resource == BUDGETS:
            if entry.type == "DELETED":
                self._budgets[key.namespace].pop(key.name, None)
            else:
                self._budgets[key.namespace][key.name] = entry.obj
                yield f"{key.namespace}/{key.name}"
        elif key.resource == PODS and key.namespace in self._budgets and _matters(entry):
            for name, budget in self._budgets[key.namespace].items():
                if _selects(budget, entry.obj) or (entry.prev is not None and _selects(budget, entry.prev)):
                    yield f"{key.namespace}/{name}"

    def sync(self, key: str) -> None:
        namespace, name = key.split("/")
        found = self.client.find(BUDGETS, namespace, name)
        if found is None:
            return
        budget, now = found.obj, self.kit.clock.now()
        selected = [item.obj for item in self.client.list(PODS, namespace).items if _selects(budget, item.obj)]
        if not selected:
            self.kit.recorder.event(budget, "Normal", "NoPods", "No matching pods found")
        try:
            expected = self._scale(selected) if disruption.needs_scale(budget) else len(selected)
        except _NoController as problem:
            text = f"Failed to calculate the number of expected pods: {problem}"
            self.kit.recorder.event(budget, "Warning", "CalculateExpectedPodCountFailed", text)
            self._write(budget, disruption.failed(budget, str(problem), now))
            return
        outcome = disruption.status_of(budget, selected, expected, now)
        for pod in selected:
            if pod["metadata"]["name"] in outcome.overdue:
                text = f"Pod was expected by PDB {namespace}/{namespace} to be deleted but it wasn't"
                self.kit.recorder.event(pod, "Warning", "NotDeleted", text)
        self._write(budget, outcome.status)
        if outcome.recheck is not None:
            self.kit.enqueue(key, max((outcome.recheck - now).total_seconds(), 0.0) + 0.001)

    def _write(self, budget: Manifest, status: Manifest) -> None:
        """On the budget that was counted: one that an eviction counted down since is a conflict, and a new count."""
        if status == budget.get("status"):
            return
        meta, why = budget["metadata"], "The pods of the budget were counted."
        new = {**budget, "status": status}
        self.client.update(BUDGETS, meta["namespace"], meta["name"], new, subresource="status", why=why)

    def _scale(self, selected: list[Manifest]) -> int:
        """How many pods the controllers of these want altogether; pods of nobody do not count (getExpectedScale)."""
        wanted: dict[str, int] = {}
        for pod in selected:
            owner = _controller_of(pod)
            if owner is not None and owner["uid"] not in wanted:
                uid, replicas = self._wanted(owner, pod["metadata"]["namespace"], pod)
                wanted[owner["uid"]] = 0 if uid in wanted else replicas
                wanted.setdefault(uid, 0)
        return sum(wanted.values())

    def _wanted(self, owner: Manifest, namespace: str, pod: Manifest) -> tuple[str, int]:
        """The uid of whoever decides on the number, and the number: a ReplicaSet's Deployment decides for it."""
        resource = scheme.by_kind(str(owner.get("apiVersion")), str(owner.get("kind")))
        found = None
        if resource is not None and resource.subresource("scale") is not None:
            found = self.client.find(resource.key, namespace, str(owner.get("name")))
        if found is None or found.uid != owner["uid"]:
            raise _NoController(f'found no controllers for pod "{pod["metadata"]["name"]}"')
        above = _controller_of(found.obj)
        if above is not None and above.get("kind") == "Deployment":
            return self._wanted(above, namespace, pod)
        return found.uid, int((found.obj.get("spec") or {}).get("replicas") or 0)


def _controller_of(obj: Manifest) -> Manifest | None:
    owners: list[Manifest] = obj["metadata"].get("ownerReferences") or []
    return next((owner for owner in owners if owner.get("controller")), None)


def _selects(budget: Manifest, pod: Manifest) -> bool:
    try:
        chosen = selectors.from_label_selector((budget.get("spec") or {}).get("selector"))
    except SelectorError:
        return False
    return chosen.matches(pod["metadata"].get("labels"))


def _matters(entry: LogEntry) -> bool:
    """Whether the change can move a count."""
    if entry.type != "MODIFIED" or entry.prev is None:
        return True
    return _counted(entry.obj) != _counted(entry.prev)


def _counted(pod: Manifest) -> tuple[object, ...]:
    meta = pod["metadata"]
    return pods.is_ready(pod), bool(meta.get("deletionTimestamp")), meta.get("labels"), meta.get("ownerReferences")
