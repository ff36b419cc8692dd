"""The projection: what one object becomes, and that the tables always hold it."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from storage_samples import AT, make_pod, pod_key

from podlab.apis.types import Key, Manifest
from podlab.storage import clusters, graph, graph_selects, log, store
from podlab.storage.models import GraphContainer, GraphEdge, GraphPod, GraphVolume

pytestmark = pytest.mark.usefixtures("main_cluster")

_numbers = itertools.count()


def full_pod() -> Manifest:
    pod = make_pod(
        uid="u", ownerReferences=[{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web-1", "uid": "r"}]
    )
    pod["spec"] = {
        "nodeName": "node-a",
        "restartPolicy": "Always",
        "serviceAccountName": "default",
        "initContainers": [
            {"name": "setup", "image": "busybox"},
            {"name": "proxy", "image": "envoy", "restartPolicy": "Always", "resources": {"requests": {"cpu": "50m"}}},
        ],
        "containers": [
            {
                "name": "app",
                "image": "nginx",
                "resources": {"requests": {"cpu": "100m", "memory": "64Mi"}},
                "livenessProbe": {"httpGet": {"port": 80}, "periodSeconds": 5},
                "readinessProbe": {"exec": {"command": ["true"]}},
                "ports": [{"containerPort": 80, "name": "http"}],
                "volumeMounts": [{"name": "config", "mountPath": "/etc/x", "readOnly": True}],
                "envFrom": [{"secretRef": {"name": "all"}}],
                "env": [
                    {"name": "PLAIN", "value": "1"},
                    {"name": "ONE", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "one"}}},
                    {"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}},
                ],
            }
        ],
        "ephemeralContainers": [{"name": "debug", "image": "busybox"}],
        "volumes": [
            {"name": "config", "configMap": {"name": "settings"}},
            {"name": "scratch", "emptyDir": {}},
            {
                "name": "token",
                "projected": {"sources": [{"secret": {"name": "t"}}, {"configMap": {"name": "settings"}}]},
            },
        ],
    }
    return pod


def test_a_pod_becomes_rows_of_every_sort() -> None:
    seen = graph.project("pods", full_pod())
    assert seen.pod is not None
    assert (seen.pod.node, seen.pod.phase, seen.pod.qos) == ("node-a", "Pending", "Burstable")
    assert (seen.pod.cpu_milli, seen.pod.memory_bytes) == (150, 64 * 2**20)
    assert [(c.name, c.sort, c.position, c.cpu_milli) for c in seen.containers] == [
        ("setup", "init", 0, 0),
        ("proxy", "sidecar", 1, 50),
        ("app", "app", 2, 100),
        ("debug", "ephemeral", 3, 0),
    ]
    app = seen.containers[2]
    assert [(p.type, p.handler, p.period) for p in app.probes] == [
        ("liveness", "httpGet", 5),
        ("readiness", "exec", 10),
    ]
    assert [(p.name, p.container_port, p.protocol) for p in app.ports] == [("http", 80, "TCP")]
    assert [(m.volume, m.path, m.read_only) for m in app.mounts] == [("config", "/etc/x", True)]
    assert [(e.env, e.kind, e.name, e.key) for e in app.env_sources] == [
        ("", "secret", "all", ""),
        ("ONE", "configMap", "settings", "one"),
        ("NODE", "field", "", "spec.nodeName"),
    ]
    assert [(v.name, v.source, v.source_name) for v in seen.volumes] == [
        ("config", "configMap", "settings"),
        ("scratch", "emptyDir", ""),
        ("token", "projected", ""),
    ]
    assert [(e.type, e.to_resource, e.to_name) for e in seen.edges] == [
        ("owner", "replicasets.apps", "web-1"),
        ("mounts", "configmaps", "settings"),
        ("mounts", "secrets", "t"),
        ("scheduled-on", "nodes", "node-a"),
    ]


@pytest.mark.parametrize(
    ("version", "kind", "resource"),
    [
        ("v1", "Node", "nodes"),
        ("apps/v1", "ReplicaSet", "replicasets.apps"),
        ("example.org/v1", "Policy", "policies.example.org"),
        ("networking.k8s.io/v1", "Ingress", "ingresses.networking.k8s.io"),
        ("v1", "Endpoints", "endpoints"),
    ],
)
def test_the_resource_of_an_owner_is_found_or_guessed(version: str, kind: str, resource: str) -> None:
    owner = {"apiVersion": version, "kind": kind, "name": "o", "uid": "o"}
    (edge,) = graph.project("configmaps", {"metadata": {"ownerReferences": [owner]}}).edges
    assert edge.to_resource == resource


def test_texts_and_numbers_beyond_the_columns_are_cut() -> None:
    pod = full_pod()
    pod["spec"]["containers"][0]["image"] = "i" * 2000
    pod["spec"]["containers"][0]["resources"] = {"requests": {"memory": "100E"}}
    store.create(pod_key(), pod, at=AT)
    assert len(GraphContainer.objects.get(name="app").image) == 512


def test_a_status_change_rewrites_the_pod_row_only() -> None:
    store.create(pod_key(), full_pod(), at=AT)
    pod = full_pod()
    pod["status"] = {"phase": "Running"}
    with CaptureQueriesContext(connection) as queries:
        store.update(pod_key(), pod, expect=None, at=AT)
    touched = [query["sql"] for query in queries if "graph" in query["sql"]]
    assert len(touched) == 1
    assert touched[0].startswith('UPDATE "storage_graphpod" SET "phase"')
    pod["status"] = {"phase": "Running", "podIP": "10.0.0.1"}
    with CaptureQueriesContext(connection) as queries:
        store.update(pod_key(), pod, expect=None, at=AT)
    assert not [query["sql"] for query in queries if "graph" in query["sql"]]


def test_a_create_of_a_plain_pod_takes_few_statements() -> None:
    store.create(pod_key("first"), make_pod("first"), at=AT)
    with CaptureQueriesContext(connection) as queries:
        store.create(pod_key(), make_pod(), at=AT)
    assert len(queries) <= 10, [query["sql"] for query in queries]


# Random lives of pods and of what selects them.

_labels = st.dictionaries(st.sampled_from(["app", "tier"]), st.sampled_from(["a", "b"]), max_size=2)
_pods = st.fixed_dictionaries(
    {
        "labels": _labels,
        "node": st.sampled_from(["", "node-a", "node-b"]),
        "containers": st.integers(1, 3),
        "volume": st.sampled_from(["", "one", "two"]),
        "owner": st.booleans(),
    }
)
_steps = st.lists(
    st.one_of(
        st.tuples(st.just("pods"), st.sampled_from(["p", "q"]), st.none() | _pods),
        st.tuples(st.just("services"), st.sampled_from(["s", "t"]), st.none() | _labels),
        st.tuples(st.just("replicasets.apps"), st.just("r"), st.none() | _labels),
    ),
    max_size=12,
)


def build(resource: str, name: str, uid: str, wanted: dict[str, Any]) -> Manifest:
    if resource == "services":
        return {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": name, "uid": uid},
            "spec": {"selector": wanted},
        }
    if resource == "replicasets.apps":
        spec = {"selector": {"matchLabels": wanted}}
        return {"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": {"name": name, "uid": uid}, "spec": spec}
    pod = full_pod()
    owners = pod["metadata"]["ownerReferences"] if wanted["owner"] else []
    pod["metadata"] = {
        "name": name,
        "namespace": "default",
        "uid": uid,
        "labels": wanted["labels"],
        "ownerReferences": owners,
    }
    pod["spec"]["nodeName"] = wanted["node"]
    app = pod["spec"]["containers"][0]
    pod["spec"]["containers"] = [{**app, "name": f"app-{number}"} for number in range(wanted["containers"])]
    if wanted["volume"]:
        pod["spec"]["volumes"] = [{"name": "v", "secret": {"secretName": wanted["volume"]}}]
    return pod


def tables(cluster: str) -> dict[str, graph.Projection]:
    """The projection of every pod, read back from the tables, and the edges of everything."""
    found: dict[str, graph.Projection] = {}
    for row in GraphPod.objects.filter(cluster=cluster):
        found[row.uid] = graph.Projection(
            pod=_value(graph.Pod, row),
            containers=tuple(_container(c) for c in row.containers.order_by("position")),
            volumes=tuple(_value(graph.Volume, v) for v in row.volumes.order_by("id")),
        )
    return found


def _container(row: GraphContainer) -> graph.Container:
    return _value(
        graph.Container,
        row,
        probes=tuple(_value(graph.Probe, x) for x in row.probes.order_by("id")),
        mounts=tuple(_value(graph.Mount, x) for x in row.mounts.order_by("id")),
        ports=tuple(_value(graph.Port, x) for x in row.ports.order_by("id")),
        env_sources=tuple(_value(graph.EnvSource, x) for x in row.env_sources.order_by("id")),
    )


def _value(kind: Any, row: object, **known: object) -> Any:
    names = kind.__dataclass_fields__
    return kind(**{name: known[name] if name in known else getattr(row, name) for name in names})


def edges(cluster: str) -> set[tuple[str, ...]]:
    rows = list(
        GraphEdge.objects.filter(cluster=cluster).values_list(
            "type", "from_resource", "from_uid", "to_resource", "to_name"
        )
    )
    assert len(rows) == len(set(rows)), "no edge stands twice"
    return set(rows)


def expected_edges(objects: list[store.Stored]) -> set[tuple[str, ...]]:
    wanted = {
        (edge.type, item.key.resource, item.uid, edge.to_resource, edge.to_name)
        for item in objects
        for edge in graph.project(item.key.resource, item.obj).edges
    }
    for item in objects:
        selector = graph_selects.selects(item.key.resource, item.obj) if item.key.resource != "pods" else None
        for pod in objects:
            if selector and pod.key.resource == "pods" and selector.matches(pod.obj["metadata"].get("labels")):
                wanted.add(("selects", item.key.resource, item.uid, "pods", pod.key.name))
    return wanted


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=_steps)
def test_the_tables_are_the_projection_of_the_present_objects(steps: list[tuple[str, str, Any]]) -> None:
    cluster = f"graph-{next(_numbers)}"
    clusters.create(cluster, runtime="sim")
    start = log.head()
    for number, (resource, name, wanted) in enumerate(steps):
        key = Key(cluster, resource, "default", name)
        current = store.get(key)
        if wanted is None:
            if current is not None:
                store.delete(key, at=AT)
        elif current is None:
            store.create(key, build(resource, name, f"{name}-{number}", wanted), at=AT)
        else:
            store.update(key, build(resource, name, current.uid, wanted), expect=None, at=AT)

        objects = [
            item
            for kind in ("pods", "services", "replicasets.apps")
            for item in store.list_objects(cluster, kind, None).items
        ]
        pods = {item.uid: graph.project("pods", item.obj) for item in objects if item.key.resource == "pods"}
        assert tables(cluster) == {uid: graph.Projection(p.pod, p.containers, p.volumes) for uid, p in pods.items()}
        assert edges(cluster) == expected_edges(objects)

    replayed: dict[str, Manifest] = {}
    for entry in log.read_after(start, cluster=cluster, limit=1000):
        if entry.type == "DELETED":
            del replayed[entry.uid]
        else:
            replayed[entry.uid] = entry.obj
    projected = {uid: graph.project("pods", obj) for uid, obj in replayed.items() if obj["kind"] == "Pod"}
    assert tables(cluster) == {uid: graph.Projection(p.pod, p.containers, p.volumes) for uid, p in projected.items()}

    clusters.delete(cluster)
    assert not GraphEdge.objects.filter(cluster=cluster).exists()
    assert not GraphContainer.objects.exists()
    assert not GraphVolume.objects.exists()
