"""Every situation that the explanations know is found in a pod that is in it, and says where each sentence comes from."""

from __future__ import annotations

import string
from typing import Any

import pytest
from explained import NOW, RUNNING, Result, RunRow, ago, case, ended, event, node, refused, waiting

from podlab.glance.explain import explanations
from podlab.glance.explain.case import Case
from podlab.glance.sentences import say

PENDING = {"phase": "Pending"}
CRASH = waiting("CrashLoopBackOff", "back-off 20s restarting failed container=app pod=web_default(u)")
HTTP = {"httpGet": {"path": "/", "port": 8080}}
NODES = {"node-a": node(), "node-b": node()}


def after(code: int, reason: str = "Error", **more: Any) -> Case:
    """In back-off after a run that ended so."""
    return case(
        CRASH, ended(code, reason, **{k: more.pop(k) for k in ("message", "ran") if k in more}), restarts=1, **more
    )


def pull(reason: str, message: str) -> Case:
    return case(waiting(reason, message), status=PENDING, events=[event("Failed", f"Failed to pull image: {message}", container="app")])  # fmt: skip


def config(message: str, container: dict[str, Any] | None = None) -> Case:
    return case(waiting("CreateContainerConfigError", message), container=container, status=PENDING)


def probed(*results: Result, probe: str = "liveness", spec: dict[str, Any] | None = None, **more: Any) -> Case:
    container = {f"{probe}Probe": spec or HTTP} | more.pop("container", {})
    return case(more.pop("state", RUNNING), container=container, probes=results, **more)


def condition(type: str, status: str = "True", **more: str) -> dict[str, Any]:
    return {"conditions": [{"type": type, "status": status} | more]}


def dying(seconds_left: float, **more: Any) -> Case:
    meta = {"deletionTimestamp": ago(-seconds_left), "deletionGracePeriodSeconds": 30} | more.pop("meta", {})
    return case(more.pop("state", RUNNING), meta=meta, **more)


