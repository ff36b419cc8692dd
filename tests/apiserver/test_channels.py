"""The channel protocols of exec, attach and port-forward: which is spoken, and how the end is told."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podlab.apis.status_errors import ApiError
from podlab.apiserver.streams import channels
from podlab.apiserver.streams.channels import Protocol
from podlab.apiserver.streams.proxy import Backend, choose_port, split_name
from podlab.registry.streams import End

NONE = Protocol("", 1)


@given(st.sampled_from([*channels.REMOTE_COMMAND, *channels.PORT_FORWARD]), st.integers(0, 4), st.binary(max_size=1000))
def test_messages_come_back(protocol: Protocol, channel: int, data: bytes) -> None:
    message = protocol.encode(channel, data)
    assert isinstance(message, str) is protocol.base64
    raw = message.encode() if isinstance(message, str) else message
    assert protocol.decode(raw) == (channel, data)


@given(st.sampled_from(channels.REMOTE_COMMAND), st.binary(max_size=50))
def test_no_message_of_a_client_raises(protocol: Protocol, message: bytes) -> None:
    found = protocol.decode(message)
    assert found is None or isinstance(found[1], bytes)


CHOICES: dict[str, tuple[list[str], str]] = {
    "kubectl": (["v5.channel.k8s.io"], "v5.channel.k8s.io"),
    "the Python client": (["v5.channel.k8s.io", "v4.channel.k8s.io"], "v5.channel.k8s.io"),
    "an older Python client": (["v4.channel.k8s.io"], "v4.channel.k8s.io"),
    "the conformance suite": (["channel.k8s.io"], "channel.k8s.io"),
    "a browser that sends its token": (
        ["base64url.bearer.authorization.k8s.io.dG9rZW4", "base64.channel.k8s.io"],
        "base64.channel.k8s.io",
    ),
    "a client that names none": ([], ""),
}


@pytest.mark.parametrize("who", CHOICES)
def test_is_answered_in(who: str) -> None:
    offered, chosen = CHOICES[who]
    assert channels.choose(offered, channels.REMOTE_COMMAND, NONE).name == chosen


def test_a_client_that_speaks_something_else_is_refused() -> None:
    with pytest.raises(ApiError, match="unsupported protocol"):
        channels.choose(["v9.channel.k8s.io"], channels.REMOTE_COMMAND, NONE)


def test_success_is_told_as_kubernetes_tells_it() -> None:
    assert channels.status_of(End(0), doing="x") == {"metadata": {}, "status": "Success"}
    assert channels.status_of(End(None), doing="x") == {"metadata": {}, "status": "Success"}


def test_an_exit_code_travels_in_the_causes() -> None:
    status = channels.status_of(End(7), doing="x")
    assert status["reason"] == "NonZeroExitCode"
    assert status["details"] == {"causes": [{"reason": "ExitCode", "message": "7"}]}
    assert status["message"] == "command terminated with non-zero exit code: command terminated with exit code 7"


def test_an_error_is_an_internal_one() -> None:
    status = channels.status_of(End(None, "gone"), doing="error attaching to container")
    assert (status["code"], status["reason"]) == (500, "InternalError")
    assert status["message"] == "Internal error occurred: error attaching to container: gone"


def test_the_first_version_tells_errors_as_text_and_success_not_at_all() -> None:
    old, new = channels.REMOTE_COMMAND[3], channels.REMOTE_COMMAND[0]
    assert channels.status_bytes(old, {"status": "Success"}) is None
    assert channels.status_bytes(old, {"status": "Failure", "message": "no"}) == b"no"
    assert json.loads(channels.status_bytes(new, {"status": "Success"}) or b"") == {"status": "Success"}


SIZES: dict[bytes, tuple[int, int] | None] = {
    b'{"Width":120,"Height":40}\n': (120, 40),
    b'{"Width":0,"Height":40}': None,
    b'{"Width":70000,"Height":40}': None,
    b'{"Width":"x","Height":1}': None,
    b"[1,2]": None,
    b"": None,
    b"\xff": None,
    b"[" * 100_000: None,
}


@pytest.mark.parametrize("data", SIZES, ids=lambda data: repr(data[:20]))
def test_a_window_size_is_read_or_ignored(data: bytes) -> None:
    assert channels.read_size(data) == SIZES[data]


def pod(*ports: dict[str, Any]) -> dict[str, Any]:
    return {"spec": {"containers": [{"name": "side"}, {"name": "web", "ports": list(ports)}]}}


def test_the_proxy_takes_name_and_port_apart() -> None:
    for text, expected in (
        ("web", Backend("web", "")),
        ("web:80", Backend("web", "80")),
        ("http:web:80", Backend("web", "80")),
        ("https:web:443", Backend("web", "443", tls=True)),
    ):
        assert split_name(text) == expected
    for text in ("a:b:c", ":80", "ftp:web:21"):
        with pytest.raises(ApiError):
            split_name(text)


def test_the_proxy_finds_the_port() -> None:
    declared = pod({"name": "http", "containerPort": 8080}, {"containerPort": 9090})
    assert choose_port(declared, "") == 8080
    assert choose_port(declared, "9091") == 9091
    assert choose_port(declared, "http") == 8080
    assert choose_port(pod(), "") == 80
    for wrong in ("https", "0", "70000", "-1"):
        with pytest.raises(ApiError, match="invalid port"):
            choose_port(declared, wrong)
