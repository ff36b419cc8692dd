"""Who gets in, and how refusals look."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from django.contrib.auth import get_user_model
from django.test import AsyncClient

from podlab.apiserver import verbs
from podlab.registry import account_tokens, authorizer, clusters, identity


async def test_without_a_token_it_is_a_401(anybody: AsyncClient) -> None:
    answer = await anybody.get("/api/v1/namespaces")
    assert answer.status_code == 401
    assert answer.json()["reason"] == "Unauthorized"


async def test_a_wrong_token_is_a_401(anybody: AsyncClient) -> None:
    answer = await anybody.get("/api", headers={"Authorization": "Bearer nonsense"})
    assert answer.status_code == 401


def _student() -> str:
    user = get_user_model().objects.create_user("ada")
    identity.grant(user, authorizer.STUDENT, cluster="main", namespace="ada")
    return identity.issue_token(user, "tests")


async def test_a_student_is_refused_in_kubernetes_words(anybody: AsyncClient) -> None:
    token = await sync_to_async(_student)()
    answer = await anybody.get("/api/v1/namespaces/default/pods", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 403
    assert answer.json()["message"] == (
        'pods is forbidden: User "ada" cannot list resource "pods" in API group "" in the namespace "default"'
    )


async def test_a_cluster_that_one_does_not_belong_to_is_a_403(anybody: AsyncClient) -> None:
    token = await sync_to_async(_student)()
    answer = await anybody.get("/clusters/other/api", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 403
    assert answer.json()["message"] == 'forbidden: User "ada" cannot get path "/api"'


async def test_a_cluster_that_does_not_exist_is_a_404(api: AsyncClient) -> None:
    answer = await api.get("/clusters/nowhere/api/v1/pods")
    assert answer.status_code == 404
    assert "nowhere" in answer.json()["message"]


async def test_a_failure_inside_is_a_status_with_the_request_id(
    api: AsyncClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: Any) -> None:
        raise ZeroDivisionError("boom")

    monkeypatch.setattr(verbs, "list_page", fail)
    answer = await api.get("/api/v1/pods")
    status = answer.json()
    assert (answer.status_code, status["reason"]) == (500, "InternalError")
    assert answer["Audit-Id"] in status["message"]
    assert "boom" not in status["message"]
    assert answer["Audit-Id"] in caplog.text


async def test_errors_come_as_yaml_to_whoever_asked_for_yaml(api: AsyncClient) -> None:
    answer = await api.get("/api/v1/namespaces/default/pods/none", headers={"Accept": "application/yaml"})
    assert answer["Content-Type"] == "application/yaml"
    assert answer.content.decode() == (
        "apiVersion: v1\ncode: 404\ndetails:\n  kind: pods\n  name: none\nkind: Status\n"
        'message: pods "none" not found\nmetadata: {}\nreason: NotFound\nstatus: Failure\n'
    )


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("post", "/api/v1/namespaces/default/pods/p"),
        ("post", "/api/v1/pods"),
        ("put", "/api/v1/namespaces/default/pods"),
        ("delete", "/api/v1/namespaces"),
        ("options", "/api/v1/pods"),
        ("post", "/api"),
    ],
)
async def test_a_method_that_a_place_does_not_know_is_a_405(api: AsyncClient, method: str, path: str) -> None:
    answer = await getattr(api, method)(path)
    assert (answer.status_code, answer.json()["reason"]) == (405, "MethodNotAllowed")


def _account_token(cluster: str = "main") -> str:
    client = clusters.client_for(cluster, identity.system("test"))
    made = client.get("serviceaccounts", "default", "default")
    terms = account_tokens.Terms(cluster=cluster, namespace="default", name="default", uid=made.obj["metadata"]["uid"])
    return account_tokens.issue(terms, now=client.now(), seconds=600)[0]


async def test_an_account_finds_the_key_that_verifies_its_token(anybody: AsyncClient) -> None:
    """An account without any right reads this much, as in Kubernetes; and the key fits."""
    token = await sync_to_async(_account_token)()
    bearer = {"Authorization": f"Bearer {token}"}
    found = (await anybody.get("/.well-known/openid-configuration", headers=bearer)).json()
    head, claims, signature = (base64.urlsafe_b64decode(part + "==") for part in token.split("."))
    assert found["issuer"] == json.loads(claims)["iss"]
    assert found["jwks_uri"] == "https://testserver/openid/v1/jwks"
    answer = await anybody.get("/openid/v1/jwks", headers=bearer)
    assert (answer["Content-Type"], answer["Cache-Control"]) == ("application/jwk-set+json", "public, max-age=3600")
    (key,) = answer.json()["keys"]
    assert (key["kid"], key["alg"]) == (json.loads(head)["kid"], json.loads(head)["alg"])
    x, y = (int.from_bytes(base64.urlsafe_b64decode(key[name] + "=")) for name in "xy")
    public = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
    pair = encode_dss_signature(int.from_bytes(signature[:32]), int.from_bytes(signature[32:]))
    public.verify(pair, token.rpartition(".")[0].encode(), ec.ECDSA(hashes.SHA256()))


async def test_who_may_not_read_the_issuer_is_refused(anybody: AsyncClient) -> None:
    assert (await anybody.get("/openid/v1/jwks")).status_code == 401
    bearer = {"Authorization": f"Bearer {await sync_to_async(_student)()}"}
    answer = await anybody.get("/openid/v1/jwks", headers=bearer)
    assert answer.json()["message"] == 'forbidden: User "ada" cannot get path "/openid/v1/jwks"'
    account = {"Authorization": f"Bearer {await sync_to_async(_account_token)()}"}
    assert (await anybody.post("/openid/v1/jwks", headers=account)).status_code == 405
