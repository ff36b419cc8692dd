from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from apis_goldens import Case, name_of, recorded

from podlab.apis import defaults, feature_gates, schema_check, scheme, status_errors, validation
from podlab.apis.types import Manifest


def accepted(pod: Manifest) -> Manifest:
    """As the registry prepares a pod: decoded, given a namespace, defaulted."""
    obj = schema_check.drop_unknown(scheme.PODS, copy.deepcopy(pod))
    obj.setdefault("metadata", {})["namespace"] = "n"
    obj["metadata"].setdefault("labels", {})
    defaults.apply(scheme.PODS, obj)
    feature_gates.drop_disabled(obj)
    return obj


def refusal(pod: Manifest) -> str | None:
    obj = accepted(pod)
    errors = validation.validate_create(scheme.PODS, obj)
    name = obj["metadata"].get("name", "")
    return status_errors.invalid(scheme.PODS, name, errors).message if errors else None


def pod(**spec: Any) -> Manifest:
    spec.setdefault("containers", [{"name": "c", "image": "busybox:1.36"}])
    return {"metadata": {"name": "p"}, "spec": spec}


def container(**more: Any) -> Manifest:
    return pod(containers=[{"name": "c", "image": "busybox:1.36", **more}])


MESSAGES = {
    "no containers": (pod(containers=[]), "spec.containers: Required value"),
    "no name": ({"spec": pod()["spec"]}, "metadata.name: Required value: name or generateName is required"),
    "no image": (pod(containers=[{"name": "c"}]), "spec.containers[0].image: Required value"),
    "two of one name": (
        pod(containers=[{"name": "c", "image": "a"}, {"name": "c", "image": "b"}]),
        'spec.containers[1].name: Duplicate value: "c"',
    ),
    "an unknown pull policy": (
        container(imagePullPolicy="Sometimes"),
        'spec.containers[0].imagePullPolicy: Unsupported value: "Sometimes": supported values: "Always", "IfNotPresent", "Never"',
    ),
    "a port beyond the range": (
        container(ports=[{"containerPort": 70000}]),
        "spec.containers[0].ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive",
    ),
    "one host port twice": (
        container(ports=[{"containerPort": 80, "hostPort": 8080}, {"containerPort": 81, "hostPort": 8080}]),
        'spec.containers[0].ports[1].hostPort: Duplicate value: "TCP//8080"',
    ),
    "value and valueFrom": (
        container(env=[{"name": "A", "value": "b", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}]),
        'spec.containers[0].env[0].valueFrom: Invalid value: "": may not be specified when `value` is not empty',
    ),
    "more requested than allowed": (
        container(resources={"requests": {"cpu": "2"}, "limits": {"cpu": "1"}}),
        'spec.containers[0].resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1',
    ),
    "a probe without a handler": (
        container(livenessProbe={}),
        "spec.containers[0].livenessProbe: Required value: must specify a handler type",
    ),
    "a liveness probe that must succeed twice": (
        container(livenessProbe={"exec": {"command": ["a"]}, "successThreshold": 2}),
        "spec.containers[0].livenessProbe.successThreshold: Invalid value: 2: must be 1",
    ),
    "a mount of nothing": (
        container(volumeMounts=[{"name": "v", "mountPath": "/v"}]),
        'spec.containers[0].volumeMounts[0].name: Not found: "v"',
    ),
    "two sources in one volume": (
        pod(volumes=[{"name": "v", "emptyDir": {}, "secret": {"secretName": "s"}}]),
        "spec.volumes[0].secret: Forbidden: may not specify more than 1 volume type",
    ),
    "a probe on an init container": (
        pod(initContainers=[{"name": "i", "image": "x", "livenessProbe": {"exec": {"command": ["a"]}}}]),
        "spec.initContainers[0].livenessProbe: Forbidden: may not be set for init containers without restartPolicy=Always",
    ),
    "a restart policy that does not exist": (
        pod(restartPolicy="sometimes"),
        'spec.restartPolicy: Unsupported value: "sometimes": supported values: "Always", "OnFailure", "Never"',
    ),
    "a toleration of everything that compares": (
        pod(tolerations=[{"operator": "Equal"}]),
        'spec.tolerations[0].operator: Invalid value: "Equal": operator must be Exists when `key` is empty, which means "match all values and all keys"',
    ),
    "privileged without escalation": (
        container(securityContext={"privileged": True, "allowPrivilegeEscalation": False}),
        'spec.containers[0].securityContext: Invalid value: {"Capabilities":null,"Privileged":true,"SELinuxOptions":null,'
        '"WindowsOptions":null,"RunAsUser":null,"RunAsGroup":null,"RunAsNonRoot":null,"ReadOnlyRootFilesystem":null,'
        '"AllowPrivilegeEscalation":false,"ProcMount":null,"SeccompProfile":null,"AppArmorProfile":null}: '
        "cannot set `allowPrivilegeEscalation` to false and `privileged` to true",
    ),
}  # fmt: skip


