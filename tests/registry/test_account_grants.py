"""Roles of service accounts: what their tokens may then do, what reviews say of it, and how it is shown."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from podlab.registry import account_grants, authentication, authorizer, impersonation, namespaces
from podlab.registry.client import Client
from podlab.registry.identity import system

ROBOT = "system:serviceaccount:default:robot"


def grant(*arguments: str) -> str:
    said = StringIO()
    call_command("grant", *arguments, stdout=said)
    return said.getvalue().strip()


def robot(client: Client) -> Client:
    """A client with a fresh token of the account."""
    if client.find("serviceaccounts", "default", "robot") is None:
        client.create("serviceaccounts", {"metadata": {"name": "robot"}}, namespace="default")
    request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
    token = client.create_token("default", "robot", request)[0]["status"]["token"]
    who = authentication.by_bearer(token, now_of=lambda _: client.now())
    assert who is not None
    return Client("main", who, client.now)


def may(client: Client, verb: str, resource: str, namespace: str = "default", *, user: str = "") -> bool:
    kind = "SubjectAccessReview" if user else "SelfSubjectAccessReview"
    spec: dict[str, Any] = {"resourceAttributes": {"verb": verb, "resource": resource, "namespace": namespace}}
    if user:
        spec["user"] = user
    review = {"apiVersion": "authorization.k8s.io/v1", "kind": kind, "spec": spec}
    return bool(client.create(f"{kind.lower()}s.authorization.k8s.io", review).obj["status"]["allowed"])


def test_an_account_may_nothing_until_it_is_given_a_role(client: Client) -> None:
    assert not may(robot(client), "list", "pods")
    assert (
        grant("viewer", ROBOT, "--namespace", "default")
        == f"{ROBOT} has the role viewer in cluster main, namespace default"
    )
    own = robot(client)
    assert may(own, "list", "pods")
    assert not may(own, "list", "secrets")
    assert not may(own, "create", "pods")
    assert not may(own, "list", "pods", "kube-system")
    own.list("pods", "default")


def test_it_is_taken_back(client: Client) -> None:
    grant("student", ROBOT, "--namespace", "default")
    assert may(robot(client), "create", "pods")
    assert " had the role student " in grant("student", ROBOT, "--namespace", "default", "--revoke")
    assert not may(robot(client), "create", "pods")
    assert " never had " in grant("student", ROBOT, "--namespace", "default", "--revoke")


def test_everywhere_is_the_whole_cluster(client: Client) -> None:
    grant("admin", ROBOT, "--everywhere")
    assert may(robot(client), "delete", "nodes", "")


def test_others_are_told_the_same(client: Client) -> None:
    """`kubectl auth can-i --as`, and an access review about the account."""
    grant("viewer", ROBOT, "--namespace", "default")
    who = impersonation.impersonated(system("test"), "main", ROBOT, ())
    assert authorizer.allowed(who, "list", "pods", cluster="main", namespace="default")
    assert not authorizer.allowed(who, "create", "pods", cluster="main", namespace="default")
    assert may(client, "list", "pods", user=ROBOT)
    assert not may(client, "list", "pods", "kube-system", user=ROBOT)


def test_it_is_shown_as_a_role_binding(client: Client) -> None:
    grant("viewer", ROBOT, "--namespace", "default")
    grant("viewer", ROBOT, "--everywhere")
    (found,) = [item.obj for item in client.list("rolebindings.rbac.authorization.k8s.io", "default").items]
    assert found["metadata"]["name"] == f"podlab:viewer:{ROBOT}"
    assert found["subjects"] == [{"kind": "ServiceAccount", "name": "robot", "namespace": "default"}]
    assert found["roleRef"]["name"] == "podlab:viewer"
    names = [
        item.obj["metadata"]["name"]
        for item in client.list("clusterrolebindings.rbac.authorization.k8s.io", None).items
    ]
    assert f"podlab:viewer:{ROBOT}" in names


def test_it_goes_with_its_namespace(client: Client) -> None:
    client.create("namespaces", {"metadata": {"name": "short"}})
    grant("viewer", ROBOT, "--namespace", "short")
    client.delete("namespaces", "", "short")
    assert namespaces.finalize_namespace(client, "short").gone
    assert account_grants.of("main", "default", "robot")[1:] == ()


@pytest.mark.parametrize("user", ["nobody", "system:serviceaccount:default", "system:serviceaccount::x"])
def test_whoever_is_not_known_is_named(client: Client, user: str) -> None:
    with pytest.raises(CommandError, match=user):
        grant("viewer", user, "--everywhere")
