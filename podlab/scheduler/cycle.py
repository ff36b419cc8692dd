"""The scheduling decision: filter, score, and the words for both. Pure; `bind` acts on it.

Texts follow FitError in pkg/scheduler/framework/types.go and the DefaultPreemption and DynamicResources post-filters of
Kubernetes 1.36.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from podlab.apis import pods as pod_facts
from podlab.apis.types import Manifest
from podlab.scheduler.nodes import NodeInfo, requests_of
from podlab.scheduler.plugins import volume_binding
from podlab.scheduler.plugins.interface import Rejection, Scorer
from podlab.scheduler.plugins.registry import FILTERS, SCORERS, STORAGE_FILTERS
from podlab.scheduler.plugins.volume_binding import Binding, Storage

NAME = "default-scheduler"

NO_NODES = "no nodes available to schedule pods"
NO_VICTIMS = "No preemption victims found for incoming pod"
NOT_HELPFUL = "Preemption is not helpful for scheduling"
NO_CLAIMS = "no new claims to deallocate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """`node` or, when none fits, `message` in Kubernetes' words. `reasons` per rejected node and `scores` per fitting
    one show how it came about; `why` says it in a sentence or two. `bindings`: what must be bound before the pod is."""

    node: str | None
    message: str
    why: str
    reasons: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    scores: Mapping[str, int] = field(default_factory=dict)
    bindings: tuple[Binding, ...] = ()


def wants_node(pod: Manifest) -> bool:
    """The pod is ours to place, now."""
    spec = pod["spec"]
    return (
        not spec.get("nodeName")
        and spec.get("schedulerName", NAME) == NAME
        and not spec.get("schedulingGates")
        and not pod["metadata"].get("deletionTimestamp")
        and not pod_facts.is_terminal(pod)
    )


def schedule(pod: Manifest, nodes: Sequence[NodeInfo], *, seed: int = 0, storage: Storage | None = None) -> Placement:
    """Choose a node for the pod. `seed` breaks ties between equal scores, always in the same way. `storage`: what there is
    for the pod's claims, if it has any."""
    if not nodes:
        return Placement(node=None, message=NO_NODES, why="The cluster has no nodes.")
    storage = storage or Storage()
    refusal = _refused_outright(pod, len(nodes), storage)
    if refusal is not None:
        return refusal
    rejections: dict[str, Rejection] = {}
    fitting: list[NodeInfo] = []
    for node in nodes:
        rejection = _rejection(pod, node, storage)
        if rejection is None:
            fitting.append(node)
        else:
            rejections[node.name] = rejection
    reasons = {name: rejection.reasons for name, rejection in rejections.items()}
    if not fitting:
        message = _fit_error(pod, rejections)
        return Placement(node=None, message=message, why=_why_none(pod, reasons), reasons=reasons)
    scores = _scores(pod, fitting)
    best = min(fitting, key=lambda node: (-scores[node.name], _lot(seed, pod, node.name)))
    return Placement(
        node=best.name,
        message="",
        why=_why_chosen(pod, best, scores, reasons),
        reasons=reasons,
        scores=scores,
        bindings=volume_binding.bindings(pod, best, storage) or (),
    )


def _rejection(pod: Manifest, node: NodeInfo, storage: Storage) -> Rejection | None:
    for check in FILTERS:
        rejection = check(pod, node)
        if rejection is not None:
            return rejection
    for check_storage in STORAGE_FILTERS:
        rejection = check_storage(pod, node, storage)
        if rejection is not None:
            return rejection
    return None


