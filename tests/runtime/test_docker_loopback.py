"""A server that listens on a pod's loopback only is reached as by Kubernetes' port-forward."""

from __future__ import annotations

import os
import socket
import threading

import pytest

from podlab.runtime.errors import RuntimeFailure
from tests.runtime.labs import DockerLab
from tests.runtime.pods import Pod
from tests.runtime.test_stream_contract import Heard

pytestmark = pytest.mark.docker


def test_a_server_on_the_loopback_is_reached(docker_lab: DockerLab) -> None:
    own = os.readlink("/proc/self/ns/net")
    pod = Pod(docker_lab.runtime()).open()
    pod.shell("mkdir /tmp/www; echo yes > /tmp/www/ok.txt; httpd -f -p 127.0.0.1:9100 -h /tmp/www")
    heard = Heard()

    def dialled() -> bool:
        try:
            session = pod.runtime.dial(pod.ref, 9100, heard)
        except RuntimeFailure:
            return False
        session.write(b"GET /ok.txt HTTP/1.0\r\n\r\n")
        return True

    docker_lab.eventually(dialled)
    docker_lab.eventually(lambda: heard.end)
    assert heard.stdout.endswith(b"\r\n\r\nyes\n")
    assert os.readlink("/proc/self/ns/net") == own
    assert "loopback" not in {thread.name for thread in threading.enumerate()}


def test_a_port_that_is_open_on_this_machine_is_not_the_pods(docker_lab: DockerLab) -> None:
    pod = Pod(docker_lab.runtime()).open()
    with socket.create_server(("127.0.0.1", 0)) as ours:
        port = ours.getsockname()[1]
        with pytest.raises(RuntimeFailure, match="connection refused"):
            pod.runtime.dial(pod.ref, port, Heard())
