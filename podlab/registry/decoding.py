"""The first look at a body: is it the right kind, of the right types, without unknown fields?

Called by `creating` and `updating` with whatever a client sent. Source: apiserver/pkg/endpoints/handlers/create.go,
update.go, patch.go; apimachinery/pkg/runtime/serializer/json.
"""

from __future__ import annotations

import json

from podlab.apis import conversion, decode, field_errors, schema_check, scheme, status_errors
from podlab.apis.types import Manifest
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
}


def check_body(ctx: Context, given: Manifest) -> tuple[Manifest, tuple[str, ...]]:
    """The object as the server understands it, and warnings; refused (400) as `fieldValidation` says. `given` stays."""
    obj = dict(given)
    _check_kind(ctx, obj)
    wrong = schema_check.type_error(ctx.served, obj)
    if wrong:
        raise _unfit(ctx, wrong)
    problems = _problems(ctx, obj)
    if problems and ctx.options.field_validation == STRICT:
        raise _unfit(ctx, schema_check.strict_message(problems))
    return conversion.to_stored(ctx.served, schema_check.drop_unknown(ctx.served, obj)), _warnings(problems)


def check_patched(ctx: Context, obj: Manifest) -> tuple[Manifest, tuple[str, ...]]:
    """The same for an object that a patch produced; the refusal is a 422 that quotes it."""
    wrong = _patched_kind_error(ctx, obj) or schema_check.type_error(ctx.served, obj)
    if wrong:
        raise _patch_invalid(obj, wrong)
    problems = _problems(ctx, obj)
    if problems and ctx.options.field_validation == STRICT:
        raise _patch_invalid(obj, schema_check.strict_message(problems))
    return conversion.to_stored(ctx.served, schema_check.drop_unknown(ctx.served, obj)), _warnings(problems)


def _unfit(ctx: Context, problem: str) -> status_errors.ApiError:
    kind, version = ctx.served.kind, ctx.served.api_version
    return status_errors.bad_request(schema_check.cannot_be_handled(kind, version, problem))


def _problems(ctx: Context, obj: Manifest) -> list[str]:
    if ctx.options.field_validation not in (STRICT, WARN):
        return []
    return schema_check.strict_errors(ctx.served, obj, ctx.options.duplicates)


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
    kind, api_version = obj.get("kind"), obj.get("apiVersion")
    if (kind, api_version) == (ctx.served.kind, ctx.served.api_version):
        return ""
    return f'no kind "{kind}" is registered for version "{api_version}" in scheme "{_GO_SCHEME}"'


def _patch_invalid(obj: Manifest, text: str) -> status_errors.ApiError:
    quoted = field_errors.go_json(obj)
    return status_errors.invalid("", "", [field_errors.invalid("patch", quoted, text)])
