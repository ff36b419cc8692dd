"""The plain request at a stream's path: everything that a websocket would be refused for, then what to do instead.

kubectl repeats a websocket that failed as a SPDY upgrade and prints this answer, so it must be the real one. SPDY cannot
be served: an ASGI server hands such an upgrade on as an ordinary request.
"""

from __future__ import annotations

from typing import NoReturn

from podlab.apis import status_errors
from podlab.apiserver import pool
from podlab.apiserver.calls import Call
from podlab.apiserver.streams import targets

SUBRESOURCES = frozenset({"exec", "attach", "portforward"})
_REMEDY = "SPDY is not served here: this needs a client that speaks WebSocket, kubectl %s or later"
_FIRST_KUBECTL = {"exec": "1.30", "attach": "1.30", "portforward": "1.31"}


async def respond(call: Call) -> NoReturn:
    """Raises the ApiError that is the answer."""
    check = targets.port_forward if call.place.subresource == "portforward" else targets.remote_command
    await pool.run(lambda: check(call))
    if "spdy" in call.header("Upgrade").lower():
        raise status_errors.bad_request(_REMEDY % _FIRST_KUBECTL[call.place.subresource])
    raise status_errors.bad_request("Upgrade request required")
