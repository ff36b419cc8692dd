"""The explanations on the page of a pod: with evidence that leads somewhere, for whoever may see it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from pod_story import UID, at, event, pod, stamp

from podlab.apis import static_pods
from podlab.apis.types import Key, LogLine
from podlab.glance import kubectl
from podlab.logs import layout
from podlab.logs.writer import LogWriter
from podlab.storage import history, store
from podlab.web import pod_logs
from podlab.web.place import Place

POD = Key("main", "pods", "default", "web")


def write(obj: dict[str, Any]) -> None:
    store.create(POD, obj, at=at(0), actor="test", why="")


def crashing() -> dict[str, Any]:
    made = pod(phase="Running", state={"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 10s restarting failed container=app pod=web"}}, restarts=1)  # fmt: skip
    made["status"]["containerStatuses"][0]["lastState"] = {
        "terminated": {"exitCode": 3, "reason": "Error", "message": "<b>no db</b>", "startedAt": stamp(1), "finishedAt": stamp(2)}
    }  # fmt: skip
    return made


def test_the_page_explains_below_the_timeline(admin: Client) -> None:
    write(crashing())
    page = admin.get("/c/main/ns/default/pods/web").content.decode()
    assert 'data-situation="exit-error"' in page
    assert "app ends by itself with exit code 3" in page
    # Without the page's script, and before it knows the mark, the address leads to it.
    assert f'href="?uid={UID}&amp;mark=run%3Aapp%3A0" data-select="run:app:0"' in page
    assert "kubectl logs web -c app -n default" in page
    assert "&lt;b&gt;no db&lt;/b&gt;" in page
    assert "<b>no db" not in page


def test_the_mirror_of_a_static_pod_is_explained_by_what_its_node_tells(
    admin: Client, settings: Any, tmp_path: Path
) -> None:
    settings.PODLAB_DATA = tmp_path
    made = crashing()
    hash_ = static_pods.uid({"metadata": {"namespace": "default", "name": "web"}}, "node-a", "web.yaml")
    made["metadata"]["annotations"] = {static_pods.MIRROR: hash_}
    del made["status"]["containerStatuses"][0]["lastState"]["terminated"][
        "message"
    ]  # so that the log has the last word
    write(made)
    path = layout.container_log(tmp_path / "logs" / "main", pod_logs.Folder("default", "web", hash_), "app", 0)
    with LogWriter(path) as writer:
        writer.write(LogLine(at(1), "stdout", "cannot reach the database"))
    told = event("BackOff")
    told["involvedObject"]["uid"] = hash_
    told["metadata"]["uid"] = "event-1"
    store.create(Key("main", "events", "default", told["metadata"]["name"]), told, at=at(2), actor="test", why="")
    assert "cannot reach the database" in admin.get("/c/main/ns/default/pods/web?tab=why").content.decode()
    events = admin.get("/c/main/ns/default/pods/web?tab=events").content.decode()
    assert "<td>BackOff</td>" in events
    assert f'data-watch-uid="{hash_}"' in events


def test_the_tab_works_without_scripts_and_as_a_fragment(admin: Client) -> None:
    write(crashing())
    assert "exit-error" in admin.get("/c/main/ns/default/pods/web?tab=why").content.decode()
    fragment = admin.get("/c/main/ns/default/pods/web?tab=why", HTTP_HX_REQUEST="true").content.decode()
    assert "exit-error" in fragment
    assert "<html" not in fragment


def test_evidence_in_the_yaml_leads_to_its_line(admin: Client) -> None:
    made = pod(phase="Running", state={"running": {"startedAt": stamp(1)}}, restarts=1)
    made["spec"]["containers"][0]["livenessProbe"] = {"httpGet": {"path": "/", "port": 81}, "failureThreshold": 3}
    write(made)
    history.record_probes(
        [
            history.ProbeRow("main", UID, "app", 0, "liveness", datetime.now(UTC), 1.0, "failure", 3, 3, "HTTP probe failed with statuscode: 500", "restart")
        ]
    )  # fmt: skip
    page = admin.get("/c/main/ns/default/pods/web?tab=why", HTTP_HX_REQUEST="true").content.decode()
    assert 'data-situation="probe-status"' in page
    yaml = admin.get("/c/main/ns/default/pods/web?tab=yaml").content.decode()
    number = page.partition("spec.containers[0].livenessProbe")[0].rpartition("#L")[2].partition('"')[0]
    assert f'id="L{number}"' in yaml
    assert "livenessProbe" in yaml.partition(f'id="L{number}"')[2].partition("</a>")[0]


def test_a_pod_in_order_says_so(admin: Client) -> None:
    write(pod(phase="Running", state={"running": {"startedAt": stamp(1)}}, ready=True))
    key = Key("main", "nodes", "", "node-a")
    stored = store.get(key)
    assert stored is not None
    ready = {"status": {"conditions": [{"type": "Ready", "status": "True"}]}}
    store.update(key, stored.obj | ready, expect=None, at=at(0))
    page = admin.get("/c/main/ns/default/pods/web?tab=why").content.decode()
    assert "Nothing here needs an explanation" in page


def test_who_may_not_see_nodes_gets_no_word_about_them(admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    made = pod(phase="Pending")
    made["spec"]["nodeName"] = "secret-node"
    write(made)
    assert "node-absent" in admin.get("/c/main/ns/default/pods/web?tab=why").content.decode()
    monkeypatch.setattr(Place, "may", lambda place, verb, resource, **_: resource != "nodes")
    assert "node-absent" not in admin.get("/c/main/ns/default/pods/web?tab=why").content.decode()


def test_the_place_stands_before_what_is_run_in_the_pod() -> None:
    line = kubectl.line("exec", "web", "--", "sh", cluster="main", namespace="default")
    assert line == "kubectl exec web -n default -- sh"
