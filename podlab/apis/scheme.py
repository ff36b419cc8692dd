"""Which kinds podlab serves, and how they are named.

The API server builds discovery from these entries, the registry looks up strategies by their key, and kubectl decides
a good deal from verbs and short names; they are therefore exactly Kubernetes' own, and a subresource that is not
served is not listed. Adding a kind = one entry here, one in the schema artefact, one strategy.
Source of the names: pkg/registry/core/rest and the discovery documents of Kubernetes 1.36.
"""

from __future__ import annotations

from dataclasses import dataclass

ALL_VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")


@dataclass(frozen=True, slots=True)
class Subresource:
    """A path below an object. `kind`, `group`, `version` name what is read and written there; empty `group` and
    `version` mean those of the resource."""

    name: str
    kind: str
    verbs: tuple[str, ...]
    group: str = ""
    version: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    group: str
    version: str
    kind: str
    plural: str
    singular: str
    namespaced: bool
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    verbs: tuple[str, ...] = ALL_VERBS
    subresources: tuple[Subresource, ...] = ()

    @property
    def key(self) -> str:
        """The group resource: "pods", "deployments.apps"."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def group_version(self) -> str:
        return self.api_version

    @property
    def list_kind(self) -> str:
        return f"{self.kind}List"

    @property
    def group_kind(self) -> str:
        """As error texts write it: "Pod", "Deployment.apps"."""
        return f"{self.kind}.{self.group}" if self.group else self.kind

    def subresource(self, name: str) -> Subresource | None:
        return next((item for item in self.subresources if item.name == name), None)


_STATUS = ("get", "patch", "update")

PODS = Resource(
    group="",
    version="v1",
    kind="Pod",
    plural="pods",
    singular="pod",
    namespaced=True,
    short_names=("po",),
    categories=("all",),
    subresources=(
        Subresource("binding", "Binding", ("create",)),
        Subresource("log", "Pod", ("get",)),
        Subresource("status", "Pod", _STATUS),
    ),
)
NAMESPACES = Resource(
    group="",
    version="v1",
    kind="Namespace",
    plural="namespaces",
    singular="namespace",
    namespaced=False,
    short_names=("ns",),
    verbs=("create", "delete", "get", "list", "patch", "update", "watch"),
    subresources=(
        Subresource("finalize", "Namespace", ("update",)),
        Subresource("status", "Namespace", _STATUS),
    ),
)
NODES = Resource(
    group="",
    version="v1",
    kind="Node",
    plural="nodes",
    singular="node",
    namespaced=False,
    short_names=("no",),
    subresources=(Subresource("status", "Node", _STATUS),),
)
EVENTS = Resource(
    group="", version="v1", kind="Event", plural="events", singular="event", namespaced=True, short_names=("ev",)
)
CONFIGMAPS = Resource(
    group="",
    version="v1",
    kind="ConfigMap",
    plural="configmaps",
    singular="configmap",
    namespaced=True,
    short_names=("cm",),
)
SECRETS = Resource(group="", version="v1", kind="Secret", plural="secrets", singular="secret", namespaced=True)
SERVICEACCOUNTS = Resource(
    group="",
    version="v1",
    kind="ServiceAccount",
    plural="serviceaccounts",
    singular="serviceaccount",
    namespaced=True,
    short_names=("sa",),
)

# In the order of discovery, which is also the order in which kubectl prints "get all".
RESOURCES: tuple[Resource, ...] = (CONFIGMAPS, EVENTS, NAMESPACES, NODES, PODS, SECRETS, SERVICEACCOUNTS)

_BY_KEY = {item.key: item for item in RESOURCES}
_BY_PLURAL = {(item.group, item.version, item.plural): item for item in RESOURCES}
_BY_KIND = {(item.api_version, item.kind): item for item in RESOURCES}


def by_key(key: str) -> Resource | None:
    return _BY_KEY.get(key)


def by_plural(group: str, version: str, plural: str) -> Resource | None:
    return _BY_PLURAL.get((group, version, plural))


def by_kind(api_version: str, kind: str) -> Resource | None:
    return _BY_KIND.get((api_version, kind))


def split_key(key: str) -> tuple[str, str]:
    """ "deployments.apps" -> ("deployments", "apps"); "pods" -> ("pods", ""). Works for kinds that are not served too."""
    plural, _, group = key.partition(".")
    return plural, group
