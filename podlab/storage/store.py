"""The only writer of API objects. `registry` calls it after a write was accepted; nobody else may.

A write is one transaction: next revision from the counter, object row, change row, graph rows. After the commit the
doorbell rings. Readers go on in `log` (replay), `hub` (live) and `reads` (states, offered here too).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial

from django.db import transaction

from podlab import clock
from podlab.apis.types import Key, Manifest
from podlab.storage import database, doorbell, graph, statements
from podlab.storage.errors import AlreadyStored, NotStored, Recorded, StaleWrite, UnknownCluster
from podlab.storage.models import REVISIONS, Change, Cluster
from podlab.storage.objects import Page, Stored, encode, same_content, uid_of
from podlab.storage.reads import Place, get, get_at, get_by_uid, list_at, list_objects, list_places

__all__ = [
    "Page",
    "Place",
    "Stored",
    "create",
    "delete",
    "get",
    "get_at",
    "get_by_uid",
    "list_at",
    "list_objects",
    "list_places",
    "update",
]


Step = Callable[[], None]


def create(
    key: Key,
    obj: Manifest,
    *,
    at: datetime,
    actor: str = "",
    why: str = "",
    first: Step | None = None,
    then: Callable[[Stored], None] | None = None,
) -> Stored:
    """Store a new object. `at` is the lab time of the cluster. `first` and `then` are part of the transaction: before the
    first the lock is taken, so that what it finds is still true when the object is stored."""
    with database.writing():
        revision, current = _next(key, first)
        if current is not None:
            raise AlreadyStored(current)
        new = Stored(key, uid_of(obj), revision, revision, encode(obj, revision))
        _insert_object(new)
        _record(Change.Type.ADDED, new, before=None, at=at, actor=actor, why=why)
        if then is not None:
            then(new)
    return new


def update(
    key: Key,
    obj: Manifest,
    *,
    expect: int | None,
    at: datetime,
    actor: str = "",
    why: str = "",
    first: Step | None = None,
) -> Stored:
    """Replace an object. `expect` is the revision that the writer saw; None overwrites whatever is there. If nothing
    would change, the stored object comes back without a new revision. `first` as for `create`."""
    with database.writing():
        revision, current = _existing(key, first, expect=expect, uid=uid_of(obj))
        if same_content(obj, current.obj):
            return current
        new = Stored(key, current.uid, revision, current.created_revision, encode(obj, revision))
        _update_object(new)
        _record(Change.Type.MODIFIED, new, before=current, at=at, actor=actor, why=why)
    return new


def delete(
    key: Key,
    *,
    expect: int | None = None,
    uid: str | None = None,
    final: Manifest | None = None,
    at: datetime,
    actor: str = "",
    why: str = "",
) -> Stored:
    """Remove an object. The returned state is its last one, or `final`, with the revision of the deletion."""
    with database.writing():
        revision, current = _existing(key, None, expect=expect, uid=uid)
        last = current.obj if final is None else final
        gone = Stored(key, current.uid, revision, current.created_revision, encode(last, revision))
        _delete_object(key)
        _record(Change.Type.DELETED, gone, before=current, at=at, actor=actor, why=why)
    return gone


def _existing(key: Key, first: Step | None, *, expect: int | None, uid: str | None) -> tuple[int, Stored]:
    revision, current = _next(key, first)
    if current is None:
        raise NotStored(key)
    if uid is not None and uid != current.uid:
        raise StaleWrite(current, uid=uid)
    if expect is not None and expect != current.revision:
        raise StaleWrite(current, expect=expect)
    return revision, current


def _next(key: Key, first: Step | None) -> tuple[int, Stored | None]:
    """Take the lock; the revision that this write will have, and the object as it is. The cluster is looked up in the same
    statement: a cluster that is being deleted takes no writes, or rows would stay behind."""
    database.hold(REVISIONS)
    if first is not None:
        first()  # which may take revisions of its own
    row = statements.row(_UNDER_LOCK, [key.cluster, key.resource, key.namespace, key.name, REVISIONS])
    if row is None:  # a new database
        database.lock(REVISIONS)
        return _next(key, None)
    if row[1] is None or row[1]:
        raise UnknownCluster(key.cluster)
    if row[2] == Cluster.Runtime.REPLAY:
        raise Recorded(key.cluster)
    return int(row[0]) + 1, None if row[3] is None else Stored(key, *row[3:])


_UNDER_LOCK = (
    "SELECT n.value, c.deleting, c.runtime, o.uid, o.revision, o.created_revision, o.body FROM storage_counter n"
    " LEFT JOIN storage_cluster c ON c.name = %s"
    " LEFT JOIN storage_object o ON o.cluster = c.name AND o.resource = %s AND o.namespace = %s AND o.name = %s"
    " WHERE n.name = %s"
)


def _record(type: Change.Type, new: Stored, *, before: Stored | None, at: datetime, actor: str, why: str) -> None:
    """The rest of the transaction, the same for every write."""
    database.advance(REVISIONS, new.revision)
    _insert_change(type, new, before=before, at=at, actor=actor, why=why)
    graph.apply(before, None if type == Change.Type.DELETED else new)
    transaction.on_commit(partial(doorbell.ring, doorbell.REVISION, new.revision), robust=True)


def _insert_object(new: Stored) -> None:
    key = new.key
    statements.change(
        "INSERT INTO storage_object (cluster, resource, namespace, name, uid, revision, created_revision, body)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
        [key.cluster, key.resource, key.namespace, key.name, new.uid, new.revision, new.created_revision, new.body],
    )


def _update_object(new: Stored) -> None:
    key = new.key
    statements.change(
        "UPDATE storage_object SET revision = %s, body = %s"
        " WHERE cluster = %s AND resource = %s AND namespace = %s AND name = %s",
        [new.revision, new.body, key.cluster, key.resource, key.namespace, key.name],
    )


def _delete_object(key: Key) -> None:
    statements.change(
        "DELETE FROM storage_object WHERE cluster = %s AND resource = %s AND namespace = %s AND name = %s",
        [key.cluster, key.resource, key.namespace, key.name],
    )


def _insert_change(
    type: Change.Type, new: Stored, *, before: Stored | None, at: datetime, actor: str, why: str
) -> None:
    key = new.key
    statements.change(
        "INSERT INTO storage_change (revision, prev_revision, created_revision, type, cluster, resource, namespace,"
        " name, uid, body, at, wall, actor, why) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        [
            *(new.revision, before.revision if before else 0, new.created_revision, type.value),
            *(key.cluster, key.resource, key.namespace, key.name, new.uid, new.body),
            *(database.as_column(at), database.as_column(clock.wall_now()), actor[:128], database.clean(why)),
        ],
    )
