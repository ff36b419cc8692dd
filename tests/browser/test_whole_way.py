"""The whole way in a real browser: from the editor to the end of the pod, without one reload of its page."""

from __future__ import annotations

import re
import uuid

import pytest
from playwright.sync_api import Locator, Page, WebSocketRoute, expect

from tests.browser.pictures import album

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

MANIFEST = """apiVersion: v1
kind: Pod
metadata:
  name: {name}
spec:
  terminationGracePeriodSeconds: 6
  containers:
    - name: app
      image: busybox:1.36
      command:
        - sh
        - -c
        - |
          trap 'echo TERM ignored' TERM
          touch /tmp/healthy
          echo healthy now
          sleep 4
          rm /tmp/healthy
          echo no longer healthy
          while true; do sleep 1; done
      livenessProbe:
        exec:
          command: ["cat", "/tmp/healthy"]
        periodSeconds: 1
        failureThreshold: 3
        terminationGracePeriodSeconds: 1
"""


def mark(page: Page, **data: str) -> Locator:
    """The items of the timeline's list that say all of this."""
    wanted = "".join(f'[data-{name.replace("_", "-")}="{value}"]' for name, value in data.items())
    return page.locator(f"#twin li{wanted}")


def write(page: Page, text: str) -> None:
    """Replace what stands in the editor, as somebody who pastes."""
    page.locator(".cm-content").click()
    page.keyboard.press("Control+A")
    page.keyboard.insert_text(text)


def test_the_life_of_a_pod_is_watched_without_a_reload(page: Page) -> None:
    name = f"way-{uuid.uuid4().hex[:6]}"
    page.goto("/c/main/ns/default/new")
    write(page, MANIFEST.format(name=name).replace("image:", "imaeg:"))
    problem = page.locator("#problems li", has_text='unknown field "spec.containers[0].imaeg"')
    expect(problem).to_contain_text("line 9")
    expect(page.locator(".cm-lint-marker-error")).to_have_count(1)
    write(page, MANIFEST.format(name=name))
    expect(page.locator("#check-status")).to_have_text(f"Ready to create: pod/{name}")
    page.get_by_role("button", name="Create", exact=True).click()
    page.wait_for_url(re.compile(f"/pods/{name}\\?uid="))
    page.evaluate("window.notReloaded = true")

    expect(page.locator(".badge [data-fact=status]")).to_have_text("Running")
    expect(mark(page, mark="span", container="app", state="running")).to_have_count(1)
    expect(mark(page, mark="condition", lane="condition/PodScheduled", outcome="True")).to_have_count(1)
    expect(page.locator(".log-text", has_text="healthy now").first).to_be_visible()

    expect(mark(page, mark="probe", probe="liveness", outcome="success").first).to_be_attached()
    expect(mark(page, mark="probe", probe="liveness", outcome="failure").first).to_be_attached()
    crossing = mark(page, mark="probe", probe="liveness", caused="restart")
    expect(crossing.first).to_contain_text("Liveness probe of app failed")
    expect(mark(page, mark="span", container="app", attempt="0", state="ended")).to_have_count(1)
    expect(mark(page, mark="span", container="app", attempt="1")).to_have_count(1)
    expect(mark(page, mark="event", reason="Killing").first).to_be_attached()
    expect(page.locator(".log-source", has_text="app #1").first).to_be_visible()
    expect(page.locator("[data-fact=restarts]")).not_to_have_text("0")

    page.get_by_role("button", name="As a list").click()
    crossing.first.locator("button").click()
    card = page.locator("#evidence")
    expect(card.locator("[data-card=why]")).to_contain_text("The threshold is reached: the kubelet kills app.")
    expect(card.locator("[data-card=yaml]")).to_contain_text("livenessProbe")
    expect(card.locator("[data-card=command]")).to_contain_text(f"kubectl describe pod {name}")

    album(page, "timeline-probes", languages=False)

    page.get_by_role("link", name="Delete…").click()
    expect(page.locator("dialog#delete")).to_be_visible()
    page.locator("dialog#delete").get_by_role("button", name="Delete", exact=True).click()
    expect(page.locator("#result")).to_contain_text(f"kubectl delete pod {name} -n default")
    expect(page.locator(".badge [data-fact=status]")).to_have_text("Terminating")
    deletion = mark(page, mark="deletion")
    expect(deletion).to_have_attribute("data-until", re.compile(r"^20\d\d-"))
    deletion.locator("button").click()
    expect(card.locator("[data-card=left]")).to_have_text(re.compile(r"^\d+(\.\d)? s left$"))
    expect(page.locator(".badge [data-fact=status]")).to_have_text("Deleted")
    expect(deletion).to_have_attribute("data-reason", "Deleted")
    album(page, "timeline-deleted", languages=False)
    assert page.evaluate("window.notReloaded") is True


