"""Streams through a whole lab with real clients: kubectl and the official Python client."""

from __future__ import annotations

import hashlib
import json
import os
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import kubernetes
import pytest
from kubernetes.stream import portforward, stream

from tests.lab.terminal import converse
from tests.whole_lab import Lab, eventually, free_port

SAMPLES = Path(__file__).resolve().parent.parent.parent / "docs" / "samples"
pytestmark = [pytest.mark.lab, pytest.mark.kubectl]
MEGABYTES = 2_000_000


@pytest.fixture(params=[pytest.param("docker", marks=pytest.mark.docker), "sim"])
def lab(request: pytest.FixtureRequest) -> Lab:
    """With the pod `hello`, which serves a page on 8080, ready."""
    made: Lab = request.getfixturevalue(f"{request.param}_lab")
    hello(made)
    return made


@pytest.fixture
def real(docker_lab: Lab) -> Lab:
    hello(docker_lab)
    return docker_lab


def hello(lab: Lab) -> None:
    lab.kubectl("apply", "-f", str(SAMPLES / "hello.yaml"))
    lab.kubectl("wait", "--for=condition=Ready", "pod/hello", "--timeout=60s")


def run(lab: Lab, *arguments: str, stdin: bytes = b"", seconds: float = 60) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        ["kubectl", "--kubeconfig", str(lab.kubeconfig), *arguments],
        input=stdin,
        capture_output=True,
        timeout=seconds,
        env={**os.environ, "HOME": str(lab.data), "KUBECACHEDIR": str(lab.data / "kubecache")},
        check=False,
    )


# exec

COMMANDS: dict[str, tuple[tuple[str, ...], int, str, str]] = {
    "output": (("echo", "hi there"), 0, "hi there\n", ""),
    "the pod's hostname": (("hostname",), 0, "hello\n", ""),
    "both outputs and the exit code": (
        ("sh", "-c", "echo out; echo err >&2; exit 7"),
        7,
        "out\n",
        "err\ncommand terminated with exit code 7\n",
    ),
}


@pytest.mark.parametrize("sentence", COMMANDS)
def test_exec_gives(lab: Lab, sentence: str) -> None:
    command, code, stdout, stderr = COMMANDS[sentence]
    done = run(lab, "exec", "hello", "--", *command)
    assert (done.returncode, done.stdout.decode(), done.stderr.decode()) == (code, stdout, stderr)


def test_exec_passes_input_on_to_its_end(lab: Lab) -> None:
    done = run(lab, "exec", "-i", "hello", "--", "sh", "-c", "cat; echo done", stdin=b"one\ntwo\n")
    assert (done.returncode, done.stdout) == (0, b"one\ntwo\ndone\n")


def test_exec_on_a_terminal(lab: Lab) -> None:
    code, shown = converse(
        lab, ["exec", "-it", "hello", "--", "sh"], [("# ", "echo a$((40+2))b\r"), ("a42b", "exit 5\r")]
    )
    assert code == 5, shown
    assert "a42b\r\n" in shown


def test_exec_knows_the_size_of_the_terminal(real: Lab) -> None:
    code, shown = converse(
        real,
        ["exec", "-it", "hello", "--", "sh"],
        [("# ", "stty size\r"), ("33 111", "exit\r")],
        rows=33,
        columns=111,
    )
    assert code == 0, shown


def test_a_missing_program_is_named(real: Lab) -> None:
    done = run(real, "exec", "hello", "--", "nosuch")
    assert done.returncode in {126, 127}
    assert b'exec: "nosuch": executable file not found in $PATH' in done.stdout + done.stderr


def test_a_program_that_is_not_simulated_says_so(sim_lab: Lab) -> None:
    hello(sim_lab)
    done = run(sim_lab, "exec", "hello", "--", "tar", "cf", "-", "/")
    assert done.returncode == 127
    assert b"podlab: tar: is not simulated" in done.stderr


REFUSALS: dict[str, tuple[tuple[str, ...], str]] = {
    "a pod that is not there": (("exec", "nope", "--", "ls"), 'Error from server (NotFound): pods "nope" not found'),
    "a container that is not there": (
        ("exec", "hello", "-c", "bad", "--", "ls"),
        "container bad is not valid for pod hello",
    ),
    "a pod without a node": (("exec", "homeless", "--", "ls"), "pod homeless does not have a host assigned"),
    "a container that waits": (("exec", "waiting", "--", "ls"), 'container not found ("app")'),
}
HOMELESS = """
apiVersion: v1
kind: Pod
metadata: {name: homeless}
spec:
  nodeSelector: {no-such: label}
  containers: [{name: app, image: "busybox:1.36", command: [sleep, "3600"]}]
---
apiVersion: v1
kind: Pod
metadata: {name: waiting, annotations: {sim.podlab.dev/pull-error: not today}}
spec:
  containers: [{name: app, image: "registry.invalid/none:1", command: [sleep, "3600"]}]
"""


