"""An exported timeline opened from the disk: no server, no network, and all that the page had is there."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from test_space import create

from tests.browser.axe import findings
from tests.browser.console import complaints, told
from tests.browser.pictures import album
from tests.browser.places import lane_of

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

PHONE = {"width": 375, "height": 812}


@pytest.fixture
def offline(chromium: Browser) -> Iterator[BrowserContext]:
    """A browser without a network, in which any request beyond the file itself fails the test."""
    context = chromium.new_context(offline=True, viewport=PHONE, reduced_motion="reduce")
    asked: list[str] = []
    context.on("request", lambda request: asked.append(request.url))
    yield context
    context.close()
    assert [url for url in asked if not url.startswith("file:")] == []


def saved(page: Page, folder: Path, name: str) -> Path:
    with page.expect_download() as download:
        page.get_by_role("link", name="Save as HTML").click()
    path = folder / name
    download.value.save_as(path)
    return path


def opened(context: BrowserContext, path: Path) -> tuple[Page, list[str]]:
    page = context.new_page()
    wrong = complaints(page)
    page.goto(path.as_uri())
    return page, wrong


def looks_well(page: Page) -> None:
    """In both themes, which its own button turns, and on a phone."""
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    for _ in range(2):
        page.get_by_role("button", name="theme").click()
        assert "\n".join(findings(page)) == ""


def test_a_saved_timeline_opens_from_the_disk(page: Page, offline: BrowserContext, tmp_path: Path) -> None:
    name = f"kept-{uuid.uuid4().hex[:6]}"
    create(page, name, 'command: [sh, -c, "echo hello from $HOSTNAME; sleep 3600"]')
    expect(page.locator(".badge [data-fact=status]")).to_have_text("Running")
    expect(page.locator(".log-line").first).to_be_visible()
    of_pod = saved(page, tmp_path, "pod.html")
    page.goto("/c/main/ns/default/timeline")
    of_space = saved(page, tmp_path, "space.html")

    file, wrong = opened(offline, of_pod)
    expect(file.locator("[data-exported-note]")).to_contain_text("A copy to look at")
    expect(file.locator(".log-line").first).to_contain_text("hello from")
    file.get_by_role("button", name="As a list").click()
    file.locator("#twin li[data-mark=span]", has_text="c is running.").get_by_role("button").first.click()
    expect(file.locator("#evidence [data-card=sentence]")).to_contain_text("c is running.")
    expect(file.locator("#evidence [data-card=command]")).to_contain_text("kubectl")
    album(file, "saved-file", languages=False)
    file.locator("#evidence a.yaml-line").first.click()
    expect(file.locator(".yaml-page .yaml-line:target")).to_be_in_viewport()
    file.keyboard.press("?")
    expect(file.locator("dialog#keys")).to_be_visible()
    file.keyboard.press("Escape")
    looks_well(file)
    assert not wrong, told(wrong)

    file, wrong = opened(offline, of_space)
    expect(lane_of(file, name)).to_have_count(1)
    file.get_by_role("button", name="As a list").click()
    file.locator("#twin li[data-mark=phase]", has_text=name).get_by_role("button").last.click()
    expect(file.locator("#evidence [data-card=sentence]")).to_contain_text(name)
    looks_well(file)
    assert not wrong, told(wrong)
