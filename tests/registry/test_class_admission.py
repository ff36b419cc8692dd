"""What priority classes, runtime classes and pod presets put into a pod."""

from __future__ import annotations

from typing import Any

import pytest
from registry_samples import made, pod, refusal

from podlab.apis.types import Manifest
from podlab.registry.client import Client

pytestmark = pytest.mark.django_db

PRIORITY = "priorityclasses.scheduling.k8s.io"
RUNTIME = "runtimeclasses.node.k8s.io"
PRESETS = "podpresets.settings.k8s.io"


def priority_class(name: str, value: int, **more: Any) -> Manifest:
    meta = {"name": name}
    return {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": meta, "value": value, **more}


def runtime_class(**more: Any) -> Manifest:
    meta = {"name": "r"}
    return {"apiVersion": "node.k8s.io/v1", "kind": "RuntimeClass", "metadata": meta, "handler": "h", **more}


def preset(name: str, **spec: Any) -> Manifest:
    body = {"selector": {"matchLabels": {"app": "a"}}, **spec}
    return {"apiVersion": "settings.k8s.io/v1alpha1", "kind": "PodPreset", "metadata": {"name": name}, "spec": body}


def labelled(name: str = "p", annotations: dict[str, str] | None = None, **spec: Any) -> Manifest:
    obj = pod(name, automountServiceAccountToken=False, **spec)
    obj["metadata"].update(labels={"app": "a"}, annotations=annotations or {})
    return obj


class TestPriority:
    def test_the_class_says_how_much(self, client: Client) -> None:
        client.create(PRIORITY, priority_class("high", 5, preemptionPolicy="Never"))
        spec = made(client, pod(priorityClassName="high"))["spec"]
        assert (spec["priority"], spec["preemptionPolicy"]) == (5, "Never")

    def test_a_default_is_for_those_without_a_class(self, client: Client) -> None:
        client.create(PRIORITY, priority_class("usual", 7, globalDefault=True))
        spec = made(client, pod())["spec"]
        assert (spec["priority"], spec["priorityClassName"]) == (7, "usual")
        error = refusal(client.create, PRIORITY, priority_class("other", 8, globalDefault=True))
        assert error.message == (
            'priorityclasses.scheduling.k8s.io "other" is forbidden: PriorityClass usual is already marked as default. '
            "Only one default can exist"
        )


RUNTIME_CASES: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "an overhead of its own": (
        {},
        {"overhead": {"cpu": "1"}},
        "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead",
    ),
    "another overhead than the class's": (
        {"overhead": {"podFixed": {"cpu": "1"}}},
        {"overhead": {"cpu": "2"}},
        "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead",
    ),
    "another place than the class's": (
        {"scheduling": {"nodeSelector": {"a": "b"}}},
        {"nodeSelector": {"a": "c"}},
        "conflict: runtimeClass.scheduling.nodeSelector[a] = b; pod.spec.nodeSelector[a] = c",
    ),
}


class TestRuntimeClass:
    def test_it_adds_what_it_needs(self, client: Client) -> None:
        toleration = {"key": "t", "operator": "Exists"}
        scheduling = {"nodeSelector": {"a": "b"}, "tolerations": [toleration]}
        client.create(RUNTIME, runtime_class(overhead={"podFixed": {"cpu": "100m"}}, scheduling=scheduling))
        spec = made(client, pod(runtimeClassName="r", nodeSelector={"x": "y"}, overhead={"cpu": "0.1"}))["spec"]
        assert spec["overhead"] == {"cpu": "100m"}
        assert spec["nodeSelector"] == {"a": "b", "x": "y"}
        assert toleration in spec["tolerations"]

    @pytest.mark.parametrize(("given", "spec", "text"), list(RUNTIME_CASES.values()), ids=list(RUNTIME_CASES))
    def test_what_disagrees(self, client: Client, given: Any, spec: Any, text: str) -> None:
        client.create(RUNTIME, runtime_class(**given))
        error = refusal(made, client, pod(runtimeClassName="r", **spec))
        assert (error.code, error.message) == (403, f'pods "p" is forbidden: {text}')


ENV = {"name": "A", "value": "1"}
VOLUME = {"name": "v", "emptyDir": {}}
MOUNT = {"name": "v", "mountPath": "/v"}


class TestPodPreset:
    def test_it_adds_to_every_container_and_says_so(self, client: Client) -> None:
        more = {
            "env": [ENV],
            "envFrom": [{"configMapRef": {"name": "c"}}],
            "volumes": [VOLUME],
            "volumeMounts": [MOUNT],
        }
        made_preset = client.create(PRESETS, preset("one", **more), namespace="default").obj
        obj = made(client, labelled(initContainers=[{"name": "i", "image": "x"}]))
        for container in (*obj["spec"]["containers"], *obj["spec"]["initContainers"]):
            assert {name: container[name] for name in ("env", "envFrom", "volumeMounts")} == {
                "env": [ENV], "envFrom": [{"configMapRef": {"name": "c"}}], "volumeMounts": [MOUNT],
            }  # fmt: skip
        assert obj["spec"]["volumes"] == [VOLUME]
        version = made_preset["metadata"]["resourceVersion"]
        assert obj["metadata"]["annotations"] == {"podpreset.admission.kubernetes.io/podpreset-one": version}

    def test_what_the_pod_says_itself_may_be_the_same(self, client: Client) -> None:
        client.create(PRESETS, preset("one", env=[ENV, {"name": "B", "value": "2"}]), namespace="default")
        container = {"name": "c", "image": "x", "env": [ENV]}
        env = made(client, labelled(containers=[container]))["spec"]["containers"][0]["env"]
        assert [item["name"] for item in env] == ["A", "B"]

    @pytest.mark.parametrize(
        "other",
        [
            {"env": [{"name": "A", "value": "2"}]},
            {"volumes": [{"name": "v", "hostPath": {"path": "/x", "type": ""}}]},
            {"volumeMounts": [{"name": "w", "mountPath": "/v"}]},
        ],
        ids=["a variable", "a volume", "a place"],
    )
    def test_where_two_disagree_nothing_is_applied(self, client: Client, other: dict[str, Any]) -> None:
        one = preset("one", env=[ENV], volumes=[VOLUME], volumeMounts=[MOUNT])
        client.create(PRESETS, one, namespace="default")
        client.create(PRESETS, preset("two", **other), namespace="default")
        obj = made(client, labelled())
        assert "env" not in obj["spec"]["containers"][0]
        assert "annotations" not in obj["metadata"]

    def test_a_pod_may_stay_out_of_it(self, client: Client) -> None:
        client.create(PRESETS, preset("one", env=[ENV]), namespace="default")
        out = labelled("out", {"podpreset.admission.kubernetes.io/exclude": "true"})
        other = pod("other")
        for obj in (out, other):
            assert "env" not in made(client, obj)["spec"]["containers"][0]


def test_privileged_containers_can_be_forbidden(client: Client, settings: Any) -> None:
    privileged = {"name": "c", "image": "x", "securityContext": {"privileged": True}}
    made(client, pod("a", containers=[privileged]))
    settings.PODLAB_ALLOW_PRIVILEGED = False
    error = refusal(made, client, pod("b", containers=[privileged]))
    assert error.message == (
        'Pod "b" is invalid: spec.containers[0].securityContext.privileged: Forbidden: disallowed by cluster policy'
    )
