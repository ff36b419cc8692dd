"""One Docker node of cluster main with its real neighbours: store, registry, hub and engine, on real time."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from podlab import settings
from podlab.apis.status_errors import ApiError
from podlab.apis.types import Manifest
from podlab.clock import monotonic, pause, wall_now
from podlab.kubelet import memory, volume_folders
from podlab.kubelet.node_host import NodeHost
from podlab.registry import clusters
from podlab.registry.client import Client
from podlab.registry.identity import system
from podlab.runtime.docker import DockerRuntime
from podlab.runtime.docker.client import shared
from podlab.runtime.handlers import Handlers
from podlab.runtime.interface import MachineInfo
from podlab.runtime.sim.beside import Beside
from podlab.storage.hub import Hub

T = TypeVar("T")
NODE = "node-a"


class Node:
    """One Docker node of cluster main, whose agent can be replaced."""

    def __init__(self, folder: Path) -> None:
        self._lab = f"test-{uuid.uuid4().hex[:8]}"
        self._folder = folder
        clusters.ensure_main("docker")
        self.client = Client("main", system("test"), wall_now)
        self._hub: Hub | None = None
        self._host: NodeHost | None = None
        self.boot()

    def boot(self) -> None:
        self._hub = Hub(poll=0.05, redis=False)
        self._host = NodeHost(
            cluster="main",
            nodes=(NODE,),
            make_runtime=self.with_handlers,
            hub=self._hub,
            data=self._folder,
            send=_no_broker,
        )
        self._host.start()

    def crash(self) -> None:
        assert self._host is not None
        assert self._hub is not None
        self._host.stop()
        self._hub.close()

    def runtime(self, node: str = NODE) -> DockerRuntime:
        return DockerRuntime(
            lab=self._lab,
            cluster="main",
            node=node,
            base_url=settings.PODLAB_DOCKER_HOST,
            pause_image=settings.PODLAB_PAUSE_IMAGE,
            network=settings.PODLAB_DOCKER_NETWORK,
        )

    def with_handlers(self, node: str) -> Handlers:
        def simulator(machine: MachineInfo) -> Beside:
            journal = self._folder / "beside.jsonl"
            return Beside(cluster="main", node=node, journal=journal, cpu_milli=2000, memory_bytes=machine.memory_bytes)

        return Handlers(self.runtime(node), simulator)

    def close(self) -> None:
        self.crash()
        runtime = self.runtime()
        for status in runtime.list_pods().values():
            for container in status.containers:
                runtime.remove_container(container.id)
            for sandbox in status.sandboxes:
                runtime.remove_sandbox(sandbox.id)
        runtime.close()
        volume_folders.remove_pod(memory.place_of(self._folder / "pods" / "main" / NODE))

    def run(
        self, script: str, *, grace: int = 1, policy: str = "Always", spec: Manifest | None = None, **container: Any
    ) -> None:
        """A pod `p` whose container `main` runs `script`; `spec`: more fields of the pod, `container`: of the container."""
        main = {"name": "main", "image": "busybox:1.36", "command": ["sh", "-c", script], **container}
        spec = {
            "containers": [main],
            "restartPolicy": policy,
            "terminationGracePeriodSeconds": grace,
            "automountServiceAccountToken": False,
            **(spec or {}),
        }
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": spec}
        self.client.create("pods", pod, namespace="default")
        self.client.bind("default", "p", NODE)

    def static_file(self, name: str, text: str | None) -> None:
        """Put a file into the node's folder of static pods, or take it away."""
        path = self._folder / "static" / "main" / NODE / name
        if text is None:
            path.unlink()
        else:
            path.write_text(text)

    @property
    def pod(self) -> Manifest:
        return self.client.get("pods", "default", "p").obj

    def phase(self) -> str:
        return str(self.pod["status"]["phase"])

    def main(self) -> Manifest:
        return dict((self.pod["status"].get("containerStatuses") or [{}])[0])

    def waiting(self) -> str:
        return str((self.main().get("state") or {}).get("waiting", {}).get("reason", ""))

    def gone(self) -> bool:
        try:
            return not self.pod
        except ApiError as error:
            return error.code == 404

    def events(self, reason: str) -> list[str]:
        items = self.client.list("events", "default").items
        return [item.obj["message"] for item in items if item.obj["reason"] == reason]

    def listing(self) -> dict[str, Any]:
        runtime = self.runtime()
        try:
            return dict(runtime.list_pods())
        finally:
            runtime.close()

    def bound_ports(self) -> dict[str, list[str]]:
        """Ports of the pod → ports of this machine, as the engine knows them."""
        engine = shared(settings.PODLAB_DOCKER_HOST).api
        sandbox = next(iter(self.listing().values())).sandboxes[0]
        held = engine.inspect_container(sandbox.id)["HostConfig"]["PortBindings"]
        return {port: [one["HostPort"] for one in bindings] for port, bindings in held.items()}

    def engine_view(self, container_id: str) -> dict[str, Any]:
        """What the engine says of a container, named as in the pod's status."""
        found: dict[str, Any] = shared(settings.PODLAB_DOCKER_HOST).api.inspect_container(container_id.split("://")[1])
        return found

    def log(self, attempt: int = 0, container: str = "main") -> str:
        uid = self.pod["metadata"]["uid"]
        path = self._folder / "logs" / "main" / "pods" / f"default_p_{uid}" / container / f"{attempt}.log"
        return path.read_text() if path.exists() else ""

    def printed(self, container: str = "main") -> str:
        """What a container has written, without the log's own words."""
        lines = [line.split(" ", 3) for line in self.log(container=container).splitlines()]
        return "".join(f"{line[3]}\n" for line in lines if len(line) > 3)


def _no_broker(cluster: str, node: str, uid: str) -> None:
    raise ConnectionError("there is no broker in this test")


def eventually(condition: Callable[[], T], within: float = 20.0) -> T:
    until = monotonic() + within
    while not (found := condition()):
        assert monotonic() < until, f"not within {within} s; last seen: {found!r}"
        pause(0.02)
    return found
