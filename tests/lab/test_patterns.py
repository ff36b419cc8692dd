"""Every pattern of the gallery, on Docker and on the simulator: it comes to what its sentence promises.

All of them are created at once, each in a lab that both share; then each is asked for its essential states.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from podlab.web import patterns
from tests.whole_lab import Lab, eventually

pytestmark = [pytest.mark.lab, pytest.mark.timeout(300)]
PATIENCE = 120
REFUSED = {"privileged"}
Pod = dict[str, Any]


@pytest.fixture(scope="module", params=[pytest.param("docker", marks=pytest.mark.docker), "sim"])
def gallery(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A lab in which all patterns have been created."""
    lab = Lab(tmp_path_factory.mktemp("patterns") / "data", request.param)
    try:
        lab.start()
        made = [pattern.manifest for pattern in patterns.PATTERNS if pattern.id not in REFUSED]
        lab.kubectl("create", "-f", "-", stdin="\n---\n".join(made))
        yield lab
    finally:
        lab.kubectl("delete", "pods", "--all", "--force", "--grace-period=0", check=False)
        lab.stop()


def status(pod: Pod, name: str = "app") -> dict[str, Any]:
    all_of_them = [*(pod["status"].get("containerStatuses") or ()), *(pod["status"].get("initContainerStatuses") or ())]
    return next((one for one in all_of_them if one["name"] == name), {})


def running(pod: Pod, *names: str) -> bool:
    return all((status(pod, name).get("state") or {}).get("running") for name in names or ("app",))


def ready(pod: Pod) -> bool:
    return any(one["type"] == "Ready" and one["status"] == "True" for one in pod["status"].get("conditions") or ())


def waits_for(pod: Pod, *reasons: str) -> bool:
    return ((status(pod).get("state") or {}).get("waiting") or {}).get("reason") in reasons


def ended(pod: Pod, code: int, reason: str = "", name: str = "app") -> bool:
    """In this run or in the one before."""
    one = status(pod, name)
    ends = [(one.get(key) or {}).get("terminated") or {} for key in ("state", "lastState")]
    return any(end.get("exitCode") == code and (not reason or end.get("reason") == reason) for end in ends)


def phase(pod: Pod, wanted: str, reason: str = "") -> bool:
    return bool(pod["status"].get("phase") == wanted and (not reason or pod["status"].get("reason") == reason))


def qos(wanted: str) -> Callable[[Pod], bool]:
    return lambda pod: running(pod) and pod["status"].get("qosClass") == wanted


# What the pod comes to; the two that are about an end are deleted on the way.
STATES: dict[str, Callable[[Pod], Any]] = {
    "single": ready,
    "web": ready,
    "once": lambda pod: phase(pod, "Succeeded") and ended(pod, 0, "Completed"),
    "environment": running,
    "settings": running,
    "puller": lambda pod: ready(pod) and running(pod, "puller", "server"),
    "init-wait": lambda pod: running(pod, "database", "app") and ended(pod, 0, "Completed", "wait"),
    "sidecar": lambda pod: phase(pod, "Succeeded") and ended(pod, 0, name="shipper") and ended(pod, 0),
    "adapter": lambda pod: running(pod, "app", "adapter"),
    "ambassador": lambda pod: running(pod, "app", "ambassador"),
    "localhost": lambda pod: ready(pod) and running(pod, "server", "client"),
    "shared-memory": lambda pod: running(pod, "writer", "reader"),
    "missing-image": lambda pod: waits_for(pod, "ErrImagePull", "ImagePullBackOff"),
    "wrong-command": lambda pod: phase(pod, "Failed") and (ended(pod, 127) or ended(pod, 128)),
    "missing-config": lambda pod: waits_for(pod, "CreateContainerConfigError"),
    "non-root": lambda pod: waits_for(pod, "CreateContainerConfigError"),
    "unschedulable": lambda pod: phase(pod, "Pending") and pod["status"]["conditions"][0]["reason"] == "Unschedulable",
    "crash": lambda pod: waits_for(pod, "CrashLoopBackOff") and ended(pod, 1, "Error"),
    "oom": lambda pod: ended(pod, 137, "OOMKilled"),
    "liveness": lambda pod: status(pod).get("restartCount", 0) >= 1 and ended(pod, 137),
    "deadline": lambda pod: phase(pod, "Failed", "DeadlineExceeded"),
    "wrong-port": lambda pod: running(pod) and not ready(pod),
    "flapping": ready,
    "slow-start": lambda pod: ready(pod) and not status(pod)["restartCount"],
    "slow-stop": running,
    "pre-stop": running,
    "qos-guaranteed": qos("Guaranteed"),
    "qos-burstable": qos("Burstable"),
    "qos-besteffort": qos("BestEffort"),
    "static": running,
    "debug": running,
}
# What its logs say in the end, by container.
LOGS = {
    "single": ("app", "working"),
    "environment": ("app", "environment on node-"),
    "settings": ("app", "level debug"),
    "puller": ("puller", "pulled page 2"),
    "sidecar": ("shipper", "line 4"),
    "adapter": ("adapter", "requests_total "),
    "ambassador": ("app", "answer: 42"),
    "localhost": ("client", "server says hello"),
    "shared-memory": ("reader", "read 2"),
}
EVENTS = {
    "liveness": "Liveness probe failed",
    "wrong-port": "Readiness probe failed",
    "flapping": "Readiness probe failed",
    "crash": "Back-off restarting failed container",
    "unschedulable": "node(s) didn't match Pod's node affinity/selector",
    "missing-config": 'configmap "paint" not found',
    "non-root": "container has runAsNonRoot and image will run as root",
}


