"""nodes/<name>/proxy/…: a node's own pages, as far as the lab has them. `dispatch` calls `respond`.

The name may carry the kubelet's port, `nodes/https:node-a:10250/proxy/healthz`; there is one server per node here, so it
means nothing. Source: pkg/registry/core/node/rest/proxy.go.
"""

from __future__ import annotations

from podlab.apis import field_errors, status_errors
from podlab.apiserver import pool, responses
from podlab.apiserver.calls import Call
from podlab.apiserver.negotiation import Accept
from podlab.apiserver.responses import ApiResponse
from podlab.apiserver.streams import targets
from podlab.registry import node_pages


async def respond(call: Call) -> ApiResponse:
    return await pool.run(lambda: _answer(call))


def _answer(call: Call) -> ApiResponse:
    session = targets.authorized(call, call.verb)
    if call.verb != "get":
        raise status_errors.method_not_allowed()
    path = call.path.partition("/proxy")[2].strip("/")
    content_type, found = node_pages.page(session.client.as_system("apiserver"), node_name(call.place.name), path)
    if isinstance(found, bytes):
        return responses.from_bytes(found, content_type=content_type)
    return responses.from_data(found, Accept())


def node_name(text: str) -> str:
    """ "node-a", "node-a:10250" or "https:node-a:10250"."""
    parts = text.split(":")
    if len(parts) == 3 and parts[0] in {"http", "https", ""}:
        parts = parts[1:]
    if len(parts) > 2 or not parts[0]:
        raise status_errors.bad_request(f"invalid node request {field_errors.go_quote(text)}")
    return parts[0]
