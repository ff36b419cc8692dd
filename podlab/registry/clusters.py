"""Clusters with what they begin with, their time, and who may turn it.

`ops.prepare` makes `main`, pages and API make and delete simulated ones. The rows belong to `storage.clusters`; a
cluster and its first objects are one transaction, so nobody meets half a cluster.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime

from podlab import clock
from podlab.apis import names, status_errors
from podlab.apis.types import Manifest
from podlab.apis.volume_claims import CLASSES
from podlab.clock import LabTime
from podlab.registry import (
    authorizer,
    cluster_dns,
    kubernetes_service,
    namespaces,
    priority_classes,
    storage_classes,
)
from podlab.registry.client import Client
from podlab.registry.identity import Identity, system
from podlab.registry.kubeconfig import kubeconfig
from podlab.storage import clusters as rows
from podlab.storage import database
from podlab.storage.clusters import ClusterRow
from podlab.storage.errors import ClusterExists

__all__ = [
    "FIRST_NAMESPACES",
    "MAIN",
    "ClusterRow",
    "check_name",
    "client_for",
    "client_in",
    "create_sim",
    "delete",
    "ensure_main",
    "find",
    "furnish_fork",
    "get",
    "kubeconfig",
    "list_all",
    "list_for",
    "now_of",
    "pause",
    "resume",
    "set_speed",
    "step",
]

MAIN = "main"
DOCKER = "docker"
SIM = "sim"
REPLAY = "replay"
FIRST_NAMESPACES = ("default", "kube-node-lease", "kube-public", "kube-system")
MAX_SPEED = 100.0
MAX_NODES = 100
_MIN_SPEED = 0.1
_SIM_LABEL = "podlab.dev/simulated"


def ensure_main(runtime: str, *, nodes: Sequence[str] = (), seed: int = 1, api_address: str = "") -> ClusterRow:
    """The first cluster. Safe to call at every start; repairs what is missing. `api_address`: where its pods reach the API.

    Another `runtime` than last time (Docker came or went) is like a new machine under the same nodes: objects stay, and the
    kubelets find none of their containers and start them again."""
    found = rows.find(MAIN)
    if found is None:
        with database.writing():
            found = rows.create(MAIN, runtime=runtime, seed=seed)
            _furnish(MAIN, nodes if runtime == SIM else (), api_address)
        return found
    if found.runtime != runtime:
        found = rows.set_runtime(MAIN, runtime)
        _relabel_nodes(MAIN, simulated=runtime == SIM)
    _furnish(MAIN, nodes if runtime == SIM else (), api_address)
    return found


def create_sim(
    name: str, *, nodes: Sequence[str], seed: int | None = None, identity: Identity, paused: bool = False
) -> ClusterRow:
    """A simulated cluster of its own. Its nodes are Node objects from the first moment; the sim worker plays them."""
    if not authorizer.may_make_clusters(identity):
        raise _refused(identity, "create", name)
    check_name(name)
    _check_nodes(nodes)
    with database.writing():
        try:
            row = rows.create(name, runtime=SIM, seed=secrets.randbelow(2**31) if seed is None else seed, paused=paused)
        except ClusterExists as error:
            raise status_errors.ApiError(409, "AlreadyExists", f'cluster "{name}" already exists') from error
        _furnish(name, nodes)
    return row


def delete(name: str, *, identity: Identity) -> None:
    """Everything of the cluster, history and grants too. `main` stays."""
    if not authorizer.may_run_cluster(identity, name):
        raise _refused(identity, "delete", name)
    if name == MAIN:
        raise status_errors.ApiError(403, "Forbidden", 'cluster "main" cannot be deleted')
    if not rows.delete(name):
        raise _not_found(name)


def find(name: str) -> ClusterRow | None:
    return rows.find(name)


def get(name: str) -> ClusterRow:
    row = rows.find(name)
    if row is None:
        raise _not_found(name)
    return row


def list_all() -> list[ClusterRow]:
    return rows.list_all()


def list_for(identity: Identity) -> list[ClusterRow]:
    """The clusters in which `identity` has any business."""
    return [row for row in rows.list_all() if authorizer.sees_cluster(identity, row.name)]


def client_for(cluster: str, identity: Identity) -> Client:
    """A client on the time of the cluster, as seen from outside the worker that plays it."""
    return Client(cluster, identity, lambda: now_of(cluster))


def client_in(row: ClusterRow, identity: Identity) -> Client:
    """The same for one request that has just read the cluster's row; what lasts longer would miss a pause."""
    return Client(row.name, identity, lambda: _now_in(row))


def now_of(cluster: str) -> datetime:
    """The present time of a cluster. Not cached: a pause must hold for the next write of every process, and the row is
    one indexed read."""
    return _now_in(get(cluster))


