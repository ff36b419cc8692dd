"""Shortens the change log. The control worker calls `compact` now and then; readers below the floor get Compacted.

Kept: everything above the floor, and of each object that lives at the floor its last change up to it, so that states can
be read from the floor on and `prev` of every later change is there; and all of a recording. As in kine, superseded rows and tombstones go, in
batches; unlike kine the floor stands on the counter row, and is raised before the first row goes.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection

from podlab.storage import database
from podlab.storage.models import REVISIONS, Counter

_BATCH = 1000

_PRUNABLE = """
SELECT c.revision FROM storage_change c
WHERE c.revision > %s AND c.revision <= %s
  AND (c.type = 'DELETED' OR EXISTS (
    SELECT 1 FROM storage_change n
    WHERE n.cluster = c.cluster AND n.resource = c.resource AND n.namespace = c.namespace AND n.name = c.name
      AND n.revision > c.revision AND n.revision <= %s))
  AND NOT EXISTS (SELECT 1 FROM storage_cluster k WHERE k.name = c.cluster AND k.runtime = 'replay')
ORDER BY c.revision LIMIT %s
"""


@dataclass(frozen=True, slots=True)
class Pruned:
    floor: int
    rows: int


def compact(keep: int, *, pinned: int | None = None, batch: int = _BATCH) -> Pruned:
    """Raise the floor to `keep` revisions below the head, but not above `pinned` (the oldest revision that somebody must
    still read), and remove what that makes unreadable. Never lowers the floor; cut off, the next call goes on."""
    if keep < 0 or batch < 1:
        raise ValueError("compaction keeps at least 0 revisions and removes at least 1 row at a time")
    floor = _raise_floor(keep, pinned)
    return Pruned(floor=floor, rows=_prune(floor, batch))


def _raise_floor(keep: int, pinned: int | None) -> int:
    with database.writing():
        head = database.lock(REVISIONS)
        target = head - keep if pinned is None else min(head - keep, pinned)
        floor = database.counter(REVISIONS).floor
        if target > floor:
            Counter.objects.filter(name=REVISIONS).update(floor=target)
        return max(target, floor)


def _prune(floor: int, batch: int) -> int:
    """In ascending order: a row that shows that an older one is superseded goes after it."""
    after, removed = 0, 0
    while True:
        with database.writing(), connection.cursor() as cursor:
            cursor.execute(_PRUNABLE, [after, floor, floor, batch])
            revisions = [row[0] for row in cursor.fetchall()]
            if revisions:
                places = ", ".join(["%s"] * len(revisions))
                cursor.execute(f"DELETE FROM storage_change WHERE revision IN ({places})", revisions)
        removed += len(revisions)
        if len(revisions) < batch:
            return removed
        after = revisions[-1]
