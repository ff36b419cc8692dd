"""What an update of the other kinds may do and what it is refused with, as Kubernetes' strategies and validation say it.

Each case makes an object, sends one merge patch (a PUT where `metadata.resourceVersion` is what matters) and looks at the
answer: a text is what follows "is invalid: ", anything else is a part of the object.
"""

from __future__ import annotations

from typing import Any

import pytest
from registry_samples import refusal

from podlab.apis.types import Manifest
from podlab.registry.client import Client
from podlab.registry.patch import MERGE_PATCH

LABELS = {"app": "a"}
NEVER: Manifest = {
    "metadata": {"labels": LABELS},
    "spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "busybox:1.36"}]},
}
ALWAYS: Manifest = {**NEVER, "spec": {"containers": [{"name": "c", "image": "busybox:1.36"}]}}
WORKLOAD: Manifest = {"replicas": 0, "selector": {"matchLabels": LABELS}, "template": ALWAYS}
SERVICE: Manifest = {"selector": LABELS, "ports": [{"port": 80}]}
SCALED: Manifest = {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "d"}, "maxReplicas": 3}
CLAIM: Manifest = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
SLICE: Manifest = {"addressType": "IPv4", "endpoints": [{"addresses": ["10.0.0.1"]}]}
IMMUTABLE = "field is immutable"
NOT_NEGATIVE = "must be greater than or equal to 0"

Case = tuple[str, Manifest, Manifest, Any]


def spec(of: Manifest, **more: Any) -> Manifest:
    return {"spec": {**of, **more}}