def test_the_list_changes_while_one_looks(page: Page) -> None:
    name = f"list-{uuid.uuid4().hex[:6]}"
    page.goto("/c/main/ns/default/pods")
    editor = page.context.new_page()
    editor.goto("/c/main/ns/default/new")
    write(editor, f"apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}}}\nspec:\n  containers:\n"
                  "    - {name: c, image: 'busybox:1.36', command: [sleep, '3600']}\n")  # fmt: skip
    editor.get_by_role("button", name="Create", exact=True).click()
    editor.wait_for_url(re.compile(f"/pods/{name}"))
    row = page.locator(f"#pods tr[data-name={name}]")
    expect(row.locator("[data-cell=status]")).to_have_text("Running")
    expect(row.locator("[data-cell=ready]")).to_have_text("1/1")
    editor.get_by_role("link", name="Delete…").click()
    editor.get_by_label("At once").check()
    editor.locator("dialog#delete").get_by_role("button", name="Delete", exact=True).click()
    expect(row).to_have_count(0)
    editor.close()


def test_a_lost_connection_is_told_and_heals_by_itself(page: Page) -> None:
    lost: list[WebSocketRoute] = []

    def through(socket: WebSocketRoute) -> None:
        socket.connect_to_server()
        lost.append(socket)

    page.route_web_socket(re.compile("/ws/c/"), through)
    page.goto("/c/main/ns/default/pods")
    expect(page.locator("html")).to_have_attribute("data-live", "yes")
    lost[0].close(code=1012)
    expect(page.locator("#connection")).to_contain_text(re.compile(r"Connection lost.*as of \d\d:\d\d:\d\d"))
    expect(page.locator("html")).to_have_attribute("data-live", "yes")
    expect(page.locator("#connection")).to_be_hidden()
    assert len(lost) == 2


def test_the_text_in_the_editor_survives_a_reload(page: Page) -> None:
    page.goto("/c/main/ns/default/new")
    write(page, "# mine, unfinished\n")
    page.reload()
    expect(page.locator(".cm-content")).to_contain_text("# mine, unfinished")
    page.get_by_role("button", name="Start again from the sample").click()
    expect(page.locator(".cm-content")).to_contain_text("kind: Pod")


def test_keys_move_the_view_and_the_address_keeps_it(page: Page) -> None:
    name = f"keys-{uuid.uuid4().hex[:6]}"
    page.goto("/c/main/ns/default/new?pattern=web")
    write(page, f"apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}}}\nspec:\n  containers:\n"
                "    - {name: c, image: 'busybox:1.36', command: [sleep, '3600']}\n")  # fmt: skip
    page.get_by_role("button", name="Create", exact=True).click()
    page.wait_for_url(re.compile(f"/pods/{name}"))
    expect(mark(page, mark="span", state="running")).to_have_count(1)
    page.locator("h1").click()
    page.keyboard.press("d")
    page.wait_for_url(re.compile(r"from=.*&to="))
    page.reload()
    expect(page.locator("[data-do=live]")).to_have_attribute("aria-pressed", "false")
    expect(mark(page, mark="phase")).not_to_have_count(0)
    page.keyboard.press("Space")
    expect(page.locator("[data-do=live]")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("?")
    expect(page.locator("dialog#keys")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("dialog#keys")).to_be_hidden()
    page.keyboard.press(".")
    expect(page.locator("#evidence [data-card=title]")).not_to_be_empty()
    expect(page.locator("#twin [aria-current=true]")).to_have_count(1)


def test_the_clock_is_turned_without_a_reload(page: Page) -> None:
    name = f"clock-{uuid.uuid4().hex[:6]}"
    page.goto("/clusters")
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_role("button", name="Make", exact=True).click()
    page.wait_for_url(f"**/c/{name}/")
    page.goto(f"/c/{name}/clock")
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("button", name="Resume")).to_be_visible()
    expect(page.locator("#lab-clock")).to_have_attribute("data-paused", "true")
    page.get_by_role("button", name="×10", exact=True).click()
    expect(page.locator("[data-clock=speed]")).to_have_text("×10")


def test_the_theme_is_kept(page: Page) -> None:
    page.goto("/clusters")
    for name in ("light", "dark"):
        page.locator("[data-theme-to]").click()
        expect(page.locator("html")).to_have_attribute("data-theme", name)
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.locator("[data-theme-to]").click()
