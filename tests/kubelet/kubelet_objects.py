"""What a pod's environment and volumes refer to, without an API."""

from __future__ import annotations

import base64

from podlab.apis.types import Manifest
from podlab.kubelet.environment import Facts

FACTS = Facts(pod_ip="10.0.0.9", node_ip="192.0.2.1", allocatable_cpu_milli=2000, allocatable_memory=4 * 2**30)


class Objects:
    """A ConfigMap `cfg` and a Secret `sec`."""

    def config_map(self, namespace: str, name: str) -> Manifest | None:
        return {"data": {"a": "1", "b": "two"}} if name == "cfg" else None

    def secret(self, namespace: str, name: str) -> Manifest | None:
        return {"data": {"pw": base64.b64encode(b"s3cret").decode()}} if name == "sec" else None

    def claim(self, namespace: str, name: str) -> Manifest | None:
        return None

    def persistent_volume(self, name: str) -> Manifest | None:
        return None

    def services(self, namespace: str) -> list[Manifest]:
        return []

    def token(self, pod: Manifest, audience: str, seconds: int) -> str:
        return f"token for {audience or 'the API'}"
