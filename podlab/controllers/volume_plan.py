"""What is to happen to a claim, and to a volume. Pure; `persistent_volumes` does it.

pkg/controller/volume/persistentvolume/pv_controller.go: syncUnboundClaim, syncBoundClaim, syncVolume, reclaimVolume. The
texts are its own; each decision carries its why.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from podlab.apis import quantity, reasons
from podlab.apis import volume_claims as facts
from podlab.apis.types import Manifest


@dataclass(frozen=True, slots=True)
class Told:
    """An event on the claim or the volume."""

    type: str
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Wait:
    """The claim stays Pending."""

    why: str
    told: Told | None = None


@dataclass(frozen=True, slots=True)
class Bind:
    volume: str
    why: str


@dataclass(frozen=True, slots=True)
class Provision:
    """A volume is to be made. `node` "" = any: the class binds at once."""

    why: str
    node: str = ""


@dataclass(frozen=True, slots=True)
class Lose:
    """The claim becomes Lost."""

    why: str
    told: Told


ClaimPlan = Wait | Bind | Provision | Lose


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What a claim is looked at with: all volumes by name, its class (None: there is none of that name), and the pods that
    want it and have no node."""

    volumes: Mapping[str, Manifest] = field(default_factory=dict)
    storage_class: Manifest | None = None
    waiting_pods: Sequence[str] = ()


def plan_claim(claim: Manifest, around: Around) -> ClaimPlan:
    if facts.BIND_COMPLETED in facts.annotations_of(claim):
        return _bound(claim, around)
    name = (claim.get("spec") or {}).get("volumeName")
    return _named(claim, str(name), around) if name else _unnamed(claim, around)


def _unnamed(claim: Manifest, around: Around) -> ClaimPlan:
    delayed = facts.delays_binding(around.storage_class)
    found = facts.best_match(claim, around.volumes.values(), delayed=delayed)
    if found is not None:
        size, wanted = facts.capacity(found), facts.requested(claim)
        how = "is reserved for this claim" if facts.claimed_by(found, claim) else "is the smallest that fits"
        return Bind(found["metadata"]["name"], f"a volume of {size} {how} (wanted: {wanted})")
    node = facts.annotations_of(claim).get(facts.SELECTED_NODE, "")
    if delayed and not node:
        return _wait_for_consumer(around.waiting_pods)
    name = facts.class_name(claim)
    if not name:
        text = "no persistent volumes available for this claim and no storage class is set"
        return Wait(
            "no volume fits, and nobody makes one: there is no class",
            Told(reasons.NORMAL, reasons.FAILED_BINDING, text),
        )
    if around.storage_class is None:
        text = f'storageclass.storage.k8s.io "{name}" not found'
        return Wait("its class does not exist", Told(reasons.WARNING, reasons.PROVISIONING_FAILED, text))
    provisioner = str(around.storage_class.get("provisioner"))
    if provisioner == facts.NO_PROVISIONER:
        text = f"no volume plugin matched name: {provisioner}"
        return Wait(
            "volumes of its class are made by hand, and none fits",
            Told(reasons.WARNING, reasons.PROVISIONING_FAILED, text),
        )
    chosen = f"a pod that uses it goes to {node}" if node else "its class binds at once"
    return Provision(f"no volume fits; class {name} makes them; {chosen}", node)


def _wait_for_consumer(pods: Sequence[str]) -> Wait:
    why = "its class binds when a pod that uses the claim gets a node"
    if not pods:
        text = "waiting for first consumer to be created before binding"
        return Wait(why, Told(reasons.NORMAL, reasons.WAIT_FOR_FIRST_CONSUMER, text))
    some = f"pods {','.join(pods)}" if len(pods) > 1 else f"pod {pods[0]}"
    return Wait(why, Told(reasons.NORMAL, reasons.WAIT_FOR_POD_SCHEDULED, f"waiting for {some} to be scheduled"))


def _named(claim: Manifest, name: str, around: Around) -> ClaimPlan:
    """The claim asks for one volume by name."""
    volume = around.volumes.get(name)
    if volume is None:
        return Wait(f"it asks for volume {name}, which does not exist")
    if (volume.get("spec") or {}).get("claimRef") and not facts.claimed_by(volume, claim):
        text = f'volume "{name}" already bound to a different claim.'
        return Wait(f"volume {name} belongs to another claim", Told(reasons.WARNING, reasons.FAILED_BINDING, text))
    if not (volume.get("spec") or {}).get("claimRef") and (problem := facts.mismatch(volume, claim)):
        text = f'Cannot bind to requested volume "{name}": {problem}'
        return Wait(f"volume {name} does not fit: {problem}", Told(reasons.WARNING, reasons.VOLUME_MISMATCH, text))
    return Bind(name, f"the claim asks for volume {name}")


