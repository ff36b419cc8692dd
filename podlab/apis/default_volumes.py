"""Defaults of volumes and of references into the pod (pkg/apis/core/v1/defaults.go). Called by defaults.py."""

from __future__ import annotations

from typing import Any

from podlab.apis import quantity
from podlab.apis.image_names import pull_policy
from podlab.apis.types import Manifest

FILE_MODE = 0o644
TOKEN_SECONDS = 3600
_WITH_MODE = ("secret", "configMap", "downwardAPI", "projected")
# Fields of rarer sources: set when empty, and (second table) when absent.
_PLAIN: dict[str, dict[str, Any]] = {
    "iscsi": {"iscsiInterface": "default"},
    "rbd": {"pool": "rbd", "user": "admin", "keyring": "/etc/ceph/keyring"},
    "scaleIO": {"storageMode": "ThinProvisioned", "fsType": "xfs"},
}
_POINTER: dict[str, dict[str, Any]] = {
    "hostPath": {"type": ""},
    "azureDisk": {"cachingMode": "ReadWrite", "kind": "Shared", "fsType": "ext4", "readOnly": False},
}


def apply(volume: Manifest) -> None:
    if not any(value is not None for name, value in volume.items() if name != "name"):
        volume["emptyDir"] = {}
    for kind in _WITH_MODE:
        if volume.get(kind) is not None and volume[kind].get("defaultMode") is None:
            volume[kind]["defaultMode"] = FILE_MODE
    for kind, values in _PLAIN.items():
        for name, value in values.items():
            if volume.get(kind) is not None and not volume[kind].get(name):
                volume[kind][name] = value
    for kind, values in _POINTER.items():
        for name, value in values.items():
            if volume.get(kind) is not None and volume[kind].get(name) is None:
                volume[kind][name] = value
    _items(volume.get("downwardAPI"))
    for source in (volume.get("projected") or {}).get("sources") or []:
        _items(source.get("downwardAPI"))
        token = source.get("serviceAccountToken")
        if token is not None and token.get("expirationSeconds") is None:
            token["expirationSeconds"] = TOKEN_SECONDS
    _claim_and_image(volume)


def _claim_and_image(volume: Manifest) -> None:
    template = (volume.get("ephemeral") or {}).get("volumeClaimTemplate")
    if template is not None:
        spec = template.setdefault("spec", {})
        if spec.get("volumeMode") is None:
            spec["volumeMode"] = "Filesystem"
        for kind in ("requests", "limits"):
            round_up((spec.get("resources") or {}).get(kind))
    image = volume.get("image")
    if image is not None and not image.get("pullPolicy"):
        image["pullPolicy"] = pull_policy(image.get("reference") or "")


def round_up(amounts: Manifest | None) -> None:
    """Nothing smaller than a thousandth is kept (SetDefaults_ResourceList)."""
    for name, text in (amounts or {}).items():
        found = quantity.parse(text)
        if found.nano % quantity.MILLI:
            (amounts or {})[name] = str(found.round_up_to_milli())


def _items(source: Manifest | None) -> None:
    for item in (source or {}).get("items") or []:
        references(item)


def references(holder: Manifest) -> None:
    """fieldRef and resourceFieldRef of an env source or of a downward API file."""
    field = holder.get("fieldRef")
    if field is not None and not field.get("apiVersion"):
        field["apiVersion"] = "v1"
    resource = holder.get("resourceFieldRef")
    if resource is not None and resource.get("divisor") is None:
        resource["divisor"] = "0"
