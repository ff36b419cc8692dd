"""serviceaccounts/token: a TokenRequest is checked and answered with a token. Called by `client.Client.create_token`.

Source: pkg/registry/core/serviceaccount/storage/token.go, pkg/apis/authentication/validation/validation.go.
"""

from __future__ import annotations

from collections.abc import Sequence

from podlab.apis import field_errors, schema, schema_check, status_errors, times
from podlab.apis.field_errors import FieldError
from podlab.apis.types import Key, Manifest
from podlab.registry import account_tokens
from podlab.registry.account_tokens import ISSUER, Terms
from podlab.registry.operations import Context
from podlab.storage import store

API_VERSION = "authentication.k8s.io/v1"
KIND = "TokenRequest"
_DEFAULT_SECONDS = 3600
_MIN_SECONDS = 600
_MAX_SECONDS = 2**32


def answer(ctx: Context, given: Manifest) -> Manifest:
    """The request with its token. `ctx` names the service account."""
    account = store.get(ctx.key)
    if account is None:
        raise status_errors.not_found(ctx.resource, ctx.name)
    spec = _checked_spec(given)
    seconds = spec["expirationSeconds"]
    bound = spec.get("boundObjectRef")
    terms = Terms(
        cluster=ctx.client.cluster,
        namespace=ctx.namespace,
        name=ctx.name,
        uid=account.uid,
        audiences=tuple(spec["audiences"]),
        bound=_bound(ctx, bound) if bound else None,
    )
    token, end = account_tokens.issue(terms, now=ctx.now, seconds=seconds)
    return {
        "kind": KIND,
        "apiVersion": API_VERSION,
        "metadata": {"name": ctx.name, "namespace": ctx.namespace, "creationTimestamp": times.rfc3339(ctx.now)},
        "spec": spec,
        "status": {"token": token, "expirationTimestamp": times.rfc3339(end)},
    }


def _checked_spec(given: Manifest) -> Manifest:
    if (given.get("apiVersion") or API_VERSION, given.get("kind") or KIND) != (API_VERSION, KIND):
        raise status_errors.bad_request(f"the body is no {KIND} of {API_VERSION}")
    definition = schema.definition_of_kind(API_VERSION, KIND)
    wrong = schema_check.type_error(definition or "", given)
    if wrong:
        raise status_errors.bad_request(schema_check.cannot_be_handled(KIND, API_VERSION, wrong))
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


def _bound(ctx: Context, reference: Manifest) -> Manifest:
    """A token may be bound to a pod that runs as the account, and ends with it."""
    kind, api_version = reference.get("kind") or "", reference.get("apiVersion") or ""
    if (kind, api_version) != ("Pod", "v1"):
        raise status_errors.bad_request(f"cannot bind token to object of type {api_version}, Kind={kind}")
    name = reference.get("name") or ""
    pod = store.get(Key(ctx.client.cluster, "pods", ctx.namespace, name))
    if pod is None:
        raise status_errors.not_found("pods", name)
    if (pod.obj.get("spec") or {}).get("serviceAccountName") != ctx.name:
        raise status_errors.bad_request(
            f"cannot bind token for serviceaccount {field_errors.go_quote(ctx.name)} to pod running with different "
            "serviceaccount name."
        )
    uid = reference.get("uid") or pod.uid
    if uid != pod.uid:
        text = (
            f"the UID in the bound object reference ({uid}) does not match the UID in record. "
            "The object might have been deleted and then recreated"
        )
        raise status_errors.conflict("pods", name, text)
    return {"kind": kind, "name": name, "uid": uid}
