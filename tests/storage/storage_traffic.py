"""Random writers, watchers that come and go, and what must hold of them. Used by the property tests in threads and by
`storage_worker` in processes."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Any

from django.db import connections
from hypothesis import strategies as st
from storage_samples import AT, make_pod, pod_key

from podlab.storage import log, store
from podlab.storage.errors import AlreadyStored, NotStored, StaleWrite
from podlab.storage.hub import Filter, Hub, LogEntry

LAST = "the-end"  # written after all others; watchers stop there
PATIENCE = 60.0

Op = tuple[str, str, int]
Seen = tuple[int, int, str, str]

names = st.sampled_from(["a", "b", "c"])
ops: st.SearchStrategy[list[Op]] = st.lists(
    st.tuples(st.sampled_from(["create", "update", "delete"]), names, st.integers(0, 2)), max_size=12
)


def write(cluster: str, plan: list[Op], writer: int) -> list[int]:
    """Do the plan as one of several writers would: what others made impossible is left out. Returns the revisions of what
    was committed."""
    committed = []
    for number, (kind, name, value) in enumerate(plan):
        key = pod_key(name, cluster=cluster)
        current = store.get(key)
        try:
            if kind == "create":
                made = store.create(key, make_pod(name, uid=f"{writer}-{number}"), at=AT)
            elif current is None:
                continue
            elif kind == "delete":
                made = store.delete(key, uid=current.uid, expect=current.revision, at=AT)
            else:
                obj = make_pod(name, uid=current.uid, labels={"value": str(value)})
                made = store.update(key, obj, expect=current.revision, at=AT)
                if made.revision == current.revision:
                    continue  # the same as before
            committed.append(made.revision)
        except (AlreadyStored, NotStored, StaleWrite):
            continue
    return committed


def write_last(cluster: str) -> int:
    return store.create(pod_key(LAST, cluster=cluster), make_pod(LAST, uid="last"), at=AT).revision


def watch(hub: Hub, cluster: str, since: int, every: int) -> list[Seen]:
    """What a watcher sees from `since` to the last write, if it drops its connection after `every` changes (0 = never) and
    comes back with the revision it saw last. Whatever it had not looked at by then is lost to it."""
    seen: list[Seen] = []
    while True:
        arrived: queue.Queue[list[LogEntry]] = queue.Queue()
        subscription = hub.subscribe(Filter(cluster=cluster), since, arrived.put)
        count = 0
        while not every or count < every:
            for entry in arrived.get(timeout=PATIENCE):
                seen.append(as_seen(entry))
                since, count = entry.revision, count + 1
                if entry.key.name == LAST:
                    subscription.close()
                    return seen
                if every and count == every:
                    break
        subscription.close()


def as_seen(entry: LogEntry) -> Seen:
    previous = "" if entry.prev is None else str(entry.prev["metadata"]["resourceVersion"])
    return entry.revision, entry.prev_revision, entry.type, previous


def in_thread(call: Callable[[], Any]) -> Callable[[], Any]:
    """Run `call` on a thread; the returned function waits for its result."""
    results: queue.Queue[tuple[bool, Any]] = queue.Queue()

    def run() -> None:
        try:
            results.put((True, call()))
        except BaseException as error:
            results.put((False, error))
        finally:
            connections.close_all()

    threading.Thread(target=run, daemon=True).start()

    def result() -> Any:
        fine, value = results.get(timeout=PATIENCE)
        if not fine:
            raise value
        return value

    return result


def whole_log(cluster: str, since: int) -> list[LogEntry]:
    return log.read_after(since, cluster=cluster, limit=100_000)


def check_watcher(cluster: str, since: int, seen: list[Seen]) -> None:
    """It saw every change after `since` once and in order, with the state before each."""
    expected = [as_seen(entry) for entry in whole_log(cluster, since)]
    assert seen == expected


def check_log(cluster: str, since: int, committed: list[int]) -> None:
    """The log has exactly what the writers committed, and replaying it gives the present table."""
    entries = whole_log(cluster, since)
    assert [entry.revision for entry in entries] == sorted(committed)
    table: dict[str, str] = {}
    for entry in entries:
        if entry.type == "DELETED":
            before = table.pop(entry.key.name)
        else:
            before = table.get(entry.key.name)
            table[entry.key.name] = entry.body
        assert (before is None) == (entry.type == "ADDED")
        assert before == entry.prev_body
    page = store.list_objects(cluster, "pods", None)
    assert {item.key.name: item.body for item in page.items} == table
