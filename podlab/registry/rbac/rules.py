"""One rule of a role: what it allows, and whether some rules cover others. Pure.

Sources: pkg/apis/rbac/v1/evaluation_helpers.go, component-helpers/auth/rbac/validation/policy_comparator.go,
pkg/registry/rbac/validation/policy_compact.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from podlab.apis.field_errors import go_quote
from podlab.apis.types import Manifest

ALL = "*"


@dataclass(frozen=True, slots=True)
class Rule:
    """`names` empty = objects of any name."""

    verbs: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    urls: tuple[str, ...] = ()

    def manifest(self) -> Manifest:
        parts = {
            "verbs": self.verbs,
            "apiGroups": self.groups,
            "resources": self.resources,
            "resourceNames": self.names,
            "nonResourceURLs": self.urls,
        }
        return {field: list(values) for field, values in parts.items() if values}


EVERYTHING = (Rule((ALL,), (ALL,), (ALL,)), Rule((ALL,), urls=(ALL,)))


def read(given: Iterable[Manifest] | None) -> tuple[Rule, ...]:
    """The rules of a role as it is stored."""
    fields = ("verbs", "apiGroups", "resources", "resourceNames", "nonResourceURLs")
    return tuple(Rule(*(tuple(rule.get(field) or ()) for field in fields)) for rule in given or ())


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A request as rules see it. `resource` is the plural alone."""

    verb: str
    group: str
    resource: str
    subresource: str = ""
    name: str = ""


def allows(rule: Rule, wish: Wish) -> bool:
    return (
        (ALL in rule.verbs or wish.verb in rule.verbs)
        and (ALL in rule.groups or wish.group in rule.groups)
        and _resource_matches(rule, wish)
        and (not rule.names or wish.name in rule.names)
    )


def _resource_matches(rule: Rule, wish: Wish) -> bool:
    what = f"{wish.resource}/{wish.subresource}" if wish.subresource else wish.resource
    if ALL in rule.resources or what in rule.resources:
        return True
    return bool(wish.subresource) and f"{ALL}/{wish.subresource}" in rule.resources


def allows_path(rule: Rule, verb: str, path: str) -> bool:
    return (ALL in rule.verbs or verb in rule.verbs) and any(_url_covers(url, path) for url in rule.urls)


def _url_covers(url: str, path: str) -> bool:
    return url == path or (url.endswith(ALL) and path.startswith(url.rstrip(ALL)))


def breakdown(rules: Iterable[Rule]) -> Iterator[Rule]:
    """The same as rules of one verb on one resource of one name each."""
    for rule in rules:
        for group in rule.groups:
            for resource in rule.resources:
                for verb in rule.verbs:
                    one = Rule((verb,), (group,), (resource,))
                    yield from (replace(one, names=(name,)) for name in rule.names) if rule.names else (one,)
        for url in rule.urls:
            for verb in rule.verbs:
                yield Rule((verb,), urls=(url,))


def size(rules: Iterable[Rule]) -> int:
    """How many parts a breakdown has."""
    return sum(
        len(rule.verbs) * (len(rule.groups) * len(rule.resources) * max(1, len(rule.names)) + len(rule.urls))
        for rule in rules
    )


class Owned:
    """Rules that somebody has, found by verb and resource: of many, few are about the part that is asked for."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._known: dict[tuple[str, str], list[Rule]] = {}
        for rule in rules:
            for verb in rule.verbs:
                for resource in rule.resources or ("",):
                    self._known.setdefault((verb, resource), []).append(rule)

    def cover(self, part: Rule) -> bool:
        """Whether one of them gives all that a part of a `breakdown` gives."""
        resource = part.resources[0] if part.resources else ""
        below = f"{ALL}/{resource.partition('/')[2]}"
        keys = ((verb, name) for verb in {*part.verbs, ALL} for name in {resource, ALL, below, ""})
        return any(covers(rule, part) for key in keys for rule in self._known.get(key, ()))


def covers(owned: Rule, part: Rule) -> bool:
    """Whether a rule gives all that a part of a `breakdown` gives."""
    return (
        _all_in(part.verbs, owned.verbs)
        and _all_in(part.groups, owned.groups)
        and _resources_cover(owned.resources, part.resources)
        and (not owned.names or (bool(part.names) and set(part.names) <= set(owned.names)))
        and all(any(_url_covers(url, path) for url in owned.urls) for path in part.urls)
    )


def _all_in(part: Sequence[str], owned: Sequence[str]) -> bool:
    return ALL in owned or set(part) <= set(owned)


def _resources_cover(owned: Sequence[str], part: Sequence[str]) -> bool:
    if _all_in(part, owned):
        return True
    return all(path in owned or ("/" in path and f"{ALL}/{path.partition('/')[2]}" in owned) for path in part)


def compact(parts: Iterable[Rule]) -> list[Rule]:
    """Parts that differ by their verb only, as one rule."""
    simple: dict[tuple[tuple[str, ...], tuple[str, ...]], Rule] = {}
    others = []
    for part in parts:
        if part.names or part.urls:
            others.append(part)
            continue
        before = simple.get((part.groups, part.resources))
        simple[part.groups, part.resources] = (
            replace(before, verbs=(*before.verbs, *part.verbs)) if before is not None else part
        )
    return [*others, *simple.values()]


def text(rule: Rule) -> str:
    """As refusals print it: {APIGroups:[""], Resources:["pods"], Verbs:["get"]}."""
    parts = (
        ("APIGroups", rule.groups),
        ("Resources", rule.resources),
        ("NonResourceURLs", rule.urls),
        ("ResourceNames", rule.names),
        ("Verbs", rule.verbs),
    )
    return "{" + ", ".join(f"{name}:{go_list(values)}" for name, values in parts if values) + "}"


def go_list(values: Iterable[str]) -> str:
    """The %q verb of Go for a slice."""
    return "[" + " ".join(go_quote(value) for value in values) + "]"
