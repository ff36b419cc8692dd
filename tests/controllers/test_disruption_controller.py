"""Budgets are counted by the controller and spent by evictions."""

from __future__ import annotations

from typing import Any

import pytest
from controllers_driven import Driven

from podlab.apis.status_errors import ApiError
from podlab.apis.types import Manifest

BUDGETS = "poddisruptionbudgets.policy"


def serve(driven: Driven, name: str, *, ready: bool = True, owner: Manifest | None = None) -> None:
    """A pod with the label app=a that runs."""
    meta: dict[str, Any] = {"name": name, "labels": {"app": "a"}, "ownerReferences": [owner] if owner else []}
    spec = {"containers": [{"name": "c", "image": "busybox:1.36"}]}
    driven.client.create(
        "pods", {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec}, namespace="default"
    )
    say(driven, name, ready=ready)


def say(driven: Driven, name: str, *, ready: bool) -> None:
    def change(pod: Manifest) -> None:
        pod["status"]["phase"] = "Running"
        pod["status"]["conditions"] = [{"type": "Ready", "status": "True" if ready else "False"}]

    driven.client.update_status("pods", "default", name, change)


def protect(driven: Driven, name: str = "b", **spec: Any) -> None:
    wanted = {"selector": {"matchLabels": {"app": "a"}}, **spec}
    body = {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": name}, "spec": wanted}
    driven.client.create(BUDGETS, body, namespace="default")


def status(driven: Driven, name: str = "b") -> Manifest:
    driven.settle()
    found: Manifest = driven.client.get(BUDGETS, "default", name).obj["status"]
    return found


def evict(driven: Driven, name: str, **options: Any) -> None:
    body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name}, "deleteOptions": options}
    driven.client.evict("default", name, body)


def refused(driven: Driven, name: str, **options: Any) -> ApiError:
    with pytest.raises(ApiError) as caught:
        evict(driven, name, **options)
    return caught.value


def cause(error: ApiError) -> str:
    return str((error.details or {})["causes"][0]["message"])


def test_a_budget_lets_one_go_and_then_none(driven: Driven) -> None:
    for name in ("p-0", "p-1", "p-2"):
        serve(driven, name)
    protect(driven, minAvailable=2)
    assert status(driven)["disruptionsAllowed"] == 1
    evict(driven, "p-0")
    assert driven.client.find("pods", "default", "p-0") is None
    error = refused(driven, "p-1")
    assert (error.code, error.reason) == (429, "TooManyRequests")
    assert error.message == "Cannot evict pod as it would violate the pod's disruption budget."
    assert cause(error) == "The disruption budget b needs 2 healthy pods and has 3 currently"
    now = status(driven)
    assert (now["currentHealthy"], now["disruptionsAllowed"], now["expectedPods"]) == (2, 0, 2)


def test_the_last_permission_is_taken_at_once(driven: Driven) -> None:
    serve(driven, "p-0")
    protect(driven, maxUnavailable="100%")
    driven.settle()
    serve(driven, "p-1", owner=replica_set(driven, 2))
    assert status(driven)["disruptionsAllowed"] == 2
    evict(driven, "p-0")
    spent = driven.client.get(BUDGETS, "default", "b").obj["status"]
    assert (spent["disruptionsAllowed"], list(spent["disruptedPods"])) == (1, ["p-0"])
    evict(driven, "p-1")
    spent = driven.client.get(BUDGETS, "default", "b").obj["status"]
    assert [(item["status"], item["reason"]) for item in spent["conditions"]] == [("False", "InsufficientPods")]


def replica_set(driven: Driven, replicas: int) -> Manifest:
    spec = {
        "replicas": replicas,
        "selector": {"matchLabels": {"app": "a"}},
        "template": {
            "metadata": {"labels": {"app": "a"}},
            "spec": {"containers": [{"name": "c", "image": "busybox:1.36"}]},
        },
    }
    body = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": {"name": "r"}, "spec": spec}
    made = driven.client.create("replicasets.apps", body, namespace="default").obj
    return {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "name": "r",
        "uid": made["metadata"]["uid"],
        "controller": True,
    }


