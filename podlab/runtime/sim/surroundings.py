"""What lies around the containers of a simulated node: who listens in which pod, whose processes are seen, what is in volumes.

`runtime` asks it for probes and streams, containers ask by `answer`. It reads the node and, beside real pods, the files of
this machine; it writes nothing. Only `listening` lets the machines of a pod catch up with the clock.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from podlab.runtime.interface import PidNamespace
from podlab.runtime.node_files import on_disk
from podlab.runtime.sim import outside
from podlab.runtime.sim.container import SimContainer
from podlab.runtime.sim.network import Listener
from podlab.runtime.sim.node import Node, Placed, Sandbox
from podlab.runtime.sim.outside import ClusterNetwork, Question

_LOCAL = frozenset({"", "localhost", "127.0.0.1"})


class Surroundings:
    """Of all containers of one node."""

    def __init__(self, node: Node, network: ClusterNetwork | None, *, node_disk: bool) -> None:
        """`network`: what lies beyond the pod; None = nothing. `node_disk`: a host path is a path of this machine."""
        self._node, self._network, self._node_disk = node, network, node_disk

    def listening(self, container_id: str, host: str, port: int) -> Listener:
        """Who listens in the pod that has this address; containers of a pod share its network."""
        container = self._node.containers.get(container_id)
        sandbox = self._by_ip(host)
        if sandbox is None and container is not None and host in _LOCAL:
            sandbox = self._node.sandboxes.get(container.sandbox_id)
        if sandbox is None or not sandbox.ready:
            return Listener(open=False)
        for other in self._node.in_sandbox(sandbox.id):
            if other.running and other.machine is not None:
                other.machine.advance(other.micros())
        return self._in_pod(sandbox.id, port)

    def _in_pod(self, sandbox_id: str, port: int) -> Listener:
        for one in self._node.in_sandbox(sandbox_id):
            if one.running and one.machine is not None and port in one.machine.ports:
                return Listener(open=True, site=one.machine.ports[port], micros=one.micros())
        return Listener(open=False)

    def listening_at(self, ip: str, port: int) -> Listener | None:
        """Who listens in the pod of this node that has the address; None when none has it. No machine moves for it."""
        sandbox = self._by_ip(ip)
        return None if sandbox is None else self._in_pod(sandbox.id, port)

    def answer(self, container: SimContainer, question: Question) -> Any:
        """What a container is told that asks beyond itself (`outside`): JSON."""
        if question[0] == "files":
            return self._placed(question[1])
        if question[0] == "processes":
            return self._processes(container)
        return outside.answer(self._network, lambda port: self._in_pod(container.sandbox_id, port), question)

    def _processes(self, container: SimContainer) -> list[list[str]]:
        """Those of the pod below its pause, or of the target and then its own."""
        config = container.config
        if config.pid_namespace is PidNamespace.TARGET:
            target = self._node.containers.get(config.pid_target)
            seen = [one for one in (target, container) if one is not None]
        else:
            seen = sorted(
                self._node.in_sandbox(container.sandbox_id), key=lambda one: (one.started_at or one.created_at, one.id)
            )
        alive = [list(one.machine.argv) for one in seen if one.machine is not None and one.ended is None]
        return alive if config.pid_namespace is PidNamespace.TARGET else [["/pause"], *alive]

    def _placed(self, root: str) -> dict[str, Any] | None:
        found = self._node.placed.get(root)
        if found is not None:
            return found.tell()
        files = on_disk(Path(root)) if self._node_disk else None
        return None if files is None else Placed(files).tell()

    def _by_ip(self, ip: str) -> Sandbox | None:
        return next((one for one in self._node.sandboxes.values() if one.ready and one.ip == ip), None)