def _bound(claim: Manifest, around: Around) -> ClaimPlan:
    name = (claim.get("spec") or {}).get("volumeName")
    if not name:
        text = "Bound claim has lost reference to PersistentVolume. Data on the volume is lost!"
        return Lose("its volumeName is gone", Told(reasons.WARNING, reasons.CLAIM_LOST, text))
    volume = around.volumes.get(name)
    if volume is None:
        text = "Bound claim has lost its PersistentVolume. Data on the volume is lost!"
        return Lose(f"volume {name} is gone", Told(reasons.WARNING, reasons.CLAIM_LOST, text))
    if (volume.get("spec") or {}).get("claimRef") and not facts.claimed_by(volume, claim):
        text = "Two claims are bound to the same volume, this one is bound incorrectly"
        return Lose(f"volume {name} belongs to another claim", Told(reasons.WARNING, reasons.CLAIM_MISBOUND, text))
    return Bind(name, f"it is bound to volume {name}")


# Volumes


@dataclass(frozen=True, slots=True)
class BePhase:
    phase: str
    why: str
    message: str = ""
    told: Told | None = None


@dataclass(frozen=True, slots=True)
class Unbind:
    """Take the claim off that the controller wrote there: it went to another volume."""

    why: str


@dataclass(frozen=True, slots=True)
class Delete:
    """The object goes, and with it what the node keeps for it."""

    why: str


VolumePlan = BePhase | Unbind | Delete


def plan_volume(volume: Manifest, claim: Manifest | None) -> VolumePlan:
    """`claim`: the one that claimRef names, if it exists."""
    spec = volume.get("spec") or {}
    ref, name = spec.get("claimRef"), volume["metadata"]["name"]
    if not ref:
        return BePhase("Available", "no claim has it")
    if not ref.get("uid"):
        return BePhase("Available", f"it is reserved for claim {ref.get('namespace')}/{ref.get('name')}")
    if claim is None or claim["metadata"].get("uid") != ref["uid"]:
        return _released(volume)
    held = (claim.get("spec") or {}).get("volumeName")
    if held == name:
        return BePhase("Bound", "its claim is bound to it")
    if not held:
        # The claim's own look finishes the binding.
        return BePhase(facts.phase(volume) or "Available", "its claim is about to be bound to it")
    if facts.PROVISIONED_BY in facts.annotations_of(volume) and spec.get("persistentVolumeReclaimPolicy") == "Delete":
        return _released(volume)
    return Unbind(f"its claim went to volume {held}")


def _released(volume: Manifest) -> VolumePlan:
    name, policy = volume["metadata"]["name"], (volume.get("spec") or {}).get("persistentVolumeReclaimPolicy")
    if facts.phase(volume) not in ("Released", "Failed"):
        return BePhase("Released", "its claim is gone")
    if policy == "Delete" and facts.annotations_of(volume).get(facts.PROVISIONED_BY) == facts.NODE_FOLDER:
        return Delete("its claim is gone and its reclaim policy is Delete")
    if policy == "Retain" or facts.phase(volume) == "Failed":
        return BePhase(facts.phase(volume), f"its claim is gone; reclaim policy {policy}")
    if policy == "Recycle":
        text = "No recycler plugin found for the volume!"
        return BePhase(
            "Failed", "podlab recycles no volumes", text, Told(reasons.WARNING, reasons.VOLUME_FAILED_RECYCLE, text)
        )
    text = f'error getting deleter volume plugin for volume "{name}": no deletable volume plugin matched'
    return BePhase(
        "Failed",
        "the lab deletes only folders that it has made itself",
        text,
        Told(reasons.WARNING, reasons.VOLUME_FAILED_DELETE, text),
    )


# Growth


def grows(claim: Manifest) -> bool:
    """A bound claim asks for more than its volume has."""
    held = ((claim.get("status") or {}).get("capacity") or {}).get("storage")
    return facts.phase(claim) == "Bound" and held is not None and quantity.compare(facts.requested(claim), held) > 0