def test_a_share_is_of_what_the_controllers_want(driven: Driven) -> None:
    owner = replica_set(driven, 4)
    for name in ("r-0", "r-1", "r-2"):
        serve(driven, name, owner=owner)
    protect(driven, minAvailable="50%")
    now = status(driven)
    assert (now["expectedPods"], now["desiredHealthy"], now["disruptionsAllowed"]) == (4, 2, 1)


def test_pods_of_an_unknown_controller_stop_all_evictions(driven: Driven) -> None:
    stranger = {"apiVersion": "example.com/v1", "kind": "Machine", "name": "m", "uid": "1", "controller": True}
    serve(driven, "p-0", owner=stranger)
    protect(driven, maxUnavailable=1)
    now = status(driven)
    assert (now["conditions"][0]["reason"], now["disruptionsAllowed"]) == ("SyncFailed", 0)


def test_a_budget_that_was_not_counted_yet_asks_for_patience(driven: Driven) -> None:
    serve(driven, "p-0")
    protect(driven, minAvailable=0)
    error = refused(driven, "p-0")
    assert cause(error) == "The disruption budget b is still being processed by the server."
    assert (error.details or {})["retryAfterSeconds"] == 10


def test_two_budgets_for_one_pod_are_too_many(driven: Driven) -> None:
    serve(driven, "p-0")
    protect(driven, minAvailable=0)
    protect(driven, "other", minAvailable=0)
    driven.settle()
    error = refused(driven, "p-0")
    assert (error.code, error.reason) == (500, "")
    assert error.message == (
        "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."
    )


def test_a_sick_pod_goes_while_the_others_are_enough(driven: Driven) -> None:
    for name in ("p-0", "p-1"):
        serve(driven, name)
    serve(driven, "sick", ready=False)
    protect(driven, minAvailable=2)
    before = status(driven)
    evict(driven, "sick")
    assert driven.client.get(BUDGETS, "default", "b").obj["status"] == before


def test_a_sick_pod_stays_when_every_one_counts_unless_the_budget_says_otherwise(driven: Driven) -> None:
    serve(driven, "p-0", ready=False)
    protect(driven, minAvailable=1)
    driven.settle()
    assert refused(driven, "p-0").code == 429
    driven.client.delete(BUDGETS, "default", "b")
    protect(driven, minAvailable=1, unhealthyPodEvictionPolicy="AlwaysAllow")
    driven.settle()
    evict(driven, "p-0")
    assert driven.client.find("pods", "default", "p-0") is None


def test_a_dry_run_spends_nothing(driven: Driven) -> None:
    serve(driven, "p-0")
    protect(driven, minAvailable=0)
    before = status(driven)
    evict(driven, "p-0", dryRun=["All"])
    assert driven.client.get("pods", "default", "p-0").obj["status"]["conditions"][0]["type"] == "Ready"
    assert driven.client.get(BUDGETS, "default", "b").obj["status"] == before


def test_an_evicted_pod_with_a_node_is_told_and_given_its_grace(driven: Driven) -> None:
    serve(driven, "p-0")
    driven.client.bind("default", "p-0", "node-a")
    evict(driven, "p-0")
    pod = driven.client.get("pods", "default", "p-0").obj
    assert pod["metadata"]["deletionGracePeriodSeconds"] == 30
    told = next(item for item in pod["status"]["conditions"] if item["type"] == "DisruptionTarget")
    assert (told["status"], told["reason"], told["message"]) == (
        "True",
        "EvictionByEvictionAPI",
        "Eviction API: evicting",
    )


def test_preconditions_hold_before_anything_is_done(driven: Driven) -> None:
    serve(driven, "p-0")
    before = driven.client.get("pods", "default", "p-0").obj
    assert refused(driven, "p-0", preconditions={"resourceVersion": "1"}).reason == "Conflict"
    assert driven.client.get("pods", "default", "p-0").obj == before


def test_an_eviction_names_its_pod(driven: Driven) -> None:
    serve(driven, "p-0")
    with pytest.raises(ApiError) as caught:
        driven.client.evict("default", "p-0", {"apiVersion": "policy/v1", "kind": "Eviction"})
    assert caught.value.message == "name in URL does not match name in Eviction object"
