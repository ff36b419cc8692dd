"""Every page in both themes and both languages as axe sees it, by keyboard, with calm motion and on a phone."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
POD = "seen"
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
PAGES = [
    "/c/main/",
    "/c/main/clock",
    "/clusters",
    "/c/main/ns/default/timeline",
    "/c/main/ns/default/pods?rev=last",
    "/c/main/nodes",
    "/c/main/nodes/node-a",
    "/c/main/namespaces",
    "/c/main/ns/default/pods",
    "/c/main/ns/kube-public/pods",
    "/c/main/ns/default/events",
    "/c/main/ns/default/configmaps/kube-root-ca.crt",
    "/c/main/ns/default/secrets",
    "/c/main/ns/default/new",
    "/c/main/ns/default/new?pattern=slow-start",
    "/c/main/ns/default/new?pattern=settings",
    f"/c/main/ns/default/pods/{POD}/edit",
    f"/c/main/ns/default/pods/{POD}",
    f"/c/main/ns/default/pods/{POD}?tab=logs",
    f"/c/main/ns/default/pods/{POD}?tab=details",
    f"/c/main/ns/default/pods/{POD}?tab=yaml",
    f"/c/main/ns/default/pods/{POD}?tab=yaml&rev=1&to=999999",
    f"/c/main/ns/default/pods/{POD}?tab=events",
    f"/c/main/ns/default/pods/{POD}/delete",
]


def write(page: Page, text: str) -> None:
    page.locator(".cm-content").click()
    page.keyboard.press("Control+A")
    page.keyboard.insert_text(text)


@pytest.fixture
def pod(page: Page) -> None:
    """A pod that is running while the pages are looked at; made once."""
    page.goto("/c/main/ns/default/pods")
    if page.locator(f"#pods tr[data-name={POD}]").count():
        return
    page.goto("/c/main/ns/default/new")
    write(page, MANIFEST)
    page.get_by_role("button", name="Create", exact=True).click()
    page.wait_for_url(re.compile(f"/pods/{POD}"))
    expect(page.locator(".badge [data-fact=status]")).to_have_text("Running")


def theme(page: Page, name: str) -> None:
    page.context.add_cookies([{"name": "podlab-theme", "value": name, "url": page.url}])


def findings(page: Page) -> list[str]:
    """What axe objects to, with the element."""
    # Through the debugger, because the page's own policy allows no script of anybody else.
    page.evaluate(AXE.read_text())
    rules: dict[str, Any] = {"runOnly": {"type": "tag", "values": TAGS}}
    found = page.evaluate(f"axe.run(document, {json.dumps(rules)})")
    return [f"{one['id']}: {node['html'][:160]}" for one in found["violations"] for node in one["nodes"]]


@pytest.mark.parametrize("name", ["light", "dark"])
def test_axe_finds_nothing_on_any_page(page: Page, pod: None, name: str) -> None:
    theme(page, name)
    found = []
    for path in PAGES:
        page.goto(path)
        page.wait_for_timeout(400)
        found += [f"{path}: {one}" for one in findings(page)]
    theme(page, "system")
    assert sorted(set(found)) == []


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
        expect(page.locator(".sentence")).to_have_text("app 正在运行并已就绪。")
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


@pytest.mark.parametrize(
    "path",
    [
        "/c/main/",
        "/c/main/ns/default/pods",
        f"/c/main/ns/default/pods/{POD}",
        "/clusters",
        "/c/main/ns/default/new?pattern=web",
    ],
)
def test_no_page_is_wider_than_a_phone(page: Page, pod: None, path: str) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(path)
    page.wait_for_timeout(300)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_calm_motion_paints_once_a_second_at_most(page: Page, pod: None) -> None:
    assert page.evaluate("matchMedia('(prefers-reduced-motion: reduce)').matches")
    page.goto(f"/c/main/ns/default/pods/{POD}")
    expect(page.locator("html")).to_have_attribute("data-live", "yes")
    assert page.evaluate("podlab.timeline.calm.matches")
    assert page.evaluate("podlab.timeline.due(podlab.timeline.painted + 900)") is False
    assert page.evaluate("podlab.timeline.due(podlab.timeline.painted + 1100)") is True
