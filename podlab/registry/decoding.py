"""The first look at a body: is it the right kind, of the right types, without unknown fields?

Called by `creating` and `updating` with whatever a client sent. Source: apiserver/pkg/endpoints/handlers/create.go,
update.go, patch.go; apimachinery/pkg/runtime/serializer/json.
"""

from __future__ import annotations

import json
from typing import Any

from podlab.apis import conversion, decode, field_errors, schema_check, scheme, status_errors
from podlab.apis.kinds_rbac import POLICY, RBAC
from podlab.apis.types import Manifest
from podlab.registry import metadata
from podlab.registry import patch as patches
from podlab.registry.operations import STRICT, WARN, Context

_GO_SCHEME = "pkg/api/legacyscheme/scheme.go:30"
_YAML_HEADLINE = "yaml: unmarshal errors:"

# Kinds that Kubernetes knows, served here or not: a wrong kind at an endpoint is answered by what it is.
_KINDS: dict[str, frozenset[str]] = {
    "v1": frozenset(
        {
            "Binding", "ConfigMap", "Endpoints", "Event", "LimitRange", "List", "Namespace", "Node",
            "PersistentVolume", "PersistentVolumeClaim", "Pod", "PodTemplate", "ReplicationController",
            "ResourceQuota", "Secret", "Service", "ServiceAccount",
        }
    ),
    "apps/v1": frozenset({"ControllerRevision", "DaemonSet", "Deployment", "ReplicaSet", "StatefulSet"}),
    "batch/v1": frozenset({"CronJob", "Job"}),
}  # fmt: skip


# Versions of before, which the reference still decodes: kind, then group versions.
_FORMER: dict[str, frozenset[str]] = {
    "Deployment": frozenset({"extensions/v1beta1", "apps/v1beta1", "apps/v1beta2"}),
    "ReplicaSet": frozenset({"extensions/v1beta1", "apps/v1beta2"}),
    "DaemonSet": frozenset({"extensions/v1beta1", "apps/v1beta2"}),
    "StatefulSet": frozenset({"apps/v1beta1", "apps/v1beta2"}),
    "ControllerRevision": frozenset({"apps/v1beta1", "apps/v1beta2"}),
    "CronJob": frozenset({"batch/v1beta1"}),
    "HorizontalPodAutoscaler": frozenset({"autoscaling/v1", "autoscaling/v2"}),
    "PodDisruptionBudget": frozenset({"policy/v1beta1"}),
    "EndpointSlice": frozenset({"discovery.k8s.io/v1beta1"}),
    "Event": frozenset({"v1", "events.k8s.io/v1", "events.k8s.io/v1beta1"}),
    "Lease": frozenset({"coordination.k8s.io/v1beta1"}),
    "PriorityClass": frozenset({"scheduling.k8s.io/v1beta1", "scheduling.k8s.io/v1alpha1"}),
    "RuntimeClass": frozenset({"node.k8s.io/v1beta1"}),
    "Ingress": frozenset({"extensions/v1beta1", "networking.k8s.io/v1beta1"}),
    "NetworkPolicy": frozenset({"extensions/v1beta1"}),
    **{kind.kind: frozenset({f"{RBAC}/v1alpha1", f"{RBAC}/v1beta1"}) for kind in POLICY},
}


def check_body(ctx: Context, given: Manifest) -> tuple[Manifest, tuple[str, ...]]:
    """The object as the server understands it, and warnings; refused (400) as `fieldValidation` says. `given` stays."""
    obj = dict(given)
    _check_kind(ctx, obj)
    wrong = schema_check.type_error(ctx.served, obj)
    if wrong:
        raise _unfit(ctx, wrong)
    problems = _problems(ctx, obj, ctx.options.duplicates, ctx.options.keys)
    if problems and ctx.options.field_validation == STRICT:
        raise _unfit(ctx, schema_check.strict_message(problems))
    return conversion.to_stored(ctx.served, schema_check.drop_unknown(ctx.served, obj)), _warnings(problems)


def patched(ctx: Context, obj: Manifest, patch_type: str, patch: Any) -> tuple[Manifest, tuple[str, ...]]:
    """The same for what a patch makes of an object; the refusal is a 422 that quotes the result, or the patch."""
    strict = ctx.options.field_validation in (STRICT, WARN)
    change = patches.compile(ctx.served, patch_type, patch, strict=strict)
    new = change.make(obj)
    if not change.quoted:
        new = _by_key(new)
    if not new.get("apiVersion") and not change.quoted:
        raise _without_version(ctx, new)
    wrong = _type_error_in_map(ctx, new) if change.quoted else _type_error(ctx, new)
    if wrong:
        raise _patch_invalid(change.quoted or field_errors.go_json(new), wrong)
    duplicates = ctx.options.duplicates
    if patch_type == patches.JSON_PATCH:
        duplicates = tuple(f"json patch {text}" for text in (*duplicates, *change.unknown))
    problems = _problems(ctx, new, duplicates)
    if change.quoted:
        problems = sorted(problems)
    if problems and ctx.options.field_validation == STRICT:
        quoted = change.quoted or field_errors.go_json(new)
        raise _patch_invalid(quoted, schema_check.strict_message(problems))
    return conversion.to_stored(ctx.served, schema_check.drop_unknown(ctx.served, new)), _warnings(problems)


