"""The API under requests that nobody would send: no 500, no hang, no write by a request that was refused.

Seeded, so that `make test` always sends the same ones. PODLAB_FUZZ_EXAMPLES=20000 looks longer and PODLAB_FUZZ_SEED elsewhere.
"""

from __future__ import annotations

import asyncio
import json
import os
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.test import AsyncClient
from fuzz_requests import Api, Request, creations, requests
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from podlab.apiserver import openapi
from podlab.storage import log

EXAMPLES = int(os.environ.get("PODLAB_FUZZ_EXAMPLES", "400"))
SEED = int(os.environ.get("PODLAB_FUZZ_SEED", "1"))
HANG_SECONDS = 30
KUBERNETES_OWN = (
    (500, b"target.name: Required value"),
    (500, b"target.kind: Unsupported value"),
    (500, b"resourceVersion should not be set on objects to be created"),
    (500, b"strconv.ParseUint: parsing "),
    (500, b"unknown patch type: "),
    (500, b"failed to create typed patch object"),
    (504, b"Too large resource version"),
)
API = Api({key: json.loads(openapi.document(key)) for key in openapi.index("")["paths"]})


class Sender:
    def __init__(self, client: AsyncClient) -> None:
        self.client, self.worlds, self.codes = client, 0, dict[int, int]()

    def new_world(self) -> tuple[str, str]:
        """A namespace of its own for every example, and a suffix for names outside of namespaces."""
        self.worlds += 1
        name = f"world-{self.worlds}"
        manifest = json.dumps({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}).encode()
        made = self.send(
            Request(
                method="POST", path="/api/v1/namespaces", body=manifest, headers={"Content-Type": "application/json"}
            )
        )
        assert made[0] == 201, made
        return name, str(self.worlds)

    def send(self, request: Request) -> tuple[int, bytes]:
        return async_to_sync(self._send)(request)

    async def _send(self, request: Request) -> tuple[int, bytes]:
        async with asyncio.timeout(HANG_SECONDS):
            answer = await self.client.generic(
                request.method,
                request.path,
                request.body,
                content_type=request.headers["Content-Type"],
                query_params=request.query,
                headers={key: value for key, value in request.headers.items() if key != "Content-Type"},
            )
            content = b"".join([part async for part in answer]) if answer.streaming else answer.content
        return answer.status_code, content


def check(sender: Sender, request: Request) -> None:
    before = log.head()
    code, content = sender.send(request)
    sender.codes[code] = sender.codes.get(code, 0) + 1
    assert code < 500 or is_kubernetes_own(code, content), (code, content)
    if code >= 400:
        # Kubernetes deletes a collection one by one too, until one refuses.
        assert log.head() == before or is_collection(request), f"refused with {code}, and yet something was written"
        if content.startswith(b"{"):
            check_status(code, json.loads(content))
    elif request.method == "GET" or request.dry:
        assert log.head() == before, "a request that changes nothing wrote something"


def is_collection(request: Request) -> bool:
    return request.method == "DELETE" and request.path.rpartition("/")[2].endswith("s")


def is_kubernetes_own(code: int, content: bytes) -> bool:
    """Whether Kubernetes 1.36 gives this answer too: plain Go errors of the checks of Bindings, creations
    and patches (BindingREST.Create, storage/etcd3, strategicpatch, structured-merge-diff) become a 500 there, and a revision of the future becomes a 504."""
    return any(code == known and text in content for known, text in KUBERNETES_OWN)


def check_status(code: int, status: dict[str, Any]) -> None:
    assert (status["kind"], status["apiVersion"], status["status"], status["code"]) == ("Status", "v1", "Failure", code)
    assert isinstance(status["message"], str)
    assert status["message"]


@pytest.mark.timeout(120 + EXAMPLES)
def test_nothing_that_is_sent_breaks_the_server(api: AsyncClient) -> None:
    sender = Sender(api)

    @seed(SEED)
    @settings(
        max_examples=EXAMPLES,
        database=None,
        deadline=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
        print_blob=False,
    )
    @given(st.data())
    def fuzz(data: st.DataObject) -> None:
        namespace, suffix = sender.new_world()
        first = data.draw(creations(API, namespace, suffix), label="first")
        check(sender, first)
        for _ in range(data.draw(st.integers(1, 6))):
            check(sender, data.draw(requests(API, namespace, suffix, first.path), label="request"))

    fuzz()
    succeeded = sum(count for code, count in sender.codes.items() if code < 300)
    assert succeeded > sum(sender.codes.values()) // 10, f"too few requests meant anything: {sender.codes}"
