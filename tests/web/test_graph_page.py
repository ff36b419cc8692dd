"""The object graph: boxes in columns, lines by the graph tables, the same at a revision of the past."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as some

from podlab.registry import clusters
from podlab.registry.client import Client as Registry
from podlab.registry.identity import system
from podlab.storage import log, relations
from podlab.web import graph
from podlab.web.graph import Edge

POD: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "web", "labels": {"app": "web"}},
    "spec": {
        "nodeName": "node-a",
        "containers": [{"name": "app", "image": "busybox:1.36"}],
        "volumes": [{"name": "conf", "configMap": {"name": "settings"}}],
    },
}
SERVICE = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "front"},
    "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]},
}


@pytest.fixture
def registry(lab: None) -> Registry:
    return Registry("main", system("test"), lambda: clusters.now_of("main"))


def test_owners_stand_left_of_what_they_own_and_nodes_to_the_right() -> None:
    edges = [
        Edge("owner", ("pods", "web-1"), ("replicasets.apps", "web")),
        Edge("owner", ("replicasets.apps", "web"), ("deployments.apps", "web")),
        Edge("selects", ("services", "front"), ("pods", "web-1")),
        Edge("mounts", ("pods", "web-1"), ("secrets", "keys")),
        Edge("scheduled-on", ("pods", "web-1"), ("nodes", "node-a")),
    ]
    names = [("pods", "web-1"), ("replicasets.apps", "web"), ("deployments.apps", "web"), ("services", "front")]
    drawing = graph.draw(names, edges)
    row = [box.name[0] for box in sorted(drawing.boxes, key=lambda box: box.x)]
    assert row == ["services", "deployments.apps", "replicasets.apps", "pods", "secrets", "nodes"]
    missing = {box.name: box.missing for box in drawing.boxes}
    assert missing[("secrets", "keys")]
    assert not missing[("nodes", "node-a")]
    assert len(drawing.lines) == len(edges)


def test_a_line_past_a_column_runs_where_no_box_stands() -> None:
    pod, node, conf = ("pods", "web"), ("nodes", "node-a"), ("configmaps", "settings")
    edges = [Edge("mounts", pod, conf), Edge("scheduled-on", pod, node)]
    drawing = graph.draw([pod, node, conf], edges)
    near, far = (line.path for line in drawing.lines)
    gap = next(box.y for box in drawing.boxes if box.name == pod) + graph.HEIGHT + (graph.ROW - graph.HEIGHT) // 2
    assert "H" not in near
    assert f" {gap}H" in far
    assert not any(box.y <= gap <= box.y + graph.HEIGHT for box in drawing.boxes)
    assert gap < drawing.height


def test_owners_in_a_circle_do_not_hang() -> None:
    edges = [
        Edge("owner", ("jobs.batch", "a"), ("jobs.batch", "b")),
        Edge("owner", ("jobs.batch", "b"), ("jobs.batch", "a")),
    ]
    assert len(graph.draw([], edges).boxes) == 2


_NAMES = some.tuples(
    some.sampled_from(["pods", "services", "nodes", "secrets", "jobs.batch"]), some.sampled_from("abcde")
)
_EDGES = some.builds(Edge, some.sampled_from(["owner", "selects", "mounts", "scheduled-on"]), _NAMES, _NAMES)


@given(names=some.lists(_NAMES, max_size=12), edges=some.lists(_EDGES, max_size=20))
def test_every_object_has_one_box_and_no_two_share_a_place(names: list[graph.Name], edges: list[Edge]) -> None:
    drawing = graph.draw(names, edges)
    wanted = {*names, *(end for edge in edges for end in (edge.start, edge.end))}
    assert {box.name for box in drawing.boxes} == wanted
    assert len({(box.x, box.y) for box in drawing.boxes}) == len(wanted)
    assert all(box.x + graph.WIDTH <= drawing.width and box.y + graph.HEIGHT <= drawing.height for box in drawing.boxes)


def test_the_past_is_drawn_from_the_same_edges_as_the_present(registry: Registry) -> None:
    registry.create("pods", POD, namespace="default")
    registry.create("services", SERVICE, namespace="default")
    head = log.head()
    present, past = relations.present("main", "default"), relations.past("main", "default", head)
    assert {(one.key, one.uid) for one in past.objects} == {(one.key, one.uid) for one in present.objects}
    assert set(past.edges) == set(present.edges)
    assert {one.type for one in present.edges} == {"selects", "mounts", "scheduled-on"}


def test_the_page_draws_links_and_tells_what_is_missing(admin: Client, registry: Registry) -> None:
    registry.create("pods", POD, namespace="default")
    before = log.head()
    registry.create("services", SERVICE, namespace="default")
    page = admin.get("/c/main/ns/default/graph").content.decode()
    assert 'data-object="pods/web"' in page
    assert 'data-from="services/front" data-to="pods/web"' in page
    assert 'data-object="configmaps/settings" data-missing' in page
    assert "services/front selects pods/web" in page
    assert "kube-root-ca.crt" not in page.partition("<svg")[2].partition("</svg>")[0]
    past = admin.get(f"/c/main/ns/default/graph?rev={before}").content.decode()
    assert 'data-object="pods/web"' in past
    assert "services/front" not in past
    fragment = admin.get("/c/main/ns/default/graph", HTTP_HX_REQUEST="true").content.decode()
    assert "<html" not in fragment


def test_an_empty_namespace_says_what_to_do(admin: Client) -> None:
    assert "Nothing in kube-public yet" in admin.get("/c/main/ns/kube-public/graph").content.decode()


def test_revisions_that_are_not_there_are_refused(admin: Client) -> None:
    assert admin.get("/c/main/ns/default/graph?rev=999999999").status_code == 400


def test_one_sees_the_graph_only_of_what_one_may_list(student: Client) -> None:
    assert student.get("/c/main/ns/kube-system/graph").status_code == 403
