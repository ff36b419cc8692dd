"""What a page complains of, in full: a failure that nobody can reproduce is understood by its words or not at all."""

from __future__ import annotations

from playwright.sync_api import ConsoleMessage, Error, Page


def complaints(page: Page) -> list[str]:
    """Errors of its scripts and on its console from now on, each with the address of the page and of what failed."""
    wrong: list[str] = []

    def threw(error: Error) -> None:
        wrong.append(f"{page.url}: {error.stack or error}")

    def said(message: ConsoleMessage) -> None:
        if message.type == "error":
            where = message.location
            wrong.append(f"{page.url}: {message.text} ({where.get('url')}:{where.get('lineNumber')})")

    page.on("pageerror", threw)
    page.on("console", said)
    return wrong


def told(wrong: list[str]) -> str:
    return "\n".join(["errors in the browser:", *wrong])
