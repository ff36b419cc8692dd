"""ClusterRoles that are made of others."""

from __future__ import annotations

from typing import Any

import pytest
from controllers_driven import Driven

from podlab.apis.types import Manifest
from podlab.controllers.cluster_roles import gathered

KEY = "clusterroles.rbac.authorization.k8s.io"


def rule(verb: str) -> Manifest:
    return {"verbs": [verb], "apiGroups": [""], "resources": ["pods"]}


def role(name: str, *verbs: str, labels: Manifest | None = None, gathers: Any = None) -> Manifest:
    obj: Manifest = {"metadata": {"name": name, "labels": labels or {}}, "rules": [rule(verb) for verb in verbs]}
    if gathers is not None:
        obj["aggregationRule"] = {"clusterRoleSelectors": gathers}
    return obj


def test_rules_come_selector_by_selector_and_once() -> None:
    whole = role("all", "x", labels={"a": "1"}, gathers=[{"matchLabels": {"b": "1"}}, {"matchLabels": {"a": "1"}}])
    others = [
        whole,
        role("one", "get", "list", labels={"a": "1"}),
        role("two", "list", labels={"b": "1"}),
        role("no", "y"),
    ]
    assert gathered(whole, others) == [rule("list"), rule("get")]
    assert gathered(role("none", gathers=[{"matchLabels": {"z": "1"}}]), others) == []


@pytest.mark.django_db
def test_a_role_follows_those_that_it_gathers(driven: Driven) -> None:
    def rules() -> list[Manifest]:
        found: list[Manifest] = driven.client.get(KEY, "", "all").obj["rules"] or []
        return found

    driven.client.create(KEY, role("all", gathers=[{"matchLabels": {"a": "1"}}]))
    driven.client.create(KEY, role("one", "get", labels={"a": "1"}))
    driven.settle()
    assert rules() == [rule("get")]
    driven.client.create(KEY, role("two", "list", labels={"a": "1"}))
    driven.take_up()
    driven.settle()
    assert rules() == [rule("get"), rule("list")]
    owner = driven.client.get(KEY, "", "all").obj["metadata"]["managedFields"]
    assert ("clusterrole-aggregation-controller", "Apply") in [(one["manager"], one["operation"]) for one in owner]
    driven.client.patch(KEY, "", "all", "application/merge-patch+json", {"rules": [rule("delete")]})
    driven.client.delete(KEY, "", "one")
    driven.settle()
    assert rules() == [rule("list")]
    driven.client.delete(KEY, "", "two")
    driven.settle()
    assert rules() == []


@pytest.mark.django_db
def test_kubernetes_own_roles_can_be_gathered(driven: Driven) -> None:
    label = "rbac.authorization.k8s.io/aggregate-to-view"
    driven.client.create(KEY, role("all", gathers=[{"matchLabels": {label: "true"}}]))
    driven.settle()
    assert any("pods" in one["resources"] for one in driven.client.get(KEY, "", "all").obj["rules"])
