"""The root CA publisher: every namespace has the lab's CA, whatever somebody writes over it. A key is the name of a namespace.

What was deleted comes back with the deletion already (`registry.namespaces`).
Source: pkg/controller/certificates/rootcacertpublisher/publisher.go.
"""

from __future__ import annotations

from collections.abc import Iterable

from podlab.controllers.controller import Controller
from podlab.registry import namespaces
from podlab.storage.log import LogEntry


class RootCA(Controller):
    name = "rootca"
    component = "root-ca-cert-publisher"

    def load(self) -> Iterable[str]:
        return ()

    def affected(self, entry: LogEntry) -> Iterable[str]:
        key = entry.key
        if key.resource == "configmaps" and key.name == namespaces.ROOT_CA and entry.type == "MODIFIED":
            yield key.namespace

    def sync(self, key: str) -> None:
        namespaces.publish_root_ca(self.client, key)
