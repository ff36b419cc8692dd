"""Watches: what comes first, what follows, how they end."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.test import AsyncClient

from podlab.apiserver import watch_lines
from podlab.registry import clusters, identity
from podlab.storage import hub

MAPS = "/api/v1/namespaces/default/configmaps"
SECONDS = 10
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"


def _create(name: str, labels: dict[str, str]) -> int:
    obj = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "labels": {"w": "1", **labels}}}
    return _client().create("configmaps", obj, namespace="default").stored.revision  # type: ignore[union-attr]


def _label(name: str, value: str | None) -> None:
    patch = {"metadata": {"labels": {"x": value}}}
    _client().patch("configmaps", "default", name, "application/merge-patch+json", patch)


def _delete(name: str) -> None:
    _client().delete("configmaps", "default", name)


def _client() -> Any:
    return clusters.client_for("main", identity.system("test"))


create, label, delete = sync_to_async(_create), sync_to_async(_label), sync_to_async(_delete)


async def watch(api: AsyncClient, query: str, **headers: str) -> AsyncIterator[dict[str, Any]]:
    answer = await api.get(f"{MAPS}?watch=true&labelSelector=w&{query}", headers=headers)
    assert answer.status_code == 200, answer.content
    async with aclosing(aiter(answer)) as chunks:
        async for chunk in chunks:
            for line in chunk.splitlines():
                yield json.loads(line)


async def take(events: AsyncIterator[dict[str, Any]], count: int) -> list[tuple[str, str]]:
    found = []
    async with asyncio.timeout(SECONDS):
        for _ in range(count):
            event = await anext(events)
            found.append((event["type"], event["object"]["metadata"].get("name", "")))
    return found


async def test_a_change_is_rendered_once_for_all_who_watch(api: AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    since = await create("shared", {})
    rendered: list[str] = []
    table = watch_lines.table.table

    def counting(resource: Any, objects: Any, *rest: Any, **more: Any) -> Any:
        rendered.extend(obj["metadata"]["name"] for obj in objects)
        return table(resource, objects, *rest, **more)

    monkeypatch.setattr(watch_lines.table, "table", counting)
    monkeypatch.setattr(watch_lines, "_FRESH", 60.0)  # on a busy machine some come late
    watchers = [watch(api, f"resourceVersion={since}", accept=TABLE) for _ in range(12)]
    waiting = [asyncio.ensure_future(anext(events)) for events in watchers]
    await label("shared", "1")
    async with asyncio.timeout(SECONDS):
        told = await asyncio.gather(*waiting)
    assert all(event == told[0] for event in told)
    assert (told[0]["type"], rendered) == ("MODIFIED", ["shared"])
    for events in watchers:
        await events.aclose()  # type: ignore[attr-defined]


@pytest.mark.parametrize("query", ["", "resourceVersion=0"])
async def test_the_present_comes_first_and_then_the_changes(api: AsyncClient, query: str) -> None:
    await create("a", {})
    events = watch(api, query)
    assert await take(events, 1) == [("ADDED", "a")]
    await label("a", "1")
    await create("b", {})
    await delete("a")
    assert await take(events, 3) == [("MODIFIED", "a"), ("ADDED", "b"), ("DELETED", "a")]
    await events.aclose()  # type: ignore[attr-defined]


async def test_from_a_revision_only_later_changes_come(api: AsyncClient) -> None:
    then = await create("a", {})
    await create("b", {})
    events = watch(api, f"resourceVersion={then}")
    assert await take(events, 1) == [("ADDED", "b")]
    await events.aclose()  # type: ignore[attr-defined]


async def test_an_object_enters_and_leaves_a_selector(api: AsyncClient) -> None:
    then = await create("a", {"x": "1"})
    await label("a", "2")
    await label("a", "1")
    events = watch(api, f"resourceVersion={then}&labelSelector=x%3D1")
    assert await take(events, 2) == [("DELETED", "a"), ("ADDED", "a")]
    await events.aclose()  # type: ignore[attr-defined]


async def test_initial_events_end_with_a_bookmark(api: AsyncClient) -> None:
    await create("a", {})
    query = "sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"
    events = watch(api, query)
    assert await take(events, 1) == [("ADDED", "a")]
    bookmark = await anext(events)
    assert bookmark["type"] == "BOOKMARK"
    assert bookmark["object"]["kind"] == "ConfigMap"
    assert bookmark["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}
    await events.aclose()  # type: ignore[attr-defined]


@pytest.mark.parametrize("include", ["", "None", "Object"])
async def test_the_bookmark_of_a_table_is_a_row(api: AsyncClient, include: str) -> None:
    query = "sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&includeObject="
    events = watch(api, f"{query}{include}", accept=TABLE)
    shown = await anext(events)
    while shown["type"] == "ADDED":
        shown = await anext(events)
    (row,) = shown["object"]["rows"]
    assert (shown["type"], shown["object"]["kind"], row["cells"]) == ("BOOKMARK", "Table", ["", 0, "<unknown>"])
    assert row["object"]["kind"] == ("ConfigMap" if include == "Object" else "PartialObjectMetadata")
    assert row["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}
    await events.aclose()  # type: ignore[attr-defined]


async def test_it_ends_after_its_time(api: AsyncClient) -> None:
    await create("a", {})
    async with asyncio.timeout(SECONDS):
        assert [event["type"] async for event in watch(api, "timeoutSeconds=1")] == ["ADDED"]


async def test_it_ends_when_the_process_stops(api: AsyncClient) -> None:
    await create("a", {})
    events = watch(api, "resourceVersion=0")
    assert await take(events, 1) == [("ADDED", "a")]
    await create("b", {})
    assert await take(events, 1) == [("ADDED", "b")]
    await sync_to_async(hub.close, thread_sensitive=False)()
    async with asyncio.timeout(SECONDS):
        assert [event async for event in events] == []


async def test_a_future_revision_is_an_error_event(api: AsyncClient) -> None:
    async with asyncio.timeout(SECONDS):
        (event,) = [event async for event in watch(api, "resourceVersion=99999999")]
    assert (event["type"], event["object"]["kind"], event["object"]["code"]) == ("ERROR", "Status", 504)


async def test_a_table_carries_its_columns_once(api: AsyncClient) -> None:
    await create("a", {})
    await create("b", {})
    events = watch(api, "resourceVersion=0", Accept=TABLE)
    async with asyncio.timeout(SECONDS):
        first, second = await anext(events), await anext(events)
    assert first["object"]["columnDefinitions"][0]["name"] == "Name"
    assert second["object"]["columnDefinitions"] is None
    assert second["object"]["rows"][0]["cells"][:2] == ["b", 0]
    await events.aclose()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("watch=1&labelSelector=x%20in", 400),
        ("watch=1&fieldSelector=foo=bar", 400),
        ("watch=1&resourceVersion=abc", 500),
        ("watch=1&sendInitialEvents=true", 422),
    ],
)
async def test_a_refusal_comes_before_the_stream(api: AsyncClient, query: str, code: int) -> None:
    answer = await api.get(f"{MAPS}?{query}")
    assert answer.status_code == code
    assert answer.json()["kind"] == "Status"


async def test_the_old_path_watches_one_object(api: AsyncClient) -> None:
    await create("a", {})
    await create("b", {})
    answer = await api.get("/api/v1/watch/namespaces/default/configmaps/b?timeoutSeconds=1")
    async with asyncio.timeout(SECONDS):
        lines = [line async for chunk in answer for line in chunk.splitlines()]
    assert [json.loads(line)["object"]["metadata"]["name"] for line in lines] == ["b"]
    other = await api.get("/api/v1/watch/namespaces/default/configmaps/b?fieldSelector=metadata.namespace=default")
    assert (other.status_code, other.json()["message"]) == (
        400,
        "fieldSelector metadata.name doesn't match requested name",
    )


async def test_who_waits_for_what_nobody_acts_on_is_told(api: AsyncClient) -> None:
    """`kubectl rollout status` watches; it prints the warning of the answer."""
    for path, text in (
        ("/apis/apps/v1/deployments", "podlab has no controller for Deployment yet"),
        ("/api/v1/endpoints", "v1 Endpoints is deprecated in v1.33+"),
    ):
        answer = await api.get(f"{path}?watch=true&timeoutSeconds=1")
        assert text in answer["Warning"]
    assert "Warning" not in await api.get(f"{MAPS}?watch=true&timeoutSeconds=1")
