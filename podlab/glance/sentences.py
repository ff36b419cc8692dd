"""The sentences of the story. Pure: `timeline.story` and `summary` ask here and pass the language in as a function.

Every text is a template with named fields, so that a translation may turn them round.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

Translate = Callable[[str], str]


def gettext_noop(text: str) -> str:
    """Marks a text for makemessages; the translation happens in `say`."""
    return text


def say(translate: Translate, template: str, **fields: object) -> str:
    return translate(template).format(**fields)


def seconds_text(span: timedelta) -> str:
    """A length of time as people read it on a timeline: 0.35 s, 2.0 s, 48 s, 3 m 20 s, 2 h 5 m."""
    seconds = max(span.total_seconds(), 0.0)
    if seconds < 1:
        return f"{seconds:.2f} s"
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    minutes = int(seconds // 60)
    if minutes < 60:
        return f"{minutes} m {int(seconds % 60)} s"
    return f"{minutes // 60} h {minutes % 60} m"


def latency_text(milliseconds: float) -> str:
    """How long an answer took: 0.4 ms, 12 ms, 1.5 s."""
    if milliseconds < 1:
        return f"{milliseconds:.1f} ms"
    return f"{milliseconds:.0f} ms" if milliseconds < 1000 else seconds_text(timedelta(milliseconds=milliseconds))


def bytes_text(count: int) -> str:
    """How much data: 512 B, 4 kB, 12.3 MB."""
    if count < 1000:
        return f"{count} B"
    return f"{count / 1000:.0f} kB" if count < 1_000_000 else f"{count / 1_000_000:.1f} MB"


PHASES = {
    "Pending": gettext_noop("The pod is accepted; not all of its containers have been started yet."),
    "Running": gettext_noop("The pod is on a node and at least one container is running or being restarted."),
    "Succeeded": gettext_noop("Every container has ended with exit code 0 and none will be started again."),
    "Failed": gettext_noop(
        "Every container has ended, at least one of them with an error, and none will be started again."
    ),
    "Unknown": gettext_noop("The node does not say how the pod is doing."),
}

CONDITIONS = {
    "PodScheduled": gettext_noop("The scheduler has chosen a node for the pod."),
    "PodReadyToStartContainers": gettext_noop("The pod's sandbox stands and has its network."),
    "Initialized": gettext_noop("All init containers are done."),
    "ContainersReady": gettext_noop("All containers of the pod are ready."),
    "Ready": gettext_noop("The pod can serve: it takes part in the endpoints of its Services."),
}
BEGUN = gettext_noop(
    "It was just created. Next the scheduler chooses a node, and the kubelet there makes the sandbox and starts the containers."
)
UNMET = {
    "PodScheduled": gettext_noop("No node has been chosen for the pod."),
    "PodReadyToStartContainers": gettext_noop(
        "The pod has no sandbox: without one it has no network, and no container can start."
    ),
    "Initialized": gettext_noop("Not all init containers are done."),
    "ContainersReady": gettext_noop("Not all containers of the pod are ready."),
    "Ready": gettext_noop("The pod cannot serve: its Services send it no requests."),
}
UNMET_DETAIL = gettext_noop("{sentence} Kubernetes says: {detail}")
CONDITION_FALSE = gettext_noop("{type} is {status}: {detail}")
CONDITION_FALSE_BARE = gettext_noop("{type} is {status}.")

WAITING = {
    "ContainerCreating": gettext_noop("{container} is not started yet: the node is preparing the pod."),
    "PodInitializing": gettext_noop("{container} waits until the init containers are done."),
    "CrashLoopBackOff": gettext_noop("{container} keeps ending; the kubelet waits {delay} before it starts it again."),
    "ImagePullBackOff": gettext_noop(
        "The image of {container} could not be pulled; the kubelet waits before it tries again."
    ),
    "ErrImagePull": gettext_noop("Pulling the image of {container} failed."),
    "ErrImageNeverPull": gettext_noop("The image of {container} is not on the node, and its pull policy is Never."),
    "InvalidImageName": gettext_noop("The image name of {container} cannot be read."),
    "CreateContainerConfigError": gettext_noop(
        "{container} cannot be made because something that it refers to is missing or wrong."
    ),
    "CreateContainerError": gettext_noop("The runtime could not make {container}."),
    "RunContainerError": gettext_noop("The runtime could not start {container}."),
}
WAITING_OTHER = gettext_noop("{container} is waiting: {reason}.")
DETAIL = gettext_noop("{sentence} {detail}")

PULLING = gettext_noop(
    "The image {image} of {container} is being pulled: {done} of {layers} layers, {current} of {total}."
)
PULLING_BARE = gettext_noop("The image {image} of {container} is being pulled.")
PULLED = gettext_noop("The image {image} of {container} was pulled in {took}.")
PULL_FAILED = gettext_noop("Pulling the image {image} of {container} failed after {took}: {error}")

RUNNING_FIRST = gettext_noop("{container} is running.")
RUNNING_AGAIN = gettext_noop("{container} is running after restart {attempt}.")
ENDED_OK = gettext_noop("{container} ended by itself with exit code 0 after {ran}.")
ENDED_ERROR = gettext_noop("{container} ended with exit code {code} ({reason}) after {ran}.")
ENDED_OOM = gettext_noop(
    "{container} used more memory than its limit and was killed after {ran} (OOMKilled, exit code {code})."
)
ENDED_KILLED = gettext_noop("{container} was killed with KILL after {ran} (exit code 137).")
ENDED_TERM = gettext_noop("{container} was stopped with TERM after {ran} (exit code 143).")
ENDED_LOST = gettext_noop("Nobody knows how {container} ended: it was gone when the kubelet looked for it.")

PROBE_TYPES = {
    "startup": gettext_noop("Startup probe"),
    "liveness": gettext_noop("Liveness probe"),
    "readiness": gettext_noop("Readiness probe"),
}
PROBE_OK = gettext_noop("{probe} of {container} succeeded in {latency} ({run} of {threshold} in a row).")
PROBE_STILL_OK = gettext_noop("{probe} of {container} succeeded in {latency}.")
PROBE_FAILED = gettext_noop("{probe} of {container} failed after {latency} ({run} of {threshold} in a row).")
PROBE_ERROR = gettext_noop("{probe} of {container} could not be carried out; this does not count.")
PROBE_WARNING = gettext_noop("{probe} of {container} was redirected to another host; that counts as success.")
CAUSED = {
    "restart": gettext_noop("The threshold is reached: the kubelet kills {container}."),
    "ready": gettext_noop("The threshold is reached: {container} is ready from here on."),
    "unready": gettext_noop("The threshold is reached: {container} is no longer ready."),
    "started": gettext_noop("The threshold is reached: {container} counts as started, and its other probes begin."),
}
CAUSED_SHORT = {
    "restart": gettext_noop("{run} of {threshold} → killed"),
    "ready": gettext_noop("{run} of {threshold} → ready"),
    "unready": gettext_noop("{run} of {threshold} → not ready"),
    "started": gettext_noop("{run} of {threshold} → started"),
}

# What a probing that reached no threshold leads to, by probe and outcome.
COUNTS = {
    ("startup", "failure"): gettext_noop("After {threshold} failures in a row the kubelet kills {container}."),
    ("liveness", "failure"): gettext_noop("After {threshold} failures in a row the kubelet kills {container}."),
    ("readiness", "failure"): gettext_noop("After {threshold} failures in a row {container} counts as not ready."),
    ("readiness", "success"): gettext_noop("After {threshold} successes in a row {container} counts as ready."),
}
STAYS_UNREADY = gettext_noop("{container} stays not ready until the probe succeeds.")

EVENT = gettext_noop("{type} {reason} from {source}: {message}")
EVENT_AGAIN = gettext_noop("{type} {reason} from {source}, seen {count} times: {message}")

ENDPOINT = gettext_noop("Service {service} sends requests to the pod.")
ENDPOINT_UNREADY = gettext_noop("Service {service} sends no requests to the pod: its endpoint is not ready.")
ENDPOINT_LEFT = gettext_noop("Service {service} sends no requests to the pod: it is no longer among its endpoints.")

DELETING = gettext_noop("Deletion was asked for: the containers get TERM and have {grace} before KILL.")
DELETING_HOOK = gettext_noop(
    "Deletion was asked for: preStop hooks run first, then TERM; after {grace} in all comes KILL."
)
DELETING_NOW = gettext_noop("The pod was deleted without a grace period.")
DELETED = gettext_noop("The pod is gone.")
DELETED_AFTER = gettext_noop("The pod is gone, {ran} after its deletion was asked for.")
DELETING_SHORT = gettext_noop("TERM → KILL")
DELETING_SHORT_HOOK = gettext_noop("preStop → TERM → KILL")
STOPPING = gettext_noop("{container} is being stopped: TERM first, KILL after {grace} at the latest.")
STOPPING_HOOK = gettext_noop(
    "{container} is being stopped: its preStop hook runs first, then comes TERM, and KILL after {grace} in all."
)


def waiting(translate: Translate, *, container: str, reason: str, message: str, delay: timedelta | None) -> str:
    if reason == "CrashLoopBackOff" and delay is not None:
        return say(translate, WAITING[reason], container=container, delay=seconds_text(delay))
    template = WAITING.get(reason) if reason != "CrashLoopBackOff" else None
    sentence = say(translate, template or WAITING_OTHER, container=container, reason=reason or "Waiting")
    return say(translate, DETAIL, sentence=sentence, detail=message) if message else sentence


def ended(translate: Translate, *, container: str, code: int | None, reason: str, ran: timedelta) -> str:
    if reason == "ContainerStatusUnknown":
        return say(translate, ENDED_LOST, container=container)
    by_code = {0: ENDED_OK, 137: ENDED_KILLED, 143: ENDED_TERM}
    template = ENDED_OOM if reason == "OOMKilled" else by_code.get(code if code is not None else -1, ENDED_ERROR)
    return say(translate, template, container=container, code=code, reason=reason or "Error", ran=seconds_text(ran))


def condition(translate: Translate, *, type: str, status: str, reason: str, message: str) -> str:
    if status == "True" and type in CONDITIONS:
        return translate(CONDITIONS[type])
    detail = message or reason
    if status == "False" and type in UNMET:
        sentence = translate(UNMET[type])
        return say(translate, UNMET_DETAIL, sentence=sentence, detail=detail) if detail else sentence
    template = CONDITION_FALSE if detail else CONDITION_FALSE_BARE
    return say(translate, template, type=type, status=status, detail=detail)
