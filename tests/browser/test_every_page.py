"""Every page, by the names in podlab/web/urls.py: what axe says in both themes and both languages, and how wide it is.

Each page is opened once in English and once in Chinese, and looked at in every respect while it is open.
"""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from django.template.loader import render_to_string
from playwright.sync_api import Browser, BrowserContext, Page, Route

from tests.browser.axe import findings
from tests.browser.places import NO_PAGE, OBJECTS, OUTSIDE, PLACES, create, settled

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

DESK = {"width": 1440, "height": 900}
PHONE = {"width": 375, "height": 740}
PROJECTOR = {"width": 1920, "height": 1080}
# What a missing word would break; the rest of a page is the same in every language.
WORD_RULES = (
    *("html-has-lang", "html-lang-valid", "valid-lang", "document-title", "empty-heading", "empty-table-header"),
    *(
        "button-name",
        "link-name",
        "summary-name",
        "label",
        "select-name",
        "input-button-name",
        "image-alt",
        "svg-img-alt",
    ),
    *("aria-command-name", "aria-dialog-name", "aria-input-field-name", "aria-meter-name", "aria-toggle-field-name"),
)
NARROW_RULES = ("scrollable-region-focusable", "target-size")
# Pages for what went wrong; to some of them no address leads in a healthy lab.
TROUBLE = ["403", "404", "500", "refused", "locked", "nowhere", "link_spent"]
_WIDTHS = "[document.scrollingElement.scrollWidth, document.scrollingElement.clientWidth]"
_DARK = "document.documentElement.dataset.theme = 'dark'; dispatchEvent(new Event('podlab:theme'))"


@pytest.fixture(scope="module")
def furnished(session: BrowserContext) -> BrowserContext:
    """A lab with something on every page."""
    create(session, OBJECTS)
    page = session.new_page()
    page.goto("/c/main/ns/default/pods/seen-crashing")
    page.locator(".badge [data-fact=status]", has_text="CrashLoopBackOff").wait_for()
    page.close()
    return session


def widths(page: Page) -> tuple[int, int]:
    """Of the page and of its window, as soon as what a script measures anew has followed the window."""
    for _ in range(20):
        wide, screen = page.evaluate(_WIDTHS)
        if wide <= screen:
            break
        page.wait_for_timeout(100)
    return wide, screen


def telling(text: str) -> Callable[[Route], None]:
    """A handler that answers with that page."""

    def tell(route: Route) -> None:
        route.fulfill(body=text, content_type="text/html; charset=utf-8")

    return tell


def wrong(page: Page, path: str, *, words_only: bool = False) -> list[str]:
    """Everything to object to about the page that is open, light and at a desk's size. `words_only`: how wide
    it is, and the rules about words."""
    found = findings(page, *(WORD_RULES if words_only else ()))
    if not words_only:
        page.evaluate(_DARK)
        found += [f"dark: {one}" for one in findings(page, "color-contrast")]
    for size in (PHONE, PROJECTOR):
        page.set_viewport_size(size)
        wide, screen = widths(page)
        if wide > screen:
            found.append(f"{wide} pixels wide on a screen of {screen}")
        if size is PHONE and not words_only:
            found += [f"phone: {one}" for one in findings(page, *NARROW_RULES)]
    page.set_viewport_size(DESK)
    return [f"{path}: {one}" for one in found]


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_every_page_is_fit_for_everybody(
    chromium: Browser, furnished: BrowserContext, lab_doors: tuple[str, str], language: str
) -> None:
    base = lab_doors[0]
    context = chromium.new_context(
        base_url=base, viewport=DESK, reduced_motion="reduce", storage_state=furnished.storage_state()
    )
    context.add_cookies(
        [
            {"name": f"podlab-language-{urlsplit(base).port}", "value": language, "url": base},
            {"name": "podlab-theme", "value": "light", "url": base},
        ]
    )
    page = context.new_page()
    found = []
    for path in (path for paths in PLACES.values() for path in paths):
        page.goto(path)
        settled(page)
        assert page.locator("html").get_attribute("lang") == language
        found += wrong(page, path, words_only=language != "en")
    context.close()
    assert found == []


def test_so_is_every_page_for_strangers_and_for_what_went_wrong(chromium: Browser, lab_doors: tuple[str, str]) -> None:
    base = lab_doors[0]
    context = chromium.new_context(base_url=base, viewport=DESK)
    context.add_cookies([{"name": "podlab-theme", "value": "light", "url": base}])
    page = context.new_page()
    found = []
    for path in (path for paths in OUTSIDE.values() for path in paths):
        page.goto(path)
        found += wrong(page, path)
    for name in TROUBLE:
        told = render_to_string(f"{name}.html", {"message": 'pods "x" is forbidden', "theme": "light"})
        page.route(f"**/trouble/{name}", telling(told))
        page.goto(f"/trouble/{name}")
        assert page.locator("main h1").count() == 1
        found += wrong(page, name)
    context.close()
    assert found == []


def test_no_place_is_left_out() -> None:
    from podlab import pod_files
    from podlab.web.urls import urlpatterns

    named = {pattern.name for pattern in [*urlpatterns, *pod_files.urlpatterns] if hasattr(pattern, "name")}
    assert named == set(PLACES) | set(OUTSIDE) | NO_PAGE