CASES: dict[str, Case] = {
    "a stateful set's service name is not looked at again": (
        "statefulsets.apps", spec(WORKLOAD), spec({}, serviceName="Not.Good"),
        "spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', "
        "'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are "
        "forbidden",
    ),
    "labels of a stateful set's template are looked at twice": (
        "statefulsets.apps", spec(WORKLOAD), spec({}, template={"metadata": {"labels": {"b": "-"}}}),
        "spec.template.labels: Invalid value: \"-\": a valid label must be an empty string or consist of alphanumeric "
        "characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or "
        "'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')",
    ),
    "the data of a revision stays": (
        "controllerrevisions.apps", {"revision": 1, "data": {"a": 1}}, {"data": {"a": 2}},
        f'data: Invalid value: {{"a":2}}: {IMMUTABLE}',
    ),
    "the number of a revision may change": (
        "controllerrevisions.apps", {"revision": 1, "data": {"a": 1}}, {"revision": 2}, {"revision": 2},
    ),
    "a suspended job's pods keep their image": (
        "jobs.batch", spec({}, suspend=True, template=NEVER),
        spec({}, template={"spec": {"containers": [{"name": "c", "image": "other"}]}}), "spec.template.spec: …",
    ),
    "a suspended job's pods get other resources": (
        "jobs.batch", spec({}, suspend=True, template=NEVER),
        spec({}, template={"spec": {"containers": [
            {"name": "c", "image": "busybox:1.36", "terminationMessagePath": "/dev/termination-log",
             "terminationMessagePolicy": "File", "imagePullPolicy": "IfNotPresent",
             "resources": {"limits": {"cpu": "1"}}},
        ]}}),
        {"metadata": {"generation": 2}},
    ),
    "an autoscaler for nothing": (
        "horizontalpodautoscalers.autoscaling", spec(SCALED), spec({}, maxReplicas=-1, minReplicas=None),
        "[spec.maxReplicas: Invalid value: -1: must be greater than or equal to 1, "
        "spec.maxReplicas: Invalid value: -1: must be greater than or equal to `minReplicas`]",
    ),
    "an autoscaler with two sources in one metric": (
        "horizontalpodautoscalers.autoscaling", spec(SCALED),
        spec({}, metrics=[{"type": "Resource", "resource": {"name": "cpu"}, "pods": {}}]),
        "[spec.metrics[0].pods.metric.name: Required value: must specify a metric name, "
        "spec.metrics[0].pods.target.type: Required value: must specify a metric target type, "
        'spec.metrics[0].pods.target.type: Invalid value: "": must be either Utilization, Value, or AverageValue, '
        "spec.metrics[0].pods.target.averageValue: Required value: must specify a positive target averageValue, "
        "spec.metrics[0].pods: Forbidden: must populate the given metric source only]",
    ),
    "the value of a priority class stays": (
        "priorityclasses.scheduling.k8s.io", {"value": 1}, {"value": 2},
        "value: Forbidden: may not be changed in an update.",
    ),
    "the description of a priority class is no generation": (
        "priorityclasses.scheduling.k8s.io", {"value": 1}, {"description": "d"}, {"metadata": {"generation": 1}},
    ),
    "a runtime class is looked at whole": (
        "runtimeclasses.node.k8s.io", {"handler": "h"},
        {"scheduling": {"tolerations": [{"key": "a", "operator": "Exists"}, {"key": "a", "operator": "Exists"}]}},
        'scheduling.tolerations[1]: Duplicate value: {"Key":"a","Operator":"Exists","Value":"","Effect":"",'
        '"TolerationSeconds":null}',
    ),
    "leases know no election": (
        "leases.coordination.k8s.io", spec({}, strategy="Foo", preferredHolder="x"), {"metadata": {"labels": LABELS}},
        {"spec": {"strategy": None, "preferredHolder": None}},
    ),
    "an endpoint slice keeps a port that is none": (
        "endpointslices.discovery.k8s.io", SLICE, {"ports": [{"port": 0}]}, {"metadata": {"generation": 2}},
    ),
    "an address with zeroes in front": (
        "endpointslices.discovery.k8s.io", SLICE, {"endpoints": [{"addresses": ["010.0.0.1"]}]},
        'endpoints[0].addresses[0]: Invalid value: "010.0.0.1": must not have leading 0s',
    ),
    "a name without a domain": (
        "endpointslices.discovery.k8s.io", {"addressType": "FQDN", "endpoints": [{"addresses": ["a.b"]}]},
        {"endpoints": [{"addresses": ["a"]}]},
        'endpoints[0].addresses[0]: Invalid value: "a": should be a domain with at least two segments separated by dots',
    ),
    "topology of before is dropped": (
        "endpointslices.discovery.k8s.io",
        {"addressType": "IPv4", "endpoints": [{"addresses": ["10.0.0.1"], "deprecatedTopology": {"a": "b"}}]}, {},
        {"endpoints": [{"addresses": ["10.0.0.1"], "deprecatedTopology": None}]},
    ),
    "secrets of an account are names": (
        "serviceaccounts", {"secrets": [{"name": "s", "namespace": "other"}]}, {}, {"secrets": [{"name": "s"}]},
    ),
    "a quota's scope and what it limits": (
        "resourcequotas", spec({}, hard={"pods": "1"}), spec({}, scopes=["Terminating"], hard={"ephemeral-storage": "1"}),
        '[spec.scopes: Invalid value: ["Terminating"]: unsupported scope applied to resource, '
        'spec.scopes: Invalid value: ["Terminating"]: field is immutable]',
    ),
    "selectors that exclude each other": (
        "resourcequotas", spec({}, hard={"pods": "1"}),
        spec({}, scopeSelector={"matchExpressions": [
            {"scopeName": name, "operator": "Exists"} for name in ("Terminating", "NotTerminating")
        ]}),
        "spec.scopeSelector.matchExpressions: Invalid value: null: conflicting scopes",
    ),
    "the class of a claim in its annotation": (
        "persistentvolumeclaims", spec(CLAIM),
        {"metadata": {"annotations": {"volume.beta.kubernetes.io/storage-class": "x"}}},
        f'metadata.annotations.volume.beta.kubernetes.io/storage-class: Invalid value: "x": {IMMUTABLE}',
    ),
    "a service without an address for one that has one": (
        "services", spec(SERVICE), spec({}, clusterIP="None", clusterIPs=["None"]),
        'spec.clusterIPs[0]: Invalid value: ["None"]: may not change once set',
    ),
    "a second family that is not there": (
        "services", spec(SERVICE), spec({}, ipFamilies=["IPv4", "IPv6"]),
        "spec.ipFamilyPolicy: Invalid value: \"SingleStack\": must be 'RequireDualStack' or 'PreferDualStack' when "
        "multiple IP families are specified",
    ),
    "two families where there is one": (
        "services", spec(SERVICE), spec({}, ipFamilyPolicy="RequireDualStack"),
        'spec.ipFamilyPolicy: Invalid value: "RequireDualStack": this cluster is not configured for dual-stack services',
    ),
    "the port of a health check stays": (
        "services", spec(SERVICE, type="LoadBalancer", externalTrafficPolicy="Local"), spec({}, healthCheckNodePort=31999),
        f"spec.healthCheckNodePort: Forbidden: {IMMUTABLE}",
    ),
    "a balancer's class stays": (
        "services", spec(SERVICE, type="LoadBalancer", loadBalancerClass="a/b"), spec({}, loadBalancerClass="a/c"),
        'spec.loadBalancerClass: Invalid value: "a/c": may not change once set',
    ),
    "a block of addresses with more than its length": (
        "services", spec(SERVICE, type="LoadBalancer"), spec({}, loadBalancerSourceRanges=["10.0.0.1/8"]),
        'spec.LoadBalancerSourceRanges[0]: Invalid value: "10.0.0.1/8": must not have bits set beyond the prefix length',
    ),
    "node ports go with the type": (
        "services", spec(SERVICE, type="NodePort"), spec({}, type="ClusterIP"), {"spec": {"externalTrafficPolicy": None}},
    ),
    "the time of creation is the server's": (
        "configmaps", {}, {"metadata": {"creationTimestamp": "2001-01-01T00:00:00Z"}}, {"kind": "ConfigMap"},
    ),
    "an end that nobody asked for": (
        "configmaps", {}, {"metadata": {"deletionTimestamp": "2001-01-01T00:00:00Z"}},
        f'metadata.deletionTimestamp: Invalid value: "2001-01-01T00:00:00Z": {IMMUTABLE}',
    ),
}  # fmt: skip


