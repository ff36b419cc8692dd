"""services/<name>/proxy: which pod behind a service a request goes to. On a pool thread.

The path names the service's port by number or name: `services/web:80/proxy/`, `services/http:web:http/proxy/`; without one it
is the port that has no name. As in Kubernetes, only addresses that are pods count, and one of them is taken by chance.
Source: pkg/registry/core/service/storage/storage.go (ResourceLocation, isValidAddress).
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator

from podlab.apis import field_errors, status_errors
from podlab.apis.types import Manifest
from podlab.apiserver.calls import Call
from podlab.apiserver.streams import targets
from podlab.apiserver.streams.targets import Target
from podlab.registry.client import Client


def dial(call: Call, name: str, port: str) -> tuple[Target, int]:
    """The pod and its port. ApiError 404 for a service without Endpoints, 503 for one without a pod that is ready."""
    session = targets.authorized(call, call.verb)
    client = session.client.as_system("apiserver")
    wanted = (
        _port_name(client.get("services", call.place.namespace, name).obj, port)
        if port.isdecimal() and len(port) < 20
        else port
    )
    endpoints = client.get("endpoints", call.place.namespace, name).obj
    found = list(_pods(client, endpoints, wanted))
    if not found:
        raise status_errors.service_unavailable(f"no endpoints available for service {field_errors.go_quote(name)}")
    pod, number = secrets.choice(found)
    return targets.dial_pod(session, call, pod), number


def _port_name(service: Manifest, number: str) -> str:
    meta, ports = service["metadata"], service["spec"].get("ports") or []
    for port in ports:
        if int(port["port"]) == int(number):
            return str(port.get("name") or "")
    text = f"no service port {int(number)} found for service {field_errors.go_quote(meta['name'])}"
    raise status_errors.service_unavailable(text)


def _pods(client: Client, endpoints: Manifest, port_name: str) -> Iterator[tuple[Manifest, int]]:
    for subset in endpoints.get("subsets") or []:
        for port in subset.get("ports") or []:
            if (port.get("name") or "") == port_name:
                for address in subset.get("addresses") or []:
                    pod = _pod(client, endpoints["metadata"]["namespace"], address)
                    if pod is not None:
                        yield pod, int(port["port"])


def _pod(client: Client, namespace: str, address: Manifest) -> Manifest | None:
    """The pod that has this address now; None for an address that is none, or no longer."""
    reference = address.get("targetRef") or {}
    if reference.get("kind") != "Pod" or (reference.get("namespace") or namespace) != namespace:
        return None
    stored = client.find("pods", namespace, reference.get("name") or "")
    ips = ((stored.obj.get("status") or {}).get("podIPs") or []) if stored is not None else []
    return stored.obj if stored is not None and any(item.get("ip") == address.get("ip") for item in ips) else None
