"""What a plugin may be. All of them are pure functions over the pod and what is known of one node."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from podlab.apis.types import Manifest
from podlab.scheduler.nodes import NodeInfo

if TYPE_CHECKING:
    from podlab.scheduler.plugins.volume_binding import Storage


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why a node cannot take the pod. `resolvable`: removing other pods could help (framework.Unschedulable), else it
    could not (UnschedulableAndUnresolvable). `detail` goes on after the reason for people: no comma, colon or semicolon."""

    reasons: tuple[str, ...]
    resolvable: bool = False
    detail: str = ""

    @property
    def told(self) -> tuple[str, ...]:
        return (*self.reasons[:-1], f"{self.reasons[-1]} ({self.detail})") if self.detail else self.reasons


# The labels of namespaces, for terms that select them.
Namespaces = Mapping[str, Mapping[str, str]]


# None = the node passes.
Filter = Callable[[Manifest, NodeInfo], Rejection | None]

# The same for pods with claims.
StorageFilter = Callable[[Manifest, NodeInfo, "Storage"], Rejection | None]

# Higher is better, in any unit; the cycle scales all nodes to 0…100 with `scale`.
Score = Callable[[Manifest, NodeInfo], int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scorer:
    name: str
    score: Score
    weight: int
    # "as is": already 0…100. "most": scaled so that the best has 100. "fewest": scaled, the lowest has 100.
    scale: str
