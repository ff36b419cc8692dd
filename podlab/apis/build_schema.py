"""Cuts podlab's schema out of the published Kubernetes definitions.

    python -m podlab.apis.build_schema WHEEL_OR_JSON OUT

WHEEL_OR_JSON is the wheel of kubernetes-validate (read as a zip file, never installed) or its _definitions.json; OUT is
where schema.json goes. The prose goes into descriptions.json beside it: a process that only defaults and validates
then never loads it. schema.py reads both; the API server prints them as OpenAPI v3.
"""

from __future__ import annotations

import json
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

RELEASE = "v1.36.0"
_REF = "#/$defs/"
_NEW_REF = "#/components/schemas/"
_DROPPED = {"description", "enum", "$schema", "$id"}  # the enums only repeat kind and apiVersion

_GROUPS = (
    "core.v1", "apps.v1", "batch.v1", "autoscaling.v1", "autoscaling.v2", "policy.v1", "discovery.v1", "events.v1",
    "coordination.v1", "scheduling.v1", "node.v1", "rbac.v1", "authentication.v1", "authorization.v1",
    "networking.v1", "storage.v1",
)  # fmt: skip
_META = ("Status", "DeleteOptions", "APIResourceList", "APIGroupList", "APIVersions", "LabelSelector")
_META_PREFIX = "io.k8s.apimachinery.pkg.apis.meta.v1."

Definitions = dict[str, Any]


def read_definitions(source: Path) -> Definitions:
    if zipfile.is_zipfile(source):
        with zipfile.ZipFile(source) as wheel:
            inside = f"kubernetes_validate/kubernetes-json-schema/{RELEASE}-local/_definitions.json"
            document = json.loads(wheel.read(inside))
    else:
        document = json.loads(source.read_text(encoding="utf-8"))
    definitions = document.get("$defs") or document.get("definitions")
    if not isinstance(definitions, dict):
        raise SystemExit(f"{source}: no definitions found")
    return definitions


def roots(definitions: Definitions) -> Iterator[str]:
    """Every object kind of the groups that podlab will serve, and the kinds of the protocol itself."""
    prefixes = tuple(f"io.k8s.api.{group}." for group in _GROUPS)
    for name, body in definitions.items():
        if name.startswith(prefixes) and "x-kubernetes-group-version-kind" in body:
            yield name
    yield from (_META_PREFIX + name for name in _META)


def closure(definitions: Definitions) -> list[str]:
    waiting = list(roots(definitions))
    found: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found.add(name)
        waiting.extend(_references(definitions[name]))
    return sorted(found)


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "$ref":
                yield value.removeprefix(_REF)
            else:
                yield from _references(value)
    elif isinstance(node, list):
        for value in node:
            yield from _references(value)


def normalise(node: Any) -> Any:
    """`type` becomes one string (kubectl explain stumbles over ["string", "null"]), references become OpenAPI's."""
    if isinstance(node, list):
        return [normalise(item) for item in node]
    if not isinstance(node, dict):
        return node
    out: dict[str, Any] = {}
    for key, value in node.items():
        if key == "properties":
            out[key] = {name: normalise(schema) for name, schema in value.items()}
        elif key == "$ref":
            out[key] = _NEW_REF + value.removeprefix(_REF)
        elif key == "type" and isinstance(value, list):
            out[key] = next(item for item in value if item != "null")
        elif key not in _DROPPED:
            out[key] = normalise(value)
    return out


def descriptions_of(body: Definitions) -> dict[str, str]:
    """Under "" the sentence on the kind itself, under a field's name the one on the field."""
    texts = {"": body.get("description", "")}
    texts.update({name: schema.get("description", "") for name, schema in body.get("properties", {}).items()})
    return {name: text for name, text in texts.items() if text}


def kinds_of(names: list[str], definitions: Definitions) -> dict[str, str]:
    """ "v1/Pod" -> definition. Kinds of many groups (DeleteOptions) are left to their own group version."""
    found: dict[str, str] = {}
    for name in names:
        gvks = definitions[name].get("x-kubernetes-group-version-kind", [])
        for gvk in gvks if len(gvks) == 1 or name.startswith(_META_PREFIX) else []:
            if name.startswith(_META_PREFIX) and gvk["group"]:
                continue
            version = f"{gvk['group']}/{gvk['version']}" if gvk["group"] else gvk["version"]
            found[f"{version}/{gvk['kind']}"] = name
    return found


def build(source: Path, out: Path) -> int:
    definitions = read_definitions(source)
    names = closure(definitions)
    structure = {
        "release": RELEASE,
        "kinds": kinds_of(names, definitions),
        "definitions": {name: normalise(definitions[name]) for name in names},
    }
    texts = {name: descriptions_of(definitions[name]) for name in names}
    out.parent.mkdir(parents=True, exist_ok=True)
    _write(out, structure)
    _write(out.with_name("descriptions.json"), texts)
    return len(names)


def _write(path: Path, document: Any) -> None:
    """Written beside and moved, so that nobody reads half a file."""
    beside = path.with_suffix(".tmp")
    beside.write_text(json.dumps(document, separators=(",", ":"), sort_keys=True, ensure_ascii=False), encoding="utf-8")
    beside.replace(path)


def main(arguments: list[str]) -> int:
    if len(arguments) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    count = build(Path(arguments[0]), Path(arguments[1]))
    print(f"{count} definitions of Kubernetes {RELEASE} in {arguments[1]}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
