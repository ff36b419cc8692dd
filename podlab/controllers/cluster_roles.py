"""ClusterRoles that are made of others: a role with an aggregationRule has the rules of every ClusterRole that one of its
selectors fits.

A key is the name of such a role. Kubernetes' own roles of this sort (admin, edit, view) are worked out where they are read
(`registry.rbac.policy`). Source: pkg/controller/clusterroleaggregation.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from podlab.apis import selectors
from podlab.apis.kinds_rbac import CLUSTER_ROLES
from podlab.apis.types import Manifest
from podlab.controllers.controller import Controller, Kit
from podlab.registry.operations import WriteOptions
from podlab.registry.patch import APPLY_PATCH
from podlab.storage.log import LogEntry


class ClusterRoleAggregation(Controller):
    name = "clusterroleaggregation"
    component = "clusterrole-aggregation-controller"

    def __init__(self, kit: Kit) -> None:
        super().__init__(kit)
        self._gathering: set[str] = set()

    def load(self) -> Iterable[str]:
        found = self.client.list(CLUSTER_ROLES.key, None, stored_only=True).items
        self._gathering = {item.key.name for item in found if _selectors(item.obj)}
        return sorted(self._gathering)

    def affected(self, entry: LogEntry) -> Iterable[str]:
        """Any change of a ClusterRole may be one of what others are made of: there are few of them."""
        if entry.key.resource != CLUSTER_ROLES.key:
            return ()
        if entry.type != "DELETED" and _selectors(entry.obj):
            self._gathering.add(entry.key.name)
        else:
            self._gathering.discard(entry.key.name)
        return sorted(self._gathering)

    def sync(self, key: str) -> None:
        found = self.client.find(CLUSTER_ROLES.key, "", key)
        if found is None or not _selectors(found.obj):
            return
        rules = gathered(found.obj, [item.obj for item in self.client.list(CLUSTER_ROLES.key, None).items])
        if rules == (found.obj.get("rules") or []):
            return
        wanted = {
            "apiVersion": CLUSTER_ROLES.api_version,
            "kind": CLUSTER_ROLES.kind,
            "metadata": {"name": key},
            "rules": rules,
        }
        options = WriteOptions(field_manager=self.component, force=True)
        why = "The rules of the ClusterRoles that its aggregationRule selects."
        self.client.patch(CLUSTER_ROLES.key, "", key, APPLY_PATCH, wanted, options=options, why=why)


def gathered(role: Manifest, roles: Sequence[Manifest]) -> list[Manifest]:
    """The rules of the `roles` that are selected, selector by selector; what several of them have stands there once. Pure.
    `roles` are in the order of their names."""
    found: list[Manifest] = []
    for selector in _selectors(role):
        wanted = selectors.from_label_selector(selector)
        for other in roles:
            meta = other["metadata"]
            if meta["name"] == role["metadata"]["name"] or not wanted.matches(meta.get("labels") or {}):
                continue
            found += [rule for rule in other.get("rules") or [] if rule not in found]
    return found


def _selectors(role: Manifest) -> list[Manifest]:
    return (role.get("aggregationRule") or {}).get("clusterRoleSelectors") or []
