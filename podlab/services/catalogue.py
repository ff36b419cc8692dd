"""The Services of one cluster and the endpoints behind them, as a follower of the change log knows them.

Fed by `load` and `apply` on one thread; read on any. Only EndpointSlices count, as for kube-proxy and CoreDNS.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from podlab.apis.types import Manifest
from podlab.registry.client import Client
from podlab.storage.log import LogEntry

SERVICES, SLICES = "services", "endpointslices.discovery.k8s.io"
SERVICE_NAME = "kubernetes.io/service-name"


@dataclass(frozen=True, slots=True)
class Port:
    name: str
    protocol: str  # TCP | UDP | SCTP
    port: int
    node_port: int = 0


@dataclass(frozen=True, slots=True)
class Service:
    """`affinity`: the seconds for which a client keeps its endpoint; 0 = it does not."""

    namespace: str
    name: str
    type: str
    cluster_ips: tuple[str, ...]
    headless: bool
    external_name: str
    ports: tuple[Port, ...]
    affinity: int = 0


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One address with one port. `port` 0: it has none."""

    ip: str
    port: int
    port_name: str
    protocol: str
    hostname: str
    ready: bool
    serving: bool
    terminating: bool


Place = tuple[str, str]  # namespace, name of a Service


def service(obj: Manifest) -> Service:
    meta, spec = obj["metadata"], obj.get("spec") or {}
    given = spec.get("clusterIPs") or ([spec["clusterIP"]] if spec.get("clusterIP") else [])
    affinity = 0
    if spec.get("sessionAffinity") == "ClientIP":
        config = (spec.get("sessionAffinityConfig") or {}).get("clientIP") or {}
        affinity = int(config.get("timeoutSeconds") or 10800)
    return Service(
        namespace=str(meta.get("namespace", "")),
        name=meta["name"],
        type=str(spec.get("type") or "ClusterIP"),
        cluster_ips=tuple(ip for ip in given if ip != "None"),
        headless="None" in given,
        external_name=str(spec.get("externalName") or ""),
        ports=tuple(_port(port) for port in spec.get("ports") or []),
        affinity=affinity,
    )


def _port(port: Manifest) -> Port:
    protocol = str(port.get("protocol") or "TCP")
    return Port(str(port.get("name") or ""), protocol, int(port["port"]), int(port.get("nodePort") or 0))


def endpoints(obj: Manifest) -> Iterator[Endpoint]:
    """What a slice says, address by port. Conditions that are not told mean: ready, and not on the way out."""
    if obj.get("addressType") not in ("IPv4", "IPv6"):
        return
    ports = [
        (int(port.get("port") or 0), str(port.get("name") or ""), str(port.get("protocol") or "TCP"))
        for port in obj.get("ports") or []
    ]
    for one in obj.get("endpoints") or []:
        conditions = one.get("conditions") or {}
        ready = conditions.get("ready") is not False
        serving = conditions.get("serving", ready) is not False
        for address in (one.get("addresses") or [])[:1]:
            for number, name, protocol in ports or [(0, "", "")]:
                yield Endpoint(
                    ip=address,
                    port=number,
                    port_name=name,
                    protocol=protocol,
                    hostname=str(one.get("hostname") or ""),
                    ready=ready,
                    serving=serving,
                    terminating=bool(conditions.get("terminating")),
                )


class Catalogue:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._services: dict[Place, Service] = {}
        self._slices: dict[Place, dict[str, tuple[Endpoint, ...]]] = {}  # by Service, then by slice
        self._owner: dict[Place, Place] = {}  # slice → Service

    def load(self, client: Client) -> None:
        """Everything anew."""
        services, slices = client.list(SERVICES, None).items, client.list(SLICES, None).items
        with self._lock:
            self._services.clear()
            self._slices.clear()
            self._owner.clear()
            for item in services:
                self._services[item.key.namespace, item.key.name] = service(item.obj)
            for item in slices:
                self._put(item.key.namespace, item.key.name, item.obj)

    def apply(self, entry: LogEntry) -> bool:
        """Take a change in; False when it says nothing new here."""
        key = entry.key
        place = (key.namespace, key.name)
        with self._lock:
            if key.resource == SERVICES:
                before = self._services.pop(place, None)
                if entry.type == "DELETED":
                    return before is not None
                self._services[place] = after = service(entry.obj)
                return before != after
            if key.resource == SLICES:
                old = self._drop(key.namespace, key.name)
                if entry.type != "DELETED":
                    self._put(key.namespace, key.name, entry.obj)
                return old != self._of_slice(place)
        return False

    def _of_slice(self, slice_place: Place) -> tuple[Place | None, tuple[Endpoint, ...]]:
        owner = self._owner.get(slice_place)
        return owner, () if owner is None else self._slices[owner][slice_place[1]]

    def _drop(self, namespace: str, name: str) -> tuple[Place | None, tuple[Endpoint, ...]]:
        was = self._of_slice((namespace, name))
        owner = self._owner.pop((namespace, name), None)
        if owner is not None:
            del self._slices[owner][name]
            if not self._slices[owner]:
                del self._slices[owner]
        return was

    def _put(self, namespace: str, name: str, obj: Manifest) -> None:
        owner = (obj["metadata"].get("labels") or {}).get(SERVICE_NAME)
        if owner:
            self._owner[namespace, name] = (namespace, owner)
            self._slices.setdefault((namespace, owner), {})[name] = tuple(endpoints(obj))

    # Questions

    def services(self) -> list[Service]:
        """By namespace and name."""
        with self._lock:
            return [self._services[place] for place in sorted(self._services)]

    def find(self, namespace: str, name: str) -> Service | None:
        with self._lock:
            return self._services.get((namespace, name))

    def endpoints(self, namespace: str, name: str) -> list[Endpoint]:
        """In the order of the slices' names, each address and port once."""
        with self._lock:
            held = self._slices.get((namespace, name), {})
            found = [one for slice_name in sorted(held) for one in held[slice_name]]
        return list(dict.fromkeys(found))

    def by_cluster_ip(self, ip: str) -> Service | None:
        return next((one for one in self.services() if ip in one.cluster_ips), None)

    def endpoints_at(self, ip: str) -> list[tuple[Place, Endpoint]]:
        with self._lock:
            found = [
                (place, one)
                for place, held in sorted(self._slices.items())
                for ends in held.values()
                for one in ends
                if one.ip == ip and one.ready
            ]
        return list(dict.fromkeys(found))


def backends(service: Service, port: Port, ends: Iterable[Endpoint]) -> list[tuple[str, int]]:
    """Where connections to a port of a Service go: to what is ready; failing that, to what still serves on its way out
    (kube-proxy's CategorizeEndpoints)."""
    own = [one for one in ends if one.port and (one.port_name, one.protocol) == (port.name, port.protocol)]
    chosen = [one for one in own if one.ready] or [one for one in own if one.serving and one.terminating]
    return sorted({(one.ip, one.port) for one in chosen})
