"""Pods that start, end, fail and come back, played against the fake runtime."""

from __future__ import annotations

from datetime import timedelta

from fake_runtime import FOREVER, Run
from kubelet_world import START, World, container, pod


def test_a_pod_runs_and_tells_it_in_the_words_of_kubernetes(world: World) -> None:
    world.apply(pod())
    assert world.status["phase"] == "Running"
    assert world.container()["state"] == {"running": {"startedAt": "2026-11-21T02:00:00Z"}}
    assert [c["type"] for c in world.status["conditions"]] == [
        "PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled",
    ]  # fmt: skip
    assert {c["observedGeneration"] for c in world.status["conditions"]} == {1}
    assert world.condition("Ready")["status"] == "True"
    assert world.status["podIP"] == "10.0.0.1"
    assert world.status["hostIP"] == "192.0.2.1"
    assert world.status["qosClass"] == "BestEffort"
    assert world.told.events == [
        (
            "Normal",
            "Pulled",
            'Container image "busybox:1.36" already present on machine and can be accessed by the pod',
        ),
        ("Normal", "Created", "Container created"),
        ("Normal", "Started", "Container started"),
    ]


def test_the_first_status_says_creating_before_anything_exists(world: World) -> None:
    world.apply(pod())
    first = world.api.statuses[0]
    assert first["phase"] == "Pending"
    assert first["containerStatuses"][0]["state"] == {"waiting": {"reason": "ContainerCreating"}}
    assert next(c for c in first["conditions"] if c["type"] == "Ready")["message"] == (
        "containers with unready status: [main]"
    )


def test_crash_loop_waits_0_10_20_40_seconds_from_the_end_of_each_run(world: World) -> None:
    world.runtime.scripts["main"] = [Run(seconds=1, code=1)]
    world.apply(pod())
    world.advance(400)
    starts = [run["started"] - START for run in world.told.runs.values()]
    ends = [run["finished"] - START for run in world.told.runs.values() if run["finished"]]
    waits = [(start - end).total_seconds() for start, end in zip(starts[1:], ends, strict=False)]
    assert waits[:6] == [0, 10, 20, 40, 80, 160]
    assert world.status["phase"] == "Running"
    waiting = world.container()["state"]["waiting"]
    assert waiting["reason"] == "CrashLoopBackOff"
    assert waiting["message"] == "back-off 2m40s restarting failed container=main pod=p_default(uid-p)" or (
        waiting["message"] == "back-off 5m0s restarting failed container=main pod=p_default(uid-p)"
    )
    assert world.told.messages("BackOff")[0] == "Back-off restarting failed container main in pod p_default(uid-p)"


def test_a_run_of_more_than_ten_minutes_makes_the_next_restart_immediate(world: World) -> None:
    world.runtime.scripts["main"] = [Run(1, 1), Run(1, 1), Run(700, 1), FOREVER]
    world.apply(pod())
    world.advance(12)  # third run begins at 1 + 0 + 1 + 10
    world.advance(700)
    assert world.container()["restartCount"] == 3
    assert world.container()["state"].get("running")


def test_an_end_is_told_before_the_restart_that_answers_it(world: World) -> None:
    world.runtime.scripts["main"] = [Run(1, 1), FOREVER]
    world.apply(pod())
    world.advance(1)
    states = [next(iter(s["containerStatuses"][0]["state"])) for s in world.api.statuses]
    assert states == ["waiting", "waiting", "running", "terminated", "running"]  # the second with its sandbox
    assert world.container()["lastState"]["terminated"]["exitCode"] == 1


def test_never_with_exit_0_succeeds_after_its_sandbox_has_stopped(world: World) -> None:
    world.runtime.scripts["main"] = [Run(1, 0)]
    world.apply(pod(policy="Never"))
    world.advance(2)
    held, final = world.api.statuses[-2:]
    assert held["phase"] == "Running"
    assert next(c for c in held["conditions"] if c["type"] == "Ready")["reason"] == "PodCompleted"
    assert final["phase"] == "Succeeded"
    assert world.condition("PodReadyToStartContainers")["status"] == "False"
    assert world.condition("Initialized")["reason"] == "PodCompleted"
    assert not any(s.ready for s in world.runtime.sandboxes.values())


def test_on_failure_restarts_a_failure_and_accepts_a_success(world: World) -> None:
    world.runtime.scripts["main"] = [Run(1, 3), Run(1, 0)]
    world.apply(pod(policy="OnFailure"))
    world.advance(5)
    assert world.status["phase"] == "Succeeded"
    assert world.container()["restartCount"] == 1


def test_one_failed_container_beside_a_running_one_leaves_the_pod_running_but_not_ready(world: World) -> None:
    world.runtime.scripts["b"] = [Run(1, 1)]
    world.apply(pod(container("a"), container("b"), policy="Never"))
    world.advance(5)
    assert world.status["phase"] == "Running"
    assert world.condition("Ready")["message"] == "containers with unready status: [b]"


def test_a_command_that_cannot_start_is_shown_and_backed_off(world: World) -> None:
    world.runtime.scripts["main"] = [Run(cannot_start='exec: "nope": executable file not found in $PATH')]
    world.apply(pod())
    states = [s["containerStatuses"][0]["state"].get("waiting", {}).get("reason") for s in world.api.statuses]
    assert "RunContainerError" in states
    assert world.container()["state"]["waiting"]["reason"] == "CrashLoopBackOff"
    assert world.container()["restartCount"] == 1
    assert world.status["phase"] == "Running"
    assert world.told.messages("Failed")[0] == 'Error: exec: "nope": executable file not found in $PATH'


