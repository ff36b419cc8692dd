"""The timeline of a namespace: whose stories its page opens."""

from __future__ import annotations

import json
import re
from typing import Any

from django.test import Client
from pod_story import UID, at, pod

from podlab.apis.types import Key
from podlab.storage import store
from podlab.web.views import spaces


def shown(browser: Client) -> list[dict[str, Any]]:
    text = browser.get("/c/main/ns/default/timeline").content.decode()
    found = re.search(r'<script id="space-pods" type="application/json">(.*?)</script>', text)
    assert found is not None
    pods: list[dict[str, Any]] = json.loads(found[1])
    return pods


def write(name: str, uid: str, created: str, *, gone: bool = False) -> None:
    made = pod()
    made["metadata"] |= {"name": name, "uid": uid, "creationTimestamp": created}
    key = Key("main", "pods", "default", name)
    store.create(key, made, at=at(0), actor="test", why="")
    if gone:
        store.delete(key, at=at(1), actor="test", why="")


def test_living_and_deleted_pods_are_told_in_the_order_of_their_creation(admin: Client) -> None:
    write("old", "uid-old", "2026-11-21T08:00:00Z", gone=True)
    write("web", UID, "2026-11-21T09:00:00Z")
    assert [(one["name"], one["gone"]) for one in shown(admin)] == [("old", True), ("web", False)]


def test_there_is_room_for_the_living_before_the_deleted(admin: Client, monkeypatch: Any) -> None:
    monkeypatch.setattr(spaces, "MOST", 2)
    for number in range(3):
        write(f"gone-{number}", f"uid-{number}", f"2026-11-21T10:0{number}:00Z", gone=True)
    write("web", UID, "2026-11-21T09:00:00Z")
    assert [one["name"] for one in shown(admin)] == ["web", "gone-2"]
    assert "2 more are left out" in admin.get("/c/main/ns/default/timeline").content.decode()


def test_a_namesake_that_came_later_is_a_pod_of_its_own(admin: Client) -> None:
    write("web", "uid-first", "2026-11-21T08:00:00Z", gone=True)
    write("web", UID, "2026-11-21T09:00:00Z")
    assert [one["uid"] for one in shown(admin)] == ["uid-first", UID]


def test_other_peoples_pods_are_not_told(student: Client) -> None:
    assert student.get("/c/main/ns/kube-system/timeline").status_code == 403
