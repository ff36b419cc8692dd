"""What iptables-restore is given, and which network a lab takes."""

from __future__ import annotations

import os
from ipaddress import IPv4Network
from pathlib import Path

import pytest
from service_samples import CLUSTER, catalogue, endpoint, piece, service

from podlab import env
from podlab.ops import service_network
from podlab.services import rules
from podlab.services.rules import Abilities, Chains

CHAINS = Chains(IPv4Network("10.96.0.0/16"))
SVC, PORTS, POST = "PODLAB-0A600000-SVC", "PODLAB-0A600000-PORTS", "PODLAB-0A600000-POST"
ENDS = (endpoint("10.244.0.2"), endpoint("10.244.0.3"))


def lines(text: str, chain: str) -> list[str]:
    return [line.removeprefix(f"-A {chain} ") for line in text.splitlines() if line.startswith(f"-A {chain} ")]


def test_every_endpoint_has_the_same_chance() -> None:
    view = catalogue(service("web", "10.96.1.1"), piece("w", "web", *ENDS, endpoint("10.244.0.4")))
    text = rules.text(CHAINS, view, Abilities())
    to = "-d 10.96.1.1/32 -p tcp -m tcp --dport 80"
    chance = "-m statistic --mode random --probability"
    assert lines(text, SVC) == [
        f"{to} {chance} 0.3333333333 -j DNAT --to-destination 10.244.0.2:8080",
        f"{to} {chance} 0.5000000000 -j DNAT --to-destination 10.244.0.3:8080",
        f"{to} -j DNAT --to-destination 10.244.0.4:8080",
    ]
    assert "-s 10.244.0.2/32 -d 10.244.0.2/32 -m conntrack --ctstate DNAT -j MASQUERADE" in lines(text, POST)
    assert [line for line in text.splitlines() if line.startswith("*") or line == "COMMIT"] == [
        "*nat", "COMMIT", "*filter", "COMMIT",
    ]  # fmt: skip


def test_a_client_comes_back_to_its_endpoint() -> None:
    config = {"sessionAffinity": "ClientIP", "sessionAffinityConfig": {"clientIP": {"timeoutSeconds": 99}}}
    view = catalogue(service("web", "10.96.1.1", **config), piece("w", "web", *ENDS))
    found = lines(rules.text(CHAINS, view, Abilities()), SVC)
    assert ["--rcheck --seconds 99 --reap" in line for line in found] == [True, True, False, False]
    assert ["--set -j DNAT" in line for line in found] == [False, False, True, True]
    names = [line.split("--name ")[1].split()[0] for line in found]
    assert names[:2] == names[2:]
    assert len(set(names)) == 2


def test_node_ports_and_what_has_no_rules() -> None:
    ports = [
        {"name": "http", "port": 80, "protocol": "TCP", "nodePort": 30123},
        {"name": "dns", "port": 53, "protocol": "UDP", "nodePort": 30053},
    ]
    out = endpoint("10.244.0.4", conditions={"ready": False, "serving": True, "terminating": True})
    view = catalogue(
        *CLUSTER,
        service("np", "10.96.1.2", type="NodePort", ports=ports),
        piece("n", "np", endpoint("10.244.0.5"), out),
        service("leaving", "10.96.1.3"),
        piece("l", "leaving", out),
        service("empty", "10.96.1.4"),
        piece("six", "empty", endpoint("fd00::1")),
    )
    text = rules.text(CHAINS, view, Abilities(bridge_is_filtered=False))
    assert lines(text, PORTS) == ["-p tcp -m tcp --dport 30123 -j DNAT --to-destination 10.244.0.5:8080"]
    found = "\n".join(lines(text, SVC))
    assert "10.96.1.3/32 -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.244.0.4:8080" in found
    assert "10.96.1.4" not in found, "without endpoints there is nothing to go to: it is refused"
    assert "-d 10.244.0.5/32 -m conntrack --ctstate DNAT -j MASQUERADE" in lines(text, POST)
    assert "REJECT" in text.partition("*filter")[2]


