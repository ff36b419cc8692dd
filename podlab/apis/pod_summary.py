"""A pod in one line: the words of kubectl's READY, STATUS and RESTARTS columns.

The rules are those of printPod in pkg/printers/internalversion/printers.go, in its order. printers.py makes cells of
the result; the pages show it as it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from podlab.apis import pods, reasons, times
from podlab.apis.types import Manifest


@dataclass(frozen=True, slots=True)
class Summary:
    status: str
    ready: int
    total: int
    restarts: int
    last_restart: datetime | None
    readiness_gates: str  # "1/2", "" without gates


@dataclass(slots=True)
class _Restarts:
    count: int = 0
    last: datetime | None = None

    def add(self, container: Manifest) -> None:
        self.count += container.get("restartCount", 0)
        finished = ((container.get("lastState") or {}).get("terminated") or {}).get("finishedAt")
        if finished:
            moment = times.parse(finished)
            self.last = moment if self.last is None or moment > self.last else self.last


def summarise(pod: Manifest) -> Summary:
    spec, status = pod.get("spec") or {}, pod.get("status") or {}
    sidecars = {item["name"] for item in spec.get("initContainers") or [] if item.get("restartPolicy") == "Always"}
    init_restarts, restarts = _Restarts(), _Restarts()
    ready = 0
    init_reason = ""
    init_total = len(spec.get("initContainers") or [])
    for index, item in enumerate(status.get("initContainerStatuses") or []):
        sidecar = item.get("name") in sidecars
        init_restarts.add(item)
        if sidecar:
            restarts.add(item)
            ready += bool(item.get("started") and item.get("ready") and not _exited_well(item))
        init_reason = _init_reason(item, sidecar=sidecar, place=f"{index}/{init_total}")
        if init_reason:
            break
    reason = init_reason or _pod_reason(status)
    if init_reason and not _is_true(status, "Initialized"):
        restarts = init_restarts
    else:
        reason, more = _app_reason(status, reason, restarts)
        ready += more
    total = len(spec.get("containers") or []) + len(sidecars)
    return Summary(_deleted(pod, reason), ready, total, restarts.count, restarts.last, _gates(spec, status))


def _pod_reason(status: Manifest) -> str:
    scheduled = pods.get_condition(status.get("conditions"), "PodScheduled")
    if scheduled and scheduled.get("reason") == reasons.SCHEDULING_GATED:
        return reasons.SCHEDULING_GATED
    return str(status.get("reason") or status.get("phase") or "")


def _exited_well(item: Manifest) -> bool:
    terminated = (item.get("state") or {}).get("terminated")
    return terminated is not None and terminated.get("exitCode", 0) == 0


def _init_reason(item: Manifest, *, sidecar: bool, place: str) -> str:
    """Why this init container holds the pod up; "" when it does not."""
    state = item.get("state") or {}
    if _exited_well(item) or (sidecar and item.get("started")):
        return ""
    if state.get("terminated") is not None:
        return f"Init:{_terminated(state['terminated'])}"
    waiting = (state.get("waiting") or {}).get("reason")
    if waiting and waiting != reasons.POD_INITIALIZING:
        return f"Init:{waiting}"
    return f"Init:{place}"


def _terminated(state: Manifest) -> str:
    if state.get("reason"):
        return str(state["reason"])
    return f"Signal:{state['signal']}" if state.get("signal") else f"ExitCode:{state.get('exitCode', 0)}"


def _app_reason(status: Manifest, reason: str, restarts: _Restarts) -> tuple[str, int]:
    """From last to first, so that the first container that has something to say wins."""
    ready, failed = 0, ""
    for item in reversed(status.get("containerStatuses") or []):
        restarts.add(item)
        state = item.get("state") or {}
        waiting = (state.get("waiting") or {}).get("reason")
        if waiting:
            reason = waiting
        elif state.get("terminated") is not None:
            reason = _terminated(state["terminated"])
            failed = reason if state["terminated"].get("exitCode") else failed
        elif item.get("ready") and state.get("running") is not None:
            ready += 1
    if reason == reasons.COMPLETED:
        if ready and _is_true(status, "Ready"):
            reason = "Running"
        elif failed or ready:
            reason = failed or "NotReady"
    return reason, ready


def _is_true(status: Manifest, condition: str) -> bool:
    found = pods.get_condition(status.get("conditions"), condition)
    return found is not None and found.get("status") == "True"


def _deleted(pod: Manifest, reason: str) -> str:
    if not (pod.get("metadata") or {}).get("deletionTimestamp"):
        return reason
    if (pod.get("status") or {}).get("reason") == reasons.NODE_LOST:
        return "Unknown"
    return reason if pods.is_terminal(pod) else "Terminating"


def _gates(spec: Manifest, status: Manifest) -> str:
    gates = spec.get("readinessGates") or []
    met = sum(_is_true(status, gate.get("conditionType", "")) for gate in gates)
    return f"{met}/{len(gates)}" if gates else ""
