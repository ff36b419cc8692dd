"""Kinds that Kubernetes 1.36 no longer has, in the form of the schema artefact. schema.py joins them to it.

PodPreset (settings.k8s.io/v1alpha1, staging/src/k8s.io/api/settings/v1alpha1/types.go up to Kubernetes 1.19): the
teaching material has it.
"""

from __future__ import annotations

from typing import Any

_REF = "#/components/schemas/"
_META = "io.k8s.apimachinery.pkg.apis.meta.v1."
_PRESET = "io.k8s.api.settings.v1alpha1.PodPreset"
_GROUP_VERSION = {"group": "settings.k8s.io", "version": "v1alpha1"}


def _ref(name: str) -> dict[str, Any]:
    return {"$ref": _REF + name}


def _core_list(name: str) -> dict[str, Any]:
    return {"type": "array", "items": _ref(f"io.k8s.api.core.v1.{name}")}


_TYPE = {"apiVersion": {"type": "string"}, "kind": {"type": "string"}}

DEFINITIONS: dict[str, dict[str, Any]] = {
    _PRESET: {
        "type": "object",
        "properties": {**_TYPE, "metadata": _ref(f"{_META}ObjectMeta"), "spec": _ref(f"{_PRESET}Spec")},
        "x-kubernetes-group-version-kind": [{**_GROUP_VERSION, "kind": "PodPreset"}],
    },
    f"{_PRESET}List": {
        "type": "object",
        "required": ["items"],
        "properties": {
            **_TYPE,
            "items": {"type": "array", "items": _ref(_PRESET)},
            "metadata": _ref(f"{_META}ListMeta"),
        },
        "x-kubernetes-group-version-kind": [{**_GROUP_VERSION, "kind": "PodPresetList"}],
    },
    f"{_PRESET}Spec": {
        "type": "object",
        "properties": {
            "selector": _ref(f"{_META}LabelSelector"),
            "env": _core_list("EnvVar"),
            "envFrom": _core_list("EnvFromSource"),
            "volumes": _core_list("Volume"),
            "volumeMounts": _core_list("VolumeMount"),
        },
    },
}
KINDS = {
    "settings.k8s.io/v1alpha1/PodPreset": _PRESET,
    "settings.k8s.io/v1alpha1/PodPresetList": f"{_PRESET}List",
}
DESCRIPTIONS: dict[str, dict[str, str]] = {
    _PRESET: {"": "PodPreset is a policy resource that defines additional runtime requirements for a Pod."},
    f"{_PRESET}List": {"": "PodPresetList is a list of PodPreset objects."},
    f"{_PRESET}Spec": {
        "": "PodPresetSpec is a description of a pod preset.",
        "selector": "Selector is a label query over a set of resources, in this case pods. Required.",
        "env": "Env defines the collection of EnvVar to inject into containers.",
        "envFrom": "EnvFrom defines the collection of EnvFromSource to inject into containers.",
        "volumes": "Volumes defines the collection of Volume to inject into the pod.",
        "volumeMounts": "VolumeMounts defines the collection of VolumeMount to inject into containers.",
    },
}
