"""What a page complains of, in full: a failure that nobody can reproduce is understood by its words or not at all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Error, Page, Response

# Chromium drops the requests that wait for a connection when an address of the machine comes or goes, as with the networks of
# other tests' containers. It says so on the console; the pages ask again.
CHANGED = "net::ERR_NETWORK_CHANGED"


def complaints(page: Page) -> list[str]:
    """Errors of its scripts and on its console from now on, each with the address of the page and of what failed."""
    wrong: list[str] = []

    def threw(error: Error) -> None:
        wrong.append(f"{page.url}: {error.stack or error}")

    def said(message: ConsoleMessage) -> None:
        if message.type == "error" and CHANGED not in message.text:
            where = message.location
            wrong.append(f"{page.url}: {message.text} ({where.get('url')}:{where.get('lineNumber')})")

    page.on("pageerror", threw)
    page.on("console", said)
    return wrong


def told(wrong: list[str]) -> str:
    return "\n".join(["errors in the browser:", *wrong])


def go_again(browser: Browser) -> None:
    """Let the pages of all its contexts do what people do, and Chromium by itself in a window, when the network changed while
    a page came: load it once more."""
    make = browser.new_context

    def new_context(**options: Any) -> BrowserContext:
        context = make(**options)
        context.on("page", _patient)
        return context

    browser.new_context = new_context  # type: ignore[method-assign]


def _patient(page: Page) -> None:
    def twice(load: Callable[..., Response | None]) -> Callable[..., Response | None]:
        def loaded(*address: str, **options: Any) -> Response | None:
            try:
                return load(*address, **options)
            except Error as problem:
                if CHANGED not in problem.message:
                    raise
                return load(*address, **options)

        return loaded

    page.goto, page.reload = twice(page.goto), twice(page.reload)  # type: ignore[method-assign]
