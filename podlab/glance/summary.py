"""One pod at a glance: the facts of its head, the tone of its status, one sentence of what is happening. Pure.

`consumers` sends it live, `web` renders the same into the page, so that both say the same words.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from podlab.apis import pod_summary, pods, printers, scheme, times
from podlab.apis.types import Manifest
from podlab.glance import anatomy, sentences
from podlab.glance.sentences import Translate, gettext_noop, say
from podlab.glance.values import ContainerLane, PodFacts, ProbeLane, Row

DELETING = gettext_noop("Deletion was asked for: the containers are being stopped, at the latest with KILL.")
GONE = gettext_noop("This pod was deleted. What is shown here is its history.")
UNSCHEDULABLE = gettext_noop("No node takes the pod: {message}")
UNSCHEDULED = gettext_noop("The pod waits for the scheduler to choose a node.")
PREPARING = gettext_noop("{node} is preparing the containers.")
CRASH = gettext_noop(
    "{container} ends with exit code {code}; the kubelet waits {delay} before the next start (10 → 20 → 40 … 300 s)."
)
RESTARTING = gettext_noop("{container} ended with exit code {code} and is being started again.")
INIT = gettext_noop("Init container {container} ({done} of {all} done) has to finish before the others start.")
UNREADY = gettext_noop("The pod is running but not ready: {names} has not passed its readiness or startup probe.")
READY_ONE = gettext_noop("{container} is running and ready.")
READY_MANY = gettext_noop("All {count} containers are running and ready.")
SUCCEEDED = gettext_noop("Every container has ended with exit code 0; nothing will be started again.")
FAILED = gettext_noop("{container} ended with exit code {code} ({reason}); nothing will be started again.")
FAILED_POD = gettext_noop("The pod has failed: {detail}")
SOME_ENDED = gettext_noop("{names} has ended; the pod goes on with the rest.")

_FAILED = (
    "Err",
    "Error",
    "OOMKilled",
    "ExitCode",
    "Signal",
    "Failed",
    "Evicted",
    "Invalid",
    "CannotRun",
    "DeadlineExceeded",
)


def tone(status: str, ready: str) -> str:
    """running | done | waiting | failed | terminating | unknown: which colour, shape and pattern a status has."""
    if status == "Terminating":
        return "terminating"
    if status in {"Completed", "Succeeded"}:
        return "done"
    if status == "Unknown":
        return "unknown"
    if status == "Running":
        have, _, want = ready.partition("/")
        return "running" if have == want else "waiting"
    if "BackOff" not in status and any(word in status for word in _FAILED):
        return "failed"
    return "waiting"


def sentence(pod: Manifest, translate: Translate = str) -> str:
    """What is happening to the pod now. Does not depend on the time, so it is new only when the pod is."""
    status = pod.get("status") or {}
    if pod["metadata"].get("deletionTimestamp"):
        return translate(DELETING)
    phase = status.get("phase")
    if phase == "Succeeded":
        return translate(SUCCEEDED)
    if phase == "Failed":
        return _failed(pod, status, translate)
    if not (pod.get("spec") or {}).get("nodeName"):
        return _unscheduled(status, translate)
    return _trouble(pod, translate) or _progress(pod, translate)


def _failed(pod: Manifest, status: Manifest, translate: Translate) -> str:
    if status.get("reason") or status.get("message"):
        return say(translate, FAILED_POD, detail=status.get("message") or status.get("reason"))
    for container in anatomy.container_statuses(pod):
        ended = (container.get("state") or {}).get("terminated")
        if ended and ended.get("exitCode"):
            facts = {"code": ended["exitCode"], "reason": ended.get("reason") or "Error"}
            return say(translate, FAILED, container=container["name"], **facts)
    return say(translate, FAILED_POD, detail="Failed")


def _unscheduled(status: Manifest, translate: Translate) -> str:
    for condition in status.get("conditions") or ():
        if condition["type"] == "PodScheduled" and condition["status"] == "False":
            return say(translate, UNSCHEDULABLE, message=condition.get("message") or condition.get("reason") or "")
    return translate(UNSCHEDULED)


def _trouble(pod: Manifest, translate: Translate) -> str:
    for status in anatomy.container_statuses(pod):
        waiting = (status.get("state") or {}).get("waiting") or {}
        last = (status.get("lastState") or {}).get("terminated") or {}
        reason, name = waiting.get("reason") or "", status["name"]
        if reason == "CrashLoopBackOff":
            delay = sentences.seconds_text(anatomy.back_off(waiting.get("message") or "") or timedelta(seconds=10))
            return say(translate, CRASH, container=name, code=last.get("exitCode", "?"), delay=delay)
        if waiting and reason not in {"ContainerCreating", "PodInitializing", ""}:
            message = waiting.get("message") or ""
            return sentences.waiting(translate, container=name, reason=reason, message=message, delay=None)
    return ""


def _progress(pod: Manifest, translate: Translate) -> str:
    containers = anatomy.spec_containers(pod)
    by_name = {status["name"]: status for status in anatomy.container_statuses(pod)}
    init = [c for c in containers if c.sort == "init"]
    done = [
        c for c in init if ((by_name.get(c.name, {}).get("state") or {}).get("terminated") or {}).get("exitCode") == 0
    ]
    if len(done) < len(init):
        current = next(c for c in init if c not in done)
        return say(translate, INIT, container=current.name, done=len(done), all=len(init))
    main = [c for c in containers if c.sort in {"app", "sidecar"}]
    states = {c.name: by_name.get(c.name, {}).get("state") or {} for c in main}
    ended = [name for name, state in states.items() if "terminated" in state]
    if any("waiting" in state or not state for state in states.values()):
        return say(translate, PREPARING, node=pod["spec"]["nodeName"])
    if ended:
        state = states[ended[0]]["terminated"]
        if pod["spec"].get("restartPolicy", "Always") == "Always":
            return say(translate, RESTARTING, container=ended[0], code=state.get("exitCode"))
        return say(translate, SOME_ENDED, names=", ".join(ended))
    unready = [c.name for c in main if not by_name.get(c.name, {}).get("ready")]
    if unready:
        return say(translate, UNREADY, names=", ".join(unready))
    if len(main) == 1:
        return say(translate, READY_ONE, container=main[0].name)
    return say(translate, READY_MANY, count=len(main))


def lanes(pod: Manifest) -> list[ContainerLane]:
    """The timeline's container lanes in start order, each with its probes."""
    found: list[ContainerLane] = []
    for container in anatomy.spec_containers(pod):
        probes: list[ProbeLane] = [
            {
                "type": type,
                "failure_threshold": container.spec[field].get("failureThreshold") or 3,
                "success_threshold": container.spec[field].get("successThreshold") or 1,
                "period": container.spec[field].get("periodSeconds") or 10,
            }
            for type, field in anatomy.PROBE_FIELDS
            if container.spec.get(field)
        ]
        image = container.spec.get("image") or ""
        found.append({"name": container.name, "sort": container.sort, "image": image, "probes": probes})
    return found