def pod_of(lab: Lab, name: str) -> Pod:
    return lab.pod(name) or {"status": {}}


@pytest.mark.parametrize("pattern", [one for one in patterns.PATTERNS if one.id not in REFUSED], ids=lambda one: one.id)
def test_a_pattern_comes_to_what_it_shows(gallery: Lab, pattern: patterns.Pattern) -> None:
    eventually(f"{pattern.id} is there", lambda: STATES[pattern.id](pod_of(gallery, pattern.id)), PATIENCE)
    if pattern.id in LOGS:
        container, words = LOGS[pattern.id]
        said = ("logs", pattern.id, "-c", container)
        eventually(f"{container} says {words}", lambda: words in gallery.kubectl(*said, check=False), 60)
    if pattern.id in EVENTS:
        told = ("get", "events", "--field-selector", f"involvedObject.name={pattern.id}")
        eventually(f"an event of {pattern.id}", lambda: EVENTS[pattern.id] in gallery.kubectl(*told), 60)


def test_the_privileged_one_is_refused_at_its_field(gallery: Lab) -> None:
    said = gallery.kubectl("create", "-f", "-", stdin=patterns.find("privileged").manifest, check=False)
    assert "spec.containers[0].securityContext: Invalid value" in said
    assert "cannot set `allowPrivilegeEscalation` to false and `privileged` to true" in said
    assert gallery.pod("privileged") is None


def test_flapping_readiness_goes_down_and_up_again_without_a_restart(gallery: Lab) -> None:
    for wanted in (False, True):
        eventually(f"ready is {wanted}", lambda wanted=wanted: ready(pod_of(gallery, "flapping")) is wanted, 60)
    assert status(pod_of(gallery, "flapping"))["restartCount"] == 0


def test_what_is_missing_heals_a_pod_that_waits_for_it(gallery: Lab) -> None:
    gallery.kubectl("create", "configmap", "paint", "--from-literal=colour=red")
    eventually("it runs", lambda: running(pod_of(gallery, "missing-config")), PATIENCE)


def test_an_ephemeral_container_looks_into_a_running_pod(gallery: Lab) -> None:
    patch = {"spec": {"ephemeralContainers": [
        {"name": "look", "image": "busybox:1.36", "command": ["sleep", "600"], "targetContainerName": "app"},
    ]}}  # fmt: skip
    path = "/api/v1/namespaces/default/pods/debug/ephemeralcontainers"
    code, _ = gallery.api("PATCH", path, json.dumps(patch).encode(), "application/strategic-merge-patch+json")
    assert code == 200

    def looks() -> bool:
        found = pod_of(gallery, "debug")["status"].get("ephemeralContainerStatuses") or [{}]
        return bool((found[0].get("state") or {}).get("running"))

    eventually("the ephemeral container runs", looks, PATIENCE)
    assert status(pod_of(gallery, "debug"))["restartCount"] == 0


def test_the_static_one_runs_from_the_folder_of_a_node(gallery: Lab) -> None:
    node = gallery.kubectl("get", "nodes", "-o", "name").splitlines()[0].removeprefix("node/")
    folder = gallery.data / "static" / "main" / node
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "static.yaml").write_text(patterns.find("static").manifest)
    eventually("the mirror runs", lambda: running(pod_of(gallery, f"static-{node}")), PATIENCE)
    (folder / "static.yaml").unlink()
    eventually("the mirror is gone", lambda: gallery.pod(f"static-{node}") is None, PATIENCE)


def test_the_two_about_an_end_end_as_they_say(gallery: Lab) -> None:
    gallery.kubectl("delete", "pod", "pre-stop", "slow-stop", "--wait=false")
    eventually("the hook and TERM are over", lambda: gallery.pod("pre-stop") is None, 60)
    killed = gallery.kubectl("get", "events", "--field-selector", "involvedObject.name=slow-stop,reason=Killing")
    assert "Stopping container app" in killed
    assert gallery.pod("slow-stop") is not None, "the grace period of the slow one is longer than that of the other"


def test_every_pattern_is_asked_for_something() -> None:
    files = {path.stem for path in (Path(patterns.__file__).parent / "gallery").glob("*.yaml")}
    assert files == {one.id for one in patterns.PATTERNS} == {*STATES, *REFUSED}
