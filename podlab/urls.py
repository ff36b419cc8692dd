"""The pages' routes. Kubernetes' own paths never come here: `asgi` gives them to `apiserver.handler`."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path, re_path

from podlab import exports, pod_files
from podlab.apiserver.people import preview
from podlab.ops.metrics import metrics
from podlab.web.urls import urlpatterns as pages

urlpatterns: list[URLPattern | URLResolver] = [
    path("metrics", metrics),
    re_path(r"^preview/(?P<token>[A-Za-z0-9._:-]{20,1000})(?P<path>/.*)?$", preview, name="preview"),
    *exports.urlpatterns,
    *pod_files.urlpatterns,
    *pages,
]
handler400 = "podlab.web.views.problems.bad_request"
