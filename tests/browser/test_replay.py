"""Replay in a real browser: list, timeline and YAML at one revision, and the way back."""

from __future__ import annotations

import re
import uuid

import pytest
from playwright.sync_api import Page, expect

from tests.browser.pictures import album
from tests.browser.test_space import create

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]


def test_one_goes_back_in_time_and_returns(page: Page) -> None:
    name = f"then-{uuid.uuid4().hex[:6]}"
    create(page, name)
    running = page.locator("#twin li[data-mark=span][data-state=running]")
    expect(running).to_have_count(1)
    page.locator("#twin li[data-mark=phase][data-reason=Pending] button").first.dispatch_event("click")
    page.wait_for_url(re.compile("mark=phase"))
    page.get_by_role("link", name="Everything at this moment").click()
    banner = page.get_by_role("region", name="Replay")
    expect(banner).to_contain_text("You are in the past")
    expect(page.locator(".badge [data-fact=status]")).to_have_text(re.compile("Pending|ContainerCreating"))
    expect(page.locator("#twin li[data-mark=phase]")).not_to_have_count(0)
    expect(running).to_have_count(0)
    album(page, "past-pod")
    page.get_by_role("link", name="YAML").click()
    expect(page.locator(".yaml-page")).not_to_contain_text("phase: Running")
    page.get_by_role("link", name="pods", exact=True).click()
    row = page.locator(f"#pods tr[data-name={name}]")
    expect(row.locator("[data-cell=status]")).not_to_have_text("Running")
    page.evaluate("globalThis.notReloaded = true")
    shown = banner.get_attribute("data-rev")
    page.keyboard.press("]")
    expect(banner).not_to_have_attribute("data-rev", shown or "")
    page.keyboard.press("+")
    page.keyboard.press("+")
    page.keyboard.press("p")
    expect(row.locator("[data-cell=status]")).to_have_text("Running")
    expect(page.locator("[data-play]")).to_have_attribute("aria-pressed", "false")  # it stands at the end
    page.keyboard.press("[")
    page.wait_for_url(re.compile(r"rev=\d+"))
    assert page.evaluate("globalThis.notReloaded") is True
    page.get_by_role("link", name="Back to now").click()
    expect(banner).to_have_count(0)
    expect(page.locator("html")).to_have_attribute("data-live", "yes")


def test_all_parts_of_a_pods_page_follow_the_replay(page: Page) -> None:
    name = f"play-{uuid.uuid4().hex[:6]}"
    create(page, name, 'command: [sh, -c, "while true; do echo tick; sleep 1; done"]')
    expect(page.locator(".log-line").nth(2)).to_be_attached()
    page.get_by_role("link", name="Replay").click()
    banner = page.get_by_role("region", name="Replay")
    last = banner.get_attribute("data-rev")
    page.locator("[data-play]").click()
    expect(banner).not_to_have_attribute("data-rev", last or "")
    # From its beginning on: not there yet, then running, with its lines, on one page.
    expect(page.locator("#twin li[data-mark=span][data-state=running]")).to_have_count(0)
    expect(page.locator(".badge [data-fact=status]")).not_to_have_text("Running")
    expect(page.locator(".badge [data-fact=status]")).to_have_text("Running")
    expect(page.locator("#twin li[data-mark=span][data-state=running]")).to_have_count(1)
    expect(page.locator(".timeline-axis .edge")).to_have_text("REPLAY")
    page.get_by_role("link", name="YAML", exact=True).click()
    expect(page.locator(".yaml-page")).to_contain_text("phase: Running")
