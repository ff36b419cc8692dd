"""Plays kube-proxy and the cluster's DNS for cluster `main` in the node worker. `bootstep` starts and stops it.

Rules follow the change log, gathered for a moment, and are looked after once a minute: others flush tables too. What
stands in the way of rules is told once, in the log of the process and as an event on every node; pods then keep the node's
name servers, and cluster IPs lead nowhere.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from ipaddress import IPv4Network
from pathlib import Path

from podlab.apis.status_errors import ApiError
from podlab.clock import Clock, RealClock, Timer, monotonic, pause
from podlab.registry import cluster_dns
from podlab.registry.client import Client
from podlab.registry.events import Recorder
from podlab.registry.identity import system
from podlab.registry.realtime import RealTimeClusters
from podlab.services import rules
from podlab.services.catalogue import Catalogue
from podlab.services.dns_server import DnsServer
from podlab.services.iptables import CannotProxy, Tables
from podlab.services.rules import Abilities, Chains
from podlab.storage.errors import StorageError
from podlab.storage.hub import Hub
from podlab.storage.log import LogEntry

logger = logging.getLogger(__name__)

COMPONENT = "kube-proxy"
GATHER_SECONDS, APART_SECONDS = 0.03, 0.25
LOOK_SECONDS = 60.0
RETRY_SECONDS = 5.0
START_PATIENCE = 60.0
_RESOLV = Path("/etc/resolv.conf")


class ServicesHost:
    """`gateway`: the machine's own address on the bridge of the pods, where the DNS listens."""

    def __init__(
        self,
        *,
        cluster: str,
        network: IPv4Network,
        bridge: str,
        gateway: str,
        hub: Hub,
        clock: Clock | None = None,
        tables: Tables | None = None,
    ) -> None:
        self._cluster, self._gateway = cluster, gateway
        self._real: Clock = clock if clock is not None else RealClock()
        self._client = Client(cluster, system(COMPONENT), self._real.now)
        self._catalogue = Catalogue()
        self._chains = Chains(network)
        self._tables = tables if tables is not None else Tables(self._chains, bridge)
        self._can = Abilities()
        self._dns: DnsServer | None = None
        self._clusters = RealTimeClusters("services", hub=hub, make=self._follower, clock=self._real)
        self._written = ""

    def start(self) -> None:
        """Rules and DNS stand when this returns; CannotProxy when they cannot, and then `stop` is to be called. Waits for a
        store that is not there yet."""
        self._tables.check()
        self._can = self._tables.abilities()
        self._wait_for_store()
        self.write()
        self._tables.enter()
        try:
            self._dns = DnsServer(self._catalogue, self._gateway, node_servers)
        except OSError as error:
            raise CannotProxy(f"the cluster's DNS cannot listen on {self._gateway}: {error}") from None
        self._dns.start()
        try:
            cluster_dns.serve_at(self._client, self._gateway, self._dns.port)
        except (ApiError, StorageError) as error:
            raise CannotProxy(f"it cannot be told where the cluster's DNS is: {error}") from error
        self._clusters.start()

    def stop(self) -> None:
        self._clusters.stop()
        if self._dns is not None:
            self._dns.close()
        self._tables.leave()
        if isinstance(self._real, RealClock):
            self._real.close()

    def write(self) -> None:
        """Bring the rules up to date, if they are not."""
        text = rules.text(self._chains, self._catalogue, self._can)
        if text != self._written:
            self._tables.replace(text)
            self._written = text

    def look_after(self) -> None:
        """Put back what somebody has taken away."""
        self._written = ""
        self.write()
        self._tables.enter()

    def _wait_for_store(self) -> None:
        until = monotonic() + START_PATIENCE
        while True:
            try:
                self._catalogue.load(self._client)
                return
            except Exception as error:
                if monotonic() > until:
                    raise CannotProxy(f"the store does not answer: {error}") from error
                pause(0.5)

    def _follower(self, name: str, clock: Clock) -> _Follower:
        return _Follower(self, self._catalogue, self._client, clock)


class _Follower:
    """The change log, as a `realtime.Follower`. All of it on one thread."""

    def __init__(self, host: ServicesHost, catalogue: Catalogue, client: Client, clock: Clock) -> None:
        self._host, self._catalogue, self._client, self._clock = host, catalogue, client, clock
        self._soon: Timer | None = None
        self._look: Timer | None = None
        self._last = 0.0

    def load(self) -> int:
        page = self._client.list("endpoints", None, limit=1)  # for its revision: what is read below is no older
        self._catalogue.load(self._client)
        self._ask(0.0)
        self._look = self._clock.call_later(LOOK_SECONDS, self._look_after)
        return page.revision

    def on_change(self, entry: LogEntry) -> None:
        if self._catalogue.apply(entry):
            self._ask(max(GATHER_SECONDS, self._last + APART_SECONDS - monotonic()))

    def close(self) -> None:
        for timer in (self._soon, self._look):
            if timer is not None:
                timer.cancel()
        self._soon = self._look = None

    def _ask(self, seconds: float) -> None:
        if self._soon is None:
            self._soon = self._clock.call_later(seconds, self._write)

    def _write(self) -> None:
        self._soon, self._last = None, monotonic()
        try:
            self._host.write()
        except CannotProxy as problem:
            logger.warning("the rules of Services are old: %s", problem)
            self._ask(RETRY_SECONDS)

    def _look_after(self) -> None:
        self._look = self._clock.call_later(LOOK_SECONDS, self._look_after)
        try:
            self._host.look_after()
        except CannotProxy as problem:
            logger.warning("the rules of Services could not be looked after: %s", problem)


def tell(cluster: str, nodes: Sequence[str], reason: str, clock: Clock) -> None:
    """That there are no rules, where people look: on the nodes. Nobody serves the cluster's DNS then."""
    logger.warning("cluster IPs and the cluster's DNS do not work on this machine: %s", reason)
    client = Client(cluster, system(COMPONENT), clock.now)
    recorder = Recorder(client, COMPONENT, "", clock.now)
    try:
        cluster_dns.serve_at(client, "", 0)
        for node in nodes:
            reference = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": node, "uid": node}}
            text = f"Cluster IPs and the cluster's DNS do not work on this machine: {reason}"
            recorder.event(reference, "Warning", "ServiceProxyUnavailable", text, why="")
    except ApiError as error:
        logger.warning("it cannot be told: %s", error.message)


def node_servers() -> list[str]:
    """The name servers of this machine, read anew each time: it may move between networks."""
    try:
        lines = _RESOLV.read_text(errors="replace").splitlines()
    except OSError:
        return []
    words = (line.split() for line in lines)
    return [pair[1] for pair in words if len(pair) > 1 and pair[0] == "nameserver"][:3]
