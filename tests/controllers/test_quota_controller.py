"""What a quota says is used, as objects come and go."""

from __future__ import annotations

from typing import Any

import pytest
from controllers_driven import Driven

from podlab.apis.status_errors import ApiError
from podlab.apis.types import Manifest

pytestmark = pytest.mark.django_db


def quota(hard: dict[str, str], **spec: Any) -> Manifest:
    meta = {"name": "q"}
    return {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": meta, "spec": {"hard": hard, **spec}}


def pod(name: str, cpu: str = "", **spec: Any) -> Manifest:
    container: dict[str, Any] = {"name": "c", "image": "x"}
    if cpu:
        container["resources"] = {"requests": {"cpu": cpu}}
    body = {"containers": [container], **spec}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": body}


def used(driven: Driven) -> dict[str, str]:
    driven.settle()
    found: dict[str, str] = driven.client.get("resourcequotas", "default", "q").obj["status"]["used"]
    return found


def limited(driven: Driven, hard: dict[str, str], **spec: Any) -> None:
    driven.client.create("resourcequotas", quota(hard, **spec), namespace="default")
    driven.settle()


def create(driven: Driven, obj: Manifest) -> None:
    driven.client.create(f"{obj['kind'].lower()}s", obj, namespace="default")


def test_what_was_there_before_is_counted(driven: Driven) -> None:
    create(driven, pod("old", "100m"))
    limited(driven, {"pods": "3", "requests.cpu": "1", "count/configmaps": "9", "count/widgets.example.com": "1"})
    assert used(driven) == {"count/configmaps": "0", "pods": "1", "requests.cpu": "100m"}


def test_usage_rises_with_the_write_and_falls_after_it(driven: Driven) -> None:
    limited(driven, {"pods": "2", "requests.cpu": "1"})
    create(driven, pod("a", "300m"))
    booked = driven.client.get("resourcequotas", "default", "q").obj["status"]["used"]
    assert booked == {"pods": "1", "requests.cpu": "300m"}
    driven.client.delete("pods", "default", "a")
    assert used(driven) == {"pods": "0", "requests.cpu": "0"}


def test_a_pod_that_ended_takes_nothing(driven: Driven) -> None:
    limited(driven, {"pods": "2", "count/pods": "5"})
    create(driven, pod("a"))

    def end(obj: Manifest) -> None:
        obj["status"]["phase"] = "Succeeded"

    driven.client.update_status("pods", "default", "a", end)
    assert used(driven) == {"count/pods": "1", "pods": "0"}


def test_too_much_is_refused_and_not_booked(driven: Driven) -> None:
    limited(driven, {"requests.cpu": "1"})
    create(driven, pod("a", "600m"))
    with pytest.raises(ApiError) as caught:
        create(driven, pod("b", "600m"))
    assert caught.value.message == (
        'pods "b" is forbidden: exceeded quota: q, requested: requests.cpu=600m, used: requests.cpu=600m, '
        "limited: requests.cpu=1"
    )
    assert driven.client.find("pods", "default", "b") is None
    assert used(driven) == {"requests.cpu": "600m"}


def test_a_quota_that_was_never_counted_lets_nothing_in(driven: Driven) -> None:
    driven.client.create("resourcequotas", quota({"pods": "2"}), namespace="default")

    def half(obj: Manifest) -> None:
        obj["status"] = {"hard": {"pods": "2"}}

    driven.client.update_status("resourcequotas", "default", "q", half)
    with pytest.raises(ApiError) as caught:
        create(driven, pod("a"))
    assert caught.value.message == 'pods "a" is forbidden: status unknown for quota: q, resources: pods'


def test_new_limits_are_taken_up(driven: Driven) -> None:
    limited(driven, {"pods": "1"})
    patch = {"spec": {"hard": {"pods": "2", "secrets": "3"}}}
    driven.client.patch("resourcequotas", "default", "q", "application/merge-patch+json", patch)
    assert used(driven) == {"pods": "0", "secrets": "0"}


SCOPES: dict[str, tuple[dict[str, Any], Manifest, str]] = {
    "best effort": ({"scopes": ["BestEffort"]}, pod("a"), "1"),
    "best effort leaves out who asks": ({"scopes": ["BestEffort"]}, pod("a", "1m"), "0"),
    "not best effort": ({"scopes": ["NotBestEffort"]}, pod("a", "1m"), "1"),
    "terminating": ({"scopes": ["Terminating"]}, pod("a", activeDeadlineSeconds=5), "1"),
    "not terminating": ({"scopes": ["NotTerminating"]}, pod("a", activeDeadlineSeconds=5), "0"),
    "a class by name": (
        {
            "scopeSelector": {
                "matchExpressions": [
                    {"scopeName": "PriorityClass", "operator": "In", "values": ["system-node-critical"]}
                ]
            }
        },
        pod("a", priorityClassName="system-node-critical"),
        "1",
    ),
    "any class": (
        {"scopeSelector": {"matchExpressions": [{"scopeName": "PriorityClass", "operator": "Exists"}]}},
        pod("a"),
        "0",
    ),
}


@pytest.mark.parametrize(("spec", "obj", "counted"), list(SCOPES.values()), ids=list(SCOPES))
def test_scopes(driven: Driven, spec: dict[str, Any], obj: Manifest, counted: str) -> None:
    limited(driven, {"pods": "5"}, **spec)
    create(driven, obj)
    assert used(driven) == {"pods": counted}
    driven.client.delete("resourcequotas", "default", "q")
    limited(driven, {"pods": "5"}, **spec)
    assert used(driven) == {"pods": counted}  # counted anew, the same


def test_a_pod_that_is_given_an_end_comes_under_other_quotas(driven: Driven) -> None:
    deadline = {"spec": {"activeDeadlineSeconds": 60}}
    limited(driven, {"pods": "1"}, scopes=["Terminating"])
    create(driven, pod("a"))
    assert used(driven) == {"pods": "0"}
    driven.client.patch("pods", "default", "a", "application/merge-patch+json", deadline)
    assert driven.client.get("resourcequotas", "default", "q").obj["status"]["used"] == {"pods": "1"}, "at once"
    with pytest.raises(ApiError, match="exceeded quota: q, requested: pods=1, used: pods=1, limited: pods=1"):
        create(driven, pod("b", activeDeadlineSeconds=60))
    driven.client.delete("resourcequotas", "default", "q")
    limited(driven, {"pods": "1"}, scopes=["NotTerminating"])
    create(driven, pod("c"))
    driven.client.patch("pods", "default", "c", "application/merge-patch+json", deadline)
    assert used(driven) == {"pods": "0"}


def test_services_count_their_node_ports(driven: Driven) -> None:
    limited(driven, {"services": "5", "services.nodeports": "2", "services.loadbalancers": "1"})
    ports = [{"name": "a", "port": 80}, {"name": "b", "port": 81}]
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s"}, "spec": {"ports": ports}}
    create(driven, service)
    # The other one is default/kubernetes.
    assert used(driven) == {"services": "2", "services.loadbalancers": "0", "services.nodeports": "0"}
    patch = {"spec": {"type": "NodePort"}}
    driven.client.patch("services", "default", "s", "application/merge-patch+json", patch)
    booked = driven.client.get("resourcequotas", "default", "q").obj["status"]["used"]
    assert booked["services.nodeports"] == "2"
    driven.client.delete("services", "default", "s")
    assert used(driven) == {"services": "1", "services.loadbalancers": "0", "services.nodeports": "0"}
