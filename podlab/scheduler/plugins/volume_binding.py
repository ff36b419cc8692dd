"""Claims of a pod: what must be bound, which nodes reach what is bound, and what binds on the chosen node.

framework/plugins/volumebinding: volume_binding.go PreFilter, binder.go FindPodVolumes; texts as in 1.36. Pure: `bind`
gathers a `Storage` for pods with claims and applies the bindings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from podlab.apis import quantity
from podlab.apis import volume_claims as facts
from podlab.apis.types import Manifest
from podlab.scheduler.nodes import NodeInfo
from podlab.scheduler.plugins.interface import Rejection

UNBOUND_IMMEDIATE = "pod has unbound immediate PersistentVolumeClaims"
NODE_CONFLICT = "node(s) didn't match PersistentVolume's node affinity"
BIND_CONFLICT = "node(s) didn't find available persistent volumes to bind"
NO_VOLUME = "node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Storage:
    """`claims` of the pod that exist, by name; `in_use`: those that pods on some node have, with the pods' uids."""

    claims: Mapping[str, Manifest] = field(default_factory=dict)
    volumes: Mapping[str, Manifest] = field(default_factory=dict)
    classes: Mapping[str, Manifest] = field(default_factory=dict)
    in_use: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def without(self, pod: Manifest) -> Storage:
        """As if that pod had left its node."""
        uid = pod["metadata"]["uid"]
        return replace(self, in_use={claim: users - {uid} for claim, users in self.in_use.items()})

    def with_pod(self, pod: Manifest) -> Storage:
        uid, names = pod["metadata"]["uid"], {use.claim for use in facts.uses(pod)}
        more = {name: self.in_use.get(name, frozenset()) | {uid} for name in names}
        return replace(self, in_use={**self.in_use, **more})


@dataclass(frozen=True, slots=True)
class Binding:
    """What must happen to a claim before the pod gets its node. `volume` "": one is made there."""

    claim: str
    volume: str = ""


def refusal(pod: Manifest, storage: Storage) -> str:
    """What no node can give, or ""."""
    for use in facts.uses(pod):
        claim = storage.claims.get(use.claim)
        if claim is None and use.own:
            return f'waiting for ephemeral volume controller to create the persistentvolumeclaim "{use.claim}"'
        if claim is None:
            return f'persistentvolumeclaim "{use.claim}" not found'
        if facts.phase(claim) == "Lost":
            volume = (claim.get("spec") or {}).get("volumeName") or ""
            return f'persistentvolumeclaim "{use.claim}" bound to non-existent persistentvolume "{volume}"'
        if claim["metadata"].get("deletionTimestamp"):
            return f'persistentvolumeclaim "{use.claim}" is being deleted'
        if use.own and not facts.is_for_pod(claim, pod):
            meta = pod["metadata"]
            text = f"PVC {meta['namespace']}/{use.claim} was not created for pod {meta['namespace']}/{meta['name']}"
            return f"{text} (pod is not owner)"
    immediate = (claim for claim in _unbound(pod, storage) if not _is_delayed(claim, storage))
    return UNBOUND_IMMEDIATE if next(immediate, None) is not None else ""


def check(pod: Manifest, node: NodeInfo, storage: Storage) -> Rejection | None:
    bound = [storage.claims[use.claim] for use in facts.uses(pod) if facts.is_bound(storage.claims[use.claim])]
    held = [storage.volumes.get(str(claim["spec"]["volumeName"])) for claim in bound]
    reasons: list[str] = []
    if any(volume is not None and not facts.fits_node(volume, node.name, node.labels) for volume in held):
        reasons.append(NODE_CONFLICT)
    if bindings(pod, node, storage) is None:
        reasons.append(BIND_CONFLICT)
    if None in held:
        reasons.append(NO_VOLUME)
    return Rejection(tuple(reasons)) if reasons else None


def bindings(pod: Manifest, node: NodeInfo, storage: Storage) -> tuple[Binding, ...] | None:
    """What binds if the pod goes to this node; None if something cannot. Smaller claims choose first."""
    found: list[Binding] = []
    for claim in sorted(_unbound(pod, storage), key=_size):
        name = claim["metadata"]["name"]
        volume = facts.best_match(
            claim, storage.volumes.values(), node=(node.name, node.labels), taken=[one.volume for one in found]
        )
        if volume is not None:
            found.append(Binding(name, volume["metadata"]["name"]))
        elif _can_provision(claim, node, storage):
            found.append(Binding(name))
        else:
            return None
    return tuple(found)


def _unbound(pod: Manifest, storage: Storage) -> Sequence[Manifest]:
    names = dict.fromkeys(use.claim for use in facts.uses(pod))
    return [storage.claims[name] for name in names if not facts.is_bound(storage.claims[name])]


def _is_delayed(claim: Manifest, storage: Storage) -> bool:
    named = (claim.get("spec") or {}).get("volumeName")
    return not named and facts.delays_binding(storage.classes.get(facts.class_name(claim)))


def _can_provision(claim: Manifest, node: NodeInfo, storage: Storage) -> bool:
    if facts.annotations_of(claim).get(facts.SELECTED_NODE, node.name) != node.name:
        return False  # a volume is being made for it elsewhere
    chosen = storage.classes.get(facts.class_name(claim)) or {}
    if chosen.get("provisioner") in (None, "", facts.NO_PROVISIONER):
        return False
    terms = chosen.get("allowedTopologies") or []
    return not terms or any(_allows(term, node.labels) for term in terms)


def _allows(term: Manifest, labels: Mapping[str, str]) -> bool:
    return all(labels.get(one["key"]) in one["values"] for one in term.get("matchLabelExpressions") or [])


def _size(claim: Manifest) -> tuple[int, str]:
    return quantity.value(facts.requested(claim)), claim["metadata"]["name"]
