"""Makes the README's pictures from a lab that really runs: docs/timeline-light.png and docs/timeline-dark.png, and in
Chinese as a projector shows it, docs/projector-zh.png.

    python -m tests.browser.screenshots

Starts a lab of its own on Docker, lets a pod fail its liveness probe and crash, and photographs its page.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, expect, sync_playwright

from tests.whole_lab import Lab, eventually

CHROMIUM = "/usr/bin/chromium"
DOCS = Path(__file__).resolve().parents[2] / "docs"
LARGEST = 320 * 1024
AFTER = 52_000  # ms of the pod's life that the picture shows
OLD_ENOUGH = f"Boolean(globalThis.podlab?.timeline.pod) && podlab.timeline.now - podlab.timeline.origin > {AFTER}"

MANIFEST = """
apiVersion: v1
kind: Pod
metadata:
  name: web
spec:
  terminationGracePeriodSeconds: 10
  initContainers:
    - name: wait-db
      image: busybox:1.36
      command: [sh, -c, "echo waiting for db; sleep 3; echo db is there"]
  containers:
    - name: puller
      image: busybox:1.36
      command: [sh, -c, "n=0; while true; do n=$((n+1)); echo pulled $n files; sleep 5; done"]
    - name: app
      image: busybox:1.36
      command:
        - sh
        - -c
        - |
          trap 'echo TERM ignored' TERM
          touch /tmp/healthy
          echo listening on :8080
          for i in 1 2 3 4 5; do echo GET /healthz 200; sleep 1; done
          rm /tmp/healthy
          echo db pool: connection refused
          while true; do sleep 1; done
      readinessProbe:
        exec: {command: [cat, /tmp/healthy]}
        periodSeconds: 2
      livenessProbe:
        exec: {command: [cat, /tmp/healthy]}
        periodSeconds: 2
        terminationGracePeriodSeconds: 3
"""


def photograph(page: Page, theme: str, name: str) -> Path:
    page.context.add_cookies([{"name": "podlab-theme", "value": theme, "url": page.url}])
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-live", "yes")
    expect(page.locator(".log-line").first).to_be_visible()
    page.locator("#twin li[data-reason=CrashLoopBackOff] button").last.dispatch_event("click")
    expect(page.locator("#evidence [data-card=title]")).to_have_text("CrashLoopBackOff")
    page.locator(".log-lines").evaluate("list => { list.scrollTop = list.scrollHeight; }")
    expect(page.locator("[data-age]")).not_to_have_text("–")
    page.wait_for_timeout(300)
    target = DOCS / name
    page.screenshot(path=target)
    if target.stat().st_size > LARGEST:
        raise SystemExit(f"{name} is larger than {LARGEST // 1024} kB")
    return target


def on_a_projector(page: Page, port: int) -> Path:
    """The same page in Chinese."""
    cookie = {"domain": "127.0.0.1", "path": "/"}
    page.context.add_cookies([{"name": f"podlab-language-{port}", "value": "zh-hans", **cookie}])
    page.set_viewport_size({"width": 1920, "height": 1080})
    return photograph(page, "dark", "projector-zh.png")


def main() -> int:
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        lab = Lab(Path(folder) / "data", "docker").start()
        try:
            lab.kubectl("apply", "-f", "-", stdin=MANIFEST)
            eventually("the pod has restarted", lambda: _restarts(lab) >= 1, 60)
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
            context = browser.new_context(base_url=lab.url, viewport={"width": 1440, "height": 900}, locale="en")
            page = context.new_page()
            page.goto(lab.login_link())
            page.goto("/c/main/ns/default/pods/web")
            # Asked from outside: the page's own policy allows no eval, which waiting inside it would need.
            eventually("the pod is old enough", lambda: page.evaluate(OLD_ENOUGH), 120)
            for theme in ("light", "dark"):
                print(photograph(page, theme, f"timeline-{theme}.png"))
            print(on_a_projector(page, lab.port))
            browser.close()
        finally:
            lab.kubectl("delete", "pod", "web", "--grace-period=1", "--ignore-not-found")
            lab.stop()
    return 0


def _restarts(lab: Lab) -> int:
    pod = lab.pod("web") or {}
    return sum(one["restartCount"] for one in (pod.get("status") or {}).get("containerStatuses") or ())


if __name__ == "__main__":
    sys.exit(main())
