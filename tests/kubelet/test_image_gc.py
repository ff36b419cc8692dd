"""Which images go when the disk fills, and that they are never anybody else's."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from podlab.apis.types import Manifest
from podlab.clock import LabClock
from podlab.kubelet import image_gc, node_status
from podlab.kubelet.image_gc import Collector, Policy, to_free
from podlab.kubelet.image_records import ImageRecords
from podlab.runtime.errors import RuntimeFailure
from podlab.runtime.images import Disk, HeldImage, ImageInfo

START = datetime(2026, 11, 21, 2, 0, tzinfo=UTC)
NODE: Manifest = {"kind": "Node", "metadata": {"name": "node-a"}}


@pytest.mark.parametrize(
    ("capacity", "available", "policy", "expected"),
    [
        (1000, 160, Policy(), 0),
        (1000, 150, Policy(), 50),
        (1000, 0, Policy(), 200),
        (1000, 0, Policy(high=100), 0),
        (1000, 900, Policy(high=10, low=5), 50),
        (0, 0, Policy(), 0),
    ],
)
def test_how_much_must_go(capacity: int, available: int, policy: Policy, expected: int) -> None:
    assert to_free(Disk(capacity, available), policy) == expected


@dataclass
class Store:
    """An engine with 1000 bytes; images are on it besides what others keep there."""

    images: list[HeldImage] = field(default_factory=list)
    others: int = 0
    used: set[str] = field(default_factory=set)
    removed: list[str] = field(default_factory=list)
    held_back: str = ""

    def list_images(self) -> list[HeldImage]:
        return list(self.images)

    def images_in_use(self) -> frozenset[str]:
        return frozenset(self.used)

    def remove_image(self, ref: str) -> None:
        if ref == self.held_back:
            raise RuntimeFailure("conflict")
        self.removed.append(ref)
        self.images = [image for image in self.images if image.tags != (ref,)]

    def image_disk(self) -> Disk | None:
        return Disk(1000, 1000 - self.others - sum(image.size for image in self.images))


@dataclass
class Lab:
    store: Store = field(default_factory=Store)
    clock: LabClock = field(default_factory=lambda: LabClock(START))
    records: ImageRecords = field(default_factory=ImageRecords)
    events: list[tuple[str, str]] = field(default_factory=list)
    policy: Policy = field(default_factory=Policy)

    def __post_init__(self) -> None:
        self.collector = Collector(self.store, self.records, self.clock, self, NODE, self.policy)

    def event(self, obj: Manifest, type: str, reason: str, message: str, /, *, why: str = "") -> None:
        assert obj is NODE
        self.events.append((reason, message))

    def bring(self, ref: str, size: int, *, mine: bool = True, tags: tuple[str, ...] = ()) -> None:
        info = ImageInfo(f"sha256:{ref}", ref, size)
        self.store.images.append(HeldImage(info.id, tags or (ref,), (), size))
        self.records.note_pull(info, ref, present=not mine, login=None, now=self.clock.now())

    def look(self, minutes: float = 5) -> list[str]:
        """So much later; what went then."""
        self.clock.advance(self.clock.now() + timedelta(minutes=minutes))
        self.store.removed.clear()
        self.collector.collect()
        return list(self.store.removed)


def test_the_least_recently_used_goes_first_and_only_as_much_as_is_needed() -> None:
    lab = Lab()
    for name in ("a", "b", "c"):
        lab.bring(name, 100)
    lab.store.used = {"sha256:a"}
    assert lab.look() == []
    lab.store.used = {"sha256:b"}
    assert lab.look() == []
    lab.store.used, lab.store.others = set(), 650
    assert lab.look() == ["c", "a"]  # never used; used before b
    assert [record.ref for record in lab.records.brought()] == ["b"]
    assert lab.events == []


def test_what_is_in_use_or_young_or_others_stays() -> None:
    lab = Lab()
    lab.bring("used", 100)
    lab.bring("busybox:1.36", 100, mine=False)
    lab.bring("shared", 100, tags=("shared", "somebody:else"))
    lab.store.used, lab.store.others = {"sha256:used"}, 600
    assert lab.look() == []
    lab.bring("young", 50)
    text = "Failed to garbage collect required amount of images. Attempted to free 150 bytes, but only found 0 bytes eligible to free."
    assert lab.look(1) == []
    assert lab.events[-2:] == [("FreeDiskSpaceFailed", text), ("ImageGCFailed", text)]
    assert lab.look() == ["young"]


def test_a_failure_is_told_the_second_time_and_a_success_ends_it() -> None:
    lab = Lab()
    lab.store.others = 900
    lab.look()
    assert [reason for reason, _ in lab.events] == ["FreeDiskSpaceFailed"]
    lab.look()
    assert [reason for reason, _ in lab.events[1:]] == ["FreeDiskSpaceFailed", "ImageGCFailed"]
    lab.store.others = 0
    lab.look()
    lab.store.others = 900
    lab.look()
    assert [reason for reason, _ in lab.events[3:]] == ["FreeDiskSpaceFailed"]


def test_an_image_that_the_engine_holds_back_stays_recorded() -> None:
    lab = Lab()
    lab.bring("a", 300)
    lab.store.others, lab.store.held_back = 600, "a"
    lab.look()
    lab.look()
    assert [record.ref for record in lab.records.brought()] == ["a"]


def test_switched_off_nothing_is_even_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    lab = Lab(policy=Policy(high=image_gc.OFF))
    lab.bring("a", 1000)

    def never(*_: Any) -> None:
        raise AssertionError("the engine was asked")

    monkeypatch.setattr(lab.store, "list_images", never)
    assert lab.look() == []


def test_a_node_tells_of_its_largest_images() -> None:
    held = [HeldImage(f"sha256:{n}", (f"app:{n}",), (f"app@sha256:{n}",) * 9, n) for n in range(60)]
    shown = node_status.images_of(held)
    assert len(shown) == 50
    assert shown[0] == {"names": ["docker.io/library/app@sha256:59"] * 5, "sizeBytes": 59}
