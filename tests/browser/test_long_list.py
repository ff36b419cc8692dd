"""A list of hundreds: laid out in groups, at first those near the window; found, focused and read aloud as any other."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from podlab.glance.listing import LONG
from podlab.web.authoring import MOST_DOCUMENTS
from tests.browser.places import create
from tests.whole_lab import eventually

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

LIST = "/c/main/ns/many/configmaps"
_NAMES = "[...document.querySelectorAll('tbody > tr')].map((line) => line.dataset.name)"
_WIDTHS = "[...document.querySelectorAll('thead th')].map((cell) => cell.getBoundingClientRect().width)"


def _settings(numbers: range) -> str:
    one = "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: one-{:03}, namespace: many}}\ndata: {{a: b}}"
    return "\n---\n".join(one.format(number) for number in numbers)


def _rows_read_aloud(context: BrowserContext, page: Page) -> int:
    tree: dict[str, Any] = context.new_cdp_session(page).send("Accessibility.getFullAXTree")
    return sum((node.get("role") or {}).get("value") == "row" for node in tree["nodes"])


def test_a_list_grows_long_and_is_found_focused_and_read_all_the_same(session: BrowserContext, page: Page) -> None:
    create(session, "apiVersion: v1\nkind: Namespace\nmetadata: {name: many}")
    for start in range(400, 998, 2 * MOST_DOCUMENTS):
        create(session, _settings(range(start, min(start + 2 * MOST_DOCUMENTS, 998), 2)), "many")
    page.goto(LIST)
    page.locator("html[data-live=yes]").wait_for()
    page.locator("tr[data-name='kube-root-ca.crt']").wait_for()  # the namespace's own
    expect(page.locator("table.long")).to_have_count(0)
    before = page.evaluate(_WIDTHS)
    create(session, _settings(range(1, 999, 700)) + "\n---\n" + _settings(range(998, 999)), "many")
    expect(page.locator("tr[data-name=one-998]")).to_have_count(1)
    expect(page.locator("table.long")).to_have_count(1)
    assert page.evaluate(_WIDTHS) == pytest.approx(before, abs=1)
    _holds(session, page)
    page.reload()  # the server lays it out now
    page.locator("html[data-live=yes]").wait_for()
    _holds(session, page)


def _holds(session: BrowserContext, page: Page) -> None:
    names = page.evaluate(_NAMES)
    assert len(names) > LONG
    assert names == sorted(names)
    assert page.evaluate("window.find('one-998')") is True
    page.locator("tr[data-name=one-998] a").focus()
    expect(page.locator("tr[data-name=one-998]")).to_be_in_viewport()
    eventually("all rows are laid out", lambda: _rows_read_aloud(session, page) == len(names) + 1)


def test_a_long_list_needs_no_scripts(session: BrowserContext, chromium: Browser, lab_doors: tuple[str, str]) -> None:
    """After the test above, whose objects it shows."""
    context = chromium.new_context(
        base_url=lab_doors[0], storage_state=session.storage_state(), java_script_enabled=False
    )
    page = context.new_page()
    page.goto(LIST)
    assert page.locator("table.long tbody > tr").count() > LONG
    page.locator("tr[data-name=one-998] a").scroll_into_view_if_needed()
    expect(page.locator("tr[data-name=one-998]")).to_be_in_viewport()
    context.close()
