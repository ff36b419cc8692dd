"""What a node lets in, and what hooks take for a success."""

from __future__ import annotations

import copy
from datetime import datetime
from typing import Any

import pytest
from kubelet_world import World, container, pod

from podlab.apis.types import Manifest
from podlab.runtime.calls import HttpRequest, HttpResult

NO_TLS = "http: server gave HTTP response to HTTPS client"
TAINT = {"key": "broken", "effect": "NoExecute"}


def unscheduled(**spec: Any) -> Manifest:
    made = pod(**spec)
    del made["status"]["conditions"]
    return made


def taint_the_node(world: World, *taints: Manifest) -> None:
    node = copy.deepcopy(world.api.objects[("nodes", "", "node-a")])
    node["spec"]["taints"] = list(taints)
    world.api.put("nodes", node)


@pytest.mark.parametrize(
    ("spec", "reason", "message"),
    [
        (
            {"os": {"name": "windows"}},
            "PodOSNotSupported",
            "Pod was rejected: Failed to admit pod as the OS field doesn't match node OS",
        ),
        (
            {"nodeSelector": {"kubernetes.io/os": "windows"}},
            "NodeAffinity",
            "Pod was rejected: Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector",
        ),
        (
            {"securityContext": {"supplementalGroupsPolicy": "Strict"}},
            "SupplementalGroupsPolicyNotSupported",
            "Pod was rejected: SupplementalGroupsPolicy=Strict is not supported in this node",
        ),
        (
            {},
            "TaintToleration",
            "Pod was rejected: Predicate TaintToleration failed: node(s) had taints that the pod didn't tolerate",
        ),
        ({"os": {"name": "linux"}, "tolerations": [{"key": "broken", "operator": "Exists"}]}, "", ""),
    ],
)
def test_who_is_refused(world: World, spec: Manifest, reason: str, message: str) -> None:
    taint_the_node(world, TAINT)
    world.apply(unscheduled(**spec))
    assert world.status["phase"] == ("Failed" if reason else "Running")
    assert (world.status.get("reason", ""), world.status.get("message", "")) == (reason, message)


def test_a_label_that_names_another_system_is_a_refusal(world: World) -> None:
    """The kubelet looks at the pod's own label."""
    made = pod()
    made["metadata"]["labels"] = {"kubernetes.io/os": "windows"}
    world.apply(made)
    assert world.status["reason"] == "PodOSSelectorNodeLabelDoesNotMatch"
    text = "Failed to admit pod as the `kubernetes.io/os` label doesn't match node label"
    assert world.status["message"] == f"Pod was rejected: {text}"


def test_taints_that_let_nobody_run_count_for_scheduled_pods_too_and_others_for_none(world: World) -> None:
    taint_the_node(world, TAINT)
    world.apply(pod())
    assert (world.status["phase"], world.status["reason"]) == ("Failed", "TaintToleration")
    taint_the_node(world, {"key": "full", "effect": "NoSchedule"})
    world.apply(unscheduled() | {"metadata": {**pod(name="q")["metadata"]}})
    assert world.api.objects[("pods", "default", "q")]["status"]["phase"] == "Running"


def hook(world: World, *answers: HttpResult, scheme: str = "HTTP") -> list[str]:
    """Run a pod with an HTTP postStart hook that is answered so; the schemes that were asked."""
    asked: list[str] = []

    def answer(request: HttpRequest, now: datetime) -> HttpResult:
        asked.append(request.scheme)
        return answers[min(len(asked), len(answers)) - 1]

    world.runtime.http_answer = answer
    lifecycle = {"postStart": {"httpGet": {"path": "/up", "port": 80, "scheme": scheme}}}
    world.apply(pod(container(lifecycle=lifecycle), grace=1))
    world.advance(0.5)
    return asked


def test_any_answer_to_an_http_hook_is_a_success(world: World) -> None:
    hook(world, HttpResult(500, "no", 0.01))
    assert world.container()["ready"]
    assert "FailedPostStartHook" not in world.told.reasons()


def test_an_http_hook_without_an_answer_fails(world: World) -> None:
    hook(world, HttpResult(0, "", 0.01, "connection refused"))
    assert "FailedPostStartHook" in world.told.reasons()


def test_an_https_hook_falls_back_to_http(world: World) -> None:
    assert hook(world, HttpResult(0, "", 0.01, NO_TLS), HttpResult(200, "", 0.01), scheme="HTTPS") == ["HTTPS", "HTTP"]
    assert world.container()["ready"]
