"""What can go wrong with a write or a read of the store. `registry` turns these into Kubernetes Status errors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from podlab.apis.types import Key

if TYPE_CHECKING:
    from podlab.storage.objects import Stored


class StorageError(Exception):
    """The base of all errors of this package."""


class UnknownCluster(StorageError):
    """No such cluster, or it is being deleted: it accepts no writes."""

    def __init__(self, cluster: str) -> None:
        super().__init__(f"there is no cluster {cluster!r}")
        self.cluster = cluster


class Recorded(StorageError):
    """The cluster is a recording: it accepts no writes."""

    def __init__(self, cluster: str) -> None:
        super().__init__(f"cluster {cluster!r} is a recording")
        self.cluster = cluster


class ClusterExists(StorageError):
    def __init__(self, cluster: str) -> None:
        super().__init__(f"there is a cluster {cluster!r} already")
        self.cluster = cluster


class AlreadyStored(StorageError):
    """A create found an object under the key."""

    def __init__(self, current: Stored) -> None:
        super().__init__(f"{current.key} exists already")
        self.current = current


class NotStored(StorageError):
    """An update or delete found nothing under the key."""

    def __init__(self, key: Key) -> None:
        super().__init__(f"{key} does not exist")
        self.key = key


class StaleWrite(StorageError):
    """The write named another revision or uid than the store holds now."""

    def __init__(self, current: Stored, *, expect: int | None = None, uid: str | None = None) -> None:
        named = f"uid {uid}" if uid is not None else f"revision {expect}"
        super().__init__(f"{current.key} is at revision {current.revision}, uid {current.uid}, not at {named}")
        self.current = current
        self.expect = expect
        self.uid = uid


class Compacted(StorageError):
    """The wanted revision lies below the compaction floor."""

    def __init__(self, requested: int, floor: int) -> None:
        super().__init__(f"revision {requested} was compacted, the oldest that can be read is {floor}")
        self.requested = requested
        self.floor = floor


class FutureRevision(StorageError):
    """The wanted revision has not been written yet."""

    def __init__(self, requested: int, current: int) -> None:
        super().__init__(f"revision {requested} lies in the future, the newest is {current}")
        self.requested = requested
        self.current = current


class StoreBusy(StorageError):
    """Another writer held the lock for too long (20 s). Nothing was written: trying again later is right."""
