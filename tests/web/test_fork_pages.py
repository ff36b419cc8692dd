"""Fork a cluster on the page: from the list of clusters, from the banner of the past, and what the fork says of itself."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from podlab.registry import clusters
from podlab.registry.client import Client as Registry
from podlab.registry.identity import system
from podlab.storage import log

POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "web"},
    "spec": {"containers": [{"name": "app", "image": "busybox:1.36"}]},
}


@pytest.fixture
def then(lab: None) -> int:
    """A revision at which there was a pod that is gone now."""
    main = Registry("main", system("test"), lambda: clusters.now_of("main"))
    main.create("pods", POD, namespace="default")
    revision = log.head()
    main.delete("pods", "default", "web", grace=0)
    return revision


def text(browser: Client, path: str, code: int = 200) -> str:
    answer = browser.get(path)
    assert answer.status_code == code, path
    return answer.content.decode()


def test_a_page_of_the_past_is_forked_and_its_fork_says_so(admin: Client, then: int) -> None:
    page = text(admin, f"/c/main/ns/default/pods?rev={then}")
    found = re.search(r'data-fork href="([^"]+)"', page)
    assert found is not None
    form = text(admin, found[1].replace("&amp;", "&"))
    fields = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form.partition("panel pad stack")[2]))
    assert fields["rev"] == str(then)
    assert 'value="main-fork"' in form
    assert f"From revision {then}" in form
    made = admin.post("/c/main/fork", {**fields, "name": "other", "clock": "paused", "seed": "same"})
    assert made["Location"] == "/c/other/ns/default/pods"
    assert "web" in text(admin, "/c/other/ns/default/pods")
    row = clusters.get("other")
    assert (row.time.paused, row.seed, row.origin_revision) == (True, clusters.get("main").seed, then)
    overview = text(admin, "/c/other/")
    assert f"forked from main at revision {then}, " in overview
    assert f'href="/c/main/?rev={then}"' in overview
    assert "forked from" not in text(admin, "/c/main/")
    listed = text(admin, "/clusters")
    assert f"forked from main at revision {then}, " in listed
    assert 'href="/c/other/fork"' in listed


def test_what_is_wrong_is_told_and_what_was_written_is_kept(admin: Client, then: int) -> None:
    wish = {"name": "main", "rev": str(then), "clock": "paused", "next": "/c/main/ns/default/pods"}
    answer = admin.post("/c/main/fork", wish, follow=True).content.decode()
    assert "cluster &quot;main&quot; already exists" in answer
    assert 'value="paused" selected' in answer
    assert (
        "A revision is a whole number."
        in admin.post("/c/main/fork", {**wish, "rev": "x", "name": "a"}, follow=True).content.decode()
    )
    assert "lies in the future" in text(admin, f"/c/main/fork?rev={then + 1000}", 400)
    assert [row.name for row in clusters.list_all()] == ["main"]


@pytest.mark.parametrize(
    "next", ["", "https://example.com/", "//example.com", "/c/main", "/c/other/ns/x/pods", "/c/main/../x"]
)
def test_it_leads_to_a_page_of_the_fork_only(admin: Client, next: str) -> None:
    assert admin.post("/c/main/fork", {"name": "fresh", "next": next})["Location"] == "/c/fresh/"


def test_a_student_forks_nothing(student: Client, then: int) -> None:
    assert "data-fork" not in text(student, f"/c/main/ns/default/pods?rev={then}")
    assert "/fork" not in text(student, "/clusters")
    assert "cannot fork cluster" in text(student, "/c/main/fork", 403)
    assert student.post("/c/main/fork", {"name": "mine"}).status_code == 403
    assert clusters.find("mine") is None
