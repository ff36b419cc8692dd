"""Authoring in a real browser: three views in step, completion and hovering, drafts, an edit and its conflict."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.browser.pictures import album

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

NEW = "/c/main/ns/default/new"
EDITOR = "#yaml .cm-content"


def editor(page: Page) -> Locator:
    return page.locator(EDITOR)


def opened(page: Page, path: str) -> None:
    """The page with its first answer from the server."""
    with page.expect_response(re.compile("/(compose|edit)$")):
        page.goto(path)


def write(page: Page, text: str) -> None:
    editor(page).click()
    page.keyboard.press("Control+A")
    page.keyboard.insert_text(text)


@pytest.fixture
def name(page: Page) -> Iterator[str]:
    """A pod with this name, deleted in the end."""
    name = f"edited-{uuid.uuid4().hex[:6]}"
    opened(page, NEW)
    write(page, f"apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}}}\nspec:\n  containers:\n"
                "    - {name: c, image: 'busybox:1.36', command: [sleep, '3600']}\n")  # fmt: skip
    page.get_by_role("button", name="Create", exact=True).click()
    page.wait_for_url(re.compile(f"/pods/{name}"))
    yield name
    page.goto(f"/c/main/ns/default/pods/{name}/delete")
    page.get_by_label("At once").check()
    page.get_by_role("button", name="Delete", exact=True).click()


def test_each_of_the_three_views_follows_the_others(page: Page) -> None:
    opened(page, f"{NEW}?pattern=web")
    image = page.locator('[name="f.spec.containers[0].image"]')
    line = page.locator('textarea[name="line"]')
    image.fill("busybox:form")
    expect(page.locator(".cm-flashed")).to_have_text("image: busybox:form")
    expect(line).to_have_value(re.compile("--image=busybox:form"))
    expect(page.locator(".line-mirror mark").first).to_have_text("--image=busybox:form")
    text = line.input_value().replace("--image=busybox:form", "--image=busybox:line")
    line.fill(text)
    expect(image).to_have_value("busybox:line")
    expect(editor(page)).to_contain_text("image: busybox:line")
    expect(page.locator('.changed[data-path="spec.containers[0].image"]')).to_be_visible()
    editor(page).get_by_text("busybox:line").dblclick()
    page.keyboard.press("End")
    page.keyboard.type("2")
    expect(image).to_have_value("busybox:line2")
    expect(line).to_have_value(re.compile("busybox:line2"))


def test_buttons_of_the_form_and_the_servers_problems(page: Page) -> None:
    opened(page, f"{NEW}?pattern=crash")
    page.get_by_role("button", name="Add container").click()
    expect(editor(page)).to_contain_text("name: app-2")
    second = page.locator('[name="f.spec.containers[1].name"]')
    second.fill("Not A Name")
    album(page, "authoring-problem", languages=False)
    expect(page.locator('[data-path="spec.containers[1].name"] .field-problem')).to_contain_text("Invalid value")
    expect(page.locator("#problems li")).to_contain_text("spec.containers[1].name: Invalid value")
    expect(page.locator(".cm-lint-marker-error")).to_have_count(1)
    page.get_by_role("button", name="Remove spec.containers[1]").click()
    expect(page.locator("#check-status")).to_contain_text("Ready to create: pod/crash")


def test_the_probe_designer_answers_while_one_types(page: Page) -> None:
    opened(page, f"{NEW}?pattern=liveness")
    page.locator('[data-keep="spec.containers[0]/probes"] > summary').click()
    said = page.locator(".course-said")
    expect(said).to_contain_text("Nothing kills it.")
    page.get_by_label("stops answering after").fill("10")
    expect(said).to_contain_text("Killed after 15 s by its liveness probe")
    page.locator('[name="f.spec.containers[0].livenessProbe.failureThreshold"]').fill("1")
    expect(said).to_contain_text("Killed after 11 s")
    expect(page.locator(".cm-flashed")).to_be_in_viewport()
    album(page, "authoring-probes", languages=False)


def test_fields_are_completed_and_explained(page: Page) -> None:
    opened(page, NEW)
    write(page, "apiVersion: v1\nkind: Pod\nmetadata:\n  name: x\nspec:\n  resta")
    page.keyboard.type("r")
    options = page.locator(".cm-tooltip-autocomplete li")
    expect(options.first).to_contain_text("restartPolicy")
    expect(
        page.locator(".cm-tooltip-autocomplete:not(.cm-tooltip-autocomplete-disabled) li[aria-selected=true]")
    ).to_have_count(1)
    page.wait_for_timeout(200)  # the editor takes no Enter for a list that has just opened under the fingers (75 ms)
    page.keyboard.press("Enter")
    expect(editor(page)).to_contain_text("restartPolicy: ")
    page.keyboard.type("N")
    expect(options.first).to_have_text("Never")
    page.keyboard.press("Escape")
    editor(page).get_by_text("restartPolicy").hover()
    expect(page.locator(".cm-explained")).to_contain_text("Restart policy for all containers within the pod.")


def test_a_pattern_does_not_cost_the_text_that_was_left(page: Page) -> None:
    opened(page, NEW)
    write(page, "# unfinished business\n")
    expect(page.locator("#kept")).to_contain_text("kept in this browser")
    opened(page, f"{NEW}?pattern=oom")
    expect(editor(page)).to_contain_text("name: oom")
    page.get_by_role("button", name="Bring it back").click()
    expect(editor(page)).to_contain_text("# unfinished business")


def test_a_pod_is_edited_and_a_conflict_is_merged(page: Page, name: str) -> None:
    path = f"/c/main/ns/default/pods/{name}/edit"
    slower = page.context.new_page()  # its 409 is an error on the console
    opened(slower, path)
    opened(page, path)
    page.locator('[name="k.metadata.labels[0]"]').fill("team")
    expect(editor(page)).to_contain_text("team:")
    expect(page.locator("#diff [data-sort=added]").first).to_be_visible()
    page.get_by_role("button", name="Apply", exact=True).click()
    page.wait_for_url(re.compile(f"/pods/{name}$"))
    slower.locator('[name="f.spec.containers[0].image"]').fill("busybox:other")
    expect(slower.locator("#diff [data-sort=added]")).to_contain_text("image: busybox:other")
    expect(slower.locator(".bench-command .command code")).to_contain_text(f"kubectl patch pod {name} --type=merge")
    slower.get_by_role("button", name="Apply", exact=True).click()
    expect(slower.locator(".merge")).to_contain_text("Taken over from them: metadata.labels")
    album(slower, "authoring-merge", languages=False)
    expect(editor(slower)).to_contain_text("team:")
    slower.get_by_role("button", name="Apply", exact=True).click()
    slower.wait_for_url(re.compile(f"/pods/{name}$"))
    slower.close()


def test_without_a_script_everything_can_be_done(session: BrowserContext) -> None:
    browser = session.browser
    assert browser is not None
    context = browser.new_context(
        base_url=page_url(session), storage_state=session.storage_state(), java_script_enabled=False
    )
    try:
        page = context.new_page()
        page.goto(f"{NEW}?pattern=crash")
        name = f"plain-{uuid.uuid4().hex[:6]}"
        page.locator('[name="f.metadata.name"]').fill(name)
        page.get_by_role("button", name="Add container").click()
        expect(page.locator('textarea[name="manifest"]')).to_have_value(re.compile(f"name: {name}\n(.|\n)*name: app-2"))
        page.get_by_role("button", name="Remove spec.containers[1]").click()
        page.get_by_role("button", name="Create", exact=True).click()
        page.wait_for_url(re.compile(f"/pods/{name}"))
    finally:
        context.close()


def page_url(session: BrowserContext) -> str:
    page = session.new_page()
    page.goto("/clusters")
    url = page.url.removesuffix("/clusters")
    page.close()
    return url
