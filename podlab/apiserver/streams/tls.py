"""TLS to a server in a pod, over the bytes of a stream: for the `https:` form of the proxies.

Nobody's certificate is checked, as in Kubernetes, whose proxy knows no CA of a pod either. Source:
pkg/controlplane/apiserver/options (ProxyTransport, InsecureSkipVerify).
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator

from podlab.apiserver.streams.node_connection import NodeConnection
from podlab.registry import streams
from podlab.registry.streams import End, Frame

_CHUNK = 64 * 1024


class TlsError(Exception):
    """What answers speaks no TLS, or broke it off."""


class TlsConnection:
    """Stands in for the NodeConnection whose bytes it encrypts."""

    def __init__(self, inner: NodeConnection) -> None:
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        self._inner, self._frames = inner, inner.frames()
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing)

    @classmethod
    async def open(cls, inner: NodeConnection) -> TlsConnection:
        """Shake hands. Raises TlsError; `inner` is then the caller's to close."""
        made = cls(inner)
        while True:
            try:
                made._tls.do_handshake()
                await made._flush()
                return made
            except ssl.SSLWantReadError:
                await made._flush()
            except ssl.SSLError as error:
                raise TlsError(f"tls: {error.reason or error}") from None
            if (end := await made._more()) is not None:
                raise TlsError(end.error or "EOF")

    def abort(self) -> None:
        self._inner.abort()

    async def send_input(self, data: bytes) -> None:
        self._tls.write(data)
        await self._flush()

    async def frames(self) -> AsyncIterator[Frame]:
        """As a NodeConnection's: STDOUT in the clear, and END."""
        while True:
            try:
                yield Frame(streams.STDOUT, self._tls.read(_CHUNK))
                continue
            except ssl.SSLWantReadError:
                await self._flush()
            except ssl.SSLError as error:  # ssl.SSLZeroReturnError is the regular end
                regular = isinstance(error, ssl.SSLZeroReturnError)
                yield streams.end_frame(End(None, "" if regular else f"tls: {error.reason or error}"))
                return
            if (end := await self._more()) is not None:
                yield streams.end_frame(end)
                return

    async def _flush(self) -> None:
        if data := self._outgoing.read():
            await self._inner.send_input(data)

    async def _more(self) -> End | None:
        """Wait for bytes from the pod; its end if there are none."""
        frame = await anext(self._frames, None)
        if frame is None:
            return End(None, "")
        if frame.channel == streams.STDOUT:
            self._incoming.write(frame.payload)
        return streams.read_end(frame) if frame.channel == streams.END else None
