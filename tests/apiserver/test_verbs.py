"""Reading and writing objects through Django's client."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import AsyncClient

from podlab.apis.decode_errors import MAX_BYTES
from podlab.apiserver import bodies

MAPS = "/api/v1/namespaces/default/configmaps"
PODS = "/api/v1/namespaces/default/pods"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
PARTIAL = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io"
PARTIAL_LIST = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"
POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "p"},
    "spec": {"containers": [{"name": "c", "image": "busybox:1.36"}]},
}


def config_map(name: str, **more: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, **more}, "data": {"k": "v"}}


async def post(api: AsyncClient, path: str, obj: Any, code: int = 201, **query: str) -> Any:
    body = obj if isinstance(obj, str | bytes) else json.dumps(obj)
    answer = await api.post(path, body, content_type="application/json", query_params=query)
    assert answer.status_code == code, answer.content
    return answer


async def test_a_review_has_no_columns(api: AsyncClient) -> None:
    review = {"kind": "SelfSubjectAccessReview", "apiVersion": "authorization.k8s.io/v1", "spec": {}}
    path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    alone = TABLE.partition(",")[0]
    answer = await api.post(path, json.dumps(review), content_type="application/json", headers={"Accept": alone})
    assert (answer.status_code, answer.json()["reason"]) == (406, "NotAcceptable")


async def test_an_object_is_made_read_changed_and_removed(api: AsyncClient) -> None:
    made = (await post(api, MAPS, config_map("a"))).json()
    assert made["metadata"]["namespace"] == "default"
    assert (await api.get(f"{MAPS}/a")).json() == made
    changed = await api.put(f"{MAPS}/a", json.dumps({**made, "data": {"k": "w"}}), content_type="application/json")
    assert changed.json()["data"] == {"k": "w"}
    patched = await api.patch(f"{MAPS}/a", '{"data":{"x":"y"}}', content_type="application/merge-patch+json")
    assert patched.json()["data"] == {"k": "w", "x": "y"}
    gone = await api.delete(f"{MAPS}/a")
    assert gone.json()["status"] == "Success"
    assert (await api.get(f"{MAPS}/a")).status_code == 404


async def test_the_stored_text_is_passed_on(api: AsyncClient) -> None:
    await post(api, MAPS, config_map("a", labels={"l": "1"}, annotations={"n": "日本"}))
    one = (await api.get(f"{MAPS}/a")).content
    listed = (await api.get(f"{MAPS}?labelSelector=l")).content
    body = one.removeprefix(b'{"apiVersion":"v1","kind":"ConfigMap",')
    assert listed.endswith(b',"items":[{' + body + b"]}")


async def test_a_list_comes_in_pages(api: AsyncClient) -> None:
    for name in "abc":
        await post(api, MAPS, config_map(name, labels={"page": "1"}))
    first = (await api.get(f"{MAPS}?labelSelector=page&limit=2")).json()
    assert [item["metadata"]["name"] for item in first["items"]] == ["a", "b"]
    rest = (await api.get(f"{MAPS}?labelSelector=page&limit=2&continue={first['metadata']['continue']}")).json()
    assert [item["metadata"]["name"] for item in rest["items"]] == ["c"]
    assert "continue" not in rest["metadata"]


async def test_a_dry_run_stores_nothing(api: AsyncClient) -> None:
    answer = await post(api, MAPS, config_map("a"), dryRun="All")
    assert answer.json()["metadata"]["uid"]
    assert (await api.get(f"{MAPS}/a")).status_code == 404


async def test_unknown_fields_are_warned_about_or_refused(api: AsyncClient) -> None:
    body = '{"apiVersion":"v1","kind":"ConfigMap","met":1,"metadata":{"name":"a","name":"b"},"dat":{}}'
    refused = await post(api, MAPS, body, 400, fieldValidation="Strict")
    assert refused.json()["message"] == (
        'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: '
        'unknown field "met", duplicate field "metadata.name", unknown field "dat"'
    )
    ignored = await post(api, MAPS, body.replace("b", "c"), fieldValidation="Ignore")
    assert list(ignored.warnings) == []
    warned = await post(api, MAPS, body)
    headers = [value for name, value in warned.items() if name == "Warning"]
    assert headers == [
        '299 - "unknown field \\"met\\""',
        '299 - "duplicate field \\"metadata.name\\""',
        '299 - "unknown field \\"dat\\""',
    ]


async def test_yaml_goes_in_and_out(api: AsyncClient) -> None:
    text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: maps}\ndata: {k: v}\n"
    made = await api.post(MAPS, text, content_type="application/yaml")
    assert made.status_code == 201, made.content
    shown = await api.get(f"{MAPS}/maps", headers={"Accept": "application/yaml"})
    assert shown.content.startswith(b"apiVersion: v1\ndata:\n  k: v\nkind: ConfigMap\nmetadata:\n")


async def test_a_body_without_a_type_is_json(api: AsyncClient) -> None:
    answer = await api.generic("POST", MAPS, json.dumps(config_map("n")), content_type="")
    assert answer.status_code == 201


REFUSED_BODIES = {
    "protobuf of an unknown kind": (
        b"k8s\x00\x0a\x08\x0a\x02v9\x12\x02Ho",
        "application/vnd.kubernetes.protobuf",
        415,
        'no protobuf description of kind "Ho" in version "v9": send JSON or YAML',
    ),
    "broken protobuf": (b"k8s\x00\n", "application/vnd.kubernetes.protobuf", 400, "unexpected EOF (6b3873000a)"),
    "broken protobuf of a kind": (
        b"k8s\x00\x0a\x09\x0a\x02v1\x12\x03Pod\x12\x02\x0a\x05",
        "application/vnd.kubernetes.protobuf",
        400,
        'Pod in version "v1" cannot be handled as a Pod: unexpected EOF',
    ),
    "not protobuf": (b"abcd", "application/vnd.kubernetes.protobuf", 400, "expected prefix [107 56 115 0] (61626364)"),
    "broken JSON": (b'{"a":}', "application/json", 400, "invalid character '}' looking for beginning of value"),
    "a list": (b"[]", "application/json", 400, "cannot unmarshal array into Go value"),
    "text": (b"x", "text/plain", 415, "the body of the request was in an unknown format"),
}


@pytest.mark.parametrize("sentence", REFUSED_BODIES)
async def test_a_body_is_refused(api: AsyncClient, sentence: str) -> None:
    body, content_type, code, text = REFUSED_BODIES[sentence]
    answer = await api.generic("POST", PODS, body, content_type=content_type)
    assert answer.status_code == code
    assert text in answer.json()["message"]


async def test_a_deletion_with_options_in_protobuf(api: AsyncClient) -> None:
    """As typed Go clients send them since 1.32: here `dryRun: [All]`, then a uid that the pod has not."""
    await post(api, PODS, POD)
    envelope = b"k8s\x00\x0a\x13\x0a\x02v1\x12\x0dDeleteOptions\x12"
    for options, code in ((b"\x2a\x03All", 200), (b"\x12\x03\x0a\x01u", 409)):
        body = envelope + bytes([len(options)]) + options
        answer = await api.generic("DELETE", f"{PODS}/p", body, content_type="application/vnd.kubernetes.protobuf")
        assert answer.status_code == code, answer.content
        assert (await api.get(f"{PODS}/p")).status_code == 200


async def test_a_body_of_more_than_three_mebibytes_is_a_413(api: AsyncClient) -> None:
    answer = await api.generic("POST", PODS, b" " * (MAX_BYTES + 1), content_type="application/json")
    assert (answer.status_code, answer.json()["message"]) == (413, bodies.too_large().message)


async def test_a_pod_is_a_row_of_a_table(api: AsyncClient) -> None:
    await post(api, PODS, POD)
    shown = (await api.get(PODS, headers={"Accept": TABLE})).json()
    names = [column["name"] for column in shown["columnDefinitions"]]
    assert (shown["kind"], names[:5]) == ("Table", ["Name", "Ready", "Status", "Restarts", "Age"])
    assert shown["rows"][0]["cells"][:4] == ["p", "0/1", "Pending", "0"]
    assert shown["rows"][0]["object"]["kind"] == "PartialObjectMetadata"
    whole = (await api.get(f"{PODS}?includeObject=Object", headers={"Accept": TABLE})).json()
    assert whole["rows"][0]["object"]["spec"]["containers"][0]["name"] == "c"
    bare = (await api.get(f"{PODS}/p?includeObject=None", headers={"Accept": TABLE})).json()
    assert bare["rows"][0]["object"] is None
    refused = await api.get(f"{PODS}?includeObject=Foo", headers={"Accept": TABLE})
    assert (refused.status_code, refused.json()["reason"]) == (400, "BadRequest")


async def test_only_the_metadata_is_shown_on_request(api: AsyncClient) -> None:
    await post(api, PODS, POD)
    one = (await api.get(f"{PODS}/p", headers={"Accept": PARTIAL})).json()
    assert set(one) == {"kind", "apiVersion", "metadata"}
    many = (await api.get(PODS, headers={"Accept": PARTIAL_LIST})).json()
    assert (many["kind"], many["items"][0]["kind"]) == ("PartialObjectMetadataList", "PartialObjectMetadata")
    wrong = await api.get(f"{PODS}/p", headers={"Accept": PARTIAL_LIST})
    assert wrong.json()["message"].endswith("the requested object is not a list (*core.Pod)")
    wrong = await api.get(PODS, headers={"Accept": PARTIAL})
    assert wrong.json()["message"].endswith("the requested object is a list (*core.PodList)")


async def test_a_pod_is_bound_once(api: AsyncClient) -> None:
    await post(api, PODS, POD)
    binding = {"apiVersion": "v1", "kind": "Binding", "metadata": {"name": "p"}, "target": {"name": "n"}}
    answer = await post(api, f"{PODS}/p/binding", binding)
    assert (answer.json()["kind"], answer.json()["status"]) == ("Status", "Success")
    assert (await api.get(f"{PODS}/p")).json()["spec"]["nodeName"] == "n"
    await post(api, f"{PODS}/p/binding", binding, 409)


async def test_status_is_written_through_its_own_door(api: AsyncClient) -> None:
    await post(api, PODS, POD)
    patch = '{"status":{"message":"m"},"spec":{"nodeName":"x"}}'
    content_type = "application/merge-patch+json"
    changed = await api.patch(f"{PODS}/p/status", patch, content_type=content_type)
    assert changed.json()["status"]["message"] == "m"
    assert "nodeName" not in changed.json()["spec"]


async def test_a_collection_is_deleted_by_selector(api: AsyncClient) -> None:
    for name in "ab":
        await post(api, MAPS, config_map(name, labels={"who": name}))
    gone = (await api.delete(f"{MAPS}?labelSelector=who=a")).json()
    assert [item["metadata"]["name"] for item in gone["items"]] == ["a"]
    left = (await api.get(f"{MAPS}?labelSelector=who")).json()
    assert [item["metadata"]["name"] for item in left["items"]] == ["b"]


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ('{"gracePeriodSeconds":"x"}', "cannot unmarshal string into Go struct field DeleteOptions.gracePeriodSeconds"),
        ('{"kind":"Pod"}', 'no kind "Pod" is registered for version "v1" in scheme'),
        ("[", "unexpected end of JSON input"),
    ],
)
async def test_delete_options_are_refused(api: AsyncClient, body: str, text: str) -> None:
    await post(api, PODS, POD)
    answer = await api.delete(f"{PODS}/p", body, content_type="application/json")
    assert answer.status_code == 400
    assert text in answer.json()["message"]


async def test_an_exact_list_shows_the_past(api: AsyncClient) -> None:
    then = (await post(api, MAPS, config_map("a", labels={"past": "1"}))).json()["metadata"]["resourceVersion"]
    await post(api, MAPS, config_map("b", labels={"past": "1"}))
    query = f"labelSelector=past&resourceVersion={then}&resourceVersionMatch=Exact"
    shown = (await api.get(f"{MAPS}?{query}")).json()
    assert [item["metadata"]["name"] for item in shown["items"]] == ["a"]
    future = await api.get(f"{MAPS}?resourceVersion=99999999")
    assert (future.status_code, future.json()["reason"]) == (504, "Timeout")


async def test_a_name_that_is_a_slash_does_not_mean_the_collection(api: AsyncClient) -> None:
    await post(api, MAPS, config_map("a"))
    assert (await api.delete(f"{MAPS}/%2F")).status_code == 404
    assert (await api.get(f"{MAPS}/a")).status_code == 200
    assert (await api.get(f"{MAPS}/")).json()["kind"] == "ConfigMapList"
