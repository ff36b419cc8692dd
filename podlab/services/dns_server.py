"""The cluster's DNS on the wire: UDP and TCP, answers from `records`, everything else from the node's own servers.

Messages are dnspython's. Each question has a thread for the moment that it takes; asking a node's server may take seconds.
"""

from __future__ import annotations

import logging
import random
import socket
import socketserver
import struct
import threading
from collections.abc import Callable, Sequence

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset

from podlab.services import records
from podlab.services.records import TTL, Answer, Record, View

logger = logging.getLogger(__name__)

UPSTREAM_SECONDS = 3.0
CLIENT_SECONDS = 10.0
MAX_UDP = 1232  # without EDNS it is 512
_REFRESH, _RETRY, _EXPIRE = 7200, 1800, 86400
_SERIAL = 1

Upstream = Callable[[], Sequence[str]]


class DnsServer:
    """Listens on `address` for both protocols, on a port that the machine has free. `upstream` names the servers for what
    the cluster does not know."""

    def __init__(self, view: View, address: str, upstream: Upstream) -> None:
        self._view, self._upstream = view, upstream
        self._udp, self._tcp = _bind(address, self)
        self.port = int(self._udp.server_address[1])
        self._threads = [
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 5.0}, name="dns", daemon=True)
            for server in (self._udp, self._tcp)
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Answers no more. What waits for a node's server gets no answer."""
        for server in (self._udp, self._tcp):
            threading.Thread(target=server.shutdown, daemon=True).start()
            server.server_close()

    def answer(self, wire: bytes, *, limit: int) -> bytes | None:
        """The answer to a message; None to what is no question at all."""
        try:
            query = dns.message.from_wire(wire)
        except dns.exception.DNSException:
            return _bad(wire)
        if query.flags & dns.flags.QR:
            return None
        reply = self._reply(query)
        if limit == MAX_UDP:
            limit = min(limit, max(query.payload, 512)) if query.edns >= 0 else 512
        try:
            return reply.to_wire(max_size=limit)
        except dns.exception.TooBig:
            short = dns.message.make_response(query)
            short.flags |= dns.flags.TC | dns.flags.RA
            return short.to_wire()

    def _reply(self, query: dns.message.Message) -> dns.message.Message:
        if query.opcode() != 0 or len(query.question) != 1:
            reply = dns.message.make_response(query)
            reply.set_rcode(dns.rcode.NOTIMP)
            return reply
        question = query.question[0]
        name = question.name.to_text(omit_final_dot=True)
        kind = dns.rdatatype.to_text(question.rdtype)
        found = records.answer(self._view, name, kind) if question.rdclass == dns.rdataclass.IN else None
        if found is None:
            return self._ask_onwards(query)
        reply = _written(query, found)
        if found.onwards:
            self._continue(reply, found.onwards, question.rdtype)
        return reply

    def _continue(self, reply: dns.message.Message, name: str, kind: dns.rdatatype.RdataType) -> None:
        """An ExternalName: say what its target is, too."""
        inside = records.answer(self._view, name, dns.rdatatype.to_text(kind))
        if inside is not None:
            reply.answer += [_rrset(record) for record in inside.records]
            return
        asked = dns.message.make_query(name, kind)
        answer = self._ask_onwards(asked)
        if answer.rcode() == dns.rcode.NOERROR:
            reply.answer += answer.answer

    def _ask_onwards(self, query: dns.message.Message) -> dns.message.Message:
        """The first of the node's servers that answers."""
        for server in self._upstream():
            try:
                answer, _ = dns.query.udp_with_fallback(query, server, timeout=UPSTREAM_SECONDS)
            except (dns.exception.DNSException, OSError, ValueError) as error:
                logger.debug("the server %s does not answer: %s", server, error)
                continue
            return answer
        reply = dns.message.make_response(query)
        reply.set_rcode(dns.rcode.SERVFAIL)
        return reply


def _written(query: dns.message.Message, found: Answer) -> dns.message.Message:
    reply = dns.message.make_response(query)
    reply.flags |= dns.flags.AA | dns.flags.RA
    answers = list(found.records)
    random.shuffle(answers)  # as CoreDNS' loadbalance: every client begins with another one
    reply.answer = [_rrset(record) for record in sorted(answers, key=lambda one: one.type != "CNAME")]
    reply.additional = [_rrset(record) for record in found.extra]
    if not found.exists:
        reply.set_rcode(dns.rcode.NXDOMAIN)
    if not found.records:
        reply.authority = [_rrset(records.soa())]
    return reply


def _rrset(record: Record) -> dns.rrset.RRset:
    data = record.data
    if record.type == "SOA":
        data = " ".join(f"{word}." for word in data.split()) + f" {_SERIAL} {_REFRESH} {_RETRY} {_EXPIRE} {TTL}"
    elif record.type in ("CNAME", "PTR", "NS", "SRV"):
        data += "."
    elif record.type == "TXT":
        data = f'"{data}"'
    return dns.rrset.from_text(f"{record.name}.", TTL, "IN", record.type, data)


def _bad(wire: bytes) -> bytes | None:
    """FORMERR to what has at least a header."""
    if len(wire) < 12:
        return None
    number = int.from_bytes(wire[:2], "big")
    return struct.pack("!HHHHHH", number, 0x8001, 0, 0, 0, 0)


# Sockets


class _UdpServer(socketserver.ThreadingUDPServer):
    daemon_threads = True
    max_packet_size = 4096

    def __init__(self, address: tuple[str, int], server: DnsServer) -> None:
        self.dns = server
        super().__init__(address, _UdpHandler)


class _TcpServer(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64

    def __init__(self, address: tuple[str, int], server: DnsServer) -> None:
        self.dns = server
        super().__init__(address, _TcpHandler)


class _UdpHandler(socketserver.BaseRequestHandler):
    server: _UdpServer

    def handle(self) -> None:
        wire, sock = self.request
        if (answer := _guarded(self.server.dns, wire, limit=MAX_UDP)) is not None:
            sock.sendto(answer, self.client_address)


class _TcpHandler(socketserver.BaseRequestHandler):
    server: _TcpServer

    def handle(self) -> None:
        sock: socket.socket = self.request
        sock.settimeout(CLIENT_SECONDS)
        try:
            while head := _read(sock, 2):
                answer = _guarded(self.server.dns, _read(sock, int.from_bytes(head, "big")), limit=65535)
                if answer is None:
                    return
                sock.sendall(len(answer).to_bytes(2, "big") + answer)
        except OSError:
            return


def _read(sock: socket.socket, size: int) -> bytes:
    """b"" at the end of what the client has to say."""
    held = b""
    while len(held) < size:
        part = sock.recv(size - len(held))
        if not part:
            return b""
        held += part
    return held


def _guarded(server: DnsServer, wire: bytes, *, limit: int) -> bytes | None:
    """One question that cannot be answered must not print a traceback for each time it is asked."""
    try:
        return server.answer(wire, limit=limit)
    except Exception:
        logger.exception("a question could not be answered")
        return None


def _bind(address: str, server: DnsServer) -> tuple[_UdpServer, _TcpServer]:
    """The same port for both. OSError when there is none."""
    for _ in range(20):
        udp = _UdpServer((address, 0), server)
        try:
            return udp, _TcpServer((address, int(udp.server_address[1])), server)
        except OSError:
            udp.server_close()
    raise OSError(f"no port of {address} is free for both UDP and TCP")
