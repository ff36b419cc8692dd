"""Pages come back by themselves when the lab's web process dies."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.whole_lab import Lab

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

MANIFEST = """apiVersion: v1
kind: Pod
metadata: {{name: {name}, namespace: {namespace}}}
spec:
  terminationGracePeriodSeconds: 0
  containers:
    - {{name: c, image: "busybox:1.36", command: [sh, -c, "echo here; sleep 3600"]}}
"""


def test_a_page_outlives_the_web_process(session: BrowserContext, tmp_path: Path) -> None:
    """Pale and dated while it is gone, then caught up without a reload."""
    lab = Lab(tmp_path / "data", "sim").start()
    browser = session.browser
    assert browser is not None
    context = browser.new_context(base_url=lab.url)
    try:
        page: Page = context.new_page()
        page.goto(lab.login_link())
        page.goto("/c/main/ns/default/pods")
        expect(page.locator("html")).to_have_attribute("data-live", "yes")
        page.evaluate("globalThis.notReloaded = true")
        lab.kill("web")
        expect(page.locator("#connection")).to_contain_text(re.compile(r"as of \d\d:\d\d:\d\d"))
        lab.kubectl("apply", "-f", "-", stdin=MANIFEST.format(name="later", namespace="default"))
        expect(page.locator("tr[data-name=later] [data-cell=status]")).to_have_text("Running")
        expect(page.locator("#connection")).to_be_hidden()
        assert page.evaluate("globalThis.notReloaded") is True
    finally:
        context.close()
        lab.stop()
