"""The timeline of a namespace in a real browser: pods come, end and stay."""

from __future__ import annotations

import re
import uuid

import pytest
from playwright.sync_api import Page, expect

from tests.browser.pictures import album
from tests.browser.places import lane_of

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]


def create(page: Page, name: str, runs: str = "command: [sleep, '3600']") -> None:
    page.goto("/c/main/ns/default/new")
    page.locator(".cm-content").click()
    page.keyboard.press("Control+A")
    page.keyboard.insert_text(
        f"apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}}}\nspec:\n  containers:\n"
        f"    - name: c\n      image: busybox:1.36\n      {runs}\n"
    )
    page.get_by_role("button", name="Create", exact=True).click()
    page.wait_for_url(re.compile(f"/pods/{name}"))


def test_pods_come_to_the_namespaces_timeline_and_stay_after_their_end(page: Page) -> None:
    name = f"space-{uuid.uuid4().hex[:6]}"
    page.goto("/c/main/ns/default/timeline")
    expect(page.locator("html")).to_have_attribute("data-live", "yes")
    editor = page.context.new_page()
    create(editor, name, 'command: [sh, -c, "echo hello from here; sleep 3600"]')
    label = lane_of(page, name)
    running = page.locator("#twin li[data-mark=span]", has_text=f"{name}: c is running.")
    expect(running).to_be_attached()
    running.get_by_role("button").dispatch_event("click")
    expect(page.locator("#logs [data-log-of]")).to_have_text(name)
    expect(page.locator("#logs .log-line")).to_contain_text(["hello from here"])
    editor.get_by_role("link", name="Delete…").click()
    editor.get_by_label("At once").check()
    editor.locator("dialog#delete").get_by_role("button", name="Delete", exact=True).click()
    expect(label).to_have_class(re.compile(r"\bdim\b"))
    expect(label).to_contain_text("deleted")
    page.get_by_label("Deleted pods").uncheck()
    expect(label).to_have_count(0)
    page.wait_for_url(re.compile("deleted=0"))
    page.go_back()
    expect(lane_of(page, name)).to_contain_text("deleted")
    label.get_by_role("button", name=f"Lanes of {name}").click()
    expect(page.locator(".lane-container", has_text="c")).not_to_have_count(0)
    album(page, "timeline-dimmed")
    editor.close()