@pytest.mark.parametrize("sentence", MESSAGES)
def test_refused(sentence: str) -> None:
    obj, message = MESSAGES[sentence]
    name = obj.get("metadata", {}).get("name", "")
    assert refusal(obj) == f'Pod "{name}" is invalid: {message}'


def test_a_sound_pod_passes() -> None:
    assert refusal(container(ports=[{"containerPort": 80}], env=[{"name": "A", "value": "b"}])) is None


def updated(change: Any) -> list[str]:
    old = accepted(pod(schedulingGates=[{"name": "a.b/c"}], activeDeadlineSeconds=30))
    old["metadata"].update(resourceVersion="1", uid="u")
    new = copy.deepcopy(old)
    change(new)
    return [error.text() for error in validation.validate_update(scheme.PODS, new, old)]


UPDATES = {
    "nothing": (lambda new: None, []),
    "an image": (lambda new: new["spec"]["containers"][0].update(image="x"), []),
    "a shorter deadline": (lambda new: new["spec"].update(activeDeadlineSeconds=10), []),
    "a longer deadline": (
        lambda new: new["spec"].update(activeDeadlineSeconds=60),
        ["spec.activeDeadlineSeconds: Invalid value: 60: must be less than or equal to previous value"],
    ),
    "no deadline": (
        lambda new: new["spec"].pop("activeDeadlineSeconds"),
        ["spec.activeDeadlineSeconds: Invalid value: null: must not update from a positive integer to nil value"],
    ),
    "another restart policy": (
        lambda new: new["spec"].update(restartPolicy="Never"),
        [f"spec: Forbidden: {validation.pod_update.ONLY}"],
    ),
    "a second container": (
        lambda new: new["spec"]["containers"].append({**new["spec"]["containers"][0], "name": "d"}),
        ["spec.containers: Forbidden: pod updates may not add or remove containers"],
    ),
    "another gate": (
        lambda new: new["spec"]["schedulingGates"].append({"name": "x"}),
        ["spec.schedulingGates[1].name: Forbidden: only deletion is allowed, but found new scheduling gate 'x'"],
    ),
    "one gate less": (lambda new: new["spec"].pop("schedulingGates"), []),
    "a toleration": (lambda new: new["spec"].update(tolerations=[{"key": "a", "operator": "Exists"}]), []),
    "another uid": (
        lambda new: new["metadata"].update(uid="v"),
        ['metadata.uid: Invalid value: "v": field is immutable'],
    ),
}


@pytest.mark.parametrize("sentence", UPDATES)
def test_updates(sentence: str) -> None:
    change, expected = UPDATES[sentence]
    assert [text.partition("\n@@")[0] for text in updated(change)] == expected


def test_an_ended_container_stays_ended() -> None:
    old = accepted(pod(restartPolicy="Never"))
    old["metadata"]["resourceVersion"] = "1"
    old["status"] = {"containerStatuses": [{"name": "c", "state": {"terminated": {"exitCode": 0}}}]}
    new = copy.deepcopy(old)
    new["status"]["containerStatuses"][0]["state"] = {"running": {}}
    assert [error.text() for error in validation.validate_status_update(scheme.PODS, new, old)] == [
        "status.containerStatuses[0].state: Forbidden: may not be transitioned to non-terminated state"
    ]


def test_warnings() -> None:
    obj = container(env=[{"name": "A"}, {"name": "A"}], resources={"requests": {"memory": "100m"}})
    assert validation.warnings_on_create(scheme.PODS, accepted(obj)) == [
        'spec.containers[0].resources.requests[memory]: fractional byte value "100m" is invalid, must be an integer',
        'spec.containers[0].env[1]: hides previous definition of "A", which may be dropped when using apply',
    ]


