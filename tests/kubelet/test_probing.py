"""Probes end to end against the fake runtime: ticks, thresholds, events, restarts, history."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from fake_runtime import FOREVER, Run
from kubelet_world import START, World, container, pod

from podlab.runtime.calls import ExecResult, GrpcResult, HttpRequest, HttpResult


def exec_probe(**more: Any) -> dict[str, Any]:
    return {"exec": {"command": ["cat", "/tmp/ok"]}, "periodSeconds": 1, "failureThreshold": 3, **more}


def failing_from(seconds: float, until: float = 1e9) -> Any:
    def answer(argv: tuple[str, ...], now: datetime) -> ExecResult:
        bad = seconds <= (now - START).total_seconds() < until
        return ExecResult(1 if bad else 0, "cat: can't open '/tmp/ok'\n" if bad else "", 0.01)

    return answer


def test_three_failed_liveness_probes_kill_and_restart_with_a_why(world: World) -> None:
    world.runtime.scripts["main"] = [Run(on_term=None), FOREVER]
    world.runtime.exec_answer = failing_from(4, 8)
    world.apply(pod(container(livenessProbe=exec_probe()), grace=1))
    world.advance(6.5)
    assert world.told.messages("Unhealthy") == ["Liveness probe failed: cat: can't open '/tmp/ok'\n"] * 3
    assert world.told.messages("Killing") == ["Container main failed liveness probe, will be restarted"]
    world.advance(3)
    assert world.container()["restartCount"] == 1
    assert world.container()["lastState"]["terminated"]["exitCode"] == 137
    why = world.told.runs[("main", 0)]["stop_why"]
    assert why == "liveness probe failed 3 times in a row: cat: can't open '/tmp/ok'"
    assert [n.caused for n in world.told.probes if n.outcome == "failure"] == ["", "", "restart"]
    assert [(n.run, n.threshold) for n in world.told.probes if n.outcome == "failure"] == [(1, 3), (2, 3), (3, 3)]


def test_a_failed_liveness_probe_restarts_under_on_failure_even_after_exit_0(world: World) -> None:
    world.runtime.exec_answer = failing_from(1, 3)
    world.apply(pod(container(livenessProbe=exec_probe(failureThreshold=1)), policy="OnFailure"))
    world.advance(2)
    assert world.container()["restartCount"] == 1
    assert world.container()["lastState"]["terminated"]["exitCode"] == 0


def test_a_failed_liveness_probe_under_never_fails_the_pod(world: World) -> None:
    world.runtime.scripts["main"] = [Run(on_term=None)]
    world.runtime.exec_answer = failing_from(0)
    world.apply(pod(container(livenessProbe=exec_probe(failureThreshold=2)), policy="Never", grace=1))
    world.advance(6)
    assert world.told.messages("Killing") == ["Stopping container main"]
    assert world.status["phase"] == "Failed"
    assert [s["phase"] for s in world.api.statuses[-2:]] == ["Running", "Failed"]


def test_readiness_follows_the_probe_both_ways(world: World) -> None:
    world.runtime.exec_answer = failing_from(5.5, 7.5)
    world.apply(pod(container(readinessProbe=exec_probe(failureThreshold=1))))
    assert not world.container()["ready"]
    seen = []
    world.advance(0.5)
    for _ in range(10):
        world.advance(1)
        seen.append(world.container()["ready"])
    assert seen == [True] * 5 + [False, False, True, True, True]
    assert world.container()["restartCount"] == 0
    assert [n.caused for n in world.told.probes if n.caused] == ["ready", "unready", "ready"]


def test_the_first_readiness_probe_comes_right_after_the_start(world: World) -> None:
    world.apply(pod(container(readinessProbe=exec_probe(periodSeconds=30))))
    world.advance(0.1)
    assert world.container()["ready"]
    world.advance(29.8)
    assert len(world.told.probes) == 1
    world.advance(0.2)
    assert len(world.told.probes) == 2


def test_initial_delay_is_counted_from_the_start_of_the_container(world: World) -> None:
    world.apply(pod(container(readinessProbe=exec_probe(initialDelaySeconds=4))))
    world.advance(3.9)
    assert world.told.probes == []
    world.advance(0.3)
    assert world.told.probes[0].at == START + timedelta(seconds=4)


def test_startup_holds_the_other_probes_back_and_then_rests(world: World) -> None:
    world.runtime.exec_answer = failing_from(0, 3.5)
    world.apply(
        pod(container(startupProbe=exec_probe(failureThreshold=10), livenessProbe=exec_probe(failureThreshold=1)))
    )
    assert world.container()["started"] is False
    world.advance(8.5)
    kinds = [(n.probe, n.outcome) for n in world.told.probes]
    assert kinds[:4] == [("startup", "failure")] * 3 + [("startup", "success")]
    assert {kind for kind, _ in kinds[4:]} == {"liveness"}
    assert world.container()["started"] is True
    assert world.container()["restartCount"] == 0
    assert world.told.probes[3].caused == "started"


def test_a_failed_startup_probe_restarts_the_container(world: World) -> None:
    world.runtime.exec_answer = failing_from(0)
    world.apply(pod(container(startupProbe=exec_probe())))
    world.advance(3.5)
    assert world.told.messages("Killing") == ["Container main failed startup probe, will be restarted"]
    assert world.container()["restartCount"] == 1
    assert world.container()["started"] is False


def test_the_probe_may_have_its_own_grace(world: World) -> None:
    world.runtime.scripts["main"] = [Run(on_term=None)]
    world.runtime.exec_answer = failing_from(0)
    probe = exec_probe(failureThreshold=1, terminationGracePeriodSeconds=5)
    world.apply(pod(container(livenessProbe=probe), grace=60))
    world.advance(6.5)
    assert "KILL p-main-0" in world.runtime.calls


def test_a_probe_that_cannot_be_made_is_tried_thrice_and_does_not_count(world: World) -> None:
    world.runtime.exec_answer = lambda argv, now: ExecResult(0, "", 0.01, error="the engine does not answer")
    world.apply(pod(container(livenessProbe=exec_probe(failureThreshold=1))))
    world.advance(1.5)
    assert len([c for c in world.runtime.calls if c.startswith("exec")]) == 3
    assert world.told.messages("Unhealthy") == [
        "Liveness probe errored and resulted in unknown state: the engine does not answer"
    ]
    assert world.container()["restartCount"] == 0


def test_an_http_probe_goes_to_the_pod_by_port_name(world: World) -> None:
    asked: list[HttpRequest] = []

    def answer(request: HttpRequest, now: datetime) -> HttpResult:
        asked.append(request)
        return HttpResult(404, "nope", 0.01)

    world.runtime.http_answer = answer
    probe = {
        "httpGet": {"path": "/ok", "port": "web", "httpHeaders": [{"name": "X-A", "value": "1"}]},
        "periodSeconds": 1,
    }
    world.apply(pod(container(readinessProbe=probe, ports=[{"name": "web", "containerPort": 8080}])))
    world.advance(0.5)
    assert (asked[0].scheme, asked[0].host, asked[0].port, asked[0].path) == ("HTTP", "10.0.0.1", 8080, "/ok")
    assert asked[0].headers == (("X-A", "1"), ("User-Agent", "kube-probe/1.36"), ("Accept", "*/*"))
    assert world.told.messages("Unhealthy") == ["Readiness probe failed: HTTP probe failed with statuscode: 404"]


def test_a_redirect_to_another_host_is_a_warning_and_counts_as_success(world: World) -> None:
    world.runtime.http_answer = lambda request, now: HttpResult(302, "go", 0.01, redirect_host="elsewhere")
    world.apply(pod(container(readinessProbe={"httpGet": {"port": 80}})))
    world.advance(0.5)
    assert world.told.messages("ProbeWarning") == [
        "Readiness probe warning: Probe terminated redirects, Response body: go"
    ]
    assert world.container()["ready"]


def test_an_exec_probe_that_is_too_slow_is_named_with_its_command(world: World) -> None:
    world.runtime.exec_answer = lambda argv, now: ExecResult(0, "", 1.0, timed_out=True)
    probe = {"exec": {"command": ["sh", "-c", "echo slow; sleep 5"]}, "periodSeconds": 2, "timeoutSeconds": 1}
    world.apply(pod(container(livenessProbe=probe)))
    world.advance(3.5)
    assert world.told.messages("Unhealthy") == [
        'Liveness probe failed: command timed out: "sh -c echo slow; sleep 5" timed out after 1s'
    ]


def test_deletion_ends_liveness_probes(world: World) -> None:
    world.runtime.scripts["main"] = [Run(on_term=None)]
    world.apply(pod(container(livenessProbe=exec_probe()), grace=10))
    world.advance(2.5)
    world.delete()
    before = len(world.told.probes)
    world.advance(8)
    assert len(world.told.probes) == before


def test_a_slow_probe_delays_the_next_one_but_does_not_pile_up(world: World) -> None:
    world.runtime.exec_answer = lambda argv, now: ExecResult(0, "", 2.5)
    world.apply(pod(container(livenessProbe=exec_probe(timeoutSeconds=5))))
    world.advance(9)
    began = [(n.at - START).total_seconds() for n in world.told.probes]
    assert began == [1.0, 3.5, 6.0]


def test_a_grpc_probe_asks_the_pods_address_for_its_service(world: World) -> None:
    probe = {"grpc": {"port": 9090, "service": "shop"}, "periodSeconds": 1}
    world.runtime.grpc_answer = GrpcResult(False, 'service unhealthy (responded with "NOT_SERVING")', 0.01)
    world.apply(pod(container(readinessProbe=probe)))
    world.advance(0.5)
    assert "grpc 10.0.0.1:9090 shop" in world.runtime.calls
    assert world.told.messages("Unhealthy") == [
        'Readiness probe failed: service unhealthy (responded with "NOT_SERVING")'
    ]
    world.runtime.grpc_answer = None
    world.advance(1)
    assert world.container()["ready"]
    assert world.told.probes[-1].message == "service healthy"
