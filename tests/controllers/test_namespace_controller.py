"""How a namespace ends."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from controllers_driven import Driven

from podlab.apis.types import Manifest

pytestmark = pytest.mark.django_db

MERGE = "application/merge-patch+json"


def namespace(name: str) -> Manifest:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def pod(name: str, *finalizers: str) -> Manifest:
    spec = {"containers": [{"name": "c", "image": "x"}]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "finalizers": list(finalizers)}, "spec": spec}


def conditions(driven: Driven, name: str) -> dict[str, tuple[str, str, str]]:
    found = driven.client.get("namespaces", "", name).obj["status"]["conditions"]
    return {item["type"]: (item["status"], item["reason"], item["message"]) for item in found}


def test_it_goes_with_everything_in_it(driven: Driven) -> None:
    driven.client.create("namespaces", namespace("team"))
    driven.client.create("pods", pod("p"), namespace="team")
    driven.make("c", namespace="team")
    driven.client.delete("namespaces", "", "team")
    driven.settle()
    assert driven.client.find("namespaces", "", "team") is None
    assert driven.names("team") == []


def test_what_is_written_over_the_ca_does_not_last(driven: Driven, settings: Any, tmp_path: Path) -> None:
    settings.PODLAB_DATA = tmp_path
    (tmp_path / "pki").mkdir()
    (tmp_path / "pki" / "ca.crt").write_text("the CA")
    driven.client.create("namespaces", namespace("team"))
    wrong = {"data": {"ca.crt": "", "b": "1"}, "metadata": {"annotations": None, "labels": {"mine": "1"}}}
    driven.client.patch("configmaps", "team", "kube-root-ca.crt", MERGE, wrong)
    driven.settle()
    found = driven.client.get("configmaps", "team", "kube-root-ca.crt").obj
    assert (found["data"], found["metadata"]["labels"]) == ({"ca.crt": "the CA"}, {"mine": "1"})
    assert list(found["metadata"]["annotations"]) == ["kubernetes.io/description"]


def test_pods_come_first_and_what_holds_it_up_is_told(driven: Driven) -> None:
    driven.client.create("namespaces", namespace("team"))
    driven.client.create("pods", pod("p", "example.com/hold"), namespace="team")
    driven.make("c", namespace="team")
    driven.client.delete("namespaces", "", "team")
    driven.settle()
    assert driven.client.get("pods", "team", "p").obj["metadata"]["deletionTimestamp"]
    assert driven.names("team") == ["c"]
    assert conditions(driven, "team") == {
        "NamespaceDeletionDiscoveryFailure": (
            "False", "ResourcesDiscovered", "All resources successfully discovered",
        ),
        "NamespaceDeletionGroupVersionParsingFailure": (
            "False", "ParsedGroupVersions", "All legacy kube types successfully parsed",
        ),
        "NamespaceDeletionContentFailure": (
            "False", "ContentDeleted", "All content successfully deleted, may be waiting on finalization",
        ),
        "NamespaceContentRemaining": (
            "True", "SomeResourcesRemain", "Some resources are remaining: pods. has 1 resource instances",
        ),
        "NamespaceFinalizersRemaining": (
            "True", "SomeFinalizersRemain",
            "Some content in the namespace has finalizers remaining: example.com/hold in 1 resource instances",
        ),
    }  # fmt: skip
    driven.client.patch("pods", "team", "p", MERGE, {"metadata": {"finalizers": None}})
    driven.settle()
    assert driven.client.find("namespaces", "", "team") is None


def test_a_finalizer_of_its_own_keeps_it(driven: Driven) -> None:
    made = driven.client.create("namespaces", namespace("team")).obj
    body = {**made, "spec": {"finalizers": ["kubernetes", "example.com/mine"]}}
    driven.client.update("namespaces", "", "team", body, subresource="finalize")
    driven.client.delete("namespaces", "", "team")
    driven.settle()
    left = driven.client.get("namespaces", "", "team").obj
    assert left["spec"]["finalizers"] == ["example.com/mine"]
    driven.client.update("namespaces", "", "team", {**left, "spec": {"finalizers": []}}, subresource="finalize")
    assert driven.client.find("namespaces", "", "team") is None


def test_one_that_was_ending_before_is_found(driven: Driven) -> None:
    driven.client.create("namespaces", namespace("team"))
    driven.client.delete("namespaces", "", "team")
    driven.take_up()
    driven.settle()
    assert driven.client.find("namespaces", "", "team") is None
