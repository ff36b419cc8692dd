"""restartPolicyRules with RestartAllContainers: the end of one container makes the whole pod begin anew in its sandbox.

KEP-5532, on by default in 1.36 (RestartAllContainersOnContainerExits); ShouldAllContainersRestart and
AllContainersRestartCleanedUp of pkg/kubelet/container/helpers.go. Everything that runs is stopped without preStop hooks and
removed, then the pod starts from its first init container, without back-off. Pure.
"""

from __future__ import annotations

from podlab.apis import pods as pod_facts
from podlab.apis.types import Manifest
from podlab.kubelet import pods
from podlab.kubelet.plan import PodActions, ToKill, newest
from podlab.runtime.interface import ContainerState, PodStatus

ACTION = "RestartAllContainers"
CONDITION = "AllContainersRestarting"
REASON = "RestartingAllContainers"
MESSAGE = "The container is removed because RestartAllContainers in place"


def under_way(pod: Manifest) -> bool:
    """What an earlier agent began."""
    held = pod_facts.get_condition((pod.get("status") or {}).get("conditions"), CONDITION)
    return held is not None and held.get("status") == "True"


def reason_for(pod: Manifest, observed: PodStatus) -> str:
    """The container whose end asks for it, in a sentence, or ""."""
    for spec in _members(pod):
        status = newest(observed, spec.name)
        if status is None or status.state is not ContainerState.EXITED:
            continue
        rule = pod_facts.matching_restart_rule(spec.manifest, status.exit_code)
        if rule is not None and rule.get("action") == ACTION:
            return f"container {spec.name} exited with {status.exit_code}, and its rule for that is {ACTION}"
    return ""


def actions(pod: Manifest, observed: PodStatus, base: PodActions, why: str) -> PodActions:
    """Stop what runs; what has ended is removed by then, and the sync after that starts anew."""
    names = {spec.name for spec in _members(pod)}
    mine = [status for status in observed.containers if status.name in names]
    kills = [
        ToKill(id=one.id, name=one.name, cause="restart-all", message="", why=why, restart=False)
        for one in mine
        if one.state in (ContainerState.RUNNING, ContainerState.UNKNOWN)
    ]
    return PodActions(
        sandbox_id=base.sandbox_id,
        attempt=base.attempt,
        to_kill=tuple(kills),
        to_remove=tuple(one.id for one in mine),
        why=why,
    )


def removed(entry: Manifest, old: Manifest | None) -> None:
    """The status of a container that was removed for this: it counts as a restart."""
    state = (old or {}).get("state") or {}
    if not (state.get("running") or state.get("terminated") or (old or {}).get("lastState")):
        return
    if (state.get("waiting") or {}).get("reason") != REASON:
        entry["restartCount"] = int((old or {}).get("restartCount") or 0) + 1
    gone = {"exitCode": 137, "reason": REASON, "message": MESSAGE, "startedAt": None, "finishedAt": None}
    entry["state"] = {"waiting": {"reason": REASON, "message": MESSAGE}}
    entry["lastState"] = {"terminated": gone}
    entry.pop("containerID", None)


def _members(pod: Manifest) -> list[pods.Spec]:
    return [*pods.init_specs(pod), *pods.app_specs(pod)]
