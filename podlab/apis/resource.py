"""What describes a kind: the values that `apis.scheme` keeps and everybody asks for."""

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

    @property
    def group_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """`stored_as` is the key of another resource when this one is a view of its objects (`apis.conversion`)."""

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
    stored_as: str = ""
    deprecated: str = ""  # a sentence that goes out with every answer
    attended: bool = True  # False: stored and shown, and no controller acts on it

    @property
    def unattended(self) -> str:
        """What somebody is told who waits for such an object; "" where a controller acts on it."""
        return (
            ""
            if self.attended
            else f"podlab has no controller for {self.kind} yet: it is stored, and nothing acts on it"
        )

    @property
    def handle(self) -> str:
        """The name by which the registry finds exactly this version. It is the key, except for the further version of a
        kind: "horizontalpodautoscalers.v1.autoscaling", as kubectl writes it."""
        return f"{self.plural}.{self.version}.{self.group}" if self.stored_as == self.key else self.key

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


STATUS = Subresource("status", "", ("get", "patch", "update"))
SCALE = Subresource("scale", "Scale", ("get", "patch", "update"), group="autoscaling", version="v1")


def kind(
    api_version: str,
    name: str,
    plural: str,
    *short_names: str,
    namespaced: bool = True,
    categories: tuple[str, ...] = (),
    verbs: tuple[str, ...] = ALL_VERBS,
    below: tuple[Subresource, ...] = (),
    stored_as: str = "",
    deprecated: str = "",
    attended: bool = True,
) -> Resource:
    """One line of a table of kinds. A subresource without a kind is the kind itself."""
    group, _, version = api_version.rpartition("/")
    return Resource(
        group=group,
        version=version,
        kind=name,
        plural=plural,
        singular=name.lower(),
        namespaced=namespaced,
        short_names=short_names,
        categories=categories,
        verbs=verbs,
        subresources=tuple(
            Subresource(item.name, item.kind or name, item.verbs, item.group, item.version) for item in below
        ),
        stored_as=stored_as,
        deprecated=deprecated,
        attended=attended,
    )
