"""The namespace controller: brings the end of deleted namespaces forward. A key is the name of a namespace.

Source: pkg/controller/namespace/namespace_controller.go. How one is emptied is in `registry.namespaces`.
"""

from __future__ import annotations

from collections.abc import Iterable

from podlab.controllers.controller import Controller
from podlab.registry import namespaces
from podlab.storage.log import LogEntry

# The net under what nobody tells; progress comes from deletions.
RETRY_SECONDS = 15.0


class Namespaces(Controller):
    name = "namespace"
    component = "namespace-controller"

    def load(self) -> Iterable[str]:
        self._ending: set[str] = set()
        for item in self.client.list("namespaces", None).items:
            if item.obj["metadata"].get("deletionTimestamp"):
                self._ending.add(item.key.name)
        return sorted(self._ending)

    def affected(self, entry: LogEntry) -> Iterable[str]:
        key = entry.key
        if key.resource != "namespaces":
            return (key.namespace,) if self._frees(entry) else ()
        if entry.type == "DELETED":
            self._ending.discard(key.name)
        elif entry.obj["metadata"].get("deletionTimestamp") and self._is_news(entry):
            self._ending.add(key.name)
            return (key.name,)
        return ()

    def _is_news(self, entry: LogEntry) -> bool:
        return entry.key.name not in self._ending or _finalizers(entry.obj) != _finalizers(entry.prev)

    def _frees(self, entry: LogEntry) -> bool:
        """Something of the namespace is gone, or something new got in at the last moment."""
        return entry.key.namespace in self._ending and entry.type in ("DELETED", "ADDED")

    def sync(self, key: str) -> None:
        progress = namespaces.finalize_namespace(self.client, key)
        if progress.remaining:
            self.kit.enqueue(key, RETRY_SECONDS)


def _finalizers(obj: dict[str, object] | None) -> object:
    spec = (obj or {}).get("spec")
    return spec.get("finalizers") if isinstance(spec, dict) else None
