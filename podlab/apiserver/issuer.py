"""How others verify the tokens of service accounts: OpenID Connect discovery of the lab as their issuer.

`dispatch` sends /.well-known/openid-configuration and /openid/v1/jwks here, which every service account may read.
Sources: pkg/serviceaccount/openidmetadata.go, pkg/routes/openidmetadata.go.
"""

from __future__ import annotations

from django.http import HttpRequest

from podlab.apis import status_errors
from podlab.apiserver import calls, responses
from podlab.apiserver.responses import ApiResponse
from podlab.registry import account_tokens, authorizer, clusters, rights

_CONFIGURATION, _KEYS = PATHS = ("/.well-known/openid-configuration", "/openid/v1/jwks")
_MAX_AGE_SECONDS = 3600


def answer(request: HttpRequest, cluster: str, path: str) -> ApiResponse:
    """The configuration, or the keys. 401, 403 for who may not read it, 404 without such a cluster, 405."""
    who = calls.identify(request, cluster)
    if not rights.may_path(who, cluster, "get", path):
        raise authorizer.refuse_path(who, "get", path)
    clusters.get(cluster)
    if request.method != "GET":
        raise status_errors.method_not_allowed()
    body: dict[str, object]
    if path == _KEYS:
        body, content_type = {"keys": [account_tokens.public_key()]}, "application/jwk-set+json"
    else:
        body, content_type = _configuration(request, path), "application/json"
    response = responses.from_bytes(responses.dump(body), content_type=content_type)
    response["Cache-Control"] = f"public, max-age={_MAX_AGE_SECONDS}"
    return response


def _configuration(request: HttpRequest, path: str) -> dict[str, object]:
    """The keys are where the configuration is, by whatever name the client reached the server."""
    before = request.path.rstrip("/").removesuffix(path)
    return {
        "issuer": account_tokens.ISSUER,
        "jwks_uri": f"https://{request.headers.get('Host', '')}{before}{_KEYS}",
        "response_types_supported": ["id_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
    }
