"""Reads of present and past states. Callers reach these through `store`; writing is there too.

A list and its revision come from one SQL statement, so a watch that starts at the revision continues it exactly.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection

from podlab.apis.types import Key
from podlab.storage import database, log, statements
from podlab.storage.errors import Compacted, FutureRevision
from podlab.storage.models import REVISIONS
from podlab.storage.objects import Page, Stored

_COLUMNS = "o.cluster, o.resource, o.namespace, o.name, o.uid, o.revision, o.created_revision, o.body"


def get(key: Key) -> Stored | None:
    row = _one(
        f"SELECT {_COLUMNS} FROM storage_object o"
        " WHERE o.cluster = %s AND o.resource = %s AND o.namespace = %s AND o.name = %s",
        [key.cluster, key.resource, key.namespace, key.name],
    )
    return stored(row) if row else None


def get_by_uid(cluster: str, uid: str) -> Stored | None:
    row = _one(f"SELECT {_COLUMNS} FROM storage_object o WHERE o.cluster = %s AND o.uid = %s", [cluster, uid])
    return stored(row) if row else None


@dataclass(frozen=True, slots=True)
class Place:
    """Objects of a resource in a namespace ("" = cluster-scoped), all of them or the one of a name."""

    resource: str
    namespace: str
    name: str = ""


def list_places(cluster: str, places: Sequence[Place]) -> dict[Place, list[Stored]]:
    """What is at each of several places at one moment, by name."""
    found: dict[Place, list[Stored]] = {place: [] for place in places}
    parts, values = [], []
    for number, place in enumerate(places):
        named = " AND o.name = %s" if place.name else ""
        parts.append(
            f"SELECT {number}, {_COLUMNS} FROM storage_object o"
            f" WHERE o.cluster = %s AND o.resource = %s AND o.namespace = %s{named}"
        )
        values += [cluster, place.resource, place.namespace, *([place.name] if place.name else [])]
    for number, *row in _all(" UNION ALL ".join(parts), values):
        found[places[number]].append(stored(row))
    for items in found.values():
        items.sort(key=lambda item: item.key.name)
    return found


def list_objects(
    cluster: str,
    resource: str,
    namespace: str | None,
    *,
    limit: int = 0,
    after: tuple[str, str] | None = None,
) -> Page:
    """By namespace and name in byte order, as Kubernetes does. `namespace` None = all. `after` is the last of the page
    before."""
    where, values = _scope(cluster, resource, namespace, after)
    order = f"{_bytewise('o.namespace')}, {_bytewise('o.name')}"
    query = (
        f"SELECT c.value, {_COLUMNS} FROM storage_counter c LEFT JOIN storage_object o ON {where}"
        f" WHERE c.name = %s ORDER BY {order}"
    )
    values = [*values, REVISIONS]
    if limit:
        # How many come after this page is counted in the same statement, for the same moment.
        counted = query.replace(
            "SELECT c.value,", f"SELECT c.value, (SELECT count(*) FROM storage_object o WHERE {where}),"
        )
        rows = _all(f"{counted} LIMIT %s", [*values[:-1], *values, limit])
        return _page([(row[0], row[2:]) for row in rows], total=rows[0][1] if rows else 0)
    rows = _all(query, values)
    return _page([(row[0], row[1:]) for row in rows], total=None)


def _page(rows: list[tuple[int, Sequence[Any]]], *, total: int | None) -> Page:
    if not rows:  # no counter row yet: nothing was ever written
        return Page(items=[], revision=0)
    items = [stored(row) for _, row in rows if row[0] is not None]
    remaining = 0 if total is None else total - len(items)
    return Page(items=items, revision=rows[0][0], more=remaining > 0, remaining=remaining)


def get_at(key: Key, revision: int) -> Stored | None:
    """The object as it was at `revision`; None if it did not exist then."""
    row = _one(
        f"SELECT {_COLUMNS}, o.type FROM storage_change o"
        " WHERE o.cluster = %s AND o.resource = %s AND o.namespace = %s AND o.name = %s AND o.revision <= %s"
        " ORDER BY o.revision DESC LIMIT 1",
        [key.cluster, key.resource, key.namespace, key.name, revision],
    )
    check_readable(revision, key.cluster)
    return None if row is None or row[8] == "DELETED" else stored(row)


def list_at(
    revision: int,
    cluster: str,
    resource: str,
    namespace: str | None,
    *,
    limit: int = 0,
    after: tuple[str, str] | None = None,
) -> Page:
    """The list as it was at `revision`."""
    where, values = _scope(cluster, resource, namespace, after)
    query = (
        f"SELECT {_COLUMNS} FROM storage_change o WHERE o.type <> 'DELETED' AND o.revision IN"
        f" (SELECT max(o.revision) FROM storage_change o WHERE {where} AND o.revision <= %s GROUP BY o.namespace, o.name)"
        f" ORDER BY {_bytewise('o.namespace')}, {_bytewise('o.name')}"
    )
    items = [stored(row) for row in _all(query, [*values, revision])]
    check_readable(revision, cluster)
    if limit and len(items) > limit:
        return Page(items=items[:limit], revision=revision, more=True, remaining=len(items) - limit)
    return Page(items=items, revision=revision)


def check_readable(revision: int, cluster: str) -> None:
    """Call it after a read: the floor is raised before rows go, so a read that passes saw them all. Recordings have no floor."""
    state = database.counter(REVISIONS)
    if revision < state.floor and (floor := log.floor(cluster)):
        raise Compacted(revision, floor)
    if revision > state.value:
        raise FutureRevision(revision, state.value)


def stored(row: Sequence[Any]) -> Stored:
    """From the columns in the order of this module's queries."""
    return Stored(
        key=Key(row[0], row[1], row[2], row[3]), uid=row[4], revision=row[5], created_revision=row[6], body=row[7]
    )


def _scope(cluster: str, resource: str, namespace: str | None, after: tuple[str, str] | None) -> tuple[str, list[Any]]:
    where, values = "o.cluster = %s AND o.resource = %s", [cluster, resource]
    if namespace is not None:
        where += " AND o.namespace = %s"
        values.append(namespace)
    if after is not None:
        where += f" AND ({_bytewise('o.namespace')}, {_bytewise('o.name')}) > (%s, %s)"
        values.extend(after)
    return where, values


def _bytewise(column: str) -> str:
    """SQLite compares bytes by default; PostgreSQL as its database's language does."""
    return f'{column} COLLATE "C"' if connection.vendor == "postgresql" else column


def _one(query: str, values: list[Any]) -> Sequence[Any] | None:
    database.revive()
    return statements.row(query, values)


def _all(query: str, values: list[Any]) -> list[Sequence[Any]]:
    database.revive()
    return statements.rows(query, values)
