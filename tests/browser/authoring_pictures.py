"""Makes docs/authoring-light.png and docs/authoring-dark.png from a simulated lab that really runs.

python -m tests.browser.authoring_pictures
"""

from __future__ import annotations

import re
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, expect, sync_playwright

from tests.whole_lab import Lab

CHROMIUM = "/usr/bin/chromium"
DOCS = Path(__file__).resolve().parents[2] / "docs"
LARGEST = 250 * 1024


def photograph(page: Page, theme: str) -> Path:
    """A change in the form, seen in the other two views; above it what the probes' numbers do."""
    page.context.add_cookies([{"name": "podlab-theme", "value": theme, "domain": "127.0.0.1", "path": "/"}])
    with page.expect_response(re.compile("/compose$")):
        page.goto("/c/main/ns/default/new?pattern=liveness")
    for section in ("command", "probes"):
        page.locator(f'[data-keep="spec.containers[0]/{section}"] > summary').click()
    page.get_by_label("stops answering after").fill("10")
    expect(page.locator(".course-said")).to_contain_text("Killed after 15 s")
    page.locator('[name="f.spec.containers[0].livenessProbe.failureThreshold"]').fill("5")
    expect(page.locator(".course-said")).to_contain_text("Killed after 19 s")
    expect(page.locator(".cm-flashed")).to_be_visible()
    page.locator('[name="u.spec.containers[0].livenessProbe"]').evaluate(
        "input => input.scrollIntoView({block: 'start'})"
    )
    target = DOCS / f"authoring-{theme}.png"
    page.screenshot(path=target)
    if target.stat().st_size > LARGEST:
        raise SystemExit(f"{target.name} is larger than {LARGEST // 1024} kB")
    return target


def main() -> int:
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        lab = Lab(Path(folder) / "data", "sim").start()
        try:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
            context = browser.new_context(base_url=lab.url, viewport={"width": 1440, "height": 900}, locale="en")
            page = context.new_page()
            page.set_default_timeout(60_000)
            page.goto(lab.login_link())
            for theme in ("light", "dark"):
                print(photograph(page, theme))
            browser.close()
        finally:
            lab.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
