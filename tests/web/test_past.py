"""Pages about the past: every list and page shows what was at the revision in its address."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from pod_story import UID, at, event, pod

from podlab.apis.types import Key
from podlab.storage import log, moments, store

POD = Key("main", "pods", "default", "web")
RUNNING = {"running": {"startedAt": "2026-11-21T09:00:02Z"}}


def write(key: Key, obj: dict[str, Any], seconds: float, *, why: str = "") -> int:
    if store.get(key) is None:
        return store.create(key, obj, at=at(seconds), actor="kubelet", why=why).revision
    return store.update(key, obj, expect=None, at=at(seconds), actor="kubelet", why=why).revision


@pytest.fixture
def history(admin: Client) -> list[int]:
    """A pod that comes, runs and goes; a config map that comes last."""
    setting = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "late", "namespace": "default", "uid": "c"},
    }
    revisions = [write(POD, pod(), 0), write(POD, pod(phase="Running", state=RUNNING), 2, why="It was started.")]
    happened = event("Started")
    happened["metadata"]["uid"] = "e"
    revisions.append(write(Key("main", "events", "default", "web.1"), happened, 3))
    store.delete(POD, at=at(9), actor="kubelet", why="")
    write(Key("main", "configmaps", "default", "late"), setting, 12)
    return revisions


def text(browser: Client, path: str) -> str:
    answer = browser.get(path)
    assert answer.status_code == 200, path
    return answer.content.decode()


def test_lists_show_what_was_at_their_revision(admin: Client, history: list[int]) -> None:
    pending, running, _ = history
    then = text(admin, f"/c/main/ns/default/pods?rev={running}")
    assert "You are in the past" in then
    assert "It was started." in then
    assert 'data-cell="status">Running' in then
    assert f"/pods/web?uid={UID}&amp;rev={running}" in then
    assert "dist/list.js" not in then
    assert 'data-cell="status">Pending' in text(admin, f"/c/main/ns/default/pods?rev={pending}")
    now = text(admin, "/c/main/ns/default/pods")
    assert "You are in the past" not in now
    assert f"/pods/web?uid={UID}" not in now
    assert ">late<" not in text(admin, f"/c/main/ns/default/configmaps?rev={running}")
    assert ">late<" in text(admin, "/c/main/ns/default/configmaps?rev=last")
    assert 'class="tally"' in text(admin, f"/c/main/?rev={running}")
    assert 'class="tally"' not in text(admin, "/c/main/")


def test_a_pods_page_and_all_its_tabs_show_that_moment(admin: Client, history: list[int]) -> None:
    pending, running, started = history
    page = f"/c/main/ns/default/pods/web?uid={UID}&rev="
    shown = text(admin, f"{page}{running}")
    assert f'data-rev="{running}"' in shown
    assert 'data-fact="status">Running' in shown
    assert 'data-fact="status">Pending' in text(admin, f"{page}{pending}")
    assert 'data-fact="status">Deleted' in text(admin, f"{page}last")
    assert "phase: Running" not in text(admin, f"{page}{pending}&tab=yaml")
    assert "phase: Running" in text(admin, f"{page}{running}&tab=yaml")
    assert "<td>Started</td>" not in text(admin, f"{page}{running}&tab=events")
    assert "<td>Started</td>" in text(admin, f"{page}{started}&tab=events")
    assert f'data-rev="{running}"' in text(admin, f"/c/main/ns/default/timeline?rev={running}")


def test_an_object_that_was_not_there_yet_is_not_found(admin: Client, history: list[int]) -> None:
    assert admin.get(f"/c/main/ns/default/configmaps/late?rev={history[0]}").status_code == 404
    assert admin.get("/c/main/ns/default/configmaps/late?rev=last").status_code == 200


def test_a_moment_of_lab_time_is_the_revision_of_that_moment(admin: Client, history: list[int]) -> None:
    at_two = text(admin, "/c/main/ns/default/pods?at=2026-11-21T09:00:02.500Z")
    assert f"revision {history[1]}, 09:00:02 UTC" in at_two
    assert "You are in the past" not in text(admin, "/c/main/ns/default/pods?at=noon")


def test_the_scrub_bar_goes_through_the_changes_of_the_namespace(admin: Client, history: list[int]) -> None:
    pending, running, started = history
    bar = text(admin, f"/c/main/ns/default/pods?rev={running}&x=1")
    assert f'max="{log.head()}" value="{running}"' in bar
    assert f'href="?x=1&amp;rev={pending}" rel="prev"' in bar
    assert 'data-at="2026-11-21T09:00:02.000Z" data-next="2026-11-21T09:00:03.000Z"' in bar
    assert 'data-next=""' in text(admin, "/c/main/ns/default/pods?rev=last")
    assert f'href="?x=1&amp;rev={started}" rel="next"' in bar
    assert 'href="?x=1">Back to now' in bar
    assert moments.neighbours("main", pending, "default")[1] == running
    first, last = moments.span_of("main", "default") or (0, 0)
    assert (moments.neighbours("main", first, "default")[0], last) == (None, log.head())


def test_what_one_may_not_see_is_not_told_by_the_banner(student: Client, lab: None) -> None:
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "hush", "namespace": "kube-system", "uid": "s"},
    }
    rev = write(Key("main", "secrets", "kube-system", "hush"), secret, 0, why="Nobody's business.")
    shown = text(student, f"/c/main/?rev={rev}")
    assert "You are in the past" in shown
    assert "hush" not in shown
    assert "business" not in shown
    assert student.get(f"/c/main/ns/kube-system/pods?rev={rev}").status_code == 403
