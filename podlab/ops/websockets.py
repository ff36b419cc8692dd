"""uvicorn's websockets, taking the subprotocol that kubectl's port-forward names.

"SPDY/3.1+portforward.k8s.io" has a slash, which RFC 6455 does not allow in such a name, and the library under uvicorn
refuses the handshake for it. The application alone chooses among the names here, as uvicorn has it anyhow.
"""

from __future__ import annotations

from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol


class WebSocketProtocol(WebSocketsSansIOProtocol):
    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self.conn.process_subprotocol = _leave_to_the_application  # type: ignore[method-assign]

    async def send(self, message: Any) -> None:
        await super().send(message)
        if message["type"] == "websocket.http.response.body" and not message.get("more_body"):
            self.handshake_complete = True  # refused in good order; uvicorn would call it an error of ours


def _leave_to_the_application(headers: object) -> None:
    """Instead of parsing the names: none is chosen yet."""
