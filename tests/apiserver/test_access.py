"""Who gets in, and how refusals look."""

from __future__ import annotations

from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth import get_user_model
from django.test import AsyncClient

from podlab.apiserver import verbs
from podlab.registry import authorizer, identity


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
