"""A real Chromium in front of a whole lab whose cluster `main` runs real containers on Docker.

The lab is the one at PODLAB_TEST_URL, entered by the one-time link PODLAB_TEST_LOGIN; without these, one is started here.
Pods end with the test that made them, those of a module's fixtures with the module: real ones cost something.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.browser import console, places
from tests.whole_lab import Lab

CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE = 30_000  # ms; a shared machine may be slow
expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab | None]:
    """The lab that is started for the tests, None if they are pointed at another."""
    if os.environ.get("PODLAB_TEST_URL"):
        yield None
        return
    lab = Lab(tmp_path_factory.mktemp("browser") / "data", "docker")
    lab.start()
    try:
        yield lab
        lab.end_pods()
    finally:
        lab.stop()


@pytest.fixture(scope="session")
def lab_doors(lab: Lab | None) -> tuple[str, str]:
    """The lab's URL and a login link that nobody has used."""
    if lab is None:
        return os.environ["PODLAB_TEST_URL"].rstrip("/"), os.environ["PODLAB_TEST_LOGIN"]
    return lab.url, lab.login_link()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        console.go_again(browser)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def session(chromium: Browser, lab_doors: tuple[str, str]) -> Iterator[BrowserContext]:
    """A browser that is logged in."""
    url, link = lab_doors
    context = chromium.new_context(base_url=url, viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    page.goto(link)
    page.goto("/c/main/")
    expect(page.locator("footer")).to_contain_text("real containers on Docker")
    page.close()
    yield context
    context.close()


@pytest.fixture(scope="module", autouse=True)
def _pods_end_with_their_module(session: BrowserContext) -> Iterator[None]:
    yield
    places.delete(session, places.pods(session))


@pytest.fixture(autouse=True)
def _pods_end_with_their_test(session: BrowserContext) -> Iterator[None]:
    before = places.pods(session)
    yield
    places.delete(session, places.pods(session) - before)


@pytest.fixture
def page(session: BrowserContext, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A page that fails the test on script errors, and leaves a picture when the test failed."""
    page = session.new_page()
    wrong = console.complaints(page)
    yield page
    results = Path(__file__).parents[2] / "test-results"
    results.mkdir(exist_ok=True)
    page.screenshot(path=results / f"{request.node.name}.png")
    page.close()
    assert not wrong, console.told(wrong)
