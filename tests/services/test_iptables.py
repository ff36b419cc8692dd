"""The kernel takes the rules, keeps them where they belong, and has nothing left of them afterwards."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from ipaddress import IPv4Network

import pytest
from service_samples import CLUSTER, catalogue, endpoint, piece, service

from podlab.services import rules
from podlab.services.iptables import COMMAND, CannotProxy, Tables
from podlab.services.rules import Abilities, Chains

pytestmark = pytest.mark.docker  # root on the machine of the engine

# No lab takes this one by itself.
CHAINS = Chains(IPv4Network("198.18.0.0/16"))


def held() -> list[str]:
    saved = subprocess.run(["iptables-save"], capture_output=True, text=True, check=True).stdout
    return [line for line in saved.splitlines() if "PODLAB-C6120000" in line]


@pytest.fixture
def tables() -> Iterator[Tables]:
    made = Tables(CHAINS, "docker0")
    yield made
    made.leave()
    assert held() == []


def test_rules_come_whole_and_go_whole(tables: Tables) -> None:
    tables.check()
    can = tables.abilities()
    assert "TCP" in can.protocols
    config = {"sessionAffinity": "ClientIP"} if can.affinity else {}
    ends = (endpoint("203.0.113.2"), endpoint("203.0.113.3"))
    view = catalogue(*CLUSTER, service("s", "198.18.0.7", **config), piece("s-1", "s", *ends))
    tables.replace(rules.text(CHAINS, view, can))
    tables.enter()
    first = held()
    assert sum(" -j PODLAB-C6120000-" in line for line in first) == 7
    assert any("-d 198.18.0.7/32" in line and "203.0.113.3:8080" in line for line in first)
    tables.enter()
    assert held() == first, "once is enough"
    tables.replace(rules.text(CHAINS, catalogue(), can))
    assert not any("198.18.0.7" in line for line in held())


def test_what_somebody_pushed_down_comes_up_again(tables: Tables) -> None:
    tables.replace(rules.text(CHAINS, catalogue(), Abilities(frozenset({"TCP"}), affinity=False)))
    tables.enter()
    foreign = ["FORWARD", "-s", "203.0.113.77/32", "-j", "RETURN"]
    subprocess.run([COMMAND, "-w", "5", "-I", *foreign], check=True, capture_output=True)
    try:
        tables.enter()
        listed = subprocess.run([COMMAND, "-w", "5", "-S", "FORWARD"], capture_output=True, text=True, check=True)
        order = [line for line in listed.stdout.splitlines() if "203.0.113.77" in line or "PODLAB-C6120000" in line]
        assert "PODLAB-C6120000" in order[0]
        assert len(order) == 2
    finally:
        subprocess.run([COMMAND, "-w", "5", "-D", *foreign], check=True, capture_output=True)


def test_a_mistake_changes_nothing_and_is_told(tables: Tables) -> None:
    tables.replace(rules.text(CHAINS, catalogue(), Abilities()))
    before = held()
    with pytest.raises(CannotProxy, match="iptables-restore"):
        tables.replace(f"*nat\n:{CHAINS.services} - [0:0]\n-A {CHAINS.services} -j NONSENSE\nCOMMIT\n")
    assert held() == before
