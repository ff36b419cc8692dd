"""What an API path means: pure, no Django.

`dispatch` calls `parse` with the path below the cluster's prefix and gets a Place back. Unknown places are refused with
the texts of Kubernetes' mux and request-info resolver (apiserver/pkg/endpoints/request/requestinfo.go).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache

from podlab.apis import scheme
from podlab.apis.scheme import Resource

# Below /api/v1/namespaces/<name>/ these are parts of the namespace itself, not resources inside it.
_NAMESPACE_PARTS = frozenset({"status", "finalize"})


@dataclass(frozen=True, slots=True)
class Place:
    """One collection, object or subresource. `name` is "" for a collection; `namespace` is "" across namespaces."""

    resource: Resource
    namespace: str = ""
    name: str = ""
    subresource: str = ""
    watch: bool = False  # the old /watch/ prefix


class NoSuchPath(Exception):
    """A path below a group that is served, at which nothing answers: Status 404."""


class NoSuchGroup(Exception):
    """A group that is not served at all; Kubernetes answers with a bare text."""


@cache
def groups() -> frozenset[str]:
    return frozenset(resource.group for resource in scheme.RESOURCES)


@lru_cache(64)  # names come from clients
def versions(group: str) -> tuple[str, ...]:
    """The served versions of a group, the preferred one first."""
    found = dict.fromkeys(resource.version for resource in scheme.RESOURCES if resource.group == group)
    return tuple(sorted(found, key=_priority))


def _priority(version: str) -> tuple[int, int, int]:
    """v2 before v1 before v1beta2 before v1alpha1 (apimachinery/pkg/version/helpers.go)."""
    digits, _, rest = version.removeprefix("v").partition("beta")
    if rest:
        return (1, -int(digits or 0), -int(rest))
    digits, _, rest = version.removeprefix("v").partition("alpha")
    if rest:
        return (2, -int(digits or 0), -int(rest))
    return (0, -int(digits) if digits.isdigit() else 0, 0)


def split(path: str) -> tuple[str, str, list[str]]:
    """ "/apis/apps/v1/namespaces/x/…" -> ("apps", "v1", ["namespaces", "x", …]); "/api/v1/…" -> ("", "v1", […])."""
    parts = path.removeprefix("/").split("/")
    if parts[0] == "api":
        group, version, rest = "", parts[1], parts[2:]
    else:
        group, version, rest = parts[1], parts[2], parts[3:]
        if group not in groups() or not group:
            raise NoSuchGroup(group)
    if version not in versions(group):
        raise NoSuchPath(path)
    return group, version, rest


# kubectl 1.27 asks who it is in a version of its own, which discovery does not list.
_OLD_PATHS = {
    "/apis/authentication.k8s.io/v1beta1/selfsubjectreviews": "/apis/authentication.k8s.io/v1/selfsubjectreviews"
}


def parse(path: str) -> Place:
    group, version, parts = split(_OLD_PATHS.get(path, path))
    watch = parts[:1] == ["watch"]
    if watch:
        parts = parts[1:]
    parts = _without_tail(parts)
    if not parts or not all(parts):
        raise NoSuchPath(path)
    namespace = ""
    if parts[0] == "namespaces" and len(parts) > 2 and not (len(parts) == 3 and parts[2] in _NAMESPACE_PARTS):
        namespace, parts = parts[1], parts[2:]
    resource = scheme.by_plural(group, version, parts[0])
    if resource is None or len(parts) > 3 or resource.namespaced is not _inside(resource, namespace, parts):
        raise NoSuchPath(path)
    name, subresource = (parts + ["", ""])[1:3]
    if subresource and resource.subresource(subresource) is None:
        raise NoSuchPath(path)
    return Place(resource, namespace, name, subresource, watch)


def _without_tail(parts: list[str]) -> list[str]:
    """What follows `/proxy` below an object is a path on the server behind it."""
    at = 4 if parts[:1] == ["namespaces"] else 2
    return parts[: at + 1] if parts[at : at + 1] == ["proxy"] else parts


def _inside(resource: Resource, namespace: str, parts: list[str]) -> bool:
    """Whether the path has the shape of a namespaced resource; a collection may also be asked for everywhere."""
    return bool(namespace) or (resource.namespaced and len(parts) == 1)
