"""Which pods want to be near each other and which apart (framework/plugins/interpodaffinity: filtering.go, scoring.go).

`prepare` counts once over all nodes what `check` then asks of each one: for every value of a topology label, how many pods
there match. matchLabelKeys are part of the selectors since the pod was made (`apis.label_keys`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from podlab.apis import selectors
from podlab.apis.selectors import LabelSelector
from podlab.apis.types import Manifest
from podlab.scheduler.nodes import NodeInfo
from podlab.scheduler.plugins.interface import Namespaces, Rejection

AFFINITY = "node(s) didn't match pod affinity rules"
ANTI_AFFINITY = "node(s) didn't match pod anti-affinity rules"
EXISTING_ANTI_AFFINITY = "node(s) didn't satisfy existing pods anti-affinity rules"

_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
# What a required affinity of a pod that is there already weighs for one that it wants beside it (HardPodAffinityWeight).
_HARD_WEIGHT = 1

Pair = tuple[str, str]  # a topology label: key, value


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One PodAffinityTerm of some pod. `weight` counts for preferred ones only."""

    key: str
    selector: LabelSelector
    namespaces: frozenset[str]
    others: LabelSelector  # selects further namespaces
    weight: int = 0

    def matches(self, pod: Manifest, namespaces: Namespaces) -> bool:
        meta = pod["metadata"]
        place = meta.get("namespace", "")
        if place not in self.namespaces and not self.others.matches(namespaces.get(place)):
            return False
        return self.selector.matches(meta.get("labels"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What `check` needs. `near`, `apart`: pods that the pod's own terms match; `kept_out`: terms of others that match the
    pod. `examples` names one pod for each, for the explanation."""

    wants: tuple[Term, ...] = ()
    shuns: tuple[Term, ...] = ()
    namespaces: Namespaces = field(default_factory=dict)
    near: Mapping[Pair, int] = field(default_factory=dict)
    apart: Mapping[Pair, int] = field(default_factory=dict)
    kept_out: Mapping[Pair, int] = field(default_factory=dict)
    examples: Mapping[tuple[str, Pair], str] = field(default_factory=dict)

    def changed(self, pod: Manifest, other: Manifest, node: NodeInfo, by: int) -> Counts:
        """As if `other` came to the node (`by` 1), or left it (-1)."""
        found = list(_pairs(self, pod, other, node.labels))
        if not found:
            return self
        into = {"near": Counter(self.near), "apart": Counter(self.apart), "kept_out": Counter(self.kept_out)}
        for which, pair in found:
            into[which][pair] += by
        # A pair that nobody is left of counts as absent: the rule of the first pod looks for an empty map.
        kept = {which: {pair: count for pair, count in counts.items() if count} for which, counts in into.items()}
        return replace(self, near=kept["near"], apart=kept["apart"], kept_out=kept["kept_out"])


def prepare(pod: Manifest, nodes: Sequence[NodeInfo], namespaces: Namespaces) -> Counts:
    wants, shuns = required(pod, "podAffinity"), required(pod, "podAntiAffinity")
    counts = Counts(wants=wants, shuns=shuns, namespaces=namespaces)
    into: dict[str, Counter[Pair]] = {"near": Counter(), "apart": Counter(), "kept_out": Counter()}
    examples: dict[tuple[str, Pair], str] = {}
    for node in nodes:
        for other in node.residents:
            for which, pair in _pairs(counts, pod, other, node.labels):
                into[which][pair] += 1
                examples.setdefault((which, pair), _name(other))
    return replace(counts, near=into["near"], apart=into["apart"], kept_out=into["kept_out"], examples=examples)


def check(pod: Manifest, node: NodeInfo, counts: Counts) -> Rejection | None:
    missing = next((term.key for term in counts.wants if term.key not in node.labels), None)
    if missing is not None:
        return Rejection((AFFINITY,), detail=f"the node has no label {missing}")
    alone = next((term.key for term in counts.wants if not counts.near.get((term.key, node.labels[term.key]))), None)
    if alone is not None and not _is_first(pod, counts):
        return Rejection((AFFINITY,), detail=f"no pod in {alone}={node.labels[alone]} is one that it wants to be near")
    for which, reason, pairs in (
        ("apart", ANTI_AFFINITY, [(term.key, node.labels.get(term.key, "")) for term in counts.shuns]),
        ("kept_out", EXISTING_ANTI_AFFINITY, list(node.labels.items()) if counts.kept_out else []),
    ):
        held = counts.apart if which == "apart" else counts.kept_out
        found = next((pair for pair in pairs if pair[0] in node.labels and held.get(pair, 0) > 0), None)
        if found is not None:
            beside = counts.examples.get((which, found), "a nominated pod")
            return Rejection((reason,), resolvable=True, detail=f"{beside} is in {found[0]}={found[1]}")
    return None


def scores(
    pod: Manifest, fitting: Sequence[NodeInfo], nodes: Sequence[NodeInfo], namespaces: Namespaces
) -> dict[str, int] | None:
    """0…100 for each fitting node, the best having 100; None if no preference of anybody is about this pod."""
    likes, dislikes = preferred(pod, "podAffinity"), preferred(pod, "podAntiAffinity")
    worth: Counter[Pair] = Counter()
    for node in nodes:
        for other in node.residents:
            for term, by in _preferences(pod, other, likes, dislikes, namespaces):
                if term.key in node.labels:
                    worth[term.key, node.labels[term.key]] += by
    if not worth:
        return None
    raw = {node.name: sum(worth.get(pair, 0) for pair in node.labels.items()) for node in fitting}
    low, span = min(raw.values()), max(raw.values()) - min(raw.values())
    return {name: int(100 * ((value - low) / span)) if span else 0 for name, value in raw.items()}


def required(pod: Manifest, kind: str) -> tuple[Term, ...]:
    rules = (pod["spec"].get("affinity") or {}).get(kind) or {}
    return tuple(_term(pod, item) for item in rules.get(_REQUIRED) or ())


def preferred(pod: Manifest, kind: str) -> tuple[Term, ...]:
    rules = (pod["spec"].get("affinity") or {}).get(kind) or {}
    items = rules.get(_PREFERRED) or ()
    return tuple(_term(pod, item.get("podAffinityTerm") or {}, int(item.get("weight") or 0)) for item in items)


def selects_namespaces(pod: Manifest) -> bool:
    """Whether some term of the pod can only be judged by the labels of namespaces."""
    affinity = pod["spec"].get("affinity") or {}
    if not affinity.get("podAffinity") and not affinity.get("podAntiAffinity"):
        return False
    found = (read(pod, kind) for kind in ("podAffinity", "podAntiAffinity") for read in (required, preferred))
    return any(not term.others.nothing for terms in found for term in terms)


def _term(pod: Manifest, item: Manifest, weight: int = 0) -> Term:
    """Without namespaces and a selector of them, a term is about the pod's own namespace."""
    named, selecting = item.get("namespaces") or (), item.get("namespaceSelector")
    own = (pod["metadata"].get("namespace", ""),)
    return Term(
        key=item.get("topologyKey", ""),
        selector=selectors.from_label_selector(item.get("labelSelector")),
        namespaces=frozenset(named or (own if selecting is None else ())),
        others=selectors.from_label_selector(selecting),
        weight=weight,
    )


def _pairs(counts: Counts, pod: Manifest, other: Manifest, labels: Mapping[str, str]) -> Iterator[tuple[str, Pair]]:
    """What `other`, on a node with these labels, adds to which count. Affinity counts pods that match every term,
    anti-affinity each term by itself."""
    if counts.wants and all(term.matches(other, counts.namespaces) for term in counts.wants):
        yield from (("near", (term.key, labels[term.key])) for term in counts.wants if term.key in labels)
    for term in counts.shuns:
        if term.key in labels and term.matches(other, counts.namespaces):
            yield "apart", (term.key, labels[term.key])
    if (other["spec"].get("affinity") or {}).get("podAntiAffinity"):
        for term in required(other, "podAntiAffinity"):
            if term.key in labels and term.matches(pod, counts.namespaces):
                yield "kept_out", (term.key, labels[term.key])


def _is_first(pod: Manifest, counts: Counts) -> bool:
    """The first of pods that want to be near each other may go anywhere, else none of them ever could."""
    return not counts.near and all(term.matches(pod, counts.namespaces) for term in counts.wants)


def _preferences(
    pod: Manifest, other: Manifest, likes: Sequence[Term], dislikes: Sequence[Term], namespaces: Namespaces
) -> Iterator[tuple[Term, int]]:
    """What the presence of `other` is worth, by the pod's own wishes and by those of `other`."""
    for term in likes:
        if term.matches(other, namespaces):
            yield term, term.weight
    for term in dislikes:
        if term.matches(other, namespaces):
            yield term, -term.weight
    if not other["spec"].get("affinity"):
        return
    for terms, sign, weight in (
        (required(other, "podAffinity"), 1, _HARD_WEIGHT),
        (preferred(other, "podAffinity"), 1, 0),
        (preferred(other, "podAntiAffinity"), -1, 0),
    ):
        for term in terms:
            if term.matches(pod, namespaces):
                yield term, sign * (weight or term.weight)


def _name(pod: Manifest) -> str:
    return f"{pod['metadata'].get('namespace', '')}/{pod['metadata']['name']}"
