"""Names for the values that every layer passes around."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

# A Kubernetes object as decoded JSON. Treat one that came from the store as read-only: copy before changing it.
Manifest = dict[str, Any]


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """Where an object lives. `resource` is the group resource ("pods", "deployments.apps"); `namespace` is "" for
    cluster-scoped resources. A key may be used again by a later object: `uid` is the identity."""

    cluster: str
    resource: str
    namespace: str
    name: str

    def __str__(self) -> str:
        place = f"{self.namespace}/{self.name}" if self.namespace else self.name
        return f"{self.cluster}:{self.resource}/{place}"


@dataclass(frozen=True, slots=True)
class LogLine:
    at: datetime
    stream: str  # stdout | stderr
    text: str  # without newline
    partial: bool = False  # no newline followed (yet)
    nanos: int = 0  # the part of the time below a microsecond, 0–999, which `at` cannot hold
