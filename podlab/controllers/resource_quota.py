"""The quota controller: counts what a namespace uses, when a quota is new or changed and when something went away. What
comes is booked by admission in the transaction that stores it. A key is "namespace/name" of a quota.

Source: pkg/controller/resourcequota/{resource_quota_controller,replenishment_controller}.go.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from podlab.apis import pods, scheme
from podlab.apis.types import Manifest
from podlab.controllers.controller import Controller
from podlab.registry.quota import amounts, evaluators, scopes
from podlab.registry.quota.amounts import NONE, Amounts
from podlab.storage.log import LogEntry

RESOURCE = "resourcequotas"


class ResourceQuotas(Controller):
    name = "resourcequota"
    component = "resourcequota-controller"

    def load(self) -> Iterable[str]:
        self._quotas: defaultdict[str, dict[str, Manifest]] = defaultdict(dict)
        if scheme.by_key(RESOURCE) is None:
            return
        for item in self.client.list(RESOURCE, None).items:
            self._quotas[item.key.namespace][item.key.name] = item.obj
            yield f"{item.key.namespace}/{item.key.name}"

    def affected(self, entry: LogEntry) -> Iterable[str]:
        key = entry.key
        known = self._quotas.get(key.namespace, {})
        if key.resource == RESOURCE:
            if entry.type == "DELETED":
                known.pop(key.name, None)
            else:
                self._quotas[key.namespace][key.name] = entry.obj
                if _stale(entry.obj):
                    yield f"{key.namespace}/{key.name}"
        if known and _frees(entry):
            for name, quota in known.items():
                if evaluators.names_of(key.resource, _hard(quota)):
                    yield f"{key.namespace}/{name}"

    def sync(self, key: str) -> None:
        namespace, name = key.split("/")
        found = self.client.find(RESOURCE, namespace, name)
        if found is None:
            return
        hard = _hard(found.obj)
        used = self._count(found.obj, namespace, hard)
        status = {**(found.obj.get("status") or {}), "hard": amounts.write(hard), "used": amounts.write(used)}
        if status == found.obj.get("status"):
            return
        # The object that was read before counting: a create that was booked since makes this a conflict, and a new count.
        self.client.update(
            RESOURCE, namespace, name, {**found.obj, "status": status}, subresource="status", why="Usage was counted."
        )

    def _count(self, quota: Manifest, namespace: str, hard: Amounts) -> Amounts:
        """Only what can be counted is told: a name that nobody understands has a limit and no usage."""
        used: Amounts = {}
        now = self.kit.clock.now()
        for resource in evaluators.resources_of(hard):
            if scheme.by_key(resource) is None:
                continue
            names = evaluators.names_of(resource, hard)
            used = amounts.add(used, dict.fromkeys(names, NONE))
            for item in self.client.list(resource, namespace).items:
                if evaluators.matches(resource, quota, item.obj):
                    used = amounts.add(used, amounts.only(evaluators.usage(resource, item.obj, now), names))
        return used


def _hard(quota: Manifest) -> Amounts:
    return amounts.parse((quota.get("spec") or {}).get("hard"))


def _stale(quota: Manifest) -> bool:
    """Whether the limits changed since the last count, or there was none."""
    status = quota.get("status") or {}
    return status.get("used") is None or status.get("hard") != (quota.get("spec") or {}).get("hard")


def _frees(entry: LogEntry) -> bool:
    if entry.type == "DELETED":
        return True
    if entry.key.resource == evaluators.PODS:
        ended = pods.is_terminal(entry.obj) and not pods.is_terminal(entry.prev or {})
        return ended or _resized(entry) or _changed_scope(entry)
    if entry.key.resource in (evaluators.SERVICES, evaluators.CLAIMS):
        return entry.prev is not None and entry.prev.get("spec") != entry.obj.get("spec")
    return False


def _changed_scope(entry: LogEntry) -> bool:
    """A pod that left the quotas of pods without an end, or came to them."""
    return entry.prev is not None and scopes.is_terminating(entry.prev) != scopes.is_terminating(entry.obj)


def _resized(entry: LogEntry) -> bool:
    """A pod that was given less."""
    return entry.prev is not None and pods.total_requests(entry.prev) != pods.total_requests(entry.obj)
