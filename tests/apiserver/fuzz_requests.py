"""Requests nobody would send, for test_fuzz.py: objects after the lab's own OpenAPI v3 documents, bent here and there.

Bodies begin as valid objects (those of tests/goldens_own, else what the schema requires) and are changed at places that
the schema knows: a field more, one fewer, a value of another type, a value from the edge. Paths, verbs and parameters
come from the documents too.
"""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

GOLDENS = Path(__file__).resolve().parent.parent / "goldens_own"
MERGE, STRATEGIC = "application/merge-patch+json", "application/strategic-merge-patch+json"
JSON_PATCH, APPLY = "application/json-patch+json", "application/apply-patch+yaml"
CLOSED = frozenset({"exec", "attach", "portforward", "proxy", "log"})  # streams have tests of their own

TEXTS = st.sampled_from(
    ["", "a", "b", "A", "a.b", "a/b", "..", "-", "a" * 64, "a" * 300, "\0", "\x7f", "日本", "\ud83d\ude00", "*", "%", "{", "$(A)",
     "0", "1", "-1", "01", "1.5", "100m", "1Gi", "-1Gi", "1e9", "1e400", "0x1", "NaN", "8080/TCP", "10.96.0.1", "::1", "0.0.0.0/0",
     "*/5 * * * *", "@every 0s", "2020-01-01T00:00:00Z", "9999-12-31T23:59:60Z", "true", "null", "v1", "apps/v1", "Pod", "Always",
     "Never", "Recreate", "RollingUpdate", "OnDelete", "Exists", "In", "NoSchedule", "TCP", "ClusterIP", "None", "Foreground",
     "kubernetes.io/tls", "app", "x in (a,b)", "25%", "-25%", "101%", "99999999999999999999"]
)  # fmt: skip
NUMBERS = st.sampled_from(
    [0, 1, -1, 2, 80, 65535, 65536, 2**31 - 1, 2**31, -(2**31), 2**63 - 1, 2**63, 10**30, 0.5, 1e308]
)
ANYTHING = st.one_of(
    TEXTS, NUMBERS, st.booleans(), st.none(), st.just([]), st.just({}), st.just([None]), st.just([{}]), st.just({"a": "b"}),
    st.just({"": None}), st.just([[[]]]), st.just(["a", "a"]),
)  # fmt: skip
SELECTORS = st.sampled_from(
    ["", "a=b", "a!=b", "!a", "a in (b,c)", "a notin ()", "a=b,a=c", "=", ",", "a in", "(", "a>1", "a>b", "A" * 70 + "=b", "a==\0",
     "metadata.name=a", "metadata.name!=a", "status.phase=Running", "spec.nodeName=", "bogus=1", "metadata.name"]
)  # fmt: skip
QUERY: dict[str, st.SearchStrategy[str]] = {
    "limit": st.sampled_from(["0", "1", "2", "-1", "x", "9999999999999999999", "1.5", ""]),
    "continue": st.sampled_from(
        ["", "x", "eyJ2IjoxfQ", "eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6MSwic3RhcnQiOiJhIn0", "\0"]
    ),
    "resourceVersion": st.sampled_from(["", "0", "1", "2", "-1", "x", "99999999", "99999999999999999999999"]),
    "resourceVersionMatch": st.sampled_from(["", "Exact", "NotOlderThan", "x"]),
    "labelSelector": SELECTORS,
    "fieldSelector": SELECTORS,
    "pretty": st.sampled_from(["true", "x", ""]),
    "dryRun": st.sampled_from(["All", "", "x", "All,All"]),
    "fieldManager": st.sampled_from(["", "one", "two", "a" * 129, "\x01", "日本"]),
    "fieldValidation": st.sampled_from(["Strict", "Warn", "Ignore", "", "x"]),
    "force": st.sampled_from(["true", "false", "1", "x", ""]),
    "gracePeriodSeconds": st.sampled_from(["0", "1", "-1", "x", "30", "99999999999999999999"]),
    "propagationPolicy": st.sampled_from(["Foreground", "Background", "Orphan", "x", ""]),
    "orphanDependents": st.sampled_from(["true", "x"]),
    "timeoutSeconds": st.sampled_from(["1", "0", "-1", "x"]),
    "allowWatchBookmarks": st.sampled_from(["true", "x"]),
    "sendInitialEvents": st.sampled_from(["true", "false", "x"]),
    "includeObject": st.sampled_from(["None", "Object", "Metadata", "x"]),
}
ACCEPTS = st.sampled_from(
    ["", "*/*", "application/json", "application/yaml", "application/json;as=Table;v=v1;g=meta.k8s.io", "text/html",
     "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io", "application/vnd.kubernetes.protobuf", ";;,", "a/b;q=x",
     "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io", "application/json;as=Table;v=v9;g=x"]
)  # fmt: skip
RAW_BODIES = st.one_of(
    st.binary(max_size=40),
    st.sampled_from([b"", b"null", b"[]", b"{", b"a: &a [*a]", b"{}", b'"x"', b"k8s\0", b"k8s\0\x0a\x06\x0a\x02v1\x12\x00", b"1e999", b"\xff\xfe",
                     b"[" * 5000, b'{"a":' * 3000, b'{"apiVersion":"v1","kind":"List","items":[]}']),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Operation:
    """One method at one path template of a document."""

    method: str
    template: str
    kind: str  # of the body, by its schema
    api_version: str

    @property
    def subresource(self) -> str:
        return self.template.partition("{name}/")[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    method: str
    path: str
    query: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def dry(self) -> bool:
        """A deletion with a body does not look at the query (handlers/delete.go)."""
        return self.query.get("dryRun") == "All" and not (self.method == "DELETE" and self.body)


class Api:
    """What the documents say: operations, and the schema of each kind."""

    def __init__(self, documents: dict[str, dict[str, Any]]) -> None:
        self.operations: list[Operation] = []
        self.schemas: dict[str, Any] = {}
        self.kinds: dict[tuple[str, str], str] = {}
        for document in documents.values():
            self.schemas.update(document.get("components", {}).get("schemas", {}))
            for template, item in document["paths"].items():
                self._add(template, item)
        for name, schema in self.schemas.items():
            for gvk in schema.get("x-kubernetes-group-version-kind", []):
                version = f"{gvk['group']}/{gvk['version']}" if gvk["group"] else gvk["version"]
                self.kinds[version, gvk["kind"]] = name

    def _add(self, template: str, item: dict[str, Any]) -> None:
        for method, operation in item.items():
            gvk = operation.get("x-kubernetes-group-version-kind") if isinstance(operation, dict) else None
            if gvk and template.rpartition("/")[2] not in CLOSED:
                version = f"{gvk['group']}/{gvk['version']}" if gvk["group"] else gvk["version"]
                self.operations.append(Operation(method.upper(), template, gvk["kind"], version))

    def resolve(self, schema: dict[str, Any]) -> dict[str, Any]:
        while True:
            reference = schema.get("$ref") or (schema.get("allOf") or [{}])[0].get("$ref")
            if reference is None:
                return schema
            schema = self.schemas[reference.rpartition("/")[2]]

    def of_kind(self, api_version: str, kind: str) -> dict[str, Any]:
        return dict(self.schemas.get(self.kinds.get((api_version, kind), ""), {}))


@cache
def examples() -> dict[tuple[str, str], list[dict[str, Any]]]:
    """Valid objects by apiVersion and kind, out of the recordings that the project keeps."""
    found: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for path in sorted(GOLDENS.glob("*.jsonl")):
        for line in path.read_text().splitlines():
            for step in json.loads(line)["steps"]:
                body = step.get("body")
                if (
                    step.get("method") == "POST"
                    and step.get("expect", {}).get("code") == 201
                    and isinstance(body, dict)
                ):
                    known = found.setdefault((str(body.get("apiVersion")), str(body.get("kind"))), [])
                    if len(known) < 40:
                        known.append(body)
    return found


@st.composite
def values(draw: st.DrawFn, api: Api, schema: dict[str, Any], depth: int = 0) -> Any:
    """Something of the right type, mostly."""
    schema = api.resolve(schema)
    if draw(st.integers(0, 19)) == 0:
        return draw(ANYTHING)
    kind = schema.get("type")
    if "properties" in schema or (kind == "object" and "additionalProperties" not in schema):
        properties = schema.get("properties", {})
        chosen = set(schema.get("required", ()))
        if properties and depth < 5:
            chosen |= set(draw(st.lists(st.sampled_from(sorted(properties)), max_size=3)))
        return {name: draw(values(api, properties[name], depth + 1)) for name in sorted(chosen) if name in properties}
    if kind == "object":
        inner = schema["additionalProperties"] if isinstance(schema["additionalProperties"], dict) else {}
        return {key: draw(values(api, inner, depth + 1)) for key in draw(st.lists(TEXTS, max_size=2))}
    if kind == "array":
        return [
            draw(values(api, schema["items"], depth + 1)) for _ in range(draw(st.integers(0, 2 if depth < 6 else 0)))
        ]
    if kind == "string":
        return draw(TEXTS)
    if kind in {"integer", "number"}:
        return draw(NUMBERS)
    return draw(st.booleans()) if kind == "boolean" else draw(ANYTHING)


@st.composite
def bent(draw: st.DrawFn, api: Api, schema: dict[str, Any], value: Any) -> Any:
    """`value` changed at one place, found by walking down value and schema together."""
    schema = api.resolve(schema)
    if isinstance(value, dict) and draw(st.integers(0, 9)):
        properties = schema.get("properties", {})
        names = [*sorted(value), *sorted(properties)] if draw(st.booleans()) else sorted(value) or sorted(properties)
        if not names:
            return {**value, draw(TEXTS): draw(ANYTHING)}
        name = draw(st.sampled_from(names))
        inner = properties.get(name) or schema.get("additionalProperties") or {}
        inner = inner if isinstance(inner, dict) else {}
        if name not in value:
            return {**value, name: draw(values(api, inner, 2))}
        if draw(st.integers(0, 14)) == 0:
            return {key: item for key, item in value.items() if key != name}
        return {**value, name: draw(bent(api, inner, value[name]))}
    if isinstance(value, list) and value and draw(st.integers(0, 9)):
        at = draw(st.integers(0, len(value) - 1))
        if draw(st.integers(0, 7)) == 0:
            return [*value, copy.deepcopy(value[at])]
        return [*value[:at], draw(bent(api, schema.get("items", {}), value[at])), *value[at + 1 :]]
    return draw(values(api, schema, 2)) if draw(st.booleans()) else draw(ANYTHING)


@st.composite
def objects(draw: st.DrawFn, api: Api, api_version: str, kind: str, name: str) -> Any:
    schema = api.of_kind(api_version, kind)
    known = examples().get((api_version, kind))
    made = copy.deepcopy(draw(st.sampled_from(known))) if known else draw(values(api, schema))
    if isinstance(made, dict):
        made = {**made, "apiVersion": api_version, "kind": kind}
        meta = made.get("metadata") if isinstance(made.get("metadata"), dict) else {}
        made["metadata"] = {**{key: value for key, value in (meta or {}).items() if key != "namespace"}, "name": name}
    for _ in range(draw(st.integers(0, 3))):
        made = draw(bent(api, schema, made))
    return made


def pointers(value: Any, prefix: str = "", depth: int = 0) -> list[str]:
    """JSON pointers to what is there, and to ends of lists."""
    found = [prefix]
    if depth < 5 and isinstance(value, dict):
        for key, item in list(value.items())[:8]:
            found += pointers(item, f"{prefix}/{str(key).replace('~', '~0').replace('/', '~1')}", depth + 1)
    elif depth < 5 and isinstance(value, list):
        found += [
            f"{prefix}/-",
            *(text for at in range(len(value[:2])) for text in pointers(value[at], f"{prefix}/{at}", depth + 1)),
        ]
    return found


@st.composite
def json_patches(draw: st.DrawFn, target: Any) -> Any:
    places = st.one_of(
        st.sampled_from(pointers(target)),
        st.sampled_from(["", "/", "/a/b/c", "/metadata/labels/x", "/~2", "x", "/spec/99"]),
    )
    verbs = st.sampled_from(["add", "remove", "replace", "move", "copy", "test", "x"])
    return [
        {"op": draw(verbs), "path": draw(places), "from": draw(places), "value": draw(ANYTHING)}
        for _ in range(draw(st.integers(0, 3)))
    ]  # fmt: skip


@st.composite
def creations(draw: st.DrawFn, api: Api, namespace: str, suffix: str) -> Request:
    """A valid object of some kind, as a start."""
    known = draw(st.sampled_from(sorted(examples())))
    places = [item for item in api.operations if (item.api_version, item.kind) == known and item.method == "POST"]
    if not places:
        return Request(method="GET", path="/api", headers={"Content-Type": ""})
    made = copy.deepcopy(draw(st.sampled_from(examples()[known])))
    meta = made.get("metadata") or {}
    made["metadata"] = {**{key: value for key, value in meta.items() if key != "namespace"}, "name": f"a-{suffix}"}
    path = places[0].template.replace("{namespace}", namespace).replace("{name}", f"a-{suffix}")
    return Request(
        method="POST", path=path, headers={"Content-Type": "application/json"}, body=json.dumps(made).encode()
    )


@st.composite
def requests(draw: st.DrawFn, api: Api, namespace: str, suffix: str, around: str = "") -> Request:
    """Any operation of the documents; three of four times one at or below the collection `around`."""
    near = [item for item in api.operations if around and _collection(item, namespace) == around]
    operation = draw(st.sampled_from(near if near and draw(st.integers(0, 3)) else api.operations))
    name = draw(st.sampled_from([f"a-{suffix}"] * 9 + [f"b-{suffix}", "no-such", "x" * 300, "A", "%2F"]))
    path = operation.template.replace("{namespace}", namespace).replace("{name}", name)
    keys = draw(st.lists(st.sampled_from(sorted(QUERY)), max_size=2, unique=True)) if draw(st.booleans()) else []
    query = {key: draw(QUERY[key]) for key in keys}
    accept = draw(ACCEPTS) if draw(st.integers(0, 5)) == 0 else ""
    body, content_type = b"", "application/json"
    if operation.method in {"POST", "PUT", "PATCH"}:
        body, content_type = draw(_bodies(api, operation, f"a-{suffix}" if operation.method == "POST" else name))
        if content_type == APPLY:
            query.setdefault("fieldManager", "fuzz")
    elif operation.method == "DELETE" and draw(st.booleans()):
        body = _encoded(draw(values(api, api.of_kind("v1", "DeleteOptions"))))
    headers = {"Content-Type": content_type, **({"Accept": accept} if accept else {})}
    return Request(method=operation.method, path=path, query=query, headers=headers, body=body)


def _collection(operation: Operation, namespace: str) -> str:
    return operation.template.partition("/{name}")[0].replace("{namespace}", namespace)


def _encoded(value: Any) -> bytes:
    return json.dumps(value).encode("utf-8", "surrogatepass")


@st.composite
def _bodies(draw: st.DrawFn, api: Api, operation: Operation, name: str) -> tuple[bytes, str]:
    """A body and its content type."""
    rare = draw(st.integers(0, 29))
    content_type = "application/json"
    target = draw(objects(api, operation.api_version, operation.kind, name))
    if operation.method == "PATCH":
        content_type = draw(st.sampled_from([MERGE, STRATEGIC, JSON_PATCH, APPLY]))
        target = draw(json_patches(target)) if content_type == JSON_PATCH else target
        if content_type == STRATEGIC and rare > 20:
            target = draw(_with_directives(target))
    if rare == 0:
        return draw(RAW_BODIES), content_type
    if rare == 1:
        types = ["", "application/yaml", "application/vnd.kubernetes.protobuf", "text/plain", "x"]
        content_type = draw(st.sampled_from(types))
    return _encoded(target), content_type


@st.composite
def _with_directives(draw: st.DrawFn, target: Any) -> Any:
    """What only strategic merge patches have: `$patch`, `$retainKeys`, orders and deletions of list items."""
    if not isinstance(target, dict):
        return target
    key = draw(
        st.sampled_from(
            ["$patch", "$retainKeys", "$setElementOrder/containers", "$deleteFromPrimitiveList/finalizers", "$x"]
        )
    )
    value = draw(st.one_of(st.sampled_from(["delete", "replace", "merge", "x"]), ANYTHING, st.just([{"name": "c"}])))
    name = draw(st.sampled_from(["", *sorted(key for key, item in target.items() if isinstance(item, dict))]))
    return {**target, name: {**target[name], key: value}} if name else {**target, key: value}
