"""The list and the page of a pod: what they say without any script, and that nothing in them is believed."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

import pytest
from django.test import Client
from pod_story import UID, at, event, pod, stamp

from podlab.apis.types import Key
from podlab.storage import store

HOSTILE = "\"><script>alert(1)</script><img src=x onerror=alert(1)>'`{{7*7}}"
POD = Key("main", "pods", "default", "web")


def write(obj: dict[str, Any], key: Key = POD) -> None:
    store.create(key, obj, at=at(0), actor="test", why="")


def running() -> dict[str, Any]:
    made = pod(phase="Running", state={"running": {"startedAt": stamp(1)}}, ready=True)
    made["status"] |= {"podIP": "10.1.2.3", "podIPs": [{"ip": "10.1.2.3"}], "qosClass": "BestEffort"}
    return made


class Tags(HTMLParser):
    """Collects what a browser would run."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.scripts: list[dict[str, str | None]] = []
        self.handlers: list[str] = []
        self.images = 0
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "script":
            self.scripts.append(dict(attrs))
        self.images += tag == "img"
        self.handlers += [name for name, _ in attrs if name.startswith("on")]


def test_the_list_has_kubectls_columns_without_any_script(admin: Client) -> None:
    write(running())
    page = admin.get("/c/main/ns/default/pods").content.decode()
    for text in ("web", "1/1", "Running", "node-a", "10.1.2.3", "simulated", "kubectl get pods"):
        assert text in page


def test_an_empty_list_says_what_to_do_next(admin: Client) -> None:
    page = admin.get("/c/main/ns/default/pods").content.decode()
    assert "No pods in default" in page
    assert "/c/main/ns/default/new?pattern=web" in page


def test_the_pod_page_says_what_is_happening(admin: Client) -> None:
    write(running())
    page = admin.get("/c/main/ns/default/pods/web").content.decode()
    assert "app is running and ready." in page
    assert f'data-uid="{UID}"' in page
    assert "This cluster is simulated" in page


@pytest.mark.parametrize("tab", ["timeline", "yaml", "events"])
def test_hostile_text_stays_text(admin: Client, tab: str) -> None:
    made = running()
    made["metadata"]["annotations"] = {"note": HOSTILE, "</script>": "x"}
    made["metadata"]["labels"] = {"app": HOSTILE}
    made["spec"]["containers"][0]["image"] = HOSTILE
    made["spec"]["nodeName"] = HOSTILE
    made["status"]["containerStatuses"][0]["state"] = {"waiting": {"reason": HOSTILE, "message": HOSTILE}}
    write(made)
    told = event(HOSTILE)
    told["message"] = HOSTILE
    told["metadata"]["uid"] = "e"
    write(told, Key("main", "events", "default", "web.1"))
    for path in (f"/c/main/ns/default/pods/web?tab={tab}", "/c/main/ns/default/pods", "/c/main/"):
        page = admin.get(path).content.decode()
        found = Tags(page)
        assert found.handlers == []
        assert found.images == 0
        assert all(tag.get("src") or tag.get("type") == "application/json" for tag in found.scripts)
        assert "alert" in page or path == "/c/main/" or tab == "events"


def test_the_yaml_tab_knows_where_each_line_stands(admin: Client) -> None:
    write(running())
    page = admin.get("/c/main/ns/default/pods/web?tab=yaml").content.decode()
    assert 'data-path="spec.containers[0].image"' in page


def test_the_events_tab_lists_only_those_of_the_pod(admin: Client) -> None:
    write(running())
    for name, uid in (("web.1", UID), ("web.2", "other")):
        told = event("Started" if uid == UID else "Foreign", name=name, uid=uid)
        told["metadata"]["uid"] = f"event-{name}"
        write(told, Key("main", "events", "default", name))
    page = admin.get("/c/main/ns/default/pods/web?tab=events").content.decode()
    assert "Started happened" in page
    assert "Foreign happened" not in page


def test_a_tab_alone_is_a_fragment(admin: Client) -> None:
    write(running())
    part = admin.get("/c/main/ns/default/pods/web?tab=yaml", headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in part
    assert "yaml-line" in part


def test_a_deleted_pod_keeps_its_page_under_its_uid(admin: Client) -> None:
    write(running())
    store.delete(POD, at=at(5), actor="test", why="")
    page = admin.get(f"/c/main/ns/default/pods/web?uid={UID}")
    assert page.status_code == 200
    assert "This pod was deleted" in page.content.decode()
    assert admin.get("/c/main/ns/default/pods/web").status_code == 404
    assert admin.get("/c/main/ns/default/pods/web?uid=unknown").status_code == 404


def test_deleting_gives_the_pod_its_grace_and_says_how_kubectl_would(admin: Client) -> None:
    write(running())
    answer = admin.post(
        "/c/main/ns/default/pods/web/delete",
        {"uid": UID, "how": "seconds", "seconds": "7"},
        headers={"HX-Request": "true"},
    )
    assert "kubectl delete pod web --grace-period=7 -n default" in answer.content.decode()
    stored = store.get(POD)
    assert stored is not None
    assert stored.obj["metadata"]["deletionGracePeriodSeconds"] == 7


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({"uid": "another-uid"}, 409),
        ({"uid": UID, "how": "seconds", "seconds": "soon"}, 400),
        ({"uid": UID, "how": "seconds", "seconds": "-1"}, 400),
    ],
)
def test_a_namesake_or_nonsense_deletes_nothing(admin: Client, form: dict[str, str], code: int) -> None:
    write(running())
    assert admin.post("/c/main/ns/default/pods/web/delete", form).status_code == code
    stored = store.get(POD)
    assert stored is not None
    assert "deletionTimestamp" not in stored.obj["metadata"]


def test_deletion_works_without_a_script(admin: Client) -> None:
    write(running())
    asked = admin.get(f"/c/main/ns/default/pods/web/delete?uid={UID}").content.decode()
    assert "kubectl delete pod web -n default" in asked
    assert "With the pod&#x27;s own grace period" in asked.replace("pod's", "pod&#x27;s")
    answer = admin.post("/c/main/ns/default/pods/web/delete", {"uid": UID, "how": "force"}, follow=True)
    assert "--grace-period=0 --force" in answer.content.decode()
