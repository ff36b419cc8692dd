from __future__ import annotations

import copy
from typing import Any

import pytest
from apis_goldens import Case, name_of, recorded

from podlab.apis import defaults, feature_gates, pods, schema_check, scheme
from podlab.apis.image_names import pull_policy
from podlab.apis.types import Manifest


def defaulted(obj: Manifest, resource: scheme.Resource = scheme.PODS) -> Manifest:
    copied = copy.deepcopy(obj)
    defaults.apply(resource, copied)
    return copied


def container(**more: Any) -> Manifest:
    pod = {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "busybox:1.36", **more}]}}
    found: Manifest = defaulted(pod)["spec"]["containers"][0]
    return found


def test_a_bare_pod() -> None:
    pod = defaulted({"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "busybox"}]}})
    assert pod["spec"] == {
        "containers": [
            {
                "name": "c",
                "image": "busybox",
                "imagePullPolicy": "Always",
                "resources": {},
                "terminationMessagePath": "/dev/termination-log",
                "terminationMessagePolicy": "File",
            }
        ],
        "restartPolicy": "Always",
        "dnsPolicy": "ClusterFirst",
        "schedulerName": "default-scheduler",
        "securityContext": {},
        "terminationGracePeriodSeconds": 30,
        "enableServiceLinks": True,
    }


def test_defaulting_twice_changes_nothing() -> None:
    pod = defaulted({"spec": {"containers": [{"livenessProbe": {"httpGet": {}}}], "volumes": [{"name": "v"}]}})
    assert defaulted(pod) == pod


PULLED = {
    "busybox": "Always", "busybox:latest": "Always", "busybox:1.36": "IfNotPresent", "localhost:5000/a/b": "Always",
    "a/b:c": "IfNotPresent", "b@sha256:" + "a" * 64: "IfNotPresent", "Busy_Box:::": "IfNotPresent", "": "IfNotPresent",
}  # fmt: skip


@pytest.mark.parametrize("image", PULLED)
def test_pull_policy_goes_by_the_tag(image: str) -> None:
    assert pull_policy(image) == PULLED[image]


def test_limits_become_requests_where_none_are_given() -> None:
    resources = container(resources={"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "100m"}})["resources"]
    assert resources["requests"] == {"cpu": "100m", "memory": "1Gi"}


def test_quantities_are_rounded_up_to_milli() -> None:
    assert container(resources={"limits": {"cpu": "100u"}})["resources"]["limits"] == {"cpu": "1m"}


def test_probes_and_hooks() -> None:
    assert container(livenessProbe={"httpGet": {"port": 80}})["livenessProbe"] == {
        "httpGet": {"port": 80, "path": "/", "scheme": "HTTP"},
        "timeoutSeconds": 1,
        "periodSeconds": 10,
        "successThreshold": 1,
        "failureThreshold": 3,
    }
    assert container(startupProbe={"grpc": {"port": 1}})["startupProbe"]["grpc"] == {"port": 1, "service": ""}


def test_host_network_takes_the_container_port() -> None:
    pod = {"spec": {"hostNetwork": True, "containers": [{"name": "c", "ports": [{"containerPort": 80}]}]}}
    assert defaulted(pod)["spec"]["containers"][0]["ports"] == [
        {"containerPort": 80, "hostPort": 80, "protocol": "TCP"}
    ]


@pytest.mark.parametrize(
    ("volume", "expected"),
    [
        ({"name": "v"}, {"name": "v", "emptyDir": {}}),
        ({"name": "v", "hostPath": {"path": "/x"}}, {"name": "v", "hostPath": {"path": "/x", "type": ""}}),
        ({"name": "v", "secret": {}}, {"name": "v", "secret": {"defaultMode": 420}}),
        (
            {"name": "v", "projected": {"sources": [{"serviceAccountToken": {"path": "t"}}]}},
            {
                "name": "v",
                "projected": {
                    "sources": [{"serviceAccountToken": {"path": "t", "expirationSeconds": 3600}}],
                    "defaultMode": 420,
                },
            },
        ),
    ],
)
def test_volumes(volume: Manifest, expected: Manifest) -> None:
    assert defaulted({"spec": {"volumes": [volume]}})["spec"]["volumes"] == [expected]


def test_namespaces_carry_their_name_and_finalizer() -> None:
    assert defaulted({"metadata": {"name": "a"}}, scheme.NAMESPACES) == {
        "metadata": {"name": "a", "labels": {"kubernetes.io/metadata.name": "a"}},
        "spec": {"finalizers": ["kubernetes"]},
        "status": {"phase": "Active"},
    }


def test_secrets_take_up_their_plain_text() -> None:
    assert defaulted({"data": {"a": "Yg=="}, "stringData": {"c": "d"}}, scheme.SECRETS) == {
        "data": {"a": "Yg==", "c": "ZA=="},
        "type": "Opaque",
    }


ADMITTED = ("tolerations", "priority", "preemptionPolicy", "serviceAccountName", "serviceAccount", "hostUsers")


def without_admission(spec: Manifest) -> Manifest:
    """The recorded spec without what admission and feature gates do to it."""
    spec = {name: value for name, value in copy.deepcopy(spec).items() if name not in ADMITTED}
    spec["volumes"] = [item for item in spec.get("volumes") or [] if not item["name"].startswith("kube-api-access-")]
    for name in ("containers", "initContainers"):
        for item in spec.get(name) or []:
            mounts = item.get("volumeMounts") or []
            item["volumeMounts"] = [mount for mount in mounts if not mount["name"].startswith("kube-api-access-")]
            if not item["volumeMounts"]:
                del item["volumeMounts"]
    if not spec["volumes"]:
        del spec["volumes"]
    return spec


CASES = [case for case in recorded("pod-valid") if isinstance(case["steps"][0].get("body"), dict)]
if CASES:

    @pytest.mark.parametrize("case", CASES, ids=name_of)
    def test_recorded_defaults(case: Case) -> None:
        step = case["steps"][0]
        expected = step["expect"]["object"]
        pod = schema_check.drop_unknown(scheme.PODS, step["body"])
        defaults.apply(scheme.PODS, pod)
        feature_gates.drop_disabled(pod)
        feature_gates.sync_app_armor(pod)
        assert without_admission(pod["spec"]) == without_admission(expected["spec"])
        assert pods.qos_class(pod) == expected["status"]["qosClass"]
