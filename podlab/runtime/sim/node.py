"""Everything that one simulated node holds, and how it comes back from its journal. `runtime` works on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from podlab.clock import Clock
from podlab.runtime.images import ImageInfo
from podlab.runtime.interface import ContainerConfig, PodRef, SandboxConfig, SandboxStatus
from podlab.runtime.node_files import NodeFile, from_json, to_json
from podlab.runtime.sim import chance, images, records
from podlab.runtime.sim.container import START_ERROR, Ended, SimContainer, Volumes
from podlab.runtime.sim.journal import Journal, Record
from podlab.runtime.sim.outside import Question

# The journal is written anew when most of it is about things that are gone.
REWRITE_AT = 2000
_HAPPENED = ("micros", "signal", "files", "memory_limit", "asked", "answer")


@dataclass(slots=True)
class Sandbox:
    id: str
    config: SandboxConfig
    ip: str
    created_at: datetime
    ready: bool = True

    def status(self) -> SandboxStatus:
        return SandboxStatus(
            id=self.id,
            pod=self.config.pod,
            attempt=self.config.attempt,
            ready=self.ready,
            ip=self.ip if self.ready else "",
            created_at=self.created_at,
        )


@dataclass(slots=True)
class Placed:
    """`told`: the same as a container hears it, made when one asks."""

    files: Mapping[str, NodeFile]
    told: dict[str, Any] | None = None

    def tell(self) -> dict[str, Any]:
        if self.told is None:
            self.told = {path: to_json(file) for path, file in self.files.items()}
        return self.told


@dataclass(slots=True)
class Node:
    """`subnet`: the node's share of the pod network, as in 10.244.<subnet>.x."""

    cluster: str
    name: str
    clock: Clock
    seed: int
    journal: Journal
    subnet: int
    sandboxes: dict[str, Sandbox] = field(default_factory=dict)
    containers: dict[str, SimContainer] = field(default_factory=dict)
    images: dict[str, ImageInfo] = field(default_factory=dict)  # by ref
    volumes: Volumes = field(default_factory=dict)
    # What the kubelet placed in volumes, by their roots. It places it again after a restart.
    placed: dict[str, Placed] = field(default_factory=dict)
    origin: str = ""  # another one: the same seed gives other ids
    made: int = 0  # sandboxes and containers ever made: ids follow from it and the seed, the same in every run
    announce: Callable[[SimContainer], None] = field(default=lambda container: None)
    network: Callable[[SimContainer, Question], Any] = field(default=lambda container, question: None)

    def next_id(self) -> str:
        self.made += 1
        return chance.hex_id(self.seed, self.name, self.made, *([self.origin] if self.origin else []))

    def free_ip(self) -> str:
        used = {sandbox.ip for sandbox in self.sandboxes.values() if sandbox.ready}
        hosts = (f"10.{244 + number // 62500}.{self.subnet}.{number % 250 + 2}" for number in range(250))
        return next((ip for ip in hosts if ip not in used), f"10.244.{self.subnet}.254")

    def write(self, op: str, **data: Any) -> None:
        self.journal.append({"op": op, "at": self.clock.now().isoformat(), **data})
        if self.journal.written > REWRITE_AT:
            records = list(self.snapshot())
            if len(records) * 2 < self.journal.written:
                self.journal.rewrite(records)

    def add_sandbox(self, id: str, config: SandboxConfig, ip: str, at: datetime) -> Sandbox:
        self.sandboxes[id] = sandbox = Sandbox(id, config, ip, at)
        return sandbox

    def add_container(self, id: str, sandbox_id: str, config: ContainerConfig, at: datetime) -> SimContainer:
        sandbox = self.sandboxes[sandbox_id]
        container = SimContainer(
            id=id,
            sandbox_id=sandbox_id,
            config=config,
            hostname=sandbox.config.hostname,
            image_id=config.image_id or self.images[config.image].id,
            created_at=at,
            clock=self.clock,
            seed=self.seed,
            volumes=self.volumes,
            on_end=self._container_ended,
            on_volume=lambda path, inner, file: self.write("volume", path=path, inner=inner, text=to_json(file)),
            ip=sandbox.ip,
            network=lambda asking, question: self.network(asking, question),
            on_heard=lambda hearing, record: self.write("happened", id=hearing.id, **record),
        )
        self.containers[id] = container
        return container

    def remove_sandbox(self, id: str) -> None:
        sandbox = self.sandboxes.pop(id, None)
        if sandbox is not None and not any(self.of_pod(sandbox.config.pod.uid)):
            # Host paths of a pod's volumes carry its uid.
            for held in (self.volumes, self.placed):
                for path in [path for path in held if sandbox.config.pod.uid in path]:
                    del held[path]

    def of_pod(self, uid: str) -> Iterator[Sandbox]:
        return (sandbox for sandbox in self.sandboxes.values() if sandbox.config.pod.uid == uid)

    def containers_of(self, uid: str) -> Iterator[SimContainer]:
        return (container for container in self.containers.values() if container.config.pod.uid == uid)

    def in_sandbox(self, sandbox_id: str) -> list[SimContainer]:
        return [one for one in self.containers.values() if one.sandbox_id == sandbox_id]

    def pods(self) -> dict[str, PodRef]:
        refs = [sandbox.config.pod for sandbox in self.sandboxes.values()]
        refs += [container.config.pod for container in self.containers.values()]
        return {ref.uid: ref for ref in refs}

    def _container_ended(self, container: SimContainer) -> None:
        assert container.ended is not None
        self.write_end(container)
        self.announce(container)

    def write_end(self, container: SimContainer) -> None:
        ended = container.ended
        assert ended is not None
        self.write(
            "end",
            id=container.id,
            end=ended.at.isoformat(),
            code=ended.code,
            reason=ended.reason,
            message=ended.message,
        )

    # Coming back

    def load(self) -> None:
        """Rebuild everything from the journal; what ended in the meantime has ended at its time."""
        loaded = self.journal.load()
        starts: dict[str, datetime] = {}
        ends: dict[str, Ended] = {}
        for record in loaded:
            self._replay(record, starts, ends)
        for container in sorted(self.containers.values(), key=lambda one: starts.get(one.id, one.created_at)):
            ended = ends.get(container.id)
            if ended is not None and ended.reason == START_ERROR:
                container.fail_to_start(ended)
            elif container.id in starts:
                self._restore(container, starts[container.id], ended)
        fresh = list(self.snapshot())
        if len(fresh) < len(loaded):
            self.journal.rewrite(fresh)

    @staticmethod
    def _restore(container: SimContainer, at: datetime, ended: Ended | None) -> None:
        problem = container.problem(at) if ended is None else ""
        if problem:  # the process died between the start and the note of its failure
            container.fail_to_start(Ended(at, 128, START_ERROR, problem))
        else:
            container.restore(at, ended)

    def _replay(self, record: Record, starts: dict[str, datetime], ends: dict[str, Ended]) -> None:
        op, at = record["op"], datetime.fromisoformat(record["at"])
        if op == "pull":
            self.images[record["ref"]] = images.info(record["ref"])
        elif op == "made":
            self.made = max(self.made, record["made"])
        elif op == "sandbox":
            self.made = max(self.made, record["made"])
            self.add_sandbox(record["id"], records.to_sandbox(record["config"]), record["ip"], at)
        elif op == "stop-sandbox" and record["id"] in self.sandboxes:
            self.sandboxes[record["id"]].ready = False
        elif op == "remove-sandbox":
            self.remove_sandbox(record["id"])
        elif op == "create":
            self.made = max(self.made, record["made"])
            self.add_container(record["id"], record["sandbox"], records.to_container(record["config"]), at)
        elif op == "volume":
            store = self.volumes.setdefault(record["path"], {})
            if (file := from_json(record["text"])) is None:
                store.pop(record["inner"], None)
            else:
                store[record["inner"]] = file
        elif op == "remove":
            self.containers.pop(record["id"], None)
        elif record.get("id") in self.containers:
            self._replay_life(self.containers[record["id"]], record, starts, ends)

    @staticmethod
    def _replay_life(
        container: SimContainer, record: Record, starts: dict[str, datetime], ends: dict[str, Ended]
    ) -> None:
        op = record["op"]
        if op == "start":
            starts[container.id] = datetime.fromisoformat(record["at"])
        elif op == "happened":
            container.happened.append({key: record[key] for key in _HAPPENED if key in record})
        elif op == "end":
            at = datetime.fromisoformat(record["end"])
            ends[container.id] = Ended(at, record["code"], record["reason"], record["message"])

    def snapshot(self) -> Iterator[Record]:
        """Records from which `load` makes the present state."""
        now = self.clock.now().isoformat()
        yield {"op": "made", "at": now, "made": self.made}
        for ref in self.images:
            yield {"op": "pull", "at": now, "ref": ref}
        for sandbox in self.sandboxes.values():
            yield sandbox_record(sandbox, self.made)
            if not sandbox.ready:
                yield {"op": "stop-sandbox", "at": now, "id": sandbox.id}
        for path, store in self.volumes.items():
            for inner, file in store.items():
                yield {"op": "volume", "at": now, "path": path, "inner": inner, "text": to_json(file)}
        for container in self.containers.values():
            yield container_record(container, self.made)
            if container.started_at is not None:
                yield {"op": "start", "at": container.started_at.isoformat(), "id": container.id}
            for happened in container.happened:
                yield {"op": "happened", "at": now, "id": container.id, **happened}
            if (ended := container.ended) is not None:
                end = {
                    "end": ended.at.isoformat(),
                    "code": ended.code,
                    "reason": ended.reason,
                    "message": ended.message,
                }
                yield {"op": "end", "at": now, "id": container.id, **end}


def sandbox_record(sandbox: Sandbox, made: int) -> Record:
    config = records.from_sandbox(sandbox.config)
    at = sandbox.created_at.isoformat()
    return {"op": "sandbox", "at": at, "id": sandbox.id, "ip": sandbox.ip, "made": made, "config": config}


def container_record(container: SimContainer, made: int) -> Record:
    config = records.from_container(container.config)
    at = container.created_at.isoformat()
    return {
        "op": "create",
        "at": at,
        "id": container.id,
        "sandbox": container.sandbox_id,
        "made": made,
        "config": config,
    }
