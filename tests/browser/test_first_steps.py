"""docs/first-steps.md, walked as a newcomer would. With PODLAB_PICTURES=docs it takes the pictures of that page."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.pictures import album

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

LARGEST = 250 * 1024


def picture(page: Page, name: str) -> None:
    folder = os.environ.get("PODLAB_PICTURES")
    if folder:
        target = Path(folder) / f"{name}.png"
        page.screenshot(path=target)
        assert target.stat().st_size < LARGEST


def create(page: Page) -> None:
    page.goto("/c/main/")
    page.locator("section", has_text="default").get_by_role("link", name="Create in default").click()


def test_from_an_empty_lab_to_a_crash_that_is_explained(page: Page) -> None:
    create(page)
    page.get_by_role("link", name=re.compile("^Crash loop")).click()
    expect(page.locator("#yaml .cm-content")).to_contain_text("cannot reach the database")
    expect(page.locator('textarea[name="line"]')).to_have_value(re.compile("kubectl run crash"))
    picture(page, "first-steps-new")
    page.get_by_role("button", name="Create", exact=True).click()
    page.wait_for_url(re.compile("/pods/crash"))
    why = page.locator("[data-situation=exit-error]")
    expect(why).to_contain_text("cannot reach the database")
    expect(page.locator("[data-situation=crash-loop]")).to_contain_text("CrashLoopBackOff is not the trouble")
    why.locator("a[data-select]").first.click()
    expect(page.locator("#evidence [data-card=title]")).to_have_text(re.compile(r"^app #\d+ · Error$"))
    page.locator("#twin li[data-reason=CrashLoopBackOff] button").last.dispatch_event("click")
    expect(page.locator("#evidence [data-card=title]")).to_have_text("CrashLoopBackOff")
    expect(page.locator(".log-line").first).to_be_visible()
    album(page, "first-steps")
    page.evaluate("document.querySelector('.why').scrollIntoView()")
    picture(page, "first-steps-why")
    mend(page)


def mend(page: Page) -> None:
    page.get_by_role("link", name="Delete…").click()
    page.get_by_label("At once").check()
    page.locator("dialog#delete").get_by_role("button", name="Delete", exact=True).click()
    expect(page.locator("#pod")).to_have_attribute("data-gone", "true")
    create(page)
    page.get_by_role("link", name=re.compile("^Crash loop")).click()
    editor = page.locator("#yaml .cm-content")
    expect(editor).to_contain_text("cannot reach the database")
    text = "\n".join(page.locator("#yaml .cm-line").all_inner_texts())
    editor.click()
    page.keyboard.press("Control+A")
    page.keyboard.insert_text(text.replace("exit 1", "sleep 3600"))
    page.get_by_role("button", name="Create", exact=True).click()
    page.wait_for_url(re.compile("/pods/crash"))
    expect(page.locator(".badge [data-fact=status]")).to_have_text("Running")
    page.get_by_role("link", name="why?", exact=True).click()
    expect(page.locator("#panel .why")).to_contain_text("Nothing here needs an explanation")
