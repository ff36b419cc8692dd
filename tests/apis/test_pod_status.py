"""What is refused in a pod's status. Source of the texts: ValidatePodStatusUpdate in core validation."""

from __future__ import annotations

import json
from typing import Any

import pytest

from podlab.apis import scheme, validation
from podlab.apis.types import Manifest


def _pod(**spec: Any) -> Manifest:
    containers = [{"name": "c", "image": "i", "resources": {"requests": {"cpu": "1"}}}]
    inits = [{"name": "i", "image": "i"}, {"name": "s", "image": "i", "restartPolicy": "Always"}]
    return {
        "metadata": {"name": "p", "namespace": "n", "uid": "u", "resourceVersion": "1"},
        "spec": {"containers": containers, "initContainers": inits, "restartPolicy": "Never", "nodeName": "n", **spec},
        "status": {"qosClass": "Burstable"},
    }


def _told(status: Manifest, before: Manifest | None = None, **spec: Any) -> list[str]:
    old = _pod(**spec)
    old["status"].update(before or {})
    new = json.loads(json.dumps(old))
    new["status"] = {"qosClass": "Burstable", **status}
    return [error.text() for error in validation.validate_status_update(scheme.PODS, new, old)]


def _is(name: str, **state: Any) -> Manifest:
    return {"name": name, "state": state}


_FAMILIES = "may specify no more than one IP for each IP family"
_BACK = "Forbidden: may not be transitioned to non-terminated state"
REFUSED: dict[str, tuple[Manifest, list[str]]] = {
    "a generation below zero": (
        {"observedGeneration": -1, "conditions": [{"type": "Ready", "status": "True", "observedGeneration": -1}]},
        [
            "status.conditions[0].observedGeneration: Invalid value: -1: must be a non-negative integer",
            "status.observedGeneration: Invalid value: -1: must be a non-negative integer",
        ],
    ),
    "another quality of service": (
        {"qosClass": "Guaranteed"}, ['status.qosClass: Invalid value: "Guaranteed": field is immutable'],
    ),
    "a nominated node after the real one": (
        {"nominatedNodeName": "m"},
        ["status.nominatedNodeName: Forbidden: may not be set on pods that are already bound to a node"],
    ),
    "a claim that the pod has not": (
        {"resourceClaimStatuses": [{"name": "a"}]},
        ['status.resourceClaimStatuses[0].name: Invalid value: "a": must match the name of an entry in `spec.resourceClaims`'],
    ),
    "two addresses of one family": (
        {"podIPs": [{"ip": "1.2.3.4"}, {"ip": "1.2.3.5"}]},
        [f'status.podIPs: Invalid value: [{{"IP":"1.2.3.4"}},{{"IP":"1.2.3.5"}}]: {_FAMILIES}'],
    ),
    "an address that is none beside another": (
        {"podIPs": [{"ip": "1.2.3.4"}, {"ip": "x"}]},
        [
            'status.podIPs[1]: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
            "status.podIPs: Internal error: failed to check for dual stack with error:invalid IP[1]: x",
            f'status.podIPs: Invalid value: [{{"IP":"1.2.3.4"}},{{"IP":"x"}}]: {_FAMILIES}',
        ],
    ),
    "a host with two addresses in one place": (
        {"hostIP": "1.2.3.4", "hostIPs": [{"ip": "1.2.3.5"}]},
        ['status.hostIPs[0].ip: Invalid value: "1.2.3.5": must be equal to `hostIP`'],
    ),
    "a user below zero": (
        {"containerStatuses": [{"name": "c", "user": {"linux": {"uid": -1, "gid": 0}}}]},
        ["status.containerStatuses[0].user.linux.uid: Invalid value: -1: must be between 0 and 2147483647, inclusive"],
    ),
    "the health of a device that the container has not": (
        {"containerStatuses": [{"name": "c", "allocatedResourcesStatus": [
            {"name": "gpu", "resources": [{"resourceID": "a", "health": "Fine"}, {"resourceID": "a", "health": "Healthy"}]},
        ]}]},
        [
            'status.containerStatuses[0].allocatedResourcesStatus[0].name: Invalid value: "gpu": must match one of the '
            "container's resource requests",
            'status.containerStatuses[0].allocatedResourcesStatus[0].resources[0].health: Unsupported value: "Fine": '
            'supported values: "Healthy", "Unhealthy", "Unknown"',
            'status.containerStatuses[0].allocatedResourcesStatus[0].resources[1].resourceID: Duplicate value: "a"',
        ],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("status", "texts"), REFUSED.values(), ids=list(REFUSED))
def test_a_status_is_refused(status: Manifest, texts: list[str]) -> None:
    assert _told(status) == texts


@pytest.mark.parametrize(
    ("policy", "code", "back"),
    [
        ("Never", 1, ["containerStatuses[0]", "initContainerStatuses[0]"]),
        ("OnFailure", 1, []),
        ("OnFailure", 0, ["containerStatuses[0]", "initContainerStatuses[0]"]),
        ("Always", 0, []),
    ],
)
def test_an_ended_container_stays_ended_unless_it_is_restarted(policy: str, code: int, back: list[str]) -> None:
    ended: Manifest = {"terminated": {"exitCode": code}}
    before: Manifest = {
        "containerStatuses": [_is("c", **ended)],
        "initContainerStatuses": [_is("i", **ended), _is("s", **ended)],
    }
    after: Manifest = {
        "containerStatuses": [_is("c", waiting={})],
        "initContainerStatuses": [_is("i", waiting={}), _is("s", waiting={})],
    }
    assert _told(after, before, restartPolicy=policy) == [f"status.{path}.state: {_BACK}" for path in back]


def test_the_rules_of_a_container_come_first() -> None:
    rule = {"action": "Restart", "exitCodes": {"operator": "In", "values": [42]}}
    containers = [{"name": "c", "image": "i", "restartPolicy": "Never", "restartPolicyRules": [rule]}]
    after: Manifest = {"containerStatuses": [_is("c", waiting={})]}
    for code, texts in ((42, []), (1, [f"status.containerStatuses[0].state: {_BACK}"])):
        before: Manifest = {"containerStatuses": [_is("c", terminated={"exitCode": code})]}
        assert _told(after, before, containers=containers) == texts
