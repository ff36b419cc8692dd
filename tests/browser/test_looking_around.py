"""Lists and logs that keep up while somebody looks, and what axe says of them."""

from __future__ import annotations

import re
import uuid

import pytest
from playwright.sync_api import Page, expect
from test_space import create

from tests.browser.axe import findings, theme

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

COUNTING = 'command: [sh, -c, "while true; do echo tick; sleep 0.2; done"]'


def test_a_list_shows_a_cordon_without_a_reload(page: Page) -> None:
    node = page.context.new_page()
    page.goto("/c/main/nodes")
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


@pytest.mark.parametrize("name", ["light", "dark"])
def test_axe_finds_nothing_and_nothing_is_wider_than_a_phone(page: Page, name: str) -> None:
    page.set_viewport_size({"width": 375, "height": 812})
    page.goto("/c/main/")
    theme(page, name)
    found = []
    try:
        for path in (
            "/c/main/",
            "/c/main/nodes/node-a",
            "/c/main/ns/default/services",
            "/c/main/ns/default/pods?q=tick",
        ):
            page.goto(path)
            expect(page.locator("h1")).to_be_visible()
            found += [f"{path}: {one}" for one in findings(page)]
            if page.evaluate("document.documentElement.scrollWidth") > 375:
                found.append(f"{path}: wider than a phone")
    finally:
        theme(page, "system")
    assert found == []
