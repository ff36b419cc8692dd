"""What the API port answers."""

from __future__ import annotations

from podlab.apiserver.urls import server_urlpatterns

urlpatterns = server_urlpatterns
