"""Lists that keep up, filters, endpoints, nodes that are cordoned and drained, the small pictures of the overview."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from pod_story import UID, at, pod, stamp
from test_exploring import text, thing, write

from podlab.apis.types import Key, LogLine
from podlab.glance import listing
from podlab.logs import layout
from podlab.logs.writer import LogWriter
from podlab.storage import store
from podlab.storage.history import Run
from podlab.web import pod_logs, strips

POD = Key("main", "pods", "default", "web")
NODE = Key("main", "nodes", "", "node-a")


def add(name: str, **meta: Any) -> None:
    made = pod(phase="Running", state={"running": {"startedAt": stamp(2)}})
    made["metadata"] |= {"name": name, "uid": f"uid-{name}", **meta}
    write(Key("main", "pods", "default", name), made)


@pytest.mark.parametrize(
    ("query", "there"),
    [
        ("", {"red", "green"}),
        ("?q=RE", {"red", "green"}),
        ("?q=gre", {"green"}),
        ("?labels=tier%3Dweb", {"red"}),
        ("?labels=tier!%3Dweb", {"green"}),
        ("?status=complet", set()),
        ("?q=r&labels=tier&status=running", {"red"}),
    ],
)
def test_pods_are_filtered_by_name_labels_and_status(admin: Client, query: str, there: set[str]) -> None:
    add("red", labels={"tier": "web"})
    add("green")
    shown = text(admin, f"/c/main/ns/default/pods{query}")
    assert {name for name in ("red", "green") if f'data-name="{name}"' in shown} == there
    assert ("No pod fits the filter" in shown) == bool(query)


def test_a_selector_that_cannot_be_read_is_said_on_the_page(admin: Client) -> None:
    shown = text(admin, "/c/main/ns/default/pods?labels=a%3D%3D%3Db")
    assert "unable to parse requirement" in shown
    assert 'value="a===b"' in shown


def test_rows_of_pods_are_filled_in_and_escaped(admin: Client) -> None:
    crashed = {"terminated": {"exitCode": 1, "finishedAt": stamp(3)}}
    waiting = {"waiting": {"reason": '<b>{name}</b> & "it"'}}
    made = pod(phase="Running", state=waiting)
    made["status"]["containerStatuses"][0] |= {"restartCount": 2, "lastState": crashed}
    made["metadata"] |= {"name": "odd", "uid": "uid-odd"}
    write(Key("main", "pods", "default", "odd"), made)
    shown = text(admin, "/c/main/ns/default/pods")
    assert '<a href="/c/main/ns/default/pods/odd?uid=uid-odd">odd</a>' in shown
    assert '<span data-cell="status">&lt;b&gt;{name}&lt;/b&gt; &amp; &quot;it&quot;</span>' in shown
    assert re.search(
        r'<span data-cell="restarts">2</span> <span class="muted" data-cell="ago">\(\w+ ago\)</span>', shown
    )
    assert f'data-restarts-at="{stamp(3)[:19]}' in shown


def test_a_long_list_comes_in_groups(admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "LONG", 2)
    monkeypatch.setattr(listing, "GROUP", 2)
    for name in ("red", "green", "blue"):
        add(name)
    shown = text(admin, "/c/main/ns/default/pods")
    assert re.findall(r'<tbody style="--rows: (\d)">', shown) == ["2", "1"]
    assert 'class="list long"' in shown


@pytest.mark.parametrize(
    ("path", "id"),
    [
        ("/c/main/", "spaces"),
        ("/c/main/nodes/node-a", "object"),
        ("/c/main/ns/default/graph", "graph"),
        (f"/c/main/ns/default/pods/web?tab=logs&uid={UID}", "log-tab"),
        (f"/c/main/ns/default/pods/web?tab=details&uid={UID}", "pod-details"),
        (f"/c/main/ns/default/pods/web?tab=yaml&uid={UID}", "pod-yaml"),
        (f"/c/main/ns/default/pods/web?tab=events&uid={UID}", "pod-events"),
    ],
)
def test_what_is_asked_for_again_comes_as_a_part(admin: Client, path: str, id: str) -> None:
    write(POD, pod(phase="Running"))
    assert f'id="{id}"' in text(admin, path)
    part = admin.get(path, headers={"HX-Request": "true"}).content.decode()
    assert f'id="{id}"' in part
    assert "<html" not in part
    assert re.search("data-(refresh|watch|watch-log)=", part)
    past = text(admin, f"{path}{'&' if '?' in path else '?'}rev=last")
    assert not re.search("data-(refresh|watch-log)=", past)
    assert "data-watch=" not in past


@pytest.mark.parametrize("path", ["nodes", "namespaces", "ns/default/events", "ns/default/secrets", "ns/default/pods"])
def test_lists_are_told_row_by_row_what_changes_and_the_past_is_not(admin: Client, path: str) -> None:
    shown = text(admin, f"/c/main/{path}")
    assert "dist/list.js" in shown
    assert "data-list" in shown
    assert "<template data-row>" in shown
    past = text(admin, f"/c/main/{path}?rev=last")
    assert "dist/list.js" not in past
    assert "data-list" not in past


def test_a_search_that_was_cut_off_says_so(admin: Client, monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Any) -> None:  # fmt: skip
    settings.PODLAB_DATA = tmp_path
    write(POD, pod(phase="Running", state={"running": {}}))
    folder = pod_logs.Folder("default", "web", UID)
    writer = LogWriter(layout.container_log(tmp_path / "logs" / "main", folder, "app", 0))
    for number in range(3):
        writer.write(LogLine(at(number), "stdout", "needle"))
    writer.close()
    page = "/c/main/ns/default/pods/web?tab=logs&q=needle"
    assert "data-cut" not in text(admin, page)
    monkeypatch.setattr(pod_logs, "_SEARCH_SECONDS", -1.0)
    shown = text(admin, page)
    assert "3 lines were not searched" in shown
    assert "data-cut" not in text(admin, "/c/main/ns/default/pods/web?tab=logs")


def test_services_show_which_addresses_get_requests(admin: Client) -> None:
    write(Key("main", "services", "default", "web"), thing("Service", "web", spec={"ports": []}))
    endpoints = [{"addresses": [f"10.244.0.{n}"], "conditions": {"ready": n != 9}} for n in (2, 3, 4, 5, 9)]
    piece = thing("EndpointSlice", "web-1", endpoints=endpoints)
    piece["metadata"]["labels"] = {"kubernetes.io/service-name": "web"}
    write(Key("main", "endpointslices.discovery.k8s.io", "default", "web-1"), piece)
    shown = text(admin, "/c/main/ns/default/services")
    assert '<th scope="col" data-column="endpoints">Endpoints</th>' in shown
    assert "10.244.0.2, 10.244.0.3, 10.244.0.4 + 1 more + 1 not ready" in shown


def test_a_node_is_cordoned_drained_and_opened_again(admin: Client) -> None:
    add("goes")
    add("kept", ownerReferences=[{"apiVersion": "apps/v1", "kind": "DaemonSet", "name": "d", "uid": "u", "controller": True}])  # fmt: skip
    page = "/c/main/nodes/node-a"
    assert "kubectl cordon node-a" in text(admin, page)
    answer = admin.post(f"{page}/do", {"do": "drain"}, follow=True).content.decode()
    assert "1 are being evicted, 1 stay." in answer
    assert "kubectl drain node-a --ignore-daemonsets --delete-emptydir-data --force" in answer
    node = store.get(NODE)
    assert node is not None
    assert node.obj["spec"]["unschedulable"] is True
    goes, kept = (store.get(Key("main", "pods", "default", name)) for name in ("goes", "kept"))
    assert goes is None or "deletionTimestamp" in goes.obj["metadata"]
    assert kept is not None
    assert "deletionTimestamp" not in kept.obj["metadata"]
    assert "cordoned" in text(admin, page)
    admin.post(f"{page}/do", {"do": "uncordon"})
    node = store.get(NODE)
    assert node is not None
    assert "unschedulable" not in node.obj["spec"]


def test_only_who_may_gets_the_buttons_of_a_node(student: Client, admin: Client) -> None:
    assert student.post("/c/main/nodes/node-a/do", {"do": "cordon"}).status_code == 403
    assert "Cordon" not in student.get("/c/main/nodes/node-a").content.decode()
    assert "Cordon" not in text(admin, "/c/main/nodes/node-a?rev=last")
    assert admin.post("/c/main/nodes/node-a/do", {"do": "explode"}).status_code == 400


def run(begin: float, end: float | None, code: int | None = None) -> Run:
    finished = None if end is None else at(end)
    return Run("main", "default", "web", UID, "app", 0, "node-a", "id", "img", at(begin), finished_at=finished, exit_code=code)  # fmt: skip


@pytest.mark.parametrize(
    ("runs", "bars"),
    [
        ([], [("waiting", 0.0, 240.0)]),
        ([run(10, None)], [("waiting", 0.0, 240.0), ("running", 4.0, 236.0)]),
        ([run(0, 300, 1), run(450, None)], [("waiting", 0.0, 240.0), ("failed", 0.0, 120.0), ("running", 180.0, 60.0)]),
        ([run(0, 300, 0)], [("waiting", 0.0, 120.0), ("done", 0.0, 120.0)]),
        ([run(0, 0.1, 1)], [("waiting", 0.0, 240.0), ("failed", 0.0, 2.0)]),
        ([run(-900, -700, 1), run(-60, None)], [("waiting", 0.0, 240.0), ("running", 0.0, 240.0)]),
    ],
)
def test_the_strip_shows_the_last_ten_minutes(runs: list[Run], bars: list[tuple[str, float, float]]) -> None:
    found = strips.strip(pod(), runs, at(0) + timedelta(minutes=10), status="Running")
    assert [(bar.tone, bar.x, bar.width) for bar in found.bars] == bars
    assert found.label.startswith("web in the last 10 minutes: Running, ")


def test_a_pod_that_has_failed_waits_for_nothing() -> None:
    failed = pod(phase="Failed")
    crashed = [run(60, 120, 1)]
    found = strips.strip(failed, crashed, at(0) + timedelta(minutes=10), status="Error")
    assert [(bar.tone, bar.end) for bar in found.bars] == [("waiting", 48.0), ("failed", 48.0)]


def test_the_overview_draws_those_in_trouble_first(admin: Client) -> None:
    for number in range(6):
        add(f"calm-{number}")
    broken = pod(phase="Failed")
    broken["metadata"] |= {"name": "broken", "uid": "uid-broken"}
    write(Key("main", "pods", "default", "broken"), broken)
    shown = text(admin, "/c/main/")
    assert shown.count('class="strip"') == 5
    assert shown.index(">broken<") < shown.index(">calm-")
    assert "2 more pods" in shown


def test_the_form_of_a_debug_container_shows_its_kubectl(admin: Client) -> None:
    write(POD, pod(phase="Running", state={"running": {"startedAt": stamp(2)}}))
    shown = text(admin, "/c/main/ns/default/pods/web?tab=terminal")
    assert "kubectl debug -it web --image=busybox:1.36 -n default" in shown


def test_lines_have_the_colour_of_their_container(admin: Client, settings: Any, tmp_path: Any) -> None:
    settings.PODLAB_DATA = tmp_path
    made = pod(phase="Running")
    made["spec"]["containers"].append({"name": "other", "image": "busybox"})
    write(POD, made)
    for name in ("app", "other"):
        path = layout.container_log(tmp_path / "logs" / "main", pod_logs.Folder("default", "web", UID), name, 0)
        with LogWriter(path) as writer:
            writer.write(LogLine(at(1), "stdout", f"{name} speaks"))
    shown = text(admin, "/c/main/ns/default/pods/web?tab=logs")
    assert re.findall(r'class="log-line hue-(\d)" data-key="(\w+)', shown) == [("0", "app"), ("1", "other")]
