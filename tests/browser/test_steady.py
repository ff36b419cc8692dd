"""Pages stay where they are when rows and marks arrive, and come back by themselves when the lab's web process dies."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, expect

from tests.browser.places import create, lane_of
from tests.whole_lab import Lab

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

MOST_SHIFT = 0.02  # of Chromium's own measure; 0.1 is what is called good
_WATCH = """
globalThis.shift = 0;
new PerformanceObserver((list) => { for (const one of list.getEntries()) shift += one.value; })
  .observe({ type: "layout-shift", buffered: true });
"""
MANIFEST = """apiVersion: v1
kind: Pod
metadata: {{name: {name}, namespace: {namespace}}}
spec:
  terminationGracePeriodSeconds: 0
  containers:
    - {{name: c, image: "busybox:1.36", command: [sh, -c, "echo here; sleep 3600"]}}
"""


def test_nothing_jumps_when_rows_and_marks_arrive(session: BrowserContext) -> None:
    """Another pod comes while three pages are open: its list, the page of the first pod, the namespace's timeline."""
    first, second = (f"{name}-{uuid.uuid4().hex[:6]}" for name in ("still-a", "still-b"))
    create(session, MANIFEST.format(name=first, namespace="default"))
    pages = {}
    for path in ("pods", f"pods/{first}", "timeline"):
        page = session.new_page()
        page.add_init_script(_WATCH)
        page.goto(f"/c/main/ns/default/{path}")
        page.locator("html[data-live=yes]").wait_for()
        pages[path] = page
    create(session, MANIFEST.format(name=second, namespace="default"))
    expect(pages["pods"].locator(f"tr[data-name={second}] [data-cell=status]")).to_have_text("Running")
    expect(lane_of(pages["timeline"], second)).to_have_count(1)
    expect(pages[f"pods/{first}"].locator(".log-line").first).to_be_visible()
    shifts = {path: page.evaluate("globalThis.shift") for path, page in pages.items()}
    for page in pages.values():
        page.close()
    assert {path: shift for path, shift in shifts.items() if shift > MOST_SHIFT} == {}


@pytest.fixture
def mortal(lab: Lab | None, tmp_path: Path) -> Iterator[Lab]:
    """A lab of our own; others do not want theirs to lose a process."""
    if lab is not None:
        yield lab
        return
    other = Lab(tmp_path / "data", "docker").start()
    try:
        yield other
        other.end_pods()
    finally:
        other.stop()


def test_a_page_outlives_the_web_process(chromium: Browser, mortal: Lab) -> None:
    """Pale and dated while it is gone, then caught up without a reload."""
    lab = mortal
    context = chromium.new_context(base_url=lab.url)
    try:
        page = context.new_page()
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