def test_a_command_that_cannot_start_fails_a_pod_that_never_restarts(world: World) -> None:
    world.runtime.scripts["main"] = [Run(cannot_start="no such file")]
    world.apply(pod(policy="Never"))
    world.advance(1)
    assert world.status["phase"] == "Failed"
    assert world.container()["state"]["terminated"]["reason"] == "StartError"


def test_init_containers_run_one_by_one_and_are_retried(world: World) -> None:
    world.runtime.scripts |= {"i1": [Run(1, 0)], "i2": [Run(1, 1), Run(1, 0)]}
    world.apply(pod(initContainers=[container("i1"), container("i2")]))
    assert world.container("main")["state"] == {"waiting": {"reason": "PodInitializing"}}
    assert world.condition("Initialized")["message"] == "containers with incomplete status: [i1 i2]"
    world.advance(10)
    assert world.status["phase"] == "Running"
    assert world.container("i2")["restartCount"] == 1
    assert [n for n, _ in world.told.runs] == ["i1", "i2", "i2", "main"]
    assert world.condition("Initialized")["status"] == "True"


def test_a_failed_init_container_fails_a_pod_that_never_restarts(world: World) -> None:
    world.runtime.scripts["i1"] = [Run(1, 5)]
    world.apply(pod(initContainers=[container("i1")], policy="Never"))
    world.advance(2)
    assert world.status["phase"] == "Failed"
    assert world.condition("Initialized")["reason"] == "ContainersNotInitialized"


def test_a_changed_image_replaces_the_container(world: World) -> None:
    world.runtime.images.add("busybox:1.37")
    world.apply(pod())
    world.edit(lambda p: p["spec"]["containers"][0].update(image="busybox:1.37"))
    world.advance(1)
    assert world.told.messages("Killing") == ["Container main definition changed, will be restarted"]
    assert world.container()["image"] == "docker.io/library/busybox:1.37"
    assert world.container()["restartCount"] == 1
    # It was ended in order to be started again: nobody sees the moment between.
    states = [next(iter(s["containerStatuses"][0]["state"])) for s in world.api.statuses]
    assert states[states.index("running") :] == ["running"] * states.count("running")
    assert world.container()["lastState"]["terminated"]


def test_a_lost_sandbox_is_replaced_with_everything_in_it(world: World) -> None:
    world.apply(pod())
    world.runtime.stop_sandbox("sb-p-0")
    world.kubelet.resync()
    world.drain()
    world.advance(1)
    assert world.told.messages("SandboxChanged") == ["Pod sandbox changed, it will be killed and re-created."]
    assert world.container()["restartCount"] == 1
    assert world.status["phase"] == "Running"


def test_active_deadline_fails_the_pod(world: World) -> None:
    world.apply(pod(activeDeadlineSeconds=5))
    world.advance(10)
    assert world.status["phase"] == "Failed"
    assert world.status["reason"] == "DeadlineExceeded"
    assert world.status["message"] == "Pod was active on the node longer than the specified deadline"


def test_what_podlab_cannot_do_is_refused_by_name(world: World) -> None:
    world.apply(pod(container(volumeDevices=[{"name": "disk"}]), resourceClaims=[{"name": "gpu"}]))
    assert world.status["phase"] == "Failed"
    assert world.status["message"] == (
        "Pod was rejected: podlab cannot run this pod yet, because it sets spec.resourceClaims, "
        "spec.containers{main}.volumeDevices"
    )
    assert not world.runtime.sandboxes


def test_a_failed_post_start_hook_kills_the_container(world: World) -> None:
    from podlab.runtime.calls import ExecResult

    world.runtime.exec_answer = lambda argv, now: ExecResult(1, "no", 1.0)
    world.apply(pod(container(lifecycle={"postStart": {"exec": {"command": ["warm"]}}}), policy="Never"))
    assert world.container()["state"] == {"waiting": {"reason": "ContainerCreating"}}
    world.advance(2)
    assert world.told.messages("FailedPostStartHook") == ["PostStartHook failed"]
    assert world.told.messages("Killing") == ["FailedPostStartHook"]
    assert world.status["phase"] == "Succeeded"


def test_containers_wait_for_the_post_start_hook_of_the_one_before(world: World) -> None:
    from podlab.runtime.calls import ExecResult

    world.runtime.exec_answer = lambda argv, now: ExecResult(0, "", 3.0)
    hooked = container("a", lifecycle={"postStart": {"exec": {"command": ["warm"]}}})
    world.apply(pod(hooked, container("b")))
    world.advance(2)
    assert "b" not in [name for name, _ in world.told.runs]
    world.advance(2)
    assert world.status["phase"] == "Running"
    assert world.told.runs[("b", 0)]["started"] - START == timedelta(seconds=3)


def test_a_back_off_is_shown_from_its_beginning_and_ends_on_time(world: World) -> None:
    world.runtime.scripts["main"] = [Run(1, 1)]
    world.apply(pod())
    world.advance(2.5)
    waiting = world.container()["state"]["waiting"]
    assert waiting["message"] == "back-off 10s restarting failed container=main pod=p_default(uid-p)"
    assert world.container()["restartCount"] == 1
    world.advance(9)
    assert world.container()["restartCount"] == 1
    world.advance(1)
    assert world.container()["restartCount"] == 2


def test_a_runtime_class_that_is_not_there_is_waited_for(world: World) -> None:
    world.apply(pod(runtimeClassName="fast"))
    assert world.told.events == [
        (
            "Warning",
            "FailedCreatePodSandBox",
            'Failed to create pod sandbox: runtimeclass.node.k8s.io "fast" not found',
        )
    ]
    found = {"metadata": {"name": "fast"}, "handler": "sim"}
    world.api.put("runtimeclasses.node.k8s.io", found)
    world.advance(11)
    assert world.status["phase"] == "Running"
    assert world.runtime.handlers == ["sim"]
