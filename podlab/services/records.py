"""What the cluster's DNS answers. Pure: a question and a catalogue in, records out.

As CoreDNS with kubeadm's configuration: zone cluster.local, TTL 30, `pods insecure`, reverse names fall through. Sources:
the DNS specification of Kubernetes (github.com/kubernetes/dns/docs/specification.md) and CoreDNS' plugin/kubernetes
(parse.go, kubernetes.go, reverse.go) and plugin/backend_lookup.go.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Protocol

from podlab.services.catalogue import Endpoint, Place, Service

ZONE = "cluster.local"
TTL = 30
SPECIFICATION = "1.1.0"


@dataclass(frozen=True, slots=True)
class Record:
    """`data` by type: an address, a name, a text, or (SRV) "priority weight port target"."""

    name: str
    type: str  # A | AAAA | CNAME | PTR | SRV | TXT | NS | SOA
    data: str


@dataclass(frozen=True, slots=True)
class Answer:
    """`exists` False = NXDOMAIN; an existing name without a record of the type is NODATA. `onwards`: a name outside of the
    cluster, where the answer goes on."""

    exists: bool
    records: tuple[Record, ...] = ()
    extra: tuple[Record, ...] = ()
    onwards: str = ""


class View(Protocol):
    """What is asked of `catalogue.Catalogue`."""

    def find(self, namespace: str, name: str) -> Service | None: ...
    def endpoints(self, namespace: str, name: str) -> list[Endpoint]: ...
    def by_cluster_ip(self, ip: str) -> Service | None: ...
    def endpoints_at(self, ip: str) -> list[tuple[Place, Endpoint]]: ...


NOTHING = Answer(exists=False)
NO_DATA = Answer(exists=True)


@dataclass(frozen=True, slots=True)
class _Host:
    """An address with the name that stands for it."""

    name: str
    ip: str
    port: int = 0


@dataclass(slots=True)
class _Question:
    service: str = ""
    namespace: str = ""
    endpoint: str = ""
    port: str = ""
    protocol: str = ""
    labels: Sequence[str] = field(default_factory=tuple)


def answer(view: View, name: str, kind: str) -> Answer | None:
    """The answer to a question for `name` (with or without the last dot, in any case) and a type; None when the name is
    none of the cluster's: somebody else is to be asked."""
    name = name.rstrip(".").lower()
    address = reversed_address(name)
    if address is not None:
        return _reverse(view, name, address, kind)
    if name == ZONE:
        return _apex(view, kind)
    if not name.endswith(f".{ZONE}"):
        return None
    labels = name.removesuffix(f".{ZONE}").split(".")
    if labels == ["ns", "dns"]:
        return _hosts(name, kind, _servers(view))
    if labels == ["dns-version"]:
        return Answer(True, (Record(name, "TXT", SPECIFICATION),)) if kind == "TXT" else NO_DATA
    *front, what = labels
    if what not in ("svc", "pod"):
        return NOTHING
    if len(front) <= 1:
        return NO_DATA
    question = _question(front)
    if question is None:
        return NOTHING
    return _pod(name, kind, question) if what == "pod" else _service(view, name, kind, question)


def _question(front: list[str]) -> _Question | None:
    """The labels before svc or pod; None when there are too many."""
    *more, service, namespace = front
    made = _Question(service=service, namespace=namespace)
    if len(more) == 1:
        made.endpoint = more[0]
    elif len(more) == 2:
        made.port, made.protocol = more[0].removeprefix("_"), more[1].removeprefix("_")
    return made if len(more) <= 2 else None


def _pod(name: str, kind: str, question: _Question) -> Answer:
    """1-2-3-4.namespace.pod: whatever address the name spells, whether or not there is such a pod."""
    spelled = question.service
    text = spelled.replace("-", "." if spelled.count("-") == 3 and "--" not in spelled else ":")
    try:
        ip_address(text)
    except ValueError:
        return NOTHING
    return _hosts(name, kind, [_Host(name, text)])


