"""Lists and logs that keep up while somebody looks."""

from __future__ import annotations

import re
import uuid

import pytest
from playwright.sync_api import Page, expect
from test_space import create

from tests.browser import places
from tests.browser.axe import findings

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

COUNTING = 'command: [sh, -c, "while true; do echo tick; sleep 0.2; done"]'


def test_a_list_shows_a_cordon_without_a_reload(page: Page) -> None:
    node = page.context.new_page()
    page.goto("/c/main/nodes")
    page.locator("html[data-live=yes]").wait_for()
    row = page.locator("tr[data-key=node-a]")
    row.get_by_role("link").focus()
    row.evaluate("row => { row.dataset.seen = 'yes'; }")
    node.goto("/c/main/nodes/node-a")
    node.get_by_role("button", name="Cordon").click()
    expect(node.locator("main [role=status]")).to_contain_text("kubectl cordon node-a")
    try:
        expect(row).to_contain_text("SchedulingDisabled")
        expect(row.get_by_role("link")).to_be_focused()
        node.get_by_text("Drain…").click()
        assert findings(node) == []
    finally:
        node.get_by_role("button", name="Uncordon").click()
    expect(row).not_to_contain_text("SchedulingDisabled")
    node.close()


def test_the_page_of_a_node_and_the_page_of_an_object_keep_up(page: Page) -> None:
    name = f"guest-{uuid.uuid4().hex[:6]}"
    node = page.context.new_page()
    node.goto("/c/main/nodes/node-a")
    node.get_by_text("Drain…").click()
    manifest = (
        f"{{apiVersion: v1, kind: Pod, metadata: {{name: {name}}}, spec: {{nodeName: node-a, "
        f"containers: [{{name: c, image: 'busybox:1.36', command: [sleep, '60']}}]}}}}\n---\n"
        f"{{apiVersion: v1, kind: ConfigMap, metadata: {{name: {name}}}, data: {{word: before}}}}\n"
    )
    places.create(page.context, manifest)
    expect(node.locator(".blocks li", has_text=name)).to_be_visible()
    assert node.locator("details[open]").count() == 1  # what somebody opened stays open
    page.goto(f"/c/main/ns/default/configmaps/{name}")
    page.locator("html[data-live=yes]").wait_for()
    node.goto(f"/c/main/ns/default/pods/{name}")
    node.get_by_role("link", name="Delete…").click()
    node.get_by_role("radio", name="At once").check()
    node.get_by_role("button", name="Delete", exact=True).click()
    expect(node.locator(".badge [data-fact=status]")).to_have_text("Deleted")
    node.goto("/c/main/nodes/node-a")
    expect(node.locator(".blocks li", has_text=name)).to_have_count(0)
    node.close()


def test_logs_follow_until_somebody_scrolls_up(page: Page) -> None:
    name = f"tick-{uuid.uuid4().hex[:6]}"
    create(page, name, COUNTING)
    expect(page.locator(".badge [data-fact=status]")).to_have_text("Running")
    page.set_viewport_size({"width": 375, "height": 260})  # so low that few lines fill it
    page.get_by_role("link", name="Logs", exact=True).click()
    page.wait_for_url(re.compile("tab=logs"))
    lines = page.locator(".log-page .log-line")
    expect(lines.nth(14)).to_be_attached()
    page.locator(".log-page").evaluate("list => { list.scrollTop = 0; }")
    before = lines.count()
    expect(lines.nth(before + 3)).to_be_attached()
    jump = page.get_by_role("button", name="Jump to the end")
    jump.click()
    expect(jump).to_be_hidden()
    expect(lines.last).to_be_in_viewport()
    assert page.evaluate("document.documentElement.scrollWidth") <= 375