def contains(found: Any, wanted: Any) -> bool:
    if isinstance(wanted, dict):
        return isinstance(found, dict) and all(contains(found.get(key), value) for key, value in wanted.items())
    if isinstance(wanted, list):
        return isinstance(found, list) and len(found) == len(wanted) and all(map(contains, found, wanted))
    return bool(found == wanted)


def make(client: Client, resource: str, body: Manifest) -> Manifest:
    named = {**body, "metadata": {"name": "x", **body.get("metadata", {})}}
    return client.create(resource, named, namespace="default").obj


@pytest.mark.parametrize("title", CASES)
def test_updates(client: Client, title: str) -> None:
    resource, body, change, wanted = CASES[title]
    make(client, resource, body)
    if isinstance(wanted, str):
        message = refusal(client.patch, resource, "default", "x", MERGE_PATCH, change).message.partition(
            " is invalid: "
        )[2]
        assert message.startswith(wanted[:-1]) if wanted.endswith("…") else message == wanted
    else:
        answer = client.patch(resource, "default", "x", MERGE_PATCH, change).obj
        assert contains(answer, wanted), answer


STATUS: dict[str, Case] = {
    "labels of a deployment stay": (
        "deployments.apps", spec(WORKLOAD), {"metadata": {"labels": {"b": "c"}}, "status": {"replicas": 1}},
        {"metadata": {"labels": None}, "status": {"replicas": 1}},
    ),
    "owners may be told beside a status": (
        "replicasets.apps", spec(WORKLOAD),
        {"metadata": {"ownerReferences": [{"apiVersion": "v1", "kind": "Node", "name": "n", "uid": "u"}]}},
        {"metadata": {"ownerReferences": [{"name": "n"}]}},
    ),
    "an autoscaler counts from zero": (
        "horizontalpodautoscalers.autoscaling", spec(SCALED), {"status": {"currentReplicas": -1, "desiredReplicas": -2}},
        f"[status.currentReplicas: Invalid value: -1: {NOT_NEGATIVE}, "
        f"status.desiredReplicas: Invalid value: -2: {NOT_NEGATIVE}]",
    ),
    "conditions of a budget are whole": (
        "poddisruptionbudgets.policy", spec({}, minAvailable=1), {"status": {"conditions": [
            {"type": "A", "status": "Maybe", "reason": "R", "lastTransitionTime": "2020-01-01T00:00:00Z", "message": ""},
            {"type": "A", "status": "True", "reason": "", "lastTransitionTime": None, "message": ""},
        ]}},
        '[status.conditions[0].status: Unsupported value: "Maybe": supported values: "False", "True", "Unknown", '
        'status.conditions[1].type: Duplicate value: "A", status.conditions[1].lastTransitionTime: Required value, '
        "status.conditions[1].reason: Required value]",
    ),
    "a namespace is active until it goes": (
        "namespaces", {}, {"status": {"phase": "Terminating"}},
        "status.Phase: Invalid value: \"Terminating\": may only be 'Active' if `deletionTimestamp` is empty",
    ),
    "a balancer's address": (
        "services", spec(SERVICE), {"status": {"loadBalancer": {"ingress": [{"ip": "1.2.3.4"}]}}},
        "status.loadBalancer.ingress: Forbidden: may only be used when `spec.type` is 'LoadBalancer'",
    ),
    "what a claim is growing to": (
        "persistentvolumeclaims", spec(CLAIM), {"status": {"allocatedResources": {"cpu": "1"}}},
        'status.allocatedResources: Unsupported value: "cpu": supported values: "storage"',
    ),
}  # fmt: skip


