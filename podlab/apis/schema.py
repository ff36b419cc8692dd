"""What fields a kind has: a lazy view on the artefact that build_schema.py makes.

schema_check.py compares objects with it, the strategic merge patch reads merge keys from it, the API server serves it
as OpenAPI v3. Only `openapi_schemas` loads the prose.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from podlab.apis import historical, metrics_schema
from podlab.apis.scheme import Resource
from podlab.apis.types import Manifest

_FOLDER = Path(__file__).parent / "generated"
REF_PREFIX = "#/components/schemas/"
_QUANTITY = "io.k8s.apimachinery.pkg.api.resource.Quantity"
_INT_OR_STRING = "io.k8s.apimachinery.pkg.util.intstr.IntOrString"
_TIMES = ("io.k8s.apimachinery.pkg.apis.meta.v1.Time", "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime")
_FREE = ("io.k8s.apimachinery.pkg.runtime.RawExtension", "io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1")

Sort = Literal[
    "object", "array", "map", "string", "integer", "number", "boolean", "quantity", "intorstring", "time", "any"
]


@dataclass(frozen=True, slots=True)
class Type:
    """The type of a field. `ref` names the definition of an object, `item` is the type of elements and map values."""

    sort: Sort
    ref: str = ""
    item: Type | None = None
    format: str = ""


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a definition, with what patches need to know about it."""

    name: str
    type: Type
    required: bool = False
    merge_key: str = ""
    patch_strategies: tuple[str, ...] = ()
    list_type: str = ""
    map_keys: tuple[str, ...] = ()
    map_type: str = ""


class SchemaMissing(RuntimeError):
    """The artefact was not built."""


@cache
def _load(name: str) -> Any:
    path = _FOLDER / name
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SchemaMissing(f"{path} is missing: build it with python -m podlab.apis.build_schema") from None
    if name == "schema.json":
        document["kinds"].update({**historical.KINDS, **metrics_schema.KINDS})
        document["definitions"].update({**historical.DEFINITIONS, **metrics_schema.DEFINITIONS})
    else:
        document.update({**historical.DESCRIPTIONS, **metrics_schema.DESCRIPTIONS})
    return document


def definition_of(resource: Resource) -> str:
    """The name of the definition: io.k8s.api.core.v1.Pod."""
    return definition_of_kind(resource.api_version, resource.kind) or _missing(resource)


def _missing(resource: Resource) -> str:
    raise SchemaMissing(f"no definition for {resource.api_version} {resource.kind}")


def definition_of_kind(api_version: str, kind: str) -> str | None:
    return _load("schema.json")["kinds"].get(f"{api_version}/{kind}")  # type: ignore[no-any-return]


@cache
def fields(definition: str) -> dict[str, Field]:
    body = _load("schema.json")["definitions"][definition]
    required = set(body.get("required", ()))
    return {name: _field(name, node, name in required) for name, node in body.get("properties", {}).items()}


def _field(name: str, node: Manifest, required: bool) -> Field:
    strategy = node.get("x-kubernetes-patch-strategy", "")
    return Field(
        name,
        _type(node),
        required,
        merge_key=node.get("x-kubernetes-patch-merge-key", ""),
        patch_strategies=tuple(strategy.split(",")) if strategy else (),
        list_type=node.get("x-kubernetes-list-type", ""),
        map_keys=tuple(node.get("x-kubernetes-list-map-keys", ())),
        map_type=node.get("x-kubernetes-map-type", ""),
    )


def is_atomic(definition: str) -> bool:
    """Whether server-side apply takes an object of this definition as one value."""
    return bool(_load("schema.json")["definitions"][definition].get("x-kubernetes-map-type") == "atomic")


def _type(node: Manifest) -> Type:
    if "$ref" in node:
        return _referenced(node["$ref"].removeprefix(REF_PREFIX))
    sort = node.get("type", "any")
    if sort == "array":
        return Type("array", item=_type(node.get("items", {})))
    if sort == "object":
        values = node.get("additionalProperties")
        return Type("map", item=_type(values)) if isinstance(values, dict) else Type("any")
    return Type(sort, format=node.get("format", ""))


def _referenced(name: str) -> Type:
    if name == _QUANTITY:
        return Type("quantity", ref=name)
    if name == _INT_OR_STRING:
        return Type("intorstring", ref=name)
    if name in _TIMES:
        return Type("time", ref=name)
    return Type("any", ref=name) if name in _FREE else Type("object", ref=name)


def merge_key(definition: str, field: str) -> str:
    """The key by which a strategic merge patch joins the elements of this list; "" when it replaces the list."""
    found = fields(definition).get(field)
    return found.merge_key if found else ""


def go_name(definition: str) -> str:
    """ "io.k8s.api.core.v1.PodSpec" -> "v1.PodSpec", as Go prints the type."""
    return ".".join(definition.rsplit(".", 2)[-2:])


def description(definition: str, field: str = "") -> str:
    """The sentence on a field, or on the kind itself."""
    return str(_load("descriptions.json").get(definition, {}).get(field, ""))


def openapi_schemas(definitions: tuple[str, ...]) -> dict[str, Any]:
    """components.schemas for these definitions and all that they refer to, with descriptions."""
    waiting, found = list(definitions), {}
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name] = _described(name)
            waiting.extend(_references(_load("schema.json")["definitions"][name]))
    return dict(sorted(found.items()))


def _references(node: Any) -> list[str]:
    if isinstance(node, list):
        return [name for item in node for name in _references(item)]
    if not isinstance(node, dict):
        return []
    own = [node["$ref"].removeprefix(REF_PREFIX)] if isinstance(node.get("$ref"), str) else []
    return own + [name for item in node.values() for name in _references(item)]


def _described(name: str) -> Manifest:
    """OpenAPI 3.0 forbids anything beside $ref, so a described reference is wrapped in allOf, as Kubernetes does."""
    body = dict(_load("schema.json")["definitions"][name])
    texts = _load("descriptions.json").get(name, {})
    if texts.get(""):
        body["description"] = texts[""]
    properties: Manifest = {}
    for field, node in body.get("properties", {}).items():
        shown = {"allOf": [node]} if "$ref" in node else dict(node)
        if texts.get(field):
            shown["description"] = texts[field]
        properties[field] = shown
    if properties:
        body["properties"] = properties
    return body
