"""Dialogs as axe sees them, the language and the timeline by keyboard, calm motion. Every page: test_every_page.py."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.axe import findings
from tests.browser.places import create

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

POD = "seen-alone"
MANIFEST = f"""apiVersion: v1
kind: Pod
metadata: {{name: {POD}}}
spec:
  containers:
    - name: app
      image: busybox:1.36
      command: [sh, -c, "while true; do echo working; sleep 1; done"]
      livenessProbe: {{exec: {{command: ["true"]}}, periodSeconds: 1}}
"""


@pytest.fixture(scope="module")
def pod(session: BrowserContext) -> None:
    """A pod that is running while the pages are looked at."""
    create(session, MANIFEST)
    page = session.new_page()
    page.goto(f"/c/main/ns/default/pods/{POD}")
    expect(page.locator(".badge [data-fact=status]")).to_have_text("Running")
    page.close()


def test_axe_finds_nothing_in_the_open_dialogs(page: Page, pod: None) -> None:
    page.goto(f"/c/main/ns/default/pods/{POD}")
    expect(page.locator("html")).to_have_attribute("data-live", "yes")
    page.keyboard.press("?")
    expect(page.locator("dialog#keys")).to_be_visible()
    assert findings(page) == []
    page.keyboard.press("Escape")
    page.get_by_role("button", name="As a list").click()
    page.locator("#twin button").first.click()
    page.get_by_role("link", name="Delete…").click()
    assert findings(page) == []


def test_the_language_is_turned_by_keyboard_and_kept(page: Page, pod: None) -> None:
    page.goto(f"/c/main/ns/default/pods/{POD}")
    page.get_by_role("button", name="中文").focus()
    page.keyboard.press("Enter")
    try:
        expect(page.locator("html")).to_have_attribute("lang", "zh-hans")
        expect(page.locator("[data-fact=sentence]")).to_have_text("app 正在运行并已就绪。")
        expect(page.locator("#twin li[data-mark=span]", has_text="app 正在运行。").first).to_be_attached()
        found = findings(page)
    finally:
        page.get_by_role("button", name="English").click()
        expect(page.locator("html")).to_have_attribute("lang", "en")
    assert found == []


def test_ranges_and_folds_are_set_by_keyboard_and_stand_in_the_address(page: Page, pod: None) -> None:
    page.goto(f"/c/main/ns/default/pods/{POD}")
    expect(page.locator("#twin li[data-mark=span]")).not_to_have_count(0)
    page.keyboard.press("z")
    expect(page.locator("[data-do=fold]")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("r")
    expect(page.locator("[data-range]")).to_contain_text(re.compile(r"\d+ events · \d+ lines"))
    page.wait_for_url(re.compile(r"range=.*&fold=1"))
    page.reload()
    expect(page.locator("[data-range]")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("[data-range]")).to_be_hidden()


def test_a_range_is_drawn_on_the_axis_and_filters_the_lines(page: Page, pod: None) -> None:
    page.goto(f"/c/main/ns/default/pods/{POD}")
    expect(page.locator(".log-line").first).to_be_visible()
    box = page.locator(".timeline-axis").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 1, box["y"] + 8)
    page.mouse.down()
    page.mouse.move(box["x"] + 8, box["y"] + 8, steps=4)
    page.mouse.up()
    expect(page.locator("[data-range]")).to_contain_text("0 lines")
    expect(page.locator(".log-line")).to_have_count(0)
    expect(page.locator(".log-empty")).to_have_text("No lines in the selected range.")
    page.get_by_role("button", name="Select no range").click()
    expect(page.locator(".log-line").first).to_be_visible()


def test_calm_motion_paints_once_a_second_at_most(page: Page, pod: None) -> None:
    assert page.evaluate("matchMedia('(prefers-reduced-motion: reduce)').matches")
    page.goto(f"/c/main/ns/default/pods/{POD}")
    expect(page.locator("html")).to_have_attribute("data-live", "yes")
    assert page.evaluate("podlab.timeline.calm.matches")
    assert page.evaluate("podlab.timeline.due(podlab.timeline.painted + 900)") is False
    assert page.evaluate("podlab.timeline.due(podlab.timeline.painted + 1100)") is True
