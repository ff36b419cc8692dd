"""Pulls of a simulated node: `images` says how each turns out, this plays it on the lab clock. `runtime` calls it.

It changes the images of the node and writes its journal.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from podlab.clock import Clock
from podlab.runtime.images import PullProgress, PullResult
from podlab.runtime.sim import images
from podlab.runtime.sim.behaviour import BadBehaviour
from podlab.runtime.sim.node import Node


def pull(
    node: Node,
    clock: Clock,
    ref: str,
    done: Callable[[PullResult], None],
    *,
    progress: Callable[[PullProgress], None] | None,
    said: Mapping[str, str],
) -> None:
    """`said`: the pod's annotations, which may tell how long the pull takes, or that it fails."""
    try:
        error = images.failure(ref, said)
        if error:
            seconds = images.failure_seconds(ref, said, seed=node.seed, node=node.name)
            clock.call_later(seconds, lambda: done(PullResult(None, error, seconds)))
            return
        cached = ref in node.images
        seconds = 0.05 if cached else images.pull_seconds(ref, said, seed=node.seed, node=node.name)
    except BadBehaviour as bad:
        text = str(bad)
        clock.call_later(0, lambda: done(PullResult(None, text)))
        return
    info = images.info(ref)

    def finish() -> None:
        if ref not in node.images:
            node.images[ref] = info
            node.write("pull", ref=ref)
        if progress is not None:
            progress(PullProgress(ref, "Pull complete", info.size, info.size, 1, 1))
        done(PullResult(info, "", seconds))

    if progress is not None and not cached:
        tell = progress
        tell(PullProgress(ref, "Downloading", 0, info.size, 1))
        clock.call_later(seconds / 2, lambda: tell(PullProgress(ref, "Downloading", info.size // 2, info.size, 1)))
    clock.call_later(seconds, finish)
