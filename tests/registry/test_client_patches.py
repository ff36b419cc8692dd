"""Patches through the client: what they meet on the way to the store."""

from __future__ import annotations

from typing import Any

import pytest
from registry_samples import config, made, meta_of, pod, refusal

from podlab.registry import patch as patches
from podlab.registry.client import Client
from podlab.registry.operations import WriteOptions
from podlab.storage import store

pytestmark = pytest.mark.django_db(transaction=True)


def test_each_type_changes_the_object(client: Client) -> None:
    made(client, pod())
    typed: list[tuple[str, Any]] = [
        (patches.MERGE_PATCH, {"metadata": {"labels": {"a": "1"}}}),
        (patches.JSON_PATCH, [{"op": "add", "path": "/metadata/labels/b", "value": "2"}]),
        (patches.STRATEGIC_MERGE_PATCH, {"spec": {"containers": [{"name": "c", "image": "other"}]}}),
    ]
    for kind, body in typed:
        client.patch("pods", "default", "p", kind, body)
    found = client.get("pods", "default", "p").obj
    assert meta_of(found)["labels"] == {"a": "1", "b": "2"}
    assert found["spec"]["containers"][0]["image"] == "other"
    assert meta_of(found)["generation"] == 2


def test_a_patch_is_applied_again_when_somebody_was_quicker(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    made(client, config(a="1"))
    real, calls = store.update, []

    def update(*args: Any, **kwargs: Any) -> Any:
        calls.append(kwargs["expect"])
        if len(calls) == 1:
            client.update("configmaps", "default", "c", config(b="2"))
        return real(*args, **kwargs)

    monkeypatch.setattr(store, "update", update)
    written = client.patch("configmaps", "default", "c", patches.MERGE_PATCH, {"data": {"c": "3"}})
    assert written.obj["data"] == {"b": "2", "c": "3"}
    assert len(calls) == 3


def test_a_version_in_the_patch_is_a_lock(client: Client) -> None:
    old = meta_of(made(client, config(a="1")))["resourceVersion"]
    client.update("configmaps", "default", "c", config(a="2"))
    locked: list[tuple[str, Any]] = [
        (patches.MERGE_PATCH, {"metadata": {"resourceVersion": old}, "data": {"a": "3"}}),
        (patches.JSON_PATCH, [{"op": "replace", "path": "/metadata/resourceVersion", "value": old}]),
    ]
    for kind, body in locked:
        assert refusal(client.patch, "configmaps", "default", "c", kind, body).code == 409


REFUSED: dict[str, tuple[Any, int, str]] = {
    "another namespace": (
        {"metadata": {"namespace": "other"}},
        400,
        "the namespace of the provided object does not match the namespace sent on the request",
    ),
    "another name": (
        {"metadata": {"name": "q"}},
        400,
        "the name of the object (q) does not match the name on the URL (c)",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_patch_cannot_move_an_object_to(what: str, client: Client) -> None:
    made(client, config())
    body, code, text = REFUSED[what]
    error = refusal(client.patch, "configmaps", "default", "c", patches.MERGE_PATCH, body)
    assert (error.code, error.message) == (code, text)


def test_what_a_patch_makes_of_an_object_is_decoded_again(client: Client) -> None:
    made(client, pod())
    strict = refusal(client.patch, "pods", "default", "p", patches.MERGE_PATCH, {"spec": {"foo": 1}})
    assert strict.code == 422
    assert strict.message.startswith(' "" is invalid: patch: Invalid value: "{')
    assert strict.message.endswith('strict decoding error: unknown field "spec.foo"')
    wrong = refusal(client.patch, "pods", "default", "p", patches.MERGE_PATCH, {"spec": {"hostNetwork": "x"}})
    assert wrong.message.endswith(
        "json: cannot unmarshal string into Go struct field PodSpec.spec.hostNetwork of type bool"
    )
    options = WriteOptions(field_validation="Warn")
    written = client.patch("pods", "default", "p", patches.MERGE_PATCH, {"spec": {"foo": 1}}, options=options)
    assert written.warnings == ('unknown field "spec.foo"',)
    kind = refusal(client.patch, "pods", "default", "p", patches.MERGE_PATCH, {"kind": "Foo"})
    assert 'no kind "Foo" is registered for version "v1"' in kind.message


def test_a_patch_of_the_status_leaves_the_spec(client: Client) -> None:
    made(client, pod())
    body = {"spec": {"activeDeadlineSeconds": 5}, "status": {"phase": "Running"}}
    obj = client.patch("pods", "default", "p", patches.MERGE_PATCH, body, subresource="status").obj
    assert obj["status"]["phase"] == "Running"
    assert "activeDeadlineSeconds" not in obj["spec"]


def test_types_that_are_not_taken(client: Client) -> None:
    made(client, config())
    other = refusal(client.patch, "configmaps", "default", "c", "text/plain", {})
    assert (other.code, other.reason) == (415, "UnsupportedMediaType")


def test_what_is_not_there_cannot_be_patched(client: Client) -> None:
    assert refusal(client.patch, "pods", "default", "p", patches.MERGE_PATCH, {}).code == 404
