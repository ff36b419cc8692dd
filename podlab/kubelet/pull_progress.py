"""Passes on how far a pull is, for the timeline: at its beginning and end, and at most twice a second in between."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from podlab.kubelet.context import Context
from podlab.kubelet.runs import PullNote
from podlab.runtime.images import PullProgress

EVERY = timedelta(seconds=0.5)


class PullProgressNotes:
    """Called with each `PullProgress` of one pull, in order."""

    def __init__(self, ctx: Context, uid: str, container: str, image: str, started: datetime) -> None:
        self._ctx = ctx
        self._last = started
        self._note = PullNote(pod_uid=uid, container=container, image=image, started=started)
        ctx.runs.pulling(self._note)

    def __call__(self, told: PullProgress) -> None:
        self._note = replace(
            self._note, layers=told.layers, layers_done=told.layers_done, current=told.current, total=told.total
        )
        now = self._ctx.clock.now()
        if now - self._last >= EVERY:
            self._last = now
            self._ctx.runs.pulling(self._note)

    def end(self, at: datetime, error: str) -> None:
        self._ctx.runs.pulling(replace(self._note, finished=at, error=error))
