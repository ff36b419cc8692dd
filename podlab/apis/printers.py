"""The columns in which kubectl get shows a kind, and the cells of one object.

The API server makes Tables of them, pages their lists: both show the same words. Source: pkg/printers/internalversion/
printers.go. What STATUS of a pod says is in pod_summary.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from podlab.apis import pod_summary, schema, times
from podlab.apis.scheme import Resource
from podlab.apis.types import Manifest

Cell = str | int
NONE = "<none>"
UNKNOWN = "<unknown>"
_META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
_CORE = "io.k8s.api.core.v1."


@dataclass(frozen=True, slots=True)
class Column:
    """`priority` 0 is always shown, 1 only in wide output."""

    name: str
    description: str
    format: str = ""
    priority: int = 0
    type: str = "string"

    def to_json(self) -> Manifest:
        return {
            "name": self.name,
            "type": self.type,
            "format": self.format,
            "description": self.description,
            "priority": self.priority,
        }


@dataclass(frozen=True, slots=True)
class _Told:
    """A column whose description is a sentence, or that of a field as "Definition/field"."""

    name: str
    about: str
    format: str = ""
    wide: bool = False
    type: str = "string"


_NAME = _Told("Name", f"{_META}/name", "name")
_AGE = _Told("Age", f"{_META}/creationTimestamp")
_ADDRESSES = f"{_CORE}NodeStatus/addresses"

_COLUMNS: Mapping[str, tuple[_Told, ...]] = {
    "pods": (
        _NAME,
        _Told("Ready", "The aggregate readiness state of this pod for accepting traffic."),
        _Told("Status", "The aggregate status of the containers in this pod."),
        _Told(
            "Restarts",
            "The number of times the containers in this pod have been restarted and when the last container in this "
            "pod has restarted.",
        ),
        _AGE,
        _Told("IP", f"{_CORE}PodStatus/podIP", wide=True),
        _Told("Node", f"{_CORE}PodSpec/nodeName", wide=True),
        _Told("Nominated Node", f"{_CORE}PodStatus/nominatedNodeName", wide=True),
        _Told("Readiness Gates", f"{_CORE}PodSpec/readinessGates", wide=True),
    ),
    "namespaces": (_NAME, _Told("Status", "The status of the namespace"), _AGE),
    "nodes": (
        _NAME,
        _Told("Status", "The status of the node"),
        _Told("Roles", "The roles of the node"),
        _AGE,
        _Told("Version", f"{_CORE}NodeSystemInfo/kubeletVersion"),
        _Told("Internal-IP", _ADDRESSES, wide=True),
        _Told("External-IP", _ADDRESSES, wide=True),
        _Told("OS-Image", f"{_CORE}NodeSystemInfo/osImage", wide=True),
        _Told("Kernel-Version", f"{_CORE}NodeSystemInfo/kernelVersion", wide=True),
        _Told("Container-Runtime", f"{_CORE}NodeSystemInfo/containerRuntimeVersion", wide=True),
    ),
    "configmaps": (_NAME, _Told("Data", f"{_CORE}ConfigMap/data"), _AGE),
    "secrets": (_NAME, _Told("Type", f"{_CORE}Secret/type"), _Told("Data", f"{_CORE}Secret/data"), _AGE),
    "serviceaccounts": (_NAME, _AGE),
    "events": (
        _Told("Last Seen", f"{_CORE}Event/lastTimestamp"),
        _Told("Type", f"{_CORE}Event/type"),
        _Told("Reason", f"{_CORE}Event/reason"),
        _Told("Object", f"{_CORE}Event/involvedObject"),
        _Told("Subobject", f"{_CORE}ObjectReference/fieldPath", wide=True),
        _Told("Source", f"{_CORE}Event/source", wide=True),
        _Told("Message", f"{_CORE}Event/message"),
        _Told("First Seen", f"{_CORE}Event/firstTimestamp", wide=True),
        _Told("Count", f"{_CORE}Event/count", wide=True),
        _Told("Name", f"{_META}/name", "name", wide=True),
    ),
}
_OTHERS = (_NAME, _Told("Created At", f"{_META}/creationTimestamp", type="date"))


def columns(resource: Resource) -> list[Column]:
    told = _COLUMNS.get(resource.key, _OTHERS)
    return [Column(item.name, _description(item.about), item.format, int(item.wide), item.type) for item in told]


def _description(about: str) -> str:
    definition, slash, field = about.partition("/")
    return schema.description(definition, field) if slash and " " not in definition else about


def row(resource: Resource, obj: Manifest, now: datetime) -> list[Cell]:
    """The cells in the order of columns(), wide ones included."""
    return _ROWS.get(resource.key, _other)(obj, now)


def row_conditions(resource: Resource, obj: Manifest) -> list[Manifest]:
    """Marks finished pods, so that clients may hide them."""
    phase = (obj.get("status") or {}).get("phase")
    if resource.key != "pods" or phase not in ("Succeeded", "Failed"):
        return []
    message = "The pod has completed successfully." if phase == "Succeeded" else "The pod failed."
    return [{"type": "Completed", "status": "True", "reason": phase, "message": message}]


def _metadata(obj: Manifest) -> Manifest:
    return obj.get("metadata") or {}


def _name(obj: Manifest) -> str:
    return str(_metadata(obj).get("name", ""))


def _age(obj: Manifest, now: datetime) -> str:
    return times.age(_metadata(obj).get("creationTimestamp"), now)


def _pod(pod: Manifest, now: datetime) -> list[Cell]:
    summary = pod_summary.summarise(pod)
    spec, status = pod.get("spec") or {}, pod.get("status") or {}
    restarts = str(summary.restarts)
    if summary.restarts and summary.last_restart is not None:
        restarts += f" ({times.human_duration(now - summary.last_restart)} ago)"
    addresses = status.get("podIPs") or []
    return [
        _name(pod),
        f"{summary.ready}/{summary.total}",
        summary.status,
        restarts,
        _age(pod, now),
        addresses[0].get("ip") or NONE if addresses else NONE,
        spec.get("nodeName") or NONE,
        status.get("nominatedNodeName") or NONE,
        summary.readiness_gates or NONE,
    ]


def _namespace(namespace: Manifest, now: datetime) -> list[Cell]:
    return [_name(namespace), str((namespace.get("status") or {}).get("phase", "")), _age(namespace, now)]


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
    labels = _metadata(node).get("labels") or {}
    roles = {key.removeprefix(_ROLE_PREFIX) for key in labels if key.startswith(_ROLE_PREFIX)}
    roles.add(labels.get("kubernetes.io/role", ""))
    return ",".join(sorted(roles - {""})) or NONE


def _node(node: Manifest, now: datetime) -> list[Cell]:
    status = node.get("status") or {}
    info = status.get("nodeInfo") or {}
    addresses = {item.get("type"): item.get("address") for item in reversed(status.get("addresses") or [])}
    return [
        _name(node),
        node_status(node),
        node_roles(node),
        _age(node, now),
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
    return [_name(obj), _count(obj, "data", "binaryData"), _age(obj, now)]


def _secret(obj: Manifest, now: datetime) -> list[Cell]:
    return [_name(obj), str(obj.get("type", "")), _count(obj, "data"), _age(obj, now)]


def _service_account(obj: Manifest, now: datetime) -> list[Cell]:
    return [_name(obj), _age(obj, now)]


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
        _name(event),
    ]


def event_source(event: Manifest) -> str:
    source: Mapping[str, Any] = event.get("source") or {}
    component = source.get("component") or event.get("reportingComponent") or ""
    host = source.get("host") or event.get("reportingInstance") or ""
    return f"{component}, {host}" if host else str(component)


def _other(obj: Manifest, now: datetime) -> list[Cell]:
    return [_name(obj), str(_metadata(obj).get("creationTimestamp") or UNKNOWN)]


_ROWS: Mapping[str, Callable[[Manifest, datetime], list[Cell]]] = {
    "pods": _pod,
    "namespaces": _namespace,
    "nodes": _node,
    "configmaps": _config_map,
    "secrets": _secret,
    "serviceaccounts": _service_account,
    "events": _event,
}
