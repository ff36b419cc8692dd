"""pods/<name>/log, from files in the lab's data folder."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.test import AsyncClient

from podlab.apis.types import LogLine, Manifest
from podlab.apiserver import log
from podlab.logs import layout
from podlab.logs.writer import LogWriter
from podlab.registry import clusters, identity
from podlab.storage import history
from podlab.storage.history import Run

LOG = "/api/v1/namespaces/default/pods/p/log"
AT = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)
SECONDS = 10


class Lab:
    """A pod `p` with a container `c` on a node, whose runs and logs a test makes up."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.client = clusters.client_for("main", identity.system("test"))
        spec = {"nodeName": "node-a", "containers": [{"name": "c", "image": "busybox:1.36"}]}
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": spec}
        stored = self.client.create("pods", pod, namespace="default").stored
        assert stored is not None
        self.stored = stored

    def status(self, **container: Any) -> None:
        def change(pod: Manifest) -> None:
            base = {"name": "c", "image": "i", "imageID": "i", "ready": False, "restartCount": 0}
            pod["status"]["containerStatuses"] = [{**base, **container}]

        self.client.update_status("pods", "default", "p", change)

    def write(self, attempt: int, *texts: str) -> None:
        pod = log._Pod("default", "p", self.stored.uid)
        writer = LogWriter(layout.container_log(log.log_root("main"), pod, "c", attempt))
        for text in texts:
            writer.write(LogLine(AT, "stdout", text))
        writer.close()

    def start(self, attempt: int) -> None:
        run = Run(
            cluster="main",
            namespace="default",
            pod="p",
            pod_uid=self.stored.uid,
            container="c",
            attempt=attempt,
            node="node-a",
            container_id=f"sim://{attempt}",
            image="i",
            started_at=AT,
        )
        history.start_run(run)
        self.status(containerID=f"sim://{attempt}", restartCount=attempt, state={"running": {}})


@pytest.fixture
def pod(lab: str, settings: Any, tmp_path: Path) -> Lab:
    settings.PODLAB_DATA = tmp_path
    return Lab(tmp_path)


def _ran(pod: Lab, *texts: str) -> None:
    pod.start(0)
    pod.write(0, *texts)


async def read(api: AsyncClient, query: str = "") -> bytes:
    answer = await api.get(f"{LOG}?{query}")
    assert answer.status_code == 200, answer.content
    assert answer["Content-Type"] == "text/plain"
    async with asyncio.timeout(SECONDS):
        return b"".join([chunk async for chunk in answer])


async def test_the_log_of_the_running_container(api: AsyncClient, pod: Lab) -> None:
    await sync_to_async(_ran)(pod, "one", "two", "three")
    assert await read(api) == b"one\ntwo\nthree\n"
    assert await read(api, "tailLines=1&timestamps=true") == b"2026-01-01T12:00:00.000000000Z three\n"
    assert await read(api, "limitBytes=5") == b"one\nt"
    assert await read(api, "sinceTime=2026-01-01T12:00:01Z") == b""


async def test_the_previous_run_has_a_file_of_its_own(api: AsyncClient, pod: Lab) -> None:
    def restart() -> None:
        _ran(pod, "first")
        pod.start(1)
        pod.write(1, "second")
        pod.status(
            containerID="sim://1",
            restartCount=1,
            state={"running": {}},
            lastState={"terminated": {"exitCode": 1, "containerID": "sim://0"}},
        )

    await sync_to_async(restart)()
    assert await read(api) == b"second\n"
    assert await read(api, "previous=true") == b"first\n"


async def test_in_a_back_off_the_run_before_the_last_is_no_longer_there(api: AsyncClient, pod: Lab) -> None:
    def fail_twice() -> None:
        _ran(pod, "first")
        pod.start(1)
        pod.write(1, "second")
        pod.status(
            restartCount=1,
            state={"waiting": {"reason": "CrashLoopBackOff"}},
            lastState={"terminated": {"exitCode": 1, "containerID": "sim://1"}},
        )

    await sync_to_async(fail_twice)()
    assert await read(api) == b"second\n"
    assert await read(api, "previous=true") == b"unable to retrieve container logs for sim://0"


async def test_a_container_that_waits_has_no_log(api: AsyncClient, pod: Lab) -> None:
    await sync_to_async(pod.status)(state={"waiting": {"reason": "ContainerCreating"}})
    answer = await api.get(LOG)
    assert answer.status_code == 400
    assert answer.json()["message"] == 'container "c" in pod "p" is waiting to start: ContainerCreating'


async def test_a_followed_log_goes_on_until_the_run_ends(api: AsyncClient, pod: Lab) -> None:
    await sync_to_async(_ran)(pod, "early")
    answer = await api.get(f"{LOG}?follow=true")
    chunks = aiter(answer)
    async with asyncio.timeout(SECONDS):
        assert await anext(chunks) == b"early\n"
        await sync_to_async(pod.write)(0, "late")
        assert await anext(chunks) == b"late\n"
        ended = {"terminated": {"exitCode": 0, "containerID": "sim://0"}}
        await sync_to_async(pod.status)(state=ended, containerID="sim://0")
        assert [chunk async for chunk in chunks] == []
