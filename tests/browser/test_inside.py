"""Into a pod from its page in a real browser: the terminal, its files, a debug container, the preview of a port."""

from __future__ import annotations

import re
import subprocess
import uuid

import pytest
from playwright.sync_api import Page, expect

from tests.browser.pictures import album
from tests.whole_lab import Lab

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

MANIFEST = """apiVersion: v1
kind: Pod
metadata: {{name: {name}}}
spec:
  terminationGracePeriodSeconds: 0
  containers:
    - name: c
      image: busybox:1.36
      command: [sh, -c, "mkdir -p /www; echo hello from inside > /www/index.html; httpd -f -p 8080 -h /www"]
      ports: [{{containerPort: 8080}}]
"""


@pytest.fixture
def pod(page: Page) -> str:
    name = f"inside-{uuid.uuid4().hex[:6]}"
    page.goto("/c/main/ns/default/new?view=yaml")
    page.locator(".cm-content").click()
    page.keyboard.press("Control+A")
    page.keyboard.insert_text(MANIFEST.format(name=name))
    page.get_by_role("button", name="Create", exact=True).click()
    page.wait_for_url(re.compile(f"/pods/{name}"))
    expect(page.locator(".pod-head .badge")).to_have_text("Running")
    return name


def test_a_terminal_says_what_the_container_says(page: Page, pod: str, lab: Lab | None) -> None:
    page.get_by_role("link", name="Terminal").click()
    page.locator("[data-terminal=open]").click()
    expect(page.locator("[data-terminal=state]")).to_have_text("connected to c")
    page.keyboard.type("echo sum $((20+3))\n")
    expect(page.locator(".xterm-rows")).to_contain_text("sum 23")
    page.keyboard.type("echo typed in a browser > /tmp/note; ps; wc -c /tmp/note\n")
    expect(page.locator(".xterm-rows")).to_contain_text("19 /tmp/note")
    album(page, "terminal", languages=False)
    if lab is not None:  # it really stands in the container, which Docker knows by the pod's name
        shown = ["docker", "ps", "-q", "--filter", f"label=io.kubernetes.pod.name={pod}"]
        ids = subprocess.run(
            [*shown, "--filter", "label=io.kubernetes.container.name=c"], capture_output=True, text=True
        )
        read = subprocess.run(
            ["docker", "exec", *ids.stdout.split(), "cat", "/tmp/note"], capture_output=True, text=True
        )
        assert read.stdout == "typed in a browser\n", read.stderr
    page.keyboard.type("exit 3\n")
    expect(page.locator("[data-terminal=state]")).to_have_text("ended with exit code 3")


def test_a_port_is_previewed_in_a_sandbox(page: Page, pod: str) -> None:
    page.get_by_role("link", name="Terminal").click()
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Open in a new tab").click()
    preview = opened.value
    expect(preview.locator("body")).to_contain_text("hello from inside")
    album(page, "ports")
    answer = preview.request.get(preview.url)
    assert answer.headers["content-security-policy"].startswith("sandbox")
    preview.close()


def test_files_are_looked_at_by_keyboard_and_downloaded(page: Page, pod: str) -> None:
    for name in ("Files", "www/", "index.html"):
        page.get_by_role("link", name=name, exact=True).focus()
        page.keyboard.press("Enter")
    expect(page.get_by_role("region", name="Contents of the file")).to_have_text("hello from inside\n")
    album(page, "files")
    expect(page.locator(".command code").first).to_contain_text(
        f"kubectl exec {pod} -c c -n default -- cat /www/index.html"
    )
    with page.expect_download() as came:
        page.get_by_role("link", name="Download").click()
    assert came.value.suggested_filename == "index.html"
    assert came.value.path().read_text() == "hello from inside\n"


def test_a_debug_container_can_be_entered(page: Page, pod: str) -> None:
    page.get_by_role("link", name="Terminal").click()
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.locator(".notice")).to_contain_text(f"kubectl debug -it {pod}")
    expect(page.locator("[data-terminal=container]")).to_have_value("debugger-1")
    page.locator("[data-terminal=open]").click()
    expect(page.locator("[data-terminal=state]")).to_have_text("connected to debugger-1")
    page.keyboard.type("echo it is $((40+2))\n")
    expect(page.locator(".xterm-rows")).to_contain_text("it is 42")
    album(page, "debug", languages=False)
