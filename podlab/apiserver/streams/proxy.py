"""pods/<name>/proxy and services/<name>/proxy: an HTTP request to a server in a pod, through the node that it runs on.

The path names the port: `pods/web:8080/proxy/index.html`; without one it is the first that the pod declares, else 80.
Sources: registry/core/pod/strategy.go ResourceLocation, apimachinery/pkg/util/proxy. Links inside pages are not rewritten.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any, NoReturn
from urllib.parse import urlsplit

import h11
from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase

from podlab.apis import field_errors, status_errors
from podlab.apis.types import Manifest
from podlab.apiserver import bodies, pool
from podlab.apiserver.calls import Call, Session
from podlab.apiserver.streams import service_target, targets
from podlab.apiserver.streams.node_connection import NodeConnection, Unreachable
from podlab.apiserver.streams.targets import Target
from podlab.apiserver.streams.tls import TlsConnection, TlsError
from podlab.registry import streams

_HOP_BY_HOP = frozenset(
    [
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    ]
)
# What the API server keeps for itself: the caller's token is not the pod's business.
_KEPT_BACK = _HOP_BY_HOP | {"authorization", "host", "content-length", "expect"}
_OF_THE_LAB = {"cookie", "referer", "origin"}  # a person's browser brings these for the lab's own pages
_NOT_PASSED_ON = _HOP_BY_HOP | {"date"}  # our server writes its own
_DEFAULT_PORT = 80


@dataclass(frozen=True, slots=True)
class Backend:
    name: str
    port: str
    tls: bool = False


def split_name(text: str, kind: str = "pod") -> Backend:
    """ "web", "web:8080", "http:web:8080" or "https:web:8443" (util/net SplitSchemeNamePort)."""
    parts, tls = text.split(":"), False
    if len(parts) == 3 and parts[0] in {"http", "https", ""}:
        tls = parts[0] == "https"
        parts = parts[1:]
    if len(parts) > 2 or not parts[0]:
        raise status_errors.bad_request(f"invalid {kind} request {field_errors.go_quote(text)}")
    return Backend(parts[0], parts[1] if len(parts) == 2 else "", tls)


def choose_port(pod: Manifest, wanted: str) -> int:
    declared = [port for item in pod["spec"].get("containers") or [] for port in item.get("ports") or []]
    if not wanted:
        return int(declared[0]["containerPort"]) if declared else _DEFAULT_PORT
    number = streams.port_number(wanted)
    if number is not None:
        return number
    named = next((port["containerPort"] for port in declared if port.get("name") == wanted), None)
    if named is None:
        raise status_errors.bad_request(f"invalid port {field_errors.go_quote(wanted)}")
    return int(named)


async def respond(call: Call) -> HttpResponseBase:
    prefix, path = _paths(call)
    query = call.request.META.get("QUERY_STRING", "")
    if not path and call.request.method in {"GET", "HEAD"}:
        response = HttpResponse(status=301)
        response["Location"] = f"{prefix}/{'?' + query if query else ''}"
        await pool.run(lambda: _dial(call, _backend(call)))  # who may not ask learns nothing
        return response
    return await forward(call, f"{path or '/'}{'?' + query if query else ''}", prefix)


async def forward(call: Call, wanted: str, prefix: str) -> Passed:
    """Ask the server in the pod for `wanted` (path and query); redirects in it are put below `prefix`."""
    backend = _backend(call)
    target, port = await pool.run(lambda: _dial(call, backend))
    exchange = await Exchange.open(target, port, tls=backend.tls)
    try:
        return await exchange.run(call, wanted, prefix)
    except BaseException:
        exchange.abort()
        raise


def session_of(call: Call) -> Session:
    """The session of somebody who may use the proxy of the pod that `call` names."""
    return targets.authorized(call, call.verb)


def _backend(call: Call) -> Backend:
    return split_name(call.place.name, "service" if call.place.resource.key == "services" else "pod")


def _dial(call: Call, wanted: Backend) -> tuple[Target, int]:
    """The pod and the port that the URL means."""
    if call.place.resource.key == "services":
        return service_target.dial(call, wanted.name, wanted.port)
    target = targets.dial(call, wanted.name)
    return target, choose_port(target.pod, wanted.port)


def _paths(call: Call) -> tuple[str, str]:
    """The URL's path up to `/proxy`, and what follows it, both as they were sent."""
    scope: dict[str, Any] = getattr(call.request, "scope", {})
    raw = (scope.get("raw_path") or call.request.path.encode()).decode("latin-1").partition("?")[0]
    before, word, after = raw.partition("/proxy")
    if after and not after.startswith("/"):  # the pod's name begins so
        more, word, after = after.partition("/proxy")
        before = f"{before}/proxy{more}"
    return before + word, after


