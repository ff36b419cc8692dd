"""`kubectl --as`: an admin sees what somebody else would be told."""

from __future__ import annotations

from typing import Any

from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.test import AsyncClient

from podlab.registry import authorizer, identity

PODS = "/api/v1/namespaces/default/pods"
REVIEW = "/apis/authentication.k8s.io/v1/selfsubjectreviews"


def make_student(name: str) -> str:
    user = User.objects.create_user(name)
    identity.grant(user, authorizer.STUDENT, cluster="main", namespace="default")
    return identity.issue_token(user, "t")


async def who(api: AsyncClient, **headers: str) -> dict[str, Any]:
    answer = await api.post(REVIEW, {}, content_type="application/json", headers=headers)
    assert answer.status_code == 201, answer.content
    return dict(answer.json()["status"]["userInfo"])


async def test_an_admin_may_act_as_anybody(api: AsyncClient) -> None:
    await sync_to_async(make_student)("ada")
    found = await who(api, **{"Impersonate-User": "ada", "Impersonate-Group": "team"})
    assert (found["username"], found["groups"]) == ("ada", ["system:authenticated", "team"])
    as_ada = {"Impersonate-User": "ada"}
    assert (await api.get(PODS, headers=as_ada)).status_code == 200
    refused = await api.get("/api/v1/namespaces/kube-system/pods", headers=as_ada)
    assert refused.status_code == 403
    assert 'User "ada" cannot list resource "pods"' in refused.json()["message"]
    assert (await api.get(PODS, headers={"Impersonate-User": "nobody"})).status_code == 403
    account = "system:serviceaccount:default:default"
    groups = (await who(api, **{"Impersonate-User": account}))["groups"]
    assert groups == ["system:serviceaccounts", "system:serviceaccounts:default", "system:authenticated"]


async def test_nobody_else_may(lab: str, anybody: AsyncClient) -> None:
    token = await sync_to_async(make_student)("ada")
    headers = {"Authorization": f"Bearer {token}", "Impersonate-User": "admin"}
    refused = await anybody.get(PODS, headers=headers)
    assert refused.status_code == 403
    assert refused.json()["message"] == (
        'users "admin" is forbidden: User "ada" cannot impersonate resource "users" in API group "" at the cluster scope'
    )


async def test_groups_need_a_user(api: AsyncClient) -> None:
    assert (await api.get(PODS, headers={"Impersonate-Group": "system:masters"})).status_code == 400
