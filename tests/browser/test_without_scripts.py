"""The lab in a browser that runs no scripts: lists, pages and forms do their work, one page after the other."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

MANIFEST = """apiVersion: v1
kind: Pod
metadata: {{name: {name}}}
spec:
  terminationGracePeriodSeconds: 0
  containers:
    - {{name: c, image: "busybox:1.36", command: [sh, -c, "echo without a script; sleep 3600"]}}
"""


@pytest.fixture(scope="module")
def plain(chromium: Browser, session: BrowserContext, lab_doors: tuple[str, str]) -> Iterator[Page]:
    """A page of somebody who is logged in and runs no scripts."""
    context = chromium.new_context(
        base_url=lab_doors[0], java_script_enabled=False, storage_state=session.storage_state()
    )
    yield context.new_page()
    context.close()


def reloaded(page: Page, text: str) -> None:
    """Without a script a page is loaded again until it says so."""
    for _ in range(120):
        if page.get_by_text(text).count():
            return
        page.wait_for_timeout(250)
        page.reload()
    raise AssertionError(f"{page.url} never said {text!r}")


def test_a_pod_is_written_looked_at_and_deleted(plain: Page) -> None:
    name = f"plain-{uuid.uuid4().hex[:6]}"
    plain.goto("/c/main/ns/default/pods")
    plain.get_by_role("link", name="Create", exact=True).first.click()
    text = plain.get_by_label("Manifest in YAML")
    text.fill(MANIFEST.format(name=name).replace("image:", "imaeg:"))
    plain.get_by_role("button", name="Create", exact=True).click()
    expect(plain.locator("#problems")).to_contain_text('unknown field "spec.containers[0].imaeg"')
    text.fill(MANIFEST.format(name=name))
    plain.get_by_role("button", name="Create", exact=True).click()
    plain.wait_for_url(re.compile(f"/pods/{name}"))
    reloaded(plain, "c is running and ready.")
    for tab, said in (
        ("Why?", "Nothing here needs an explanation"),
        ("Logs", "without a script"),
        ("Details", "PodScheduled"),
        ("YAML", f"name: {name}"),
        ("Events", "Scheduled"),
        ("Files", "etc/"),
        ("Terminal", "Look inside with a debug container"),
    ):
        plain.get_by_role("navigation", name="About this pod").get_by_role("link", name=tab).click()
        expect(plain.locator("main")).to_contain_text(said)
    plain.get_by_role("link", name="Replay").click()
    expect(plain.get_by_text("You are in the past")).to_be_visible()
    expect(plain.locator(".past [data-play]")).to_be_hidden()
    expect(plain.locator(".past").get_by_role("button", name="Show")).to_be_visible()
    plain.get_by_role("link", name="The change before").click()
    expect(plain.get_by_text("You are in the past")).to_be_visible()
    plain.get_by_role("link", name="Back to now").click()
    plain.get_by_role("link", name="Delete…").click()
    plain.get_by_label("At once").check()
    plain.get_by_role("button", name="Delete", exact=True).click()
    expect(plain.locator(".notice[role=status]")).to_contain_text(f"Pod {name} is")
    plain.goto("/c/main/ns/default/pods")
    expect(plain.locator(f"tr[data-name={name}]")).to_have_count(0)


def test_a_pod_is_made_by_the_form(plain: Page) -> None:
    name = f"form-{uuid.uuid4().hex[:6]}"
    plain.goto("/c/main/ns/default/new?pattern=single")
    plain.locator("#form input[name='f.metadata.name']").fill(name)
    plain.get_by_role("button", name="Show the YAML").click()
    expect(plain.get_by_label("Manifest in YAML")).to_have_value(re.compile(f"name: {name}"))
    plain.get_by_role("button", name="Create", exact=True).click()
    plain.wait_for_url(re.compile(f"/pods/{name}"))
    expect(plain.locator("h1")).to_have_text(name)


def test_language_and_theme_are_turned(plain: Page) -> None:
    plain.goto("/c/main/ns/default/graph")
    plain.get_by_role("button", name="中文").click()
    expect(plain.locator("html")).to_have_attribute("lang", "zh-hans")
    plain.get_by_role("button", name="English").click()
    expect(plain.locator("html")).to_have_attribute("lang", "en")
    for name in ("light", "dark", "system"):
        plain.locator("button[name=theme]").click()
        expect(plain.locator("html")).to_have_attribute("data-theme", name)
    assert plain.url.endswith("/c/main/ns/default/graph")


def test_a_cluster_is_made_its_clock_turned_and_deleted(plain: Page) -> None:
    name = f"plain-{uuid.uuid4().hex[:6]}"
    plain.goto("/clusters")
    plain.get_by_label("Name", exact=True).fill(name)
    plain.get_by_role("button", name="Make", exact=True).click()
    plain.wait_for_url(f"**/c/{name}/")
    plain.goto(f"/c/{name}/clock")
    plain.get_by_role("button", name="Pause").click()
    expect(plain.get_by_role("button", name="Resume")).to_be_visible()
    plain.get_by_role("button", name="×10", exact=True).click()
    expect(plain.get_by_role("button", name="×10", exact=True)).to_have_attribute("aria-pressed", "true")
    plain.goto("/clusters")
    row = plain.locator("tr", has_text=name)
    row.locator("summary").click()
    row.get_by_label("Write its name:").fill(name)
    row.get_by_role("button", name="Delete for good").click()
    expect(plain.locator("tr", has_text=name)).to_have_count(0)
    plain.goto("/runs")
    expect(plain.get_by_role("button", name="Import")).to_be_visible()
