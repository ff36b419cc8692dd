"""The scheduling decision: filter, score, else preempt, and the words for all. Pure; `bind` acts on it.

Texts follow FitError in pkg/scheduler/framework/types.go and the DefaultPreemption and DynamicResources post-filters of
Kubernetes 1.36.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from podlab.apis import pods as pod_facts
from podlab.apis.types import Manifest
from podlab.scheduler import filtering, preemption
from podlab.scheduler.nodes import NodeInfo, nominated_node, requests_of
from podlab.scheduler.plugins import inter_pod_affinity, pod_topology_spread, volume_binding
from podlab.scheduler.plugins.interface import Namespaces, Rejection, Scorer
from podlab.scheduler.plugins.registry import SCORERS
from podlab.scheduler.plugins.volume_binding import Binding, Storage

NAME = "default-scheduler"

NO_NODES = "no nodes available to schedule pods"
NO_CLAIMS = "no new claims to deallocate"
# What rules about other pods weigh among the scores (default_plugins.go).
SPREAD_WEIGHT = 2
AFFINITY_WEIGHT = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """`node` or, when none fits, `message` in Kubernetes' words. `reasons` per rejected node and `scores` per fitting
    one show how it came about; `why` says it in a sentence or two. `bindings`: what must be bound before the pod is.
    `victims` must leave `nominated` first; that is the node for which the pod is kept a place, "" for none any more, None if
    nothing is said of it."""

    node: str | None
    message: str
    why: str
    reasons: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    scores: Mapping[str, int] = field(default_factory=dict)
    bindings: tuple[Binding, ...] = ()
    nominated: str | None = None
    victims: tuple[Manifest, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a decision may depend on beside pod and nodes: `storage` for the pod's claims, the labels of `namespaces` if a
    term selects them, disruption `budgets` if the pod could preempt another."""

    storage: Storage = field(default_factory=Storage)
    namespaces: Namespaces = field(default_factory=dict)
    budgets: Sequence[Manifest] = ()


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


def schedule(
    pod: Manifest, nodes: Sequence[NodeInfo], *, seed: int = 0, around: Surroundings | None = None
) -> Placement:
    """Choose a node for the pod. `seed` breaks ties between equal scores, always in the same way."""
    if not nodes:
        return Placement(node=None, message=NO_NODES, why="The cluster has no nodes.")
    around = around or Surroundings()
    refusal = _refused_outright(pod, len(nodes), around.storage)
    if refusal is not None:
        return refusal
    state = filtering.prepare(pod, nodes, around.storage, around.namespaces)
    fitting, rejections = _filter(pod, nodes, state)
    if not fitting:
        return _unplaced(pod, nodes, rejections, state, around.budgets)
    scores = _scores(pod, fitting, nodes, around.namespaces)
    best = min(fitting, key=lambda node: (-scores[node.name], _lot(seed, pod, node.name)))
    return Placement(
        node=best.name,
        message="",
        why=_why_chosen(pod, best, scores, rejections),
        reasons={name: rejection.reasons for name, rejection in rejections.items()},
        scores=scores,
        bindings=volume_binding.bindings(pod, best, around.storage) or (),
    )


def _filter(
    pod: Manifest, nodes: Sequence[NodeInfo], state: filtering.State
) -> tuple[list[NodeInfo], dict[str, Rejection]]:
    """The nodes that fit, and why the others do not. The one for which the pod has ended others is its own if it fits."""
    place = nominated_node(pod)
    kept = next((node for node in nodes if place and node.name == place), None)
    if kept is not None and filtering.rejection(pod, kept, state) is None:
        return [kept], {}
    fitting: list[NodeInfo] = []
    rejections: dict[str, Rejection] = {}
    for node in nodes:
        rejection = filtering.rejection(pod, node, state)
        if rejection is None:
            fitting.append(node)
        else:
            rejections[node.name] = rejection
    return fitting, rejections


