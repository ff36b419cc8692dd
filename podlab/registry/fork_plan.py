"""What of a cluster goes into a fork of it, and how it is changed for that. Pure; `forking` reads and writes.

A fork is simulated whatever its source was: nodes become simulated ones of the same names and sizes. Objects keep their
uids (every reference by uid holds, and a uid is looked up together with its cluster) and get new resourceVersions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from ipaddress import IPv4Address, ip_address
from typing import Any

from podlab.apis import kinds_rbac, static_pods
from podlab.apis.types import Manifest
from podlab.logs import format as cri
from podlab.registry import cluster_dns, kubernetes_service, namespaces
from podlab.registry.service_network import CLUSTER_DNS, KUBERNETES, NETWORK, free_address
from podlab.storage.history import Run
from podlab.storage.objects import Stored

SIMULATED = "podlab.dev/simulated"
CAPACITY = "sim.podlab.dev/capacity."  # + cpu | memory, on a simulated Node
_OWN = "podlab.dev/"
_CHOSEN_BY_PEOPLE = frozenset({"podlab.dev/eviction-hard"})  # all others of _OWN the node's agent writes
# Secrets that are a key to the cluster that they were made in.
_KEYS = frozenset({"kubernetes.io/service-account-token", "bootstrap.kubernetes.io/token"})
# Services that every cluster makes for itself, with what tells where they are served.
_MADE_ANEW = frozenset(
    {
        (kubernetes_service.NAMESPACE, kubernetes_service.NAME),
        (cluster_dns.NAMESPACE, cluster_dns.NAME),
    }
)
# As kubelet/container_status tells it (kubernetesContainerStatusUnknown).
_LOST_CODE, _LOST_REASON = 137, "ContainerStatusUnknown"
_LOST_WHY = "The cluster was forked at this moment: in the fork its containers begin anew."
_BINDINGS = frozenset({kinds_rbac.ROLE_BINDINGS.key, kinds_rbac.CLUSTER_ROLE_BINDINGS.key})
LARGEST_LOG = 2**20  # bytes of one run of a container
_SERVICE_NAME = "kubernetes.io/service-name"


def carried(objects: Iterable[Stored], *, recorded: bool) -> Iterator[tuple[Stored, Manifest]]:
    """The objects that the fork begins with, each with what it says there. Nothing that is given is changed. `recorded`:
    they are of an imported run, whose bindings are about people of another lab."""
    kept = [
        one
        for one in objects
        if goes_along(one.key.resource, one.obj) and not (recorded and one.key.resource in _BINDINGS)
    ]
    addresses = service_addresses([one.obj for one in kept if one.key.resource == "services"])
    for one in kept:
        if one.key.resource == "nodes":
            yield one, simulated_node(one.obj)
        elif one.key.resource == "services":
            yield one, _moved(one.obj, addresses)
        else:
            yield one, one.obj


def goes_along(resource: str, obj: Manifest) -> bool:
    """Left behind are Leases (whoever holds one holds it in the source), keys to the source, mirrors of static pods (their
    files lie with the source's nodes) and what every cluster makes for itself."""
    meta = obj["metadata"]
    place = (meta.get("namespace", ""), meta["name"])
    if resource == "leases.coordination.k8s.io":
        return False
    if resource == "secrets":
        return obj.get("type") not in _KEYS
    if resource == "pods":
        return static_pods.MIRROR not in (meta.get("annotations") or {})
    if resource == "configmaps":
        return bool(place[1] != namespaces.ROOT_CA)
    if resource in ("services", "endpoints"):
        return place not in _MADE_ANEW
    if resource == "endpointslices.discovery.k8s.io":
        return (place[0], (meta.get("labels") or {}).get(_SERVICE_NAME, place[1])) not in _MADE_ANEW
    return True


def simulated_node(node: Manifest) -> Manifest:
    """Labels, taints and size stay. What its kubelet says of itself the simulated one says anew."""
    meta, spec, status = node["metadata"], dict(node.get("spec") or {}), node.get("status") or {}
    labels = dict(meta.get("labels") or {})
    notes = {
        name: text
        for name, text in (meta.get("annotations") or {}).items()
        if not name.startswith(_OWN) or name in _CHOSEN_BY_PEOPLE
    }
    if labels.get(SIMULATED) != "true":
        labels[SIMULATED] = "true"
        sizes = status.get("capacity") or {}
        notes |= {CAPACITY + name: str(sizes[name]) for name in ("cpu", "memory") if name in sizes}
        for field in ("podCIDR", "podCIDRs", "providerID"):
            spec.pop(field, None)
    told = {field: status[field] for field in ("capacity", "allocatable") if field in status}
    return {**node, "metadata": {**meta, "labels": labels, "annotations": notes}, "spec": spec, "status": told}


def service_addresses(services: Iterable[Manifest]) -> dict[str, str]:
    """Cluster IPs that the network of simulated clusters does not have, and what they become: the same place in that
    network where it is free."""
    given = [address for one in services for address in _addresses(one)]
    taken = {str(address) for address in given if address in NETWORK}
    taken |= {str(NETWORK[number]) for number in (0, KUBERNETES, CLUSTER_DNS, NETWORK.num_addresses - 1)}
    found: dict[str, str] = {}
    for address in given:
        if address in NETWORK:
            continue
        same = str(NETWORK[int(address) % NETWORK.num_addresses])
        free = same if same not in taken else str(free_address(taken, NETWORK) or same)
        taken.add(free)
        found[str(address)] = free
    return found


def _addresses(service: Manifest) -> list[IPv4Address]:
    found = []
    for text in (service.get("spec") or {}).get("clusterIPs") or []:
        try:
            address = ip_address(text)
        except ValueError:  # None: headless
            continue
        if isinstance(address, IPv4Address):
            found.append(address)
    return found


def _moved(service: Manifest, addresses: dict[str, str]) -> Manifest:
    spec: dict[str, Any] = dict(service.get("spec") or {})
    if spec.get("clusterIP") in addresses:
        spec["clusterIP"] = addresses[spec["clusterIP"]]
    if spec.get("clusterIPs"):
        spec["clusterIPs"] = [addresses.get(one, one) for one in spec["clusterIPs"]]
    return {**service, "spec": spec}


def ended(runs: Iterable[Run], at: datetime) -> list[Run]:
    """Containers do not run on in a fork: those that ran end at its first moment, as a kubelet tells of lost ones."""
    return [run if run.finished_at is not None else _lost(run, at) for run in runs]


def _lost(run: Run, at: datetime) -> Run:
    return replace(run, finished_at=at, exit_code=_LOST_CODE, reason=_LOST_REASON, stop_why=_LOST_WHY)


def written_until(log: bytes, at: datetime) -> bytes:
    """The records of a log up to a moment; of much the end, beginning with a whole record."""
    end, kept = cri.stamp(at, 999), []
    for record in log.splitlines(keepends=True):
        if record.partition(b" ")[0] > end:  # of one length, so they compare as times do
            break
        kept.append(record)
    text = b"".join(kept)
    return text if len(text) <= LARGEST_LOG else text[-LARGEST_LOG:].partition(b"\n")[2]


def nodes_wanted(objects: Sequence[Stored]) -> list[str]:
    """Nodes that must be made because the source does not tell of any (a recording by somebody who saw none): those that
    its pods run on, or the usual two."""
    if any(one.key.resource == "nodes" for one in objects):
        return []
    hosts = {(one.obj.get("spec") or {}).get("nodeName") for one in objects if one.key.resource == "pods"}
    return sorted(host for host in hosts if host) or ["node-a", "node-b"]
