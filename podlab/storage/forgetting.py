"""What is left of pods of which the change log tells nothing any more. The control worker asks after each compaction, removes
their logs and then their rows.

Every page and file begins with a pod's changes, so without them its runs, probe results and pulls are rows that nobody can
reach, and they would fill the disk for ever. A static pod's rows stay: they are kept under the file's uid, which no change has.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection

from podlab.storage import database
from podlab.storage.models import HISTORY, PULLS

MOST = 200  # pods at a time
_BATCH = 2000  # rows of one transaction: the writers of the lab wait meanwhile
_UID = "________-____-____-____-____________"

_UNTOLD = """
SELECT DISTINCT r.cluster, r.namespace, r.pod, r.pod_uid FROM storage_containerrun r
WHERE r.pod_uid LIKE %s
  AND NOT EXISTS (SELECT 1 FROM storage_change c WHERE c.cluster = r.cluster AND c.uid = r.pod_uid)
LIMIT %s
"""


@dataclass(frozen=True, slots=True)
class Gone:
    cluster: str
    namespace: str
    name: str
    uid: str


def untold(most: int = MOST) -> list[Gone]:
    """Pods that have run and of which the log tells nothing any more."""
    database.revive()
    with connection.cursor() as cursor:
        cursor.execute(_UNTOLD, [_UID, most])
        return [Gone(*row) for row in cursor.fetchall()]


def forget(pods: Sequence[Gone]) -> int:
    """Remove their rows; how many. Their runs go last, so that a call that was cut off is finished by the next."""
    removed = 0
    for pod in pods:
        removed += _remove("storage_proberesult", "seq", HISTORY, pod)
        removed += _remove("storage_imagepull", "id", PULLS, pod)
        removed += _remove("storage_containerrun", "id", HISTORY, pod)
    return removed


def _remove(table: str, key: str, counter: str, pod: Gone) -> int:
    chosen = f"SELECT {key} FROM {table} WHERE cluster = %s AND pod_uid = %s LIMIT %s"
    removed = 0
    while True:
        with database.writing(), connection.cursor() as cursor:
            database.lock(counter)
            cursor.execute(f"DELETE FROM {table} WHERE {key} IN ({chosen})", [pod.cluster, pod.uid, _BATCH])
            count = int(cursor.rowcount)
        removed += count
        if count < _BATCH:
            return removed
