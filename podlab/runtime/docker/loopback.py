"""A connection to 127.0.0.1 inside a pod: what Kubernetes' port-forward dials, and where some servers listen only.

A thread steps into the network of the pod's sandbox, connects, and ends; the socket stays where it was made. That takes
an engine on this machine and the rights of root; without them there is no such connection.
"""

from __future__ import annotations

import ctypes
import os
import socket
import threading
from pathlib import Path

from podlab.runtime.docker.client import Engine, engine_errors
from podlab.runtime.errors import RuntimeFailure

_CLONE_NEWNET = 0x40000000


def connect(engine: Engine, sandbox_id: str, port: int, timeout: float) -> socket.socket | None:
    """None when it cannot be done from here, or nobody listens there either."""
    if not engine.base_url.startswith("unix:") or not hasattr(os, "pidfd_open"):
        return None
    made: list[socket.socket] = []

    def step_in() -> None:
        try:
            namespace = _network_of(engine, sandbox_id)
            try:
                if ctypes.CDLL(None, use_errno=True).setns(namespace, _CLONE_NEWNET) != 0:
                    return
            finally:
                os.close(namespace)
            made.append(socket.create_connection(("127.0.0.1", port), timeout=timeout))
        except (OSError, AttributeError, RuntimeFailure):
            return

    # A thread of its own: it never comes back from the pod's network.
    thread = threading.Thread(target=step_in, name="loopback", daemon=True)
    thread.start()
    thread.join()
    return made[0] if made else None


def _network_of(engine: Engine, sandbox_id: str) -> int:
    """The sandbox's network as a descriptor. A process number that is used again cannot slip between: the namespace is
    opened first and believed only if the process still belongs to the sandbox then."""
    with engine_errors():
        number = int(engine.api.inspect_container(sandbox_id)["State"]["Pid"])
    if number <= 1:
        raise RuntimeFailure("the sandbox does not run")
    namespace = os.open(f"/proc/{number}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    if sandbox_id not in Path(f"/proc/{number}/cgroup").read_text():
        os.close(namespace)
        raise RuntimeFailure("the sandbox is gone")
    return namespace
