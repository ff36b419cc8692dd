"""The projection of objects into the graph tables: one pure function, `project`, and `apply`, which brings the tables from
one state of an object to the next inside the write's transaction. Only `store` calls `apply`; forms and graph views read
the tables. SQL is in `graph_tables`; edges that need two objects (selects) are in `graph_selects`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from podlab.apis import pods, quantity, scheme, volume_claims
from podlab.apis.types import Manifest
from podlab.storage import graph_selects, graph_tables
from podlab.storage.objects import Stored

_BIGGEST = 2**63 - 1

_HANDLERS = ("exec", "httpGet", "tcpSocket", "grpc")
_PROBES = (("startup", "startupProbe"), ("liveness", "livenessProbe"), ("readiness", "readinessProbe"))
# Which field of a volume source names another object, and that object's resource.
_NAMED_SOURCES = {
    "configMap": ("name", "configmaps"),
    "secret": ("secretName", "secrets"),
    "persistentVolumeClaim": ("claimName", "persistentvolumeclaims"),
}
_PROJECTED_SOURCES = {"configMap": "configmaps", "secret": "secrets"}
# Field of valueFrom → (kind, field with the name, field with the key).
_ENV_SOURCES = {
    "configMapKeyRef": ("configMap", "name", "key"),
    "secretKeyRef": ("secret", "name", "key"),
    "fieldRef": ("field", "", "fieldPath"),
    "resourceFieldRef": ("resource", "containerName", "resource"),
}
_ENV_FROM_SOURCES = {"configMapRef": "configMap", "secretRef": "secret"}


@dataclass(frozen=True, slots=True)
class Probe:
    type: str
    handler: str
    initial_delay: int
    period: int
    timeout: int
    success_threshold: int
    failure_threshold: int


@dataclass(frozen=True, slots=True)
class Mount:
    volume: str
    path: str
    read_only: bool
    sub_path: str


@dataclass(frozen=True, slots=True)
class Port:
    name: str
    container_port: int
    host_port: int
    protocol: str


@dataclass(frozen=True, slots=True)
class EnvSource:
    env: str
    kind: str
    name: str
    key: str


@dataclass(frozen=True, slots=True)
class Volume:
    name: str
    source: str
    source_name: str


@dataclass(frozen=True, slots=True)
class Container:
    name: str
    sort: str
    position: int
    image: str
    cpu_milli: int
    memory_bytes: int
    probes: tuple[Probe, ...]
    mounts: tuple[Mount, ...]
    ports: tuple[Port, ...]
    env_sources: tuple[EnvSource, ...]


@dataclass(frozen=True, slots=True)
class Pod:
    namespace: str
    name: str
    node: str
    phase: str
    restart_policy: str
    qos: str
    service_account: str
    host_network: bool
    deleting: bool
    cpu_milli: int
    memory_bytes: int


@dataclass(frozen=True, slots=True)
class Edge:
    type: str
    to_resource: str
    to_name: str
    to_uid: str = ""


@dataclass(frozen=True, slots=True)
class Projection:
    """What the tables hold of one object. `edges` start at it; those of type selects are not among them."""

    pod: Pod | None = None
    containers: tuple[Container, ...] = ()
    volumes: tuple[Volume, ...] = ()
    edges: tuple[Edge, ...] = ()


NOTHING = Projection()


def apply(before: Stored | None, after: Stored | None) -> None:
    """Bring the tables from `before` to `after` of one object. What did not change is not touched."""
    either = after or before
    if either is None:
        return
    old = NOTHING if before is None else project(before.key.resource, before.obj)
    new = NOTHING if after is None else project(after.key.resource, after.obj)
    if old != new:
        graph_tables.change(either, old, new)
    graph_selects.apply(before, after)


def project(resource: str, obj: Manifest) -> Projection:
    edges = [_owner_edge(owner) for owner in obj["metadata"].get("ownerReferences") or []]
    if resource != "pods":
        return Projection(edges=tuple(edges)) if edges else NOTHING
    spec = obj.get("spec") or {}
    edges.extend(dict.fromkeys(_mount_edges(obj, spec)))
    if node := spec.get("nodeName"):
        edges.append(Edge("scheduled-on", "nodes", _text(node, 253)))
    return Projection(
        pod=_pod(obj, spec),
        containers=tuple(_container(placed, position) for position, placed in enumerate(pods.containers(obj))),
        volumes=tuple(_volume(volume) for volume in spec.get("volumes") or []),
        edges=tuple(edges),
    )


def _pod(obj: Manifest, spec: Manifest) -> Pod:
    metadata, status = obj["metadata"], obj.get("status") or {}
    requests = pods.effective_requests(obj)
    return Pod(
        namespace=_text(metadata.get("namespace"), 63),
        name=_text(metadata.get("name"), 253),
        node=_text(spec.get("nodeName"), 253),
        phase=_text(status.get("phase"), 16),
        restart_policy=_text(spec.get("restartPolicy"), 16),
        qos=_text(status.get("qosClass"), 16) or pods.qos_class(obj),
        service_account=_text(spec.get("serviceAccountName"), 253),
        host_network=bool(spec.get("hostNetwork")),
        deleting="deletionTimestamp" in metadata,
        cpu_milli=min(requests.cpu_milli, _BIGGEST),
        memory_bytes=min(requests.memory_bytes, _BIGGEST),
    )


def _container(placed: pods.Placed, position: int) -> Container:
    spec = placed.spec
    requests = (spec.get("resources") or {}).get("requests") or {}
    return Container(
        name=_text(placed.name, 63),
        sort="sidecar" if placed.sidecar else placed.sort,
        position=position,
        image=_text(spec.get("image"), 512),
        cpu_milli=min(quantity.milli(requests.get("cpu", "0")), _BIGGEST),
        memory_bytes=min(quantity.value(requests.get("memory", "0")), _BIGGEST),
        probes=tuple(_probe(type, spec[field]) for type, field in _PROBES if spec.get(field)),
        mounts=tuple(_mount(mount) for mount in spec.get("volumeMounts") or []),
        ports=tuple(_port(port) for port in spec.get("ports") or []),
        env_sources=tuple(_env_sources(spec)),
    )


def _probe(type: str, probe: Manifest) -> Probe:
    # The registry has filled in the defaults; these are the same (pkg/apis/core/v1/defaults.go, SetDefaults_Probe).
    return Probe(
        type=type,
        handler=next((handler for handler in _HANDLERS if handler in probe), ""),
        initial_delay=probe.get("initialDelaySeconds") or 0,
        period=probe.get("periodSeconds") or 10,
        timeout=probe.get("timeoutSeconds") or 1,
        success_threshold=probe.get("successThreshold") or 1,
        failure_threshold=probe.get("failureThreshold") or 3,
    )


def _mount(mount: Manifest) -> Mount:
    return Mount(
        volume=_text(mount.get("name"), 63),
        path=_text(mount.get("mountPath"), 1024),
        read_only=bool(mount.get("readOnly")),
        sub_path=_text(mount.get("subPath") or mount.get("subPathExpr"), 1024),
    )


def _port(port: Manifest) -> Port:
    return Port(
        name=_text(port.get("name"), 15),
        container_port=port.get("containerPort") or 0,
        host_port=port.get("hostPort") or 0,
        protocol=_text(port.get("protocol"), 4) or "TCP",
    )


def _env_sources(spec: Manifest) -> Iterator[EnvSource]:
    for item in spec.get("envFrom") or []:
        for field, kind in _ENV_FROM_SOURCES.items():
            if source := item.get(field):
                yield EnvSource("", kind, _text(source.get("name"), 253), "")
    for item in spec.get("env") or []:
        for field, (kind, name, key) in _ENV_SOURCES.items():
            if source := (item.get("valueFrom") or {}).get(field):
                env = _text(item.get("name"), 512)
                yield EnvSource(env, kind, _text(source.get(name), 253), _text(source.get(key), 253))


def _volume(volume: Manifest) -> Volume:
    source = next((field for field in volume if field != "name"), "")
    field, _ = _NAMED_SOURCES.get(source, ("", ""))
    named = (volume[source] or {}).get(field) if field else ""
    return Volume(_text(volume.get("name"), 63), _text(source, 32), _text(named, 253))


def _mount_edges(obj: Manifest, spec: Manifest) -> Iterator[Edge]:
    for use in volume_claims.uses(obj):
        if use.own:
            yield Edge("mounts", volume_claims.CLAIMS, _text(use.claim, 253))
    for volume in spec.get("volumes") or []:
        for source, (field, resource) in _NAMED_SOURCES.items():
            if name := (volume.get(source) or {}).get(field):
                yield Edge("mounts", resource, _text(name, 253))
        for part in (volume.get("projected") or {}).get("sources") or []:
            for source, resource in _PROJECTED_SOURCES.items():
                if name := (part.get(source) or {}).get("name"):
                    yield Edge("mounts", resource, _text(name, 253))


def _owner_edge(owner: Manifest) -> Edge:
    version, kind = str(owner.get("apiVersion", "")), str(owner.get("kind", ""))
    known = scheme.by_kind(version, kind)
    resource = known.key if known else _guess_resource(version, kind)
    return Edge("owner", _text(resource, 96), _text(owner.get("name"), 253), _text(owner.get("uid"), 36))


def _guess_resource(version: str, kind: str) -> str:
    """For owners of kinds that are not served (k8s.io/apimachinery/pkg/api/meta/restmapper.go,
    UnsafeGuessKindToResource)."""
    singular = kind.lower()
    if singular.endswith("endpoints"):
        plural = singular
    elif singular.endswith("s"):
        plural = singular + "es"
    elif singular.endswith("y"):
        plural = singular[:-1] + "ies"
    else:
        plural = singular + "s"
    group, slash, _ = version.partition("/")
    return f"{plural}.{group}" if slash else plural


def _text(value: Any, longest: int) -> str:
    """Cut to the column: SQLite would take more, PostgreSQL would refuse it."""
    return str(value)[:longest] if value else ""
