"""Notices what the runtime's events may have missed: compares two listings of the node (pkg/kubelet/pleg/generic.go).

Events are only wake-up calls and may be dropped; the relist is the net under them. `agent` runs it every few seconds on
real engines and never on a simulated one, which loses nothing.
"""

from __future__ import annotations

from collections.abc import Mapping

from podlab.runtime.interface import PodStatus

Listing = Mapping[str, PodStatus]
_Facts = tuple[tuple[str, str], ...]


def changed(old: Listing, new: Listing) -> list[str]:
    """The pods whose containers or sandboxes differ, in a fixed order."""
    return sorted(uid for uid in {*old, *new} if facts(old.get(uid)) != facts(new.get(uid)))


def facts(pod: PodStatus | None) -> _Facts:
    """What counts as a change: which containers and sandboxes there are, and their states."""
    if pod is None:
        return ()
    containers = [(c.id, c.state.value) for c in pod.containers]
    sandboxes = [(s.id, "ready" if s.ready else "not ready") for s in pod.sandboxes]
    return tuple(sorted(containers + sandboxes))
