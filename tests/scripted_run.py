"""A run of pods on Docker whose right end is known, whatever happens to the lab meanwhile: faults are made beside it.

`begin` creates the pods, `go_on` does the second half of the script, `problems` waits for the end and compares it.
"""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from types import TracebackType
from typing import Any

from tests.whole_lab import Lab, eventually

IMAGE = "busybox:1.36"
FOREVER = "trap 'exit 0' TERM; while true; do sleep 3600 & wait; done"
ONCE_IN_VAIN = "[ -f /v/x ] && exit 0; touch /v/x; sleep 1; exit 1"
END_SECONDS = 120

# name → (phase, restart counts by container, as the script must end)
EXPECTED: dict[str, tuple[str, dict[str, int]]] = {
    "steady": ("Running", {"main": 0}),
    "pair": ("Running", {"one": 0, "two": 0}),
    "after-init": ("Running", {"first": 0, "main": 0}),
    "done": ("Succeeded", {"main": 0}),
    "broken": ("Failed", {"main": 0}),
    "second-try": ("Succeeded", {"main": 1}),
    "late": ("Running", {"main": 0}),
}
DELETED = ("leaving", "forced")


def _pod(
    name: str, policy: str, *containers: tuple[str, str], init: tuple[tuple[str, str], ...] = ()
) -> dict[str, Any]:
    def made(one: tuple[str, str]) -> dict[str, Any]:
        mounts = [{"name": "v", "mountPath": "/v"}]
        return {"name": one[0], "image": IMAGE, "command": ["sh", "-c", one[1]], "volumeMounts": mounts}

    spec = {
        "restartPolicy": policy,
        "terminationGracePeriodSeconds": 3,
        "automountServiceAccountToken": False,
        "volumes": [{"name": "v", "emptyDir": {}}],
        "containers": [made(one) for one in containers],
        "initContainers": [made(one) for one in init],
    }
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}


class ScriptedRun:
    """Enter it before it begins: it listens to the engine from then on, which remembers its last few events only."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._starts = lab.data / "starts.jsonl"
        self._listener: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> ScriptedRun:
        lab = (self._lab.data / "lab-id").read_text().strip()
        wanted = ["--filter", "event=start", "--filter", f"label=podlab.dev/lab={lab}", "--format", "{{json .}}"]
        with self._starts.open("wb") as out:
            self._listener = subprocess.Popen(["docker", "events", *wanted], stdout=out)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._listener is not None
        self._listener.kill()
        self._listener.wait()

    def begin(self) -> None:
        self._create(_pod("steady", "Always", ("main", FOREVER)))
        self._create(_pod("pair", "Always", ("one", FOREVER), ("two", FOREVER)))
        self._create(_pod("after-init", "Always", ("main", FOREVER), init=(("first", "sleep 2"),)))
        self._create(_pod("done", "Never", ("main", "sleep 4")))
        self._create(_pod("broken", "Never", ("main", "sleep 2; exit 7")))
        self._create(_pod("second-try", "OnFailure", ("main", ONCE_IN_VAIN)))
        self._create(_pod("leaving", "Always", ("main", "trap 'sleep 1; exit 0' TERM; sleep 3600 & wait")))
        self._create(_pod("forced", "Always", ("main", FOREVER)))

    def go_on(self) -> None:
        """Two pods go, one of them by force; another one comes."""
        self._create(_pod("late", "Always", ("main", FOREVER)))
        self._ask("DELETE", "leaving")
        self._ask("DELETE", "forced?gracePeriodSeconds=0")

    def problems(self) -> list[str]:
        """What differs from the right end; [] = nothing."""
        try:
            eventually("the run has ended as it must", lambda: not self._differs(), END_SECONDS)
        except AssertionError:
            return self._differs()
        return self._started_twice()

    def _create(self, pod: dict[str, Any]) -> None:
        """The door may be shut for a moment, and an answer may be lost after the pod was made."""
        path = "/api/v1/namespaces/default/pods"
        name = pod["metadata"]["name"]
        eventually(f"{name} is created", lambda: self._try("POST", path, pod) in (201, 409), 60)

    def _ask(self, method: str, rest: str) -> None:
        path = f"/api/v1/namespaces/default/pods/{rest}"
        eventually(f"{method} {rest}", lambda: self._try(method, path) in (200, 202, 404), 60)

    def _try(self, method: str, path: str, body: Any = None) -> int:
        try:
            return self._lab.api(method, path, body)[0]
        except OSError:
            return 0

    def _differs(self) -> list[str]:
        found = []
        for name, (phase, restarts) in EXPECTED.items():
            status = (self._lab.pod(name) or {}).get("status", {})
            told = [one for part in ("initContainerStatuses", "containerStatuses") for one in status.get(part) or []]
            counts = {one["name"]: one["restartCount"] for one in told}
            ready = all(one["ready"] for one in status.get("containerStatuses") or [])
            if (status.get("phase"), counts) != (phase, restarts) or (phase == "Running" and not ready):
                found.append(f"{name}: {status.get('phase')} {counts}, not {phase} {restarts}")
        found += [f"{name} is still there" for name in DELETED if self._lab.pod(name) is not None]
        return found + [
            f"orphan {one}" for one in self._lab.containers() if any(f"_{name}_" in one for name in DELETED)
        ]

    def _started_twice(self) -> list[str]:
        """A container's name says pod and attempt: the engine must have started each once."""
        lines = self._starts.read_text().splitlines()
        starts = Counter(json.loads(line)["Actor"]["Attributes"]["name"] for line in lines)
        wrong = [f"{name} was started {count} times" for name, count in starts.items() if count != 1]
        for name, (_, restarts) in EXPECTED.items():
            for container, count in restarts.items():
                found = sum(f"_k8s_{container}_{name}_default_" in one for one in starts)
                if found != count + 1:
                    wrong.append(f"{name}/{container} ran {found} times, not {count + 1}")
        return wrong
