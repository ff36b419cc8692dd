"""What claims, volumes and storage classes say of each other. Pure; controllers, scheduler and kubelet share it.

pkg/controller/volume/persistentvolume/index.go and component-helpers/storage/volume/{pv,pvc}_helpers.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from podlab.apis import node_terms, quantity, selectors
from podlab.apis.selectors import SelectorError
from podlab.apis.types import Manifest

CLAIMS = "persistentvolumeclaims"
VOLUMES = "persistentvolumes"
CLASSES = "storageclasses.storage.k8s.io"

BIND_COMPLETED = "pv.kubernetes.io/bind-completed"
BOUND_BY_CONTROLLER = "pv.kubernetes.io/bound-by-controller"
PROVISIONED_BY = "pv.kubernetes.io/provisioned-by"
SELECTED_NODE = "volume.kubernetes.io/selected-node"
STORAGE_PROVISIONER = "volume.kubernetes.io/storage-provisioner"
OLD_STORAGE_PROVISIONER = "volume.beta.kubernetes.io/storage-provisioner"
_OLD_CLASS = "volume.beta.kubernetes.io/storage-class"
IS_DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"
_OLD_IS_DEFAULT_CLASS = "storageclass.beta.kubernetes.io/is-default-class"

WAIT_FOR_FIRST_CONSUMER = "WaitForFirstConsumer"
NO_PROVISIONER = "kubernetes.io/no-provisioner"
# The lab's own: a folder on the node that a pod was placed on.
NODE_FOLDER = "podlab.dev/node-folder"
# On a Node: the folder below which its volumes lie.
VOLUME_ROOT = "podlab.dev/volume-root"


@dataclass(frozen=True, slots=True)
class Use:
    """A pod's volume that stands on a claim. `own`: made from a template for this pod."""

    volume: str
    claim: str
    own: bool = False


def uses(pod: Manifest) -> Iterator[Use]:
    for volume in (pod.get("spec") or {}).get("volumes") or []:
        if claim := (volume.get("persistentVolumeClaim") or {}).get("claimName"):
            yield Use(volume["name"], claim)
        elif volume.get("ephemeral") is not None:
            yield Use(volume["name"], f"{pod['metadata']['name']}-{volume['name']}", own=True)


def is_for_pod(claim: Manifest, pod: Manifest) -> bool:
    """Whether the claim was made for this very pod (component-helpers/storage/ephemeral)."""
    owners = claim["metadata"].get("ownerReferences") or []
    return any(owner.get("controller") and owner.get("uid") == pod["metadata"].get("uid") for owner in owners)


def annotations_of(obj: Manifest) -> Mapping[str, str]:
    return obj["metadata"].get("annotations") or {}


def class_name(obj: Manifest) -> str:
    """Of a claim or a volume; "" for none."""
    old = annotations_of(obj).get(_OLD_CLASS)
    return str(old if old is not None else (obj.get("spec") or {}).get("storageClassName") or "")


def wants_default_class(claim: Manifest) -> bool:
    """It names no class; an empty name is one, and means none."""
    return (claim.get("spec") or {}).get("storageClassName") is None and _OLD_CLASS not in annotations_of(claim)


def default_class(classes: Iterable[Manifest]) -> Manifest | None:
    """The newest of those that are marked so (pkg/volume/util/storageclass.go)."""
    marked = [
        one
        for one in classes
        if "true" in (annotations_of(one).get(IS_DEFAULT_CLASS), annotations_of(one).get(_OLD_IS_DEFAULT_CLASS))
    ]
    marked.sort(key=lambda one: one["metadata"]["name"])
    return max(marked, key=lambda one: str(one["metadata"].get("creationTimestamp") or ""), default=None)


def delays_binding(storage_class: Manifest | None) -> bool:
    return storage_class is not None and storage_class.get("volumeBindingMode") == WAIT_FOR_FIRST_CONSUMER


