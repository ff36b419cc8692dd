"""What is added to a pod, and what is refused, before it is stored."""

from __future__ import annotations

import re
from typing import Any

import pytest
from registry_samples import made, pod, refusal

from podlab.apis.types import Manifest
from podlab.registry.client import Client

pytestmark = pytest.mark.django_db

NOT_READY = {
    "key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300,
}  # fmt: skip
UNREACHABLE = {**NOT_READY, "key": "node.kubernetes.io/unreachable"}
TOKEN_PATH = "/var/run/secrets/kubernetes.io/serviceaccount"


def account(name: str, **more: Any) -> Manifest:
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name}, **more}


class TestServiceAccount:
    def test_every_container_finds_the_token_of_the_default_account(self, client: Client) -> None:
        spec = made(client, pod(initContainers=[{"name": "i", "image": "x"}]))["spec"]
        (volume,) = spec["volumes"]
        assert re.fullmatch("kube-api-access-[bcdfghjklmnpqrstvwxz2456789]{5}", volume["name"])
        assert volume["projected"] == {
            "defaultMode": 420,
            "sources": [
                {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
                {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
                {
                    "downwardAPI": {
                        "items": [
                            {"path": "namespace", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}
                        ]
                    }
                },
            ],
        }
        mount = {"name": volume["name"], "readOnly": True, "mountPath": TOKEN_PATH}
        assert [item["volumeMounts"] for item in (*spec["initContainers"], *spec["containers"])] == [[mount]] * 2
        assert (spec["serviceAccountName"], spec["serviceAccount"]) == ("default", "default")

    def test_a_container_with_something_at_the_path_keeps_it(self, client: Client) -> None:
        mine = {"name": "v", "mountPath": TOKEN_PATH}
        containers = [{"name": "c", "image": "x", "volumeMounts": [mine]}]
        spec = made(client, pod(containers=containers, volumes=[{"name": "v", "emptyDir": {}}]))["spec"]
        assert [volume["name"] for volume in spec["volumes"]] == ["v"]
        assert spec["containers"][0]["volumeMounts"] == [mine]

    def test_the_pods_word_counts_more_than_the_accounts(self, client: Client) -> None:
        made(client, account("quiet", automountServiceAccountToken=False))
        assert "volumes" not in made(client, pod("a", serviceAccountName="quiet"))["spec"]
        loud = pod("b", serviceAccountName="quiet", automountServiceAccountToken=True)
        assert len(made(client, loud)["spec"]["volumes"]) == 1
        assert "volumes" not in made(client, pod("c", automountServiceAccountToken=False))["spec"]

    def test_pull_secrets_come_from_the_account(self, client: Client) -> None:
        made(client, account("puller", imagePullSecrets=[{"name": "s"}]))
        assert made(client, pod("a", serviceAccountName="puller"))["spec"]["imagePullSecrets"] == [{"name": "s"}]
        own = pod("b", serviceAccountName="puller", imagePullSecrets=[{"name": "t"}])
        assert made(client, own)["spec"]["imagePullSecrets"] == [{"name": "t"}]

    def test_an_account_that_is_not_there(self, client: Client) -> None:
        error = refusal(made, client, pod(serviceAccountName="nobody"))
        assert (error.code, error.reason) == (403, "Forbidden")
        assert error.message == (
            'pods "p" is forbidden: error looking up service account default/nobody: serviceaccount "nobody" not found'
        )


REFUSED = {
    "an unknown priority class": (
        {"priorityClassName": "high"},
        'pods "p" is forbidden: no PriorityClass with name high was found',
    ),
    "a number of its own": (
        {"priority": 5},
        'pods "p" is forbidden: the integer value of priority (5) must not be provided in pod spec; priority admission '
        "controller computed 0 from the given PriorityClass name",
    ),
    "a preemption policy of its own": (
        {"preemptionPolicy": "Never"},
        'pods "p" is forbidden: the string value of PreemptionPolicy (Never) must not be provided in pod spec; priority '
        "admission controller computed PreemptLowerPriority from the given PriorityClass name",
    ),
    "a runtime class": (
        {"runtimeClassName": "gvisor"},
        'pods "p" is forbidden: pod rejected: RuntimeClass "gvisor" not found',
    ),
    "overhead without a class": (
        {"overhead": {"cpu": "1"}},
        'pods "p" is forbidden: pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead',
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_pod_is_refused_for(what: str, client: Client) -> None:
    spec, text = REFUSED[what]
    error = refusal(made, client, pod(**spec))
    assert (error.code, error.message) == (403, text)


PRIORITIES = {None: 0, "system-cluster-critical": 2_000_000_000, "system-node-critical": 2_000_001_000}


@pytest.mark.parametrize("name", PRIORITIES)
def test_priority_comes_from_the_class(name: str | None, client: Client) -> None:
    spec = made(client, pod(**({"priorityClassName": name} if name else {})))["spec"]
    assert (spec["priority"], spec["preemptionPolicy"]) == (PRIORITIES[name], "PreemptLowerPriority")


TOLERATIONS: dict[str, tuple[list[Manifest], list[Manifest]]] = {
    "nothing said": ([], [NOT_READY, UNREACHABLE]),
    "something else tolerated": (
        [{"key": "a", "operator": "Exists"}],
        [{"key": "a", "operator": "Exists"}, NOT_READY, UNREACHABLE],
    ),
    "one of them said": ([{**NOT_READY, "tolerationSeconds": 5}], [{**NOT_READY, "tolerationSeconds": 5}, UNREACHABLE]),
    "everything tolerated": ([{"operator": "Exists"}], [{"operator": "Exists"}]),
    "only NoSchedule said": (
        [{"key": NOT_READY["key"], "operator": "Exists", "effect": "NoSchedule"}],
        [{"key": NOT_READY["key"], "operator": "Exists", "effect": "NoSchedule"}, NOT_READY, UNREACHABLE],
    ),
}


@pytest.mark.parametrize("sentence", TOLERATIONS)
def test_tolerations_with(sentence: str, client: Client) -> None:
    given, expected = TOLERATIONS[sentence]
    assert made(client, pod(tolerations=given))["spec"]["tolerations"] == expected


def test_a_put_may_leave_out_what_admission_added(client: Client) -> None:
    seen = made(client, pod(automountServiceAccountToken=False))
    left_out = ("priority", "preemptionPolicy", "tolerations")
    spec = {name: value for name, value in seen["spec"].items() if name not in left_out}
    assert client.update("pods", "default", "p", {**seen, "spec": spec}).obj == seen
