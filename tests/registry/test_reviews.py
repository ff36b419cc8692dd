"""What people and service accounts are told about themselves, and that it is what the authorizer does."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from registry_samples import Hands, refusal

from podlab.registry import account_tokens, authentication, authorizer, identity
from podlab.registry.client import Client
from podlab.registry.identity import Identity

AUTHORIZATION = "authorization.k8s.io/v1"
AUTHENTICATION = "authentication.k8s.io/v1"


def ask(client: Client, kind: str, spec: dict[str, Any], *, namespace: str = "") -> dict[str, Any]:
    group = AUTHORIZATION if "Access" in kind or "Rules" in kind else AUTHENTICATION
    key = f"{kind.lower()}s.{group.partition('/')[0]}"
    written = client.create(key, {"apiVersion": group, "kind": kind, "spec": spec}, namespace=namespace)
    assert written.created
    return dict(written.obj["status"])


def somebody(client: Client, name: str, role: str, namespace: str = "default") -> Client:
    user = User.objects.create_user(name)
    identity.grant(user, role, cluster="main", namespace=namespace)
    return Client("main", identity.of_user(user), client.now)


def may(client: Client, verb: str, resource: str, namespace: str = "default", **more: str) -> bool:
    about = {"verb": verb, "resource": resource, "namespace": namespace, **more}
    return bool(ask(client, "SelfSubjectAccessReview", {"resourceAttributes": about})["allowed"])


def test_who_am_i(client: Client) -> None:
    ada = somebody(client, "ada", authorizer.STUDENT)
    obj = ada.create("selfsubjectreviews.authentication.k8s.io", {"kind": "SelfSubjectReview"}).obj
    user = User.objects.get(username="ada")
    assert obj["status"]["userInfo"] == {"username": "ada", "uid": str(user.pk), "groups": ["system:authenticated"]}
    old = {"kind": "SelfSubjectReview", "apiVersion": "authentication.k8s.io/v1beta1"}
    assert ada.create("selfsubjectreviews.authentication.k8s.io", old).obj["apiVersion"] == old["apiVersion"]
    mine = client.create("selfsubjectreviews.authentication.k8s.io", {}).obj["status"]["userInfo"]
    assert mine == {"username": "system:test", "groups": ["system:masters", "system:authenticated"]}


def test_may_i_is_what_the_authorizer_does(client: Client) -> None:
    ada = somebody(client, "ada", authorizer.STUDENT)
    assert may(ada, "create", "pods")
    assert may(ada, "create", "pods", subresource="exec")
    assert not may(ada, "create", "pods", "kube-system")
    assert not may(ada, "update", "pods", subresource="status")
    assert not may(ada, "*", "*")
    assert may(client, "*", "*", "")
    assert may(ada, "list", "nodes", "")
    assert not may(ada, "delete", "nodes", "")


def test_paths_that_are_no_resources(client: Client) -> None:
    ada = somebody(client, "ada", authorizer.VIEWER)
    review = lambda verb, path: ask(  # noqa: E731
        ada, "SelfSubjectAccessReview", {"nonResourceAttributes": {"verb": verb, "path": path}}
    )["allowed"]
    assert (review("get", "/openapi/v3"), review("get", "/metrics"), review("post", "/api")) == (True, False, False)


def test_the_list_of_rights_holds_nothing_that_is_refused(client: Client) -> None:
    ada = somebody(client, "ada", authorizer.STUDENT)
    found = ask(ada, "SelfSubjectRulesReview", {"namespace": "default"})
    assert found["incomplete"] is False
    listed = {
        (verb, resource)
        for rule in found["resourceRules"]
        for verb in rule["verbs"]
        for resource in rule["resources"]
        if rule["apiGroups"] == [""]
    }
    assert ("create", "pods") in listed
    assert ("create", "pods/binding") not in listed
    for verb, resource in listed:
        plural, _, sub = resource.partition("/")
        place = "" if plural in ("nodes", "namespaces", "persistentvolumes") else "default"
        assert may(ada, verb, plural, place, subresource=sub), (verb, resource)
    everything = ask(client, "SelfSubjectRulesReview", {"namespace": "default"})["resourceRules"]
    assert everything == [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}]


def test_asking_about_others_is_for_admins(client: Client) -> None:
    ada = somebody(client, "ada", authorizer.STUDENT)
    about = {"resourceAttributes": {"verb": "get", "resource": "pods", "namespace": "default"}}
    assert ask(client, "SubjectAccessReview", {**about, "user": "ada"})["allowed"] is True
    assert ask(client, "SubjectAccessReview", {**about, "user": "nobody"})["allowed"] is False
    assert ask(client, "SubjectAccessReview", {**about, "groups": ["system:masters"]})["allowed"] is True
    local = ask(client, "LocalSubjectAccessReview", {**about, "user": "ada"}, namespace="default")
    assert local["allowed"] is True
    wrong = refusal(ask, client, "LocalSubjectAccessReview", {**about, "user": "ada"}, namespace="kube-system")
    assert "spec.resourceAttributes.namespace" in wrong.message
    assert refusal(ask, ada, "SubjectAccessReview", {**about, "user": "ada"}).code == 403


@pytest.mark.parametrize(
    ("kind", "spec", "text"),
    [
        (
            "SelfSubjectAccessReview",
            {},
            '.authorization.k8s.io "" is invalid: spec.resourceAttributes: Invalid value: null: exactly one of '
            "nonResourceAttributes or resourceAttributes must be specified",
        ),
        ("SubjectAccessReview", {"nonResourceAttributes": {}}, "at least one of user or group must be specified"),
        ("SelfSubjectRulesReview", {}, "no namespace on request"),
        ("TokenReview", {}, "token is required for TokenReview in authentication"),
    ],
)
def test_a_question_that_makes_no_sense(client: Client, kind: str, spec: dict[str, Any], text: str) -> None:
    assert text in refusal(ask, client, kind, spec).message


# Tokens of service accounts

NODE = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n"}}


def token_of(client: Client, name: str = "default", **spec: Any) -> dict[str, Any]:
    answered, _ = client.create_token(
        "default", name, {"kind": "TokenRequest", "apiVersion": AUTHENTICATION, "spec": spec}
    )
    return answered


def holder(raw: str, hands: Hands) -> Identity | None:
    return authentication.by_bearer(raw, now_of=lambda _: hands.now)


def test_a_token_is_the_account_until_it_ends(client: Client, hands: Hands) -> None:
    made = token_of(client, expirationSeconds=600)
    raw = made["status"]["token"]
    assert made["status"]["expirationTimestamp"] == "2026-11-21T02:10:00Z"
    found = holder(raw, hands)
    assert found is not None
    assert found.name == "system:serviceaccount:default:default"
    assert found.groups == ("system:serviceaccounts", "system:serviceaccounts:default", "system:authenticated")
    hands.advance(599)
    assert holder(raw, hands) is not None
    hands.advance(1)
    assert holder(raw, hands) is None


def test_a_token_dies_with_its_account(client: Client, hands: Hands) -> None:
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "robot"}}
    client.create("serviceaccounts", account, namespace="default")
    raw = token_of(client, "robot")["status"]["token"]
    client.delete("serviceaccounts", "default", "robot")
    client.create("serviceaccounts", account, namespace="default")
    assert holder(raw, hands) is None


def test_a_token_dies_with_the_pod_that_it_is_bound_to(client: Client, hands: Hands) -> None:
    pod: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p"},
        "spec": {"containers": [{"name": "c", "image": "i"}]},
    }
    pod["spec"]["nodeName"] = "n"
    node = client.create("nodes", NODE).obj["metadata"]["uid"]
    client.create("pods", pod, namespace="default")
    bound = {"kind": "Pod", "apiVersion": "v1", "name": "p"}
    raw = token_of(client, boundObjectRef=bound)["status"]["token"]
    found = holder(raw, hands)
    assert found is not None
    assert ("authentication.kubernetes.io/pod-name", ("p",)) in found.extra
    assert found.extra[-2:] == (
        ("authentication.kubernetes.io/node-name", ("n",)),
        ("authentication.kubernetes.io/node-uid", (node,)),
    )
    other = refusal(token_of, client, boundObjectRef={**bound, "uid": "x"})
    assert other.message.startswith(
        'Operation cannot be fulfilled on Pod "p": the UID in the bound object reference (x)'
    )
    client.delete("pods", "default", "p", grace=0)
    assert holder(raw, hands) is None
    assert refusal(token_of, client, boundObjectRef=bound).code == 404


@pytest.mark.parametrize(("kind", "resource", "namespace"), [("Secret", "secrets", "default"), ("Node", "nodes", None)])
def test_a_token_dies_with_the_object_that_it_is_bound_to(
    client: Client, hands: Hands, kind: str, resource: str, namespace: str | None
) -> None:
    obj = NODE if kind == "Node" else {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "n"}}
    client.create(resource, obj, namespace=namespace or "")
    raw = token_of(client, boundObjectRef={"kind": kind, "apiVersion": "v1", "name": "n"})["status"]["token"]
    found = holder(raw, hands)
    assert found is not None
    assert dict(found.extra).get("authentication.kubernetes.io/node-name") == (("n",) if kind == "Node" else None)
    client.delete(resource, namespace or "", "n")
    assert holder(raw, hands) is None


def test_an_account_may_ask_about_itself_and_nothing_else(client: Client, hands: Hands) -> None:
    found = holder(token_of(client)["status"]["token"], hands)
    assert found is not None
    account = Client("main", found, hands)
    assert not may(account, "get", "pods")
    assert refusal(account.list, "pods", "default").code == 403
    assert authorizer.sees_cluster(found, "main")
    assert not authorizer.sees_cluster(found, "other")


def test_a_forged_token_is_nobodys(client: Client, hands: Hands) -> None:
    raw = token_of(client)["status"]["token"]
    head, claims, signature = raw.split(".")
    other = token_of(client)["status"]["token"].split(".")
    nested = account_tokens._base64(b'{"x":' + b"[" * 4000)  # deeper than Python reads
    for forged in (
        f"{head}.{claims}.{other[2]}",
        f"{head}.{other[1]}.{signature}",
        f"{head}.{claims}.",
        f"{head}.{claims}.{signature[:-4]}",
        f"{account_tokens._encoded({'alg': 'none'})}.{claims}.",
        f"{nested}.{claims}.{account_tokens._base64(bytes(64))}",
        f"{head}.!!!.{signature}",
        "eyJ..",
    ):
        assert holder(forged, hands) is None, forged


def test_a_token_review_tells_whose_it_is(client: Client, hands: Hands) -> None:
    raw = token_of(client)["status"]["token"]
    found = ask(client, "TokenReview", {"token": raw})
    assert found["authenticated"] is True
    assert found["user"]["username"] == "system:serviceaccount:default:default"
    user = User.objects.create_user("ada")
    assert ask(client, "TokenReview", {"token": identity.issue_token(user, "t")})["user"]["username"] == "ada"
    assert "authenticated" not in ask(client, "TokenReview", {"token": "nonsense"})
    other = token_of(client, audiences=["vault"])["status"]["token"]
    assert "is invalid for the target audiences" in ask(client, "TokenReview", {"token": other})["error"]
    assert ask(client, "TokenReview", {"token": other, "audiences": ["vault"]})["audiences"] == ["vault"]
    assert holder(other, hands) is None, "a token for others does not open the API"


@pytest.mark.parametrize(
    ("spec", "text"),
    [
        ({"expirationSeconds": 5}, "may not specify a duration less than 10 minutes"),
        ({"expirationSeconds": 2**40}, "may not specify a duration larger than 2^32 seconds"),
        ({"expirationSeconds": "x"}, "json: cannot unmarshal string"),
        ({"boundObjectRef": {"kind": "Foo", "apiVersion": "v1"}}, "cannot bind token to object of type /v1, Kind=Foo"),
    ],
)
def test_a_token_request_that_is_refused(client: Client, spec: dict[str, Any], text: str) -> None:
    assert text in refusal(token_of, client, **spec).message
    assert refusal(token_of, client, "nobody").code == 404


def test_students_make_tokens_in_their_own_namespace(client: Client) -> None:
    ada = somebody(client, "ada", authorizer.STUDENT)
    assert token_of(ada)["status"]["token"]
    assert refusal(ada.create_token, "kube-system", "default", {}).code == 403
