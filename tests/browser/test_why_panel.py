"""The explanations below the timeline in a real browser: they come by themselves, and evidence leads to its mark."""

from __future__ import annotations

import re
import uuid

import pytest
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

MANIFEST = """apiVersion: v1
kind: Pod
metadata: {{name: {name}}}
spec:
  containers:
    - name: c
      image: busybox:1.36
      command: [sh, -c, "sleep 2; echo cannot reach db; exit 3"]
"""


def test_a_crash_is_explained_while_one_looks(page: Page) -> None:
    name = f"why-{uuid.uuid4().hex[:6]}"
    page.goto("/c/main/ns/default/new?view=yaml")
    page.locator(".cm-content").click()
    page.keyboard.press("Control+A")
    page.keyboard.insert_text(MANIFEST.format(name=name))
    page.get_by_role("button", name="Create", exact=True).click()
    page.wait_for_url(re.compile(f"/pods/{name}"))
    crash = page.locator("[data-situation=exit-error]")
    expect(crash).to_contain_text("c ends by itself with exit code 3")
    expect(crash).to_contain_text("cannot reach db")
    expect(page.locator("[data-situation=crash-loop]")).to_contain_text("the kubelet waits")
    crash.locator("a[data-select]").first.click()
    expect(page.locator("#evidence [data-card=title]")).to_have_text(re.compile(r"^c #\d+ · Error$"))
    page.get_by_role("link", name="why?", exact=True).click()
    expect(page).to_have_url(re.compile("tab=why"))
    expect(page.locator("#panel [data-situation=exit-error]")).to_be_visible()