class Exchange:
    """One request and its answer on a connection of its own."""

    def __init__(self, connection: NodeConnection | TlsConnection, host: str) -> None:
        self._connection, self._host = connection, host
        self._frames = connection.frames()
        self._http = h11.Connection(h11.CLIENT)

    @classmethod
    async def open(cls, target: Target, port: int, *, tls: bool = False) -> Exchange:
        host = (target.pod.get("status") or {}).get("podIP") or target.pod["metadata"]["name"]
        try:
            connection = await NodeConnection.open(target.address, target.port(port))
        except Unreachable as error:
            raise status_errors.internal(f"error dialing backend: {error}") from None
        try:
            return cls(await TlsConnection.open(connection) if tls else connection, f"{host}:{port}")
        except TlsError as problem:
            connection.abort()
            _unavailable(str(problem))
        except BaseException:
            connection.abort()
            raise

    def abort(self) -> None:
        self._connection.abort()

    async def run(self, call: Call, wanted: str, prefix: str) -> Passed:
        kept_back = _KEPT_BACK if call.who is None else _KEPT_BACK | _OF_THE_LAB
        body = bodies.raw(call.request)
        headers = [("Host", self._host), ("Connection", "close"), ("X-Forwarded-Uri", prefix)]
        headers += [(name, value) for name, value in call.request.headers.items() if name.lower() not in kept_back]
        if body or call.request.method in {"POST", "PUT", "PATCH"}:
            headers.append(("Content-Length", str(len(body))))
        try:
            request = h11.Request(method=call.request.method or "GET", target=wanted, headers=headers)
            await self._send(request, h11.Data(data=body), h11.EndOfMessage())
        except h11.LocalProtocolError as error:
            raise status_errors.bad_request(f"this request cannot be passed on: {error}") from None
        answer = await self._next()
        while isinstance(answer, h11.InformationalResponse):
            answer = await self._next()
        if not isinstance(answer, h11.Response):
            _unavailable("EOF")
        response = Passed(self._body(), status=answer.status_code)
        response.pairs = list(_passed_on(answer.headers, prefix, self._host))
        response._resource_closers.append(self.abort)  # type: ignore[attr-defined]
        return response

    async def _send(self, *events: h11.Event) -> None:
        for event in events:
            data = self._http.send(event)
            if data:
                await self._connection.send_input(data)

    async def _next(self) -> Any:
        """The next event of the answer; ApiError when there will be none."""
        while True:
            try:
                event = self._http.next_event()
            except h11.RemoteProtocolError as error:
                _unavailable(f"net/http: HTTP/1.x transport connection broken: {error}")
            if event is not h11.NEED_DATA:
                return event
            frame = await anext(self._frames, None)
            if frame is not None and frame.channel == streams.STDOUT:
                self._http.receive_data(frame.payload)
            elif frame is None or frame.channel == streams.END:
                error_text = streams.read_end(frame).error if frame is not None else ""
                if error_text and self._http.their_state is h11.SEND_RESPONSE:
                    _unavailable(error_text)
                self._http.receive_data(b"")

    async def _body(self) -> AsyncIterator[bytes]:
        try:
            while isinstance(event := await self._next(), h11.Data):
                yield bytes(event.data)
        finally:
            self.abort()


def _unavailable(text: str) -> NoReturn:
    raise status_errors.service_unavailable(f"error trying to reach service: {text}")


class Passed(StreamingHttpResponse):
    """Passes the pod's headers on as they are, several of a name too."""

    pairs: list[tuple[str, str]]

    def items(self) -> Any:
        yield from self.pairs
        yield from ((name, value) for name, value in super().items() if name.lower() == "audit-id")


def _passed_on(headers: Any, prefix: str, host: str) -> Iterator[tuple[str, str]]:
    for raw_name, raw_value in headers.raw_items():
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        if name.lower() == "location":
            yield name, _relocated(value, prefix, host)
        elif name.lower() not in _NOT_PASSED_ON:
            yield name, value


def _relocated(location: str, prefix: str, host: str) -> str:
    """A redirect inside the pod's server stays inside the proxy."""
    parts = urlsplit(location)
    if parts.netloc not in {"", host} or not parts.path.startswith("/"):
        return location
    rest = f"?{parts.query}" if parts.query else ""
    return f"{prefix}{parts.path}{rest}"
