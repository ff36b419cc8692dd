"""What happened on Docker in other clusters: imported from its run file and looked at again, forked and gone on with."""

from __future__ import annotations

import re
import uuid
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser import places
from tests.browser.pictures import album

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

MANIFEST = """apiVersion: v1
kind: Pod
metadata: {{name: {name}}}
spec:
  restartPolicy: Never
  containers:
    - name: c
      image: busybox:1.36
      command: [sh, -c, "echo all that was said; {then}"]
      livenessProbe: {{exec: {{command: ["true"]}}, periodSeconds: 1}}
"""


def made(context: BrowserContext, name: str, then: str) -> None:
    places.create(context, MANIFEST.format(name=name, then=then))


def forgotten(page: Page, cluster: str, where: str) -> None:
    """Delete the cluster by the form that asks for its name."""
    page.goto(where)
    row = page.locator("tr, li").filter(has=page.get_by_role("link", name=cluster, exact=True))
    row.locator("summary").click()
    row.get_by_label("Write its name:").fill(cluster)
    row.get_by_role("button", name="Delete for good").click()
    expect(row).to_have_count(0)


def test_a_run_is_exported_and_looked_at_in_another_cluster(page: Page, tmp_path: Path) -> None:
    name, cluster = (f"{word}-{uuid.uuid4().hex[:6]}" for word in ("told", "recording"))
    made(page.context, name, "sleep 2; exit 4")
    page.goto(f"/c/main/ns/default/pods/{name}")
    expect(page.locator(".badge [data-fact=status]")).to_have_text("Error")
    page.goto("/c/main/ns/default/timeline")
    with page.expect_download() as came:
        page.get_by_role("link", name="Export the run").click()
    file = tmp_path / came.value.suggested_filename
    came.value.save_as(file)
    page.goto("/runs")
    album(page, "runs")
    page.get_by_label("Name", exact=True).fill(cluster)
    page.get_by_label("Run file").set_input_files(file)
    page.get_by_role("button", name="Import").click()
    page.wait_for_url(f"**/c/{cluster}/")
    page.goto(f"/c/{cluster}/ns/default/pods")
    expect(page.locator("footer")).to_contain_text("This is the recording of a run")
    page.locator("#pods").get_by_role("link", name=name).click()
    expect(page.locator(".badge [data-fact=status]")).to_have_text("Error")
    expect(page.locator('#twin li[data-mark=span][data-exit-code="4"]')).to_be_attached()
    expect(page.locator("#twin li[data-mark=probe][data-outcome=success]").first).to_be_attached()
    expect(page.locator("#logs .log-line")).to_contain_text(["all that was said"])
    expect(page.locator("[data-situation=exit-error]")).to_contain_text("exit code 4")
    expect(page.get_by_role("link", name="Delete…")).to_have_count(0)
    album(page, "recording")
    page.get_by_role("link", name="Replay").click()
    expect(page.get_by_role("region", name="Replay")).to_contain_text("You are in the past")
    forgotten(page, cluster, "/runs")


def test_a_moment_on_docker_goes_on_in_a_simulated_fork(page: Page) -> None:
    name, cluster = (f"{word}-{uuid.uuid4().hex[:6]}" for word in ("forked", "fork"))
    made(page.context, name, "sleep 3600")
    page.goto(f"/c/main/ns/default/pods/{name}")
    expect(page.locator(".badge [data-fact=status]")).to_have_text("Running")
    page.get_by_role("link", name="Replay").click()
    album(page, "past")
    page.get_by_role("link", name="Fork", exact=True).click()
    page.get_by_label("Name", exact=True).fill(cluster)
    page.get_by_role("button", name="Fork", exact=True).click()
    page.wait_for_url(re.compile(f"/c/{cluster}/"))
    page.goto(f"/c/{cluster}/ns/default/pods/{name}")
    expect(page.locator("footer")).to_contain_text("This cluster is simulated")
    expect(page.locator(".badge [data-fact=status]")).to_have_text("Running")
    page.goto(f"/c/{cluster}/clock")
    page.get_by_role("button", name="×10", exact=True).click()
    expect(page.locator("[data-clock=speed]")).to_have_text("×10")
    album(page, "clock")
    forgotten(page, cluster, "/clusters")
