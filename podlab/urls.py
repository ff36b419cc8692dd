"""The pages' routes. Kubernetes' own paths never come here: `asgi` gives them to `apiserver.handler`."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from podlab.ops.metrics import metrics
from podlab.web.urls import urlpatterns as pages

urlpatterns: list[URLPattern | URLResolver] = [path("metrics", metrics), *pages]
handler400 = "podlab.web.views.problems.bad_request"
