"""All routes. Kubernetes' own paths belong to `apiserver`, people's to `web`."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from podlab.apiserver.urls import urlpatterns as kubernetes
from podlab.ops.metrics import metrics
from podlab.web.urls import urlpatterns as pages

urlpatterns: list[URLPattern | URLResolver] = [path("metrics", metrics), *kubernetes, *pages]
handler400 = "podlab.web.views.problems.bad_request"
