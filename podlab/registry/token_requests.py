"""serviceaccounts/token: a TokenRequest is checked and answered with a token. Called by `client.Client.create_token`.

Source: pkg/registry/core/serviceaccount/storage/token.go, pkg/apis/authentication/validation/validation.go.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace as with_changes

from podlab.apis import field_errors, status_errors, times
from podlab.apis.field_errors import FieldError
from podlab.apis.kinds_reviews import TOKEN_REQUESTS
from podlab.apis.types import Key, Manifest
from podlab.registry import account_tokens, decoding, metadata
from podlab.registry.account_tokens import ISSUER, Terms
from podlab.registry.operations import Context
from podlab.storage import store

API_VERSION = "authentication.k8s.io/v1"
KIND = "TokenRequest"
_GROUP = "authentication.k8s.io"
_BINDABLE = {"Node": "nodes", "Pod": "pods", "Secret": "secrets"}  # what a token ends with
_DEFAULT_SECONDS = 3600
_MIN_SECONDS = 600
_MAX_SECONDS = 2**32


def answer(ctx: Context, given: Manifest) -> tuple[Manifest, tuple[str, ...]]:
    """The request with its token, and warnings about it. `ctx` names the service account."""
    body, warnings = _body(ctx, given)
    account = store.get(ctx.key)
    if account is None:
        raise status_errors.not_found(ctx.resource, ctx.name)
    told = metadata.of(body).get("uid")
    if told and told != account.uid:
        text = f"the UID in the token request ({told}) does not match the UID of the service account ({account.uid})"
        raise status_errors.conflict(f"{KIND}.{_GROUP}", ctx.name, text)
    spec = _checked_spec(body)
    seconds = spec["expirationSeconds"]
    bound = spec.get("boundObjectRef")
    terms = Terms(
        cluster=ctx.client.cluster,
        namespace=ctx.namespace,
        name=ctx.name,
        uid=account.uid,
        audiences=tuple(spec["audiences"]),
        bound=_bound(ctx, bound) if bound is not None else {},
    )
    token, end = account_tokens.issue(terms, now=ctx.now, seconds=seconds)
    answered: Manifest = {
        "kind": KIND,
        "apiVersion": API_VERSION,
        "metadata": {
            "name": ctx.name,
            "namespace": ctx.namespace,
            "uid": account.uid,
            "creationTimestamp": times.rfc3339(ctx.now),
        },
        "spec": spec,
        "status": {"token": token, "expirationTimestamp": times.rfc3339(end)},
    }
    return answered, warnings


def _body(ctx: Context, given: Manifest) -> tuple[Manifest, tuple[str, ...]]:
    """What it says of the account must be that of the URL."""
    as_request = with_changes(ctx, resource=TOKEN_REQUESTS)
    body, warnings = decoding.check_body(as_request, given)
    metadata.check_namespace(as_request, body)
    name = metadata.name_of(body)
    if name not in ("", ctx.name):
        wrong = field_errors.invalid("metadata.name", name, "must match the service account name if specified")
        raise status_errors.invalid(TOKEN_REQUESTS, ctx.name, [wrong])
    return body, warnings


def _checked_spec(given: Manifest) -> Manifest:
    spec = dict(given.get("spec") or {})
    spec["audiences"] = list(spec.get("audiences") or [ISSUER])
    if spec.get("expirationSeconds") is None:
        spec["expirationSeconds"] = _DEFAULT_SECONDS
    errors = _errors(spec["expirationSeconds"])
    if errors:
        raise status_errors.invalid(f"{KIND}.authentication.k8s.io", "", errors)
    return spec


def _errors(seconds: int) -> Sequence[FieldError]:
    path = "spec.expirationSeconds"
    if seconds < _MIN_SECONDS:
        return [field_errors.invalid(path, seconds, "may not specify a duration less than 10 minutes")]
    if seconds > _MAX_SECONDS:
        return [field_errors.invalid(path, seconds, "may not specify a duration larger than 2^32 seconds")]
    return []


def _bound(ctx: Context, reference: Manifest) -> dict[str, Manifest]:
    """{"name", "uid"} of what the token ends with by its kind in lower case; beside a pod, the node on which it is."""
    kind, api_version = reference.get("kind") or "", reference.get("apiVersion") or ""
    group, _, version = api_version.rpartition("/")
    name = reference.get("name") or ""
    plural = _BINDABLE.get(kind)
    if group or plural is None:
        raise status_errors.bad_request(f"cannot bind token to object of type {group}/{version}, Kind={kind}")
    cluster = ctx.client.cluster
    found = store.get(Key(cluster, plural, "" if kind == "Node" else ctx.namespace, name))
    if found is None:
        raise status_errors.not_found(plural, name)
    bound = {kind.lower(): {"name": name, "uid": found.uid}}
    if kind == "Pod":
        spec = found.obj.get("spec") or {}
        if spec.get("serviceAccountName") != ctx.name:
            raise status_errors.bad_request(
                f"cannot bind token for serviceaccount {field_errors.go_quote(ctx.name)} to pod running with different "
                "serviceaccount name."
            )
        if spec.get("nodeName"):
            node = store.get(Key(cluster, "nodes", "", spec["nodeName"]))
            bound["node"] = {"name": spec["nodeName"], **({"uid": node.uid} if node else {})}
    uid = reference.get("uid") or found.uid
    if uid != found.uid:
        text = (
            f"the UID in the bound object reference ({uid}) does not match the UID in record. "
            "The object might have been deleted and then recreated"
        )
        raise status_errors.conflict(kind, name, text)
    return bound
