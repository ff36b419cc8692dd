"""Which log-in of a pod's secrets fits an image."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from podlab.apis.types import Manifest
from podlab.kubelet import keyring
from podlab.kubelet.keyring import BadPullSecret


def secret(name: str, body: Any, kind: str = "kubernetes.io/dockerconfigjson") -> Manifest:
    key = ".dockercfg" if kind.endswith("dockercfg") else ".dockerconfigjson"
    raw = body if isinstance(body, str) else json.dumps(body)
    return {
        "metadata": {"name": name, "namespace": "default", "uid": f"uid-{name}"},
        "type": kind,
        "data": {key: base64.b64encode(raw.encode()).decode()},
    }


def auths(*places: str) -> dict[str, Any]:
    return {"auths": {place: {"username": place, "password": "pw"} for place in places}}


def found(image: str, *places: str) -> list[str]:
    return [login.username for login in keyring.lookup(keyring.logins([secret("s", auths(*places))]), image)]


MATCHES: dict[str, tuple[str, tuple[str, ...], list[str]]] = {
    "a registry": ("registry.example/a:1", ("registry.example",), ["registry.example"]),
    "another registry": ("registry.example/a:1", ("other.example",), []),
    "a scheme and a version do not matter": (
        "registry.example/a:1", ("https://registry.example/v2/",), ["https://registry.example/v2/"],
    ),
    "the port must be the same": ("registry.example:5000/a", ("registry.example",), []),
    "a port": ("registry.example:5000/a", ("registry.example:5000",), ["registry.example:5000"]),
    "the longer path comes first": (
        "registry.example/team/a", ("registry.example", "registry.example/team"),
        ["registry.example/team", "registry.example"],
    ),
    "another path": ("registry.example/other/a", ("registry.example/team",), []),
    "a glob for one part of the name": ("a.example.com/x", ("*.example.com",), ["*.example.com"]),
    "a glob is no two parts": ("a.b.example.com/x", ("*.example.com",), []),
    "Docker Hub by its old name": ("busybox:1.36", ("https://index.docker.io/v1/",), ["https://index.docker.io/v1/"]),
    "Docker Hub by its name": ("docker.io/library/busybox", ("docker.io",), ["docker.io"]),
    "a user's image on Docker Hub": ("me/app", ("https://index.docker.io/v1/",), ["https://index.docker.io/v1/"]),
    "not Docker Hub": ("registry.example/a", ("https://index.docker.io/v1/",), []),
}  # fmt: skip


@pytest.mark.parametrize("case", MATCHES)
def test_which_log_in_fits(case: str) -> None:
    image, places, expected = MATCHES[case]
    assert found(image, *places) == expected


def test_an_old_secret_and_an_auth_field() -> None:
    auth = base64.b64encode(b"me:a:b").decode()
    old = secret(
        "old", {"registry.example": {"auth": auth, "username": "not", "password": "this"}}, "kubernetes.io/dockercfg"
    )
    (login,) = keyring.logins([old])
    assert (login.username, login.password, login.secret.name) == ("me", "a:b", "old")


def test_other_secrets_hold_no_log_ins() -> None:
    assert (
        keyring.logins([{"metadata": {"name": "x", "namespace": "default"}, "type": "Opaque", "data": {"a": "Yg=="}}])
        == []
    )


@pytest.mark.parametrize(
    "body",
    [
        "[]",
        '"hunter2"',
        '{"auths": {"r": {"auth": "hunter2"}}}',
        '{"auths": ["hunter2"]}',
        '{"auths": {"r": {"auth": "aHVudGVyMg=="}}}',
    ],
)
def test_what_a_broken_secret_holds_is_never_told(body: str) -> None:
    with pytest.raises(BadPullSecret) as caught:
        keyring.logins([secret("s", body)])
    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
    assert "default/s cannot be read" in str(caught.value)


def test_a_password_is_not_shown() -> None:
    assert "pw" not in repr(keyring.logins([secret("s", auths("registry.example"))]))
