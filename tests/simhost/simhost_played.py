"""A simulated cluster and its world, run by hand."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from podlab.registry.client import Client
from podlab.registry.clusters import create_sim
from podlab.registry.identity import system
from podlab.simhost.world import World
from podlab.storage import log
from podlab.storage.log import LogEntry

START = datetime(2026, 11, 21, 2, 0, tzinfo=UTC)


def pod(name: str, *command: str, image: str = "busybox:1.36", **more: Any) -> dict[str, Any]:
    annotations = more.pop("annotations", {})
    container = {"name": "main", "image": image, **more.pop("container", {})}
    if command:
        container["command"] = list(command)
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "annotations": annotations},
        "spec": {"containers": [container], **more},
    }


class Played:
    """One cluster whose lab time begins at START and moves only by `to`."""

    def __init__(self, name: str, data: Path, *, nodes: tuple[str, ...] = ("node-a",), seed: int = 7) -> None:
        self.name = name
        self.data = data
        self.row = create_sim(name, nodes=nodes, seed=seed, identity=system("test"), paused=True)
        self.begun = log.head()
        self.now = START
        self.client = Client(name, system("test"), lambda: self.now)
        self.world = World(self.row, data=data, now=START)
        self.world.open()

    def to(self, seconds: float) -> None:
        self.now = START + timedelta(seconds=seconds)
        self.world.run(self.now)

    def create(self, obj: dict[str, Any], namespace: str = "default") -> None:
        self.client.create("pods", obj, namespace=namespace)

    def crash(self, seconds: float = 0) -> None:
        """The process dies without a word; another one takes the cluster up so much later."""
        self.now += timedelta(seconds=seconds)
        self.world = World(self.row, data=self.data, now=self.now)
        self.world.open()

    def pod(self, name: str, namespace: str = "default") -> dict[str, Any] | None:
        found = self.client.find("pods", namespace, name)
        return found.obj if found else None

    def phase(self, name: str) -> str:
        found = self.pod(name)
        return found["status"]["phase"] if found else "gone"

    def container(self, name: str) -> dict[str, Any]:
        found = self.pod(name)
        assert found is not None
        return dict(found["status"]["containerStatuses"][0])

    def log(self) -> list[LogEntry]:
        found: list[LogEntry] = []
        while more := log.read_after(found[-1].revision if found else 0, cluster=self.name):
            found += more
        return found

    def events(self) -> list[tuple[str, str]]:
        """(reason, message) in order of age."""
        found = sorted(self.client.list("events", None).items, key=lambda one: one.created_revision)
        return [(one.obj["reason"], one.obj["message"]) for one in found]

    def story(self) -> list[tuple[str, str, str, str]]:
        """The whole change log with everything blotted out that is drawn anew in each run."""
        blots: dict[str, str] = {}

        def blot(match: re.Match[str]) -> str:
            return blots.setdefault(match[0], f"<uid {len(blots)}>")

        lines = []
        for entry in self.log():
            body = re.sub(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", blot, entry.body)
            body = re.sub(r"\.[0-9a-f]{16}\b", ".<event>", body)
            body = re.sub(r"kube-api-access-\w{5}", "kube-api-access", body)
            body = re.sub(r'"resourceVersion":"\d+"', '"resourceVersion":""', body)
            if entry.revision <= self.begun or entry.key.resource == "nodes":  # made at wall time
                body = re.sub(r'"(creationTimestamp|time)":"[^"]*"', "", body)
            lines.append((entry.type, entry.key.resource, body.replace(self.name, "<cluster>"), entry.why))
        return lines
