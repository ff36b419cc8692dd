"""The variables that tell a container about Services: `NAME_SERVICE_HOST` and its kin. Pure; `environment` calls it.

pkg/kubelet/envvars/envvars.go and kubelet_pods.go getServiceEnvVarMap: Services of the pod's namespace, and always
`kubernetes` of the namespace default; headless ones have none.
"""

from __future__ import annotations

from collections.abc import Iterable

from podlab.apis.types import Manifest

MASTER = ("default", "kubernetes")


def variables(pod: Manifest, services: Iterable[Manifest]) -> dict[str, str]:
    namespace = pod["metadata"]["namespace"]
    links = pod["spec"].get("enableServiceLinks") is not False
    chosen: dict[str, Manifest] = {}
    for service in services:
        meta = service["metadata"]
        place = (meta.get("namespace"), meta["name"])
        if place == MASTER:
            chosen.setdefault(meta["name"], service)
        elif links and meta.get("namespace") == namespace:
            chosen[meta["name"]] = service
    found: dict[str, str] = {}
    for name in sorted(chosen):
        found |= _of(name, chosen[name]["spec"])
    return found


def _of(name: str, spec: Manifest) -> dict[str, str]:
    ip, ports = spec.get("clusterIP") or "", spec.get("ports") or []
    if ip in ("", "None") or spec.get("type") == "ExternalName" or not ports:
        return {}
    prefix = _upper(name)
    made = {f"{prefix}_SERVICE_HOST": ip, f"{prefix}_SERVICE_PORT": str(ports[0]["port"])}
    for port in ports:
        if port.get("name"):
            made[f"{prefix}_SERVICE_PORT_{_upper(port['name'])}"] = str(port["port"])
    for number, port in enumerate(ports):
        protocol = str(port.get("protocol") or "TCP")
        address = f"[{ip}]" if ":" in ip else ip
        url = f"{protocol.lower()}://{address}:{port['port']}"
        if number == 0:
            made[f"{prefix}_PORT"] = url
        link = f"{prefix}_PORT_{port['port']}_{protocol.upper()}"
        made |= {link: url, f"{link}_PROTO": protocol.lower(), f"{link}_PORT": str(port["port"]), f"{link}_ADDR": ip}
    return made


def _upper(name: str) -> str:
    return name.upper().replace("-", "_")
