"""Pods that are being ended, were ended, or should have an end and have none. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from podlab.apis import times
from podlab.glance import sentences
from podlab.glance.explain.case import (
    Case,
    Evidence,
    Finding,
    Situation,
    Try,
    finding,
    of_event,
    of_status,
    of_yaml,
)
from podlab.glance.sentences import gettext_noop

_GET = ("get", "pod", "{pod}", "-o", "yaml")
_DESCRIBE = ("describe", "pod", "{pod}")
_FORCE = ("delete", "pod", "{pod}", "--grace-period=0", "--force")

SITUATIONS = (
    Situation(
        "terminating",
        gettext_noop("Being stopped"),
        gettext_noop("Deletion was asked for; the containers have until {until} to end by themselves ({left} left)."),
        gettext_noop("They get TERM first. Whoever still runs after {grace} s gets KILL."),
        Try(gettext_noop("Watch it go."), ("get", "pod", "{pod}", "--watch")),
        (Try(gettext_noop("If it always takes the whole time, the program does not listen to TERM."), path="spec.terminationGracePeriodSeconds"),),
        level="waiting",
    ),
    Situation(
        "terminating-hook",
        gettext_noop("Being stopped: preStop hooks first"),
        gettext_noop("Deletion was asked for; preStop hooks run first ({names}), and their time counts ({left} left)."),
        gettext_noop("The grace period of {grace} s begins with the hooks. TERM follows when a hook is done, with at least 2 s left."),
        Try(gettext_noop("Watch it go."), ("get", "pod", "{pod}", "--watch")),
        (Try(gettext_noop("A hook that needs longer needs a longer grace period."), path="spec.terminationGracePeriodSeconds"),),
        level="waiting",
    ),
    Situation(
        "terminating-node-gone",
        gettext_noop("Cannot end, because its node is silent"),
        gettext_noop("Deletion was asked for, but only the kubelet on {node} can say that the containers have ended, and it does not report."),
        gettext_noop("The object stays until the node is back or is removed. For StatefulSets that is on purpose: no second pod of that name may run."),
        Try(gettext_noop("Look at the node."), ("describe", "node", "{node}")),
        (Try(gettext_noop("If you know that the machine is off: delete it by force."), _FORCE),),
    ),
    Situation(
        "finalizer",
        gettext_noop("Held by a finalizer"),
        gettext_noop("The pod is to be deleted, but its finalizer {finalizer} is still there."),
        gettext_noop("Whoever set a finalizer wants to do something first and takes it away then. Without that program the object stays for ever."),
        Try(gettext_noop("Look at the finalizers."), ("get", "pod", "{pod}", "-o", "jsonpath={{.metadata.finalizers}}")),
        (Try(gettext_noop("Take the finalizer away by hand, if nobody else will."), ("patch", "pod", "{pod}", "--type=merge", "-p", '{{"metadata":{{"finalizers":null}}}}'), "metadata.finalizers"),),
    ),
    Situation(
        "stuck-terminating",
        gettext_noop("The grace period is over, and it is still there"),
        gettext_noop("The pod should be gone since {until}."),
        gettext_noop("After the grace period comes KILL, then the kubelet confirms. Something keeps it from that: the runtime does not answer, or a process hangs in the kernel."),
        Try(gettext_noop("Look for FailedKillPod."), _DESCRIBE),
        (Try(gettext_noop("Delete by force: the object goes at once, and the kubelet ends what still runs."), _FORCE),),
    ),
    Situation(
        "ignored-term",
        gettext_noop("Did not listen to TERM"),
        gettext_noop("{container} got TERM and ran on until KILL came (exit code 137)."),
        gettext_noop("Process 1 of a container gets no default action for TERM: a shell that does not trap it, and children that it does not pass it on to, hear nothing."),
        Try(gettext_noop("Look how long it took on the timeline."), _DESCRIBE),
        (
            Try(gettext_noop("Start the program by exec, so that it is process 1 itself and hears TERM."), path="{path}.command"),
            Try(gettext_noop("Or trap it: trap 'exit 0' TERM."), path="{path}.command"),
        ),
        level="note",
    ),
    Situation(
        "pre-stop-failed",
        gettext_noop("The preStop hook failed"),
        gettext_noop("The preStop hook failed; the container was stopped all the same."),
        gettext_noop("A failing hook holds nothing up: TERM follows at once."),
        Try(gettext_noop("Read what the hook said."), _DESCRIBE),
        (Try(gettext_noop("Correct the hook: its command runs inside the container."), path="spec.containers"),),
        level="note",
    ),
    Situation(
        "forced",
        gettext_noop("Deleted by force"),
        gettext_noop("The pod was deleted without a grace period: the object was gone at once, before anybody knew that the containers had ended."),
        gettext_noop("The kubelet ends what is left over a moment later, and until then a second pod of that name may run beside it."),
        Try(gettext_noop("Look at the end of the containers on the timeline."), ("get", "pods")),
        (Try(gettext_noop("Force only when the node is surely gone."), ("delete", "pod", "{pod}")),),
        level="note",
    ),
    Situation(
        "deadline",
        gettext_noop("Its time was up"),
        gettext_noop("The pod ran longer than activeDeadlineSeconds ({deadline} s) and was ended (DeadlineExceeded)."),
        gettext_noop("The deadline counts from the pod's start on its node, restarts and init containers included."),
        Try(gettext_noop("Look where the time went on the timeline."), _DESCRIBE),
        (Try(gettext_noop("Give it more time, or look why it is slow."), path="spec.activeDeadlineSeconds"),),
    ),
    Situation(
        "evicted-storage",
        gettext_noop("Evicted: too much written"),
        gettext_noop("The node ended the pod because it wrote more than it may: {message}"),
        gettext_noop("emptyDir has its sizeLimit, a container its ephemeral-storage limit. They are measured every few seconds, and going over is not an error of a write but the end of the pod."),
        Try(gettext_noop("Read the message."), _DESCRIBE),
        (Try(gettext_noop("Raise the limit, or write less (rotate, clean up)."), path="spec.volumes"),),
    ),
    Situation(
        "evicted-node",
        gettext_noop("Evicted: the node was short of something"),
        gettext_noop("The node ended the pod to save itself: {message}"),
        gettext_noop("First go pods that use more than they asked for, then those of low priority. Without requests (QoS BestEffort) a pod is always among the first."),
        Try(gettext_noop("Look at the node."), ("describe", "node", "{node}")),
        (
            Try(gettext_noop("Ask for what it really needs."), path="spec.containers[0].resources"),
            Try(gettext_noop("Delete what is left of it; an owner has made a new one already."), ("delete", "pod", "{pod}")),
        ),
    ),
    Situation(
        "evicted-api",
        gettext_noop("Evicted by somebody"),
        gettext_noop("The pod was asked to leave through the Eviction API, as kubectl drain does it."),
        gettext_noop("That respects disruption budgets and the grace period."),
        Try(gettext_noop("Look which nodes are cordoned."), ("get", "nodes")),
        (Try(gettext_noop("Nothing is to be done; an owner makes a new pod elsewhere."), ("get", "pods", "-o", "wide")),),
        level="note",
    ),
    Situation(
        "taint-evicted",
        gettext_noop("Driven off by a taint"),
        gettext_noop("The node got a taint that the pod does not tolerate, or not for so long: {message}"),
        gettext_noop("NoExecute taints end running pods. Nodes that do not report get one by themselves; pods tolerate that for 300 s unless they say otherwise."),
        Try(gettext_noop("Look at the node."), ("describe", "node", "{node}")),
        (Try(gettext_noop("Tolerate it longer: tolerationSeconds."), path="spec.tolerations"),),
    ),
    Situation(
        "preempted",
        gettext_noop("Made room for a more important pod"),
        gettext_noop("A pod of higher priority needed the place: {message}"),
        gettext_noop("The scheduler ends pods of lower priority when that lets a more important one in."),
        Try(gettext_noop("Look at the priorities."), ("get", "priorityclasses")),
        (Try(gettext_noop("Give it a priority class, if it is as important."), path="spec.priorityClassName"),),
    ),
    Situation(
        "nobody-replaces-it",
        gettext_noop("Nothing takes its place"),
        gettext_noop("This pod has no owner: no controller makes a new one when it is over, deleted, or its node is lost."),
        gettext_noop("A pod does not heal itself beyond its node. The kubelet restarts containers, only controllers make new pods."),
        Try(gettext_noop("Look at its owner."), ("get", "pod", "{pod}", "-o", "jsonpath={{.metadata.ownerReferences}}")),
        (Try(gettext_noop("Write the same template into a Deployment or a Job."), path="metadata"),),
        level="note",
    ),
)  # fmt: skip


def find(case: Case) -> Iterator[Finding]:
    if case.meta.get("deletionTimestamp"):
        yield from _deletion(case)
    yield from _disruption(case)
    yield from _over(case)
    yield from _ignored_term(case)
    hook = case.event("FailedPreStopHook")
    if hook is not None:
        told = of_event(hook, of_status("FailedPreStopHook"))
        yield finding("pre-stop-failed", case, told, told)
    if (case.gone or case.over) and not case.meta.get("ownerReferences") and _lost(case):
        owner = of_yaml("metadata", "metadata: ownerReferences = –")
        yield finding("nobody-replaces-it", case, owner, owner)


def _lost(case: Case) -> bool:
    return case.status.get("phase") == "Failed" or bool(case.condition("DisruptionTarget"))


def _deletion(case: Case) -> Iterator[Finding]:
    until = times.parse(case.meta["deletionTimestamp"])
    grace = int(case.meta.get("deletionGracePeriodSeconds") or 0)
    asked = of_status(f"deletionTimestamp: {case.meta['deletionTimestamp']}", "metadata.deletionTimestamp")
    if case.gone:
        if grace == 0 and any(one.running is not None for one in case.containers()):
            yield finding("forced", case, asked, of_status("deletionGracePeriodSeconds: 0", "metadata"))
        return
    fields: dict[str, Any] = {
        "until": f"{until:%H:%M:%S} UTC",
        "grace": grace,
        "left": sentences.seconds_text(until - case.now),
        "node": case.spec.get("nodeName") or "",
    }
    yield _holds(case, until, asked, fields)


def _holds(case: Case, until: datetime, asked: Evidence, fields: dict[str, Any]) -> Finding:
    """The one thing that keeps a pod that is being deleted."""
    running = [one for one in case.containers() if one.running is not None]
    finalizers = case.meta.get("finalizers") or []
    if finalizers and not running:
        place = of_yaml("metadata.finalizers")
        return finding("finalizer", case, asked, place, finalizer=finalizers[0], **fields)
    if _silent(case):
        place = of_yaml("spec.nodeName", f"nodeName: {case.spec.get('nodeName')}")
        return finding("terminating-node-gone", case, asked, place, **fields)
    if case.now > until + timedelta(seconds=10):
        told = of_event(case.event("FailedKillPod", "ExceededGracePeriod"), asked)
        return finding("stuck-terminating", case, asked, told, **fields)
    hooks = [one.name for one in running if (one.spec.spec.get("lifecycle") or {}).get("preStop")]
    place = of_yaml("spec.terminationGracePeriodSeconds")
    if hooks:
        return finding("terminating-hook", case, asked, place, names=", ".join(hooks), **fields)
    return finding("terminating", case, asked, place, **fields)


def _silent(case: Case) -> bool:
    node = str(case.spec.get("nodeName") or "")
    if case.nodes is None or not node:
        return False
    conditions = ((case.nodes.get(node) or {}).get("status") or {}).get("conditions") or ()
    return not any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


_DISRUPTIONS = {
    "DeletionByTaintManager": "taint-evicted",
    "PreemptionByScheduler": "preempted",
    "EvictionByEvictionAPI": "evicted-api",
}
_DISRUPTED_BY = {"taint-evicted": "spec.tolerations", "preempted": "spec.priority", "evicted-api": "metadata"}


def _disruption(case: Case) -> Iterator[Finding]:
    target = case.condition("DisruptionTarget")
    id = _DISRUPTIONS.get(str(target.get("reason") or ""))
    if id is None:
        return
    message = str(target.get("message") or target["reason"])
    told = of_event(case.event("TaintManagerEviction", "Preempted"), of_status(message, "status.conditions"))
    yield finding(id, case, told, of_yaml(_DISRUPTED_BY[id]), message=message, node=case.spec.get("nodeName") or "")


def _over(case: Case) -> Iterator[Finding]:
    reason, message = str(case.status.get("reason") or ""), str(case.status.get("message") or "")
    told = of_status(f"{reason}: {message}".rstrip(": "), "status")
    if reason == "DeadlineExceeded":
        deadline = case.spec.get("activeDeadlineSeconds") or "?"
        event = of_event(case.event("DeadlineExceeded"), told)
        yield finding("deadline", case, event, of_yaml("spec.activeDeadlineSeconds"), deadline=deadline)
    elif reason == "Evicted":
        own = any(word in message for word in ("emptyDir", "ephemeral local storage", "ephemeral storage usage"))
        event = of_event(case.event("Evicted"), told)
        place = of_yaml("spec.volumes" if case.spec.get("volumes") and own else "spec.containers")
        id = "evicted-storage" if own else "evicted-node"
        yield finding(id, case, event, place, message=message, node=case.spec.get("nodeName") or "")


def _ignored_term(case: Case) -> Iterator[Finding]:
    """A run that ended with KILL when its time was up, without being out of memory."""
    for container in case.containers():
        end = container.ended
        asked = case.event("Killing", container=container.name, text="topping container")
        if end.get("exitCode") != 137 or end.get("reason") == "OOMKilled" or asked is None:
            continue
        command = of_yaml(f"{container.path}.{'command' if container.spec.spec.get('command') else 'image'}")
        yield finding("ignored-term", case, of_event(asked, command), command, container=container)
