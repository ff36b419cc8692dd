"""Pods on Docker: start beside the bare engine, death until the browser knows, an idle lab's cost."""

from __future__ import annotations

import json
import platform
import statistics
import subprocess
import threading
import time
import urllib.request
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any

import docker
from websockets.sync.client import ClientConnection, connect

from bench.figures import Figure, cpu_seconds, milliseconds, resident_megabytes
from podlab.runtime.docker import pause
from tests.whole_lab import Lab, eventually

ROUNDS = 10
DEATHS = 20
IDLE_SECONDS = 60
IMAGE = "busybox:1.36"


def measure(folder: Path) -> list[Figure]:
    lab = Lab(folder / "data", "docker")
    lab.start()
    first = lab.seconds_to_ready
    lab.stop()
    lab.start()
    try:
        figures = [
            Figure("make up, first start (built)", f"{first:.1f} s"),
            Figure("make up, second start", f"{lab.seconds_to_ready:.1f} s", "< 5 s"),
            *_idle(lab),
            *_starts(lab, 1, "≤ 1.3"),
            *_starts(lab, 3, "≤ 1.2"),
            *_deaths(lab),
        ]
    finally:
        lab.kubectl("delete", "pods", "--all", "--force", "--grace-period=0", check=False)
        lab.stop()
    return figures


def _idle(lab: Lab) -> list[Figure]:
    time.sleep(5)
    pids = {path.stem: int(path.read_text()) for path in sorted((lab.data / "pids").glob("*.pid"))}
    before = sum(cpu_seconds(pid) for pid in pids.values())
    time.sleep(IDLE_SECONDS)
    used = sum(cpu_seconds(pid) for pid in pids.values()) - before
    sizes = {role: resident_megabytes(pid) for role, pid in pids.items()}
    detail = ", ".join(f"{role} {size:.0f}" for role, size in sizes.items())
    return [
        Figure("idle lab, CPU of all processes", f"{used / IDLE_SECONDS * 100:.1f} % of a core", "< 3 %"),
        Figure("idle lab, memory of all processes (PSS)", f"{sum(sizes.values()):.0f} MB ({detail})", "< 400 MB"),
    ]


def _manifest(name: str, command: list[str], containers: int = 1) -> dict[str, Any]:
    every = [{"name": f"app-{number}", "image": IMAGE, "command": command} for number in range(containers)]
    spec = {"containers": every, "terminationGracePeriodSeconds": 0, "restartPolicy": "Never"}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}


def _starts(lab: Lab, containers: int, aim: str) -> list[Figure]:
    """Floor and pod take turns, so that a busy moment of the machine hits both."""
    floors, pods = [], []
    for number in range(ROUNDS):
        floors.append(_floor(number, containers))
        pods.append(_start_pod(lab, f"start-{containers}-{number}", containers))
    floor, pod = statistics.median(floors), statistics.median(pods)
    what = "container" if containers == 1 else f"{containers} containers"
    least = f"{min(pods) / min(floors):.2f}"
    return [
        Figure(f"Docker floor: pause + {what}, same SDK and network", milliseconds(floors)),
        Figure(f"POST → Ready, {what}", milliseconds(pods)),
        Figure(f"ratio of the medians, {what}", f"{pod / floor:.2f} (of the least ones {least})", aim),
    ]


def _floor(number: int, containers: int) -> float:
    client = docker.APIClient(version="auto")
    sandbox_image = f"{pause.REPOSITORY}:{pause.tag(platform.machine())}"  # the lab that runs beside has made it
    begin = time.perf_counter()
    sandbox = client.create_container(
        sandbox_image, name=f"podlab-floor-pause-{number}", host_config=client.create_host_config(ipc_mode="shareable")
    )["Id"]
    client.start(sandbox)
    shared = client.create_host_config(network_mode=f"container:{sandbox}", ipc_mode=f"container:{sandbox}")
    started = []
    for one in range(containers):
        made = client.create_container(
            IMAGE, ["sleep", "3600"], name=f"podlab-floor-{number}-{one}", host_config=shared
        )
        client.start(made["Id"])
        started.append(made["Id"])
    seconds = time.perf_counter() - begin
    for each in (*started, sandbox):
        client.remove_container(each, force=True)
    client.close()
    return seconds


