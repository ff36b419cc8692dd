"""The names of a cluster, as CoreDNS tells them."""

from __future__ import annotations

import pytest
from service_samples import CLUSTER, catalogue, endpoint, entry, piece, service

from podlab.services import records
from podlab.services.records import Answer

VIEW = catalogue(*CLUSTER)
C = ".svc.cluster.local"


def said(answer: Answer | None) -> object:
    """Short: None (not ours), "NXDOMAIN", or the data of the records."""
    if answer is None:
        return None
    return [record.data for record in answer.records] if answer.exists else "NXDOMAIN"


QUESTIONS: dict[str, tuple[str, str, object]] = {
    "a Service has its cluster IP": (f"web.default{C}", "A", ["10.96.1.1"]),
    "names have no case and may end in a dot": (f"WEB.Default{C}.", "A", ["10.96.1.1"]),
    "of another family there is no data": (f"web.default{C}", "AAAA", []),
    "a port by name": (f"_http._tcp.web.default{C}", "SRV", [f"0 100 80 web.default{C}"]),
    "a port that the Service lacks": (f"_ftp._tcp.web.default{C}", "SRV", "NXDOMAIN"),
    "all ports at once": (f"web.default{C}", "SRV", [f"0 100 80 web.default{C}"]),
    "a headless Service has its pods": (f"peers.default{C}", "A", ["10.244.0.2", "10.244.0.3"]),
    "a pod with a hostname has a name": (f"first.peers.default{C}", "A", ["10.244.0.2"]),
    "others are named by their address": (f"10-244-0-3.peers.default{C}", "A", ["10.244.0.3"]),
    "who has a hostname has no other name": (f"10-244-0-2.peers.default{C}", "A", "NXDOMAIN"),
    "ports of a headless Service": (
        f"_http._tcp.peers.default{C}", "SRV",
        [f"0 50 8080 first.peers.default{C}", f"0 50 8080 10-244-0-3.peers.default{C}"],
    ),
    "headless without endpoints": (f"lonely.default{C}", "A", "NXDOMAIN"),
    "headless without ports": (f"bare.default{C}", "A", ["10.244.0.9"]),
    "headless without ports has no SRV": (f"bare.default{C}", "SRV", []),
    "endpoints of a ClusterIP have names too": (f"10-244-0-2.web.default{C}", "A", ["10.244.0.2"]),
    "an ExternalName is an alias": (f"out.default{C}", "A", ["example.org"]),
    "an alias has no SRV": (f"out.default{C}", "SRV", []),
    "no such Service": (f"nope.default{C}", "A", "NXDOMAIN"),
    "too many labels": (f"a.b.c.web.default{C}", "A", "NXDOMAIN"),
    "a namespace has no data": (f"default{C}", "A", []),
    "the zone's own parts have no data": ("svc.cluster.local", "A", []),
    "there is nothing but svc and pod": ("web.cluster.local", "A", "NXDOMAIN"),
    "any address can be spelled as a pod": ("10-1-2-3.default.pod.cluster.local", "A", ["10.1.2.3"]),
    "an IPv6 one as well": ("fd00--1.default.pod.cluster.local", "AAAA", ["fd00::1"]),
    "what spells no address": ("web.default.pod.cluster.local", "A", "NXDOMAIN"),
    "the version of the specification": ("dns-version.cluster.local", "TXT", ["1.1.0"]),
    "the name server": ("ns.dns.cluster.local", "A", ["10.96.0.10"]),
    "the zone": ("cluster.local", "NS", ["ns.dns.cluster.local"]),
    "a cluster IP backwards": ("1.1.96.10.in-addr.arpa", "PTR", [f"web.default{C}"]),
    "a pod backwards": (
        "2.0.244.10.in-addr.arpa", "PTR", [f"first.peers.default{C}", f"10-244-0-2.web.default{C}"],
    ),
    "an address of nobody is asked elsewhere": ("9.9.9.9.in-addr.arpa", "PTR", None),
    "the rest of the world is asked elsewhere": ("example.org", "A", None),
    "a name that only ends alike": ("notcluster.local", "A", None),
}  # fmt: skip


@pytest.mark.parametrize("sentence", QUESTIONS)
def test_names(sentence: str) -> None:
    name, kind, expected = QUESTIONS[sentence]
    assert said(records.answer(VIEW, name, kind)) == expected


def test_an_alias_goes_on_outside_and_srv_brings_addresses_along() -> None:
    alias = records.answer(VIEW, f"out.default{C}", "A")
    assert alias is not None
    assert (alias.onwards, alias.records[0].type) == ("example.org", "CNAME")
    srv = records.answer(VIEW, f"_http._tcp.web.default{C}", "SRV")
    assert srv is not None
    assert [(one.name, one.data) for one in srv.extra] == [(f"web.default{C}", "10.96.1.1")]


def test_what_is_not_ready_has_no_name_until_it_is() -> None:
    waiting = endpoint("10.244.0.7", conditions={"ready": False, "serving": False})
    view = catalogue(service("s", "None"), piece("s-1", "s", waiting))
    assert said(records.answer(view, f"s.default{C}", "A")) == "NXDOMAIN"
    assert view.apply(entry(piece("s-1", "s", endpoint("10.244.0.7")), "MODIFIED"))
    assert said(records.answer(view, f"s.default{C}", "A")) == ["10.244.0.7"]
    assert not view.apply(entry(piece("s-1", "s", endpoint("10.244.0.7")), "MODIFIED")), "nothing new"
    assert view.apply(entry(piece("s-1", "s"), "DELETED"))
    assert said(records.answer(view, f"s.default{C}", "A")) == "NXDOMAIN"