def test_what_a_kernel_lacks_is_left_out() -> None:
    ports = [{"name": "http", "port": 80, "protocol": "TCP"}, {"name": "s", "port": 81, "protocol": "SCTP"}]
    given = service("web", "10.96.1.1", sessionAffinity="ClientIP", ports=ports)
    both = [{"name": "http", "port": 8080, "protocol": "TCP"}, {"name": "s", "port": 81, "protocol": "SCTP"}]
    view = catalogue(given, piece("w", "web", ENDS[0], ports=both))
    whole = lines(rules.text(CHAINS, view, Abilities()), SVC)
    assert [("recent" in line, "sctp" in line) for line in whole] == [
        (True, False), (True, False), (True, True), (True, True),
    ]  # fmt: skip
    poor = Abilities(protocols=frozenset({"TCP"}), affinity=False)
    assert lines(rules.text(CHAINS, view, poor), SVC) == [
        "-d 10.96.1.1/32 -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.244.0.2:8080"
    ]


def test_chains_are_named_after_the_network() -> None:
    other = Chains(IPv4Network("10.97.0.0/16"))
    assert other.services != CHAINS.services
    assert all(len(jump.target) <= 28 for jump in rules.jumps(other, "docker0"))
    assert {jump.target for jump in rules.jumps(other, "docker0")} == {
        other.services, other.node_ports, other.sources, other.refusals,
    }  # fmt: skip


@pytest.fixture(autouse=True)
def no_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PODLAB_SERVICE_NETWORK", raising=False)


def lab(folder: Path, name: str) -> Path:
    (folder / name).mkdir()
    return folder / name


def test_labs_side_by_side_take_different_networks(tmp_path: Path) -> None:
    meeting = tmp_path / "meeting"
    one, two = lab(tmp_path, "one"), lab(tmp_path, "two")
    first, second = service_network.claim(one, folder=meeting), service_network.claim(two, folder=meeting)
    assert (first.network, second.network) == ("10.96.0.0/16", "10.97.0.0/16")
    assert first.held
    assert second.held
    del first
    third = service_network.claim(lab(tmp_path, "three"), folder=meeting)
    assert third.network == "10.98.0.0/16", "the first lab will come back and have its Services there"
    again = service_network.claim(one, folder=meeting)
    assert (again.network, again.held) == ("10.96.0.0/16", True)


def test_the_longest_forgotten_network_is_given_away_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    meeting = tmp_path / "meeting"
    monkeypatch.setattr(service_network, "CANDIDATES", service_network.CANDIDATES[:2])
    for name, age in (("one", 100), ("two", 200)):
        network = service_network.claim(lab(tmp_path, name), folder=meeting).network.replace("/", "-")
        os.utime(meeting / f"{network}.lock", (age, 300 - age))
    assert service_network.claim(lab(tmp_path, "three"), folder=meeting).network == "10.97.0.0/16"
    assert not service_network.unclaimed(lab(tmp_path, "simulated")).held


def test_a_network_that_another_lab_uses_is_not_taken_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    meeting = tmp_path / "meeting"
    held = service_network.claim(lab(tmp_path, "one"), folder=meeting)
    monkeypatch.setenv("PODLAB_SERVICE_NETWORK", held.network)
    assert not service_network.claim(lab(tmp_path, "two"), folder=meeting).held


@pytest.mark.parametrize("text", ["10.96.0.0/30", "10.96.0.1/16", "fd00::/64", "nonsense"])
def test_a_network_that_cannot_be_used_is_an_error_that_names_the_variable(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PODLAB_SERVICE_NETWORK", text)
    with pytest.raises(env.BadEnvironment, match="PODLAB_SERVICE_NETWORK"):
        env.service_network("PODLAB_SERVICE_NETWORK", tmp_path)
