"""The timeline of a pod or a namespace as one HTML file that opens without a server: scripts, styles and data stand in it.

Wiring: the story is `timeline.export`'s, the page `web`'s, which do not know each other. The file may run nothing but its
own script (a policy in it names the hash) and load nothing at all.
"""

from __future__ import annotations

import base64
import hashlib
import re
from typing import Any

from django.contrib.staticfiles import finders
from django.http import Http404, HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import URLPattern, re_path, reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_GET

from podlab import clock
from podlab.apis import static_pods
from podlab.apis.status_errors import ApiError
from podlab.apis.types import Manifest
from podlab.glance import summary
from podlab.timeline import export
from podlab.timeline.export import Exported
from podlab.timeline.messages import OpenPod, OpenSpace
from podlab.timeline.outlet import Refusal
from podlab.web import manifest_lines, pod_events, revisions, why
from podlab.web.place import Place, context, open_place, page
from podlab.web.urls import NS, POD

_NONE = "'none'"


@page
@require_GET
def pod(request: HttpRequest, cluster: str, namespace: str, name: str) -> HttpResponse:
    """Of the pod with `uid`, also after its end, or of the one that has the name now; at `rev`, or now."""
    place = open_place(request, cluster, namespace)
    message: OpenPod = {"type": "open-pod", "sub": "pod", "namespace": namespace, "name": name}
    if uid := request.GET.get("uid", "")[:36]:
        message["uid"] = uid
    if place.moment is not None:
        message["rev"] = place.moment.rev
    try:
        told = export.pod(place.client, message)
    except Refusal as refusal:
        raise Http404(refusal.message) from None
    ((uid, manifest),) = told.pods.items()
    head = next(one["pod"] for one in told.messages if one["type"] == "pod")
    facts = summary.facts(manifest, told.at, gone=head["gone"], translate=gettext)
    lines = manifest_lines.lines(revisions.shown(manifest))
    anchored = [{**line, "href": f"#L{number}"} for number, line in enumerate(lines, 1)]
    address = f"{reverse('pod', args=[cluster, namespace, name])}?uid={uid}"
    more = {"pod": facts, "uid": uid, "yaml_lines": anchored, "title": name}
    more |= why.panel(place, manifest, gone=head["gone"], in_file=True) | pod_events.tab(
        {}, place, static_pods.runtime_uid(manifest)
    )
    return _file(request, place, told, address, f"{namespace}-{name}", more)


@page
@require_GET
def space(request: HttpRequest, cluster: str, namespace: str) -> HttpResponse:
    place = open_place(request, cluster, namespace)
    message: OpenSpace = {"type": "open-space", "sub": "space", "namespace": namespace}
    if place.moment is not None:
        message["rev"] = place.moment.rev
    try:
        told = export.space(place.client, message)
    except Refusal as refusal:
        raise Http404(refusal.message) from None
    yaml = {uid: _pointed_at(pod, told.paths.get(uid, set())) for uid, pod in told.pods.items()}
    more = {"space": True, "space_yaml": yaml, "title": namespace}
    more |= {"most_ticks": export.MOST_TICKS, "most_lines": export.SPACE_TAIL, "most_all": export.MOST_LINES}
    return _file(request, place, told, reverse("space", args=[cluster, namespace]), namespace, more)


def _pointed_at(pod: Manifest, paths: set[str]) -> list[dict[str, Any]]:
    """The lines of a pod's YAML that evidence rests on; a namespace has too many pods for all of them."""
    wanted = tuple(paths)
    return [
        {"text": line["text"], "path": line["path"], "number": number, "href": None}
        for number, line in enumerate(manifest_lines.lines(revisions.shown(pod)), 1)
        if any(line["path"] == path or line["path"].startswith((f"{path}.", f"{path}[")) for path in wanted)
    ]


def _file(
    request: HttpRequest, place: Place, told: Exported, address: str, name: str, more: dict[str, Any]
) -> HttpResponse:
    script, style = _built("dist/viewer.js"), _built("dist/viewer-style.css")
    policy = f"default-src {_NONE}; script-src {_digest(script)}; style-src {_digest(style)}; base-uri {_NONE}; form-action {_NONE}"
    page = {
        "script": script,
        "style": style,
        "policy": policy,
        "recorded": {"messages": told.messages, "yaml": more.pop("space_yaml", {})},
        "told": told,
        "exported_at": clock.wall_now(),
        "address": request.build_absolute_uri(address),
        "exported": True,
    }
    text = render_to_string("export.html", context(place, **page, **more), request)
    answer = HttpResponse(text, content_type="text/html; charset=utf-8")
    stamp = told.at.strftime("%Y%m%d-%H%M%S")
    answer["Content-Disposition"] = f'attachment; filename="{place.cluster}-{name}-{stamp}.html"'
    return answer


def _built(name: str) -> str:
    """What the front end's build made. It stands between tags, which no text in it may close."""
    path = finders.find(name)
    if path is None:
        raise ApiError(500, "InternalError", f"{name} is not built; run `make build`.")
    with open(path, encoding="utf-8") as file:
        return re.sub(r"</(?=script|style)", r"<\\/", file.read(), flags=re.IGNORECASE)


def _digest(text: str) -> str:
    """How a policy names an inline script or style."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


urlpatterns: list[URLPattern] = [
    re_path(rf"^c/{POD}/export\.html$", pod, name="pod-export"),
    re_path(rf"^c/{NS}/timeline/export\.html$", space, name="space-export"),
]
