"""How far the start of a container came, for `start` and the steps that it is made of."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum

from podlab.apis import reasons
from podlab.kubelet import pods
from podlab.kubelet.container_status import StartProblem
from podlab.kubelet.context import Context, PodState
from podlab.kubelet.pods import Spec

# A failed try is made again after this long (pod_workers.go backOffPeriod).
RETRY = timedelta(seconds=10)


class Started(StrEnum):
    YES = "yes"
    NO = "no"  # not now; the reason is in state.problems
    BLOCKED = "blocked"  # something is under way: the containers after this one wait


class Stop(Exception):
    """The start ends here, with this outcome."""

    def __init__(self, outcome: Started) -> None:
        super().__init__(outcome)
        self.outcome = outcome


def fail(
    ctx: Context, state: PodState, spec: Spec, reason: str, message: str, *, event: str = "", again: bool = True
) -> Stop:
    """Note why the container does not start, and tell it: the event says `Error: ` and the message, or `event`."""
    after = f"it is tried again in {pods.go_duration(RETRY.total_seconds())}" if again else "this counts as a run"
    why = f"{message or reason}; {after}"
    state.problems[spec.name] = StartProblem(reason, message, why)
    tell(ctx, state, spec, reasons.WARNING, reasons.FAILED, f"Error: {event or message}", why)
    if again:
        state.put_off(spec.name, ctx.clock.now() + RETRY)
    else:
        ctx.dispatch(state.ref.uid)
    return Stop(Started.NO)


def tell(ctx: Context, state: PodState, spec: Spec, kind: str, reason: str, message: str, why: str) -> None:
    assert state.pod is not None
    ctx.recorder.event(state.pod, kind, reason, message, field_path=spec.field_path, why=why)
