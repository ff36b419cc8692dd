"""The stamp of a cluster's roles and bindings: another one whenever they are others."""

from __future__ import annotations

from typing import Any

import pytest
from storage_samples import AT

from podlab.apis.types import Key
from podlab.storage import clusters, policy_rows, store
from podlab.storage.models import Cluster

pytestmark = pytest.mark.django_db

ROLES = "roles.rbac.authorization.k8s.io"
KEYS = (ROLES, "rolebindings.rbac.authorization.k8s.io")


def key(name: str, resource: str = ROLES) -> Key:
    return Key("main", resource, "default", name)


def make(name: str, resource: str = ROLES, **more: Any) -> None:
    obj = {
        "kind": "Role",
        "apiVersion": "x/v1",
        "metadata": {"name": name, "namespace": "default", "uid": name},
        **more,
    }
    store.create(key(name, resource), obj, at=AT)


def test_every_change_makes_another_stamp() -> None:
    assert policy_rows.stamp("main", KEYS) is None, "no such cluster"
    clusters.create("main", runtime="sim")
    seen = [policy_rows.stamp("main", KEYS)]

    def changed() -> None:
        seen.append(policy_rows.stamp("main", KEYS))
        assert len(set(seen)) == len(seen)

    make("a")
    changed()
    make("b", KEYS[1])
    changed()
    changing = store.get(key("a"))
    assert changing is not None
    store.update(key("a"), {**changing.obj, "rules": []}, expect=None, at=AT)
    changed()
    store.delete(key("a"), at=AT)
    changed()
    make("a")
    changed()
    store.delete(key("b", KEYS[1]), at=AT)
    changed()
    make("c", "configmaps")
    assert policy_rows.stamp("main", KEYS) == seen[-1], "of others it tells nothing"
    assert [obj["metadata"]["name"] for obj in policy_rows.objects("main", KEYS)] == ["a"]


def test_a_recording_has_no_policy() -> None:
    clusters.create("main", runtime="sim")
    Cluster.objects.update(runtime=Cluster.Runtime.REPLAY)
    assert policy_rows.stamp("main", KEYS) is None
    Cluster.objects.update(runtime=Cluster.Runtime.SIM, deleting=True)
    assert policy_rows.stamp("main", KEYS) is None