@pytest.mark.parametrize("sentence", REFUSALS)
def test_kubectl_shows_why_it_is_refused_at(lab: Lab, sentence: str) -> None:
    arguments, text = REFUSALS[sentence]
    lab.kubectl("apply", "-f", "-", stdin=HOMELESS)
    if "waiting" in arguments:
        eventually("the pod has a node", lambda: (lab.pod("waiting") or {})["spec"].get("nodeName"))
    done = run(lab, *arguments)
    assert done.returncode == 1
    assert text in done.stderr.decode()


def test_plain_requests_get_the_same_answers(lab: Lab) -> None:
    below = "/api/v1/namespaces/default/pods/hello"
    for path, code, text in (
        (f"{below}/exec?command=ls&stdout=true", 400, "Upgrade request required"),
        (f"{below}/exec?command=ls", 400, "you must specify at least 1 of stdin, stdout, stderr"),
        (f"{below}/exec?stdout=true", 400, "you must specify at least one command for the container"),
        (f"{below}x/attach?stdout=true", 404, 'pods "hellox" not found'),
        (f"{below}/portforward", 400, "Upgrade request required"),
    ):
        found, status = lab.api("POST", path, b"")
        assert (found, status["message"]) == (code, text)


# cp


def test_cp_carries_megabytes_both_ways(real: Lab, tmp_path: Path) -> None:
    there, back = tmp_path / "there", tmp_path / "back"
    there.write_bytes(os.urandom(MEGABYTES))
    done = run(real, "cp", str(there), "hello:/tmp/there")
    assert done.returncode == 0, done.stderr
    digest = hashlib.md5(there.read_bytes()).hexdigest()
    assert run(real, "exec", "hello", "--", "md5sum", "/tmp/there").stdout.decode().split()[0] == digest
    done = run(real, "cp", "hello:/tmp/there", str(back))
    assert done.returncode == 0, done.stderr
    assert back.read_bytes() == there.read_bytes()


# port-forward


