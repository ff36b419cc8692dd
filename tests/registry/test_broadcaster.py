"""Events that are written on a thread of their own: nobody waits for the store, and nothing changes its order."""

from __future__ import annotations

import logging
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from podlab.registry import broadcaster
from podlab.registry.broadcaster import Broadcaster

START = datetime(2026, 11, 21, tzinfo=UTC)
POD = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": "default", "uid": "u"}}


class SlowClient:
    """A store that answers when it is let."""

    def __init__(self) -> None:
        self.let = threading.Event()
        self.written: list[dict[str, Any]] = []

    def create(self, resource: str, body: dict[str, Any], *, namespace: str, why: str = "") -> None:
        assert self.let.wait(30)
        self.written.append(body)


def made(client: SlowClient) -> Broadcaster:
    now = iter(START + timedelta(seconds=n) for n in range(10_000))
    return Broadcaster(client, "kubelet", "node-a", lambda: next(now))  # type: ignore[arg-type]


def test_nobody_waits_for_the_store_and_events_keep_order_and_time() -> None:
    client = SlowClient()
    recorder = made(client)
    for number in range(5):
        recorder.event(POD, "Normal", f"Told{number}", "it happened")
    recorder.settle(0.01)
    assert client.written == []
    client.let.set()
    recorder.settle(10)
    assert [event["reason"] for event in client.written] == [f"Told{number}" for number in range(5)]
    assert [event["firstTimestamp"][-3:-1] for event in client.written] == ["00", "01", "02", "03", "04"]
    recorder.close()


def test_what_waits_is_written_before_the_end() -> None:
    client = SlowClient()
    client.let.set()
    recorder = made(client)
    recorder.event(POD, "Normal", "Last", "it happened")
    recorder.close()
    assert [event["reason"] for event in client.written] == ["Last"]


def test_a_full_queue_drops_what_comes(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(broadcaster, "_QUEUED", 3)
    client = SlowClient()
    recorder = made(client)
    with caplog.at_level(logging.WARNING):
        for number in range(9):
            recorder.event(POD, "Normal", f"Told{number}", "it happened")
    client.let.set()
    recorder.settle(10)
    assert 3 <= len(client.written) <= 4  # one may have been taken out already
    assert len(caplog.records) == 9 - len(client.written)
    recorder.close()
