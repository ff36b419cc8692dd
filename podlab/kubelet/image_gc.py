"""Garbage collection of images: which go when the engine's disk gets full, and the words for it. Pure but for `Collector`, which
`agent` calls every five minutes.

pkg/kubelet/images/image_gc_manager.go. The machine is shared, so only images count that this lab has brought itself
(`image_records`), that carry no name of anybody else, and that no container of anybody uses.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol

from podlab.apis import reasons
from podlab.apis.types import Manifest
from podlab.clock import Clock
from podlab.kubelet.image_records import ImageRecords, Record
from podlab.runtime.errors import RuntimeFailure
from podlab.runtime.images import Disk, HeldImage, KeepsImages

logger = logging.getLogger(__name__)

PERIOD_SECONDS = 300.0
MIN_AGE = timedelta(minutes=2)
OFF = 100
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Policy:
    """Percent of the disk that may be used before images go, and down to which they go. `high` 100 = never."""

    high: int = 85
    low: int = 80


@dataclass(frozen=True, slots=True)
class Candidate:
    """An image that may go, by the names under which the lab has pulled it."""

    image_id: str
    refs: tuple[str, ...]
    size: int
    detected: datetime
    last_used: datetime | None


@dataclass(frozen=True, slots=True)
class Choice:
    candidate: Candidate
    why: str


class Events(Protocol):
    """The part of `registry.events.Recorder` that is needed here."""

    def event(self, obj: Manifest, type: str, reason: str, message: str, /, *, why: str = "") -> None: ...


def to_free(disk: Disk, policy: Policy) -> int:
    """Bytes that must go; 0 while there is room."""
    if policy.high >= OFF or disk.capacity <= 0:
        return 0
    used = 100 - disk.available * 100 // disk.capacity
    return max(disk.capacity * (100 - policy.low) // 100 - disk.available, 0) if used >= policy.high else 0


def candidates(
    held: Iterable[HeldImage], records: Iterable[Record], used: Mapping[str, datetime], detected: Mapping[str, datetime]
) -> list[Candidate]:
    """What is the lab's alone, by image. `used` and `detected`: when an image was seen in use last, and at all first."""
    ours = {record.ref for record in records}
    found: list[Candidate] = []
    for image in held:
        names = set(image.tags or image.digests)
        if names and names <= ours:
            found.append(Candidate(image.id, tuple(sorted(names)), image.size, detected[image.id], used.get(image.id)))
    return found


def choose(found: Iterable[Candidate], *, in_use: Set[str], need: int, now: datetime) -> list[Choice]:
    """Least recently used first, until enough is free. What was used within this look, or is too young, stays."""
    chosen: list[Choice] = []
    freed = 0
    for one in sorted(found, key=lambda c: (c.last_used or _NEVER, c.detected, c.image_id)):
        if freed >= need:
            break
        if one.image_id in in_use or now - one.detected < MIN_AGE:
            continue
        since = f"last used at {one.last_used:%H:%M:%S}" if one.last_used is not None else "not used since it was found"
        chosen.append(Choice(one, f"{need - freed} bytes must go; {since}, and no container has it"))
        freed += one.size
    return chosen


def shortfall(need: int, freed: int) -> str:
    return (
        f"Failed to garbage collect required amount of images. Attempted to free {need} bytes, but only found {freed} "
        "bytes eligible to free."
    )


@dataclass(slots=True)
class Collector:
    """One node's. `node` is what events are about."""

    runtime: KeepsImages
    records: ImageRecords
    clock: Clock
    recorder: Events
    node: Manifest
    policy: Policy
    _detected: dict[str, datetime] = field(default_factory=dict)
    _used: dict[str, datetime] = field(default_factory=dict)
    _failed: bool = False

    def collect(self) -> None:
        """One look; never raises. A failure is told when it comes a second time in a row, as the kubelet does."""
        try:
            problem = self._collect()
        except RuntimeFailure as error:
            problem = str(error)
        if problem and self._failed:
            self._tell(reasons.IMAGE_GC_FAILED, problem)
        elif problem:
            logger.warning("image garbage collection failed once: %s", problem)
        self._failed = bool(problem)

    def _collect(self) -> str:
        """What went wrong, or ""."""
        disk = self.runtime.image_disk() if self.policy.high < OFF else None
        if disk is None:
            return ""  # switched off, or the engine's disk is not one that we see
        if disk.capacity <= 0:
            text = "invalid capacity 0 on image filesystem"
            self._tell(reasons.INVALID_DISK_CAPACITY, text)
            return text
        now, held, in_use = self.clock.now(), self.runtime.list_images(), self.runtime.images_in_use()
        self._look(held, in_use, now)
        need = to_free(disk, self.policy)
        if need <= 0:
            return ""
        found = candidates(held, self.records.brought(), self._used, self._detected)
        freed = sum(self._remove(choice) for choice in choose(found, in_use=in_use, need=need, now=now))
        if freed >= need:
            return ""
        text = shortfall(need, freed)
        self._tell(reasons.FREE_DISK_SPACE_FAILED, text)
        return text

    def _look(self, held: Iterable[HeldImage], in_use: Set[str], now: datetime) -> None:
        present = {image.id for image in held}
        for image_id in present:
            self._detected.setdefault(image_id, now)
            if image_id in in_use:
                self._used[image_id] = now
        for gone in set(self._detected) - present:
            del self._detected[gone]
            self._used.pop(gone, None)

    def _remove(self, choice: Choice) -> int:
        one = choice.candidate
        logger.info("removing image %s: %s", ", ".join(one.refs), choice.why)
        for ref in one.refs:
            try:
                self.runtime.remove_image(ref)
            except RuntimeFailure as error:
                logger.warning("image %s stays: %s", ref, error)
                return 0
            self.records.forget(ref)
        return one.size

    def _tell(self, reason: str, text: str) -> None:
        why = f"images of this lab go when the disk is {self.policy.high} % full"
        self.recorder.event(self.node, reasons.WARNING, reason, text, why=why)
