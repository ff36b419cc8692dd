"""Kubernetes' paths. Those of cluster `main` stand at the root, those of any other under /clusters/<name>/.

`urlpatterns` may stand beside the pages of the web; `server_urlpatterns` adds what a Kubernetes API server answers at
all other paths, for a port of its own.
"""

from __future__ import annotations

from django.http import HttpRequest
from django.urls import URLPattern, re_path
from django.views.decorators.csrf import csrf_exempt

from podlab.apiserver import dispatch, responses
from podlab.apiserver.negotiation import Accept
from podlab.apiserver.responses import ApiResponse

PATHS = (
    r"(?P<path>(?:api|apis|openapi|version|healthz|livez|readyz)(?:/.*)?"
    r"|\.well-known/openid-configuration/?|openid/v1/jwks/?)$"
)

urlpatterns: list[URLPattern] = [
    re_path(rf"^{PATHS}", dispatch.api),
    re_path(rf"^clusters/(?P<cluster>[^/]+)/{PATHS}", dispatch.api),
]

_ROOT_PATHS = (
    "/.well-known/openid-configuration",
    "/api",
    "/api/v1",
    "/apis",
    "/healthz",
    "/livez",
    "/openapi/v2",
    "/openapi/v3",
    "/openid/v1/jwks",
    "/readyz",
    "/version",
)


async def root(request: HttpRequest) -> ApiResponse:
    return responses.from_data({"paths": list(_ROOT_PATHS)}, Accept())


@csrf_exempt
async def nothing_here(request: HttpRequest, path: str) -> ApiResponse:
    return responses.text(dispatch.NOT_FOUND_TEXT, code=404)


server_urlpatterns: list[URLPattern] = [
    re_path(r"^$", root),
    *urlpatterns,
    re_path(r"^(?P<path>.*)$", nothing_here),
]
