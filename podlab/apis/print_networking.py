"""Columns and cells of policies, ingresses and storage classes. printers.py joins them to its own.

Source: pkg/printers/internalversion/printers.go.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from podlab.apis.print_cluster import some, spec_of, status_of
from podlab.apis.print_workloads import selector_text
from podlab.apis.printer_columns import AGE, NAME, NONE, Cell, Told, age, metadata, name
from podlab.apis.types import Manifest

_NETWORKING = "io.k8s.api.networking.v1."
_STORAGE_CLASS = "io.k8s.api.storage.v1.StorageClass"
_DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"
_SHOWN = 3  # hosts in a cell

COLUMNS: Mapping[str, tuple[Told, ...]] = {
    "networkpolicies.networking.k8s.io": (
        NAME,
        Told("Pod-Selector", f"{_NETWORKING}NetworkPolicySpec/podSelector"),
        AGE,
    ),
    "ingresses.networking.k8s.io": (
        NAME,
        Told("Class", "The name of the IngressClass resource that should be used for additional configuration"),
        Told("Hosts", "Hosts that incoming requests are matched against before the ingress rule"),
        Told("Address", "Address is a list containing ingress points for the load-balancer"),
        Told("Ports", "Ports of TLS configurations that open"),
        AGE,
    ),
    "ingressclasses.networking.k8s.io": (
        NAME,
        Told("Controller", "Controller that is responsible for handling this class"),
        Told("Parameters", "A reference to a resource with additional parameters"),
        AGE,
    ),
    "storageclasses.storage.k8s.io": (
        NAME,
        Told("Provisioner", f"{_STORAGE_CLASS}/provisioner"),
        Told("ReclaimPolicy", f"{_STORAGE_CLASS}/reclaimPolicy"),
        Told("VolumeBindingMode", f"{_STORAGE_CLASS}/volumeBindingMode"),
        Told("AllowVolumeExpansion", f"{_STORAGE_CLASS}/allowVolumeExpansion"),
        AGE,
    ),
}


def _network_policy(obj: Manifest, now: datetime) -> list[Cell]:
    return [name(obj), selector_text(spec_of(obj).get("podSelector")), age(obj, now)]


def _ingress(obj: Manifest, now: datetime) -> list[Cell]:
    spec = spec_of(obj)
    hosts = [rule["host"] for rule in spec.get("rules") or [] if rule.get("host")]
    points = (status_of(obj).get("loadBalancer") or {}).get("ingress") or []
    addresses = sorted({item.get("ip") or item.get("hostname") or "" for item in points} - {""})
    ports = "80, 443" if spec.get("tls") else "80"
    shown = some(hosts, _SHOWN, "*")
    return [name(obj), spec.get("ingressClassName") or NONE, shown, ",".join(addresses), ports, age(obj, now)]


def _ingress_class(obj: Manifest, now: datetime) -> list[Cell]:
    spec = spec_of(obj)
    given = spec.get("parameters")
    told = NONE
    if given:
        group = f".{given['apiGroup']}" if given.get("apiGroup") else ""
        told = f"{given.get('kind', '')}{group}/{given.get('name', '')}"
    return [name(obj), spec.get("controller", ""), told, age(obj, now)]


def _storage_class(obj: Manifest, now: datetime) -> list[Cell]:
    default = (metadata(obj).get("annotations") or {}).get(_DEFAULT_CLASS) == "true"
    return [
        f"{name(obj)} (default)" if default else name(obj),
        obj.get("provisioner", ""),
        obj.get("reclaimPolicy") or "Delete",
        obj.get("volumeBindingMode") or "Immediate",
        bool(obj.get("allowVolumeExpansion")),
        age(obj, now),
    ]


ROWS: Mapping[str, Callable[[Manifest, datetime], list[Cell]]] = {
    "networkpolicies.networking.k8s.io": _network_policy,
    "ingresses.networking.k8s.io": _ingress,
    "ingressclasses.networking.k8s.io": _ingress_class,
    "storageclasses.storage.k8s.io": _storage_class,
}
