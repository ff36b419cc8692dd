"""The object graph of a namespace: what comes while one looks, how it belongs together, and the graph of the past."""

from __future__ import annotations

import re
import uuid

import pytest
from playwright.sync_api import Page, expect

from tests.browser import places
from tests.browser.pictures import album
from tests.whole_lab import eventually

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

MANIFEST = """apiVersion: v1
kind: ConfigMap
metadata: {{name: {name}-page}}
data: {{index.html: "hello"}}
---
apiVersion: v1
kind: Service
metadata: {{name: {name}}}
spec: {{selector: {{app: {name}}}, ports: [{{port: 80, targetPort: 8080}}]}}
---
apiVersion: v1
kind: Pod
metadata: {{name: {name}, labels: {{app: {name}}}}}
spec:
  terminationGracePeriodSeconds: 0
  volumes: [{{name: page, configMap: {{name: {name}-page}}}}]
  containers:
    - name: web
      image: busybox:1.36
      command: [httpd, -f, -p, "8080", -h, /www]
      volumeMounts: [{{name: page, mountPath: /www}}]
      readinessProbe: {{httpGet: {{port: 8080}}, periodSeconds: 1}}
"""


def test_objects_come_to_the_graph_and_stay_in_its_past(page: Page) -> None:
    name = f"drawn-{uuid.uuid4().hex[:6]}"
    page.goto("/c/main/ns/default/graph")
    page.locator("html[data-live=yes]").wait_for()
    places.create(page.context, MANIFEST.format(name=name))
    pod = page.locator(f'[data-object="pods/{name}"]')
    expect(pod).to_have_attribute("data-tone", "running")
    expect(page.locator(f'[data-object="configmaps/{name}-page"]')).to_be_visible()
    ties = {"selects": f"services/{name}", "mounts": f"pods/{name}", "scheduled-on": f"pods/{name}"}
    for sort, start in ties.items():
        expect(page.locator(f'.graph-line[data-type="{sort}"][data-from="{start}"]')).to_be_attached()
    page.locator("#graph summary").click()
    expect(page.locator("#graph details li", has_text=f"{name}-page").first).to_be_visible()
    album(page, "graph")
    page.goto("/c/main/ns/default/services")
    ends = page.locator("tr", has_text=name).locator("td").last
    expect(ends).to_have_text(re.compile(r"^\s*\d+\.\d+\.\d+\.\d+\s*$"))
    page.goto("/c/main/ns/default/graph")
    page.locator("html[data-live=yes]").wait_for()
    places.delete(page.context, {name})
    expect(pod).to_have_count(0)
    page.get_by_role("link", name="Replay").click()
    banner = page.get_by_role("region", name="Replay")
    expect(banner).to_contain_text("You are in the past")

    def earlier() -> bool:
        page.keyboard.press("[")
        return pod.count() == 1

    eventually("the pod is in the graph again", earlier)
    expect(pod).to_be_visible()
    album(page, "graph-past")
