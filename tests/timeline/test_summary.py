"""One sentence for each situation, and the tone of a status."""

from __future__ import annotations

from typing import Any

import pytest
from pod_story import at, pod, stamp, terminated

from podlab.glance import summary

CREATING = {"waiting": {"reason": "ContainerCreating"}}
BACK_OFF = {
    "waiting": {"reason": "CrashLoopBackOff", "message": "back-off 1m20s restarting failed container=app pod=x"}
}
NO_NODE = "0/2 nodes are available: 2 Insufficient cpu."


def _init_pod() -> dict[str, Any]:
    made = pod(state={"waiting": {"reason": "PodInitializing"}})
    made["spec"]["initContainers"] = [{"name": "wait-db", "image": "i"}]
    made["status"]["initContainerStatuses"] = [{"name": "wait-db", "state": {"running": {}}}]
    return made


CASES = {
    "a pod that nobody has looked at": (pod(node=""), "The pod waits for the scheduler to choose a node."),
    "a pod that fits nowhere": (
        pod(node="", conditions=[("PodScheduled", "False", "Unschedulable", NO_NODE)]),
        f"No node takes the pod: {NO_NODE}",
    ),
    "containers being made": (pod(state=CREATING), "node-a is preparing the containers."),
    "an init container at work": (
        _init_pod(),
        "Init container wait-db (0 of 1 done) has to finish before the others start.",
    ),
    "running and ready": (pod(phase="Running", state={"running": {}}, ready=True), "app is running and ready."),
    "running, not ready": (
        pod(phase="Running", state={"running": {}}),
        "The pod is running but not ready: app has not passed its readiness or startup probe.",
    ),
    "a crash loop": (
        pod(phase="Running", state=BACK_OFF, last=terminated(3, 1, 2), restarts=4),
        "app ends with exit code 3; the kubelet waits 80 s before the next start (10 → 20 → 40 … 300 s).",
    ),
    "between two runs": (
        pod(phase="Running", state={"terminated": terminated(1, 1, 2)}),
        "app ended with exit code 1 and is being started again.",
    ),
    "an image that cannot be had": (
        pod(state={"waiting": {"reason": "ErrImageNeverPull", "message": "not present"}}),
        "The image of app is not on the node, and its pull policy is Never. not present",
    ),
    "done": (
        pod(phase="Succeeded", state={"terminated": terminated(0, 1, 2)}),
        "Every container has ended with exit code 0; nothing will be started again.",
    ),
    "failed": (
        pod(phase="Failed", state={"terminated": terminated(137, 1, 2, "OOMKilled")}),
        "app ended with exit code 137 (OOMKilled); nothing will be started again.",
    ),
    "being deleted": (
        pod(phase="Running", state={"running": {}}, deleted=40, grace=30),
        "Deletion was asked for: the containers are being stopped, at the latest with KILL.",
    ),
}


@pytest.mark.parametrize(("obj", "sentence"), CASES.values(), ids=CASES.keys())
def test_one_sentence_says_what_is_happening(obj: dict[str, Any], sentence: str) -> None:
    assert summary.sentence(obj) == sentence


@pytest.mark.parametrize(
    ("status", "ready", "tone"),
    [
        ("Running", "1/1", "running"),
        ("Running", "0/1", "waiting"),
        ("Completed", "0/1", "done"),
        ("CrashLoopBackOff", "0/1", "waiting"),
        ("ImagePullBackOff", "0/1", "waiting"),
        ("Init:ErrImagePull", "0/1", "failed"),
        ("OOMKilled", "0/1", "failed"),
        ("ExitCode:7", "0/1", "failed"),
        ("Terminating", "1/1", "terminating"),
        ("Unknown", "0/1", "unknown"),
        ("Pending", "0/1", "waiting"),
    ],
)
def test_the_tone_of_a_status(status: str, ready: str, tone: str) -> None:
    assert summary.tone(status, ready) == tone


def test_a_row_says_what_kubectl_says() -> None:
    made = pod(phase="Running", state={"running": {}}, ready=True, restarts=2, last=terminated(1, 50, 60))
    row = summary.row(made, at(180))
    assert row["cells"] == ["web", "1/1", "Running", "2 (2m ago)", "3m", "node-a", "<none>"]
    assert (row["restarts_at"], row["created"]) == (stamp(60).replace("Z", ".000Z"), stamp(0).replace("Z", ".000Z"))


def test_lanes_stand_in_start_order_with_their_probes() -> None:
    made = pod(container={"livenessProbe": {"exec": {}, "periodSeconds": 2}, "startupProbe": {"exec": {}}})
    made["spec"]["initContainers"] = [{"name": "one"}, {"name": "two", "restartPolicy": "Always"}]
    lanes = summary.lanes(made)
    assert [(lane["name"], lane["sort"]) for lane in lanes] == [("one", "init"), ("two", "sidecar"), ("app", "app")]
    assert [(probe["type"], probe["period"]) for probe in lanes[2]["probes"]] == [("startup", 10), ("liveness", 2)]