def row(pod: Manifest, now: datetime) -> Row:
    """A line of the pod list: NAME READY STATUS RESTARTS AGE NODE IP, as kubectl prints them."""
    resource = scheme.by_key("pods")
    if resource is None:
        raise LookupError("the scheme has no pods")
    name, ready, status, restarts, age, ip, node, *_ = (str(cell) for cell in printers.row(resource, pod, now))
    meta, restarted = pod["metadata"], pod_summary.summarise(pod).last_restart
    return {
        "uid": meta["uid"],
        "name": name,
        "cells": [name, ready, status, restarts, age, node, ip],
        "tone": tone(status, ready),
        "created": anatomy.instant(times.parse(meta["creationTimestamp"])),
        "restarts_at": anatomy.instant(restarted) if restarted is not None else None,
        "deleting": bool(meta.get("deletionTimestamp")),
    }


def facts(pod: Manifest, now: datetime, *, gone: bool = False, translate: Translate = str) -> PodFacts:
    """Everything that the head of the pod page says."""
    line, meta = row(pod, now), pod["metadata"]
    status = pod.get("status") or {}
    _, ready, text, restarts, _, node, ip = line["cells"]
    return {
        "namespace": meta.get("namespace", ""),
        "name": meta["name"],
        "uid": meta["uid"],
        "ready": ready,
        "status": "Deleted" if gone else text,
        "tone": "unknown" if gone else line["tone"],
        "restarts": restarts.partition(" ")[0],
        "restarts_at": line["restarts_at"],
        "created": line["created"],
        "node": node,
        "ip": ip,
        "qos": status.get("qosClass") or pods.qos_class(pod),
        "sentence": translate(GONE) if gone else sentence(pod, translate),
        "deleting": line["deleting"],
        "gone": gone,
        "containers": lanes(pod),
    }
