"""Roles and bindings. Names are looked at by `names.stored_segment`.

Source: pkg/apis/rbac/validation/validation.go of Kubernetes 1.36.
"""

from __future__ import annotations

from collections.abc import Sequence

from podlab.apis import names
from podlab.apis.field_errors import invalid, not_supported, required
from podlab.apis.kinds_rbac import RBAC
from podlab.apis.types import Manifest
from podlab.apis.validation.rules import Errors, by_rule, label_selector

_GO_FIELDS = (("APIGroup", "apiGroup"), ("Kind", "kind"), ("Name", "name"))


def role(obj: Manifest) -> Errors:
    yield from _rules(obj, namespaced=True)


def cluster_role(obj: Manifest) -> Errors:
    yield from _rules(obj, namespaced=False)
    aggregation = obj.get("aggregationRule")
    if aggregation is None:
        return
    path, selectors = "aggregationRule.clusterRoleSelectors", aggregation.get("clusterRoleSelectors") or []
    if not selectors:
        yield required(path, "at least one clusterRoleSelector required if aggregationRule is non-nil")
    for index, selector in enumerate(selectors):
        found = list(label_selector(f"{path}[{index}]", selector))
        yield from found
        if found:  # what is wrong with it keeps it from becoming a selector, which is told once more, without its value
            yield invalid(f"{path}[{index}]", None, "invalid label selector.")


def _rules(obj: Manifest, *, namespaced: bool) -> Errors:
    for index, rule in enumerate(obj.get("rules") or []):
        yield from _rule(f"rules[{index}]", rule, namespaced=namespaced)


def _rule(path: str, rule: Manifest, *, namespaced: bool) -> Errors:
    if not rule.get("verbs"):
        yield required(f"{path}.verbs", "verbs must contain at least one value")
    urls = rule.get("nonResourceURLs") or []
    if urls:
        if namespaced:
            yield invalid(f"{path}.nonResourceURLs", urls, "namespaced rules cannot apply to non-resource URLs")
        if any(rule.get(field) for field in ("apiGroups", "resources", "resourceNames")):
            detail = "rules cannot apply to both regular resources and non-resource URLs"
            yield invalid(f"{path}.nonResourceURLs", urls, detail)
        return
    if not rule.get("apiGroups"):
        yield required(f"{path}.apiGroups", "resource rules must supply at least one api group")
    if not rule.get("resources"):
        yield required(f"{path}.resources", "resource rules must supply at least one resource")


def role_binding(obj: Manifest) -> Errors:
    yield from _reference(obj.get("roleRef") or {}, ("Role", "ClusterRole"))
    yield from _subjects(obj, namespaced=True)


def cluster_role_binding(obj: Manifest) -> Errors:
    yield from _reference(obj.get("roleRef") or {}, ("ClusterRole",))
    yield from _subjects(obj, namespaced=False)


def _reference(reference: Manifest, kinds: Sequence[str]) -> Errors:
    group, kind, name = (reference.get(field) or "" for field in ("apiGroup", "kind", "name"))
    if group != RBAC:
        yield not_supported("roleRef.apiGroup", group, [RBAC])
    if kind not in kinds:
        yield not_supported("roleRef.kind", kind, kinds)
    if not name:
        yield required("roleRef.name")
    else:
        yield from by_rule("roleRef.name", name, names.path_segment)


def _subjects(obj: Manifest, *, namespaced: bool) -> Errors:
    for index, subject in enumerate(obj.get("subjects") or []):
        yield from _subject(f"subjects[{index}]", subject, namespaced=namespaced)


def _subject(path: str, subject: Manifest, *, namespaced: bool) -> Errors:
    kind, name, group = (subject.get(field) or "" for field in ("kind", "name", "apiGroup"))
    if not name:
        yield required(f"{path}.name")
    if kind == "ServiceAccount":
        if name:
            yield from by_rule(f"{path}.name", name, names.dns_subdomain)
        if group:
            yield not_supported(f"{path}.apiGroup", group, [""])
        if not namespaced and not subject.get("namespace"):
            yield required(f"{path}.namespace")
    elif kind in ("User", "Group"):
        if group != RBAC:
            yield not_supported(f"{path}.apiGroup", group, [RBAC])
    else:
        yield not_supported(f"{path}.kind", kind, ["ServiceAccount", "User", "Group"])


def same_reference(new: Manifest, old: Manifest) -> Errors:
    """A binding keeps its role. Quoted in the internal form, whose fields have no names in JSON."""
    present, before = (
        {go: (obj.get("roleRef") or {}).get(field) or "" for go, field in _GO_FIELDS} for obj in (new, old)
    )
    if present != before:
        yield invalid("roleRef", present, "cannot change roleRef")
