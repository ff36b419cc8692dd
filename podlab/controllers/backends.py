"""The pods behind Services, reduced to what endpoints say of them, and which Services select which pods.

Shared by the controllers of Endpoints and EndpointSlices. `Backend` and its questions are pure; `Backends` is what one
controller remembers of the change log. Sources: staging/src/k8s.io/endpointslice/util/controller_utils.go and
trigger_time_tracker.go, pkg/api/v1/pod/util.go (FindPort).
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from podlab.apis import pods
from podlab.apis.types import Manifest
from podlab.registry.client import Client
from podlab.storage.log import LogEntry

SERVICES, PODS = "services", "pods"
LAST_CHANGE = "endpoints.kubernetes.io/last-change-trigger-time"
HEADLESS_LABEL = "service.kubernetes.io/headless"


@dataclass(frozen=True, slots=True)
class Backend:
    """One pod. `ports`: (name, protocol, number) of its containers' named ports, sidecars included. `ready_since`: when
    its Ready condition last changed, RFC 3339."""

    namespace: str
    name: str
    uid: str
    labels: tuple[tuple[str, str], ...]
    ip: str
    node: str
    ready: bool
    ready_since: str
    terminating: bool
    terminal: bool
    hostname: str
    subdomain: str
    ports: tuple[tuple[str, str, int], ...]

    def has_labels(self, selector: dict[str, str]) -> bool:
        return selector.items() <= dict(self.labels).items()

    @property
    def reference(self) -> Manifest:
        return {"kind": "Pod", "namespace": self.namespace, "name": self.name, "uid": self.uid}


def backend(pod: Manifest) -> Backend:
    meta, spec, status = pod["metadata"], pod.get("spec") or {}, pod.get("status") or {}
    condition = pods.get_condition(status.get("conditions"), "Ready") or {}
    return Backend(
        namespace=str(meta.get("namespace", "")),
        name=meta["name"],
        uid=str(meta.get("uid", "")),
        labels=tuple(sorted((meta.get("labels") or {}).items())),
        ip=str(status.get("podIP") or ""),
        node=str(spec.get("nodeName") or ""),
        ready=condition.get("status") == "True",
        ready_since=str(condition.get("lastTransitionTime") or ""),
        terminating=bool(meta.get("deletionTimestamp")),
        terminal=status.get("phase") in ("Succeeded", "Failed"),
        hostname=str(spec.get("hostname") or ""),
        subdomain=str(spec.get("subdomain") or ""),
        ports=tuple(_named_ports(pod)),
    )


def _named_ports(pod: Manifest) -> Iterable[tuple[str, str, int]]:
    """In the order in which a named target port is looked for: containers, then sidecars."""
    placed = [one for one in pods.containers(pod) if one.sort == "app"]
    placed += [one for one in pods.containers(pod) if one.sidecar]
    for one in placed:
        for port in one.spec.get("ports") or []:
            if port.get("name"):
                yield port["name"], port.get("protocol") or "TCP", int(port["containerPort"])


def selector_of(service: Manifest) -> dict[str, str] | None:
    """None for a Service whose endpoints are nobody's business here: without selector, or an ExternalName."""
    spec = service.get("spec") or {}
    selector = spec.get("selector")
    return dict(selector) if selector and spec.get("type") != "ExternalName" else None


def is_headless(service: Manifest) -> bool:
    return (service.get("spec") or {}).get("clusterIP") == "None"


def target_port(one: Backend, port: Manifest) -> int | None:
    """The number behind a Service port on this pod; None when the pod has no port of that name."""
    wanted, protocol = port.get("targetPort"), port.get("protocol") or "TCP"
    if isinstance(wanted, int) and wanted:
        return wanted
    if isinstance(wanted, str) and wanted:
        if wanted.isdigit():
            return int(wanted)
        matching = (number for name, kind, number in one.ports if (name, kind) == (wanted, protocol))
        return next(matching, None)
    return int(port["port"])


