"""What the authorizer's decisions look like from outside: one answer, or the list of all that somebody may do. Pure.

`reviews` shows them to `kubectl auth can-i`, `roles` as rbac objects.
"""

from __future__ import annotations

from collections.abc import Iterator

from podlab.apis import scheme
from podlab.apis.types import Manifest
from podlab.registry import authorizer
from podlab.registry.authorizer import EVERYTHING, MASTERS, Attributes, Subject

VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")
# What everybody may read who may enter a cluster at all (Kubernetes' ClusterRole system:discovery).
OPEN_PATHS = ("/api", "/api/*", "/apis", "/apis/*", "/healthz", "/livez", "/openapi", "/openapi/*", "/readyz", "/version",
              "/version/")  # fmt: skip
_EVERYTHING: Manifest = {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}


def decision(who: Subject, cluster: str, spec: Manifest) -> Manifest:
    """The status of an access review."""
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
    return {"allowed": authorizer.permits(who, request)}


def may_path(who: Subject, cluster: str, verb: str, path: str) -> bool:
    if is_unlimited(who, cluster):
        return True
    open_ = any(path == known or (known.endswith("*") and path.startswith(known[:-1])) for known in OPEN_PATHS)
    return open_ and verb == "get" and authorizer.sees_cluster(who, cluster)


def rules(who: Subject, cluster: str, namespace: str) -> Manifest:
    """The status of a rules review: what `who` may do in a namespace, cluster-scoped kinds included."""
    if is_unlimited(who, cluster):
        paths = [{"verbs": ["*"], "nonResourceURLs": ["*"]}]
        return {"resourceRules": [_EVERYTHING], "nonResourceRules": paths, "incomplete": False}
    joined: dict[tuple[tuple[str, ...], str], list[str]] = {}
    for group, resource, verbs in _permitted(who, cluster, namespace):
        joined.setdefault((verbs, group), []).append(resource)
    return {
        "resourceRules": [
            {"verbs": list(verbs), "apiGroups": [group], "resources": resources}
            for (verbs, group), resources in joined.items()
        ],
        "nonResourceRules": [{"verbs": ["get"], "nonResourceURLs": list(OPEN_PATHS)}],
        "incomplete": False,
    }


def _permitted(who: Subject, cluster: str, namespace: str) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """(group, resource or resource/subresource, verbs) of everything that is served."""
    for resource in scheme.RESOURCES:
        place = namespace if resource.namespaced else ""
        for name, verbs in [("", resource.verbs), *((sub.name, sub.verbs) for sub in resource.subresources)]:
            allowed = tuple(
                verb
                for verb in verbs
                if authorizer.permits(
                    who,
                    Attributes(verb=verb, resource=resource.key, cluster=cluster, namespace=place, subresource=name),
                )
            )
            if allowed:
                yield resource.group, f"{resource.plural}/{name}" if name else resource.plural, allowed


def is_unlimited(who: Subject, cluster: str) -> bool:
    """Whether `who` is never refused in a cluster."""
    everywhere = (EVERYTHING, cluster)
    return MASTERS in who.groups or any(
        grant.role in (authorizer.ADMIN, authorizer.INSTRUCTOR)
        and grant.namespace == EVERYTHING
        and grant.cluster in everywhere
        for grant in who.grants
    )