@pytest.mark.parametrize("title", STATUS)
def test_statuses(client: Client, title: str) -> None:
    resource, body, change, wanted = STATUS[title]
    place = "" if resource == "namespaces" else "default"
    make(client, resource, body)
    if isinstance(wanted, str):
        refused = refusal(client.patch, resource, place, "x", MERGE_PATCH, change, subresource="status")
        assert refused.message.partition(" is invalid: ")[2] == wanted
    else:
        answer = client.patch(resource, place, "x", MERGE_PATCH, change, subresource="status").obj
        assert contains(answer, wanted), answer


FRESH: dict[str, Manifest] = {
    "leases.coordination.k8s.io": {},
    "limitranges": {},
    "endpoints": {},
    "services": spec(SERVICE),
    "runtimeclasses.node.k8s.io": {"handler": "h"},
}


@pytest.mark.parametrize("resource", FRESH)
def test_a_put_may_create(client: Client, resource: str) -> None:
    body = {**FRESH[resource], "metadata": {"name": "x"}}
    assert client.update(resource, "default", "x", body).created
    gone = {**body, "metadata": {"name": "y", "uid": "u"}}
    refused = refusal(client.update, resource, "default", "y", gone)
    assert refused.message.endswith("Precondition failed: UID in precondition: u, UID in object meta: ")


@pytest.mark.parametrize(
    ("resource", "body"),
    [
        ("leases.coordination.k8s.io", {}),
        ("poddisruptionbudgets.policy", spec({}, minAvailable=1)),
        ("runtimeclasses.node.k8s.io", {"handler": "h"}),
    ],
)
def test_some_kinds_are_not_overwritten_blindly(client: Client, resource: str, body: Manifest) -> None:
    make(client, resource, body)
    refused = refusal(client.update, resource, "default", "x", {**body, "metadata": {"name": "x"}})
    text = "metadata.resourceVersion: Invalid value: 0: must be specified for an update"
    assert (refused.code, refused.message) == (422, f'{resource} "x" is invalid: {text}')


def test_a_limit_range_without_a_name_gets_one(client: Client) -> None:
    made = client.create("limitranges", {"metadata": {}}, namespace="default").obj
    assert len(made["metadata"]["name"]) == 36


def test_two_ports_share_a_number_and_two_numbers_do_not(client: Client) -> None:
    ports = [{"name": "t", "port": 53, "protocol": "TCP"}, {"name": "u", "port": 53, "protocol": "UDP"}]
    made = make(client, "services", spec(SERVICE, type="NodePort", ports=ports))["spec"]["ports"]
    assert made[0]["nodePort"] == made[1]["nodePort"]
    again = [{**made[0], "port": 1}, {**made[1], "port": 2, "protocol": "TCP"}]
    refused = refusal(client.patch, "services", "default", "x", MERGE_PATCH, spec({}, ports=again))
    assert (refused.code, refused.message) == (500, f"duplicate nodePort: {{TCP {made[0]['nodePort']}}}")


def test_what_an_update_is_warned_of(client: Client) -> None:
    make(client, "deployments.apps", spec(WORKLOAD))
    selector = {"nodeSelector": {"beta.kubernetes.io/os": "linux"}}
    patched = client.patch(
        "deployments.apps", "default", "x", MERGE_PATCH, spec({}, template={"spec": selector})
    )  # fmt: skip
    text = 'deprecated since v1.14; use "kubernetes.io/os" instead'
    assert patched.warnings == (f"spec.template.spec.nodeSelector[beta.kubernetes.io/os]: {text}",)
    labelled = client.patch("deployments.apps", "default", "x", MERGE_PATCH, {"metadata": {"labels": LABELS}})
    assert labelled.warnings == ()