def endpoint_ports(one: Backend, service: Manifest) -> tuple[tuple[str, str, int, str], ...]:
    """(name, protocol, number, appProtocol) of each port of the Service that this pod has."""
    found = []
    for port in (service.get("spec") or {}).get("ports") or []:
        number = target_port(one, port)
        if number is not None:
            app = str(port.get("appProtocol") or "")
            found.append((str(port.get("name") or ""), str(port.get("protocol") or "TCP"), number, app))
    return tuple(found)


def port_manifest(port: tuple[str, str, int, str], *, always_named: bool) -> Manifest:
    """EndpointSlices say `name: ""`, Endpoints leave an empty name out."""
    name, protocol, number, app = port
    made: Manifest = {"name": name} if name or always_named else {}
    made |= {"port": number, "protocol": protocol}
    return {**made, "appProtocol": app} if app else made


def host_name(one: Backend, service: Manifest) -> str:
    """The name that the pod has under the Service: only where it asks for both."""
    meta = service["metadata"]
    named = one.hostname and one.subdomain == meta["name"] and one.namespace == meta.get("namespace")
    return one.hostname if named else ""


class Backends:
    """Services with a selector and all pods, by namespace. Written on the thread of the change log, read on any."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._selectors: defaultdict[str, dict[str, dict[str, str]]] = defaultdict(dict)
        self._pods: defaultdict[str, dict[str, Backend]] = defaultdict(dict)

    def load(self, client: Client) -> list[str]:
        """Everything anew; returns the keys of all Services."""
        services, found = client.list(SERVICES, None).items, client.list(PODS, None).items
        with self._lock:
            self._selectors.clear()
            self._pods.clear()
            for item in services:
                self._note_service(item.key.namespace, item.key.name, item.obj)
            for item in found:
                self._pods[item.key.namespace][item.uid] = backend(item.obj)
        return [f"{item.key.namespace}/{item.key.name}" for item in services]

    def affected(self, entry: LogEntry) -> set[str]:
        """The keys of the Services whose endpoints this change of a Service or a pod may touch."""
        key = entry.key
        with self._lock:
            if key.resource == SERVICES:
                if entry.type == "DELETED":
                    self._selectors[key.namespace].pop(key.name, None)
                else:
                    self._note_service(key.namespace, key.name, entry.obj)
                return {f"{key.namespace}/{key.name}"}
            if key.resource != PODS:
                return set()
            held = self._pods[key.namespace]
            before = held.pop(entry.uid, None)
            after = None if entry.type == "DELETED" else backend(entry.obj)
            if after is not None:
                held[entry.uid] = after
            if before == after:
                return set()
            touched = [one for one in (before, after) if one is not None]
            selectors = self._selectors.get(key.namespace, {})
            return {
                f"{key.namespace}/{name}"
                for name, selector in selectors.items()
                if any(one.has_labels(selector) for one in touched)
            }

    def selected(self, namespace: str, selector: dict[str, str]) -> list[Backend]:
        """By name; those without an address or past their end have nothing to offer."""
        with self._lock:
            held = list(self._pods.get(namespace, {}).values())
        usable = (one for one in held if one.ip and not one.terminal and one.has_labels(selector))
        return sorted(usable, key=lambda one: (one.name, one.uid))

    def _note_service(self, namespace: str, name: str, service: Manifest) -> None:
        selector = selector_of(service)
        if selector is None:
            self._selectors[namespace].pop(name, None)
        else:
            self._selectors[namespace][name] = selector


class TriggerTimes:
    """When what endpoints are made of changed last: the oldest change since the last look is what they are stamped with."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: dict[str, tuple[dict[str, str], str]] = {}

    def stamp(self, key: str, service: Manifest, members: list[Backend]) -> str:
        """RFC 3339; "" when nothing has changed since the last call."""
        made = str(service["metadata"].get("creationTimestamp") or "")
        ready = {one.uid: one.ready_since for one in members if one.ready_since}
        with self._lock:
            known, known_service = self._seen.get(key, ({}, ""))
            self._seen[key] = (ready, made)
        changed = [when for uid, when in ready.items() if when > known.get(uid, "")]
        if made > known_service:
            changed.append(made)
        return min(changed, default="")

    def forget(self, key: str) -> None:
        with self._lock:
            self._seen.pop(key, None)
