"""The claims of a pod that is being placed: what there is for them, and what the scheduler writes before it binds the pod.

framework/plugins/volumebinding/binder.go bindAPIUpdate: a volume that is there gets the claim's name, and for one that
must be made the claim gets the node's; the persistent volume controller does the rest. The pod is placed again, on the
same node then, when its claims are bound.
"""

from __future__ import annotations

from podlab.apis import pods as pod_facts
from podlab.apis import volume_claims as facts
from podlab.apis.status_errors import ApiError
from podlab.apis.types import Manifest
from podlab.registry.client import Client
from podlab.scheduler.cycle import Placement
from podlab.scheduler.plugins.volume_binding import Binding, Storage

_MERGE = "application/merge-patch+json"


def gather(client: Client, pod: Manifest, others: list[Manifest]) -> Storage:
    """Most pods have no claims, and nothing is read for them."""
    names = dict.fromkeys(use.claim for use in facts.uses(pod))
    if not names:
        return Storage()
    namespace = pod["metadata"]["namespace"]
    found = [client.find(facts.CLAIMS, namespace, name) for name in names]
    in_use: dict[str, set[str]] = {}
    for other in others:
        placed = bool(other["spec"].get("nodeName"))
        if placed and other["metadata"]["namespace"] == namespace and not pod_facts.is_terminal(other):
            for use in facts.uses(other):
                in_use.setdefault(use.claim, set()).add(other["metadata"]["uid"])
    volumes, classes = (client.list(resource, None).items for resource in (facts.VOLUMES, facts.CLASSES))
    return Storage(
        claims={stored.key.name: stored.obj for stored in found if stored is not None},
        volumes={stored.key.name: stored.obj for stored in volumes},
        classes={stored.key.name: stored.obj for stored in classes},
        in_use={claim: frozenset(users) for claim, users in in_use.items()},
    )


def bind(client: Client, pod: Manifest, placement: Placement, storage: Storage) -> None:
    """Begin to bind. A conflict means that something changed: the change brings the next try."""
    try:
        for binding in placement.bindings:
            claim = storage.claims[binding.claim]
            if binding.volume:
                _reserve(client, claim, storage.volumes[binding.volume], placement)
            else:
                _select(client, claim, binding, placement)
    except ApiError as error:
        if error.code not in {404, 409}:
            raise


def _reserve(client: Client, claim: Manifest, volume: Manifest, placement: Placement) -> None:
    if facts.claimed_by(volume, claim):
        return
    meta, held = claim["metadata"], volume["metadata"]
    reference = {
        "kind": "PersistentVolumeClaim",
        "apiVersion": "v1",
        **{part: meta[part] for part in ("namespace", "name", "uid", "resourceVersion")},
    }
    notes = {"resourceVersion": held["resourceVersion"], "annotations": {facts.BOUND_BY_CONTROLLER: "yes"}}
    change = {"metadata": notes, "spec": {"claimRef": reference}}
    client.patch(facts.VOLUMES, "", held["name"], _MERGE, change, why=placement.why)


def _select(client: Client, claim: Manifest, binding: Binding, placement: Placement) -> None:
    if facts.annotations_of(claim).get(facts.SELECTED_NODE) == placement.node:
        return
    meta = claim["metadata"]
    notes = {"resourceVersion": meta["resourceVersion"], "annotations": {facts.SELECTED_NODE: placement.node}}
    client.patch(facts.CLAIMS, meta["namespace"], binding.claim, _MERGE, {"metadata": notes}, why=placement.why)
