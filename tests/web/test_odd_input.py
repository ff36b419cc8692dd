"""What nobody would write into a page's address or form: an answer, never a traceback."""

from __future__ import annotations

from typing import Any

import pytest
from asgiref.testing import ApplicationCommunicator
from django.test import Client

from podlab import asgi
from podlab.registry import clusters, run_files
from podlab.registry.client import Client as Registry
from podlab.registry.identity import system

POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "web"},
    "spec": {"containers": [{"name": "app", "image": "busybox:1.36"}]},
}
DIGITS = "9" * 5000  # more than Python reads


@pytest.fixture
def browser(admin: Client) -> Client:
    """Somebody who may everything, and one pod."""
    Registry("main", system("test"), lambda: clusters.now_of("main")).create("pods", POD, namespace="default")
    return admin


@pytest.mark.parametrize(
    "path",
    [
        "/c/main/ns/default/pods?at=0001-01-01T00:00:00%2B14:00",
        "/c/main/ns/default/pods?at=9999-12-31T23:59:59-01:00",
        f"/c/main/ns/default/pods?rev={DIGITS}",
        "/c/main/ns/default/pods?labels=%00",
        f"/c/main/ns/default/pods/web?tab=logs&attempt={DIGITS}",
        "/c/main/ns/default/pods/web?tab=logs&q=a{999999999999}&regex=1",
        "/c/main/ns/default/pods/web?tab=logs&q=[&regex=1",
        "/c/main/ns/default/pods/web?tab=yaml&rev=1&to=999999999999999999",
        "/c/main/ns/default/pods/web?uid=%00",
    ],
)
def test_an_address_is_answered(browser: Client, path: str) -> None:
    assert browser.get(path).status_code < 500


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("/c/main/ns/default/pods/web/delete", {"how": "seconds", "seconds": DIGITS}),
        ("/clusters", {"name": "one", "nodes": DIGITS}),
        ("/clusters", {"name": "one", "nodes": "1", "seed": DIGITS}),
        ("/clusters", {"name": "one", "nodes": "1", "seed": "9" * 19}),
        ("/clusters", {"name": "one", "nodes": "0"}),
        ("/c/main/clock", {"do": "speed", "speed": "nan"}),
    ],
)
def test_a_form_is_answered_and_nothing_is_done(browser: Client, path: str, form: dict[str, str]) -> None:
    assert browser.post(path, form).status_code in {302, 400}
    assert clusters.find("one") is None
    assert browser.get("/c/main/ns/default/pods/web").status_code == 200


def test_a_time_that_is_none_in_utc_is_told_at_its_field(browser: Client) -> None:
    text = "apiVersion: v1\nkind: Pod\nmetadata: {name: x, deletionTimestamp: 9999-12-31T23:59:59-01:00}\n"
    answer = browser.post("/c/main/ns/default/check", text, content_type="text/plain").json()
    assert "9999" in answer["problems"][0]["message"]


def _http(path: str, headers: list[tuple[bytes, bytes]]) -> dict[str, Any]:
    host = (b"host", b"localhost")
    return {"type": "http", "method": "POST", "path": path, "query_string": b"", "headers": [host, *headers]}


@pytest.mark.parametrize(
    ("path", "length", "status"),
    [
        ("/login", run_files.MAX_FILE, 413),
        ("/c/main/ns/default/check", 10**30, 413),
        ("/runs", run_files.MAX_FILE * 2, 413),
        ("/runs", 10, 403),  # the form's token is missing
    ],
)
async def test_a_body_that_no_page_wants_is_refused_before_it_comes(
    transactional_db: None, path: str, length: int, status: int
) -> None:
    caller = ApplicationCommunicator(asgi.application, _http(path, [(b"content-length", b"%d" % length)]))
    if status != 413:
        await caller.send_input({"type": "http.request", "body": b"x" * length})
    start = await caller.receive_output(60)
    assert start["status"] == status


async def test_a_nul_in_an_address_goes_no_further(transactional_db: None) -> None:
    scope = _http("/c/main/ns/default/pods/web", []) | {"method": "GET", "query_string": b"uid=%00"}
    caller = ApplicationCommunicator(asgi.application, scope)
    assert (await caller.receive_output(60))["status"] == 400


async def test_a_body_of_unknown_length_is_cut_off(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asgi, "_MOST_BYTES", 1000)
    caller = ApplicationCommunicator(asgi.application, _http("/login", []))
    for _ in range(2):
        await caller.send_input({"type": "http.request", "body": b"x" * 600, "more_body": True})
    await caller.wait(60)
    assert await caller.receive_nothing()
