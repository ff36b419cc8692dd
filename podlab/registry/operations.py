"""The values that go in and out of `registry.client`."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING

import msgspec

from podlab.apis.scheme import Resource
from podlab.apis.types import Key, Manifest
from podlab.registry.nearby import Nearby
from podlab.storage.store import Stored

if TYPE_CHECKING:
    from podlab.registry.client import Client

STRICT = "Strict"
WARN = "Warn"
IGNORE = "Ignore"


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteOptions:
    """`duplicates` are what the decoder found and Python's dict cannot show: `duplicate field "spec.x"`. `keys` are the paths
    of all keys in the order of the text, where that decides what is named first (JSON)."""

    dry_run: bool = False
    field_validation: str = STRICT
    field_manager: str = ""
    force: bool = False  # an apply takes fields that others own
    duplicates: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()


NO_OPTIONS = WriteOptions()


@dataclass(frozen=True, slots=True)
class Written:
    """An accepted write. `stored` is None for a dry run and for an object that this write removed."""

    obj: Manifest
    warnings: tuple[str, ...] = ()
    stored: Stored | None = None
    created: bool = False


@dataclass(frozen=True, slots=True)
class Deleted:
    """`gone` is False while a grace period or a finalizer keeps the object. `answer` is what the API says: the object,
    or a Status for kinds that Kubernetes does not return once they are gone."""

    obj: Manifest
    gone: bool
    answer: Manifest
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ListPage:
    items: list[Stored]
    revision: int
    continue_: str = ""
    remaining: int | None = None  # None = unknown, or nothing remains

    def metadata(self) -> Manifest:
        """The metadata of a list answer."""
        meta: Manifest = {"resourceVersion": str(self.revision)}
        if self.continue_:
            meta["continue"] = self.continue_
            if self.remaining is not None:
                meta["remainingItemCount"] = self.remaining
        return meta


@dataclass(frozen=True, kw_only=True)
class Context:
    """One request inside the registry: what strategies and admission may look at. It happens at one moment."""

    client: Client
    resource: Resource
    namespace: str
    name: str = ""
    subresource: str = ""
    options: WriteOptions = NO_OPTIONS
    why: str = ""
    view: Resource | None = None  # the version by which the request came, when it is not the stored one

    @property
    def served(self) -> Resource:
        """The kind as the client sees it."""
        return self.view or self.resource

    @cached_property
    def now(self) -> datetime:
        return self.client.now()

    @cached_property
    def nearby(self) -> Nearby:
        return Nearby(self.client.cluster, self.resource.key, self.namespace)

    @cached_property
    def namespace_labels(self) -> dict[str, str]:
        """The labels of the namespace of the request."""
        found = self.nearby.namespace() if self.namespace else None
        labels: dict[str, str] = (found.obj["metadata"].get("labels") or {}) if found else {}
        return labels

    @property
    def key(self) -> Key:
        return Key(self.client.cluster, self.resource.key, self.namespace, self.name)

    @property
    def actor(self) -> str:
        return self.client.actor.actor


Mutate = Callable[[Manifest], None]


def copy_of(obj: Manifest) -> Manifest:
    """A deep copy: objects are JSON by definition, and this is much faster than copy.deepcopy."""
    copied: Manifest
    try:
        copied = msgspec.json.decode(msgspec.json.encode(obj))
    except (TypeError, ValueError, OverflowError):  # what only Python's own takes for JSON
        copied = json.loads(json.dumps(obj))
    return copied
