"""The web process: prepares the lab if needed, then serves http for people and https for the Kubernetes API.

One event loop, two listeners: they share the hub, so a change is read once for all viewers.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
import signal
import socket
import ssl
from collections.abc import Generator
from pathlib import Path
from typing import Any

import uvicorn
import uvloop

from podlab.ops import pod_network
from podlab.ops.http_protocol import HttpProtocol
from podlab.ops.ready import say_ready
from podlab.ops.websockets import WebSocketProtocol

GRACE_SECONDS = 3
API_PING_SECONDS, API_PONG_SECONDS = 60, 600
# As kube-apiserver's IdleTimeout: a client that sends on a connection which is just being closed gets an error for a write.
API_IDLE_SECONDS = 90


class Listener(uvicorn.Server):
    """A uvicorn server whose signals are handled by us, once for both. `sockets`: what it listens on, if that is made
    already."""

    sockets: list[socket.socket] | None = None

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


def _listener(application: Any, *, host: str, port: int, tls: tuple[Path, Path] | None = None) -> Listener:
    config = uvicorn.Config(
        application,
        host=host,
        port=port,
        lifespan="off",
        access_log=False,
        log_level="warning",
        timeout_graceful_shutdown=GRACE_SECONDS,
        timeout_keep_alive=API_IDLE_SECONDS if tls else 5,
        server_header=False,
        proxy_headers=tls is None,  # nobody stands before the API, which asks for no client's address
        http=HttpProtocol,
        ws=WebSocketProtocol,
        ws_max_size=4 * 1024 * 1024,
        # Kubernetes' clients need not answer while nobody reads: the Python client does so only when it is asked to.
        ws_ping_interval=API_PING_SECONDS if tls else 20,
        ws_ping_timeout=API_PONG_SECONDS if tls else 20,
        backlog=1024,
        ssl_certfile=str(tls[0]) if tls else None,
        ssl_keyfile=str(tls[1]) if tls else None,
        ssl_version=ssl.PROTOCOL_TLS_SERVER,
    )
    return Listener(config)


async def _serve(listeners: list[Listener], data: Path) -> None:
    from podlab.storage import hub

    loop = asyncio.get_running_loop()

    def stop() -> None:
        hub.close()  # ends every watch, so that the listeners need not wait for them
        for listener in listeners:
            listener.should_exit = True

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
    tasks = [asyncio.create_task(listener.serve(listener.sockets)) for listener in listeners]
    while not all(listener.started for listener in listeners):
        if any(task.done() for task in tasks):
            break
        await asyncio.sleep(0.01)
    else:
        say_ready(data)
    await asyncio.gather(*tasks)


def pods_door(settings: Any) -> socket.socket | None:
    """A lab that listens on the loopback only is out of reach for its pods: on Docker the API listens on the gateway of
    their bridge, too. None where that is not so, or cannot be."""
    loopback = settings.PODLAB_BIND in {"localhost", "::1"} or settings.PODLAB_BIND.startswith("127.")
    if settings.PODLAB_RUNTIME != "docker" or not loopback or not settings.PODLAB_SERVICE_RULES:
        return None
    try:
        gateway = pod_network.find(settings.PODLAB_DOCKER_HOST, settings.PODLAB_DOCKER_NETWORK).gateway
        made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((gateway, settings.PODLAB_API_PORT))
    except (OSError, pod_network.NoPodNetwork) as problem:
        logging.getLogger(__name__).warning("pods cannot reach the API: %s", problem)
        return None
    return made


def _rest_from_collecting() -> None:
    """What was imported stays: looking through it for garbage again and again took half of the time of a long list."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


def main() -> None:
    import django

    django.setup()
    from django.conf import settings

    from podlab.ops import prepare

    door = pods_door(settings)
    files = prepare.prepare(door.getsockname()[0] if door is not None else "")
    from podlab.asgi import api_application, application

    pages = _listener(application, host=settings.PODLAB_BIND, port=settings.PODLAB_PORT)
    api = _listener(
        api_application,
        host=settings.PODLAB_BIND,
        port=settings.PODLAB_API_PORT,
        tls=(files.server, files.server_key),
    )
    if door is not None:
        api.sockets = [api.config.bind_socket(), door]
    listeners = [pages, api]
    _rest_from_collecting()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(listeners, settings.PODLAB_DATA))


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "podlab.settings")
    main()