FAILED = {"phase": "Failed"}
FOUND: dict[str, Case] = {
    "scheduling-gated": case(node=None, spec={"schedulingGates": [{"name": "wait"}]}, status=PENDING),
    "scheduler-unknown": case(node=None, spec={"schedulerName": "mine"}, status=PENDING),
    "no-nodes": refused("no nodes available to schedule pods"),
    "insufficient-cpu": refused("0/1", rejections={"node-a": ["Insufficient cpu"]}),
    "insufficient-memory": refused("0/1 nodes are available: 1 Insufficient memory. preemption: none."),
    "insufficient-other": refused("0/1", rejections={"node-a": ["Insufficient example.com/gpu"]}),
    "too-many-pods": refused("0/1", rejections={"node-a": ["Too many pods"]}),
    "node-selector": refused(
        "0/1",
        {"nodeSelector": {"a": "b"}},
        rejections={"node-a": ["node(s) didn't match Pod's node affinity/selector"]},
    ),
    "untolerated-taint": refused("0/1", rejections={"node-a": ["node(s) had untolerated taint {gpu: yes}"]}),
    "node-cordoned": refused("0/1", rejections={"node-a": ["node(s) were unschedulable"]}),
    "host-port-taken": refused("0/1", rejections={"node-a": ["node(s) didn't have free ports for the requested pod ports"]}),
    "pod-affinity": refused("0/1", rejections={"node-a": ["node(s) didn't match pod affinity rules (no pod in k=v is one that it wants to be near)"]}),
    "pod-anti-affinity": refused("0/1", rejections={"node-a": ["node(s) didn't match pod anti-affinity rules"]}),
    "existing-anti-affinity": refused("0/1", rejections={"node-a": ["node(s) didn't satisfy existing pods anti-affinity rules"]}),
    "topology-spread": refused("0/1", rejections={"node-a": ["node(s) didn't match pod topology spread constraints"]}),
    "topology-label": refused("0/1", rejections={"node-a": ["node(s) didn't match pod topology spread constraints (missing required label)"]}),
    "making-room": refused("0/1", status={"nominatedNodeName": "node-a"}),
    "claim-missing": refused('0/1 nodes are available: persistentvolumeclaim "data" not found.'),
    "claim-unbound": refused("0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims."),
    "unschedulable": refused("0/1 nodes are available: 1 something new."),
    "not-scheduled-yet": case(node=None, status=PENDING),
    "node-absent": case(node="node-z", status=PENDING, nodes=NODES),
    "node-not-ready": case(RUNNING, nodes={"node-a": node("Unknown")}),
    "node-refused": case(status=FAILED | {"reason": "OutOfcpu", "message": "Node didn't have enough resource: cpu"}),
    "image-not-found": pull("ImagePullBackOff", "manifest unknown"),
    "image-registry": pull("ErrImagePull", "dial tcp: lookup registry.invalid: no such host"),
    "image-auth": pull("ErrImagePull", "unauthorized: authentication required"),
    "image-never-pull": case(waiting("ErrImageNeverPull"), status=PENDING),
    "image-name": case(waiting("InvalidImageName"), status=PENDING),
    "image-pull-failed": pull("ErrImagePull", "unexpected end of file"),
    "image-pulling": case(waiting("ContainerCreating"), status=PENDING, events=[event("Pulling", container="app", at=50)]),
    "config-map-missing": config('configmap "settings" not found', {"envFrom": [{"configMapRef": {"name": "settings"}}]}),
    "secret-missing": config('secret "keys" not found', {"env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "keys"}}}]}),
    "key-missing": config("couldn't find key x in ConfigMap default/settings"),
    "non-root-refused": config("container has runAsNonRoot and image will run as root"),
    "config-error": config("unsupported fieldPath: x"),
    "command-not-found": after(128, "StartError", message='exec: "nope": executable file not found in $PATH'),
    "command-not-executable": after(128, "StartError", message='exec: "/etc/passwd": permission denied'),
    "not-permitted": after(128, "StartError", message="write oom_score_adj: operation not permitted"),
    "create-error": case(waiting("CreateContainerError", "the engine is busy"), status=PENDING),
    "post-start-failed": after(137, events=[event("FailedPostStartHook", "exited with 1", container="app")]),
    "volume-source-missing": case(
        waiting("ContainerCreating"),
        status=PENDING,
        spec={"volumes": [{"name": "conf"}]},
        events=[event("FailedMount", 'MountVolume.SetUp failed for volume "conf" : configmap "x" not found')],
    ),
    "volume-failed": case(waiting("ContainerCreating"), status=PENDING, events=[event("FailedMount", "no csi driver")]),
    "sandbox-failed": case(waiting("ContainerCreating"), status=PENDING, events=[event("FailedCreatePodSandBox", "no")]),
    "sandbox-changed": case(RUNNING, events=[event("SandboxChanged", "Pod sandbox changed")]),
    "init-failing": case(CRASH, ended(1), sort="initContainers", restarts=1, status=PENDING),
    "init-failed-for-good": case(
        ended(1), sort="initContainers", spec={"restartPolicy": "Never"}, status=FAILED
    ),
    "init-waiting": case(RUNNING, sort="initContainers", status=PENDING),
    "sidecar-not-started": case(
        RUNNING,
        sort="initContainers",
        container={"restartPolicy": "Always"},
        started=False,
        status={
            **PENDING,
            "containerStatuses": [{"name": "app", "restartCount": 0, "state": waiting("PodInitializing")}],
        },
    ),
    "readiness-gate": case(
        RUNNING, ready=True, spec={"readinessGates": [{"conditionType": "lb"}]}, status=condition("ContainersReady")
    ),
    "resize-infeasible": case(RUNNING, status=condition("PodResizePending", reason="Infeasible", message="too much")),
    "resize-deferred": case(RUNNING, status=condition("PodResizePending", reason="Deferred", message="later")),
    "liveness-kills-slow-start": probed(Result("failure", caused="restart"), restarts=1, runs=[RunRow()]),
    "liveness-kills": probed(Result("success"), Result("failure", "statuscode: 500", caused="restart"), restarts=1),
    "startup-kills": probed(Result("failure", probe="startup", caused="restart"), probe="startup", restarts=1),
    "startup-waiting": probed(Result("failure", probe="startup"), probe="startup", started=False),
    "readiness-never": probed(Result("failure", "connection refused", probe="readiness"), probe="readiness"),
    "readiness-lost": probed(
        Result("success", probe="readiness", caused="ready"),
        Result("failure", probe="readiness", caused="unready"),
        probe="readiness",
    ),
    "readiness-flapping": probed(
        *[Result("success", probe="readiness", caused=caused) for caused in ("ready", "unready", "ready", "unready")],
        probe="readiness",
    ),
    "probe-port-differs": probed(container={"ports": [{"containerPort": 80}]}),
    "probe-refused": probed(Result("failure", "Get ...: dial tcp 10.0.0.1:8080: connect: connection refused")),
    "probe-status": probed(Result("failure", "HTTP probe failed with statuscode: 404")),
    "probe-timeout": probed(Result("failure", "context deadline exceeded (Client.Timeout exceeded)")),
    "probe-exec-failed": probed(Result("failure", "cat: no file"), spec={"exec": {"command": ["cat", "x"]}}),
    "probe-cannot-run": probed(Result("error", "no such container")),
    "probe-too-early": probed(Result("failure"), Result("success"), ready=True),
    "oom-killed": after(137, "OOMKilled", container={"resources": {"limits": {"memory": "16Mi"}}}),
    "exit-command-not-found": after(127),
    "exit-not-executable": after(126),
    "exit-usage": after(2),
    "exit-segfault": after(139),
    "exit-abort": after(134),
    "exit-interrupted": after(143),
    "exit-killed": after(137),
    "read-only": after(1, logs={"app": "touch: /x: Read-only file system\n"}),
    "permission-denied": after(1, message="listen tcp :80: bind: permission denied"),
    "exit-error": after(1, message="cannot reach db"),
    "ends-well-again-and-again": after(0, "Completed"),
    "crash-loop": after(1),
    "never-restarted": case(ended(1), spec={"restartPolicy": "Never"}, status=FAILED),
    "completed": case(ended(0, "Completed"), spec={"restartPolicy": "Never"}, status={"phase": "Succeeded"}),
    "status-unknown": case(RUNNING, ended(137, "ContainerStatusUnknown"), restarts=1),
    "terminating": dying(20),
    "terminating-hook": dying(20, container={"lifecycle": {"preStop": {"sleep": {"seconds": 5}}}}),
    "terminating-node-gone": dying(20, nodes={"node-a": node("Unknown")}),
    "finalizer": dying(-5, state=ended(0), meta={"finalizers": ["example.com/hold"]}),
    "stuck-terminating": dying(-60, nodes=NODES),
    "ignored-term": case(ended(137), events=[event("Killing", "Stopping container app", container="app")]),
    "pre-stop-failed": dying(20, events=[event("FailedPreStopHook", "exited with 1", container="app")]),
    "forced": dying(0, gone=True, meta={"deletionGracePeriodSeconds": 0}),
    "deadline": case(status=FAILED | {"reason": "DeadlineExceeded"}, spec={"activeDeadlineSeconds": 5}),
    "evicted-storage": case(status=FAILED | {"reason": "Evicted", "message": 'Usage of EmptyDir volume "x" exceeds: emptyDir'}),
    "evicted-node": case(status=FAILED | {"reason": "Evicted", "message": "The node was low on resource: memory."}),
    "evicted-api": case(RUNNING, status=condition("DisruptionTarget", reason="EvictionByEvictionAPI")),
    "taint-evicted": case(RUNNING, status=condition("DisruptionTarget", reason="DeletionByTaintManager")),
    "preempted": case(RUNNING, status=condition("DisruptionTarget", reason="PreemptionByScheduler")),
    "nobody-replaces-it": case(ended(1), spec={"restartPolicy": "Never"}, status=FAILED),
}  # fmt: skip


@pytest.mark.parametrize("id", FOUND)
def test_the_situation_is_found(id: str) -> None:
    told = {one.id: one for one in explanations.explain(FOUND[id])}
    assert id in told
    one = told[id]
    for sentence in (one.happens, one.why):
        assert sentence.text
        assert "{" not in sentence.text.replace("{gpu: yes}", "")
        assert sentence.evidence.text


def test_every_known_situation_is_tried_here() -> None:
    assert set(FOUND) == set(explanations.SITUATIONS)
    assert len(FOUND) >= 40


def test_a_healthy_pod_needs_no_explanation() -> None:
    healthy = case(RUNNING, ready=True, started=True, status=condition("ContainersReady"), nodes=NODES)
    assert explanations.explain(healthy) == []


def test_problems_come_before_what_waits_and_what_is_worth_knowing() -> None:
    levels = [one.level for one in explanations.explain(after(1, message="boom"))]
    assert levels == sorted(levels, key=("problem", "waiting", "note").index)
    assert levels[0] == "problem"


def test_the_next_try_of_a_crash_loop_is_told_with_its_time() -> None:
    told = next(one for one in explanations.explain(after(1)) if one.id == "crash-loop")
    # It ended 40 s ago and waits 20 s from there.
    assert "20 s" in told.happens.text
    assert "11:59:40 UTC" in told.happens.text


def test_a_missing_object_points_at_the_line_that_names_it() -> None:
    told = explanations.explain(FOUND["config-map-missing"])[0]
    assert told.why.evidence.path == "spec.containers[0].envFrom[0]"
    assert told.tries[0].words == ("create", "configmap", "settings", "--from-literal=KEY=VALUE")


def test_advice_is_a_command_that_one_can_copy() -> None:
    def words(id: str) -> tuple[str, ...]:
        told = next(one for one in explanations.explain(FOUND[id]) if one.id == id)
        return next(
            one.words for one in (told.look, *told.tries) if one.words[:1] in {("exec",), ("taint",), ("label",)}
        )

    assert words("probe-exec-failed")[-3:] == ("--", "cat", "x")
    assert words("untolerated-taint") == ("taint", "nodes", "node-a", "gpu-")
    assert words("node-selector")[:2] == ("label", "node")


def test_evidence_of_events_and_probes_names_marks_of_the_timeline() -> None:
    told = explanations.explain(FOUND["volume-failed"])[0]
    assert told.happens.evidence.mark == "event:web.failedmount:1"
    told = next(one for one in explanations.explain(FOUND["probe-status"]) if one.id == "probe-status")
    assert told.happens.evidence.mark == "probe:7"


def test_jsonpath_keeps_its_braces() -> None:
    told = explanations.explain(FOUND["scheduling-gated"])[0]
    assert told.look.words[-1] == "jsonpath={.spec.schedulingGates}"


def test_what_is_over_for_long_is_no_trouble_any_more() -> None:
    state = {"running": {"startedAt": ago(3600)}}
    assert explanations.explain(case(state, ended(1), restarts=1, ready=True)) == []


def test_an_end_by_a_probe_is_told_as_such_and_not_as_an_exit_code() -> None:
    probes = (Result("success"), Result("failure", caused="restart"))
    ids = [one.id for one in explanations.explain(after(137, probes=probes, container={"livenessProbe": HTTP}))]
    assert "liveness-kills" in ids
    assert "exit-killed" not in ids


def test_who_may_not_see_nodes_is_told_nothing_about_them() -> None:
    assert explanations.explain(case(RUNNING, node="node-z", ready=True, nodes=None)) == []


@pytest.mark.parametrize("id", explanations.SITUATIONS)
def test_texts_use_only_fields_that_the_finding_has(id: str) -> None:
    found = next(one for one in explanations.find(FOUND[id]) if one.situation == id)
    known = explanations.SITUATIONS[id]
    texts = [known.title, known.happens, known.why, known.look.text, *(one.text for one in known.tries)]
    for text in texts:
        say(str, text, **found.fields)
        names = {name for _, name, _, _ in string.Formatter().parse(text) if name}
        assert names <= set(found.fields)
    for advice in (known.look, *known.tries):
        assert all(word.format(**found.fields) or word == "{previous}" for word in advice.words)
        advice.path.format(**found.fields)


def test_texts_are_told_in_the_language_that_is_asked_for() -> None:
    told = explanations.explain(FOUND["oom-killed"], lambda text: "⟦" + text + "⟧")
    assert told[0].title.startswith("⟦")
    assert told[0].happens.text.startswith("⟦app used more memory than its limit 16Mi")


def test_now_is_a_parameter() -> None:
    assert FOUND["terminating"].now == NOW
    told = explanations.explain(FOUND["terminating"])[0]
    assert "(20 s left)" in told.happens.text


def test_kinds_of_probes_are_told_in_the_language_of_the_page() -> None:
    told = explanations.explain(
        FOUND["probe-refused"], lambda text: {"liveness": "存活", "readiness": "就绪"}.get(text, text)
    )
    (one,) = (found for found in told if found.id == "probe-refused")
    assert "就绪 probe" in one.happens.text or "存活 probe" in one.happens.text
