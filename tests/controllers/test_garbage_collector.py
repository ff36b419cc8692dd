"""The garbage collector on stored objects."""

from __future__ import annotations

import pytest
from controllers_driven import Driven, ref

from podlab.apis.types import Manifest

pytestmark = pytest.mark.django_db


def test_dependents_follow_their_owner(driven: Driven) -> None:
    owner = driven.make("owner")
    child = driven.make("child", ref(owner))
    driven.make("grandchild", ref(child))
    driven.make("stranger")
    driven.client.delete("configmaps", "default", "owner")
    driven.settle()
    assert driven.names() == ["stranger"]


def test_a_dependent_of_nobody_goes(driven: Driven) -> None:
    owner = driven.make("owner")
    driven.client.delete("configmaps", "default", "owner")
    driven.make("late", ref(owner))
    driven.settle()
    assert driven.names() == []


def test_a_namesake_is_not_the_owner(driven: Driven) -> None:
    owner = driven.make("owner")
    driven.client.delete("configmaps", "default", "owner")
    driven.make("owner")
    driven.make("late", ref(owner))
    driven.settle()
    assert driven.names() == ["owner"]


def test_what_happened_while_nobody_looked_is_found(driven: Driven) -> None:
    owner, other = driven.make("owner"), driven.make("other")
    driven.make("child", ref(owner))
    driven.make("kept", ref(other, blockOwnerDeletion=True))
    driven.client.delete("configmaps", "default", "owner")
    driven.client.delete("configmaps", "default", "other", propagation="Foreground")
    driven.take_up()
    driven.settle()
    assert driven.names() == []


def test_only_the_lost_reference_goes(driven: Driven) -> None:
    one, two = driven.make("one"), driven.make("two")
    driven.make("child", ref(one), ref(two))
    driven.client.delete("configmaps", "default", "one")
    driven.settle()
    assert [item["name"] for item in driven.meta("child")["ownerReferences"]] == ["two"]


def test_a_foreground_deletion_waits_for_those_who_block(driven: Driven) -> None:
    owner = driven.make("owner")
    driven.make("held", ref(owner, blockOwnerDeletion=True), finalizers=["example.com/hold"])
    driven.make("free", ref(owner))
    driven.client.delete("configmaps", "default", "owner", propagation="Foreground")
    driven.settle()
    assert driven.names() == ["held", "owner"]
    assert driven.meta("owner")["finalizers"] == ["foregroundDeletion"]
    assert driven.meta("held")["deletionTimestamp"]
    driven.client.patch(
        "configmaps", "default", "held", "application/merge-patch+json", {"metadata": {"finalizers": None}}
    )
    driven.settle()
    assert driven.names() == []


def test_orphans_stay_without_the_reference(driven: Driven) -> None:
    owner = driven.make("owner")
    driven.make("child", ref(owner))
    driven.client.delete("configmaps", "default", "owner", propagation="Orphan")
    driven.settle()
    assert driven.names() == ["child"]
    assert "ownerReferences" not in driven.meta("child")


def test_one_owner_waits_and_another_stays(driven: Driven) -> None:
    waiting, staying = driven.make("waiting"), driven.make("staying")
    driven.make("shared", ref(waiting, blockOwnerDeletion=True), ref(staying))
    driven.make("own", ref(waiting, blockOwnerDeletion=True))
    driven.client.delete("configmaps", "default", "waiting", propagation="Foreground")
    driven.settle()
    assert driven.names() == ["shared", "staying"]
    shared = driven.meta("shared")
    assert "deletionTimestamp" not in shared
    assert [item["name"] for item in shared["ownerReferences"]] == ["staying"]


@pytest.mark.parametrize("policy", ["Background", "Foreground"])
def test_a_circle_of_owners_goes(driven: Driven, policy: str) -> None:
    made = {name: driven.make(name) for name in ("one", "two", "three")}
    for name, owner in (("one", "three"), ("two", "one"), ("three", "two")):
        refs = [ref(made[owner], blockOwnerDeletion=True)]
        driven.client.patch(
            "configmaps", "default", name, "application/merge-patch+json", {"metadata": {"ownerReferences": refs}}
        )
    driven.settle()
    assert driven.names() == ["one", "three", "two"]
    driven.client.delete("configmaps", "default", "one", propagation=policy)
    driven.settle()
    assert driven.names() == []


def namespace(name: str) -> Manifest:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def test_an_owner_in_another_namespace_is_none(driven: Driven) -> None:
    driven.client.create("namespaces", namespace("other"))
    owner = driven.make("owner", namespace="other")
    driven.make("child", ref(owner))
    driven.settle()
    assert driven.names() == []
    uid = owner["metadata"]["uid"]
    assert driven.events() == [
        (
            "garbage-collector-controller",
            "OwnerRefInvalidNamespace",
            f'ownerRef [v1/ConfigMap, namespace: default, name: owner, uid: {uid}] does not exist in namespace "default"',
        )
    ]


def test_a_cluster_scoped_object_with_an_owner_in_a_namespace_stays(driven: Driven) -> None:
    owner = driven.make("owner")
    child = namespace("child")
    child["metadata"]["ownerReferences"] = [ref(owner)]
    driven.client.create("namespaces", child)
    driven.client.delete("configmaps", "default", "owner")
    driven.settle()
    assert driven.client.find("namespaces", "", "child") is not None


def test_an_owner_of_a_kind_that_nobody_knows_is_believed(driven: Driven) -> None:
    driven.make("child", {"apiVersion": "a.b/v1", "kind": "Thing", "name": "x", "uid": "u"})
    driven.settle()
    assert driven.names() == ["child"]


def test_a_cluster_scoped_owner(driven: Driven) -> None:
    node = driven.client.create("nodes", {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n"}}).obj
    driven.make("child", ref(node))
    driven.settle()
    assert driven.names() == ["child"]
    driven.client.delete("nodes", "", "n")
    driven.settle()
    assert driven.names() == []
