"""Nodes and pods in few words, as the scheduling cycle reads them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

TAIL = "no new claims to deallocate, preemption:"
UNHELPFUL = "Preemption is not helpful for scheduling"
NO_VICTIMS = "No preemption victims found for incoming pod"

_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
HOST = "kubernetes.io/hostname"
ZONE = "topology.kubernetes.io/zone"


def node(name: str, *, cpu: str = "2", memory: str = "4Gi", pods: str = "110", **spec: Any) -> dict[str, Any]:
    labels = {HOST: name, **spec.pop("labels", {})}
    return {
        "metadata": {"name": name, "labels": labels},
        "spec": spec,
        "status": {"allocatable": {"cpu": cpu, "memory": memory, "pods": pods}},
    }


def pod(
    name: str = "p",
    *,
    requests: Mapping[str, str] | None = None,
    on: str = "",
    labels: Mapping[str, str] | None = None,
    namespace: str = "default",
    status: Mapping[str, Any] | None = None,
    ending: bool = False,
    **spec: Any,
) -> dict[str, Any]:
    """`on`: the node that it has; `ending`: somebody deleted it."""
    phase = spec.pop("phase", "Pending")
    ports = spec.pop("ports", [])
    container = {"name": "main", "image": "busybox", "resources": {"requests": requests or {}}, "ports": ports}
    whole = {"containers": [container], **spec, **({"nodeName": on} if on else {})}
    metadata: dict[str, Any] = {"name": name, "namespace": namespace, "uid": f"uid-{name}"}
    if labels:
        metadata["labels"] = dict(labels)
    if ending:
        metadata["deletionTimestamp"] = "2026-11-21T02:00:00Z"
    return {"metadata": metadata, "spec": whole, "status": {"phase": phase, **(status or {})}}


def app(name: str, on: str = "", *, of: str = "web", **more: Any) -> dict[str, Any]:
    return pod(name, on=on, labels={"app": of, **more.pop("labels", {})}, **more)


def term(of: str | None = "web", key: str = HOST, **more: Any) -> dict[str, Any]:
    selector = {} if of is None else {"labelSelector": {"matchLabels": {"app": of}}}
    return {"topologyKey": key, **selector, **more}


def near(*terms: dict[str, Any], kind: str = "podAffinity") -> dict[str, Any]:
    return {"affinity": {kind: {_REQUIRED: list(terms)}}}


def apart(*terms: dict[str, Any]) -> dict[str, Any]:
    return near(*terms, kind="podAntiAffinity")


def rather(weight: int, wanted: dict[str, Any], kind: str = "podAffinity") -> dict[str, Any]:
    return {"affinity": {kind: {_PREFERRED: [{"weight": weight, "podAffinityTerm": wanted}]}}}


def spread(key: str = ZONE, skew: int = 1, *, of: str = "web", hard: bool = True, **more: Any) -> dict[str, Any]:
    constraint = {
        "topologyKey": key,
        "maxSkew": skew,
        "whenUnsatisfiable": "DoNotSchedule" if hard else "ScheduleAnyway",
        "labelSelector": {"matchLabels": {"app": of}},
        **more,
    }
    return {"topologySpreadConstraints": [constraint]}
