"""An object as it lies in the store, and its JSON text. Used by `store` and `reads`; callers see `Stored` and `Page`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import msgspec

from podlab.apis.types import Key, Manifest

_FIRST = ("apiVersion", "kind", "metadata")


@dataclass(frozen=True)
class Stored:
    """One state of one object. `body` is served as it is."""

    key: Key
    uid: str
    revision: int
    created_revision: int
    body: str

    @cached_property
    def obj(self) -> Manifest:
        """The decoded body, shared by all holders of this value: copy before changing it."""
        return decode(self.body)


@dataclass(frozen=True)
class Page:
    """One page of a list, exact at `revision`."""

    items: list[Stored]
    revision: int
    more: bool = False
    remaining: int = 0


def encode(obj: Manifest, revision: int) -> str:
    """Compact JSON: apiVersion, kind and metadata first, metadata.resourceVersion set. `obj` is not changed."""
    ordered = {
        "apiVersion": obj["apiVersion"],
        "kind": obj["kind"],
        "metadata": {**obj["metadata"], "resourceVersion": str(revision)},
    }
    for name, value in obj.items():
        if name not in _FIRST:
            ordered[name] = value
    text: bytes = msgspec.json.encode(ordered)
    return text.decode()


def decode(body: str) -> Manifest:
    decoded: Manifest = msgspec.json.decode(body)
    return decoded


def uid_of(obj: Manifest) -> str:
    """The uid that the registry gave it."""
    uid: object = obj["metadata"].get("uid")
    if not uid or not isinstance(uid, str):
        raise ValueError("an object cannot be stored without metadata.uid")
    return uid


def same_content(one: Manifest, other: Manifest) -> bool:
    """Whether both say the same, resourceVersion and the order of fields aside."""
    left, right = _without_revision(one), _without_revision(other)
    if left != right:
        return False
    # Python holds 1, 1.0 and True for equal; JSON does not.
    return msgspec.json.encode(left, order="sorted") == msgspec.json.encode(right, order="sorted")


def _without_revision(obj: Manifest) -> Manifest:
    metadata = {name: value for name, value in obj["metadata"].items() if name != "resourceVersion"}
    return {**obj, "metadata": metadata}
