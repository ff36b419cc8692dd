"""What the authorizer's decisions look like from outside: one answer, or the list of all that somebody may do.

`reviews` shows them to `kubectl auth can-i`.
"""

from __future__ import annotations

from podlab.apis.types import Manifest
from podlab.registry import authorizer, grants
from podlab.registry.authorizer import EVERYTHING, Attributes, Subject
from podlab.registry.rbac import lab, policies
from podlab.registry.rbac.bootstrap import DISCOVERY, ISSUER_DISCOVERY
from podlab.registry.rbac.policy import aggregate
from podlab.registry.rbac.rules import allows_path

_EVERYTHING: Manifest = {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}


def decision(who: Subject, cluster: str, spec: Manifest) -> Manifest:
    """The status of an access review: the answer, and what a binding has to do with it."""
    about = spec.get("resourceAttributes")
    if about is None:
        path = spec.get("nonResourceAttributes") or {}
        return {"allowed": may_path(who, cluster, path.get("verb") or "", path.get("path") or "")}
    plural, group = about.get("resource") or "", about.get("group") or ""
    key = f"{plural}.{group}" if group and plural != EVERYTHING else plural
    request = Attributes(
        verb=about.get("verb") or "",
        resource=key,
        cluster=cluster,
        namespace=about.get("namespace") or "",
        name=about.get("name") or "",
        subresource=about.get("subresource") or "",
    )
    if grants.permit(who, request):
        return {"allowed": True}
    policy = policies.of(cluster)
    by = policy.allowed_by(who, request)
    reason = by or policy.reason(who, request)
    return {"allowed": bool(by), "reason": reason} if reason else {"allowed": False}


def may_path(who: Subject, cluster: str, verb: str, path: str) -> bool:
    if is_unlimited(who, cluster):
        return True
    if allows_path(DISCOVERY, verb, path) and authorizer.sees_cluster(who, cluster):
        return True
    if _is_account_of(who, cluster) and allows_path(ISSUER_DISCOVERY, verb, path):
        return True
    return policies.of(cluster).allows_path(who, verb, path)


def _is_account_of(who: Subject, cluster: str) -> bool:
    return grants.ACCOUNTS in who.groups and who.home in ("", cluster)


def rules(who: Subject, cluster: str, namespace: str) -> Manifest:
    """The status of a rules review: what `who` may do in a namespace, cluster-scoped kinds included. First what the grants
    allow, kind by kind, then the rules of bindings as they are written."""
    if is_unlimited(who, cluster):
        paths = [{"verbs": ["*"], "nonResourceURLs": ["*"]}]
        return {"resourceRules": [_EVERYTHING], "nonResourceRules": paths, "incomplete": False}
    policy = policies.of(cluster)
    found = (*lab.rules(who, cluster, namespace), *policy.bound(who, namespace))
    own = (ISSUER_DISCOVERY,) if _is_account_of(who, cluster) else ()
    problems = policy.problems(who, namespace)
    review: Manifest = {
        "resourceRules": [rule.manifest() for rule in found if rule.resources],
        "nonResourceRules": [rule.manifest() for rule in (DISCOVERY, *own, *found) if rule.urls],
        "incomplete": False,  # as in Kubernetes, where no more than the error tells of a role that is not there
    }
    if problems:
        review["evaluationError"] = aggregate(problems)
    return review


def is_unlimited(who: Subject, cluster: str) -> bool:
    """Whether the lab never refuses `who` anything in a cluster."""
    return grants.run_cluster(who, cluster)