@contextmanager
def forwarded(lab: Lab, port: int) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    local = free_port()
    process = subprocess.Popen(
        ["kubectl", "--kubeconfig", str(lab.kubeconfig), "port-forward", "hello", f"{local}:{port}"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "HOME": str(lab.data), "KUBECACHEDIR": str(lab.data / "kubecache")},
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline().startswith(b"Forwarding from")
        yield local, process
    finally:
        process.kill()
        process.communicate()


def test_port_forward_answers_again_and_again(lab: Lab) -> None:
    with forwarded(lab, 8080) as (local, _):
        for _ in range(3):
            with urllib.request.urlopen(f"http://127.0.0.1:{local}/", timeout=10) as answer:
                assert answer.read() == b"hello from hello\n"


def test_port_forward_carries_megabytes_both_ways(real: Lab) -> None:
    run(real, "exec", "hello", "--", "sh", "-c", "(nc -l -p 9000 -e cat &) ; sleep 0.5", seconds=20)
    sent = os.urandom(MEGABYTES)
    with forwarded(real, 9000) as (local, _), socket.create_connection(("127.0.0.1", local), timeout=20) as caller:
        received = b""
        at = 0
        caller.setblocking(False)
        deadline = time.monotonic() + 30
        while len(received) < len(sent):
            assert time.monotonic() < deadline, f"{len(received)} of {len(sent)} bytes came back"
            with suppress(BlockingIOError):
                at += caller.send(sent[at : at + 65536]) if at < len(sent) else 0
            try:
                received += caller.recv(65536)
            except BlockingIOError:
                time.sleep(0.002)
    assert received == sent


def test_a_port_without_a_server_is_told(lab: Lab) -> None:
    with forwarded(lab, 81) as (local, process):
        with socket.create_connection(("127.0.0.1", local), timeout=10) as caller:
            assert caller.recv(10) == b""
        assert process.wait(20) == 1
        assert process.stderr is not None
        assert b"connect: connection refused" in process.stderr.read()


# attach and run


def test_attach_shows_what_comes(lab: Lab) -> None:
    with subprocess.Popen(
        ["kubectl", "--kubeconfig", str(lab.kubeconfig), "attach", "hello"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "HOME": str(lab.data)},
    ) as process:
        assert process.stdout is not None
        try:
            assert process.stdout.readline().startswith(b"tick ")
            assert process.stdout.readline().startswith(b"tick ")
        finally:
            process.kill()


def test_run_with_input_and_its_exit_code(real: Lab) -> None:
    options = ("--image=busybox:1.36", "--restart=Never", "--rm", "-i")
    done = run(real, "run", "asker", *options, "--", "sh", "-c", "read a; echo got $a; exit 3", stdin=b"line\n")
    assert done.returncode == 3, done.stderr
    assert b"got line\n" in done.stdout
    assert real.pod("asker") is None


def test_run_on_a_terminal(real: Lab) -> None:
    options = ["--image=busybox:1.36", "--restart=Never", "--rm", "-it"]
    code, shown = converse(
        real,
        ["run", "typist", *options, "--", "sh"],
        [("try pressing enter", "\r"), ("# ", "echo i$((1+1))i; exit 4\r")],
    )
    assert code == 4, shown
    assert "i2i" in shown
    eventually("the pod is gone", lambda: real.pod("typist") is None)


# proxy


def test_the_proxy_shows_a_pods_pages(lab: Lab) -> None:
    below = "/api/v1/namespaces/default/pods"
    assert lab.kubectl("get", "--raw", f"{below}/hello/proxy/") == "hello from hello\n"
    assert lab.kubectl("get", "--raw", f"{below}/hello:8080/proxy/") == "hello from hello\n"
    assert lab.kubectl("get", "--raw", f"{below}/http:hello:8080/proxy/index.html") == "hello from hello\n"
    code, status = lab.api("GET", f"{below}/hello:81/proxy/")
    assert (code, status["reason"]) == (503, "ServiceUnavailable")
    assert "connect: connection refused" in status["message"]


def test_the_proxy_passes_method_body_and_status_on(real: Lab) -> None:
    script = "mkdir -p /www/cgi-bin; printf '#!/bin/sh\\necho \"Status: 201 Made\"; echo; echo $REQUEST_METHOD; cat' > /www/cgi-bin/x; chmod +x /www/cgi-bin/x"
    run(real, "exec", "hello", "--", "sh", "-c", script)
    body = json.dumps({"some": "words"}).encode()
    request = urllib.request.Request(
        f"http://127.0.0.1:{real.port}/api/v1/namespaces/default/pods/hello:8080/proxy/cgi-bin/x",
        body,
        {"Authorization": f"Bearer {real.token}"},
        method="POST",
    )
    with urllib.request.urlopen(request, timeout=20) as answer:
        assert answer.read() == b"POST\n" + body


# The official Python client


@pytest.fixture
def core(lab: Lab) -> Iterator[Any]:
    client = kubernetes.config.new_client_from_config(str(lab.kubeconfig))
    yield kubernetes.client.CoreV1Api(client)
    client.close()


def test_the_python_client_execs(core: Any) -> None:
    answer = stream(
        core.connect_get_namespaced_pod_exec,
        "hello",
        "default",
        command=["sh", "-c", "echo out; exit 6"],
        stdout=True,
        stderr=True,
        _preload_content=False,
    )
    answer.run_forever(timeout=20)
    assert answer.read_stdout() == "out\n"
    assert answer.returncode == 6


def test_the_python_client_talks_to_a_shell(core: Any) -> None:
    answer = stream(
        core.connect_get_namespaced_pod_exec,
        "hello",
        "default",
        command=["sh"],
        stdin=True,
        stdout=True,
        stderr=True,
        _preload_content=False,
    )
    answer.write_stdin("echo one $((1+1))\n")
    assert answer.readline_stdout(timeout=20) == "one 2"
    answer.write_stdin("exit 2\n")
    answer.run_forever(timeout=20)
    assert answer.returncode == 2


def test_the_python_client_sees_the_real_refusal(core: Any) -> None:
    with pytest.raises(kubernetes.client.ApiException) as refused:
        stream(core.connect_get_namespaced_pod_exec, "nope", "default", command=["ls"], stdout=True)
    assert refused.value.status == 404 or "404" in str(refused.value)


def test_the_python_client_forwards_a_port(core: Any) -> None:
    forward = portforward(core.connect_get_namespaced_pod_portforward, "hello", "default", ports="8080")
    caller = forward.socket(8080)
    caller.setblocking(True)
    caller.settimeout(20)
    caller.sendall(b"GET / HTTP/1.1\r\nHost: hello\r\nConnection: close\r\n\r\n")
    received = b""
    while data := caller.recv(4096):
        received += data
    assert received.endswith(b"hello from hello\n")
    assert forward.error(8080) is None


# When things break


def test_a_killed_node_worker_is_an_error_and_no_hang(real: Lab) -> None:
    with subprocess.Popen(
        ["kubectl", "--kubeconfig", str(real.kubeconfig), "exec", "hello", "--", "sh", "-c", "echo here; sleep 1000"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"here\n"  # the stream is open
        real.kill("node")
        assert process.wait(20) == 1
        assert process.stderr is not None
        assert b"the node's agent went away" in process.stderr.read()
    assert run(real, "exec", "hello", "--", "echo", "again").stdout == b"again\n"
    run(real, "exec", "hello", "--", "sh", "-c", "kill $(pidof sleep)")
    real.kubectl("delete", "pod", "hello", "--timeout=60s")


def test_a_client_that_is_killed_takes_its_command_along(real: Lab) -> None:
    with subprocess.Popen(
        ["kubectl", "--kubeconfig", str(real.kubeconfig), "exec", "hello", "--", "sleep", "4321"],
        stdout=subprocess.DEVNULL,
    ) as process:
        eventually("the command runs", lambda: b"sleep 4321" in run(real, "exec", "hello", "--", "ps").stdout)
        process.kill()
    eventually("the command is gone", lambda: b"sleep 4321" not in run(real, "exec", "hello", "--", "ps").stdout)
