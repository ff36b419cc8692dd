"""From the list to a new pod, its timeline, its logs and its end, with nothing but keys; what has the focus is marked."""

from __future__ import annotations

import re
import uuid

import pytest
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

MANIFEST = """apiVersion: v1
kind: Pod
metadata: {{name: {name}}}
spec:
  terminationGracePeriodSeconds: 0
  containers:
    - {{name: c, image: "busybox:1.36", command: [sh, -c, "echo by keyboard; sleep 3600"]}}
"""
MOST_STEPS = 250  # presses of Tab; no page has more places to stop at
# What has the focus, whether it is what is looked for, and whether one sees that it has it.
_FOCUSED = """(wanted) => {
  const at = document.activeElement;
  const style = getComputedStyle(at);
  const marked = at.matches(":focus-visible") && (style.outlineStyle !== "none" || at.closest(".cm-focused, .skip"));
  return { there: at.matches(wanted), marked: Boolean(marked) || at === document.body, what: at.outerHTML.slice(0, 160) };
}"""


def tab_to(page: Page, wanted: str) -> None:
    """Press Tab until the element has the focus; every stop on the way must be seen."""
    for _ in range(MOST_STEPS):
        page.keyboard.press("Tab")
        at = page.evaluate(_FOCUSED, wanted)
        if not at["marked"]:  # the editor draws its frame a moment after it got the focus
            page.wait_for_timeout(200)
            at = page.evaluate(_FOCUSED, wanted)
        assert at["marked"], f"nothing shows the focus on {at['what']}"
        if at["there"]:
            return
    raise AssertionError(f"Tab does not lead to {wanted}")


def test_a_whole_life_without_a_mouse(page: Page) -> None:
    name = f"typed-{uuid.uuid4().hex[:6]}"
    page.goto("/c/main/ns/default/pods")
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    tab_to(page, "a.button.primary[href$='/new']")
    page.keyboard.press("Enter")
    page.wait_for_url("**/new")

    page.goto("/c/main/ns/default/new?view=yaml")
    expect(page.locator(".cm-content")).to_be_visible()
    tab_to(page, ".cm-content")
    page.keyboard.press("Control+A")
    page.keyboard.insert_text(MANIFEST.format(name=name))
    expect(page.locator("#check-status")).to_contain_text("Ready to create")
    # Escape closes what offers itself to be completed; after the next one Tab leaves the editor instead of indenting.
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    tab_to(page, "button[name=do][value=create]")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(f"/pods/{name}"))

    expect(page.locator(".badge [data-fact=status]")).to_have_text("Running")
    expect(page.locator("#twin li[data-mark=span]")).not_to_have_count(0)
    page.keyboard.press("?")
    expect(page.locator("dialog#keys")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("dialog#keys")).to_be_hidden()
    page.keyboard.press(".")
    expect(page.locator("#evidence [data-card=title]")).not_to_be_empty()
    tab_to(page, "[data-do=keys]")
    page.keyboard.press("Enter")
    expect(page.locator("dialog#keys")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("[data-do=keys]")).to_be_focused()

    page.locator("#main").focus()
    tab_to(page, ".tabs a[href*='tab=logs']")
    page.keyboard.press("Enter")
    expect(page.locator(".log-page")).to_contain_text("by keyboard")
    page.locator("#main").focus()
    tab_to(page, "a[data-open=delete]")
    page.keyboard.press("Enter")
    expect(page.locator("dialog#delete")).to_be_visible()
    tab_to(page, "dialog#delete [data-shut]")
    page.keyboard.press("Enter")
    expect(page.locator("a[data-open=delete]")).to_be_focused()
    page.keyboard.press("Enter")
    tab_to(page, "dialog#delete button.danger")
    page.keyboard.press("Enter")
    expect(page.locator(".badge [data-fact=status]")).to_have_text("Deleted")


def test_the_timeline_of_a_namespace_lists_its_keys_too(page: Page) -> None:
    page.goto("/c/main/ns/default/timeline")
    expect(page.locator("html")).to_have_attribute("data-live", "yes")
    page.keyboard.press("?")
    expect(page.locator("dialog#keys")).to_be_visible()
