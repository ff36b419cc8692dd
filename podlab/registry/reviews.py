"""Who am I, and may I? Kinds that are created and answered in one go. Called by `client.Client.create`.

The answers come from the authorizer that decides every other request, so they are true by construction.
Sources: pkg/registry/{authentication,authorization}, pkg/apis/authorization/validation/validation.go.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from podlab.apis import field_errors, status_errors, times
from podlab.apis.field_errors import FieldError
from podlab.apis.types import Manifest
from podlab.registry import account_grants, account_tokens, authentication, decoding, identity, rights
from podlab.registry.identity import Identity
from podlab.registry.operations import Context, Written, copy_of

_OLD_VERSION = "authentication.k8s.io/v1beta1"  # of kubectl 1.27
_ONE_OF = "exactly one of nonResourceAttributes or resourceAttributes must be specified"
_SOMEBODY = "at least one of user or group must be specified"


def serves(key: str) -> bool:
    return key in _ANSWERS


def answer(ctx: Context, given: Manifest) -> Written:
    """The review with its status. Nothing is stored."""
    version = given.get("apiVersion")
    is_old = ctx.resource.kind == "SelfSubjectReview" and version == _OLD_VERSION
    obj, warnings = decoding.check_body(ctx, {**given, "apiVersion": ctx.resource.api_version} if is_old else given)
    obj = copy_of(obj)
    meta: Manifest = dict(obj.get("metadata") or {})
    if ctx.resource.namespaced:
        meta["namespace"] = ctx.namespace
    obj["metadata"] = {name: value for name, value in meta.items() if value not in (None, "")}
    obj["status"] = _ANSWERS[ctx.resource.key](ctx, obj)
    if is_old:
        obj["apiVersion"] = _OLD_VERSION
    return Written(obj, warnings, created=True)


def _self(ctx: Context, review: Manifest) -> Manifest:
    review["metadata"]["creationTimestamp"] = times.rfc3339(ctx.now)
    return {"userInfo": _user(ctx.client.actor)}


def _user(who: Identity) -> Manifest:
    found: Manifest = {"username": who.name}
    if who.uid:
        found["uid"] = who.uid
    if who.groups:
        found["groups"] = list(who.groups)
    if who.extra:
        found["extra"] = {name: list(values) for name, values in who.extra}
    return found


def _token(ctx: Context, review: Manifest) -> Manifest:
    spec = review.get("spec") or {}
    raw = spec.get("token") or ""
    if not raw:
        raise status_errors.bad_request("token is required for TokenReview in authentication")
    wanted = spec.get("audiences") or [account_tokens.ISSUER]
    who, audiences = _holder(ctx, raw)
    if who is None:
        return {"user": {}, "error": "invalid bearer token"}
    shared = [audience for audience in wanted if audience in audiences]
    if not shared:
        return {
            "user": {},
            "error": f"token audiences {_go(audiences)} is invalid for the target audiences {_go(wanted)}",
        }
    return {"authenticated": True, "user": _user(who), "audiences": shared}


def _holder(ctx: Context, raw: str) -> tuple[Identity | None, Sequence[str]]:
    """Tokens of another cluster mean nothing here."""
    if not account_tokens.is_one(raw):
        return identity.by_token(raw), [account_tokens.ISSUER]
    found = authentication.account(raw, now_of=lambda _: ctx.now)
    if found is None or found.cluster != ctx.client.cluster:
        return None, []
    return found.identity, found.audiences


def _go(values: Sequence[str]) -> str:
    return "[" + " ".join(field_errors.go_quote(value) for value in values) + "]"


def _self_access(ctx: Context, review: Manifest) -> Manifest:
    spec = review.get("spec") or {}
    _refuse(_attribute_errors(spec))
    return rights.decision(ctx.client.actor, ctx.client.cluster, spec)


def _access(ctx: Context, review: Manifest) -> Manifest:
    spec = review.get("spec") or {}
    _refuse([*_attribute_errors(spec), *_subject_errors(spec)])
    return rights.decision(_named(ctx, spec), ctx.client.cluster, spec)


def _local_access(ctx: Context, review: Manifest) -> Manifest:
    spec = review.get("spec") or {}
    errors = [*_attribute_errors(spec), *_subject_errors(spec)]
    attributes = spec.get("resourceAttributes")
    if spec.get("nonResourceAttributes"):
        detail = "disallowed on this kind of request"
        errors.append(field_errors.invalid("spec.nonResourceAttributes", spec["nonResourceAttributes"], detail))
    elif attributes and attributes.get("namespace") != ctx.namespace:
        detail = "must match metadata.namespace"
        errors.append(field_errors.invalid("spec.resourceAttributes.namespace", attributes.get("namespace"), detail))
    _refuse(errors)
    return rights.decision(_named(ctx, spec), ctx.client.cluster, spec)


def _rules(ctx: Context, review: Manifest) -> Manifest:
    namespace = (review.get("spec") or {}).get("namespace") or ""
    if not namespace:
        raise status_errors.bad_request("no namespace on request")
    review["spec"] = {}  # the answer does not repeat the question
    return rights.rules(ctx.client.actor, ctx.client.cluster, namespace)


def _named(ctx: Context, spec: Manifest) -> Identity:
    """Whom an access review is about."""
    user, groups = spec.get("user") or "", spec.get("groups") or []
    return account_grants.asked_about(ctx.client.cluster, user, groups) or identity.by_name(user, groups)


def _attribute_errors(spec: Manifest) -> list[FieldError]:
    about, path = spec.get("resourceAttributes"), spec.get("nonResourceAttributes")
    if about is not None and path is not None:
        detail = "cannot be specified in combination with resourceAttributes"
        return [field_errors.invalid("spec.nonResourceAttributes", path, detail)]
    if about is None and path is None:
        return [field_errors.invalid("spec.resourceAttributes", None, _ONE_OF)]
    return []


def _subject_errors(spec: Manifest) -> list[FieldError]:
    if spec.get("user") or spec.get("groups"):
        return []
    return [field_errors.invalid("spec.user", "", _SOMEBODY)]


def _refuse(errors: Sequence[FieldError]) -> None:
    """Kubernetes leaves the kind out of these."""
    if errors:
        raise status_errors.invalid(".authorization.k8s.io", "", errors)


_Answer = Callable[[Context, Any], Manifest]
_ANSWERS: dict[str, _Answer] = {
    "selfsubjectreviews.authentication.k8s.io": _self,
    "tokenreviews.authentication.k8s.io": _token,
    "localsubjectaccessreviews.authorization.k8s.io": _local_access,
    "selfsubjectaccessreviews.authorization.k8s.io": _self_access,
    "selfsubjectrulesreviews.authorization.k8s.io": _rules,
    "subjectaccessreviews.authorization.k8s.io": _access,
}
