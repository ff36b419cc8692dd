"""People's own doors to a pod: the terminal by session, the preview of a port by a signed link."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AnonymousUser, User
from django.test import AsyncClient
from test_streams import STREAMS, V5, Node, node  # noqa: F401  # the node that is played there

from podlab.apiserver import people
from podlab.apiserver.people import terminal
from podlab.registry import authorizer, clusters, identity, preview_links
from podlab.registry.identity import system
from podlab.registry.preview_links import PreviewLink

WAY = {"cluster": "main", "namespace": "default", "name": "p", "operation": "exec"}


@pytest.fixture
def pages(lab: str, settings: Any) -> None:
    settings.ROOT_URLCONF = "podlab.urls"


@sync_to_async
def person(name: str, role: str, namespace: str = "default") -> User:
    user: User = get_user_model().objects.create_user(name)
    identity.grant(user, role, cluster="main", namespace=namespace)
    return user


@asynccontextmanager
async def opened(user: Any, **way: str) -> AsyncIterator[ApplicationCommunicator]:
    scope = {
        "type": "websocket",
        "path": "/ws/c/main/ns/default/pods/p/exec",
        "query_string": STREAMS,
        "headers": [],
        "subprotocols": [V5],
        "extensions": {"websocket.http.response": {}},
        "url_route": {"kwargs": WAY | way},
        "user": user,
    }
    caller = ApplicationCommunicator(terminal, scope)
    await caller.send_input({"type": "websocket.connect"})
    yield caller
    await caller.send_input({"type": "websocket.disconnect", "code": 1000})
    await caller.wait()


async def test_a_student_enters_a_pod_of_his_own(pages: None, node: Node) -> None:  # noqa: F811
    async with opened(await person("ada", authorizer.STUDENT)) as caller:
        assert (await caller.receive_output())["subprotocol"] == V5
        await caller.send_input({"type": "websocket.receive", "bytes": b"\x00x"})
        assert (await caller.receive_output())["bytes"] == b"\x01X"


@pytest.mark.parametrize(
    ("role", "namespace", "code"), [("viewer", "default", 403), ("student", "kube-public", 403), ("", "", 401)]
)
async def test_others_do_not(pages: None, node: Node, role: str, namespace: str, code: int) -> None:  # noqa: F811
    user = await person("eve", role, namespace) if role else AnonymousUser()
    async with opened(user) as caller:
        assert (await caller.receive_output())["status"] == code


@sync_to_async
def link_for(user: User, **changes: Any) -> str:
    pod = clusters.client_for("main", system("test")).get("pods", "default", "p")
    link = PreviewLink(user.pk, "main", "default", "p", pod.uid, 81)
    return f"/preview/{preview_links.sign(replace(link, **changes))}"


async def test_a_link_reaches_the_pods_server_without_any_cookie(pages: None, node: Node) -> None:  # noqa: F811
    path = await link_for(await person("ada", authorizer.STUDENT))
    browser = AsyncClient()
    browser.cookies["podlab"] = "secret"
    answer = await browser.get(f"{path}/index.html")
    # The node that is played refuses this port: so far the request came.
    assert answer.status_code == 503
    assert "connection refused" in answer.content.decode()
    assert node.requests[-1].port == 81
    assert (await browser.get(path))["Location"] == f"{path}/"


def test_what_would_hold_for_the_whole_lab_is_kept_back() -> None:
    said = [
        ("Set-Cookie", "a=b"),
        ("Alt-Svc", 'h2="evil.example:443"'),
        ("Strict-Transport-Security", "max-age=9"),
        ("ETag", "1"),
    ]
    names = [name for name, _ in people._harmless(said)]
    assert names == ["ETag", "Content-Security-Policy", "Referrer-Policy", "X-Content-Type-Options"]


async def test_a_link_gives_no_more_than_its_person_has_today(pages: None, node: Node) -> None:  # noqa: F811
    viewer = await person("eve", authorizer.VIEWER)
    assert (await AsyncClient().get(f"{await link_for(viewer)}/")).status_code == 403
    student = await person("sam", authorizer.STUDENT)
    path = await link_for(student)
    await sync_to_async(lambda: User.objects.filter(pk=student.pk).update(is_active=False))()
    assert (await AsyncClient().get(f"{path}/")).status_code == 403


async def test_a_link_is_for_one_pod_and_cannot_be_made_up(pages: None, node: Node) -> None:  # noqa: F811
    user = await person("ada", authorizer.STUDENT)
    namesake = await link_for(user, uid="00000000-0000-0000-0000-000000000000")
    assert (await AsyncClient().get(f"{namesake}/")).status_code == 404
    forged = await link_for(user)
    forged = forged[:-1] + ("A" if forged[-1] != "A" else "B")
    answer = await AsyncClient().get(f"{forged}/")
    assert (answer.status_code, "no longer valid" in answer.content.decode()) == (403, True)
    assert node.requests == []