def _by_key(value: Any) -> Any:
    """The patched document as the patch library writes it out again: maps by key."""
    if isinstance(value, dict):
        return {key: _by_key(value[key]) for key in sorted(value)}
    return [_by_key(item) for item in value] if isinstance(value, list) else value


def _without_version(ctx: Context, new: Manifest) -> status_errors.ApiError:
    """Without a version the result is decoded into the internal type, whose fields have no names in JSON."""
    wanted, kind = ctx.served, new.get("kind") or ctx.served.kind
    if kind != wanted.kind:
        version = f'the internal version of group "{wanted.group}"'
        text = f'no kind "{kind}" is registered for {version} in scheme "{_GO_SCHEME}"'
        return _patch_invalid(field_errors.go_json(new), text)
    unknown = [f'unknown field "{name}"' for name in sorted(new) if name not in ("kind", "apiVersion")]
    if ctx.options.field_validation == STRICT:
        return _patch_invalid(field_errors.go_json(new), schema_check.strict_message(unknown))
    error = metadata.unnamed(ctx)
    error.warnings = tuple(unknown) if ctx.options.field_validation == WARN else ()
    return error


def _type_error(ctx: Context, new: Manifest) -> str | None:
    return _patched_kind_error(ctx, new) or schema_check.type_error(ctx.served, new)


def _type_error_in_map(ctx: Context, new: Manifest) -> str | None:
    """A strategic patch is merged into a map that goes into the Go type of the endpoint, whatever its head says."""
    wrong = schema_check.type_error(ctx.served, new, from_map=True)
    new["kind"], new["apiVersion"] = ctx.served.kind, ctx.served.api_version
    return wrong


def _unfit(ctx: Context, problem: str) -> status_errors.ApiError:
    kind, version = ctx.served.kind, ctx.served.api_version
    return status_errors.bad_request(schema_check.cannot_be_handled(kind, version, problem))


def _problems(ctx: Context, obj: Manifest, duplicates: tuple[str, ...], keys: tuple[str, ...] = ()) -> list[str]:
    if ctx.options.field_validation not in (STRICT, WARN):
        return []
    return schema_check.strict_errors(ctx.served, obj, duplicates, keys)


def _warnings(problems: list[str]) -> tuple[str, ...]:
    """Warnings are one line each; the YAML decoder's text for duplicates has a headline of its own."""
    lines = [line.strip() for text in problems for line in text.splitlines()]
    return tuple(line for line in lines if line != _YAML_HEADLINE)


def _check_kind(ctx: Context, obj: Manifest) -> None:
    """Empty apiVersion and kind are filled in; others must be those of the endpoint."""
    wanted = ctx.served
    unreadable = decode.kind_problem(obj)
    if unreadable:
        raw = json.dumps(obj, ensure_ascii=False).encode()
        raise status_errors.bad_request(decode.unrecognised(wanted.kind, unreadable, raw))
    kind, api_version = obj.get("kind") or wanted.kind, obj.get("apiVersion") or wanted.api_version
    obj["kind"], obj["apiVersion"] = kind, api_version
    if (kind, api_version) == (wanted.kind, wanted.api_version):
        return
    if kind == wanted.kind and api_version in _FORMER.get(kind, ()):
        raise status_errors.bad_request(
            f"the API version in the data ({api_version}) does not match the expected API version ({wanted.api_version})"
        )
    detail = _kind_error(kind, api_version, wanted)
    raise status_errors.bad_request(schema_check.cannot_be_handled(kind, api_version, detail, wanted.kind))


def _kind_error(kind: str, api_version: str, wanted: scheme.Resource) -> str:
    if kind in _KINDS.get(api_version, ()) or scheme.by_kind(api_version, kind) is not None:
        internal = wanted.group.partition(".")[0] or "core"
        version = api_version.rpartition("/")[2]
        return f"converting ({version}.{kind}) to ({internal}.{wanted.kind}): unknown conversion"
    return f'no kind "{kind}" is registered for version "{api_version}" in scheme "{_GO_SCHEME}"'


def _patched_kind_error(ctx: Context, obj: Manifest) -> str:
    """A patch may take the kind away, which the endpoint knows anyway."""
    wanted = ctx.served
    kind, api_version = obj.get("kind") or wanted.kind, obj.get("apiVersion")
    if (kind, api_version) == (wanted.kind, wanted.api_version):
        obj["kind"] = kind
        return ""
    return _kind_error(str(kind), str(api_version), wanted)


def _patch_invalid(quoted: str, text: str) -> status_errors.ApiError:
    return status_errors.invalid("", "", [field_errors.invalid("patch", quoted, text)])
