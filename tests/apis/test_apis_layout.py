from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from podlab.apis import build_schema, names, pods, scheme, status_errors, times
from podlab.apis.field_errors import FieldError, go_quote, invalid, required
from podlab.apis.types import Manifest

DEFINITIONS = {
    "io.k8s.api.core.v1.Pod": {
        "description": "A pod.",
        "type": ["object", "null"],
        "x-kubernetes-group-version-kind": [{"group": "", "version": "v1", "kind": "Pod"}],
        "properties": {
            "kind": {"type": ["string", "null"], "enum": ["Pod"], "description": "The kind."},
            "spec": {"$ref": "#/$defs/io.k8s.api.core.v1.PodSpec", "description": "The wish."},
        },
    },
    "io.k8s.api.core.v1.PodSpec": {"type": ["object", "null"], "properties": {"description": {"type": "string"}}},
    "io.k8s.api.storage.v1.Unused": {"type": "object"},
    **{f"io.k8s.apimachinery.pkg.apis.meta.v1.{name}": {"type": "object"} for name in build_schema._META},
}


@pytest.mark.parametrize("packed", [False, True])
def test_the_schema_is_cut_from_json_or_wheel(tmp_path: Path, packed: bool) -> None:
    source = tmp_path / "source"
    text = json.dumps({"$defs": DEFINITIONS})
    if packed:
        with zipfile.ZipFile(source, "w") as wheel:
            wheel.writestr("kubernetes_validate/kubernetes-json-schema/v1.36.0-local/_definitions.json", text)
    else:
        source.write_text(text)
    out = tmp_path / "generated" / "schema.json"
    assert build_schema.main([str(source), str(out)]) == 0
    structure = json.loads(out.read_text())
    assert structure["kinds"] == {"v1/Pod": "io.k8s.api.core.v1.Pod"}
    assert structure["definitions"]["io.k8s.api.core.v1.Pod"]["properties"] == {
        "kind": {"type": "string"},
        "spec": {"$ref": "#/components/schemas/io.k8s.api.core.v1.PodSpec"},
    }
    assert "description" in structure["definitions"]["io.k8s.api.core.v1.PodSpec"]["properties"]
    assert "io.k8s.api.storage.v1.Unused" not in structure["definitions"]
    texts = json.loads(out.with_name("descriptions.json").read_text())
    assert texts["io.k8s.api.core.v1.Pod"] == {"": "A pod.", "kind": "The kind.", "spec": "The wish."}


def test_kinds_are_found_by_every_name() -> None:
    assert scheme.by_key("pods") is scheme.PODS
    assert scheme.by_plural("", "v1", "pods") is scheme.PODS
    assert scheme.by_kind("v1", "Pod") is scheme.PODS
    assert scheme.by_key("widgets.example.com") is None
    assert scheme.PODS.subresource("dance") is None


def test_errors_speak_as_kubernetes_does() -> None:
    missing = status_errors.not_found("deployments.apps", "x").to_status()
    assert missing["message"] == 'deployments.apps "x" not found'
    assert missing["details"] == {"name": "x", "group": "apps", "kind": "deployments"}
    assert status_errors.conflict("pods/binding", "p", "taken").to_status() == {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": 'Operation cannot be fulfilled on pods/binding "p": taken',
        "reason": "Conflict",
        "details": {"name": "p", "kind": "pods/binding"},
        "code": 409,
    }
    assert status_errors.forbidden("pods", "", "no").message == "pods is forbidden: no"


