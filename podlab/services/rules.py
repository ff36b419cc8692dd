"""The rules that carry connections to Services to their endpoints, as text for iptables-restore. Pure.

Like kube-proxy in iptables mode (pkg/proxy/iptables/proxier.go), flatter: a few chains of the lab's own that are replaced
whole, in one transaction. A connection to a port without endpoints, or to an address that no Service has, is refused.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from ipaddress import IPv4Network

from podlab.services.catalogue import Catalogue, Port, Service, backends

PROTOCOLS = {"TCP": "tcp", "UDP": "udp", "SCTP": "sctp"}


@dataclass(frozen=True, slots=True)
class Chains:
    """Named after the service network: whoever holds the network on this machine holds its chains."""

    network: IPv4Network

    def _name(self, part: str) -> str:
        return f"PODLAB-{int(self.network.network_address):08X}-{part}"

    @property
    def services(self) -> str:
        return self._name("SVC")

    @property
    def node_ports(self) -> str:
        return self._name("PORTS")

    @property
    def sources(self) -> str:
        return self._name("POST")

    @property
    def refusals(self) -> str:
        return self._name("DENY")


@dataclass(frozen=True, slots=True)
class Abilities:
    """What a machine can do. `bridge_is_filtered`: answers between two pods pass through its rules."""

    protocols: frozenset[str] = frozenset(PROTOCOLS)
    affinity: bool = True
    bridge_is_filtered: bool = True


@dataclass(frozen=True, slots=True)
class Jump:
    """A rule of a built-in chain that leads into one of ours."""

    table: str
    chain: str
    match: tuple[str, ...]
    target: str

    @property
    def rule(self) -> tuple[str, ...]:
        return (self.chain, *self.match, "-j", self.target)


def jumps(chains: Chains, bridge: str) -> tuple[Jump, ...]:
    """Where traffic enters: from pods and from the machine itself. Node ports are open to both and to nobody else."""
    to_services = ("-d", str(chains.network))
    to_machine = ("-m", "addrtype", "--dst-type", "LOCAL")
    return (
        Jump("nat", "PREROUTING", to_services, chains.services),
        Jump("nat", "OUTPUT", to_services, chains.services),
        Jump("nat", "PREROUTING", ("-i", bridge, *to_machine), chains.node_ports),
        Jump("nat", "OUTPUT", ("!", "-d", "127.0.0.0/8", *to_machine), chains.node_ports),
        Jump("nat", "POSTROUTING", ("-o", bridge), chains.sources),
        Jump("filter", "FORWARD", to_services, chains.refusals),
        Jump("filter", "OUTPUT", to_services, chains.refusals),
    )


def text(chains: Chains, catalogue: Catalogue, can: Abilities) -> str:
    """All chains anew. Where the bridge is not filtered pods see the machine as the client, so that answers come by it."""
    services: list[str] = []
    node_ports: list[str] = []
    addresses: dict[str, None] = {}
    for service in catalogue.services():
        ends = catalogue.endpoints(service.namespace, service.name)
        if not can.affinity:
            service = replace(service, affinity=0)
        for port in service.ports:
            if port.protocol not in can.protocols:
                continue
            targets = [one for one in backends(service, port, ends) if ":" not in one[0]]
            addresses |= dict.fromkeys(ip for ip, _ in targets)
            for ip in service.cluster_ips:
                if ":" not in ip:
                    services += _to(chains.services, ("-d", f"{ip}/32"), port.port, service, port, targets)
            if port.node_port:
                node_ports += _to(chains.node_ports, (), port.node_port, service, port, targets)
    return "".join(
        f"{line}\n" for line in _tables(chains, services, node_ports, list(addresses), not can.bridge_is_filtered)
    )


def _tables(
    chains: Chains, services: list[str], node_ports: list[str], addresses: list[str], masquerade: bool
) -> Iterator[str]:
    yield "*nat"
    for name in (chains.services, chains.node_ports, chains.sources):
        yield f":{name} - [0:0]"
    yield from services
    yield from node_ports
    for ip in addresses:
        # A pod that reaches itself through a Service must not see its own address as the client's.
        source = () if masquerade else ("-s", f"{ip}/32")
        yield _rule(
            chains.sources, *source, "-d", f"{ip}/32", "-m", "conntrack", "--ctstate", "DNAT", "-j", "MASQUERADE"
        )
    yield "COMMIT"
    yield "*filter"
    yield f":{chains.refusals} - [0:0]"
    yield _rule(chains.refusals, "-p", "tcp", "-j", "REJECT")
    yield _rule(chains.refusals, "-p", "udp", "-j", "REJECT")
    yield _rule(chains.refusals, "-j", "DROP")
    yield "COMMIT"


def _to(
    chain: str,
    match: Sequence[str],
    number: int,
    service: Service,
    port: Port,
    targets: Sequence[tuple[str, int]],
) -> Iterator[str]:
    """Each endpoint with the same chance; a client that keeps its endpoint goes where it went before."""
    protocol = PROTOCOLS[port.protocol]
    wanted = (*match, "-p", protocol, "-m", protocol, "--dport", str(number))
    if service.affinity:
        for ip, target in targets:
            seconds = ("--rcheck", "--seconds", str(service.affinity), "--reap")
            known = ("-m", "recent", "--name", _memory(service, port, ip, target), *seconds)
            yield _rule(chain, *wanted, *known, *_dnat(ip, target))
    for index, (ip, target) in enumerate(targets):
        left = len(targets) - index
        how: tuple[str, ...] = ()
        if left > 1:
            how += ("-m", "statistic", "--mode", "random", "--probability", f"{1 / left:.10f}")
        if service.affinity:
            how += ("-m", "recent", "--name", _memory(service, port, ip, target), "--set")
        yield _rule(chain, *wanted, *how, *_dnat(ip, target))


def _dnat(ip: str, port: int) -> tuple[str, ...]:
    return ("-j", "DNAT", "--to-destination", f"{ip}:{port}")


def _memory(service: Service, port: Port, ip: str, target: int) -> str:
    """The kernel's list of clients of one endpoint; cluster IPs are unique on a machine, Service names are not."""
    text = f"{service.cluster_ips}/{port.protocol}/{port.port}/{ip}/{target}"
    return f"PODLAB-{hashlib.sha256(text.encode()).hexdigest()[:16]}"


def _rule(chain: str, *words: str) -> str:
    return " ".join(("-A", chain, *words))


def trial(chains: Chains, words: Sequence[str]) -> str:
    """Text that is taken if the kernel has what `words` need, and leaves nothing behind."""
    name = f"{chains.services}-TRY"
    rule = _rule(name, *words, "-j", "RETURN")
    return "".join(f"{line}\n" for line in ("*nat", f":{name} - [0:0]", rule, f"-F {name}", f"-X {name}", "COMMIT"))


def nothing(chains: Chains) -> str:
    """Text that takes the chains away, once no jump leads into them."""
    nat = (chains.services, chains.node_ports, chains.sources)
    lines = ["*nat", *(f":{name} - [0:0]" for name in nat), *(f"-X {name}" for name in nat), "COMMIT"]
    lines += ["*filter", f":{chains.refusals} - [0:0]", f"-X {chains.refusals}", "COMMIT"]
    return "".join(f"{line}\n" for line in lines)
