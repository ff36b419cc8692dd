from __future__ import annotations

import json
from typing import Any

import pytest
from apis_goldens import Case, kind_of_path, name_of, recorded

from podlab.apis import decode, schema, schema_check


def refusal(version: str, kind: str, raw: bytes, *, yaml: bool = False, strict: bool = True) -> str | None:
    """What the API server says about this body before validation; None when it goes on."""
    try:
        document = decode.decode_body(raw, yaml=yaml)
    except decode.DecodeError as problem:
        return decode.unrecognised(kind, problem.go_text, raw)
    if problem_text := decode.kind_problem(document.obj):
        return decode.unrecognised(kind, problem_text, raw)
    definition = schema.definition_of_kind(version, kind)
    assert definition
    obj = document.obj or {}
    if text := schema_check.type_error(definition, obj):
        return schema_check.cannot_be_handled(kind, version, text)
    texts = schema_check.strict_errors(definition, obj, document.strict_texts(), document.keys)
    if strict and texts:
        return schema_check.cannot_be_handled(kind, version, schema_check.strict_message(texts))
    return None


def pod(**spec: Any) -> bytes:
    spec.setdefault("containers", [{"name": "c", "image": "busybox:1.36"}])
    return json.dumps({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": spec}).encode()


def container(**more: Any) -> bytes:
    return pod(containers=[{"name": "c", "image": "busybox:1.36", **more}])


SAID = {
    "an unknown field is named with its path": (
        container(evn=[], ports=[{"containerPort": 80, "hostport": 1}]),
        'strict decoding error: unknown field "spec.containers[0].evn", unknown field "spec.containers[0].ports[0].hostport"',
    ),
    "field names are case-sensitive": (
        pod(RestartPolicy="Never"),
        'strict decoding error: unknown field "spec.RestartPolicy"',
    ),
    "a number is no text": (
        container(command=["sleep", 5]),
        "json: cannot unmarshal number into Go struct field Container.spec.containers.command of type string",
    ),
    "a text is no number": (
        pod(terminationGracePeriodSeconds="30"),
        "json: cannot unmarshal string into Go struct field PodSpec.spec.terminationGracePeriodSeconds of type int64",
    ),
    "a fraction is no whole number, and is quoted as it was written": (
        container(ports=[{"containerPort": 80.0}]),
        "json: cannot unmarshal number 80.0 into Go struct field ContainerPort.spec.containers.ports.containerPort of type int32",
    ),
    "embedded structs show in the path": (
        container(livenessProbe={"httpGet": {"port": True}}),
        "json: cannot unmarshal bool into Go struct field HTTPGetAction.spec.containers.livenessProbe.ProbeHandler.httpGet.port of type int32",
    ),
    "string types have names": (
        pod(restartPolicy=1),
        "json: cannot unmarshal number into Go struct field PodSpec.spec.restartPolicy of type v1.RestartPolicy",
    ),
    "a quantity refuses by itself": (
        container(resources={"limits": {"cpu": "abc"}}),
        "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
    ),
}


@pytest.mark.parametrize("sentence", SAID)
def test_what_is_said_of_a_pod(sentence: str) -> None:
    body, expected = SAID[sentence]
    assert refusal("v1", "Pod", body) == f'Pod in version "v1" cannot be handled as a Pod: {expected}'


def test_null_is_absent() -> None:
    assert refusal("v1", "Pod", pod(hostNetwork=None, containers=[None])) is None


def test_duplicate_keys_are_named_in_the_order_of_the_text() -> None:
    body = b'{"metadata":{"name":"p","name":"q"},"spec":{"restartPolicy":"Never","restartPolicy":"Always"}}'
    assert decode.decode_json(body).duplicate_texts() == [
        'duplicate field "metadata.name"',
        'duplicate field "spec.restartPolicy"',
    ]


def test_unknown_and_duplicate_fields_come_in_the_order_of_the_text() -> None:
    body = b"""{"kind": "Pod", "apiVersion": "v1", "x": {"a": 1, "a": 2}, "x": 3, "spec": {"y": 1, "restartPolicy": "Never",
        "restartPolicy": "Always", "containers": [{"name": "c", "z": [1], "name": "d"}]}, "metadata": {"name": "p", "name": "p"}}"""
    assert refusal("v1", "Pod", body) == (
        'Pod in version "v1" cannot be handled as a Pod: strict decoding error: unknown field "x", unknown field "spec.y", '
        'duplicate field "spec.restartPolicy", unknown field "spec.containers[0].z", '
        'duplicate field "spec.containers[0].name", duplicate field "metadata.name"'
    )


def test_round_trip_drops_what_go_would_not_write() -> None:
    obj = {
        "metadata": {"name": "p", "labels": {"a": None}, "bogus": 1},
        "spec": {
            "hostNetwork": False,
            "nodeSelector": {},
            "automountServiceAccountToken": False,
            "containers": [{"name": "c", "image": "", "command": [], "resources": {"limits": {"cpu": "1000m"}}}],
        },
    }
    assert schema_check.drop_unknown("io.k8s.api.core.v1.Pod", obj) == {
        "metadata": {"name": "p", "labels": {"a": ""}},
        "spec": {
            "automountServiceAccountToken": False,
            "containers": [{"name": "c", "resources": {"limits": {"cpu": "1"}}}],
        },
    }


def test_merge_keys_come_from_the_schema() -> None:
    assert schema.merge_key("io.k8s.api.core.v1.PodSpec", "containers") == "name"
    assert schema.merge_key("io.k8s.api.core.v1.Container", "ports") == "containerPort"
    assert schema.merge_key("io.k8s.api.core.v1.Container", "command") == ""


def test_openapi_pieces_describe_and_wrap_references() -> None:
    pieces = schema.openapi_schemas(("io.k8s.api.core.v1.Pod",))
    spec = pieces["io.k8s.api.core.v1.Pod"]["properties"]["spec"]
    assert spec["allOf"] == [{"$ref": "#/components/schemas/io.k8s.api.core.v1.PodSpec"}]
    assert spec["description"]
    assert pieces["io.k8s.api.core.v1.Container"]["properties"]["image"]["type"] == "string"


def body_of(step: Case) -> bytes:
    body = step.get("body", "")
    return body.encode() if isinstance(body, str) else json.dumps(body).encode()


def answerable(case: Case) -> bool:
    """One POST of a kind in the schema, refused (or not) by decoding alone."""
    step = case["steps"][0]
    kind = kind_of_path(step["path"])
    if kind is None or schema.definition_of_kind(*kind) is None:
        return False
    if len(case["steps"]) != 1 or step["method"] != "POST" or "?" in step["path"]:
        return False
    content = step.get("headers", {}).get("Content-Type", "application/json")
    message = (step["expect"].get("status") or {}).get("message", "")
    return (
        content in ("application/json", "application/yaml")
        and "registered for" not in message
        and "unknown conv" not in message
    )


CASES = [case for case in recorded("strict-decoding") if answerable(case)]
if CASES:

    @pytest.mark.parametrize("case", CASES, ids=name_of)
    def test_recorded_strict_decoding(case: Case) -> None:
        step = case["steps"][0]
        kind = kind_of_path(step["path"])
        assert kind
        expected = step["expect"]
        content = step.get("headers", {}).get("Content-Type", "")
        yaml = content == "application/yaml" or (not content and isinstance(step.get("body"), str))
        strict = step.get("query", {}).get("fieldValidation", "Warn") == "Strict"
        said = refusal(*kind, body_of(step), yaml=yaml, strict=strict)
        if expected["code"] == 400 and not expected["status"]["message"].startswith(
            ("the API version", "the name", "the namespace", "invalid")
        ):
            assert said == expected["status"]["message"]
        else:
            assert said is None
