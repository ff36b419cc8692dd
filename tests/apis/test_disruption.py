"""How many pods a disruption budget lets go."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from podlab.apis import disruption, times
from podlab.apis.types import Manifest

NOW = datetime(2026, 11, 21, 2, 0, 0, tzinfo=UTC)


def pods(ready: int, sick: int = 0) -> list[Manifest]:
    def pod(name: str, ready: bool) -> Manifest:
        condition = {"type": "Ready", "status": "True" if ready else "False"}
        return {"metadata": {"name": name}, "status": {"conditions": [condition]}}

    return [pod(f"w-{index}", index < ready) for index in range(ready + sick)]


def budget(status: Manifest | None = None, **spec: Any) -> Manifest:
    return {"metadata": {"name": "b", "generation": 3}, "spec": spec, "status": status or {}}


# the budget; pods that are ready and sick; how many there should be; then healthy, wanted and allowed
CASES: dict[str, tuple[Manifest, int, int, int, tuple[int, int, int]]] = {
    "one of three may go": (budget(minAvailable=2), 3, 0, 3, (3, 2, 1)),
    "none may go when all are needed": (budget(minAvailable=3), 3, 0, 3, (3, 3, 0)),
    "a sick pod is missing already": (budget(minAvailable=2), 2, 1, 3, (2, 2, 0)),
    "a share of the pods is rounded up": (budget(minAvailable="50%"), 3, 0, 3, (3, 2, 1)),
    "so is the share that may be missing": (budget(maxUnavailable="30%"), 4, 0, 4, (4, 2, 2)),
    "a number may be missing": (budget(maxUnavailable=1), 3, 0, 3, (3, 2, 1)),
    "more may be missing than there are": (budget(maxUnavailable=9), 3, 0, 3, (3, 0, 3)),
    "of no pods nothing may go": (budget(maxUnavailable=1), 0, 0, 0, (0, 0, 0)),
    "pods that should be there count": (budget(maxUnavailable=1), 2, 0, 4, (2, 3, 0)),
}


@pytest.mark.parametrize("case", CASES)
def test_a_budget_counts_its_pods(case: str) -> None:
    given, ready, sick, expected, wanted = CASES[case]
    status = disruption.status_of(given, pods(ready, sick), expected, NOW).status
    assert (status["currentHealthy"], status["desiredHealthy"], status["disruptionsAllowed"]) == wanted
    assert (status["expectedPods"], status["observedGeneration"]) == (expected, 3)
    word = "True" if wanted[2] else "False"
    assert [(item["type"], item["status"]) for item in status["conditions"]] == [("DisruptionAllowed", word)]


def test_an_evicted_pod_is_believed_to_go_for_two_minutes() -> None:
    asked = NOW - timedelta(seconds=30)
    given = budget({"disruptedPods": {"w-0": times.rfc3339(asked)}}, minAvailable=1)
    outcome = disruption.status_of(given, pods(3), 3, NOW)
    assert (outcome.status["currentHealthy"], outcome.status["disruptionsAllowed"]) == (2, 1)
    assert outcome.recheck == asked + timedelta(minutes=2)
    later = disruption.status_of(given, pods(3), 3, NOW + timedelta(minutes=2))
    assert (later.overdue, later.status["currentHealthy"]) == (("w-0",), 3)
    assert "disruptedPods" not in later.status


def test_the_time_of_the_condition_moves_only_with_its_status() -> None:
    first = disruption.status_of(budget(minAvailable=1), pods(3), 3, NOW).status
    later = disruption.status_of(budget(first, minAvailable=1), pods(2), 2, NOW + timedelta(hours=1)).status
    assert later["conditions"][0]["lastTransitionTime"] == times.rfc3339(NOW)
    last = disruption.status_of(budget(later, minAvailable=2), pods(2), 2, NOW + timedelta(hours=2)).status
    assert last["conditions"][0]["lastTransitionTime"] == times.rfc3339(NOW + timedelta(hours=2))


def test_what_cannot_be_counted_may_not_be_disrupted() -> None:
    status = disruption.failed(budget({"disruptionsAllowed": 2}, minAvailable=1), "no controllers", NOW)
    assert status["disruptionsAllowed"] == 0
    assert (status["conditions"][0]["reason"], status["conditions"][0]["message"]) == ("SyncFailed", "no controllers")
