"""Which container and which run a log request means, in Kubernetes' words."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from django.http import QueryDict

from podlab.apis.status_errors import ApiError
from podlab.apis.types import Manifest
from podlab.apiserver import log_options


def pod(*containers: str, status: Manifest | None = None, init: tuple[str, ...] = ()) -> Manifest:
    spec: Manifest = {"containers": [{"name": name} for name in containers]}
    if init:
        spec["initContainers"] = [{"name": name} for name in init]
    statuses = [{"name": "c", **status}] if status is not None else []
    return {"metadata": {"name": "p"}, "spec": spec, "status": {"containerStatuses": statuses}}


REFUSED = {
    "tailLines=-1": "tailLines: Invalid value: -1: must be greater than or equal to 0",
    "sinceSeconds=0": "sinceSeconds: Invalid value: 0: must be greater than 0",
    "limitBytes=0": "limitBytes: Invalid value: 0: must be greater than 0",
    "sinceSeconds=5&sinceTime=2020-01-01T00:00:00Z": (
        "[]: Forbidden: at most one of `sinceTime` or `sinceSeconds` may be specified"
    ),
    "stream=Foo": "stream: Forbidden: may not be specified",
}


@pytest.mark.parametrize("query", REFUSED)
def test_options_are_refused(query: str) -> None:
    with pytest.raises(ApiError) as caught:
        log_options.read(QueryDict(query), "p")
    assert caught.value.message == f'PodLogOptions "p" is invalid: {REFUSED[query]}'


def test_a_time_that_is_none_is_a_400() -> None:
    with pytest.raises(ApiError, match="parsing time") as caught:
        log_options.read(QueryDict("sinceTime=yesterday"), "p")
    assert caught.value.code == 400


def test_a_single_container_needs_no_name() -> None:
    assert log_options.choose_container(pod("c", init=("i",)), "") == "c"


def test_an_init_container_may_be_named() -> None:
    assert log_options.choose_container(pod("c", init=("i",)), "i") == "i"


def test_several_containers_need_a_name() -> None:
    text = "a container name must be specified for pod p, choose one of: [i a b]"
    with pytest.raises(ApiError, match=re.escape(text)):
        log_options.choose_container(pod("a", "b", init=("i",)), "")


def test_an_unknown_container() -> None:
    with pytest.raises(ApiError, match="container x is not valid for pod p"):
        log_options.choose_container(pod("c"), "x")


RUNNING = {"state": {"running": {}}, "containerID": "docker://b", "restartCount": 1}
ENDED = {"terminated": {"containerID": "docker://a"}}
BACK_OFF = {"state": {"waiting": {"reason": "CrashLoopBackOff"}}, "restartCount": 2}
NO_RUN: dict[str, tuple[dict[str, Any] | None, bool, str]] = {
    "no status yet": (None, False, 'container "c" in pod "p" is not available'),
    "creating": (
        {"state": {"waiting": {"reason": "ContainerCreating"}}},
        False,
        'container "c" in pod "p" is waiting to start: ContainerCreating',
    ),
    "an image that cannot be pulled": (
        {"state": {"waiting": {"reason": "ErrImagePull"}}},
        False,
        'container "c" in pod "p" is waiting to start: image can\'t be pulled',
    ),
    "an image that is tried again": (
        {"state": {"waiting": {"reason": "ImagePullBackOff"}}},
        False,
        'container "c" in pod "p" is waiting to start: trying and failing to pull image',
    ),
    "nothing known at all": ({"state": {}}, False, 'container "c" in pod "p" is waiting to start - no logs yet'),
    "no previous run": (RUNNING, True, 'previous terminated container "c" in pod "p" not found'),
    "an end without a container": (
        {"state": {"terminated": {"reason": "ContainerStatusUnknown"}}},
        False,
        'container "c" in pod "p" is terminated',
    ),
}


@pytest.mark.parametrize("sentence", NO_RUN)
def test_there_is_no_log(sentence: str) -> None:
    status, previous, text = NO_RUN[sentence]
    with pytest.raises(ApiError, match=re.escape(text)) as caught:
        log_options.choose_run(pod("c", status=status), "c", previous=previous)
    assert (caught.value.code, caught.value.reason) == (400, "BadRequest")


CHOSEN: dict[str, tuple[dict[str, Any], bool, tuple[str, int]]] = {
    "the running one": (RUNNING, False, ("docker://b", 1)),
    "the one before it": ({**RUNNING, "lastState": ENDED}, True, ("docker://a", 0)),
    "the one that ended": ({"state": ENDED, "restartCount": 0}, False, ("docker://a", 0)),
    "the last one while waiting for a restart": ({**BACK_OFF, "lastState": ENDED}, False, ("docker://a", 2)),
    "whose forerunner only history knows": ({**BACK_OFF, "lastState": ENDED}, True, ("", 1)),
    "the previous one before a first restart": (
        {**BACK_OFF, "restartCount": 0, "lastState": ENDED},
        True,
        ("docker://a", 0),
    ),
    "the previous one while the next cannot start": (
        {"state": {"waiting": {"reason": "RunContainerError"}}, "restartCount": 1, "lastState": ENDED},
        True,
        ("docker://a", 1),
    ),
    "the try that could not be started": (
        {**BACK_OFF, "lastState": {"terminated": {"reason": "StartError", "containerID": "docker://a"}}},
        True,
        ("docker://a", 2),
    ),
}


@pytest.mark.parametrize("sentence", CHOSEN)
def test_the_run_is(sentence: str) -> None:
    status, previous, expected = CHOSEN[sentence]
    run = log_options.choose_run(pod("c", status=status), "c", previous=previous)
    assert (run.container_id, run.attempt) == expected


def test_the_run_before_a_dead_one_is_no_longer_on_the_node() -> None:
    ended = {
        "state": {"terminated": {"exitCode": 1, "containerID": "docker://b"}},
        "lastState": ENDED,
        "restartCount": 1,
    }
    assert log_options.choose_run(pod("c", status=ended), "c", previous=True).removed
    assert not log_options.choose_run(pod("c", status={**RUNNING, "lastState": ENDED}), "c", previous=True).removed
    assert log_options.choose_run(pod("c", status={**BACK_OFF, "lastState": ENDED}), "c", previous=True).removed


def test_a_run_has_ended_once_another_container_runs_or_none() -> None:
    run = log_options.choose_run(pod("c", status=RUNNING), "c", previous=False)
    assert not log_options.has_ended(pod("c", status=RUNNING), run)
    assert log_options.has_ended(pod("c", status={**RUNNING, "containerID": "docker://new"}), run)
    assert log_options.has_ended(pod("c", status={"state": ENDED}), run)


def test_since_the_beginning_of_time_is_everything() -> None:
    wanted = log_options.read(QueryDict(f"sinceSeconds={2**63 - 1}"), "p")
    assert wanted.since(datetime(2026, 5, 4, tzinfo=UTC)) is None
