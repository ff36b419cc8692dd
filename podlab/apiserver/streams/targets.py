"""Who may open a stream, and what is meant by it: the pod, its node, a container or a port. On a pool thread.

Websockets and plain requests ask the same questions, because kubectl repeats a refused websocket as a plain request and
shows only that answer. Texts: pkg/registry/core/pod/strategy.go (streamLocation, ResourceLocation), pkg/kubelet.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from podlab.apis import static_pods, status_errors
from podlab.apis.types import Manifest
from podlab.apiserver import calls, log_options, options
from podlab.apiserver.calls import Call, Session
from podlab.registry import authorizer, streams
from podlab.registry.streams import Address, OpenRequest, ProtocolError

_STREAMS = ("stdin", "stdout", "stderr", "tty")
NO_STREAMS = "you must specify at least 1 of stdin, stdout, stderr"


@dataclass(frozen=True, slots=True)
class Target:
    address: Address
    request: OpenRequest
    pod: Manifest

    def port(self, port: int) -> OpenRequest:
        return replace(self.request, port=port)


def authorized(call: Call, *verbs: str) -> Session:
    session = calls.open_session(call)
    place = call.place
    for verb in verbs:
        authorizer.require(
            session.identity,
            authorizer.Attributes(
                verb=verb,
                resource=place.resource.key,
                cluster=call.cluster,
                namespace=place.namespace,
                name=place.name,
                subresource=place.subresource,
            ),
        )
    return session


def remote_command(call: Call) -> Target:
    """For exec and attach. Opening one needs the right to create it, whatever the method (Kubernetes 1.35 and later)."""
    session = authorized(call, "create")
    pod = _pod(session, call)
    operation = call.place.subresource
    container = log_options.choose_container(pod, call.query.get("container", ""))
    target = _target(session, call, pod, operation)
    stdin, stdout, stderr, tty = (bool(options.boolean(call.query, name)) for name in _STREAMS)
    if tty:
        stderr = False  # a terminal has one output
    if not (stdin or stdout or stderr):
        raise status_errors.bad_request(NO_STREAMS)
    command = tuple(call.query.getlist("command"))
    if operation == streams.EXEC and not command:
        raise status_errors.bad_request("you must specify at least one command for the container")
    _require_running(pod, container)
    request = replace(
        target.request, container=container, command=command, stdin=stdin, stdout=stdout, stderr=stderr, tty=tty
    )
    return replace(target, request=request)


def port_forward(call: Call) -> Target:
    session = authorized(call, "create")
    pod = _pod(session, call)
    return _target(session, call, pod, streams.DIAL)


def dial(call: Call, name: str) -> Target:
    """For the proxy: the verb is that of the request."""
    session = authorized(call, call.verb)
    return dial_pod(session, call, _pod(session, call, name))


def dial_pod(session: Session, call: Call, pod: Manifest) -> Target:
    return _target(session, call, pod, streams.DIAL)


def _pod(session: Session, call: Call, name: str = "") -> Manifest:
    place = call.place
    return session.client.as_system("apiserver").get("pods", place.namespace, name or place.name).obj


def _target(session: Session, call: Call, pod: Manifest, operation: str) -> Target:
    metadata = pod["metadata"]
    node = pod["spec"].get("nodeName")
    if not node:
        raise status_errors.bad_request(f"pod {metadata['name']} does not have a host assigned")
    stored = session.client.as_system("apiserver").find("nodes", "", node)
    published = ((stored.obj["metadata"].get("annotations") or {}) if stored else {}).get(streams.ADDRESS_ANNOTATION)
    if not published:
        raise status_errors.internal(f"error dialing backend: node {node} has no agent that takes streams")
    try:
        address = streams.parse_address(published)
    except ProtocolError as error:
        raise status_errors.internal(f"error dialing backend: {error}") from None
    request = OpenRequest(
        operation=operation,
        cluster=call.cluster,
        node=node,
        namespace=metadata["namespace"],
        pod=metadata["name"],
        uid=static_pods.runtime_uid(pod),
    )
    return Target(address, request, pod)


def _require_running(pod: Manifest, container: str) -> None:
    status = log_options.container_status(pod, container) or {}
    if (status.get("state") or {}).get("running") is None:
        raise status_errors.bad_request(f'unable to upgrade connection: container not found ("{container}")')
