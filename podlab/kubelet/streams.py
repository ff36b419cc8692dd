"""Opens the stream that a caller asked for on a node's runtime: finds the container that is meant, in the kubelet's words.

`node_host` and `simhost.streams` call `open_stream` for connections that come in over `stream_server`.
"""

from __future__ import annotations

from podlab.registry import streams
from podlab.registry.streams import OpenRequest
from podlab.runtime.errors import NotFound, RuntimeFailure
from podlab.runtime.interface import ContainerState, PodRef, Runtime
from podlab.runtime.streaming import StreamOptions, StreamSession, StreamSink


def open_stream(runtime: Runtime, request: OpenRequest, sink: StreamSink) -> StreamSession:
    """Raises RuntimeFailure; `sink` has then not been called."""
    pod = PodRef(request.namespace, request.pod, request.uid)
    if request.operation == streams.DIAL:
        return runtime.dial(pod, request.port, sink)
    options = StreamOptions(stdin=request.stdin, stdout=request.stdout, stderr=request.stderr, tty=request.tty)
    container_id = _running(runtime, pod, request.container)
    if request.operation == streams.ATTACH:
        return runtime.attach(container_id, options, sink)
    if not request.command:
        raise RuntimeFailure("no command was given")
    return runtime.exec_stream(container_id, request.command, options, sink)


def _running(runtime: Runtime, pod: PodRef, name: str) -> str:
    for container in runtime.pod_status(pod).containers:
        if container.name == name and container.state is ContainerState.RUNNING:
            return container.id
    raise NotFound(f'container not found ("{name}")')
