"""The Logs tab keeps up with what the containers write, and with a pod that is deleted it rests."""

from __future__ import annotations

import uuid

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.places import create
from tests.whole_lab import eventually

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

_POD = """apiVersion: v1
kind: Pod
metadata: {{name: {name}}}
spec:
  terminationGracePeriodSeconds: 0
  containers:
    - {{name: app, image: "busybox:1.36", command: [sh, -c, "for i in $(seq 60); do echo line $i; done; while true; do echo tick; sleep 1; done"]}}
"""
_TO_TOP = "list => { list.scrollTop = 0; }"
_AT_END = "list => list.scrollHeight - list.scrollTop - list.clientHeight < 24"


def test_lines_come_by_themselves_each_once_and_the_end_is_followed(session: BrowserContext, page: Page) -> None:
    name = f"talks-{uuid.uuid4().hex[:6]}"
    create(session, _POD.format(name=name))
    page.goto(f"/c/main/ns/default/pods/{name}?tab=logs")
    page.locator("html[data-live=yes]").wait_for()
    expect(page.locator("#log-tab[data-watch-log]")).to_have_count(1)
    lines, ticks = page.locator("#log-tab .log-page"), page.locator("#log-tab .log-line", has_text="tick")
    eventually("two ticks", lambda: ticks.count() >= 2)
    expect(page.locator("#log-tab .log-line", has_text="line 60")).to_have_count(1)
    assert lines.evaluate(_AT_END)
    lines.evaluate(_TO_TOP)
    expect(page.get_by_role("button", name="Jump to the end")).to_be_visible()
    seen = ticks.count()
    page.evaluate("podlab.connection.socket.close()")  # lost, and back by itself
    eventually("ticks after the connection was lost", lambda: ticks.count() >= seen + 2)
    assert not lines.evaluate(_AT_END)
    times = page.locator("#log-tab .log-line time").evaluate_all("all => all.map((one) => one.dateTime)")
    assert times == sorted(times)
    assert len(set(times)) == len(times)
    page.get_by_role("button", name="Jump to the end").click()
    assert lines.evaluate(_AT_END)
