"""What lies around an object that is about to be written: its namespace, and what admission reads there.

A `Context` has one. Every create of a pod looks at all of `AROUND_PODS`, so the first look at one of them reads them all, in
one statement. It shows one moment; what must be true when the object is stored is read again under the lock of the write.
"""

from __future__ import annotations

from podlab.storage import store
from podlab.storage.store import Place, Stored

LIMIT_RANGES = "limitranges"
POD_PRESETS = "podpresets.settings.k8s.io"
RESOURCE_QUOTAS = "resourcequotas"
PRIORITY_CLASSES = "priorityclasses.scheduling.k8s.io"
SERVICE_ACCOUNTS = "serviceaccounts"
_DEFAULT = "default"


class Nearby:
    def __init__(self, cluster: str, resource: str, namespace: str) -> None:
        """`resource` and `namespace` are those of the object that is written."""
        self._cluster, self._namespace = cluster, namespace
        self._together = self._around_pods() if resource == "pods" and namespace else ()
        self._read: dict[Place, list[Stored]] = {}

    def namespace(self) -> Stored | None:
        return next(iter(self._at(self._own())), None)

    def account(self, name: str) -> Stored | None:
        return next(iter(self._at(Place(SERVICE_ACCOUNTS, self._namespace, name))), None)

    def all(self, resource: str, *, in_namespace: bool = True) -> list[Stored]:
        """By name; of the namespace, or cluster-scoped ones."""
        return self._at(Place(resource, self._namespace if in_namespace else ""))

    def _own(self) -> Place:
        return Place("namespaces", "", self._namespace)

    def _around_pods(self) -> tuple[Place, ...]:
        return (
            self._own(),
            Place(SERVICE_ACCOUNTS, self._namespace, _DEFAULT),
            Place(LIMIT_RANGES, self._namespace),
            Place(POD_PRESETS, self._namespace),
            Place(PRIORITY_CLASSES, ""),
        )

    def _at(self, place: Place) -> list[Stored]:
        if place not in self._read:
            wanted = self._together if place in self._together else (place,)
            self._read.update(store.list_places(self._cluster, wanted))
        return self._read[place]


class Held:
    """What must still be true when an object is stored, read under the lock of the write: its namespace and the quotas there,
    in one statement when the first of them is asked for."""

    def __init__(self, cluster: str, namespace: str) -> None:
        """ "" for an object without a namespace, around which there is nothing."""
        self._cluster, self._namespace = cluster, namespace
        self._read: dict[Place, list[Stored]] | None = None

    def namespace(self) -> Stored | None:
        return next(iter(self._at(Place("namespaces", "", self._namespace))), None)

    def quotas(self) -> list[Stored]:
        """By name."""
        return self._at(Place(RESOURCE_QUOTAS, self._namespace))

    def _at(self, place: Place) -> list[Stored]:
        if not self._namespace:
            return []
        if self._read is None:
            places = (Place("namespaces", "", self._namespace), Place(RESOURCE_QUOTAS, self._namespace))
            self._read = store.list_places(self._cluster, places)
        return self._read[place]
