"""What namespaces begin with, how they end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from registry_samples import config, made, namespace, pod, refusal

from podlab.apis import validation
from podlab.registry.client import Client
from podlab.registry.namespaces import finalize_namespace
from podlab.storage import store

pytestmark = pytest.mark.django_db


@pytest.fixture
def authority(settings: Any, tmp_path: Path) -> str:
    """The lab's CA, where `make up` puts it."""
    (tmp_path / "pki").mkdir()
    (tmp_path / "pki" / "ca.crt").write_text("A CERTIFICATE")
    settings.PODLAB_DATA = tmp_path
    return "A CERTIFICATE"


def test_a_namespace_is_active_and_labelled(client: Client) -> None:
    obj = client.create("namespaces", namespace("x")).obj
    assert obj["metadata"]["labels"] == {"kubernetes.io/metadata.name": "x"}
    assert obj["spec"] == {"finalizers": ["kubernetes"]}
    assert obj["status"] == {"phase": "Active"}


def test_the_label_and_the_spec_cannot_be_changed(client: Client) -> None:
    obj = client.create("namespaces", namespace("x")).obj
    meta = {**obj["metadata"], "labels": {"a": "b"}}
    changed = client.update("namespaces", "", "x", {**obj, "metadata": meta, "spec": {"finalizers": []}}).obj
    assert changed["metadata"]["labels"] == {"a": "b", "kubernetes.io/metadata.name": "x"}
    assert changed["spec"] == {"finalizers": ["kubernetes"]}


def test_every_namespace_has_an_account_and_the_ca(client: Client, authority: str) -> None:
    client.create("namespaces", namespace("x"))
    assert client.get("serviceaccounts", "x", "default").obj["metadata"]["namespace"] == "x"
    assert client.get("configmaps", "x", "kube-root-ca.crt").obj["data"] == {"ca.crt": authority}


def test_furniture_that_is_deleted_comes_back(client: Client, authority: str) -> None:
    client.create("namespaces", namespace("x"))
    for resource, name in (("serviceaccounts", "default"), ("configmaps", "kube-root-ca.crt")):
        before = client.get(resource, "x", name).uid
        client.delete(resource, "x", name)
        assert client.get(resource, "x", name).uid != before


def test_a_deleted_namespace_takes_nothing_new(client: Client) -> None:
    client.create("namespaces", namespace("x"))
    deleted = client.delete("namespaces", "", "x")
    assert not deleted.gone
    assert deleted.obj["status"] == {"phase": "Terminating"}
    assert "deletionGracePeriodSeconds" not in deleted.obj["metadata"]
    error = refusal(made, client, config(), "x")
    assert error.code == 403
    assert error.message == (
        'configmaps "c" is forbidden: unable to create new content in namespace x because it is being terminated'
    )
    assert error.details is not None
    assert error.details["causes"] == [
        {
            "reason": "NamespaceTerminating",
            "message": "namespace x is being terminated",
            "field": "metadata.namespace",
        }
    ]


def test_a_namespace_that_ended_while_a_request_was_checked_takes_nothing(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.create("namespaces", namespace("x"))

    def validate(resource: object, obj: object) -> list[object]:
        client.delete("namespaces", "", "x")
        finalize_namespace(client, "x")
        return []

    monkeypatch.setattr(validation, "validate_create", validate)
    error = refusal(made, client, config(), "x")
    assert (error.code, error.message) == (404, 'namespaces "x" not found')
    assert store.list_objects("main", "configmaps", "x").items == []


def test_an_empty_namespace_ends_at_the_first_look(client: Client) -> None:
    client.create("namespaces", namespace("x"))
    client.delete("namespaces", "", "x")
    assert finalize_namespace(client, "x").gone
    assert client.find("namespaces", "", "x") is None
    assert store.list_objects("main", "serviceaccounts", "x").items == []
    # The name is free again.
    client.create("namespaces", namespace("x"))


def test_pods_end_before_the_rest(client: Client) -> None:
    client.create("namespaces", namespace("x"))
    made(client, pod(), "x")
    made(client, config(a="b"), "x")
    client.bind("x", "p", "node-a")
    client.delete("namespaces", "", "x")
    first = finalize_namespace(client, "x")
    assert (first.gone, first.remaining) == (False, {"pods": 1})
    assert client.get("pods", "x", "p").obj["metadata"]["deletionGracePeriodSeconds"] == 30
    assert client.get("configmaps", "x", "c").obj["data"] == {"a": "b"}
    client.delete("pods", "x", "p", grace=0)
    assert finalize_namespace(client, "x").gone
    assert client.find("configmaps", "x", "c") is None


def test_what_a_finalizer_holds_holds_the_namespace(client: Client) -> None:
    client.create("namespaces", namespace("x"))
    held = config()
    held["metadata"]["finalizers"] = ["example.com/hold"]
    made(client, held, "x")
    client.delete("namespaces", "", "x")
    assert finalize_namespace(client, "x").remaining == {"configmaps": 1}
    patch = {"metadata": {"finalizers": None}}
    client.patch("configmaps", "x", "c", "application/merge-patch+json", patch)
    assert finalize_namespace(client, "x").gone


def test_living_and_missing_namespaces_are_left_alone(client: Client) -> None:
    client.create("namespaces", namespace("x"))
    assert not finalize_namespace(client, "x").gone
    assert client.find("serviceaccounts", "x", "default") is not None
    assert finalize_namespace(client, "none").gone


@pytest.mark.parametrize("name", ["default", "kube-system", "kube-public"])
def test_three_namespaces_stay(name: str, client: Client) -> None:
    error = refusal(client.delete, "namespaces", "", name)
    assert (error.code, error.message) == (403, f'namespaces "{name}" is forbidden: this namespace may not be deleted')


def test_finalize_is_the_door_to_the_spec(client: Client) -> None:
    obj = client.create("namespaces", namespace("x")).obj
    more = {**obj, "spec": {"finalizers": ["kubernetes", "example.com/hold"]}}
    client.update("namespaces", "", "x", more, subresource="finalize")
    client.delete("namespaces", "", "x")
    assert not finalize_namespace(client, "x").gone
    assert client.get("namespaces", "", "x").obj["spec"] == {"finalizers": ["example.com/hold"]}
