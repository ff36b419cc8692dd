"""Requests of which something beside the object is wrong: the codes and words of Kubernetes' handlers.

Each case names a ConfigMap `c` that is there, or `z`, which is not. `…` leaves a part of a message open.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import AsyncClient

MAPS = "/api/v1/namespaces/default/configmaps"
MERGE, JSON = "application/merge-patch+json", "application/json"
APPLY = "application/apply-patch+yaml"
OPERATIONS, STRATEGIC = "application/json-patch+json", "application/strategic-merge-patch+json"
MAP = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"k": "v"}}
OWNER = {"apiVersion": "v1", "kind": "Pod", "name": "p", "uid": "u"}
PARSED = 'strconv.ParseUint: parsing "abc": invalid syntax'

Case = tuple[str, str, str, Any, int, str]

CASES: dict[str, Case] = {
    "a revision that is no number, of one object": (
        "GET", "c?resourceVersion=abc", JSON, None, 500, f'resourceVersion: Invalid value: "abc": {PARSED}',
    ),
    "a revision that is no number, of a list": (
        "GET", "?resourceVersion=abc", JSON, None, 400,
        f'invalid resource version: resourceVersion: Invalid value: "abc": {PARSED}',
    ),
    "a revision that is no number, of a watch": (
        "GET", "?watch=1&resourceVersion=abc", JSON, None, 500, f'resourceVersion: Invalid value: "abc": {PARSED}',
    ),
    "a revision of the future": (
        "GET", "c?resourceVersion=99999999", JSON, None, 504, "Timeout: Too large resource version: 99999999, current: …",
    ),
    "a PUT without a name": (
        "PUT", "c", JSON, {**MAP, "metadata": {}}, 400,
        "the name of the object (c based on URL) was undeterminable: name must be provided",
    ),
    "a name that is taken, beside a generateName": (
        "POST", "?dryRun=All", JSON, {**MAP, "metadata": {"name": "c", "generateName": "c-"}}, 409,
        'configmaps "c" already exists, the server was not able to generate a unique name for the object',
    ),
    "a revision of what is not there yet, after all else": (
        "POST", "?fieldManager=t", JSON, {**MAP, "metadata": {"name": "d", "resourceVersion": "1"}, "data": {"a/b": ""}}, 422,
        'ConfigMap "d" is invalid: data[a/b]: Invalid value: "a/b": …',
    ),
    "a revision that is none of what is not there yet": (
        "POST", "?fieldManager=t", JSON, {**MAP, "metadata": {"name": "d", "resourceVersion": "x"}}, 201, "",
    ),
    "a patch to another kind": (
        "PATCH", "c", MERGE, {"kind": "Secret"}, 422,
        ' "" is invalid: patch: Invalid value: "{\\"apiVersion\\":\\"v1\\",\\"data\\":{\\"k\\":\\"v\\"},\\"kind\\":\\"Secret\\",…',
    ),
    "a list of operations, as a map": (
        "PATCH", "c", OPERATIONS, {"op": "add"}, 400,
        "error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp",
    ),
    "an operation that is none": (
        "PATCH", "c", OPERATIONS, ["add"], 400,
        "error decoding patch: json: cannot unmarshal string into Go value of type handlers.jsonPatchOp",
    ),
    "an operation of the wrong type": (
        "PATCH", "c", OPERATIONS, [{"op": 1, "path": "/data"}], 400,
        "error decoding patch: json: cannot unmarshal number into Go struct field jsonPatchOp.op of type string",
    ),
    "unchecked operations": (
        "PATCH", "c?fieldValidation=Ignore", OPERATIONS, {"op": "add"}, 400,
        "json: cannot unmarshal object into Go value of type jsonpatch.Patch",
    ),
    "an unknown field of an operation": (
        "PATCH", "c?fieldValidation=Strict", OPERATIONS, [{"op": "add", "path": "/data/b", "value": "c", "foo": 1}], 422,
        ' "" is invalid: patch: Invalid value: "{…": strict decoding error: json patch unknown field "[0].foo"',
    ),
    "no operations": ("PATCH", "c", OPERATIONS, "null", 200, ""),
    "a strategic patch of nothing": ("PATCH", "c", STRATEGIC, "null", 200, ""),
    "a strategic patch to another kind": ("PATCH", "c", STRATEGIC, {"kind": "Secret"}, 200, ""),
    "a strategic patch that is no JSON": (
        "PATCH", "c", STRATEGIC, "{", 400, "unexpected end of JSON input",
    ),
    "a strategic patch with an unknown field": (
        "PATCH", "c?fieldValidation=Strict", STRATEGIC, {"foo": {"b": 1, "a": [True]}}, 422,
        ' "" is invalid: patch: Invalid value: "map[foo:map[a:[true] b:1]]": strict decoding error: unknown field "foo"',
    ),
    "a strategic patch with a value of another type": (
        "PATCH", "c", STRATEGIC, {"immutable": "x"}, 422,
        ' "" is invalid: patch: Invalid value: "map[immutable:x]": unrecognized type: bool',
    ),
    "a strategic patch with a list for a map": (
        "PATCH", "c", STRATEGIC, {"data": [1]}, 422,
        ' "" is invalid: patch: Invalid value: "map[data:[1]]": cannot restore map from slice',
    ),
    "a strategic patch with a map for a text": (
        "PATCH", "c", STRATEGIC, {"data": {"a": {"b": 1}}}, 422,
        ' "" is invalid: patch: Invalid value: "map[data:map[a:map[b:1]]]": unrecognized type: string',
    ),
    "a patch that takes the version away": (
        "PATCH", "c", MERGE, {"apiVersion": None}, 400,
        "the name of the object (c based on URL) was undeterminable: name must be provided",
    ),
    "a patch that takes the version away, strictly": (
        "PATCH", "c?fieldValidation=Strict", MERGE, {"apiVersion": None}, 422,
        ' "" is invalid: patch: Invalid value: "{…": strict decoding error: unknown field "data", unknown field "metadata"',
    ),
    "a patch that takes the kind away": ("PATCH", "c", MERGE, {"kind": None}, 200, ""),
    "a patch of the wrong sort for nobody": (
        "PATCH", "z", MERGE, [], 404, 'configmaps "z" not found',
    ),
    "an apply for an object that is gone": (
        "PATCH", "z?fieldManager=me", APPLY, {**MAP, "metadata": {"name": "z", "uid": "u"}}, 409,
        'Operation cannot be fulfilled on configmaps "z": uid mismatch: the provided object specified uid u, and no existing '
        "object was found",
    ),
    "delete options of another kind": (
        "DELETE", "c", JSON, {"kind": "Pod", "apiVersion": "v1"}, 400,
        'no kind "Pod" is registered for version "v1" in scheme "pkg/apis/meta/internalversion/scheme/register.go:27"',
    ),
    "delete options of the wrong type": (
        "DELETE", "c", JSON, {"preconditions": {"uid": 1}}, 400,
        "json: cannot unmarshal number into Go struct field …",
    ),
    "delete options that are no JSON": (
        "DELETE", "c", JSON, "{", 400, "couldn't get version/kind; json parse error: unexpected end of JSON input",
    ),
    "a token that is none": (
        "GET", "?continue=a=b", JSON, None, 400,
        "invalid continue token: continue key is not valid: illegal base64 data at input byte 1",
    ),
}  # fmt: skip


async def _send(api: AsyncClient, method: str, below: str, sort: str, body: Any) -> Any:
    text = body if isinstance(body, str) else json.dumps(body) if body is not None else ""
    path = MAPS + below if below.startswith("?") else f"{MAPS}/{below}"
    return await api.generic(method, path, text, content_type=sort)


@pytest.mark.parametrize("title", CASES)
async def test_what_is_said(api: AsyncClient, title: str) -> None:
    method, below, sort, body, code, message = CASES[title]
    await api.post(MAPS, json.dumps(MAP), content_type=JSON)
    answer = await _send(api, method, below, sort, body)
    said = answer.json().get("message", "")
    assert answer.status_code == code, said
    start, open_, end = message.partition("…")
    assert said == message or (open_ and said.startswith(start) and said.endswith(end)), said


@pytest.mark.parametrize(
    ("method", "below", "when"), [("POST", "", ""), ("PATCH", "c", " after mutating admission happens")]
)
async def test_an_owner_stands_there_once(api: AsyncClient, method: str, below: str, when: str) -> None:
    owned = {**MAP, "metadata": {"name": "c", "ownerReferences": [OWNER, OWNER]}}
    if below:
        await api.post(MAPS, json.dumps(MAP), content_type=JSON)
    path, sort = (f"{MAPS}/{below}", MERGE) if below else (MAPS, JSON)
    answer: Any = await api.generic(method, path, json.dumps(owned), content_type=sort)
    assert answer.json()["metadata"]["ownerReferences"] == [OWNER]
    text = f".metadata.ownerReferences contains duplicate entries{when}; API server dedups owner references in 1.20+"
    assert answer.warnings[0].startswith(text)
    assert answer.warnings[0].endswith("duplicate UID(s) observed: u")


async def test_a_page_of_a_collection_is_deleted(api: AsyncClient) -> None:
    for name in ("a", "b", "c"):
        await api.post(MAPS, json.dumps({**MAP, "metadata": {"name": name}}), content_type=JSON)
    page = (await api.delete(f"{MAPS}?limit=2")).json()
    assert [item["metadata"]["name"] for item in page["items"]] == ["a", "b"]
    assert page["metadata"]["remainingItemCount"] == 1
    left = (await api.get(f"{MAPS}?fieldSelector=metadata.name!=kube-root-ca.crt")).json()["items"]
    assert [item["metadata"]["name"] for item in left] == ["c"]
    again = await api.delete(f"{MAPS}?limit=-1&resourceVersion=x")
    assert (again.status_code, again.json()["message"][:25]) == (400, "invalid resource version:")


@pytest.mark.parametrize("path", ["/version", "/api", "/healthz", MAPS, f"{MAPS}/c"])
async def test_a_timeout_that_is_none(api: AsyncClient, path: str) -> None:
    answer = await api.get(f"{path}?timeout=soon")
    wanted = 'invalid timeout specified in the request URL - time: invalid duration "soon"'
    assert (answer.status_code, answer.json()["message"]) == (400, wanted)
    assert (await api.get(f"{path}?timeout=0s")).status_code in (200, 404)
