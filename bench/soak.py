"""A soak: many pods on Docker with a probe every second, for minutes: are probes missed, does anything grow, what does it cost?"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from bench import in_lab
from bench.figures import Figure, cpu_seconds, percentile, resident_megabytes
from tests.whole_lab import Lab, eventually

PODS = 30
SECONDS = int(os.environ.get("PODLAB_SOAK_SECONDS", "600"))
SETTLE = 20
LATE = 1.5  # periods; the period is a second
FORGOTTEN = 5  # files and threads more at the end than at the start that are no leak: pools fill up
IMAGE = "busybox:1.36"
SERVER = ["sh", "-c", "mkdir -p /w && echo ok > /w/index.html && exec httpd -f -p 8080 -h /w"]
PROBES: tuple[dict[str, Any], ...] = (
    {"exec": {"command": ["cat", "/w/index.html"]}},
    {"httpGet": {"path": "/", "port": 8080}},
    {"tcpSocket": {"port": 8080}},
)


def measure(folder: Path) -> list[Figure]:
    lab = Lab(folder / "data", "docker")
    lab.start()
    try:
        for number in range(PODS):
            code, answer = lab.api("POST", "/api/v1/namespaces/default/pods", _pod(number))
            assert code == 201, answer
        eventually("all pods are ready", lambda: _ready(lab) == PODS, 300)
        return _soak(lab)
    finally:
        lab.kubectl("delete", "pods", "--all", "--force", "--grace-period=0", check=False)
        eventually("its containers are gone", lambda: not lab.containers(), 120)
        lab.stop()


def _pod(number: int) -> dict[str, Any]:
    """A third of them is probed by exec, a third by HTTP, a third by TCP."""
    probe = {**PROBES[number % len(PROBES)], "periodSeconds": 1, "failureThreshold": 3}
    container = {"name": "app", "image": IMAGE, "command": SERVER, "readinessProbe": probe}
    spec = {"containers": [container], "terminationGracePeriodSeconds": 0, "automountServiceAccountToken": False}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": f"soak-{number:02}"}, "spec": spec}


def _ready(lab: Lab) -> int:
    _, answer = lab.api("GET", "/api/v1/namespaces/default/pods")
    return sum(
        any(one["type"] == "Ready" and one["status"] == "True" for one in pod.get("status", {}).get("conditions", []))
        for pod in answer["items"]
    )


def _soak(lab: Lab) -> list[Figure]:
    time.sleep(SETTLE)
    pid = lab.pid("node")
    begin, cpu, load = time.time(), cpu_seconds(pid), [os.getloadavg()[0]]
    first = _held(pid)
    while time.time() < begin + SECONDS:
        time.sleep(min(10.0, max(0.1, begin + SECONDS - time.time())))
        load.append(os.getloadavg()[0])
    used = (cpu_seconds(pid) - cpu) / (time.time() - begin)
    last = _held(pid)
    assert lab.pid("node") == pid, "the node worker was replaced meanwhile"
    gaps: list[float] = in_lab.run(lab, "probe_gaps", int(begin))
    late = sum(gap > LATE for gap in gaps)
    grown = ", ".join(f"{name} {first[name]:.0f} → {last[name]:.0f}" for name in first)
    leaks = [name for name in ("threads", "files") if last[name] - first[name] > FORGOTTEN]
    what = f"soak, {PODS} pods with a probe a second, {SECONDS} s"
    return [
        Figure(f"{what}: time between two probes", f"p50 {percentile(gaps, 0.5):.3f} s, most {max(gaps):.3f} s"),
        Figure("probes later than 1.5 periods", f"{late} of {len(gaps)}", "0"),
        Figure("node worker, CPU", f"{used * 100:.1f} % of a core", "< 25 %"),
        Figure(
            "node worker, start → end", f"{grown} MB" + (f"; LEAK of {', '.join(leaks)}" if leaks else ""), "no leak"
        ),
        Figure(
            "pods ready at the end; load of the machine",
            f"{_ready(lab)}; {min(load):.1f} to {max(load):.1f}",
            f"{PODS}",
        ),
    ]


def _held(pid: int) -> dict[str, float]:
    """Threads, open files (sockets among them), and memory in MB (PSS)."""
    proc = Path(f"/proc/{pid}")
    files = [os.readlink(one) for one in proc.glob("fd/*") if one.is_symlink()]
    return {
        "threads": len(list((proc / "task").iterdir())),
        "files": len(files),
        "sockets": sum(one.startswith("socket:") for one in files),
        "memory": resident_megabytes(pid),
    }
