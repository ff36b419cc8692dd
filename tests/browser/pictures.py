"""Pictures of what the tests see, to be looked at by people: with PODLAB_ALBUM=folder every flow leaves its own there.

Each is taken in both themes and both languages at the size of a desk, and once at that of a projector.
"""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Page

from tests.browser.places import settled

DESK = {"width": 1440, "height": 900}
PROJECTOR = {"width": 1920, "height": 1080}
_TURN = "document.documentElement.dataset.theme = '%s'; dispatchEvent(new Event('podlab:theme'))"
_REST = 400  # ms in which what came with the page is drawn


def album(page: Page, name: str, *, languages: bool = True) -> None:
    """`languages`: in Chinese as well, for which the page is loaded again; False where it would lose what it shows."""
    if not (folder := os.environ.get("PODLAB_ALBUM")):
        return
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    base = "{0.scheme}://{0.netloc}".format(urlsplit(page.url))
    cookie = f"podlab-language-{urlsplit(page.url).port}"
    for language in ("en", "zh-hans") if languages else ("en",):
        if language != "en":
            page.context.add_cookies([{"name": cookie, "value": language, "url": base}])
            page.reload()
            settled(page)
        for theme, size in (("light", DESK), ("dark", DESK), ("light" if language == "en" else "dark", PROJECTOR)):
            page.set_viewport_size(size)  # type: ignore[arg-type]
            page.evaluate(_TURN % theme)
            page.wait_for_timeout(_REST)
            where = "projector" if size is PROJECTOR else theme
            page.screenshot(path=target / f"{name}-{where}-{language[:2]}.png")
    page.set_viewport_size(DESK)  # type: ignore[arg-type]
    if languages:
        page.context.add_cookies([{"name": cookie, "value": "en", "url": base}])
        page.reload()
        settled(page)
