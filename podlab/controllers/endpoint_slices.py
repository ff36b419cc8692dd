"""The EndpointSlice controllers: one for Services with a selector, one that mirrors hand-made Endpoints.

A key is "namespace/name" of a Service. What they want is in `slices_plan`. Sources: pkg/controller/endpointslice,
pkg/controller/endpointslicemirroring. Slices go with their owner, by garbage collection.
"""

from __future__ import annotations

from collections.abc import Iterable

from podlab.apis.status_errors import ApiError
from podlab.apis.types import Manifest
from podlab.controllers import slices_plan
from podlab.controllers.backends import LAST_CHANGE, SERVICES, Backends, TriggerTimes, selector_of
from podlab.controllers.controller import Controller
from podlab.controllers.endpoints import ENDPOINTS
from podlab.controllers.slices_plan import Plan
from podlab.storage.log import LogEntry

SLICES = "endpointslices.discovery.k8s.io"
LEADER = "control-plane.alpha.kubernetes.io/leader"


class _Slices(Controller):
    """What both have in common: finding their slices, and carrying a plan out."""

    manager: str  # in the label of the slices

    def load(self) -> Iterable[str]:
        self._own: dict[str, int] = {}  # uid of a slice → the revision that was written here
        return ()

    def _of_slice(self, entry: LogEntry) -> list[str]:
        """Somebody else changed or removed one of ours."""
        meta = entry.obj["metadata"]
        labels = meta.get("labels") or {}
        before = (((entry.prev or {}).get("metadata") or {}).get("labels")) or {}
        if self.manager not in (labels.get(slices_plan.MANAGED_BY), before.get(slices_plan.MANAGED_BY)):
            return []
        if entry.type == "DELETED":
            self._own.pop(entry.uid, None)
        elif entry.type == "ADDED" or self._own.get(entry.uid, 0) >= entry.revision:
            return []
        names = {labels.get(slices_plan.SERVICE_NAME), before.get(slices_plan.SERVICE_NAME)} - {None, ""}
        return [f"{entry.key.namespace}/{name}" for name in names]

    def _slices(self, namespace: str, name: str) -> list[Manifest]:
        selector = f"{slices_plan.SERVICE_NAME}={name},{slices_plan.MANAGED_BY}={self.manager}"
        found = self.client.list(SLICES, namespace, label_selector=selector)
        return [item.obj for item in found.items if not item.obj["metadata"].get("deletionTimestamp")]

    def _carry_out(self, namespace: str, plan: Plan, why: str) -> None:
        for body in plan.create:
            try:
                self.client.create(SLICES, body, namespace=namespace, why=why)
            except ApiError as error:
                if error.code not in (403, 404):  # a namespace that ends takes nothing new
                    raise
        for body in plan.update:
            written = self.client.update(SLICES, namespace, body["metadata"]["name"], body, why=why)
            meta = written.obj["metadata"]
            self._own[meta["uid"]] = int(meta["resourceVersion"])
        for name in plan.delete:
            try:
                self.client.delete(SLICES, namespace, name, why=why)
            except ApiError as error:
                if error.code != 404:
                    raise