def _service(view: View, name: str, kind: str, question: _Question) -> Answer:
    found = view.find(question.namespace, question.service)
    if found is None:
        return NOTHING
    base = f"{found.name}.{found.namespace}.svc.{ZONE}"
    if found.type == "ExternalName":
        return _external(name, kind, found) if not question.endpoint else NOTHING
    if found.headless or question.endpoint:
        hosts = [
            _Host(f"{endpoint_name(one)}.{base}", one.ip, one.port)
            for one in view.endpoints(found.namespace, found.name)
            if one.ready
            and question.endpoint in ("", endpoint_name(one))
            and _matches(question, one.port_name, one.protocol)
        ]
    else:
        ports = [port for port in found.ports if _matches(question, port.name, port.protocol)]
        hosts = [_Host(base, ip, port.port) for port in ports for ip in found.cluster_ips]
    return _hosts(name, kind, hosts)


def _matches(question: _Question, port: str, protocol: str) -> bool:
    return question.port in ("", port.lower()) and question.protocol in ("", protocol.lower())


def endpoint_name(one: Endpoint) -> str:
    return one.hostname.lower() or one.ip.replace(".", "-").replace(":", "-")


def _external(name: str, kind: str, found: Service) -> Answer:
    """An ExternalName that spells an address has no record."""
    target = found.external_name.rstrip(".")
    try:
        ip_address(target)
    except ValueError:
        record = Record(name, "CNAME", target)
        return (
            Answer(True, (record,), onwards=target if kind in ("A", "AAAA") else "") if kind in _FOLLOWED else NO_DATA
        )
    return NOTHING


_FOLLOWED = ("A", "AAAA", "CNAME")


def _hosts(name: str, kind: str, hosts: list[_Host]) -> Answer:
    if not hosts:
        return NOTHING
    if kind in ("A", "AAAA"):
        addresses = dict.fromkeys(host.ip for host in hosts if _type(host.ip) == kind)
        return Answer(True, tuple(Record(name, kind, ip) for ip in addresses))
    if kind == "SRV":
        return _srv(name, hosts)
    return NO_DATA


def _srv(name: str, hosts: list[_Host]) -> Answer:
    weight = max(100 // len(hosts), 1)
    with_port = [host for host in hosts if host.port]
    records = dict.fromkeys(Record(name, "SRV", f"0 {weight} {host.port} {host.name}") for host in with_port)
    extra = dict.fromkeys(Record(host.name, _type(host.ip), host.ip) for host in with_port)
    return Answer(True, tuple(records), tuple(extra))


def _type(ip: str) -> str:
    return "AAAA" if ":" in ip else "A"


def _apex(view: View, kind: str) -> Answer:
    if kind == "SOA":
        return Answer(True, (soa(),))
    if kind == "NS":
        name = f"ns.dns.{ZONE}"
        extra = tuple(Record(name, _type(host.ip), host.ip) for host in _servers(view))
        return Answer(True, (Record(ZONE, "NS", name),), extra)
    return NO_DATA


def soa() -> Record:
    """Stands beside every answer that says no."""
    return Record(ZONE, "SOA", f"ns.dns.{ZONE} hostmaster.{ZONE}")


def _servers(view: View) -> list[_Host]:
    found = view.find("kube-system", "kube-dns")
    return [_Host(f"ns.dns.{ZONE}", ip) for ip in found.cluster_ips] if found is not None else []


def reversed_address(name: str) -> str | None:
    """4.3.2.1.in-addr.arpa → 1.2.3.4; None for other names."""
    try:
        if name.endswith(".in-addr.arpa"):
            return str(ip_address(".".join(reversed(name.removesuffix(".in-addr.arpa").split(".")))))
        if name.endswith(".ip6.arpa"):
            nibbles = "".join(reversed(name.removesuffix(".ip6.arpa").split(".")))
            return str(ip_address(":".join(nibbles[at : at + 4] for at in range(0, 32, 4))))
    except ValueError:
        return None
    return None


def _reverse(view: View, name: str, address: str, kind: str) -> Answer | None:
    """Services first, then endpoints, by all their names."""
    found = view.by_cluster_ip(address)
    if found is not None:
        names = [f"{found.name}.{found.namespace}.svc.{ZONE}"]
    else:
        at = view.endpoints_at(address)
        names = [f"{endpoint_name(one)}.{service}.{namespace}.svc.{ZONE}" for (namespace, service), one in at]
    if not names:
        return None
    return Answer(True, tuple(Record(name, "PTR", one) for one in dict.fromkeys(names)) if kind == "PTR" else ())
