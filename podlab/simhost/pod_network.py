"""The network of one simulated cluster: names and Services as on Docker (`podlab.services`), pods of all its nodes."""

from __future__ import annotations

from collections.abc import Mapping

from podlab.runtime.sim.network import Listener
from podlab.runtime.sim.outside import Route
from podlab.runtime.sim.runtime import SimRuntime
from podlab.services import records
from podlab.services.catalogue import Catalogue, Port, Service, backends

MAX_ALIASES = 8


class PodNetwork:
    """`addresses`: node → its own address, where node ports are."""

    def __init__(self, catalogue: Catalogue, runtimes: Mapping[str, SimRuntime], addresses: Mapping[str, str]) -> None:
        self._catalogue, self._runtimes, self._addresses = catalogue, runtimes, addresses

    def lookup(self, name: str, kind: str) -> list[str] | None:
        """As `outside.ClusterNetwork`. The kind PING asks whether there is a pod with this address."""
        if kind == "PING":
            return [name] if self.listening(name, 0) is not None or name in self._addresses.values() else None
        for _ in range(MAX_ALIASES):
            found = records.answer(self._catalogue, name, kind)
            if found is None or not found.exists:
                return None
            if not found.onwards:
                return [one.data for one in found.records if one.type == kind]
            name = found.onwards
        return None

    def route(self, ip: str, port: int) -> Route:
        service = self._catalogue.by_cluster_ip(ip)
        if service is not None:
            own = next((one for one in service.ports if (one.port, one.protocol) == (port, "TCP")), None)
            return self._to(service, own) if own is not None else Route(())
        if ip in self._addresses.values():
            for service in self._catalogue.services():
                for one in service.ports:
                    if (one.node_port, one.protocol) == (port, "TCP"):
                        return self._to(service, one)
            return Route(())
        listener = self.listening(ip, port)
        if listener is None:
            return Route(None)
        return Route(((ip, port),) if listener.open else ())

    def _to(self, service: Service, port: Port) -> Route:
        ends = self._catalogue.endpoints(service.namespace, service.name)
        return Route(tuple(backends(service, port, ends)), sticky=service.affinity > 0)

    def listening(self, ip: str, port: int) -> Listener | None:
        found = (runtime.listening_at(ip, port) for runtime in self._runtimes.values())
        return next((one for one in found if one is not None), None)
