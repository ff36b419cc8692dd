"""Lifecycle hooks by the kubelet's rules and in its words (pkg/kubelet/lifecycle/handlers.go)."""

from __future__ import annotations

from datetime import datetime

import pytest
from fake_runtime import FOREVER, Run
from kubelet_world import World, container, pod

from podlab.apis.types import Manifest
from podlab.runtime.calls import ExecResult, HttpRequest, HttpResult

NO_TLS = 'Get "https://10.0.0.1:8443/up": http: server gave HTTP response to HTTPS client'
REFUSED = 'Get "http://10.0.0.1:8443/up": dial tcp 10.0.0.1:8443: connect: connection refused'
SECRET = {"name": "Authorization", "value": "Bearer secret"}


def ask(world: World, answers: list[HttpResult], http: Manifest, when: str = "postStart") -> list[HttpRequest]:
    """Run a pod with such a hook, answered so; what was asked."""
    asked: list[HttpRequest] = []

    def answer(request: HttpRequest, now: datetime) -> HttpResult:
        asked.append(request)
        return answers[min(len(asked), len(answers)) - 1]

    world.runtime.http_answer = answer
    world.runtime.scripts["main"] = [Run(on_term=0), FOREVER]
    hook = {"httpGet": {"path": "/up", "port": 8443, "scheme": "HTTPS", **http}}
    world.apply(pod(container(lifecycle={when: hook}), grace=5, policy="Never"))
    world.advance(0.5)
    return asked


@pytest.mark.parametrize("when", ["postStart", "preStop"])
def test_an_https_hook_that_is_answered_by_http_is_told(world: World, when: str) -> None:
    answers = [HttpResult(0, "", 0.01, NO_TLS), HttpResult(404, "", 0.01)]
    asked = ask(world, answers, {"httpHeaders": [SECRET, {"name": "X-A", "value": "1"}]}, when)
    if when == "preStop":
        world.delete()
        world.advance(1)
    assert [request.scheme for request in asked] == ["HTTPS", "HTTP"]
    # A password is not sent where everybody can read it.
    assert [("Authorization", "Bearer secret") in request.headers for request in asked] == [True, False]
    assert all(("X-A", "1") in request.headers for request in asked)
    assert [event for event in world.told.events if event[1] == "LifecycleHTTPFallback"] == [
        (
            "Warning",
            "LifecycleHTTPFallback",
            "request to HTTPS lifecycle hook 10.0.0.1:8443 got HTTP response, retry with HTTP succeeded",
        )
    ]
    assert not {"FailedPostStartHook", "FailedPreStopHook"} & set(world.told.reasons())


def test_a_fallback_that_fails_too_is_the_first_failure(world: World) -> None:
    ask(world, [HttpResult(0, "", 0.01, NO_TLS), HttpResult(0, "", 0.01, REFUSED)], {})
    assert "LifecycleHTTPFallback" not in world.told.reasons()
    assert world.told.messages("FailedPostStartHook") == ["PostStartHook failed"]
    hooked = next(why for why in world.told.event_whys if "lifecycle hook" in why)
    assert hooked.endswith(f"failed - error: {NO_TLS}")


def test_hooks_have_a_name_of_their_own_and_no_limit_in_time(world: World) -> None:
    asked = ask(world, [HttpResult(200, "", 3000.0)], {"scheme": "HTTP"})
    assert ("User-Agent", "kube-lifecycle/1.36") in asked[0].headers
    world.advance(2900)
    assert "FailedPostStartHook" not in world.told.reasons()
    world.advance(200)
    assert world.container()["ready"]


@pytest.mark.parametrize(
    ("handler", "message"),
    [
        (
            {"exec": {"command": ["sh", "-c", 'echo "no"; exit 5']}},
            'Exec lifecycle hook ([sh -c echo "no"; exit 5]) for Container "main" in Pod "p_default(uid-p)" failed - '
            'error: command \'sh -c echo "no"; exit 5\' exited with 5: bad\n, message: "no\\nbad\\n"',
        ),
        (
            {"httpGet": {"path": "/up", "port": 8443}},
            f'HTTP lifecycle hook (/up) for Container "main" in Pod "p_default(uid-p)" failed - error: {REFUSED}',
        ),
        (
            {"httpGet": {"path": "/up", "port": "web"}},
            'HTTP lifecycle hook (/up) for Container "main" in Pod "p_default(uid-p)" failed - error: strconv.Atoi: parsing "web": invalid syntax',
        ),
    ],
    ids=["exec", "http", "port"],
)
def test_the_message_of_a_container_whose_hook_failed(world: World, handler: Manifest, message: str) -> None:
    world.runtime.exec_answer = lambda argv, now: ExecResult(5, "no\nbad\n", 0.01, stderr="bad\n")
    world.runtime.http_answer = lambda request, now: HttpResult(0, "", 0.01, REFUSED)
    world.runtime.scripts["main"] = [Run(on_term=None), FOREVER]
    world.apply(pod(container(lifecycle={"postStart": handler}), grace=5))
    world.advance(6)
    states = [status["containerStatuses"][0] for status in world.api.statuses if status.get("containerStatuses")]
    shown = next(one for one in states if one["state"].get("waiting", {}).get("reason") == "PostStartHookError")
    assert shown["state"]["waiting"]["message"] == message
    assert shown["lastState"]["terminated"]["exitCode"] == 137


def test_a_container_that_ends_before_its_hook_is_told_like_one_that_is_stopped_for_it(world: World) -> None:
    world.runtime.exec_answer = lambda argv, now: ExecResult(137, "", 2.0)
    world.runtime.scripts["main"] = [Run(seconds=1)]
    world.apply(pod(container(lifecycle={"postStart": {"exec": {"command": ["warm"]}}}), policy="Never"))
    world.advance(4)
    assert world.told.reasons()[-2:] == ["FailedPostStartHook", "Killing"]
    assert world.told.messages("Killing") == ["FailedPostStartHook"]
    assert world.status["phase"] == "Succeeded"
