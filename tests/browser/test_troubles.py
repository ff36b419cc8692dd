"""A namespace full of real trouble: what fails is made from the gallery, runs on Docker, and is looked at from all sides."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from django.utils import translation
from django.utils.translation import gettext
from playwright.sync_api import BrowserContext, Page, expect

from podlab.glance.explain.explanations import SITUATIONS
from podlab.web import patterns
from tests.browser import places
from tests.browser.pictures import album
from tests.whole_lab import eventually

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

NS = "/c/main/ns/default"
# Pattern of the gallery → the situation that explains it, and what its first sentence or the evidence for it says.
TROUBLES = {
    "crash": ("exit-error", "cannot reach the database"),
    "oom": ("oom-killed", "32Mi"),
    "missing-image": ("image-registry", "registry.invalid/no-such-image:1.0"),
    "missing-config": ("config-map-missing", "paint"),
    "wrong-command": ("command-not-found", "there is no program serve in the image"),
    "non-root": ("non-root-refused", "root"),
    "unschedulable": ("node-selector", "fits no node (node-a, node-b)"),
    "wrong-port": ("probe-port-differs", "8080"),
    "liveness": ("liveness-kills", "cat"),
    "deadline": ("deadline", "8"),
}


@pytest.fixture(scope="module", autouse=True)
def troubled(session: BrowserContext) -> None:
    places.create(session, "\n---\n".join(patterns.find(name).manifest for name in TROUBLES))


@pytest.fixture
def chinese(session: BrowserContext, page: Page) -> Iterator[None]:
    yield
    page.goto("/clusters")
    page.get_by_role("button", name="English").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")


def test_what_may_not_be_is_refused_at_its_line(page: Page) -> None:
    page.goto(f"{NS}/new")
    page.get_by_role("link", name=re.compile("^Privileged refused")).click()
    expect(page.locator("#problems li")).to_contain_text(
        "cannot set `allowPrivilegeEscalation` to false and `privileged`"
    )
    expect(page.locator(".cm-lint-marker-error")).to_have_count(1)
    album(page, "authoring-refused")
    other = page.context.new_page()  # a refusal is an error on the console
    other.goto(page.url)
    other.get_by_role("button", name="Create", exact=True).click()
    expect(other.locator("#problems li")).to_contain_text("cannot set `allowPrivilegeEscalation`")
    assert "privileged" not in places.pods(page.context)
    other.close()


def test_the_scheduler_says_why_no_node_will_do(page: Page) -> None:
    for tab in ("why", "details"):
        page.goto(f"{NS}/pods/unschedulable?tab={tab}")
        table = page.locator(".verdicts", has=page.get_by_role("heading", name="Why no node takes it"))
        for node in ("node-a", "node-b"):
            expect(table.locator("tr", has_text=node)).to_contain_text("didn't match Pod's node affinity/selector")
    album(page, "details-unschedulable")


def test_evidence_leads_to_the_mark_that_it_rests_on(page: Page) -> None:
    page.goto(f"{NS}/pods/oom")
    page.locator("[data-situation=oom-killed] a[data-select]").first.click()
    expect(page.locator("#evidence [data-card=title]")).to_have_text("app #0 · OOMKilled")
    expect(page.locator("#evidence [data-card=sentence]")).to_contain_text("137")
    expect(page.locator("#evidence [data-card=command]")).to_contain_text("kubectl")
    album(page, "timeline-oom")


def test_the_back_off_counts_down_and_the_view_can_be_panned(page: Page) -> None:
    page.goto(f"{NS}/pods/crash")
    waiting = page.locator("#twin li[data-reason=CrashLoopBackOff]")
    expect(waiting.last).to_be_attached()
    waiting.last.locator("button").dispatch_event("click")
    expect(page.locator("#evidence [data-card=title]")).to_have_text("CrashLoopBackOff")
    expect(page.locator("#evidence [data-card=why]")).to_contain_text("from that end: 10s")
    if not page.locator("#evidence [data-card=left]").is_visible():  # it ran out meanwhile: the next one
        count = waiting.count()
        expect(waiting.nth(count)).to_be_attached()
        waiting.nth(count).locator("button").dispatch_event("click")
    left = page.locator("#evidence [data-card=left]")
    expect(left).to_have_text(re.compile(r"^\d+(\.\d)? s left$"))
    before = left.text_content() or ""
    expect(left).not_to_have_text(before)
    album(page, "timeline-crash")

    live = page.locator("[data-do=live]")
    box = page.locator(".timeline-plot").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 300, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + 420, box["y"] + 20, steps=4)
    page.mouse.up()
    expect(live).to_have_attribute("aria-pressed", "false")
    page.wait_for_url(re.compile(r"from=.*&to="))
    live.click()
    expect(live).to_have_attribute("aria-pressed", "true")


def test_logs_of_every_run_are_searched(page: Page) -> None:
    page.goto(f"{NS}/pods/crash?tab=logs")
    panel = page.locator("#panel")
    run = panel.locator("select[name=attempt]")
    eventually("a second run", lambda: page.reload() and run.locator("option").count() > 2)
    panel.get_by_label("follow").uncheck()
    panel.get_by_label("Search").fill("cannot reach")
    panel.get_by_role("button", name="Show").click()
    expect(panel.locator(".log-line mark").nth(1)).to_have_text("cannot reach")
    expect(panel.get_by_role("status")).to_contain_text(re.compile(r"\d+ lines · \d+ hits"))
    expect(panel.locator(".log-source", has_text="app #0").first).to_be_visible()
    expect(panel.locator(".log-source", has_text="app #1").first).to_be_visible()
    album(page, "logs-search")
    run.select_option("0")
    panel.get_by_label("Search").fill("^(starting|nothing)$")
    panel.get_by_label("regular expression").check()
    panel.get_by_label("hits only").check()
    panel.get_by_role("button", name="Show").click()
    expect(panel.locator(".log-line")).to_have_text(re.compile("app #0starting$"))
    with page.expect_download() as came:
        panel.get_by_role("button", name="Download").click()
    assert came.value.path().read_text().rstrip().endswith("starting")


def test_lists_graph_and_timeline_show_them_all(page: Page) -> None:
    page.goto(f"{NS}/pods")
    expect(page.locator("#pods tr[data-name=oom] [data-cell=status]")).to_have_text("OOMKilled")
    expect(page.locator("#pods tr[data-name=missing-image] [data-cell=status]")).to_have_text(
        re.compile("ErrImagePull|ImagePullBackOff")
    )
    expect(page.locator("#pods tr[data-name=missing-config] [data-cell=status]")).to_have_text(
        "CreateContainerConfigError"
    )
    album(page, "pods")
    page.goto(f"{NS}/events")
    expect(page.locator("main")).to_contain_text("Liveness probe failed")
    album(page, "events")
    page.goto("/c/main/")
    # Five of them are drawn, the newest first; which these are depends on the second in which each was created.
    space = page.locator("#spaces section", has=page.get_by_role("heading", name="default", exact=True))
    expect(space.locator(".strips li")).to_have_count(5)
    drawn = set(space.locator(".strips a").all_text_contents())
    assert drawn < TROUBLES.keys(), drawn
    expect(space.get_by_role("link", name=re.compile(r"^\d+ more pods$"))).to_be_visible()
    album(page, "overview")
    page.goto("/c/main/nodes/node-a")
    expect(page.locator(".blocks li").first).to_be_visible()
    album(page, "node")
    page.goto(f"{NS}/timeline")
    places.settled(page)
    expect(places.lane_of(page, "missing-image")).to_contain_text("ImagePull")
    album(page, "timeline-namespace")


def test_what_went_wrong_is_explained(page: Page) -> None:
    for name, (situation, words) in TROUBLES.items():
        page.goto(f"{NS}/pods/{name}?tab=why")
        told = page.locator(f"#panel [data-situation={situation}]")
        expect(told).to_contain_text(words)
        expect(told.locator(".evidence-link").first).to_be_visible()
        expect(told.locator(".command code").first).to_contain_text("kubectl")
        album(page, f"why-{name}")


def test_explanations_speak_chinese(page: Page, chinese: None) -> None:
    page.goto(f"{NS}/pods")
    page.get_by_role("button", name="中文").click()
    expect(page.locator("html")).to_have_attribute("lang", "zh-hans")
    for name, (situation, _) in TROUBLES.items():
        page.goto(f"{NS}/pods/{name}?tab=why")
        with translation.override("zh-hans"):
            title = gettext(SITUATIONS[situation].title)
        expect(page.locator(f"#panel [data-situation={situation}] h3")).to_contain_text(title)