class EndpointSlices(_Slices):
    name = "endpointslice"
    component = "endpointslice-controller"
    manager = slices_plan.CONTROLLER

    def load(self) -> Iterable[str]:
        super().load()
        self._backends, self._times = Backends(), TriggerTimes()
        self._zones: dict[str, str] = {}
        for item in self.client.list("nodes", None).items:
            self._note_zone(item.key.name, item.obj)
        return self._backends.load(self.client)

    def affected(self, entry: LogEntry) -> Iterable[str]:
        if entry.key.resource == SLICES:
            return self._of_slice(entry)
        if entry.key.resource == "nodes":
            self._note_zone(entry.key.name, entry.obj)
            return ()
        return self._backends.affected(entry)

    def _note_zone(self, node: str, obj: Manifest) -> None:
        zone = (obj["metadata"].get("labels") or {}).get(slices_plan.ZONE)
        if zone:
            self._zones[node] = zone
        else:
            self._zones.pop(node, None)

    def sync(self, key: str) -> None:
        namespace, name = key.split("/")
        service = self.client.find(SERVICES, namespace, name)
        if service is None:
            self._times.forget(key)
            return
        selector = selector_of(service.obj)
        if selector is None or service.obj["metadata"].get("deletionTimestamp"):
            return
        members = self._backends.selected(namespace, selector)
        plan = slices_plan.plan(
            slices_plan.groups(service.obj, members, dict(self._zones)),
            self._slices(namespace, name),
            name=name,
            labels=slices_plan.labels(service.obj),
            owner=slices_plan.owner(service.obj, "Service"),
            trigger=self._times.stamp(key, service.obj, members),
        )
        try:
            self._carry_out(namespace, plan, "The pods behind the Service changed.")
        except ApiError as error:
            if error.code not in (404, 409):
                text = f"Error updating Endpoint Slices for Service {key}: {error.message}"
                self.kit.recorder.event(service.obj, "Warning", "FailedToUpdateEndpointSlices", text)
            raise


class EndpointSliceMirroring(_Slices):
    name = "endpointslicemirroring"
    component = "endpointslicemirroring-controller"
    manager = slices_plan.MIRRORING

    def load(self) -> Iterable[str]:
        super().load()
        return [f"{item.key.namespace}/{item.key.name}" for item in self.client.list(ENDPOINTS, None).items]

    def affected(self, entry: LogEntry) -> Iterable[str]:
        if entry.key.resource == SLICES:
            return self._of_slice(entry)
        if entry.key.resource == ENDPOINTS:
            managed = (entry.obj["metadata"].get("labels") or {}).get("endpoints.kubernetes.io/managed-by")
            if managed and entry.type != "DELETED" and (entry.prev is None or _managed(entry.prev)):
                return ()  # of the other controller, whose slices are made from the pods
            return (f"{entry.key.namespace}/{entry.key.name}",)
        if entry.key.resource == SERVICES and (entry.prev is None or _selector(entry.obj) != _selector(entry.prev)):
            return (f"{entry.key.namespace}/{entry.key.name}",)
        return ()

    def sync(self, key: str) -> None:
        namespace, name = key.split("/")
        found = self.client.find(ENDPOINTS, namespace, name)
        service = self.client.find(SERVICES, namespace, name)
        held = self._slices(namespace, name)
        wanted = [] if found is None or service is None or _selector(service.obj) else _wanted(found.obj)
        if not wanted:
            why = "There are no hand-made Endpoints to mirror."
            self._carry_out(namespace, Plan(delete=[one["metadata"]["name"] for one in held]), why)
            return
        assert found is not None
        labels, annotations = slices_plan.mirrored_metadata(found.obj)
        plan = slices_plan.plan(
            wanted,
            held,
            name=name,
            labels=labels,
            annotations=annotations,
            owner=slices_plan.owner(found.obj, "Endpoints"),
            most=slices_plan.MAX_MIRRORED,
            trigger=str((found.obj["metadata"].get("annotations") or {}).get(LAST_CHANGE) or ""),
        )
        self._carry_out(namespace, plan, "The hand-made Endpoints changed.")


def _wanted(endpoints: Manifest) -> list[slices_plan.Group]:
    """Nothing for those that say they are not to be mirrored, and for locks of leader elections."""
    meta = endpoints["metadata"]
    if (meta.get("labels") or {}).get(slices_plan.SKIP_MIRROR) == "true" or meta.get("deletionTimestamp"):
        return []
    return [] if LEADER in (meta.get("annotations") or {}) else slices_plan.mirrored(endpoints)


def _selector(service: Manifest) -> object:
    return (service.get("spec") or {}).get("selector") or None


def _managed(endpoints: Manifest) -> bool:
    return "endpoints.kubernetes.io/managed-by" in (endpoints["metadata"].get("labels") or {})
