"""The columns in which kubectl get shows a kind, and the cells of one object.

The API server makes Tables of them, pages their lists: both show the same words. Source: pkg/printers/internalversion/
printers.go. What STATUS of a pod says is in pod_summary.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from podlab.apis import (
    conversion,
    pod_summary,
    print_cluster,
    print_networking,
    print_rbac,
    print_workloads,
    schema,
    times,
)
from podlab.apis.printer_columns import (
    AGE,
    CORE,
    META,
    NAME,
    NONE,
    UNKNOWN,
    Cell,
    Column,
    Told,
    age,
    metadata,
    name,
)
from podlab.apis.scheme import Resource
from podlab.apis.types import Manifest

_ADDRESSES = f"{CORE}NodeStatus/addresses"

_COLUMNS: Mapping[str, tuple[Told, ...]] = {
    "pods": (
        NAME,
        Told("Ready", "The aggregate readiness state of this pod for accepting traffic."),
        Told("Status", "The aggregate status of the containers in this pod."),
        Told(
            "Restarts",
            "The number of times the containers in this pod have been restarted and when the last container in this "
            "pod has restarted.",
        ),
        AGE,
        Told("IP", f"{CORE}PodStatus/podIP", wide=True),
        Told("Node", f"{CORE}PodSpec/nodeName", wide=True),
        Told("Nominated Node", f"{CORE}PodStatus/nominatedNodeName", wide=True),
        Told("Readiness Gates", f"{CORE}PodSpec/readinessGates", wide=True),
    ),
    "namespaces": (NAME, Told("Status", "The status of the namespace"), AGE),
    "nodes": (
        NAME,
        Told("Status", "The status of the node"),
        Told("Roles", "The roles of the node"),
        AGE,
        Told("Version", f"{CORE}NodeSystemInfo/kubeletVersion"),
        Told("Internal-IP", _ADDRESSES, wide=True),
        Told("External-IP", _ADDRESSES, wide=True),
        Told("OS-Image", f"{CORE}NodeSystemInfo/osImage", wide=True),
        Told("Kernel-Version", f"{CORE}NodeSystemInfo/kernelVersion", wide=True),
        Told("Container-Runtime", f"{CORE}NodeSystemInfo/containerRuntimeVersion", wide=True),
    ),
    "configmaps": (NAME, Told("Data", f"{CORE}ConfigMap/data"), AGE),
    "secrets": (NAME, Told("Type", f"{CORE}Secret/type"), Told("Data", f"{CORE}Secret/data"), AGE),
    "serviceaccounts": (NAME, AGE),
    "events": (
        Told("Last Seen", f"{CORE}Event/lastTimestamp"),
        Told("Type", f"{CORE}Event/type"),
        Told("Reason", f"{CORE}Event/reason"),
        Told("Object", f"{CORE}Event/involvedObject"),
        Told("Subobject", f"{CORE}ObjectReference/fieldPath", wide=True),
        Told("Source", f"{CORE}Event/source", wide=True),
        Told("Message", f"{CORE}Event/message"),
        Told("First Seen", f"{CORE}Event/firstTimestamp", wide=True),
        Told("Count", f"{CORE}Event/count", wide=True),
        Told("Name", f"{META}/name", "name", wide=True),
    ),
    **print_cluster.COLUMNS,
    **print_networking.COLUMNS,
    **print_rbac.COLUMNS,
    **print_workloads.COLUMNS,
}
_OTHERS = (NAME, Told("Created At", f"{META}/creationTimestamp", type="date"))


def columns(resource: Resource) -> list[Column]:
    told = _COLUMNS.get(resource.stored_as or resource.key, _OTHERS)
    return [Column(item.name, _description(item.about), item.format, int(item.wide), item.type) for item in told]


def _description(about: str) -> str:
    definition, slash, field = about.partition("/")
    return schema.description(definition, field) if slash and " " not in definition else about


def row(resource: Resource, obj: Manifest, now: datetime) -> list[Cell]:
    """The cells in the order of columns(), wide ones included."""
    key = resource.stored_as or resource.key
    return _ROWS.get(key, _other)(conversion.to_stored(resource, obj), now)


def row_conditions(resource: Resource, obj: Manifest) -> list[Manifest]:
    """Marks finished pods, so that clients may hide them."""
    phase = (obj.get("status") or {}).get("phase")
    if resource.key != "pods" or phase not in ("Succeeded", "Failed"):
        return []
    message = "The pod has completed successfully." if phase == "Succeeded" else "The pod failed."
    return [{"type": "Completed", "status": "True", "reason": phase, "message": message}]


def _pod(pod: Manifest, now: datetime) -> list[Cell]:
    summary = pod_summary.summarise(pod)
    spec, status = pod.get("spec") or {}, pod.get("status") or {}
    restarts = str(summary.restarts)
    if summary.restarts and summary.last_restart is not None:
        restarts += f" ({times.human_duration(now - summary.last_restart)} ago)"
    addresses = status.get("podIPs") or []
    return [
        name(pod),
        f"{summary.ready}/{summary.total}",
        summary.status,
        restarts,
        age(pod, now),
        addresses[0].get("ip") or NONE if addresses else NONE,
        spec.get("nodeName") or NONE,
        status.get("nominatedNodeName") or NONE,
        summary.readiness_gates or NONE,
    ]


def _namespace(namespace: Manifest, now: datetime) -> list[Cell]:
    return [name(namespace), str((namespace.get("status") or {}).get("phase", "")), age(namespace, now)]


def node_status(node: Manifest) -> str:
    """Ready, NotReady or Unknown, with SchedulingDisabled behind a comma."""
    conditions = (node.get("status") or {}).get("conditions") or []
    ready = next((item for item in conditions if item.get("type") == "Ready"), None)
    words = ["Unknown" if ready is None else "Ready" if ready.get("status") == "True" else "NotReady"]
    if (node.get("spec") or {}).get("unschedulable"):
        words.append("SchedulingDisabled")
    return ",".join(words)


_ROLE_PREFIX = "node-role.kubernetes.io/"


def node_roles(node: Manifest) -> str:
    labels = metadata(node).get("labels") or {}
    roles = {key.removeprefix(_ROLE_PREFIX) for key in labels if key.startswith(_ROLE_PREFIX)}
    roles.add(labels.get("kubernetes.io/role", ""))
    return ",".join(sorted(roles - {""})) or NONE


def _node(node: Manifest, now: datetime) -> list[Cell]:
    status = node.get("status") or {}
    info = status.get("nodeInfo") or {}
    addresses = {item.get("type"): item.get("address") for item in reversed(status.get("addresses") or [])}
    return [
        name(node),
        node_status(node),
        node_roles(node),
        age(node, now),
        info.get("kubeletVersion", ""),
        addresses.get("InternalIP") or NONE,
        addresses.get("ExternalIP") or NONE,
        info.get("osImage") or UNKNOWN,
        info.get("kernelVersion") or UNKNOWN,
        info.get("containerRuntimeVersion") or UNKNOWN,
    ]


def _count(obj: Manifest, *names: str) -> int:
    return sum(len(obj.get(name) or ()) for name in names)


def _config_map(obj: Manifest, now: datetime) -> list[Cell]:
    return [name(obj), _count(obj, "data", "binaryData"), age(obj, now)]


def _secret(obj: Manifest, now: datetime) -> list[Cell]:
    return [name(obj), str(obj.get("type", "")), _count(obj, "data"), age(obj, now)]


def _service_account(obj: Manifest, now: datetime) -> list[Cell]:
    return [name(obj), age(obj, now)]


def _event(event: Manifest, now: datetime) -> list[Cell]:
    first = times.age(event.get("firstTimestamp") or event.get("eventTime"), now)
    last = times.age(event["lastTimestamp"], now) if event.get("lastTimestamp") else first
    count = event.get("count") or 1
    if event.get("series"):
        last = times.age(event["series"].get("lastObservedTime"), now)
        count = event["series"].get("count", 0)
    about = event.get("involvedObject") or {}
    target = str(about.get("kind", "")).lower()
    if about.get("name"):
        target += f"/{about['name']}"
    return [
        last,
        event.get("type", ""),
        event.get("reason", ""),
        target,
        about.get("fieldPath", ""),
        event_source(event),
        str(event.get("message", "")).strip(),
        first,
        count,
        name(event),
    ]


def event_source(event: Manifest) -> str:
    source: Mapping[str, Any] = event.get("source") or {}
    component = source.get("component") or event.get("reportingComponent") or ""
    host = source.get("host") or event.get("reportingInstance") or ""
    return f"{component}, {host}" if host else str(component)


def _other(obj: Manifest, now: datetime) -> list[Cell]:
    return [name(obj), str(metadata(obj).get("creationTimestamp") or UNKNOWN)]


_ROWS: Mapping[str, Callable[[Manifest, datetime], list[Cell]]] = {
    "pods": _pod,
    "namespaces": _namespace,
    "nodes": _node,
    "configmaps": _config_map,
    "secrets": _secret,
    "serviceaccounts": _service_account,
    "events": _event,
    **print_cluster.ROWS,
    **print_networking.ROWS,
    **print_rbac.ROWS,
    **print_workloads.ROWS,
}
