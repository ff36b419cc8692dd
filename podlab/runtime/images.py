"""Images as a runtime keeps and pulls them (ImageService of the CRI). Values, and what a runtime does for the image collector.

`Runtime` in `interface` answers with these; a kubelet decides by them. Nothing here touches an image.
"""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

# The handler of the RuntimeClass of the pod for which images are looked up and pulled: a node may keep several stores.
HANDLER: ContextVar[str] = ContextVar("handler", default="")


@dataclass(frozen=True, slots=True)
class ImageInfo:
    """An image that is present, under the name that it was asked for. `size` in bytes."""

    id: str
    ref: str
    size: int
    user: str = ""  # the image's USER
    digests: tuple[str, ...] = ()  # names of it in registries, with a digest


@dataclass(frozen=True, slots=True)
class HeldImage:
    """An image in the runtime's store, with all its names."""

    id: str
    tags: tuple[str, ...]
    digests: tuple[str, ...]
    size: int


@dataclass(frozen=True, slots=True)
class Disk:
    """Bytes. `available` to somebody without special rights."""

    capacity: int
    available: int


@dataclass(frozen=True, slots=True)
class PullProgress:
    """How far a pull has come. `total` bytes and `layers` grow while the runtime learns of more."""

    ref: str
    status: str
    current: int  # bytes
    total: int
    layers: int = 0
    layers_done: int = 0


@dataclass(frozen=True, slots=True)
class RegistryLogin:
    """For one pull; never kept, never shown."""

    username: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class PullResult:
    """`image` or `error`: the runtime's own text, as it stands behind `Failed to pull image "I": `."""

    image: ImageInfo | None
    error: str = ""
    seconds: float = 0.0


@runtime_checkable
class KeepsImages(Protocol):
    """A runtime whose images lie on a disk that can get full. Its store is shared with others."""

    def list_images(self) -> list[HeldImage]:
        """Everything in the store, whoever brought it."""
        ...

    def images_in_use(self) -> frozenset[str]:
        """The ids of images that any container has, running or not, of this lab or of others."""
        ...

    def remove_image(self, ref: str) -> None:
        """Take a name away, and the image with its last name. Gone counts as success."""
        ...

    def image_disk(self) -> Disk | None:
        """The disk with the images; None where it cannot be seen from here."""
        ...
