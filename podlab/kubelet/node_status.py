"""The Node object: made when the agent starts, its Ready condition renewed while it lives.

pkg/kubelet/kubelet_node_status.go and nodestatus/setters.go. Leaving is nobody's task here: when heartbeats stop, the
node lifecycle controller says so.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path

from podlab.apis import pods as pod_facts
from podlab.apis import quantity, reasons, times
from podlab.apis.status_errors import ApiError
from podlab.apis.types import Manifest
from podlab.apis.volume_claims import VOLUME_ROOT
from podlab.kubelet import images
from podlab.kubelet.claim_folders import SIMULATED_ROOT
from podlab.registry.client import Client
from podlab.registry.streams import ADDRESS_ANNOTATION
from podlab.runtime.images import HeldImage
from podlab.runtime.interface import MachineInfo

logger = logging.getLogger(__name__)

MAX_PODS = 110
MAX_IMAGES = 50  # nodeStatusMaxImages
MAX_IMAGE_NAMES = 5
KUBELET_VERSION = "v1.36.2"
KUBELET_PORT = 10250  # which the proxy of nodes takes after a name; what a worker really listens on may be a socket
HEARTBEAT_SECONDS = 60.0
HOSTNAME_LABEL = "kubernetes.io/hostname"
SIMULATED_LABEL = "podlab.dev/simulated"

# type, status, reason, message as a healthy node shows them
_HEALTHY = (
    ("MemoryPressure", "False", reasons.KUBELET_HAS_SUFFICIENT_MEMORY, "kubelet has sufficient memory available"),
    ("DiskPressure", "False", reasons.KUBELET_HAS_NO_DISK_PRESSURE, "kubelet has no disk pressure"),
    ("PIDPressure", "False", reasons.KUBELET_HAS_SUFFICIENT_PID, "kubelet has sufficient PID available"),
    ("Ready", "True", reasons.KUBELET_READY, "kubelet is posting ready status"),
)


# reason and message of those that are true
_PRESSED = {
    "MemoryPressure": ("KubeletHasInsufficientMemory", "kubelet has insufficient memory available"),
    "DiskPressure": ("KubeletHasDiskPressure", "kubelet has disk pressure"),
    "PIDPressure": ("KubeletHasInsufficientPID", "kubelet has insufficient PID available"),
}


def labels(node: str, machine: MachineInfo) -> dict[str, str]:
    """Those that a kubelet gives its Node (kubelet_node_status.go initialNode)."""
    made = {
        "beta.kubernetes.io/arch": machine.architecture,
        "beta.kubernetes.io/os": "linux",
        "kubernetes.io/arch": machine.architecture,
        HOSTNAME_LABEL: node,
        "kubernetes.io/os": "linux",
    }
    return {**made, SIMULATED_LABEL: "true"} if machine.simulated else made


def announced(volume_root: Path, machine: MachineInfo, stream_address: str) -> dict[str, str]:
    """What the node tells those who need it: where its streams are opened ("" = nowhere), and where its volumes lie."""
    told = {VOLUME_ROOT: str(SIMULATED_ROOT if machine.simulated else volume_root)}
    return told | ({ADDRESS_ANNOTATION: stream_address} if stream_address else {})


def images_of(held: Iterable[HeldImage]) -> list[Manifest]:
    """status.images: the largest ones, with a few of their names each."""
    largest = sorted(held, key=lambda image: (-image.size, image.id))[:MAX_IMAGES]
    return [
        {
            "names": [images.canonical(name) for name in (*image.digests, *image.tags)][:MAX_IMAGE_NAMES],
            "sizeBytes": image.size,
        }
        for image in largest
    ]


def status(
    machine: MachineInfo,
    *,
    node: str,
    address: str,
    old: Manifest,
    now: datetime,
    pressures: frozenset[str] | None = None,
    held: Iterable[HeldImage] | None = None,
) -> Manifest:
    """The node's status, over what others have written into the old one: extended resources stay as somebody has put them
    there. `pressures`: conditions that are true; None = those that were. `held`: its images;
    None = as they were."""
    resources = {
        "cpu": quantity.of_milli(machine.cpu_milli),
        **({"ephemeral-storage": quantity.of_bytes(machine.storage_bytes)} if machine.storage_bytes else {}),
        "memory": quantity.of_bytes(machine.memory_bytes),
        "pods": str(MAX_PODS),
    }
    extended = {name: text for name, text in (old.get("capacity") or {}).items() if "/" in name}
    return {
        **old,
        "capacity": resources | extended,
        "allocatable": resources | extended,
        "conditions": _conditions(old.get("conditions") or [], now, pressures),
        "addresses": [{"type": "InternalIP", "address": address}, {"type": "Hostname", "address": node}],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": KUBELET_PORT}},
        "nodeInfo": {
            **(old.get("nodeInfo") or {}),
            "machineID": "",
            "systemUUID": "",
            "bootID": "",
            "kernelVersion": machine.kernel,
            "osImage": machine.os_image,
            "containerRuntimeVersion": machine.runtime_version,
            "kubeletVersion": KUBELET_VERSION,
            "kubeProxyVersion": "",
            "operatingSystem": "linux",
            "architecture": machine.architecture,
        },
        **({} if held is None else {"images": images_of(held)}),
    }


def _conditions(old: list[Manifest], now: datetime, pressures: frozenset[str] | None) -> list[Manifest]:
    if pressures is None:
        pressures = frozenset(c["type"] for c in old if c["type"] in _PRESSED and c["status"] == "True")
    stamp = times.rfc3339(now)
    names = [kind for kind, *_ in _HEALTHY]
    made: list[Manifest] = []
    for kind, value, reason, message in _HEALTHY:
        if kind in pressures:
            value, (reason, message) = "True", _PRESSED[kind]
        before = pod_facts.get_condition(old, kind)
        same = before is not None and before["status"] == value
        made.append(
            {
                "type": kind,
                "status": value,
                "lastHeartbeatTime": stamp,
                "lastTransitionTime": before["lastTransitionTime"] if before is not None and same else stamp,
                "reason": reason,
                "message": message,
            }
        )
    return [c for c in old if c["type"] not in names] + made


def register(
    client: Client,
    machine: MachineInfo,
    *,
    node: str,
    address: str,
    annotations: Mapping[str, str] | None = None,
    held: Iterable[HeldImage] | None = None,
) -> Manifest:
    """Make the Node if there is none, then store its labels, annotations and status; returns the object."""
    wanted = {"labels": labels(node, machine), "annotations": dict(annotations or {})}
    try:
        metadata = {"name": node, **{part: values for part, values in wanted.items() if values}}
        blank: Manifest = {"apiVersion": "v1", "kind": "Node", "metadata": metadata, "spec": {}}
        client.create("nodes", blank, why="the agent of this node has started for the first time")
    except ApiError as error:
        if error.code != 409:
            raise
        present = client.get("nodes", "", node).obj["metadata"]
        patch = {part: values for part, values in wanted.items() if values.items() - (present.get(part) or {}).items()}
        if patch:
            client.patch(
                "nodes",
                "",
                node,
                "application/merge-patch+json",
                {"metadata": patch},
                why="the agent renews its labels",
            )
    return post(client, machine, node=node, address=address, why="the agent of this node is ready", held=held)


def post(
    client: Client,
    machine: MachineInfo,
    *,
    node: str,
    address: str,
    why: str,
    pressures: frozenset[str] | None = None,
    held: Iterable[HeldImage] | None = None,
) -> Manifest:
    """Store the status of the Node as it is now; returns the object. None: pressures and images stay as they were."""

    def mutate(obj: Manifest) -> None:
        old = obj.get("status") or {}
        obj["status"] = status(
            machine, node=node, address=address, old=old, now=client.now(), pressures=pressures, held=held
        )

    return client.update_status("nodes", "", node, mutate, why=why).obj