def _unplaced(
    pod: Manifest,
    nodes: Sequence[NodeInfo],
    rejections: Mapping[str, Rejection],
    state: filtering.State,
    budgets: Sequence[Manifest],
) -> Placement:
    """FitError.Error with the post-filters behind it: when one of these goes ahead, it adds nothing."""
    counted = Counter(reason for rejection in rejections.values() for reason in rejection.reasons)
    message = f"{preemption.fraction(len(nodes))}{preemption.listed(counted)}."
    found = preemption.preempt(pod, nodes, rejections, state, budgets)
    if found.message:
        message = f"{message} {NO_CLAIMS}, preemption: {found.message}"
    each = "; ".join(f"{name}: {', '.join(rejection.told)}" for name, rejection in rejections.items())
    why = f"No node can take this pod, which requests {_asks(pod)}. {each}."
    return Placement(
        node=None,
        message=message,
        why=f"{why} {found.why}" if found.why else why,
        reasons={name: rejection.reasons for name, rejection in rejections.items()},
        nominated=found.nominated,
        victims=found.victims,
    )


def _refused_outright(pod: Manifest, count: int, storage: Storage) -> Placement | None:
    """What no node can give: claims that are missing or not bound, and devices."""
    prefix = preemption.fraction(count)
    if text := volume_binding.refusal(pod, storage):
        # The end is what the post-filters of 1.36 add when no node was looked at.
        return Placement(
            node=None, message=f"{prefix}{text}. not found", why=f"{text}: the pod waits until this changes."
        )
    if not pod["spec"].get("resourceClaims"):
        return None
    text = "podlab's scheduler does not honour spec.resourceClaims yet"
    return Placement(node=None, message=f"{prefix}{text}.", why=f"{text}, so it places the pod nowhere.")


def _scaled(scorer: Scorer, raw: Mapping[str, int]) -> dict[str, int]:
    if scorer.scale == "as is":
        return dict(raw)
    top = max(raw.values())
    if scorer.scale == "most":
        return {name: value * 100 // top if top else 0 for name, value in raw.items()}
    return {name: 100 - value * 100 // top if top else 100 for name, value in raw.items()}


def _scores(
    pod: Manifest, fitting: Sequence[NodeInfo], nodes: Sequence[NodeInfo], namespaces: Namespaces
) -> dict[str, int]:
    total = dict.fromkeys((node.name for node in fitting), 0)
    if len(fitting) == 1:
        return total
    for scorer in SCORERS:
        for name, value in _scaled(scorer, {node.name: scorer.score(pod, node) for node in fitting}).items():
            total[name] += scorer.weight * value
    for weight, found in (
        (SPREAD_WEIGHT, pod_topology_spread.scores(pod, fitting, nodes)),
        (AFFINITY_WEIGHT, inter_pod_affinity.scores(pod, fitting, nodes, namespaces)),
    ):
        for name, value in (found or {}).items():
            total[name] += weight * value
    return total


def _lot(seed: int, pod: Manifest, node: str) -> str:
    """Draws between equal nodes. The uid is left out: the same manifest must land on the same node in a replay."""
    metadata = pod["metadata"]
    return hashlib.sha256(f"{seed}/{metadata.get('namespace', '')}/{metadata['name']}/{node}".encode()).hexdigest()


def _asks(pod: Manifest) -> str:
    asked = requests_of(pod)
    return f"{asked.cpu_milli}m cpu and {asked.memory // (1024 * 1024)}Mi memory"


def _why_chosen(pod: Manifest, best: NodeInfo, scores: Mapping[str, int], rejections: Mapping[str, Rejection]) -> str:
    ruled_out = "; ".join(f"{name} ({', '.join(found.told)})" for name, found in rejections.items())
    out = f" Ruled out: {ruled_out}." if ruled_out else ""
    if nominated_node(pod) == best.name:
        return f"{best.name} has the room that was made there for a request of {_asks(pod)}."
    if len(scores) == 1:
        return f"{best.name} is the only node that fits a request of {_asks(pod)}.{out}"
    others = ", ".join(f"{name} {score}" for name, score in scores.items() if name != best.name)
    tied = sum(score == scores[best.name] for score in scores.values()) > 1
    how = "drawn among equals" if tied else "the highest"
    return f"{best.name} scored {scores[best.name]}, {how} (others: {others}), for a request of {_asks(pod)}.{out}"
