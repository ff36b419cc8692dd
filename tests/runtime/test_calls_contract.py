"""Calls into containers as every runtime answers them: exec, HTTP, TCP."""

from __future__ import annotations

import pytest

from podlab.runtime.calls import ExecResult, HttpRequest, HttpResult, TcpResult
from tests.runtime.awaiting import ended, result, up
from tests.runtime.labs import Lab
from tests.runtime.pods import POLITE, WEB_SERVER, Pod

EXECS = {
    "success": (("true",), 0, ""),
    "failure": (("false",), 1, ""),
    "output": (("sh", "-c", "echo hello"), 0, "hello\n"),
    "output before errors": (("sh", "-c", "echo err >&2; echo out; exit 3"), 3, "out\nerr\n"),
    "a missing file": (("cat", "/nope"), 1, "cat: can't open '/nope': No such file or directory\n"),
}


@pytest.mark.parametrize("case", EXECS)
def test_exec(lab: Lab, case: str) -> None:
    argv, code, output = EXECS[case]
    pod = Pod(lab.runtime()).open()
    container_id = up(lab, pod, pod.shell(POLITE))
    found: ExecResult = result(lab, lambda done: pod.runtime.exec_sync(container_id, argv, 20, done))
    assert (found.exit_code, found.output, found.timed_out, found.error) == (code, output, False, "")


def test_exec_times_out(lab: Lab) -> None:
    pod = Pod(lab.runtime()).open()
    container_id = up(lab, pod, pod.shell(POLITE))
    found: ExecResult = result(
        lab, lambda done: pod.runtime.exec_sync(container_id, ("sh", "-c", "echo slow; sleep 60"), 1, done)
    )
    assert found.timed_out
    assert found.error == ""
    assert 1 <= found.seconds < 5


def test_exec_of_a_command_that_is_not_there_is_an_error_not_a_failure(lab: Lab) -> None:
    pod = Pod(lab.runtime()).open()
    container_id = up(lab, pod, pod.shell(POLITE))
    found: ExecResult = result(lab, lambda done: pod.runtime.exec_sync(container_id, ("nope",), 20, done))
    assert "nope" in found.error
    assert not found.timed_out


def test_exec_in_an_ended_container_is_an_error(lab: Lab) -> None:
    pod = Pod(lab.runtime()).open()
    container_id = pod.shell("true")
    ended(lab, pod, container_id)
    found: ExecResult = result(lab, lambda done: pod.runtime.exec_sync(container_id, ("true",), 20, done))
    assert found.error


def test_http_and_tcp_reach_a_server(lab: Lab) -> None:
    pod = Pod(lab.runtime()).open()
    container_id = pod.shell(WEB_SERVER, ports=(8080,))
    address = pod.runtime.pod_status(pod.ref).sandboxes[0].ip

    def connects() -> bool:
        found: TcpResult = result(lab, lambda done: pod.runtime.tcp_connect(container_id, address, 8080, 5, done))
        return found.ok

    lab.eventually(connects)
    request = HttpRequest("HTTP", address, 8080, "/ok.txt")
    page: HttpResult = result(lab, lambda done: pod.runtime.http_get(container_id, request, 5, done))
    assert (page.status, page.error, page.redirect_host) == (200, "", "")


def test_nobody_listening_is_refused_in_gos_words(lab: Lab) -> None:
    pod = Pod(lab.runtime()).open()
    container_id = pod.run("sleep", "3600")
    address = pod.runtime.pod_status(pod.ref).sandboxes[0].ip
    refused = f"dial tcp {address}:8080: connect: connection refused"
    tcp: TcpResult = result(lab, lambda done: pod.runtime.tcp_connect(container_id, address, 8080, 5, done))
    assert (tcp.ok, tcp.error) == (False, refused)
    request = HttpRequest("HTTP", address, 8080, "/")
    page: HttpResult = result(lab, lambda done: pod.runtime.http_get(container_id, request, 5, done))
    assert (page.status, page.error) == (0, f'Get "http://{address}:8080/": {refused}')
