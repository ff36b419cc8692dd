"""LimitRange: what it adds to pods and what it refuses, as tables."""

from __future__ import annotations

from typing import Any

import pytest
from registry_samples import made, pod, refusal

from podlab.apis.types import Manifest
from podlab.registry.admission import limits
from podlab.registry.client import Client


def limit_range(*items: dict[str, Any]) -> Manifest:
    return {"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "l"}, "spec": {"limits": list(items)}}


def container(
    name: str = "c", *, requests: dict[str, str] | None = None, limits: dict[str, str] | None = None
) -> Manifest:
    resources = {key: value for key, value in (("requests", requests), ("limits", limits)) if value}
    return {"name": name, "image": "x", **({"resources": resources} if resources else {})}


PER_CONTAINER = {
    "between the bounds": ({"min": {"cpu": "1"}, "max": {"cpu": "2"}}, {"cpu": "1"}, {"cpu": "2"}, []),
    "no request": (
        {"min": {"cpu": "1"}},
        {},
        {},
        ["minimum cpu usage per Container is 1.  No request is specified"],
    ),
    "too little asked": (
        {"min": {"memory": "64Mi"}},
        {"memory": "32Mi"},
        {},
        ["minimum memory usage per Container is 64Mi, but request is 32Mi"],
    ),
    "too little allowed": (
        {"min": {"cpu": "1"}},
        {"cpu": "1"},
        {"cpu": "500m"},
        ["minimum cpu usage per Container is 1, but limit is 500m"],
    ),
    "no limit": ({"max": {"cpu": "1"}}, {}, {}, ["maximum cpu usage per Container is 1.  No limit is specified"]),
    "too much allowed": (
        {"max": {"cpu": "1"}},
        {},
        {"cpu": "1500m"},
        ["maximum cpu usage per Container is 1, but limit is 1500m"],
    ),
    "too much asked": (
        {"max": {"cpu": "1"}},
        {"cpu": "2"},
        {"cpu": "1"},
        ["maximum cpu usage per Container is 1, but request is 2"],
    ),
    "a ratio without a request": (
        {"maxLimitRequestRatio": {"cpu": "2"}},
        {},
        {"cpu": "1"},
        ["cpu max limit to request ratio per Container is 2, but no request is specified or request is 0"],
    ),
    "a ratio without a limit": (
        {"maxLimitRequestRatio": {"cpu": "2"}},
        {"cpu": "1"},
        {},
        ["cpu max limit to request ratio per Container is 2, but no limit is specified or limit is 0"],
    ),
    "too far apart": (
        {"maxLimitRequestRatio": {"cpu": "2"}},
        {"cpu": "200m"},
        {"cpu": "500m"},
        ["cpu max limit to request ratio per Container is 2, but provided ratio is 2.500000"],
    ),
    "exactly as far apart as allowed": ({"maxLimitRequestRatio": {"cpu": "2"}}, {"cpu": "1"}, {"cpu": "2"}, []),
}


@pytest.mark.parametrize(
    ("limit", "requests", "allowed", "told"), list(PER_CONTAINER.values()), ids=list(PER_CONTAINER)
)
def test_bounds_of_a_container(limit: Any, requests: Any, allowed: Any, told: list[str]) -> None:
    one = limit_range({"type": "Container", **limit})
    assert limits.pod_errors(one, pod(containers=[container(requests=requests, limits=allowed)])) == told


def test_bounds_of_a_pod_are_about_its_sum() -> None:
    one = limit_range({"type": "Pod", "max": {"memory": "100Mi"}})
    two = [container(name, limits={"memory": "60Mi"}) for name in ("a", "b")]
    assert limits.pod_errors(one, pod(containers=two)) == ["maximum memory usage per Pod is 100Mi, but limit is 120Mi"]


def test_a_mistake_of_two_containers_is_told_once() -> None:
    one = limit_range({"type": "Container", "max": {"cpu": "1"}})
    two = [container(name, limits={"cpu": "2"}) for name in ("a", "b")]
    assert len(limits.pod_errors(one, pod(containers=two))) == 1


def test_what_is_left_out_is_filled_in_and_noted() -> None:
    one = limit_range({"type": "Container", "default": {"cpu": "1", "memory": "1Gi"}, "defaultRequest": {"cpu": "1"}})
    obj = pod(containers=[container("a"), container("b", requests={"cpu": "2"}, limits={"cpu": "3", "memory": "2Gi"})],
              initContainers=[container("i", requests={"cpu": "2"})])  # fmt: skip
    limits.set_defaults(one, obj)
    spec = obj["spec"]
    assert spec["containers"][0]["resources"] == {"requests": {"cpu": "1"}, "limits": {"cpu": "1", "memory": "1Gi"}}
    assert spec["containers"][1]["resources"] == {"requests": {"cpu": "2"}, "limits": {"cpu": "3", "memory": "2Gi"}}
    assert obj["metadata"]["annotations"] == {
        "kubernetes.io/limit-ranger": "LimitRanger plugin set: cpu request for container a; cpu, memory limit for "
        "container a; cpu, memory limit for init container i"
    }


@pytest.mark.django_db
class TestPlugin:
    def test_a_pod_is_filled_and_refused(self, client: Client) -> None:
        made(client, limit_range({"type": "Container", "max": {"cpu": "1"}}))
        filled = made(client, pod("a"))
        assert filled["spec"]["containers"][0]["resources"] == {"limits": {"cpu": "1"}, "requests": {"cpu": "1"}}
        error = refusal(made, client, pod("b", containers=[container(limits={"cpu": "2"})]))
        text = 'pods "b" is forbidden: maximum cpu usage per Container is 1, but limit is 2'
        assert (error.code, error.message) == (403, text)

    def test_updates_are_not_looked_at(self, client: Client) -> None:
        made(client, pod("a"))
        made(client, limit_range({"type": "Container", "min": {"cpu": "1"}}))
        client.patch("pods", "default", "a", "application/merge-patch+json", {"metadata": {"labels": {"a": "b"}}})

    def test_claims(self, client: Client) -> None:
        made(client, limit_range({"type": "PersistentVolumeClaim", "max": {"storage": "1Gi"}}))
        spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "2Gi"}}}
        claim = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "c"}, "spec": spec}
        error = refusal(client.create, "persistentvolumeclaims", claim, namespace="default")
        assert error.message == (
            'persistentvolumeclaims "c" is forbidden: maximum storage usage per PersistentVolumeClaim is 1Gi, but '
            "request is 2Gi"
        )
