"""Rules of services, claims, volumes, classes and presets beyond those that recordings hold."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from podlab.apis import defaults, scheme, validation
from podlab.apis.types import Manifest


def _errors(key: str, obj: Manifest) -> list[str]:
    resource = scheme.by_key(key)
    assert resource is not None
    meta = {"name": "x", **({"namespace": "default"} if resource.namespaced else {})}
    made: Manifest = {"apiVersion": resource.api_version, "kind": resource.kind, "metadata": meta, **copy.deepcopy(obj)}
    defaults.apply(resource, made)
    return [error.text() for error in validation.validate_create(resource, made)]


HOST = {"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "hostPath": {"path": "/data"}}
SERVICE = {"selector": {"app": "a"}, "ports": [{"port": 80}]}
BACKEND = {"service": {"name": "s", "port": {"number": 80}}}


@pytest.mark.parametrize(
    ("key", "obj", "wanted"),
    [
        ("persistentvolumes", {"spec": HOST}, []),
        ("persistentvolumes", {"spec": {}}, [
            "spec.accessModes: Required value", "spec.capacity: Required value",
            'spec.capacity: Unsupported value: null: supported values: "storage"',
            "spec: Required value: must specify a volume type",
        ]),
        ("persistentvolumes", {"spec": {**HOST, "nfs": {"server": "s", "path": "/"}}}, [
            "spec.nfs: Forbidden: may not specify more than 1 volume type",
        ]),
        ("persistentvolumes", {"spec": {**HOST, "persistentVolumeReclaimPolicy": "Keep"}}, [
            'spec.persistentVolumeReclaimPolicy: Unsupported value: "Keep": supported values: "Delete", "Recycle", '
            '"Retain"',
        ]),
        ("services", {"spec": {**SERVICE, "type": "LoadBalancer", "clusterIP": "None", "clusterIPs": ["None"]}}, [
            "spec.clusterIPs[0]: Invalid value: \"None\": may not be set to 'None' for LoadBalancer services",
        ]),
        ("services", {"spec": {"type": "ExternalName"}}, ["spec.externalName: Required value"]),
        ("services", {"spec": {**SERVICE, "ports": [{"port": 80, "nodePort": 30000}]}}, [
            "spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'",
        ]),
        ("priorityclasses.scheduling.k8s.io", {"metadata": {"name": "system-mine"}, "value": 1}, [
            "metadata.name: Forbidden: priority class names with 'system-' prefix are reserved for system use only. "
            "error: system-mine is not a known system priority class",
        ]),
        ("storageclasses.storage.k8s.io", {}, ["provisioner: Required value"]),
        ("networkpolicies.networking.k8s.io", {"spec": {"ingress": [{"from": [{}]}]}}, [
            "spec.ingress[0].from[0]: Required value: must specify a peer",
        ]),
        ("ingresses.networking.k8s.io", {"spec": {"rules": [{"http": {"paths": [{"backend": BACKEND}]}}]}}, [
            "spec.rules[0].http.paths[0].pathType: Required value: pathType must be specified",
        ]),
        ("ingresses.networking.k8s.io", {"spec": {"defaultBackend": {"service": {"name": "s"}}}}, [
            "spec.defaultBackend: Required value: port name or number is required",
        ]),
        ("podpresets.settings.k8s.io", {"spec": {"env": [{"name": ""}]}}, [
            "spec.env[0].name: Required value",
        ]),
    ],
)  # fmt: skip
def test_a_new_object_is_looked_through(key: str, obj: Manifest, wanted: list[str]) -> None:
    assert _errors(key, obj) == wanted


def _changed(key: str, old: Manifest, new: Manifest) -> list[str]:
    resource = scheme.by_key(key)
    assert resource is not None
    meta = {"name": "x", "namespace": "default", "resourceVersion": "7", "uid": "u"}
    if not resource.namespaced:
        del meta["namespace"]
    both = []
    for obj in (new, old):
        made: Manifest = {"apiVersion": resource.api_version, "kind": resource.kind, "metadata": dict(meta), **obj}
        defaults.apply(resource, made)
        both.append(made)
    return [error.text() for error in validation.validate_update(resource, *both)]


@pytest.mark.parametrize(
    ("key", "old", "new", "wanted"),
    [
        ("priorityclasses.scheduling.k8s.io", {"value": 1}, {"value": 2}, [
            "value: Forbidden: may not be changed in an update.",
        ]),
        ("endpointslices.discovery.k8s.io", {"addressType": "IPv4"}, {"addressType": "IPv6"}, [
            'addressType: Invalid value: "IPv6": field is immutable',
        ]),
        ("resourcequotas", {"spec": {"scopes": ["BestEffort"]}}, {"spec": {}}, [
            "spec.scopes: Invalid value: null: field is immutable",
        ]),
        ("storageclasses.storage.k8s.io", {"provisioner": "a/b"}, {"provisioner": "a/c"}, [
            'provisioner: Invalid value: "a/c": field is immutable',
        ]),
        ("persistentvolumes", {"spec": HOST}, {"spec": {**HOST, "hostPath": {"path": "/other"}}}, [
            "spec.persistentvolumesource: Forbidden: spec.persistentvolumesource is immutable after creation",
        ]),
        ("persistentvolumes", {"spec": HOST}, {"spec": {**HOST, "storageClassName": "fast"}}, []),
    ],
)  # fmt: skip
def test_what_may_not_change(key: str, old: Manifest, new: Manifest, wanted: list[str]) -> None:
    assert [text.partition("\n@@")[0] for text in _changed(key, old, new)] == wanted


def _claim(size: str, **status: Any) -> Manifest:
    spec = {"accessModes": ["ReadWriteOnce"], "volumeName": "v", "resources": {"requests": {"storage": size}}}
    return {"spec": spec, "status": {"phase": "Bound", "capacity": {"storage": "2Gi"}, **status}}


def test_a_bound_claim_may_grow_and_not_shrink() -> None:
    assert _changed("persistentvolumeclaims", _claim("2Gi"), _claim("3Gi")) == []
    assert _changed("persistentvolumeclaims", _claim("2Gi"), _claim("1Gi")) == [
        "spec.resources.requests.storage: Forbidden: field can not be less than status.capacity"
    ]