def _now_in(row: ClusterRow) -> datetime:
    wall = clock.wall_now()
    return wall if row.runtime == DOCKER else row.time.at(wall)


# The clock of a simulated cluster


def pause(cluster: str, *, identity: Identity) -> LabTime:
    _check_clock(cluster, identity)
    return rows.set_paused(cluster, paused=True)


def resume(cluster: str, *, identity: Identity) -> LabTime:
    _check_clock(cluster, identity)
    return rows.set_paused(cluster, paused=False)


def set_speed(cluster: str, speed: float, *, identity: Identity) -> LabTime:
    _check_clock(cluster, identity)
    if not _MIN_SPEED <= speed <= MAX_SPEED:
        raise status_errors.bad_request(
            f"the speed of lab time is between {_MIN_SPEED} and {MAX_SPEED:.0f}, not {speed}"
        )
    return rows.set_speed(cluster, speed)


def step(cluster: str, *, identity: Identity) -> int:
    """Ask for the next transition: the sim worker runs to it and pauses there. How many steps are wanted now."""
    _check_clock(cluster, identity)
    rows.set_paused(cluster, paused=True)
    return rows.request_step(cluster)


def _check_clock(cluster: str, identity: Identity) -> None:
    if not authorizer.may_run_cluster(identity, cluster):
        raise _refused(identity, "turn the clock of", cluster)
    if get(cluster).runtime != SIM:
        raise status_errors.bad_request(f'cluster "{cluster}" runs in real time: its clock cannot be turned')


# What a cluster begins with


def _furnish(cluster: str, nodes: Sequence[str], api_address: str = "") -> None:
    moment = now_of(cluster)
    client = Client(cluster, system("registry"), lambda: moment)
    for name in FIRST_NAMESPACES:
        if client.find("namespaces", "", name) is None:
            namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
            client.create("namespaces", namespace, why="Every cluster begins with this namespace.")
        else:
            namespaces.ensure_furniture(client, name)
    for priority_class in priority_classes.system_classes():
        if client.find(priority_classes.RESOURCE, "", priority_class["metadata"]["name"]) is None:
            client.create(priority_classes.RESOURCE, priority_class, why="Every cluster begins with this class.")
    if client.find(CLASSES, "", storage_classes.NAME) is None:
        client.create(CLASSES, storage_classes.standard(), why="Every cluster begins with this class.")
    kubernetes_service.ensure(client, api_address)
    cluster_dns.ensure(client)
    for name in nodes:
        if client.find("nodes", "", name) is None:
            client.create("nodes", _node(name), why="The cluster was made with this node.")


def furnish_fork(cluster: str, nodes: Sequence[str]) -> None:
    """What a fork does not take from its source, in the transaction that makes it. `nodes` are made where it has none."""
    _furnish(cluster, nodes)
    client = client_for(cluster, system("registry"))
    for namespace in client.list("namespaces", None).items:
        namespaces.ensure_furniture(client, namespace.key.name)


def _relabel_nodes(cluster: str, *, simulated: bool) -> None:
    """Nodes say by their label whether their pods are simulated."""
    client = client_for(cluster, system("registry"))
    labels = {_SIM_LABEL: "true" if simulated else None}
    for node in client.list("nodes", None).items:
        patch = {"metadata": {"labels": labels}}
        why = "The lab was started with another runtime."
        client.patch("nodes", "", node.key.name, "application/merge-patch+json", patch, why=why)


def _node(name: str) -> Manifest:
    labels = {
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        _SIM_LABEL: "true",
    }
    return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": labels}, "spec": {}}


def check_name(name: str) -> None:
    """A cluster name is part of URLs, queue names and container names."""
    wrong = names.dns_label(name)
    if wrong:
        raise status_errors.bad_request(f'cluster name "{name}": {wrong[0]}')


def _check_nodes(nodes: Sequence[str]) -> None:
    if len(nodes) > MAX_NODES:
        raise status_errors.bad_request(f"a cluster has at most {MAX_NODES} nodes, not {len(nodes)}")
    for name in nodes:
        wrong = names.dns_subdomain(name)
        if wrong:
            raise status_errors.bad_request(f'node name "{name}": {wrong[0]}')
    if len(set(nodes)) != len(nodes):
        raise status_errors.bad_request("two nodes of a cluster cannot have the same name")


def _not_found(name: str) -> status_errors.ApiError:
    return status_errors.ApiError(404, "NotFound", f'cluster "{name}" not found', details={})


def _refused(identity: Identity, verb: str, name: str) -> status_errors.ApiError:
    return status_errors.ApiError(403, "Forbidden", f'User "{identity.name}" cannot {verb} cluster "{name}"')
