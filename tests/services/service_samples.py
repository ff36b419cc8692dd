"""A small cluster's Services as values, and a change log to feed them by."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from podlab.apis.types import Key, Manifest
from podlab.services.catalogue import SERVICES, SLICES, Catalogue
from podlab.storage.log import LogEntry

NOW = datetime(2026, 11, 26, tzinfo=UTC)


def service(name: str, ip: str = "", *, namespace: str = "default", **spec: Any) -> Manifest:
    ports = [{"name": "http", "port": 80, "targetPort": 8080, "protocol": "TCP"}]
    given = {"type": "ClusterIP", "ports": ports, **({"clusterIP": ip, "clusterIPs": [ip]} if ip else {}), **spec}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": namespace}, "spec": given}


def endpoint(ip: str, **more: Any) -> Manifest:
    return {"addresses": [ip], "conditions": {"ready": True, "serving": True, "terminating": False}, **more}


def piece(name: str, service_name: str, *ends: Manifest, ports: list[Manifest] | None = None) -> Manifest:
    labels = {"kubernetes.io/service-name": service_name}
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {"name": name, "namespace": "default", "labels": labels},
        "addressType": "IPv4",
        "endpoints": list(ends),
        "ports": ports if ports is not None else [{"name": "http", "port": 8080, "protocol": "TCP"}],
    }


def entry(obj: Manifest, kind: str = "ADDED") -> LogEntry:
    meta = obj["metadata"]
    resource = SERVICES if obj["kind"] == "Service" else SLICES
    return LogEntry(
        revision=1,
        prev_revision=0,
        type=kind,
        key=Key("main", resource, meta["namespace"], meta["name"]),
        uid=meta["name"],
        body=json.dumps(obj),
        at=NOW,
        wall=NOW,
    )


def catalogue(*given: Manifest) -> Catalogue:
    made = Catalogue()
    for obj in given:
        made.apply(entry(obj))
    return made


CLUSTER = (
    service("kube-dns", "10.96.0.10", namespace="kube-system"),
    service("web", "10.96.1.1"),
    piece("web-1", "web", endpoint("10.244.0.2"), endpoint("10.244.0.3")),
    service("peers", "None"),
    piece("peers-1", "peers", endpoint("10.244.0.2", hostname="first"), endpoint("10.244.0.3")),
    service("lonely", "None"),
    service("bare", "None", ports=[]),
    piece("bare-1", "bare", endpoint("10.244.0.9"), ports=[]),
    service("out", type="ExternalName", externalName="example.org", ports=[]),
)