def _refused_outright(pod: Manifest, count: int, storage: Storage) -> Placement | None:
    """What no node can give: claims that are missing or not bound, and rules that this scheduler does not know yet."""
    spec = pod["spec"]
    prefix = f"0/{count} nodes are available: "
    if text := volume_binding.refusal(pod, storage):
        # The end is what the post-filters of 1.36 add when no node was looked at.
        return Placement(
            node=None, message=f"{prefix}{text}. not found", why=f"{text}: the pod waits until this changes."
        )
    affinity = spec.get("affinity") or {}
    required = "requiredDuringSchedulingIgnoredDuringExecution"
    unknown = [
        f"affinity.{name}" for name in ("podAffinity", "podAntiAffinity") if (affinity.get(name) or {}).get(required)
    ]
    if any(one.get("whenUnsatisfiable") == "DoNotSchedule" for one in spec.get("topologySpreadConstraints") or ()):
        unknown.append("topologySpreadConstraints")
    if spec.get("resourceClaims"):
        unknown.append("resourceClaims")
    if not unknown:
        return None
    text = f"podlab's scheduler does not honour spec.{unknown[0]} yet"
    return Placement(node=None, message=f"{prefix}{text}.", why=f"{text}, so it places the pod nowhere.")


def _counted(reasons: Iterable[str]) -> str:
    """ "2 Insufficient cpu, 1 Too many pods": sorted as strings, as Kubernetes does."""
    return ", ".join(sorted(f"{count} {reason}" for reason, count in Counter(reasons).items()))


def _fit_error(pod: Manifest, rejections: Mapping[str, Rejection]) -> str:
    prefix = f"0/{len(rejections)} nodes are available: "
    filtered = _counted(reason for rejection in rejections.values() for reason in rejection.reasons)
    if pod["spec"].get("preemptionPolicy") == "Never":
        preemption = "not eligible due to preemptionPolicy=Never."
    else:
        outcomes = (NO_VICTIMS if rejection.resolvable else NOT_HELPFUL for rejection in rejections.values())
        preemption = f"{prefix}{_counted(outcomes)}."
    return f"{prefix}{filtered}. {NO_CLAIMS}, preemption: {preemption}"


def _scaled(scorer: Scorer, raw: Mapping[str, int]) -> dict[str, int]:
    if scorer.scale == "as is":
        return dict(raw)
    top = max(raw.values())
    if scorer.scale == "most":
        return {name: value * 100 // top if top else 0 for name, value in raw.items()}
    return {name: 100 - value * 100 // top if top else 100 for name, value in raw.items()}


def _scores(pod: Manifest, nodes: Sequence[NodeInfo]) -> dict[str, int]:
    total = dict.fromkeys((node.name for node in nodes), 0)
    for scorer in SCORERS:
        for name, value in _scaled(scorer, {node.name: scorer.score(pod, node) for node in nodes}).items():
            total[name] += scorer.weight * value
    return total


def _lot(seed: int, pod: Manifest, node: str) -> str:
    """Draws between equal nodes. The uid is left out: the same manifest must land on the same node in a replay."""
    metadata = pod["metadata"]
    return hashlib.sha256(f"{seed}/{metadata.get('namespace', '')}/{metadata['name']}/{node}".encode()).hexdigest()


def _asks(pod: Manifest) -> str:
    asked = requests_of(pod)
    return f"{asked.cpu_milli}m cpu and {asked.memory // (1024 * 1024)}Mi memory"


def _why_none(pod: Manifest, reasons: Mapping[str, tuple[str, ...]]) -> str:
    each = "; ".join(f"{name}: {', '.join(texts)}" for name, texts in reasons.items())
    return f"No node can take this pod, which requests {_asks(pod)}. {each}."


def _why_chosen(
    pod: Manifest, best: NodeInfo, scores: Mapping[str, int], reasons: Mapping[str, tuple[str, ...]]
) -> str:
    ruled_out = "; ".join(f"{name} ({', '.join(texts)})" for name, texts in reasons.items())
    out = f" Ruled out: {ruled_out}." if ruled_out else ""
    if len(scores) == 1:
        return f"{best.name} is the only node that fits a request of {_asks(pod)}.{out}"
    others = ", ".join(f"{name} {score}" for name, score in scores.items() if name != best.name)
    tied = sum(score == scores[best.name] for score in scores.values()) > 1
    how = "drawn among equals" if tied else "the highest"
    return f"{best.name} scored {scores[best.name]}, {how} (others: {others}), for a request of {_asks(pod)}.{out}"
