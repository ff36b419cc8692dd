"""The diff at the end of a refused update, and annotations that mean something to pods."""

from __future__ import annotations

import pytest

from podlab.apis.types import Manifest
from podlab.apis.validation import differences, pod_annotations

SPEC: Manifest = {
    "containers": [{"name": "app", "image": "busybox:1.36"}],
    "restartPolicy": "Always",
    "terminationGracePeriodSeconds": 30,
}


def test_the_changed_field_stands_between_three_lines_of_what_is_around_it() -> None:
    told = differences.of_pods(SPEC, {**SPEC, "restartPolicy": "Never"})
    head, *lines = told.rstrip("\n").split("\n")
    assert head.startswith("@@ -")
    assert head.endswith(",7 @@")
    assert lines[2:6] == [
        '  "EphemeralContainers": null,',
        '- "RestartPolicy": "Always",',
        '+ "RestartPolicy": "Never",',
        '  "TerminationGracePeriodSeconds": 30,',
    ]


def test_nothing_changed_is_no_diff() -> None:
    assert differences.of_pods(SPEC, SPEC) == ""


def test_claims_tell_the_fields_that_are_set() -> None:
    told = differences.of_fields({"storageClassName": "a"}, {"storageClassName": "b"})
    assert '- "StorageClassName": "a"' in told
    assert '+ "StorageClassName": "b"' in told


@pytest.mark.parametrize(
    ("annotations", "spec", "wrong"),
    [
        ({"kubernetes.io/config.mirror": "x"}, {}, ["metadata.annotations[kubernetes.io/config.mirror]"]),
        ({"kubernetes.io/config.mirror": "x"}, {"nodeName": "node-a"}, []),
        ({"controller.kubernetes.io/pod-deletion-cost": "-7"}, {}, []),
        (
            {"controller.kubernetes.io/pod-deletion-cost": "2147483648"},
            {},
            ["metadata.annotations[controller.kubernetes.io/pod-deletion-cost]"],
        ),
        (
            {"container.apparmor.security.beta.kubernetes.io/none": "runtime/default"},
            {"containers": [{"name": "app"}]},
            ["metadata.annotations[container.apparmor.security.beta.kubernetes.io/none]"],
        ),
        (
            {"seccomp.security.alpha.kubernetes.io/pod": "localhost/../x"},
            {},
            ["metadata.annotations.seccomp.security.alpha.kubernetes.io/pod"],
        ),
    ],
)
def test_annotations_that_pods_are_held_to(annotations: dict[str, str], spec: Manifest, wrong: list[str]) -> None:
    found = pod_annotations.validate("metadata.annotations", annotations, spec)
    assert [error.field for error in found] == wrong


def test_profiles_in_both_places_must_agree() -> None:
    annotations = {"seccomp.security.alpha.kubernetes.io/pod": "unconfined"}
    same = {"securityContext": {"seccompProfile": {"type": "Unconfined"}}}
    other = {"securityContext": {"seccompProfile": {"type": "RuntimeDefault"}}}
    assert list(pod_annotations.agree("spec", annotations, same)) == []
    (error,) = pod_annotations.agree("spec", annotations, other)
    assert error.field == "spec.securityContext.seccompProfile.type"
