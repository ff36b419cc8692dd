"""Ends pods of the node so that a critical one may come in, and has it wait until they are over. `pod_workers` calls it.

HandleAdmissionFailure and evictPodsToFreeRequests of pkg/kubelet/preemption/preemption.go, which wait for each pod.
"""

from __future__ import annotations

from datetime import timedelta

from podlab.apis import reasons
from podlab.kubelet import pods, preemption
from podlab.kubelet.admission import Refusal
from podlab.kubelet.context import Context, PodState, Stage
from podlab.kubelet.status import Forced

MESSAGE = "Preempted in order to admit critical pod"
CONDITION = "Pod was preempted by Kubelet to accommodate a critical pod."
_LOOK = timedelta(seconds=2)


def make(ctx: Context, state: PodState, refused: Refusal) -> Refusal | None:
    """None: pods are being ended, and the pod is looked at again when they are over."""
    assert state.pod is not None
    others = {pods.uid(one): one for one in ctx.pods() if pods.uid(one) != state.ref.uid}
    if not state.makes_room & others.keys():
        try:
            victims = preemption.choose(state.pod, list(others.values()), dict(refused.missing))
        except preemption.NoneFound as error:
            text = "Unexpected error while attempting to recover from admission failure: preemption: error finding a set of pods to preempt: "
            return Refusal(reasons.UNEXPECTED_ADMISSION_ERROR, f"{text}{error}", refused.why)
        state.makes_room = {pods.uid(victim) for victim in victims}
        for uid in sorted(state.makes_room):
            ctx.preempt(uid, f"{pods.title(state.pod)} is critical, and {refused.why}")
    state.wake_at(ctx.clock.now() + _LOOK)
    return None


def give_way(ctx: Context, state: PodState, why: str) -> None:
    """This pod goes for a critical one."""
    if state.pod is None or state.forced is not None or state.stage is not Stage.SYNC:
        return
    ctx.recorder.event(state.pod, reasons.WARNING, reasons.PREEMPTING, MESSAGE, why=why)
    state.forced = Forced(reasons.PREEMPTING, MESSAGE, disruption=CONDITION)
    ctx.dispatch(state.ref.uid)
