"""uvicorn's websockets, taking the subprotocol that kubectl's port-forward names.

"SPDY/3.1+portforward.k8s.io" has a slash, which RFC 6455 does not allow in such a name, and the library under uvicorn
refuses the handshake for it. The application alone chooses among the names here, as uvicorn has it anyhow.

A command of `kubectl exec` stands in the URL, so that this may be long: as much is read as by a Go server.
"""

from __future__ import annotations

from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets import http11

http11.MAX_LINE_LENGTH = 2**20  # bytes; DefaultMaxHeaderBytes of net/http


class WebSocketProtocol(WebSocketsSansIOProtocol):
    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self.conn.process_subprotocol = _leave_to_the_application  # type: ignore[method-assign]

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.conn.handshake_exc is not None and not self.transport.is_closing():
            self.transport.write(b"".join(self.conn.data_to_send()))  # what the library says to it (414, 431)
            self.transport.close()

    async def send(self, message: Any) -> None:
        await super().send(message)
        if message["type"] == "websocket.http.response.body" and not message.get("more_body"):
            self.handshake_complete = True  # refused in good order; uvicorn would call it an error of ours


def _leave_to_the_application(headers: object) -> None:
    """Instead of parsing the names: none is chosen yet."""
