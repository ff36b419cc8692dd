"""The one door to the Docker engine: docker-py's low-level client, its errors put into ours, and raw streams.

One `Engine` serves all nodes of a process (`shared`). The client is made at the first call, so a node can start while the
engine is down. docker-py cannot split `logs` and hides the socket of what it streams, hence `Stream`.
"""

from __future__ import annotations

import json
import os
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

import docker
import docker.errors
import requests.exceptions
import urllib3.exceptions

from podlab.runtime.errors import NotFound, RuntimeFailure, Unavailable

_TIMEOUT = 60.0
_POOL = 32
_LOST = (requests.exceptions.RequestException, urllib3.exceptions.HTTPError, OSError)


@contextmanager
def engine_errors() -> Iterator[None]:
    """Put the engine's refusals and its absence into the runtime's words."""
    try:
        yield
    except docker.errors.NotFound as error:
        raise NotFound(reason(error)) from error
    except docker.errors.APIError as error:
        raise RuntimeFailure(reason(error)) from error
    except _LOST as error:
        raise Unavailable(f"Cannot connect to the Docker engine: {error}") from error
    except docker.errors.DockerException as error:
        raise Unavailable(f"Cannot connect to the Docker engine: {error}") from error


def reason(error: docker.errors.APIError) -> str:
    """The engine's own sentence, without docker-py's frame."""
    return str(error.explanation or error)


def status_code(error: docker.errors.APIError) -> int:
    return int(error.status_code or 0)


class Stream:
    """A response read as it comes. `close` may be called from another thread and ends the reader at once."""

    def __init__(self, response: Any) -> None:
        self._response = response
        self._socket = _socket_of(response)
        if self._socket is not None:
            self._socket.settimeout(None)  # the time-out was for the header; a quiet stream is a healthy one
        self.closed = False

    def chunks(self) -> Iterator[bytes]:
        """Until the engine ends the stream or `close`; a broken connection raises Unavailable."""
        try:
            while not self.closed and (data := self._response.raw.read1(65536)):
                yield data
        except (*_LOST, ValueError, AttributeError) as error:  # the last two: closed under the reader's hands
            if not self.closed:
                raise Unavailable(f"The Docker engine broke off: {error}") from error
        finally:
            self._response.close()

    def write(self, data: bytes) -> None:
        """For a stream that the engine reads too (exec, attach). Raises OSError when it does not any more."""
        if self._socket is None:
            raise BrokenPipeError("the engine takes no input on this stream")
        self._socket.sendall(data)

    def close_write(self) -> None:
        """The end of the input; output may still come."""
        with suppress(OSError):
            if self._socket is not None:
                self._socket.shutdown(socket.SHUT_WR)

    def lines(self) -> Iterator[bytes]:
        rest = b""
        for chunk in self.chunks():
            *lines, rest = (rest + chunk).split(b"\n")
            yield from (line for line in lines if line.strip())

    def close(self) -> None:
        self.closed = True
        with suppress(OSError):
            if self._socket is not None:
                # Not the method of an SSL socket: that one would wait for its reader.
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    def discard(self) -> None:
        """Close a stream that nobody has begun to read."""
        self.close()
        self._response.close()


def _socket_of(response: Any) -> socket.socket | None:
    """The socket under a response that is still being read. http.client keeps it behind a buffered reader, and only
    there once the response will close the connection; docker-py digs for it in the same way."""
    reader = getattr(getattr(response.raw, "_fp", None), "fp", None)
    found = getattr(getattr(reader, "raw", None), "_sock", None)
    return found if isinstance(found, socket.socket) else None


class Engine:
    """A lazily connected engine. Thread-safe."""

    def __init__(self, base_url: str, timeout: float = _TIMEOUT) -> None:
        self.base_url = base_url
        self._timeout = timeout
        self._lock = threading.Lock()
        self._api: Any = None

    @property
    def api(self) -> Any:
        """docker-py's APIClient; use it inside `engine_errors`."""
        with self._lock:
            if self._api is None:
                self._api = docker.APIClient(
                    base_url=self.base_url, version="auto", timeout=self._timeout, max_pool_size=_POOL
                )
            return self._api

    def ping(self) -> None:
        with engine_errors():
            self.api.ping()

    def get_stream(self, path: str, params: Mapping[str, Any]) -> Stream:
        """GET without a read time-out."""
        api = self.api
        response = api._get(api._url(path), params=dict(params), stream=True, timeout=self._timeout)
        api._raise_for_status(response)
        return Stream(response)

    def post_stream(
        self,
        path: str,
        *,
        body: Mapping[str, Any] | None = None,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Stream:
        """POST whose answer is a raw stream. Without `Upgrade`: nothing the engine sends early can get lost between
        the header's buffer and the socket."""
        api = self.api
        response = api._post(
            api._url(path),
            # What is left of a body unread would be taken for input where the stream takes some.
            data=None if body is None else json.dumps(dict(body)),
            params=dict(params or {}),
            headers={"Content-Type": "application/json", **(headers or {})},
            stream=True,
            timeout=self._timeout,
        )
        api._raise_for_status(response)
        return Stream(response)

    def close(self) -> None:
        with self._lock:
            api, self._api = self._api, None
        if api is not None:
            api.close()


_shared: dict[tuple[int, str], Engine] = {}
_shared_lock = threading.Lock()


def shared(base_url: str) -> Engine:
    """The engine client of this process: its connection pool serves all nodes. A forked child gets its own."""
    with _shared_lock:
        return _shared.setdefault((os.getpid(), base_url), Engine(base_url))