def requested(claim: Manifest) -> str:
    return str((((claim.get("spec") or {}).get("resources") or {}).get("requests") or {}).get("storage") or "0")


def capacity(volume: Manifest) -> str:
    return str(((volume.get("spec") or {}).get("capacity") or {}).get("storage") or "0")


def mode(obj: Manifest) -> str:
    return str((obj.get("spec") or {}).get("volumeMode") or "Filesystem")


def phase(obj: Manifest) -> str:
    return str((obj.get("status") or {}).get("phase") or "")


def is_bound(claim: Manifest) -> bool:
    """Binding is over for a claim."""
    return bool((claim.get("spec") or {}).get("volumeName")) and BIND_COMPLETED in annotations_of(claim)


def claimed_by(volume: Manifest, claim: Manifest) -> bool:
    """The volume is reserved for or bound to this claim: by its name, and by its uid once that is known."""
    ref = (volume.get("spec") or {}).get("claimRef") or {}
    meta = claim["metadata"]
    same = (ref.get("namespace"), ref.get("name")) == (meta.get("namespace"), meta["name"])
    return same and ref.get("uid") in (None, "", meta.get("uid"))


def fits_node(volume: Manifest, node: str, labels: Mapping[str, str]) -> bool:
    required = ((volume.get("spec") or {}).get("nodeAffinity") or {}).get("required")
    return required is None or node_terms.matches(required, node, labels)


def mismatch(volume: Manifest, claim: Manifest) -> str:
    """Why a volume cannot be the one that a claim names, or "" (checkVolumeSatisfyClaim)."""
    if volume["metadata"].get("deletionTimestamp"):
        return f'the volume is marked for deletion "{volume["metadata"]["name"]}"'
    if quantity.compare(capacity(volume), requested(claim)) < 0:
        return "requested PV is too small"
    if class_name(volume) != class_name(claim):
        return "storageClassName does not match"
    if mode(volume) != mode(claim):
        return "incompatible volumeMode"
    if not set(_modes(claim)) <= set(_modes(volume)):
        return "incompatible accessMode"
    return ""


def best_match(
    claim: Manifest,
    volumes: Iterable[Manifest],
    *,
    delayed: bool = False,
    node: tuple[str, Mapping[str, str]] | None = None,
    taken: Iterable[str] = (),
) -> Manifest | None:
    """The volume to bind: one that is reserved for the claim, otherwise the smallest that is large enough among those
    with the fewest other access modes. `delayed`: without a node only reserved ones, as the pod's node decides.
    `node` (name, labels): for the scheduler, which looks for one node at a time; `taken` are the names that it has given
    to other claims of the pod."""
    away = frozenset(taken)
    fitting = [
        volume
        for volume in sorted(volumes, key=_order)
        if volume["metadata"]["name"] not in away and _is_candidate(volume, claim)
    ]
    reserved = next((volume for volume in fitting if claimed_by(volume, claim)), None)
    if reserved is not None or (delayed and node is None):
        return reserved
    chosen = (
        volume
        for volume in fitting
        if not (volume.get("spec") or {}).get("claimRef")
        and phase(volume) == "Available"
        and _selected(volume, claim)
        and (node is None or fits_node(volume, *node))
    )
    return next(chosen, None)


def _is_candidate(volume: Manifest, claim: Manifest) -> bool:
    return mismatch(volume, claim) == ""


def _selected(volume: Manifest, claim: Manifest) -> bool:
    selector = (claim.get("spec") or {}).get("selector")
    if selector is None:
        return True
    try:
        return selectors.from_label_selector(selector).matches(volume["metadata"].get("labels") or {})
    except SelectorError:
        return False


def _modes(obj: Manifest) -> list[str]:
    return [str(one) for one in (obj.get("spec") or {}).get("accessModes") or []]


def _order(volume: Manifest) -> tuple[int, int, str]:
    return len(_modes(volume)), quantity.value(capacity(volume)), volume["metadata"]["name"]
