"""The ASGI handler itself: large bodies, clients that leave, paths that are not the API's."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from podlab.apis.decode_errors import MAX_BYTES
from podlab.apiserver import pool
from podlab.apiserver.handler import ApiHandler, owns
from podlab.storage import database, hub

SECONDS = 10


class Exchange:
    """One request to the handler, driven by hand."""

    def __init__(self, token: str, method: str, path: str, query: str = "") -> None:
        self.sent: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.given: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "query_string": query.encode(),
            "headers": [(b"authorization", f"Bearer {token}".encode()), (b"content-type", b"application/json")],
        }
        self.task = asyncio.ensure_future(ApiHandler()(scope, self.given.get, self.sent.put))

    def give(self, body: bytes = b"", *, more: bool = False) -> None:
        self.given.put_nowait({"type": "http.request", "body": body, "more_body": more})

    async def next(self) -> dict[str, Any]:
        async with asyncio.timeout(SECONDS):
            return await self.sent.get()


async def test_a_body_without_an_announced_length_is_measured(lab: str) -> None:
    exchange = Exchange(lab, "POST", "/api/v1/namespaces/default/configmaps")
    for _ in range(4):
        exchange.give(b" " * (MAX_BYTES // 2), more=True)
    exchange.give()
    start, body = await exchange.next(), await exchange.next()
    assert start["status"] == 413
    assert json.loads(body["body"])["reason"] == "RequestEntityTooLarge"
    await asyncio.wait_for(exchange.task, SECONDS)


async def test_an_answer_says_its_length_and_comes_in_parts_when_it_is_long(lab: str) -> None:
    exchange = Exchange(lab, "POST", "/api/v1/namespaces/default/configmaps")
    data = {"text": '"' * 700_000}  # each twice as long in JSON
    exchange.give(json.dumps({"metadata": {"name": "long"}, "data": data}).encode())
    start = await exchange.next()
    announced = int(dict(start["headers"])[b"content-length"])
    parts = [await exchange.next()]
    while parts[-1].get("more_body"):
        parts.append(await exchange.next())
    assert len(parts) == 2
    body = b"".join(part["body"] for part in parts)
    assert (start["status"], len(body)) == (201, announced)
    assert json.loads(body)["data"] == data
    await asyncio.wait_for(exchange.task, SECONDS)


async def test_a_watch_sends_its_headers_at_once_and_ends_when_the_client_leaves(lab: str) -> None:
    exchange = Exchange(lab, "GET", "/api/v1/namespaces/default/pods", "watch=true")
    exchange.give()
    start = await exchange.next()
    assert (start["type"], start["status"]) == ("http.response.start", 200)
    exchange.given.put_nowait({"type": "http.disconnect"})
    await asyncio.wait_for(exchange.task, SECONDS)
    # It may still have been subscribing, in a thread that nobody can interrupt; what it got is closed then.
    async with asyncio.timeout(SECONDS):
        while hub.hub()._changes.subscriptions():
            await asyncio.sleep(0.01)


async def test_reads_go_on_while_writes_wait_for_the_database(lab: str) -> None:
    path = "/api/v1/namespaces/default/configmaps"
    held = database._turn
    assert held.acquire(timeout=SECONDS)
    try:
        writes = [Exchange(lab, "POST", path) for _ in range(pool.WORKERS + 1)]
        for number, write in enumerate(writes):
            write.give(json.dumps({"metadata": {"name": f"one-{number}"}}).encode())
        read = Exchange(lab, "GET", path)
        read.give()
        assert (await read.next())["status"] == 200
    finally:
        held.release()
    assert [(await write.next())["status"] for write in writes] == [201] * len(writes)
    for exchange in (read, *writes):
        await asyncio.wait_for(exchange.task, SECONDS)


@pytest.mark.parametrize(
    "path", ["/api", "/api/v1/pods", "/apis/apps/v1", "/version/", "/readyz", "/clusters/x/api/v1", "/openapi/v3"]
)
def test_the_api_owns(path: str) -> None:
    assert owns(path)


@pytest.mark.parametrize("path", ["/", "/c/main/", "/clusters", "/clusters/x", "/apiary", "/static/api/v1", "/metrics"])
def test_the_pages_own(path: str) -> None:
    assert not owns(path)
