"""Lists of every kind and the bell of pages that the server draws: what they are told, live, and to whom."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from pod_story import UID, at, event, pod, stamp
from socket_page import POD, Page, person, write, write_event

from podlab.apis import scheme
from podlab.apis.types import Key
from podlab.glance import listing
from podlab.storage import clusters, hub, store

pytestmark = pytest.mark.django_db(transaction=True)

SETTINGS = Key("main", "configmaps", "default", "settings")
NODE = Key("main", "nodes", "", "node-a")


@pytest.fixture(autouse=True)
def _cluster() -> Iterator[None]:
    clusters.create("main", runtime="sim")
    yield
    hub.close()


async def _page(name: str, **grant: Any) -> Page:
    page = await sync_to_async(lambda: Page(person(name, **grant)))()
    assert await page.connect()
    await page.hear("hello")
    return page


@pytest.fixture
async def ada() -> AsyncIterator[Page]:
    page = await _page("ada", namespace="*", role="admin")
    yield page
    await page.disconnect()


@pytest.fixture
async def sam() -> AsyncIterator[Page]:
    """A student of namespace default."""
    page = await _page("sam")
    yield page
    await page.disconnect()


def thing(kind: str, name: str, namespace: str = "default", **more: Any) -> dict[str, Any]:
    meta = {"name": name, "uid": f"uid-{name}", "creationTimestamp": stamp(0)}
    if namespace:
        meta["namespace"] = namespace
    return {"apiVersion": "v1", "kind": kind, "metadata": meta, **more}


async def test_objects_come_as_kubectls_rows_and_change_in_place(sam: Page) -> None:
    await write(thing("ConfigMap", "settings", data={"a": "1"}), 0, key=SETTINGS)
    await sam.say(type="open-list", sub="l", namespace="default", resource="configmaps")
    first = await sam.hear("objects", sub="l")
    (row,) = first["rows"]
    assert (first["reset"], row["uid"], row["cells"][:2]) == (True, "uid-settings", ["settings", "1"])
    assert row["since"] == [None, None, stamp(0)]
    await write(thing("ConfigMap", "settings", data={"a": "1", "b": "2"}), 1, key=SETTINGS)
    changed = await sam.hear("objects")
    assert (changed["reset"], changed["rows"][0]["cells"][1]) == (False, "2")
    await sync_to_async(lambda: store.delete(SETTINGS, at=at(2), actor="test", why=""))()
    assert (await sam.hear("objects"))["removed"] == ["uid-settings"]


async def test_a_client_that_has_the_pods_of_a_revision_is_told_what_came_after_it(sam: Page) -> None:
    await write(pod(), 0)
    await sam.say(type="open-list", sub="l", namespace="default")
    revision = (await sam.hear("rows", sub="l"))["revision"]
    await write(pod(phase="Running"), 1)
    seen = (await sam.hear("rows"))["revision"]
    for since, told in ((revision, ["web"]), (seen, ["later"])):
        await sam.say(type="open-list", sub="l", namespace="default", since=since)
        if told == ["later"]:
            later = pod()
            later["metadata"] |= {"name": "later", "uid": "uid-later"}
            await write(later, 2, key=Key("main", "pods", "default", "later"))
        rows = await sam.hear("rows", sub="l")
        assert (rows["reset"], [row["name"] for row in rows["rows"]]) == (False, told)


async def test_a_service_is_told_again_when_its_endpoints_change(sam: Page) -> None:
    spec = {"clusterIP": "10.0.0.1", "type": "ClusterIP", "ports": [{"port": 80, "protocol": "TCP"}]}
    await write(thing("Service", "web", spec=spec), 0, key=Key("main", "services", "default", "web"))
    await sam.say(type="open-list", sub="l", namespace="default", resource="services")
    assert (await sam.hear("objects"))["rows"][0]["cells"][-1] == "<none>"
    piece = thing("EndpointSlice", "web-1", addressType="IPv4", endpoints=[{"addresses": ["10.1.0.7"]}])
    piece["metadata"]["labels"] = {"kubernetes.io/service-name": "web"}
    key = Key("main", listing.SLICES, "default", "web-1")
    await write(piece, 1, key=key)
    told = await sam.hear("objects")
    assert (told["reset"], told["rows"][0]["name"], told["rows"][0]["cells"][-1]) == (False, "web", "10.1.0.7")
    piece["endpoints"] = [{"addresses": ["10.1.0.7"], "conditions": {"ready": False}}]
    await write(piece, 2, key=key)
    assert (await sam.hear("objects"))["rows"][0]["cells"][-1] == "1 not ready"


async def test_pods_come_and_go_with_the_labels_that_are_asked_for(sam: Page) -> None:
    made = pod()
    made["metadata"]["labels"] = {"tier": "web"}
    await sam.say(type="open-list", sub="l", namespace="default", labels="tier=web")
    assert (await sam.hear("rows"))["rows"] == []
    await write(made, 0)
    assert [row["name"] for row in (await sam.hear("rows"))["rows"]] == ["web"]
    await write(pod(), 1)
    gone = await sam.hear("rows")
    assert (gone["rows"], gone["removed"]) == ([], [UID])
    await sam.say(type="open-list", sub="m", namespace="default", labels="tier===web")
    assert (await sam.hear("refused", sub="m"))["code"] == 400


@pytest.mark.parametrize(
    ("namespace", "resource", "code"),
    [
        ("other", "configmaps", 403),
        ("", "namespaces", 403),
        ("default", "nodes", 404),
        ("", "configmaps", 404),
        ("default", "nonsense", 404),
        ("default", "pods.metrics.k8s.io", 404),
    ],
)
async def test_other_lists_are_refused(sam: Page, namespace: str, resource: str, code: int) -> None:
    await sam.say(type="open-list", sub="x", namespace=namespace, resource=resource)
    assert (await sam.hear("refused"))["code"] == code


async def test_the_bell_rings_at_first_and_for_what_the_page_shows(ada: Page) -> None:
    await write(thing("Node", "node-a", ""), 0, key=NODE)
    await ada.say(type="open-changes", sub="n", resources="nodes,pods", node="node-a")
    first = (await ada.hear("changed", sub="n"))["revision"]
    await write(thing("Node", "node-b", ""), 1, key=Key("main", "nodes", "", "node-b"))
    await write(thing("ConfigMap", "settings"), 1, key=SETTINGS)
    await write(pod(node=""), 2)
    await write(pod(node="node-a"), 3)
    bound = await ada.hear("changed", sub="n")
    there = await sync_to_async(lambda: store.get(POD))()
    assert there is not None
    assert bound["revision"] == there.revision > first


async def test_the_bell_of_a_pod_rings_for_its_events_only(ada: Page) -> None:
    await write(pod(), 0)
    await ada.say(type="open-changes", sub="e", resources="events", namespace="default", uid=UID)
    await ada.hear("changed")
    other = event("Pulled")
    other["metadata"]["name"] = "other.1"
    other["involvedObject"] = {"uid": "another"}
    await write_event(other, 1)
    own = event("Started")
    await write_event(own, 2)
    told = await ada.hear("changed")
    key = Key("main", "events", "default", own["metadata"]["name"])
    stored = await sync_to_async(lambda: store.get(key))()
    assert stored is not None
    assert told["revision"] == stored.revision


async def test_the_bell_is_silent_about_other_peoples_namespaces(sam: Page) -> None:
    await sam.say(type="open-changes", sub="o", resources="pods,secrets")
    await sam.hear("changed")
    foreign = pod()
    foreign["metadata"] |= {"namespace": "other", "uid": "foreign"}
    await write(foreign, 0, key=Key("main", "pods", "other", "web"))
    await write(pod(), 1)
    told = await sam.hear("changed")
    own = await sync_to_async(lambda: store.get(POD))()
    assert own is not None
    assert told["revision"] == own.revision


def _kind(key: str) -> Any:
    found = scheme.by_key(key)
    assert found is not None
    return found


def test_what_counts_from_a_moment_says_from_when() -> None:
    now = at(0) + timedelta(minutes=5)
    happened = event("Started") | {"lastTimestamp": stamp(30)}
    told = listing.row(_kind("events"), happened, now)
    assert (told["since"][0], told["cells"][2]) == (stamp(30), "Started")
    job = thing("Job", "once", spec={"completions": 1}, status={"startTime": stamp(10)})
    since = dict(
        zip(listing.columns(_kind("jobs.batch")), listing.row(_kind("jobs.batch"), job, now)["since"], strict=True)
    )
    assert (since["Duration"], since["Age"]) == (stamp(10), stamp(0))
    job["status"]["completionTime"] = stamp(20)
    ended = listing.row(_kind("jobs.batch"), job, now)
    assert stamp(10) not in ended["since"]
    assert ("Age", "5m", stamp(0)) in listing.facts(_kind("configmaps"), thing("ConfigMap", "settings"), now)


def test_endpoints_are_told_in_few_words() -> None:
    ready = [{"addresses": [f"10.0.0.{number}"]} for number in range(5)]
    piece = thing(
        "EndpointSlice", "web-1", endpoints=[*ready, {"addresses": ["10.0.0.9"], "conditions": {"ready": False}}]
    )
    piece["metadata"]["labels"] = {"kubernetes.io/service-name": "web"}
    assert listing.endpoints_of([piece]) == {"web": "10.0.0.0, 10.0.0.1, 10.0.0.2 + 2 more + 1 not ready"}
