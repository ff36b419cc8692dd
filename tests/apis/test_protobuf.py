"""Protobuf bodies: what comes out is what the same object would be in JSON, and bad bytes end in one kind of error."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from podlab.apis import protobuf, schema, schema_check
from podlab.apis.decode_errors import MAX_BYTES, MAX_NODES, TooLarge
from podlab.apis.protobuf import ProtobufError, UnknownMessage


def varint(value: int) -> bytes:
    value &= 2**64 - 1
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def field(number: int, value: int | str | bytes) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def body(api_version: str, kind: str, raw: bytes) -> bytes:
    type_meta = field(1, api_version) + field(2, kind)
    return protobuf.MAGIC + field(1, type_meta) + field(2, raw) + field(3, "") + field(4, "")


def pod(spec: bytes, meta: bytes = field(1, "p")) -> dict[str, Any]:
    return protobuf.decode(body("v1", "Pod", field(1, meta) + field(2, spec) + field(3, field(1, ""))))


# name "", generateName "", generation 0 and an empty creationTimestamp, as Go's structs are written.
GO_META = field(1, "web") + field(2, "") + field(3, "") + field(5, "") + field(7, 0) + field(8, b"")


def test_zero_values_of_go_are_left_out_and_so_is_status() -> None:
    found = pod(field(3, "Never") + field(6, "") + field(11, 0), GO_META)
    assert found == {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "web"},
        "spec": {"restartPolicy": "Never"},
    }


def test_what_is_a_pointer_in_go_is_kept_when_zero() -> None:
    assert pod(field(4, 0) + field(21, 0))["spec"] == {
        "terminationGracePeriodSeconds": 0,
        "automountServiceAccountToken": False,
    }


def test_embedded_structs_belong_to_the_message_around_them() -> None:
    volume = field(1, "v") + field(2, field(19, field(1, field(1, "settings")) + field(3, 420)))
    probe = field(1, field(2, field(1, "/ok") + field(2, field(1, 1) + field(3, "web")))) + field(4, 5)
    container = field(1, "c") + field(10, probe)
    spec = pod(field(1, volume) + field(2, container))["spec"]
    assert spec["volumes"] == [{"name": "v", "configMap": {"name": "settings", "defaultMode": 420}}]
    wanted = {"httpGet": {"path": "/ok", "port": "web"}, "periodSeconds": 5}
    assert spec["containers"] == [{"name": "c", "livenessProbe": wanted}]


def test_quantities_numbers_or_names_times_and_bytes() -> None:
    limits = field(1, field(1, "cpu") + field(2, field(1, "100m")))
    port = field(1, "http") + field(3, 80) + field(4, field(1, 0) + field(2, 8080))
    owner_free_meta = field(1, "p") + field(9, field(1, 1_600_000_000))
    assert pod(field(2, field(8, limits)))["spec"]["containers"][0]["resources"] == {"limits": {"cpu": "100m"}}
    service = protobuf.decode(body("v1", "Service", field(2, field(1, port))))
    assert service["spec"]["ports"] == [{"name": "http", "port": 80, "targetPort": 8080}]
    assert pod(b"", owner_free_meta)["metadata"]["deletionTimestamp"] == "2020-09-13T12:26:40Z"
    secret = protobuf.decode(body("v1", "Secret", field(2, field(1, "k") + field(2, b"\x00\xff"))))
    assert secret["data"] == {"k": "AP8="}


def test_negative_and_packed_numbers() -> None:
    context = field(4, varint(7) + varint(-1)) + field(4, 9)
    assert pod(field(14, context))["spec"]["securityContext"]["supplementalGroups"] == [7, -1, 9]
    assert protobuf.decode(body("scheduling.k8s.io/v1", "PriorityClass", field(2, -5)))["value"] == -5


def test_a_field_that_json_always_shows_is_kept() -> None:
    assert protobuf.decode(body("scheduling.k8s.io/v1", "PriorityClass", field(2, 0)))["value"] == 0


def test_both_versions_of_the_autoscaler() -> None:
    first = protobuf.decode(body("autoscaling/v1", "HorizontalPodAutoscaler", field(2, field(3, 5) + field(4, 80))))
    assert first["spec"] == {"maxReplicas": 5, "targetCPUUtilizationPercentage": 80}
    target = field(1, "Utilization") + field(4, 80)
    metric = field(1, "Resource") + field(4, field(1, "cpu") + field(2, target))
    second = protobuf.decode(
        body("autoscaling/v2", "HorizontalPodAutoscaler", field(2, field(3, 5) + field(4, metric)))
    )
    wanted = {
        "type": "Resource",
        "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}},
    }
    assert second["spec"]["metrics"] == [wanted]


def test_an_unknown_field_is_skipped_but_never_an_unknown_volume() -> None:
    assert pod(field(500, "news"))["spec"] == {}
    with pytest.raises(UnknownMessage, match="field 3 of VolumeSource has no protobuf description"):
        pod(field(1, field(1, "v") + field(2, field(3, field(1, "disk")))))


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        pytest.param(b"", "does not appear to be a protobuf message", id="nothing"),
        pytest.param(b"{}", r"expected prefix \[107 56 115 0\]", id="json"),
        pytest.param(protobuf.MAGIC + b"\x0a\xff", "unexpected EOF", id="a length beyond the end"),
        pytest.param(protobuf.MAGIC + b"\x0b", "illegal wireType 3", id="a group"),
        pytest.param(protobuf.MAGIC + b"\x00\x00", "illegal tag 0", id="field number 0"),
        pytest.param(protobuf.MAGIC + b"\x80" * 11, "integer overflow", id="an endless number"),
        pytest.param(body("v1", "Pod", field(1, field(1, b"\xff"))), "invalid UTF-8", id="text that is none"),
        pytest.param(body("v1", "Pod", field(1, 5)), "wrong wireType = 0 for field metadata", id="a number for a message"),
        pytest.param(body("v1", "Pod", field(1, field(7, b"x"))), "wrong wireType = 2", id="bytes for a number"),
        pytest.param(body("v1", "Pod", field(1, field(9, field(1, 2**62)))), "year outside", id="a time beyond all years"),
        pytest.param(body("v1", "Pod", field(2, field(5, 0) * (MAX_NODES + 1))), "more than", id="too many values"),
    ],
)  # fmt: skip
def test_bad_bytes_are_refused(raw: bytes, text: str) -> None:
    with pytest.raises(ProtobufError, match=text):
        protobuf.decode(raw)


def test_a_kind_without_description_and_a_body_above_the_limit() -> None:
    with pytest.raises(UnknownMessage, match='no protobuf description of kind "Gadget" in version "v9"'):
        protobuf.decode(body("v9", "Gadget", b""))
    with pytest.raises(TooLarge):
        protobuf.decode(protobuf.MAGIC + b"\x00" * MAX_BYTES)


def test_every_field_of_the_table_is_in_the_schema() -> None:
    """A slip of the pen in the table would surface as an unknown field."""
    messages, roots = protobuf._table()
    for (api_version, kind), message in roots.items():
        definition = schema.definition_of_kind(api_version, kind)
        assert definition is not None, kind
        sample = _full(message, messages)
        assert schema_check.strict_errors(definition, sample) == [], kind


def _full(message: protobuf.Message, messages: dict[str, protobuf.Message]) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for known in message.fields.values():
        below = messages.get(known.type)
        value: Any = _full(below, messages) if below else "x"
        if known.inline:
            out.update(value)
        else:
            out[known.name] = {"k": value} if known.map else [value] if known.repeated else value
    return out


def _messages() -> st.SearchStrategy[bytes]:
    leaf = st.builds(field, st.integers(1, 45), st.one_of(st.integers(0, 2**64 - 1), st.binary(max_size=12)))
    some = st.lists(leaf, max_size=6).map(b"".join)
    nest = lambda inner: st.lists(st.builds(field, st.integers(1, 45), inner), max_size=4).map(b"".join)  # noqa: E731
    return st.recursive(some, nest, max_leaves=12)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(sorted(protobuf.kinds())), _messages(), st.integers(0, 400), st.integers(0, 255))
def test_no_bytes_whatsoever_raise_anything_else(kind: tuple[str, str], raw: bytes, at: int, byte: int) -> None:
    whole = body(*kind, raw)
    broken = whole[:at] + bytes([byte]) + whole[at + 1 :]
    for data in (whole, broken, whole[:at], raw):
        try:
            found = protobuf.decode(data)
        except ProtobufError:
            continue
        assert found["kind"]
