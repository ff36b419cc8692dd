"""A pod stays 300 s on a node that became not ready or unreachable, unless it says otherwise.

Source: plugin/pkg/admission/defaulttolerationseconds/admission.go.
"""

from __future__ import annotations

from podlab.apis.types import Manifest
from podlab.registry.admission.plugin import CREATE, UPDATE, Plugin, Request

SECONDS = 300
_TAINTS = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")


class DefaultTolerationSeconds(Plugin):
    def admit(self, request: Request) -> None:
        spec = request.obj.get("spec")
        if not request.is_for("pods", CREATE, UPDATE) or not isinstance(spec, dict):
            return
        tolerations: list[Manifest] = spec.get("tolerations") or []
        for taint in _TAINTS:
            if not any(_speaks_of(item, taint) for item in tolerations):
                tolerations = [*tolerations, _toleration(taint)]
        spec["tolerations"] = tolerations


def _speaks_of(toleration: Manifest, taint: str) -> bool:
    """Whether the pod says something about `taint` with NoExecute; an empty key or effect means all."""
    return toleration.get("key", "") in (taint, "") and toleration.get("effect", "") in ("NoExecute", "")


def _toleration(taint: str) -> Manifest:
    return {"key": taint, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": SECONDS}
