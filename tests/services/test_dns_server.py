"""The DNS on the wire, asked by dnspython."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.rrset
import pytest
from service_samples import CLUSTER, catalogue, endpoint, piece, service

from podlab.services.dns_server import DnsServer

LOOPBACK = "127.0.0.1"


@pytest.fixture(scope="module")
def server() -> Iterator[DnsServer]:
    many = [endpoint(f"10.244.1.{number}") for number in range(1, 90)]
    made = DnsServer(catalogue(*CLUSTER, service("many", "None"), piece("m", "many", *many)), LOOPBACK, lambda: [])
    made.start()
    yield made
    made.close()


def ask(server: DnsServer, name: str, kind: str, *, tcp: bool = False) -> dns.message.Message:
    query = dns.message.make_query(name, kind, use_edns=False)
    way = dns.query.tcp if tcp else dns.query.udp
    return way(query, LOOPBACK, port=server.port, timeout=5)


def test_an_answer_is_authoritative_and_lives_for_half_a_minute(server: DnsServer) -> None:
    for tcp in (False, True):
        answer = ask(server, "web.default.svc.cluster.local", "A", tcp=tcp)
        assert [str(rrset) for rrset in answer.answer] == ["web.default.svc.cluster.local. 30 IN A 10.96.1.1"]
        assert answer.flags & dns.flags.AA
        assert answer.flags & dns.flags.RA


def test_no_such_name_and_no_such_data_both_bring_the_zone_along(server: DnsServer) -> None:
    for name, kind, code in (
        ("nope.default.svc.cluster.local", "A", dns.rcode.NXDOMAIN),
        ("web.default.svc.cluster.local", "AAAA", dns.rcode.NOERROR),
    ):
        answer = ask(server, name, kind)
        assert (answer.rcode(), answer.answer) == (code, [])
        soa = str(answer.authority[0])
        assert soa.startswith("cluster.local. 30 IN SOA ns.dns.cluster.local. hostmaster.cluster.local. ")
        assert soa.endswith(" 7200 1800 86400 30")


def test_srv_and_ptr(server: DnsServer) -> None:
    srv = ask(server, "_http._tcp.peers.default.svc.cluster.local", "SRV")
    assert sorted(str(one) for rrset in srv.answer for one in rrset) == [
        "0 50 8080 10-244-0-3.peers.default.svc.cluster.local.",
        "0 50 8080 first.peers.default.svc.cluster.local.",
    ]
    assert len(srv.additional) == 2
    ptr = ask(server, "1.1.96.10.in-addr.arpa", "PTR")
    assert [str(one) for one in ptr.answer[0]] == ["web.default.svc.cluster.local."]


def test_what_does_not_fit_is_cut_and_whole_over_tcp(server: DnsServer) -> None:
    cut = ask(server, "many.default.svc.cluster.local", "A")
    assert cut.flags & dns.flags.TC
    assert sum(len(rrset) for rrset in ask(server, "many.default.svc.cluster.local", "A", tcp=True).answer) == 89


def test_nonsense_is_answered_with_an_error_or_not_at_all(server: DnsServer) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(5)
        client.sendto(b"x", (LOOPBACK, server.port))
        client.sendto(b"\x12\x34" + b"\xff" * 20, (LOOPBACK, server.port))
        answer = client.recv(512)
    assert answer[:2] == b"\x12\x34"
    assert answer[3] & 0x0F in (dns.rcode.FORMERR, dns.rcode.NOTIMP)


def test_nobody_to_ask_is_a_failure_of_the_server(server: DnsServer) -> None:
    assert ask(server, "example.org", "A").rcode() == dns.rcode.SERVFAIL


def test_other_names_are_asked_of_the_node_s_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, str]] = []

    def upstream(query: dns.message.Message, where: str, **_: object) -> tuple[dns.message.Message, bool]:
        asked.append((where, str(query.question[0].name)))
        if where == "192.0.2.1":
            raise OSError("unreachable")
        reply = dns.message.make_response(query)
        reply.answer = [dns.rrset.from_text("example.org.", 60, "IN", "A", "192.0.2.7")]
        return reply, False

    monkeypatch.setattr(dns.query, "udp_with_fallback", upstream)
    made = DnsServer(catalogue(*CLUSTER), LOOPBACK, lambda: ["192.0.2.1", "192.0.2.2"])
    made.start()
    try:
        direct = ask(made, "example.org", "A")
        alias = ask(made, "out.default.svc.cluster.local", "A")
    finally:
        made.close()
    assert [str(rrset) for rrset in direct.answer] == ["example.org. 60 IN A 192.0.2.7"]
    assert [str(rrset) for rrset in alias.answer] == [
        "out.default.svc.cluster.local. 30 IN CNAME example.org.",
        "example.org. 60 IN A 192.0.2.7",
    ]
    assert asked == [(server, "example.org.") for server in ("192.0.2.1", "192.0.2.2")] * 2


def test_many_at_once(server: DnsServer) -> None:
    answers: list[int] = []

    def one() -> None:
        answers.append(len(ask(server, "web.default.svc.cluster.local", "A").answer))

    threads = [threading.Thread(target=one) for _ in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [1] * 40
