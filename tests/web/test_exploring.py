"""Lists and pages of all kinds, the parts of a pod, its logs and its past: what they show, and to whom."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from pod_story import UID, at, event, pod, stamp, terminated

from podlab.apis.types import Key, LogLine
from podlab.logs import layout
from podlab.logs.writer import LogWriter
from podlab.storage import store
from podlab.web import nodes, pod_logs, pod_parts
from podlab.web.place import Place

POD = Key("main", "pods", "default", "web")
WHY = (
    "No node can take this pod, which requests 900000m cpu and 0Mi memory. "
    "node-a: Insufficient cpu, Too many pods; node-b: node(s) had untolerated taint {key: value}."
)


def write(key: Key, obj: dict[str, Any], why: str = "") -> None:
    if store.get(key) is None:
        store.create(key, obj, at=at(0), actor="test", why=why)
    else:
        store.update(key, obj, expect=None, at=at(1), actor="test", why=why)


def thing(kind: str, name: str, **more: Any) -> dict[str, Any]:
    meta = {"name": name, "uid": f"uid-{name}", "creationTimestamp": stamp(0)}
    if kind != "Node":
        meta["namespace"] = "default"
    return {"apiVersion": "v1", "kind": kind, "metadata": meta, **more}


def text(browser: Client, path: str) -> str:
    answer = browser.get(path)
    assert answer.status_code == 200, path
    return answer.content.decode()


@pytest.mark.parametrize(
    "path", ["ns/default/configmaps", "ns/default/events", "ns/default/services", "nodes", "namespaces"]
)
def test_every_list_has_its_columns_or_says_what_to_do(admin: Client, path: str) -> None:
    shown = text(admin, f"/c/main/{path}")
    assert "<th scope=" in shown or "appears in this list" in shown
    assert "kubectl get" in shown


@pytest.mark.parametrize(
    "path", ["ns/default/nodes", "pods", "ns/default/nonsense", "ns/default/configmaps/none", "nodes/none"]
)
def test_what_is_not_there_is_a_404(admin: Client, path: str) -> None:
    assert admin.get(f"/c/main/{path}").status_code == 404


def test_a_page_that_is_not_there_says_what_is_missing(admin: Client) -> None:
    assert "There is no such pod." in admin.get("/c/main/ns/default/pods/nobody").content.decode()
    assert "There is no such cluster." in admin.get("/c/nowhere/").content.decode()


def test_a_config_map_shows_its_data_as_text(admin: Client) -> None:
    write(Key("main", "configmaps", "default", "settings"), thing("ConfigMap", "settings", data={"a": "<b>1</b>"}))
    assert "settings" in text(admin, "/c/main/ns/default/configmaps")
    assert "&lt;b&gt;1&lt;/b&gt;" in text(admin, "/c/main/ns/default/configmaps/settings")


def test_a_secret_keeps_its_values_until_somebody_asks(admin: Client) -> None:
    value = base64.b64encode(b"swordfish").decode()
    write(Key("main", "secrets", "default", "key"), thing("Secret", "key", type="Opaque", data={"word": value}))
    hidden = text(admin, "/c/main/ns/default/secrets/key")
    assert "word" in hidden
    assert value not in hidden
    assert "swordfish" not in hidden
    assert "swordfish" in text(admin, "/c/main/ns/default/secrets/key?reveal=1")


def test_other_peoples_namespaces_stay_closed(student: Client) -> None:
    assert student.get("/c/main/ns/default/configmaps").status_code == 200
    for path in ("ns/kube-system/configmaps", "ns/kube-system/secrets/key", "namespaces"):
        assert student.get(f"/c/main/{path}").status_code == 403


def test_a_node_shows_its_pods_by_what_they_request(admin: Client) -> None:
    status = {"allocatable": {"cpu": "2", "memory": "1Gi", "pods": "10"}}
    node = thing("Node", "node-z", status=status, spec={"taints": [{"key": "k", "effect": "NoSchedule"}]})
    write(Key("main", "nodes", "", "node-z"), node)
    asks = {"resources": {"requests": {"cpu": "500m", "memory": "64Mi"}}}
    write(POD, pod(phase="Running", node="node-z", container=asks))
    shown = text(admin, "/c/main/nodes/node-z")
    for words in ("500m / 2000m · 25 %", "64Mi / 1024Mi", "k:NoSchedule", f"/pods/web?uid={UID}"):
        assert words in shown


def test_the_schedulers_why_is_a_table_by_node() -> None:
    told = [(one.node, one.reasons) for one in nodes.verdicts(WHY)]
    assert told == [
        ("node-a", ("Insufficient cpu", "Too many pods")),
        ("node-b", ("node(s) had untolerated taint {key: value}",)),
    ]
    assert nodes.verdicts("node-a is the only node that fits.") == []
    kept = nodes.verdicts(f"{WHY} To make room, low (priority 0) must leave node-a. Victims elsewhere: node-b 1.")
    assert [(one.node, one.reasons) for one in kept] == told


def test_a_pending_pod_says_why_on_each_node(admin: Client) -> None:
    write(POD, pod(node=""))
    write(POD, pod(node="", conditions=[("PodScheduled", "False", "Unschedulable", "0/2")]), why=WHY)
    shown = text(admin, "/c/main/ns/default/pods/web?tab=details")
    assert "Insufficient cpu, Too many pods" in shown
    assert "/c/main/nodes/node-a" in shown


def test_the_details_name_states_volumes_and_mounts() -> None:
    mount = {"volumeMounts": [{"name": "conf", "mountPath": "/etc/conf", "readOnly": True}]}
    volumes = {"volumes": [{"name": "conf", "configMap": {"name": "settings"}}, {"name": "tmp", "emptyDir": {}}]}
    made = pod(state={"running": {"startedAt": stamp(3)}}, last=terminated(137, 0, 2), container=mount, spec=volumes)
    (container,) = pod_parts.containers(made)
    assert container["state"] is not None
    assert container["last"] is not None
    assert (container["state"]["tone"], container["last"]["exit_code"], container["last"]["tone"]) == (
        "running",
        137,
        "failed",
    )
    conf, tmp = pod_parts.volumes(made)
    assert (conf["type"], conf["detail"], conf["mounts"]) == ("configMap", "settings", ["app: /etc/conf (ro)"])
    assert (tmp["type"], tmp["mounts"]) == ("emptyDir", [])


def test_the_yaml_of_any_revision_and_the_diff_of_two(admin: Client) -> None:
    write(POD, pod(node=""))
    first = store.get(POD)
    write(POD, pod(node="node-a"), why="node-a scored best.")
    second = store.get(POD)
    assert first is not None
    assert second is not None
    page = f"/c/main/ns/default/pods/web?tab=yaml&rev={first.revision}"
    assert "You are in the past" in text(admin, page)
    diff = text(admin, f"{page}&to={second.revision}")
    assert 'data-sort="added">    nodeName: node-a' in diff.replace("  nodeName", "    nodeName")
    assert "You are in the past" not in text(admin, "/c/main/ns/default/pods/web?tab=yaml&rev=nonsense")


@pytest.fixture
def logs(admin: Client, settings: Any, tmp_path: Path) -> Client:
    """Two runs of one container."""
    settings.PODLAB_DATA = tmp_path
    write(POD, pod(phase="Running", state={"running": {}}, restarts=1))
    folder = pod_logs.Folder("default", "web", UID)
    for attempt, lines in enumerate((["starting", "cannot reach <db>"], ["starting", "GET /a 200", "GET /b 404"])):
        path = layout.container_log(tmp_path / "logs" / "main", folder, "app", attempt)
        writer = LogWriter(path)
        for number, words in enumerate(lines):
            writer.write(LogLine(at(attempt * 10 + number), "stdout", words))
        writer.close()
    return admin


@pytest.mark.parametrize(
    ("query", "there", "absent"),
    [
        ("", ["app #0", "app #1", "cannot reach &lt;db&gt;", "5 lines"], ["<mark>"]),
        ("&attempt=0", ["2 lines", "cannot reach"], ["GET"]),
        ("&q=get", ["5 lines", "2 hits", "<mark>GET</mark>"], []),
        ("&q=4.4&only=1&sent=1", ["0 lines", "0 hits"], ["GET"]),
        ("&q=4.4&regex=1&only=1&sent=1", ["1 lines", "<mark>404</mark>"], ["GET /a"]),
        ("&q=(&regex=1", ["This is no regular expression"], []),
        ("&q=a{9999}&regex=1", ["This is no regular expression: invalid repetition size"], []),
        ("&tail=1", ["1 lines", "--tail=1"], ["starting"]),
        ("&sent=1", ["nowrap"], ["<time"]),
    ],
)
def test_logs_are_searched_on_the_server(logs: Client, query: str, there: list[str], absent: list[str]) -> None:
    shown = text(logs, f"/c/main/ns/default/pods/web?tab=logs{query}")
    panel = shown[shown.index('id="panel"') :]
    for words in there:
        assert words in panel
    for words in absent:
        assert words not in panel


def test_logs_of_the_past_end_at_its_moment(logs: Client) -> None:
    begun = store.get(POD)
    assert begun is not None  # written at 0 s
    shown = text(logs, f"/c/main/ns/default/pods/web?tab=logs&rev={begun.revision}")
    panel = shown[shown.index('id="panel"') :]
    for words in ("1 lines", "app #0", "starting"):
        assert words in panel
    for words in ("cannot reach", "#1 ·", "GET", 'name="follow"'):
        assert words not in panel
    answer = logs.get(f"/c/main/ns/default/pods/web/log?uid={UID}&sent=1&rev={begun.revision}")
    assert answer.content.decode() == "app#0 starting\n"


@pytest.mark.parametrize(
    ("begin", "end", "there"),
    [
        (0, 5, {"starting", "cannot reach"}),
        (11, 12, {"GET /a", "GET /b"}),
        (2, 9, set()),
        (9, 2, {"starting", "GET /a"}),
    ],
)
def test_a_range_of_the_timeline_filters_the_lines(logs: Client, begin: int, end: int, there: set[str]) -> None:
    shown = text(logs, f"/c/main/ns/default/pods/web?tab=logs&range={stamp(begin)}/{stamp(end)}")
    panel = shown[shown.index('id="panel"') :]
    assert {words for words in ("starting", "cannot reach", "GET /a", "GET /b") if words in panel} >= there
    assert ("GET" in panel) == any("GET" in words for words in there)
    assert ("data-range-note" in panel) == (begin < end)


def test_a_range_of_the_timeline_filters_the_events(admin: Client) -> None:
    write(POD, pod(phase="Running"))
    for name, first, last in (("early", 0, 3), ("long", 2, 30), ("late", 20, 20)):
        told = event(name.title()) | {"firstTimestamp": stamp(first), "lastTimestamp": stamp(last)}
        told["metadata"] |= {"name": name, "uid": name}
        write(Key("main", "events", "default", name), told)

    def seen(query: str) -> set[str]:
        shown = text(admin, f"/c/main/ns/default/pods/web?tab=events{query}")
        return {name for name in ("Early", "Long", "Late") if f"<td>{name}</td>" in shown}

    assert seen("") == {"Early", "Long", "Late"}
    assert seen(f"&range={stamp(1)}/{stamp(4)}") == {"Early", "Long"}
    assert seen(f"&range={stamp(19)}/{stamp(21)}") == {"Long", "Late"}
    assert seen("&range=nonsense") == {"Early", "Long", "Late"}


@pytest.mark.parametrize("expression", ["a?" * 60 + "a" * 60, "(a|a)" * 39 + "$", "(a%2B)%2B$"])
def test_no_expression_keeps_the_lab_busy(logs: Client, tmp_path: Path, expression: str) -> None:
    """An engine that goes back and tries again would need longer than anybody waits."""
    path = layout.container_log(tmp_path / "logs" / "main", pod_logs.Folder("default", "web", UID), "app", 1)
    writer = LogWriter(path)
    writer.write(LogLine(at(13), "stdout", "a" * 59 + "b"))
    writer.close()
    shown = text(logs, f"/c/main/ns/default/pods/web?tab=logs&regex=1&q={expression}")
    assert "6 lines" in shown
    assert "The search was stopped" not in shown


def test_a_long_line_is_searched_to_its_end(logs: Client, tmp_path: Path) -> None:
    path = layout.container_log(tmp_path / "logs" / "main", pod_logs.Folder("default", "web", UID), "app", 1)
    writer = LogWriter(path)
    writer.write(LogLine(at(13), "stdout", "é" * 3000 + "needle (1)"))
    writer.close()
    assert "<mark>needle (1)</mark>" in text(logs, "/c/main/ns/default/pods/web?tab=logs&q=Needle%20(1)")


def test_logs_are_kept_after_the_pod_and_can_be_taken_away(logs: Client) -> None:
    store.delete(POD, at=at(20), actor="test", why="")
    assert "cannot reach" in text(logs, f"/c/main/ns/default/pods/web?tab=logs&uid={UID}")
    answer = logs.get(f"/c/main/ns/default/pods/web/log?uid={UID}&sent=1&attempt=0")
    assert answer["Content-Disposition"] == 'attachment; filename="web.log"'
    assert answer.content.decode() == "app#0 starting\napp#0 cannot reach <db>\n"


def test_since_counts_from_lab_time(logs: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Place, "now", lambda place: at(70))
    shown = text(logs, "/c/main/ns/default/pods/web?tab=logs&since=60")
    assert "3 lines" in shown
    assert "app #0" not in shown