def _start_pod(lab: Lab, name: str, containers: int) -> float:
    """Ready is read from a watch, so that no polling interval is in the figure."""
    ready = threading.Event()
    at = [0.0]
    listening = threading.Event()

    def watch() -> None:
        command = ["kubectl", "--kubeconfig", str(lab.kubeconfig), "get", "pods", "-w", "-o", "json"]
        query = f"/api/v1/namespaces/default/pods?watch=true&fieldSelector=metadata.name%3D{name}"
        command = [*command[:3], "get", "--raw", query]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        listening.set()
        assert process.stdout is not None
        for line in process.stdout:
            conditions = json.loads(line)["object"].get("status", {}).get("conditions", [])
            if any(c["type"] == "Ready" and c["status"] == "True" for c in conditions):
                at[0] = time.perf_counter()
                ready.set()
                break
        process.kill()
        process.wait()

    thread = threading.Thread(target=watch)
    thread.start()
    listening.wait()
    time.sleep(0.5)
    begin = time.perf_counter()
    code, answer = lab.api("POST", "/api/v1/namespaces/default/pods", _manifest(name, ["sleep", "3600"], containers))
    assert code == 201, answer
    assert ready.wait(60), f"{name} is not Ready"
    thread.join()
    lab.api("DELETE", f"/api/v1/namespaces/default/pods/{name}?gracePeriodSeconds=0")
    eventually("its containers are gone", lambda: not [n for n in lab.containers() if f"_{name}_" in n], 30)
    return at[0] - begin


def _socket(lab: Lab) -> ClientConnection:
    """A websocket of a logged-in browser."""
    cookies = CookieJar()
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(cookies))
    opener.open(lab.login_link(), timeout=20).read()
    header = "; ".join(f"{cookie.name}={cookie.value}" for cookie in cookies)
    return connect(
        f"ws://127.0.0.1:{lab.port}/ws/c/main/",
        additional_headers={"Cookie": header},
        origin=f"http://127.0.0.1:{lab.port}",  # type: ignore[arg-type]
    )


def _deaths(lab: Lab) -> list[Figure]:
    """From the engine's own time of the die event to the message on a browser's websocket."""
    delays = []
    with _socket(lab) as browser:
        for number in range(DEATHS):
            name = f"death-{number}"
            lab.api("POST", "/api/v1/namespaces/default/pods", _manifest(name, ["sh", "-c", "sleep 1.2; exit 3"]))
            browser.send(json.dumps({"type": "open-pod", "sub": name, "namespace": "default", "name": name}))
            arrived = _wait_for_end(browser, name)
            delays.append(arrived - _died_at(lab, name))
            browser.send(json.dumps({"type": "close", "sub": name}))
            lab.api("DELETE", f"/api/v1/namespaces/default/pods/{name}?gracePeriodSeconds=0")
    return [Figure("Docker die event → websocket message", milliseconds(delays))]


def _wait_for_end(browser: ClientConnection, name: str) -> float:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        message = json.loads(browser.recv(timeout=30))
        if message.get("sub") != name or message["type"] != "marks":
            continue
        for mark in message["marks"]:
            if mark["kind"] == "span" and mark["exit_code"] == 3:
                return time.time()
    raise AssertionError(f"the end of {name} never reached the browser")


def _died_at(lab: Lab, name: str) -> float:
    found = next(container for container in lab.containers() if f"_{name}_" in container and "POD" not in container)
    client = docker.APIClient(version="auto")
    now = int(time.time())
    seen = client.events(since=now - 60, until=now + 1, filters={"container": found, "event": "die"}, decode=True)
    at = [event["timeNano"] for event in seen]
    client.close()
    return float(at[-1]) / 1e9