def test_several_causes_are_listed_and_a_repeated_one_is_said_once() -> None:
    errors = [required("a"), required("a"), invalid("b", 'x"y', "bad")]
    refused = status_errors.invalid(scheme.PODS, "p", errors)
    assert refused.message == 'Pod "p" is invalid: [a: Required value, b: Invalid value: "x\\"y": bad]'
    assert refused.details is not None
    assert [cause["reason"] for cause in refused.details["causes"]] == [
        "FieldValueRequired",
        "FieldValueRequired",
        "FieldValueInvalid",
    ]


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (invalid("a", None), "a: Invalid value: null"),
        (invalid("a", True), "a: Invalid value: true"),
        (invalid("a", 5, "b"), "a: Invalid value: 5: b"),
        (invalid("a", ["<x>"]), 'a: Invalid value: ["\\u003cx\\u003e"]'),
    ],
)
def test_bad_values_print_as_in_go(error: FieldError, text: str) -> None:
    assert error.text() == text


def test_unprintable_characters_are_escaped() -> None:
    assert go_quote('a\x01"\n\u200bé') == '"a\\x01\\"\\n\\u200bé"'


def test_generated_names_are_cut_and_filled() -> None:
    assert names.generate_name("web-", lambda n: 0) == "web-bbbbb"
    assert len(names.generate_name("a" * 100, lambda n: n - 1)) == 63
    assert names.dns_label("a.b") == ["must not contain dots"]
    assert names.qualified_name("example.com/a") == []
    assert names.port_name("a--b") == ["must not contain consecutive hyphens"]


def test_times_come_back_as_they_went() -> None:
    moment = times.parse("2026-11-21T04:00:00.5+02:00")
    assert times.rfc3339(moment) == "2026-11-21T02:00:00Z"
    assert times.rfc3339_micro(moment) == "2026-11-21T02:00:00.500000Z"
    assert times.rfc3339_micro(times.parse("0001-01-01T00:00:02.5Z")) == "0001-01-01T00:00:02.500000Z"
    with pytest.raises(ValueError, match="RFC 3339"):
        times.parse("yesterday")


def _pod(*app: Manifest, init: list[Manifest] | None = None, **spec: object) -> Manifest:
    return {"spec": {"containers": [{"resources": item} for item in app], "initContainers": init or [], **spec}}


def test_requests_are_the_larger_of_running_and_starting() -> None:
    pod = _pod(
        {"requests": {"cpu": "100m", "memory": "64Mi"}},
        {"requests": {"cpu": "200m"}},
        init=[
            {"resources": {"requests": {"cpu": "50m"}}, "restartPolicy": "Always"},
            {"resources": {"requests": {"cpu": "400m", "example.com/x": "2"}}},
        ],
        overhead={"cpu": "10m"},
    )
    assert pods.effective_requests(pod) == pods.Requests(460, 64 * 2**20, (("example.com/x", 2),))


@pytest.mark.parametrize(
    ("pod", "expected"),
    [
        (_pod({}), "BestEffort"),
        (_pod({"requests": {"cpu": "0"}}), "BestEffort"),
        (_pod({"requests": {"memory": "1Mi"}}), "Burstable"),
        (_pod({"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"cpu": "1000m", "memory": "1Gi"}}), "Guaranteed"),
        (_pod({"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"cpu": "1", "memory": "1Gi"}}, {}), "Burstable"),
    ],
)
def test_quality_of_service(pod: Manifest, expected: str) -> None:
    assert pods.qos_class(pod) == expected


def test_a_condition_moves_its_time_only_with_its_status() -> None:
    conditions: list[Manifest] = []
    first, later = times.parse("2026-11-21T02:00:00Z"), times.parse("2026-11-21T03:00:00Z")
    assert pods.set_condition(conditions, "Ready", "False", "ContainersNotReady", "waiting", now=first)
    assert not pods.set_condition(conditions, "Ready", "False", "ContainersNotReady", "waiting", now=later)
    assert pods.set_condition(conditions, "Ready", "False", "Other", now=later)
    assert conditions[0]["lastTransitionTime"] == "2026-11-21T02:00:00Z"
    assert pods.set_condition(conditions, "Ready", "True", now=later)
    assert conditions == [{"type": "Ready", "status": "True", "lastTransitionTime": "2026-11-21T03:00:00Z"}]