@pytest.mark.parametrize(
    ("resource", "obj", "texts"),
    [
        (scheme.CONFIGMAPS, {"data": {".": "a"}}, ["data[.]: Invalid value: \".\": must not be '.'"]),
        (
            scheme.SECRETS,
            {"type": "kubernetes.io/tls", "data": {"tls.crt": "eA=="}},
            ["data[tls.key]: Required value"],
        ),
        (
            scheme.NODES,
            {"spec": {"taints": [{"key": "a", "effect": "NoSchedule"}, {"key": "a", "effect": "NoSchedule"}]}},
            [
                'metadata.taints[1]: Duplicate value: {"Key":"a","Value":"","Effect":"NoSchedule","TimeAdded":null}: '
                "taints must be unique by key and effect pair"
            ],
        ),
        (scheme.SERVICEACCOUNTS, {}, []),
    ],
)
def test_other_kinds(resource: scheme.Resource, obj: Manifest, texts: list[str]) -> None:
    full = {"metadata": {"name": "x", "namespace": "n"} if resource.namespaced else {"name": "x"}, **obj}
    assert [error.text() for error in validation.validate_create(resource, full)] == texts


def test_an_immutable_config_map_stays_as_it_is() -> None:
    old = {"metadata": {"name": "x", "namespace": "n", "resourceVersion": "1"}, "data": {"a": "b"}, "immutable": True}
    new = {**old, "data": {"a": "z"}}
    assert [error.text() for error in validation.validate_update(scheme.CONFIGMAPS, new, old)] == [
        "data: Forbidden: field is immutable when `immutable` is set"
    ]


def _said_by_validation(case: Case) -> bool:
    step = case["steps"][0]
    return step["expect"]["code"] == 422 and isinstance(step["body"], dict) and "generatename" not in case["id"]


# The strategy merges matchLabelKeys into the selector before it validates; that is the registry's.
CASES = [
    case for case in recorded("pod-invalid") if _said_by_validation(case) and "mismatchkeys-both" not in case["id"]
]
if CASES:

    @pytest.mark.parametrize("case", CASES, ids=name_of)
    def test_recorded_refusals(case: Case) -> None:
        step = case["steps"][0]
        expected = step["expect"]["status"]
        body = json.loads(
            json.dumps(step["body"]).replace("<ns>", "n").replace("<uid>", "11111111-1111-1111-1111-111111111111")
        )
        obj = accepted(body)
        errors = validation.validate_create(scheme.PODS, obj)
        error = status_errors.invalid(scheme.PODS, obj["metadata"].get("name", ""), errors)
        wanted = expected["message"]
        message = error.message.replace("11111111-1111-1111-1111-111111111111", "<uid>")
        if step["expect"].get("anyOrder"):
            assert sorted(message) == sorted(wanted)
        else:
            assert message == wanted

    @pytest.mark.parametrize("case", recorded("pod-valid"), ids=name_of)
    def test_recorded_sound_pods(case: Case) -> None:
        step = case["steps"][0]
        obj = accepted(json.loads(json.dumps(step["body"]).replace("<ns>", "n")))
        assert [error.text() for error in validation.validate_create(scheme.PODS, obj)] == []
        assert validation.warnings_on_create(scheme.PODS, obj) == (step["expect"].get("warnings") or [])


@pytest.mark.parametrize(
    ("own", "code", "free"),
    [
        ({}, 42, False),
        ({"restartPolicy": "Always"}, 0, True),
        ({"restartPolicy": "OnFailure"}, 0, False),
        ({"restartPolicy": "Never", "restartPolicyRules": [("Restart", 42)]}, 42, True),
        ({"restartPolicy": "Never", "restartPolicyRules": [("Restart", 42)]}, 41, False),
        ({"restartPolicy": "Never", "restartPolicyRules": [("RestartAllContainers", 1)]}, 42, True),
    ],
)
def test_a_container_that_its_own_rules_restart_may_leave_its_end(own: dict[str, Any], code: int, free: bool) -> None:
    rules = [
        {"action": action, "exitCodes": {"operator": "In", "values": [value]}}
        for action, value in own.get("restartPolicyRules", [])
    ]
    container = {"name": "c", **own, **({"restartPolicyRules": rules} if rules else {})}
    spec = {"restartPolicy": "Never", "containers": [container]}
    ended = {"containerStatuses": [{"name": "c", "state": {"terminated": {"exitCode": code}}}]}
    running = {"containerStatuses": [{"name": "c", "state": {"running": {}}}]}
    meta = {"name": "p", "namespace": "default", "resourceVersion": "1"}
    old, new = ({"metadata": meta, "spec": spec, "status": status} for status in (ended, running))
    assert (not validation.validate_status_update(scheme.PODS, new, old)) is free
