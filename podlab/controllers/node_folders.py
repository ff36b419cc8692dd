"""The lab's own provisioner: makes a volume that is a folder on one node, the way local-path provisioners do.

`persistent_volumes` calls it. It writes objects only: the folder itself is made and removed by the kubelet of its node
(`kubelet.claim_folders`). Events as by sig-storage-lib-external-provisioner.
"""

from __future__ import annotations

from podlab.apis import pods, reasons
from podlab.apis import volume_claims as facts
from podlab.apis.status_errors import ApiError
from podlab.apis.types import Manifest
from podlab.registry.client import Client
from podlab.registry.events import Recorder

HOSTNAME_LABEL = "kubernetes.io/hostname"
_MODES = frozenset({"ReadWriteOnce", "ReadWriteOncePod"})


class CannotProvision(Exception):
    """The text stands in the ProvisioningFailed event."""


def volume_for(claim: Manifest, storage_class: Manifest, node: Manifest) -> Manifest:
    """The volume of a claim on a node. Pure. Raises CannotProvision."""
    meta, spec = claim["metadata"], claim["spec"]
    root = facts.annotations_of(node).get(facts.VOLUME_ROOT)
    name, node_name = f"pvc-{meta['uid']}", node["metadata"]["name"]
    if not root:
        raise CannotProvision(f"node {node_name} offers no folder for volumes")
    if facts.mode(claim) != "Filesystem":
        raise CannotProvision("a folder of a node cannot be a block device")
    if not set(spec.get("accessModes") or []) <= _MODES:
        raise CannotProvision("a folder of a node only supports ReadWriteOnce and ReadWriteOncePod access modes")
    if spec.get("dataSource") or spec.get("dataSourceRef"):
        raise CannotProvision("a folder of a node cannot begin as a copy: data sources are not supported")
    if spec.get("selector"):
        raise CannotProvision("claim.Spec.Selector is not supported")
    host = (node["metadata"].get("labels") or {}).get(HOSTNAME_LABEL, node_name)
    place = {"key": HOSTNAME_LABEL, "operator": "In", "values": [host]}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": name, "annotations": {facts.PROVISIONED_BY: facts.NODE_FOLDER}},
        "spec": {
            "capacity": {"storage": facts.requested(claim)},
            "accessModes": list(spec["accessModes"]),
            "persistentVolumeReclaimPolicy": storage_class.get("reclaimPolicy") or "Delete",
            "storageClassName": storage_class["metadata"]["name"],
            "volumeMode": "Filesystem",
            "local": {"path": f"{root}/{name}"},
            "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [place]}]}},
            "claimRef": claim_ref(claim),
        },
    }


def claim_ref(claim: Manifest) -> Manifest:
    meta = claim["metadata"]
    return {
        "kind": "PersistentVolumeClaim",
        "namespace": meta["namespace"],
        "name": meta["name"],
        "uid": meta["uid"],
        "apiVersion": "v1",
        "resourceVersion": meta["resourceVersion"],
    }


def any_node(nodes: list[Manifest], volumes: list[Manifest]) -> Manifest | None:
    """For a class that binds at once: a node that takes pods, the one with the fewest volumes. Pure."""

    def load(node: Manifest) -> tuple[int, str]:
        labels, name = node["metadata"].get("labels") or {}, node["metadata"]["name"]
        return sum(_is_there(volume, name, labels) for volume in volumes), name

    fit = [node for node in nodes if not (node.get("spec") or {}).get("unschedulable") and _is_ready(node)]
    return min(fit, key=load, default=None)


def _is_there(volume: Manifest, name: str, labels: Manifest) -> bool:
    tied = bool((volume.get("spec") or {}).get("nodeAffinity"))
    return tied and facts.fits_node(volume, name, labels)


def _is_ready(node: Manifest) -> bool:
    ready = pods.get_condition((node.get("status") or {}).get("conditions") or [], "Ready")
    return ready is not None and ready["status"] == "True"


class Provisioner:
    """Makes volumes. One per cluster's controller."""

    def __init__(self, client: Client, recorder: Recorder) -> None:
        self._client = client
        self._recorder = recorder

    def provision(self, claim: Manifest, storage_class: Manifest, node: str, *, why: str) -> bool:
        """`node` "": any. False: it did not work now; the claim has an event that says why."""
        meta = claim["metadata"]
        text = f'External provisioner is provisioning volume for claim "{meta["namespace"]}/{meta["name"]}"'
        self._recorder.event(claim, reasons.NORMAL, reasons.PROVISIONING, text, why=why)
        try:
            volume = volume_for(claim, storage_class, self._node(node))
        except CannotProvision as problem:
            text = f'failed to provision volume with StorageClass "{storage_class["metadata"]["name"]}": {problem}'
            self._recorder.event(claim, reasons.WARNING, reasons.PROVISIONING_FAILED, text, why=str(problem))
            return False
        try:
            self._client.create(facts.VOLUMES, volume, why=why)
        except ApiError as error:
            if error.code != 409:  # an earlier try came so far
                raise
        text = f"Successfully provisioned volume {volume['metadata']['name']}"
        self._recorder.event(claim, reasons.NORMAL, reasons.PROVISIONING_SUCCEEDED, text, why=why)
        return True

    def _node(self, name: str) -> Manifest:
        if name:
            found = self._client.find("nodes", "", name)
            if found is None:
                raise CannotProvision(f'node "{name}" not found')
            return found.obj
        nodes = [item.obj for item in self._client.list("nodes", None).items]
        volumes = [item.obj for item in self._client.list(facts.VOLUMES, None).items]
        chosen = any_node(nodes, volumes)
        if chosen is None:
            raise CannotProvision("no node is ready")
        return chosen
