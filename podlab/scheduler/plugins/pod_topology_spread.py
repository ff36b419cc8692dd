"""How evenly pods must lie over zones, hosts and other domains (framework/plugins/podtopologyspread: filtering.go,
scoring.go, common.go).

`prepare` counts once over all nodes; `check` asks whether this node's domain would get too far ahead of the emptiest one.
matchLabelKeys are part of the selectors since the pod was made (`apis.label_keys`). Kubernetes' own default constraints for
pods behind Services are not there.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from podlab.apis import selectors
from podlab.apis.selectors import LabelSelector
from podlab.apis.types import Manifest
from podlab.scheduler.nodes import NodeInfo
from podlab.scheduler.plugins import node_affinity, taint_toleration
from podlab.scheduler.plugins.interface import Rejection

REASON = "node(s) didn't match pod topology spread constraints"
NO_LABEL = f"{REASON} (missing required label)"
HOSTNAME = "kubernetes.io/hostname"


@dataclass(frozen=True, slots=True, kw_only=True)
class Constraint:
    key: str
    max_skew: int
    min_domains: int
    selector: LabelSelector
    honours_affinity: bool
    honours_taints: bool

    def counts(self, pod: Manifest, node: NodeInfo) -> bool:
        """Whether the node belongs to the domains over which the pod spreads."""
        if self.honours_affinity and node_affinity.check(pod, node) is not None:
            return False
        return not self.honours_taints or taint_toleration.check(pod, node) is None

    def pods_on(self, pod: Manifest, node: NodeInfo) -> int:
        return sum(self.selects(pod, other) for other in node.residents)

    def selects(self, pod: Manifest, other: Manifest) -> bool:
        """An empty selector counts nothing, and pods on their way out do not count."""
        meta = other["metadata"]
        if self.selector.empty or meta.get("deletionTimestamp"):
            return False
        same = meta.get("namespace") == pod["metadata"].get("namespace")
        return same and self.selector.matches(meta.get("labels"))


@dataclass(frozen=True, slots=True)
class Counts:
    """For each required constraint, how many pods each domain has; only domains that count."""

    constraints: tuple[Constraint, ...] = ()
    domains: tuple[Mapping[str, int], ...] = ()

    def changed(self, pod: Manifest, other: Manifest, node: NodeInfo, by: int) -> Counts:
        """As if `other` came to the node (`by` 1), or left it (-1)."""
        if not _has_all(node, self.constraints):
            return self
        found = []
        for constraint, domains in zip(self.constraints, self.domains, strict=True):
            if constraint.selects(pod, other) and constraint.counts(pod, node):
                value = node.labels[constraint.key]
                found.append({**domains, value: domains.get(value, 0) + by})
            else:
                found.append(dict(domains))
        return replace(self, domains=tuple(found))


def constraints(pod: Manifest, action: str) -> tuple[Constraint, ...]:
    return tuple(
        Constraint(
            key=one["topologyKey"],
            max_skew=int(one["maxSkew"]),
            min_domains=int(one.get("minDomains") or 1),
            selector=selectors.from_label_selector(one.get("labelSelector")),
            honours_affinity=(one.get("nodeAffinityPolicy") or "Honor") == "Honor",
            honours_taints=(one.get("nodeTaintsPolicy") or "Ignore") == "Honor",
        )
        for one in pod["spec"].get("topologySpreadConstraints") or ()
        if one.get("whenUnsatisfiable") == action
    )


def prepare(pod: Manifest, nodes: Sequence[NodeInfo]) -> Counts:
    """A node without one of the labels is in no domain of any constraint."""
    wanted = constraints(pod, "DoNotSchedule")
    if not wanted:
        return Counts()
    domains: tuple[Counter[str], ...] = tuple(Counter() for _ in wanted)
    for node in nodes:
        if not _has_all(node, wanted):
            continue
        for constraint, counter in zip(wanted, domains, strict=True):
            if constraint.counts(pod, node):
                counter[node.labels[constraint.key]] += constraint.pods_on(pod, node)
    return Counts(wanted, domains)


def check(pod: Manifest, node: NodeInfo, counts: Counts) -> Rejection | None:
    for constraint, domains in zip(counts.constraints, counts.domains, strict=True):
        value = node.labels.get(constraint.key)
        if value is None:
            return Rejection((NO_LABEL,), detail=f"the node has no label {constraint.key}")
        enough = len(domains) >= constraint.min_domains
        least = min(domains.values(), default=0) if enough else 0
        own = constraint.selector.matches(pod["metadata"].get("labels"))
        would = domains.get(value, 0) + own
        if would - least > constraint.max_skew:
            few = "" if enough else f" as there are fewer than {constraint.min_domains} domains"
            told = f"{constraint.key}={value} would have {would} of these pods and the least is {least}{few}"
            return Rejection((REASON,), resolvable=True, detail=f"{told} with maxSkew {constraint.max_skew}")
    return None


def scores(pod: Manifest, fitting: Sequence[NodeInfo], nodes: Sequence[NodeInfo]) -> dict[str, int] | None:
    """0…100 for each fitting node by ScheduleAnyway constraints, the emptiest domain having 100; None without any."""
    wanted = constraints(pod, "ScheduleAnyway")
    if not wanted:
        return None
    scored = [node for node in fitting if _has_all(node, wanted)]
    domains = [_domains(pod, constraint, scored, nodes, wanted) for constraint in wanted]
    # The more domains, the more a pod in one of them weighs.
    weights = [
        math.log((len(scored) if one.key == HOSTNAME else len(found)) + 2)
        for one, found in zip(wanted, domains, strict=True)
    ]
    raw = {
        node.name: _round(
            sum(
                _held(pod, one, node, found) * weight + one.max_skew - 1
                for one, found, weight in zip(wanted, domains, weights, strict=True)
            )
        )
        for node in scored
    }
    return {node.name: _scaled(raw, node.name) for node in fitting}


def _domains(
    pod: Manifest,
    constraint: Constraint,
    scored: Sequence[NodeInfo],
    nodes: Sequence[NodeInfo],
    wanted: Sequence[Constraint],
) -> Counter[str]:
    """Pods in each domain that a fitting node is in; hosts are counted one by one."""
    if constraint.key == HOSTNAME:
        return Counter()
    found: Counter[str] = Counter(dict.fromkeys((node.labels[constraint.key] for node in scored), 0))
    for node in nodes:
        if not _has_all(node, wanted) or (value := node.labels[constraint.key]) not in found:
            continue
        if constraint.counts(pod, node):
            found[value] += constraint.pods_on(pod, node)
    return found


def _held(pod: Manifest, constraint: Constraint, node: NodeInfo, domains: Mapping[str, int]) -> int:
    return constraint.pods_on(pod, node) if constraint.key == HOSTNAME else domains[node.labels[constraint.key]]


def _scaled(raw: Mapping[str, int], name: str) -> int:
    if name not in raw:
        return 0
    most, least = max(raw.values()), min(raw.values())
    return 100 * (most + least - raw[name]) // most if most else 100


def _round(value: float) -> int:
    return math.floor(value + 0.5)


def _has_all(node: NodeInfo, wanted: Sequence[Constraint]) -> bool:
    return all(one.key in node.labels for one in wanted)
