"""Nobody gives away more than he has: who writes a role or a binding holds all its rules already, or may escalate or bind.
And what podlab itself shows among roles and bindings is not written at all.

The strategies of the four kinds call `check` at every write, before validation. Sources: pkg/registry/rbac/{role,clusterrole,
rolebinding,clusterrolebinding}/policybased/storage.go, escalation_check.go, helpers.go, validation/rule.go.
"""

from __future__ import annotations

from collections.abc import Sequence

from podlab.apis import status_errors
from podlab.apis.field_errors import go_quote, too_many
from podlab.apis.kinds_rbac import CLUSTER_ROLES, RBAC, ROLES
from podlab.apis.types import Manifest
from podlab.registry import grants, metadata
from podlab.registry.grants import Attributes
from podlab.registry.operations import Context
from podlab.registry.rbac import bootstrap, lab, policies
from podlab.registry.rbac.policy import Policy, aggregate
from podlab.registry.rbac.rules import EVERYTHING, Owned, Rule, breakdown, compact, go_list, read, size, text

_MOST_PARTS = 10_000  # rights on one verb, group, resource and name each
_NOT_CHANGED = ("ownerReferences", "finalizers", "managedFields")
_AGGREGATION = "must have cluster-admin privileges to use the aggregationRule"
_MANAGED = "it is managed by podlab and cannot be changed: roles are given and taken with `manage.py grant`"


def check(ctx: Context, obj: Manifest, old: Manifest | None) -> None:
    """ApiError 403 unless the caller may write this; 404 for a binding to a role that is not there. A name that is still to
    be generated is told as none."""
    if grants.run_cluster(ctx.client.actor, ctx.client.cluster):
        return
    if ctx.resource in (ROLES, CLUSTER_ROLES):
        _check_role(ctx, obj, old)
    else:
        _check_binding(ctx, obj, old)


def refuse_managed(ctx: Context, name: str) -> None:
    """The names of what podlab shows without storing it."""
    if is_managed(ctx.resource.key, name):
        raise status_errors.forbidden(ctx.resource, name, _MANAGED)


def is_managed(resource: str, name: str) -> bool:
    return name.startswith(lab.PREFIX) or (grants.is_cluster_scoped(resource) and name in bootstrap.NAMES)


def _check_role(ctx: Context, obj: Manifest, old: Manifest | None) -> None:
    if _may(ctx, "escalate", ctx.resource.key, ctx.name):
        return
    if old is not None and _only_collected(obj, old):
        return
    policy = policies.of(ctx.client.cluster)
    _confirm(ctx, policy, read(obj.get("rules")), metadata.name_of(obj))
    if (_gathers(obj) or _gathers(old or {})) and _missing(ctx, policy, EVERYTHING):
        raise status_errors.forbidden(ctx.resource, metadata.name_of(obj), _AGGREGATION)


def _gathers(role: Manifest) -> bool:
    return bool((role.get("aggregationRule") or {}).get("clusterRoleSelectors"))


def _check_binding(ctx: Context, obj: Manifest, old: Manifest | None) -> None:
    if old is not None and _only_collected(obj, old):
        return
    reference = obj.get("roleRef") or {}
    kind, name, group = (str(reference.get(field) or "") for field in ("kind", "name", "apiGroup"))
    if kind in ("Role", "ClusterRole") and _may(ctx, "bind", f"{kind.lower()}s.{group or RBAC}", name):
        return
    if kind not in ("Role", "ClusterRole"):
        raise status_errors.plain_failure(f"unsupported role reference kind: {go_quote(kind)}")
    policy = policies.of(ctx.client.cluster)
    rules = policy.rules_of(kind, name, ctx.namespace)
    if rules is None:
        raise status_errors.not_found(
            ctx.resource, name
        )  # the store names the resource of the request, whatever it read
    _confirm(ctx, policy, rules, metadata.name_of(obj))


def _only_collected(obj: Manifest, old: Manifest) -> bool:
    """Whether nothing changes but what the garbage collector needs (IsOnlyMutatingGCFields)."""
    return _kept(obj) == _kept(old)


def _kept(obj: Manifest) -> Manifest:
    meta = {name: value for name, value in metadata.of(obj).items() if value and name not in _NOT_CHANGED}
    return {**{name: value for name, value in obj.items() if value}, "metadata": meta}


def _may(ctx: Context, verb: str, resource: str, name: str) -> bool:
    """Whether the caller may `escalate` or `bind`, in the namespace of the write whatever the scope of the role."""
    who, cluster = ctx.client.actor, ctx.client.cluster
    wanted = Attributes(verb=verb, resource=resource, cluster=cluster, namespace=ctx.namespace, name=name)
    return grants.permit(who, wanted) or policies.of(cluster).allows_in(who, wanted, ctx.namespace)


def _confirm(ctx: Context, policy: Policy, rules: Sequence[Rule], name: str) -> None:
    """ConfirmNoEscalation. Lists multiply, so that a short role may say more than anybody could look through."""
    count = size(rules)
    if count > _MOST_PARTS:
        field = "rules" if ctx.resource in (ROLES, CLUSTER_ROLES) else "roleRef"
        raise status_errors.invalid(ctx.resource, name, [too_many(field, count, _MOST_PARTS)])
    missing = _missing(ctx, policy, rules)
    if not missing:
        return
    who = ctx.client.actor
    told = "\n".join(sorted({text(rule) for rule in compact(missing)}))
    head = f"user {go_quote(who.name)} (groups={go_list(who.groups)})"
    detail = f"{head} is attempting to grant RBAC permissions not currently held:\n{told}"
    problems = [f"{ctx.resource.key} {go_quote(role)} not found" for _kind, role in policy.lost(who, ctx.namespace)]
    if problems:
        detail += f"; resolution errors: [{aggregate(list(dict.fromkeys(problems)))}]"
    raise status_errors.forbidden(ctx.resource, name, detail)


def _missing(ctx: Context, policy: Policy, rules: Sequence[Rule]) -> list[Rule]:
    """What of the rules the caller does not have where they are to count."""
    owned = Owned(policy.held(ctx.client.actor, ctx.namespace))
    return [part for part in breakdown(rules) if not _granted(ctx, part) and not owned.cover(part)]


def _granted(ctx: Context, part: Rule) -> bool:
    """Whether the lab's grants give it."""
    who, cluster = ctx.client.actor, ctx.client.cluster
    if not part.resources:
        return grants.run_cluster(who, cluster)
    (verb,), (group,), (resource,) = part.verbs, part.groups, part.resources
    plural, _, subresource = resource.partition("/")
    key = f"{plural}.{group}" if group else plural
    wanted = Attributes(verb=verb, resource=key, cluster=cluster, namespace=ctx.namespace, subresource=subresource)
    return grants.hold(who, cluster, ctx.namespace, wanted)
