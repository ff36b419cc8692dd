"""A node as the pods on it see it: what it has, what they ask for, and who fits where. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from podlab.apis import pod_summary, pods, quantity
from podlab.apis.types import Manifest
from podlab.glance import kubectl, summary


@dataclass(frozen=True, slots=True)
class Block:
    """A pod on a node; `share` is its part of the node's cpu or memory in percent, whichever is more."""

    namespace: str
    name: str
    uid: str
    tone: str
    cpu_milli: int
    memory_mib: int
    share: float


@dataclass(frozen=True, slots=True)
class Room:
    """What can be had of one resource, and how much of it is asked for."""

    name: str
    asked: int
    has: int
    unit: str

    @property
    def percent(self) -> int:
        return min(round(100 * self.asked / self.has), 100) if self.has else 0


MIB = 1024 * 1024


def room(node: Manifest, on_it: Sequence[Manifest]) -> list[Room]:
    has = (node.get("status") or {}).get("allocatable") or {}
    asked = [pods.effective_requests(pod) for pod in on_it if not pods.is_terminal(pod)]
    return [
        Room("cpu", sum(one.cpu_milli for one in asked), quantity.milli(has.get("cpu") or "0"), "m"),
        Room("memory", sum(one.memory_bytes for one in asked) // MIB, quantity.value(has.get("memory") or "0") // MIB, "Mi"),
        Room("pods", len(asked), quantity.value(has.get("pods") or "0"), ""),
    ]  # fmt: skip


def blocks(node: Manifest, on_it: Sequence[Manifest]) -> list[Block]:
    """The largest first; a pod that asks for nothing is a block all the same."""
    cpu, memory, _ = room(node, ())
    found = []
    for pod in on_it:
        if pods.is_terminal(pod):
            continue
        asked = pods.effective_requests(pod)
        share = max(asked.cpu_milli / (cpu.has or 1), asked.memory_bytes / MIB / (memory.has or 1))
        meta, told = pod["metadata"], pod_summary.summarise(pod)
        tone = summary.tone(told.status, f"{told.ready}/{told.total}")
        mib = asked.memory_bytes // MIB
        found.append(Block(meta["namespace"], meta["name"], meta["uid"], tone, asked.cpu_milli, mib, 100 * share))
    return sorted(found, key=lambda block: (-block.share, block.namespace, block.name))


@dataclass(frozen=True, slots=True)
class Verdict:
    """Why one node does not take a pod."""

    node: str
    reasons: tuple[str, ...]


_NONE = re.compile(
    r"^No node can take this pod, which requests .+?Mi memory\. (?P<each>.+?)\.(?: To make room, .+)?$", re.DOTALL
)
_EACH = re.compile(r"(?:^|; )(?P<node>[a-z0-9][a-z0-9.-]*): ")


def verdicts(why: str) -> list[Verdict]:
    """The scheduler's `why` (scheduler/cycle.py) node by node; nothing if it says something else."""
    found = _NONE.match(why)
    if found is None:
        return []
    each = found["each"]
    starts = list(_EACH.finditer(each))
    ends = [start.start() for start in starts[1:]] + [len(each)]
    return [
        Verdict(start["node"], tuple(each[start.end() : end].split(", ")))
        for start, end in zip(starts, ends, strict=True)
    ]


def stays(pod: Manifest) -> bool:
    """Whether draining leaves the pod where it is: a DaemonSet would bring it back at once, a mirror is only the image of a
    static pod. Source: kubectl's pkg/drain/filters.go with --ignore-daemonsets."""
    owners = pod["metadata"].get("ownerReferences") or ()
    return pods.is_mirror(pod) or any(one.get("controller") and one.get("kind") == "DaemonSet" for one in owners)


def command(do: str, name: str, *, cluster: str) -> str:
    """The kubectl line of cordon, uncordon or drain."""
    options = ["--ignore-daemonsets", "--delete-emptydir-data", "--force"] if do == "drain" else []
    return kubectl.line(do, name, *options, cluster=cluster)
