"""All routes. Kubernetes' own paths belong to `apiserver`, people's to `web`."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver

urlpatterns: list[URLPattern | URLResolver] = []
