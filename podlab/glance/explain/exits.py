"""Containers that end: what exit codes mean, memory, back-off, policies. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from podlab.apis import times
from podlab.glance import anatomy, sentences
from podlab.glance.explain.case import (
    Case,
    Container,
    Evidence,
    Finding,
    Situation,
    Try,
    finding,
    of_event,
    of_run,
    of_status,
    of_yaml,
)
from podlab.glance.sentences import gettext_noop

_PREVIOUS = ("logs", "{pod}", "-c", "{container}", "{previous}")
_LOGS = ("logs", "{pod}", "-c", "{container}", "--tail=50")
_READ_LAST = Try(gettext_noop("Read the last lines before the end."), _PREVIOUS)

SITUATIONS = (
    Situation(
        "oom-killed",
        gettext_noop("Out of memory"),
        gettext_noop("{container} used more memory than its limit {limit} and was killed by the kernel (exit code 137, OOMKilled)."),
        gettext_noop("A memory limit is hard: there is no warning and no TERM. Files in an emptyDir of medium Memory count too."),
        Try(gettext_noop("Look at what it uses."), ("top", "pod", "{pod}", "--containers")),
        (
            Try(gettext_noop("Raise the limit."), path="{path}.resources.limits"),
            Try(gettext_noop("Or tell the program its limit (heap size, cache size)."), path="{path}.env"),
        ),
    ),
    Situation(
        "exit-command-not-found",
        gettext_noop("The shell did not find the command (127)"),
        gettext_noop("{container} ended with exit code 127: a shell in it did not find a command."),
        gettext_noop("127 comes from the shell itself: a name is wrong, a tool is not in the image, or PATH is not what you think."),
        _READ_LAST,
        (Try(gettext_noop("Correct the script, or take an image that has the tool."), path="{path}.command"),),
    ),
    Situation(
        "exit-not-executable",
        gettext_noop("The shell may not run the file (126)"),
        gettext_noop("{container} ended with exit code 126: a file was found but could not be run."),
        gettext_noop("It has no x bit, its volume is mounted noexec, or it was built for another machine."),
        _READ_LAST,
        (Try(gettext_noop("Give it mode 0755 (defaultMode for config maps), or call the interpreter: sh FILE."), path="spec.volumes"),),
    ),
    Situation(
        "exit-usage",
        gettext_noop("Called in a wrong way (2)"),
        gettext_noop("{container} ended with exit code 2 right after its start."),
        gettext_noop("Most programs and shells say 2 when they do not understand their arguments or the script."),
        _READ_LAST,
        (Try(gettext_noop("Check command and args: one list item a word, no quotes inside."), path="{path}.args"),),
    ),
    Situation(
        "exit-segfault",
        gettext_noop("The program crashed (139)"),
        gettext_noop("{container} ended by signal 11, SIGSEGV: it touched memory that is not its own."),
        gettext_noop("128 + the number of the signal is the exit code. It is a fault of the program, or a library of another version."),
        _READ_LAST,
        (Try(gettext_noop("Try another version of the image."), path="{path}.image"),),
    ),
    Situation(
        "exit-abort",
        gettext_noop("The program gave up (134)"),
        gettext_noop("{container} ended by signal 6, SIGABRT: it ended itself after a failed check."),
        gettext_noop("Run-time systems do that when something cannot be (assertion, unhandled error, no memory for an allocation)."),
        _READ_LAST,
        (Try(gettext_noop("Read the assertion in the log, and look at the configuration that it names."), path="{path}.env"),),
    ),
    Situation(
        "exit-interrupted",
        gettext_noop("Stopped from outside ({code})"),
        gettext_noop("{container} ended by signal {signal}, not by the kubelet."),
        gettext_noop("128 + {signal} = {code}. Somebody sent the signal inside the pod, or the program sent it to itself."),
        _READ_LAST,
        (Try(gettext_noop("Look who may reach the process: exec, a sidecar with a shared process namespace."), ("get", "events")),),
    ),
    Situation(
        "exit-killed",
        gettext_noop("Killed (137)"),
        gettext_noop("{container} ended by KILL, and not because of its memory limit."),
        gettext_noop("KILL cannot be caught. Either it did not listen to TERM within its grace period, or somebody killed it on the node."),
        Try(gettext_noop("Look for Killing in the events."), ("describe", "pod", "{pod}")),
        (Try(gettext_noop("Let the program end on TERM; a shell as process 1 must trap it or exec the program."), path="{path}.command"),),
    ),
    Situation(
        "read-only",
        gettext_noop("It may not write there"),
        gettext_noop("{container} ends because it cannot write a file: {line}"),
        gettext_noop("readOnlyRootFilesystem or a read-only mount forbids it; only volumes are writable."),
        Try(gettext_noop("Read which path it is."), _PREVIOUS),
        (Try(gettext_noop("Mount an emptyDir at that path."), path="{path}.volumeMounts"),),
    ),
    Situation(
        "permission-denied",
        gettext_noop("It lacks the right"),
        gettext_noop("{container} ends because the system refuses it something: {line}"),
        gettext_noop("The user, group or capabilities in its securityContext do not allow what it tries."),
        Try(gettext_noop("Look as whom it runs."), ("get", "pod", "{pod}", "-o", "yaml")),
        (
            Try(gettext_noop("For files in volumes set fsGroup."), path="spec.securityContext"),
            Try(gettext_noop("For ports below 1024 add NET_BIND_SERVICE, or use a higher port."), path="{path}.securityContext"),
        ),
    ),
    Situation(
        "exit-error",
        gettext_noop("The program ends with an error"),
        gettext_noop("{container} ends by itself with exit code {code} after {ran}."),
        gettext_noop("What the code means is up to the program; its last lines tell more: {line}"),
        _READ_LAST,
        (
            Try(gettext_noop("Run it by hand in a copy of the pod."), ("debug", "{pod}", "-it", "--copy-to={pod}-look", "--container={container}", "--", "sh")),
            Try(gettext_noop("Check what it needs: variables, files, services that it calls."), path="{path}"),
        ),
    ),
    Situation(
        "ends-well-again-and-again",
        gettext_noop("Ends well and is started again"),
        gettext_noop("{container} ends with exit code 0, and the kubelet starts it again and again."),
        gettext_noop("restartPolicy Always means: whatever ends is started again, success too. A pod of this kind is meant to serve for ever."),
        _READ_LAST,
        (
            Try(gettext_noop("For work that has an end use restartPolicy OnFailure or Never, or a Job."), path="spec.restartPolicy"),
            Try(gettext_noop("For a server keep it in the foreground."), path="{path}.command"),
        ),
    ),
    Situation(
        "crash-loop",
        gettext_noop("Waiting before the next try"),
        gettext_noop("{container} has been started {starts} times; the kubelet waits {delay} before the next start{when}."),
        gettext_noop("The wait doubles with each end: 10, 20, 40 … up to 300 seconds; ten minutes of running set it back. CrashLoopBackOff is not the trouble, it is the wait."),
        Try(gettext_noop("Look at how it ended, above."), _PREVIOUS),
        (Try(gettext_noop("To try at once: delete the pod if something makes it anew, or create it again."), ("delete", "pod", "{pod}")),),
        level="waiting",
    ),
    Situation(
        "never-restarted",
        gettext_noop("Ended, and nothing starts it again"),
        gettext_noop("The pod has failed; its containers stay as they are."),
        gettext_noop("restartPolicy {policy} leaves it so, and a pod that is over is never started again: only a new pod takes its place."),
        Try(gettext_noop("Look at the states of the containers."), ("describe", "pod", "{pod}")),
        (Try(gettext_noop("Let a controller keep it: a Job tries again, a Deployment always has its number."), path="spec.restartPolicy"),),
        level="note",
    ),
    Situation(
        "completed",
        gettext_noop("The work is done"),
        gettext_noop("Every container ended with exit code 0."),
        gettext_noop("With restartPolicy {policy} that is the end of the pod; it stays until somebody deletes it, so that its logs can be read."),
        Try(gettext_noop("Read what it said."), ("logs", "{pod}", "--all-containers")),
        (Try(gettext_noop("Delete it when nobody needs the logs."), ("delete", "pod", "{pod}")),),
        level="note",
    ),
    Situation(
        "status-unknown",
        gettext_noop("Nobody saw how it ended"),
        gettext_noop("{container} was gone when the kubelet looked for it again (ContainerStatusUnknown)."),
        gettext_noop("The container was removed from outside, or the machine went down; 137 stands for not known."),
        Try(gettext_noop("Look at the node."), ("describe", "pod", "{pod}")),
        (Try(gettext_noop("Nothing is to be done if it runs again."), _LOGS),),
        level="note",
    ),
)  # fmt: skip

_BY_CODE = {
    126: "exit-not-executable",
    127: "exit-command-not-found",
    134: "exit-abort",
    139: "exit-segfault",
}
_START_ERRORS = {"StartError", "ContainerCannotRun"}
_SHORT = timedelta(seconds=5)
READ_ONLY = ("read-only file system",)
DENIED = ("permission denied", "operation not permitted")


def find(case: Case) -> Iterator[Finding]:
    if case.gone or case.deleting:
        return
    for container in case.containers():
        yield from _container(case, container)
    yield from _whole(case)


def _container(case: Case, container: Container) -> Iterator[Finding]:
    end = container.ended
    # A run that ended long before a healthy one is history, not trouble.
    settled = container.running is not None and bool(container.status.get("ready")) and container.restarts > 0
    if end and end.get("reason") not in _START_ERRORS and not (settled and _ran_long(case, container)):
        yield from _end(case, container)
    if container.waiting.get("reason") == "CrashLoopBackOff":
        yield _back_off(case, container)


def _ran_long(case: Case, container: Container) -> bool:
    began = (container.running or {}).get("startedAt")
    return bool(began) and case.now - times.parse(str(began)) > timedelta(minutes=10)


def _end(case: Case, container: Container) -> Iterator[Finding]:
    end, told = container.ended, of_run(container)
    code, reason = int(end.get("exitCode") or 0), str(end.get("reason") or "")
    command = of_yaml(f"{container.path}.{'command' if container.spec.spec.get('command') else 'image'}")
    if reason == "ContainerStatusUnknown":
        yield finding("status-unknown", case, told, told, container=container)
    elif reason == "OOMKilled":
        limit = ((container.spec.spec.get("resources") or {}).get("limits") or {}).get("memory") or "?"
        place = of_yaml(f"{container.path}.resources.limits")
        yield finding("oom-killed", case, told, place, container=container, limit=limit)
    elif code == 0:
        if container.restarts and container.spec.sort == "app" and case.spec.get("restartPolicy") == "Always":
            policy = of_yaml("spec.restartPolicy", "restartPolicy: Always")
            yield finding("ends-well-again-and-again", case, told, policy, container=container)
    elif not _killed_by_kubelet(case, container):
        yield from _error(case, container, code, told, command)


def _killed_by_kubelet(case: Case, container: Container) -> bool:
    """The kubelet ended that run itself (probe, deletion): told elsewhere."""
    killed = [one for one in case.probes if one.container == container.name and one.caused == "restart"]
    return any(one.attempt == container.last_attempt for one in killed)


def _error(case: Case, container: Container, code: int, told: Evidence, command: Evidence) -> Iterator[Finding]:
    line = _last_line(case, container)
    log = Evidence("log", line) if line else told
    lower = line.lower()
    if any(word in lower for word in READ_ONLY):
        yield finding("read-only", case, log, _security(container), container=container, line=line)
    elif any(word in lower for word in DENIED):
        yield finding("permission-denied", case, log, _security(container), container=container, line=line)
    elif code in _BY_CODE:
        yield finding(_BY_CODE[code], case, told, command, container=container)
    elif code == 137:
        yield finding("exit-killed", case, told, of_event(case.event("Killing", container=container.name), command), container=container)  # fmt: skip
    elif code in {129, 130, 143}:
        yield finding("exit-interrupted", case, told, command, container=container, code=code, signal=code - 128)
    elif code == 2 and _ran(container) < _SHORT:
        yield finding("exit-usage", case, told, command, container=container)
    else:
        ran = sentences.seconds_text(_ran(container))
        yield finding("exit-error", case, told, log, container=container, code=code, ran=ran, line=line or "–")


def _security(container: Container) -> Evidence:
    field = ".securityContext" if container.spec.spec.get("securityContext") else ""
    return of_yaml(f"{container.path}{field}")


def _last_line(case: Case, container: Container) -> str:
    """What it said last: its termination message, else the end of its log."""
    text = str(container.ended.get("message") or "") or case.logs.get(container.name, "")
    lines = [line for line in text.strip().splitlines() if line.strip()]
    told = next((line for line in reversed(lines) if any(w in line.lower() for w in (*READ_ONLY, *DENIED))), "")
    return (told or (lines[-1] if lines else ""))[:300]


def _ran(container: Container) -> timedelta:
    began, ended = container.ended.get("startedAt"), container.ended.get("finishedAt")
    return times.parse(ended) - times.parse(began) if began and ended else timedelta()


def _back_off(case: Case, container: Container) -> Finding:
    message = str(container.waiting.get("message") or "")
    delay = anatomy.back_off(message) or timedelta()
    finished = container.ended.get("finishedAt")
    until = times.parse(finished) + delay if finished else None
    told = of_event(case.event("BackOff", container=container.name), of_status(message))
    fields = {"starts": container.restarts + 1, "delay": sentences.seconds_text(delay), "when": _when(until)}
    return finding("crash-loop", case, told, of_run(container), container=container, **fields)


def _when(until: datetime | None) -> str:
    return f" ({until:%H:%M:%S} UTC)" if until is not None else ""


def _whole(case: Case) -> Iterator[Finding]:
    policy = str(case.spec.get("restartPolicy") or "Always")
    named = of_yaml("spec.restartPolicy", f"restartPolicy: {policy}")
    phase = case.status.get("phase")
    ran = any(container.ended_now for container in case.containers())
    if phase == "Succeeded":
        yield finding("completed", case, of_status("phase: Succeeded", "status.phase"), named, policy=policy)
    elif phase == "Failed" and ran and not case.status.get("reason"):
        yield finding("never-restarted", case, of_status("phase: Failed", "status.phase"), named, policy=policy)
