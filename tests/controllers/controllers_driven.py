"""Drives a manager as a world does: changes in, keys out, until nothing is left to do."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from podlab.apis.types import Manifest
from podlab.clock import LabClock
from podlab.controllers.manager import Manager
from podlab.registry.client import Client
from podlab.registry.identity import system
from podlab.storage import log


class Driven:
    def __init__(self, cluster: str, start: datetime) -> None:
        self.clock = LabClock(start)
        self.cluster = cluster
        self.client = Client(cluster, system("test"), self.clock.now)
        self.jobs: list[tuple[str, str]] = []
        self.take_up()

    def take_up(self) -> None:
        """As a worker that was started anew."""
        self.manager = Manager(self.cluster, self.clock, lambda name, key: self.jobs.append((name, key)))
        self.revision = self.manager.load()

    def settle(self, seconds: float = 1.0) -> None:
        """Do all that is to be done now, and what failed attempts left for so much later."""
        self._now()
        self.clock.advance(self.clock.now())
        for _ in range(20):
            due = self.clock.next_due()
            if due is None or (due - self.clock.now()).total_seconds() > seconds:
                return
            self.clock.fire_next(due)
            self._now()

    def _now(self) -> None:
        while True:
            entries = log.read_after(self.revision, cluster=self.cluster)
            for entry in entries:
                self.revision = entry.revision
                self.manager.on_change(entry)
            if self.jobs:
                self.manager.work(*self.jobs.pop(0))
            elif not entries:
                return

    # Objects

    def make(
        self, name: str, *owners: Manifest, finalizers: Sequence[str] = (), namespace: str = "default"
    ) -> Manifest:
        """A ConfigMap, which can own and be owned as well as anything."""
        meta: dict[str, Any] = {"name": name, "ownerReferences": list(owners), "finalizers": list(finalizers)}
        obj = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta}
        return self.client.create("configmaps", obj, namespace=namespace).obj

    def names(self, namespace: str = "default") -> list[str]:
        found = (item.key.name for item in self.client.list("configmaps", namespace).items)
        return [name for name in found if name != "kube-root-ca.crt"]

    def meta(self, name: str) -> Manifest:
        meta: Manifest = self.client.get("configmaps", "default", name).obj["metadata"]
        return meta

    def events(self) -> list[tuple[str, str, str]]:
        return [
            (item.obj["source"]["component"], item.obj["reason"], item.obj["message"])
            for item in self.client.list("events", None).items
        ]


def ref(owner: Manifest, **more: Any) -> Manifest:
    meta = owner["metadata"]
    named = {"apiVersion": owner["apiVersion"], "kind": owner["kind"], "name": meta["name"], "uid": meta["uid"]}
    return {**named, **more}
