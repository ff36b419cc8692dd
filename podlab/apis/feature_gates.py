"""Pod fields behind feature gates that are off in Kubernetes 1.36: accepted, then dropped.

The registry's pod strategy calls drop_disabled() when it prepares a create, before validation, and
sync_app_armor() beside it. Sources: pkg/api/pod/util.go (dropDisabledFields), pkg/registry/core/pod/strategy.go
(applyAppArmorVersionSkew).
"""

from __future__ import annotations

from podlab.apis.types import Manifest

_APP_ARMOR = "container.apparmor.security.beta.kubernetes.io/"
_DISABLED_PROJECTIONS = ("clusterTrustBundle", "podCertificate")
_LISTS = ("initContainers", "containers", "ephemeralContainers")


def drop_disabled(pod: Manifest) -> None:
    spec = pod.get("spec") or {}
    spec.pop("schedulingGroup", None)
    for name in _LISTS:
        for container in spec.get(name) or []:
            lifecycle = container.get("lifecycle")
            if lifecycle is not None and lifecycle.pop("stopSignal", None) is not None and not lifecycle:
                del container["lifecycle"]
    for volume in spec.get("volumes") or []:
        for source in (volume.get("projected") or {}).get("sources") or []:
            for kind in _DISABLED_PROJECTIONS:
                source.pop(kind, None)


def sync_app_armor(pod: Manifest) -> None:
    """The annotation of old clients becomes the field, unless the field is there."""
    annotations = (pod.get("metadata") or {}).get("annotations") or {}
    spec = pod.get("spec") or {}
    for name in _LISTS:
        for container in spec.get(name) or []:
            profile = _profile(annotations.get(_APP_ARMOR + str(container.get("name", "")), ""))
            context = container.get("securityContext") or {}
            if profile and not context.get("appArmorProfile"):
                container["securityContext"] = {**context, "appArmorProfile": profile}


def _profile(annotation: str) -> Manifest | None:
    if annotation == "unconfined":
        return {"type": "Unconfined"}
    if annotation == "runtime/default":
        return {"type": "RuntimeDefault"}
    if annotation.startswith("localhost/") and len(annotation) > len("localhost/"):
        return {"type": "Localhost", "localhostProfile": annotation.removeprefix("localhost/")}
    return None
