"""The proxy and the DNS of a lab beside its store: rules follow what is written, and what cannot be is told."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from ipaddress import IPv4Network
from typing import Any

import dns.message
import dns.query
import pytest
from service_samples import endpoint, piece, service

from podlab.clock import RealClock, monotonic, pause, wall_now
from podlab.registry import cluster_dns, clusters, kubernetes_service
from podlab.registry.client import Client
from podlab.registry.identity import system
from podlab.services import host as hosts
from podlab.services.host import ServicesHost
from podlab.services.iptables import CannotProxy, Tables
from podlab.services.rules import Abilities, Chains
from podlab.storage.hub import Hub

NETWORK = IPv4Network("10.96.0.0/16")


class Recorded(Tables):
    """Tables that keep what they are given."""

    def __init__(self) -> None:
        super().__init__(Chains(NETWORK), "br0")
        self.texts: list[str] = []
        self.entered = 0
        self.broken = False

    def check(self) -> None:
        """Nothing is written, so that nothing is needed."""

    def abilities(self) -> Abilities:
        return Abilities()

    def replace(self, text: str) -> None:
        if self.broken:
            raise CannotProxy("iptables-restore: no such table")
        self.texts.append(text)

    def enter(self) -> None:
        self.entered += 1

    def leave(self) -> None:
        self.texts.append("")


def eventually(condition: Callable[[], Any]) -> None:
    until = monotonic() + 20
    while not condition():
        assert monotonic() < until
        pause(0.02)


@pytest.fixture
def client(transactional_db: None) -> Client:
    clusters.ensure_main("docker")
    return Client("main", system("test"), wall_now)


@pytest.fixture
def tables(client: Client) -> Iterator[Recorded]:
    made, hub = Recorded(), Hub(poll=0.05, redis=False)
    host = ServicesHost(
        cluster="main",
        network=NETWORK,
        bridge="br0",
        gateway=kubernetes_service.advertised(),
        hub=hub,
        tables=made,
        clock=(clock := RealClock()),
    )
    host.start()
    yield made
    host.stop()
    hub.close()
    clock.close()
    assert made.texts[-1] == "", "what was made is taken away"


def test_rules_and_names_follow_the_store(client: Client, tables: Recorded) -> None:
    assert tables.entered == 1
    assert cluster_dns.address(client) == "10.96.0.10"
    client.create("services", service("web", "10.96.1.1", selector={"a": "b"}), namespace="default")
    client.create("endpointslices.discovery.k8s.io", piece("w", "web", endpoint("10.244.0.2")), namespace="default")
    eventually(lambda: "10.96.1.1/32 -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.244.0.2" in tables.texts[-1])
    where = client.get("endpoints", "kube-system", "kube-dns").obj["subsets"][0]
    query = dns.message.make_query("web.default.svc.cluster.local", "A")
    answer = dns.query.udp(query, where["addresses"][0]["ip"], port=where["ports"][0]["port"], timeout=5)
    assert str(answer.answer[0][0]) == "10.96.1.1"
    tables.broken = True  # the kernel says no for a while
    client.delete("services", "default", "web")
    tables.broken = False
    eventually(lambda: "10.96.1.1" not in tables.texts[-1])


def test_without_rights_or_tools_it_is_told_on_the_nodes(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Tables(Chains(NETWORK), "br0")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(CannotProxy, match="need root"):
        real.check()
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(CannotProxy, match="iptables is not installed"):
        real.check()

    cluster_dns.serve_at(client, "192.0.2.1", 5353)
    clock = RealClock()
    hosts.tell("main", ["node-a", "node-b"], "rules for Services need root", clock)
    clock.close()
    assert cluster_dns.address(client) == "", "pods keep the servers of their node"
    found = [item.obj for item in client.list("events", None).items]
    told = [one for one in found if one["reason"] == "ServiceProxyUnavailable"]
    assert sorted(one["involvedObject"]["name"] for one in told) == ["node-a", "node-b"]
    assert "rules for Services need root" in told[0]["message"]
