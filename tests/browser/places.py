"""Every page of the lab by the name of its URL, with things in it that are worth looking at."""

from __future__ import annotations

import re

from playwright.sync_api import BrowserContext, Locator, Page

from tests.whole_lab import eventually

POD = "seen"
OBJECTS = f"""apiVersion: v1
kind: ConfigMap
metadata: {{name: seen-settings}}
data: {{greeting: hello, colours: "red\\ngreen\\nblue"}}
---
apiVersion: v1
kind: Secret
metadata: {{name: seen-secret}}
stringData: {{password: s3cret}}
---
apiVersion: v1
kind: Service
metadata: {{name: seen-service}}
spec: {{selector: {{app: seen}}, ports: [{{port: 80}}]}}
---
apiVersion: v1
kind: Pod
metadata:
  name: {POD}
  labels: {{app: seen}}
spec:
  volumes:
    - {{name: settings, configMap: {{name: seen-settings}}}}
  containers:
    - name: app
      image: busybox:1.36
      command: [sh, -c, "while true; do echo working; sleep 1; done"]
      livenessProbe: {{exec: {{command: ["true"]}}, periodSeconds: 1}}
      volumeMounts: [{{name: settings, mountPath: /settings}}]
---
apiVersion: v1
kind: Pod
metadata: {{name: seen-crashing}}
spec:
  containers:
    - {{name: app, image: "busybox:1.36", command: [sh, -c, "echo no database; exit 3"]}}
---
apiVersion: v1
kind: Pod
metadata: {{name: seen-homeless}}
spec:
  nodeSelector: {{disk: "of-gold"}}
  containers:
    - {{name: app, image: "busybox:1.36", command: [sleep, "60"]}}
"""

_NS = "/c/main/ns/default"
_RETRIES = 3  # of a request on a kept connection that the server was just closing, or that died with it
_SEEN = f"{_NS}/pods/{POD}"
# The name of a URL → its pages. What has no page, because it only takes forms or gives files, is in NO_PAGE.
PLACES: dict[str, list[str]] = {
    "home": ["/"],
    "login-link": ["/login/used-up"],
    "clusters": ["/clusters"],
    "runs": ["/runs"],
    "settings": ["/settings"],
    "help": ["/help"],
    "overview": ["/c/main/"],
    "clock": ["/c/main/clock"],
    "fork": ["/c/main/fork", "/c/main/fork?rev=last"],
    "pods": [f"{_NS}/pods", f"{_NS}/pods?rev=last", "/c/main/ns/kube-public/pods"],
    "space": [f"{_NS}/timeline", f"{_NS}/timeline?rev=last"],
    "graph": [f"{_NS}/graph", f"{_NS}/graph?rev=last"],
    "new": [f"{_NS}/new", f"{_NS}/new?view=yaml", f"{_NS}/new?pattern=slow-start", f"{_NS}/new?pattern=settings"],
    "pod": [
        _SEEN,
        *(f"{_SEEN}?tab={tab}" for tab in ("why", "logs", "terminal", "details", "yaml", "events")),
        f"{_SEEN}?tab=yaml&rev=1&to=999999",
        f"{_SEEN}?rev=last",
        f"{_NS}/pods/seen-crashing",
        f"{_NS}/pods/seen-crashing?tab=why",
        f"{_NS}/pods/seen-homeless?tab=details",
        f"{_NS}/pods/nobody",
    ],
    "pod-files": [
        *(f"{_SEEN}/files?path={path}" for path in ("/", "/settings", "/settings/greeting", "/etc/passwd", "/nowhere")),
        f"{_SEEN}/files?rev=last",
        f"{_NS}/pods/seen-homeless/files",
    ],
    "pod-delete": [f"{_SEEN}/delete"],
    "objects": [f"{_NS}/events", f"{_NS}/configmaps", f"{_NS}/services", "/c/main/ns/kube-public/secrets"],
    "object": [f"{_NS}/configmaps/seen-settings", f"{_NS}/secrets/seen-secret", f"{_NS}/services/seen-service"],
    "edit": [f"{_SEEN}/edit", f"{_NS}/configmaps/seen-settings/edit"],
    "cluster-objects": ["/c/main/nodes", "/c/main/namespaces"],
    "cluster-object": ["/c/main/nodes/node-a", "/c/main/namespaces/default"],
    "cluster-edit": ["/c/main/namespaces/default/edit"],
}
# Pages for those who are not logged in.
OUTSIDE = {"login": ["/login", "/login?next=/runs"]}
NO_PAGE = {
    "node-do",
    "language",
    "theme",
    "logout",
    "schema",
    "cluster-delete",
    "run-file",
    "check",
    "compose",
    "pod-log",
    "pod-file",
    "pod-debug",
}


def _form(context: BrowserContext, path: str) -> dict[str, str]:
    """What the form on that page hides, as a browser would send it; nothing if there is no such page."""
    answer = context.request.get(path, max_retries=_RETRIES)
    hidden = r'<input type="hidden" name="(csrfmiddlewaretoken|uid)" value="([^"]*)"'
    return dict(re.findall(hidden, answer.text())) if answer.ok else {}


def create(context: BrowserContext, manifest: str, namespace: str = "default") -> None:
    """By the form, as a browser without scripts sends it."""
    path = f"/c/main/ns/{namespace}/new"
    form = _form(context, path) | {"manifest": manifest, "do": "create"}
    answer = context.request.post(path, form=form, max_retries=_RETRIES)
    assert answer.ok, answer.text()[:2000]


def pods(context: BrowserContext) -> set[str]:
    """Those in the list of the namespace."""
    return set(
        re.findall(r'<tr[^>]* data-name="([^"]+)"', context.request.get(f"{_NS}/pods", max_retries=_RETRIES).text())
    )


def delete(context: BrowserContext, names: set[str]) -> None:
    """At once, by the form. One may have gone by itself."""
    for name in names:
        path = f"{_NS}/pods/{name}/delete"
        if form := _form(context, path):
            context.request.post(path, form=form | {"how": "force"}, max_retries=_RETRIES)


def lane_of(page: Page, name: str) -> Locator:
    """The label of a new pod in the timeline of a namespace, scrolled to: the newest stand last, and only what is in sight is drawn."""
    label = page.locator(".lane-pod, .lane-phase").filter(has_text=name)

    def in_sight() -> bool:
        page.evaluate("podlab.timeline.scrollBy(1e6)")
        return label.count() == 1

    eventually(f"a lane of {name}", in_sight)
    return label


def settled(page: Page) -> None:
    """Until a live page has its connection and has drawn what came first."""
    if page.locator("#pod, #space, table[data-list], #lab-clock, [data-watch]").count() and not page.url.count("rev="):
        page.locator("html[data-live=yes]").wait_for()
    if page.locator("#timeline:visible").count():
        page.locator("#twin li").first.wait_for(state="attached", timeout=10_000)
    if page.locator("#authoring").count():
        page.locator(".cm-content").wait_for(state="attached")
