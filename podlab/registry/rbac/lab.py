"""The lab's own roles as rules: what the grants allow, read off them kind by kind. Pure.

`policy` lets bindings refer to them as ClusterRoles (podlab:student), `roles` shows them, `rights` tells a person's.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from podlab.apis import scheme
from podlab.registry import grants
from podlab.registry.grants import ADMIN, INSTRUCTOR, STUDENT, VIEWER, Attributes, Grant, Subject
from podlab.registry.rbac import bootstrap
from podlab.registry.rbac.rules import EVERYTHING, Rule

PREFIX = "podlab:"
ROLES = (ADMIN, INSTRUCTOR, STUDENT, VIEWER)
_SOMEWHERE = "default"  # the roles are the same in every namespace


@cache
def rules_of(role: str) -> tuple[Rule, ...]:
    """The rules of the ClusterRole that stands for a role of the lab."""
    if role in (ADMIN, INSTRUCTOR):
        return EVERYTHING
    granted = rules(_Holder((Grant(role),)), "", _SOMEWHERE)
    return (*granted, bootstrap.DISCOVERY)


class _Holder:
    """Somebody who has nothing but grants."""

    name = home = ""
    groups: tuple[str, ...] = ()

    def __init__(self, given: tuple[Grant, ...]) -> None:
        self.grants = given


def rules(who: Subject, cluster: str, namespace: str) -> tuple[Rule, ...]:
    """What the grants of `who` allow in a namespace on what is served, cluster-scoped kinds included."""
    joined: dict[tuple[tuple[str, ...], str], list[str]] = {}
    for group, resource, verbs in _permitted(who, cluster, namespace):
        joined.setdefault((verbs, group), []).append(resource)
    return tuple(Rule(verbs, (group,), tuple(resources)) for (verbs, group), resources in joined.items())


def _permitted(who: Subject, cluster: str, namespace: str) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """(group, resource or resource/subresource, verbs) of everything that is served."""
    for resource in scheme.RESOURCES:
        place = namespace if resource.namespaced else ""
        for name, verbs in [("", resource.verbs), *((sub.name, sub.verbs) for sub in resource.subresources)]:
            allowed = tuple(
                verb
                for verb in verbs
                if grants.permit(
                    who,
                    Attributes(verb=verb, resource=resource.key, cluster=cluster, namespace=place, subresource=name),
                )
            )
            if allowed:
                yield resource.group, f"{resource.plural}/{name}" if name else resource.plural, allowed
