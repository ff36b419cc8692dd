"""Protobuf bodies: what comes out is what the same object would be in JSON, and bad bytes end in one kind of error."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from podlab.apis import protobuf, schema, scheme
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


def test_zero_values_of_go_are_left_out_as_in_its_json() -> None:
    found = pod(field(3, "Never") + field(6, "") + field(11, 0), GO_META)
    assert found == {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "web"},
        "spec": {"restartPolicy": "Never"},
        "status": {},
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
    with pytest.raises(UnknownMessage, match="field 99 of VolumeSource has no protobuf description"):
        pod(field(1, field(1, "v") + field(2, field(99, field(1, "disk")))))


def test_options_of_a_deletion_whatever_group_they_are_named_after() -> None:
    options = field(1, 0) + field(2, field(1, "u")) + field(4, "Foreground") + field(5, "All")
    wanted = {
        "gracePeriodSeconds": 0,
        "preconditions": {"uid": "u"},
        "propagationPolicy": "Foreground",
        "dryRun": ["All"],
    }
    for version in ("v1", "apps/v1", "meta.k8s.io/v1"):
        found = protobuf.decode(body(version, "DeleteOptions", options))
        assert found == {"apiVersion": version, "kind": "DeleteOptions", **wanted}
    with pytest.raises(UnknownMessage, match="field 7 of DeleteOptions"):
        protobuf.decode(body("v1", "DeleteOptions", field(7, 1)))


def test_times_with_fractions_and_times_that_are_not_set() -> None:
    lease = protobuf.decode(
        body("coordination.k8s.io/v1", "Lease", field(2, field(4, field(1, 60) + field(2, 5_001_999))))
    )
    assert lease["spec"] == {"renewTime": "1970-01-01T00:01:00.005001Z"}
    event = protobuf.decode(body("v1", "Event", field(6, b"") + field(10, b"")))
    assert (event["firstTimestamp"], event["eventTime"]) == (None, None)


def test_json_within_a_message() -> None:
    entry = field(1, "m") + field(7, field(1, b'{"f:data":{}}'))
    found = protobuf.decode(
        body("apps/v1", "ControllerRevision", field(1, field(17, entry)) + field(2, field(1, b'{"a":[1]}')))
    )
    assert found["metadata"]["managedFields"] == [{"manager": "m", "fieldsV1": {"f:data": {}}}]
    assert found["data"] == {"a": [1]}
    with pytest.raises(ProtobufError, match="invalid character"):
        protobuf.decode(body("apps/v1", "ControllerRevision", field(2, field(1, b"{x"))))
    with pytest.raises(UnknownMessage, match="an object within the object is protobuf"):
        protobuf.decode(body("apps/v1", "ControllerRevision", field(2, field(1, protobuf.MAGIC))))


def test_lists_as_values_of_a_map() -> None:
    extra = field(1, "k") + field(2, field(1, "a") + field(1, ""))
    found = protobuf.decode(body("authorization.k8s.io/v1", "SubjectAccessReview", field(2, field(5, extra))))
    assert found["spec"] == {"extra": {"k": ["a", ""]}}


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


SORTS = {
    "": "string", "int": "integer", "bool": "boolean", "bytes": "string", "Quantity": "quantity", "Time": "time",
    "IntOrString": "intorstring", "MicroTime": "time", "RawExtension": "any", "FieldsV1": "any", "Strings": "array",
}  # fmt: skip


def test_every_message_has_just_the_fields_of_its_schema() -> None:
    """What the table lacks would be lost, what it has too much refused; a new schema without a new table fails here."""
    messages, roots = protobuf._table()
    waiting = [(message, schema.definition_of_kind(*key)) for key, message in roots.items()]
    seen = set()
    while waiting:
        message, definition = waiting.pop()
        assert definition is not None, message.name
        wanted = {name: item.type for name, item in schema.fields(definition).items()}
        found = dict(_fields(message, messages))
        own = {"apiVersion", "kind"} - set(found)  # an object names its own beside the message
        assert set(wanted) - own == set(found), message.name
        for name, known in found.items():
            type = wanted[name]
            assert (known.map, known.repeated) == (type.sort == "map", type.sort == "array"), (message.name, name)
            inner = type.item if known.map or known.repeated else type
            assert inner is not None
            below = messages.get(known.type)
            assert inner.sort == ("object" if below else SORTS[known.type.replace("string", "")]), (message.name, name)
            if below and (below.name, inner.ref) not in seen:
                seen.add((below.name, inner.ref))
                waiting.append((below, inner.ref))


def _fields(message: protobuf.Message, messages: dict[str, protobuf.Message]) -> Iterator[tuple[str, protobuf.Field]]:
    for known in message.fields.values():
        if known.inline:
            yield from _fields(messages[known.type], messages)
        else:
            yield known.name, known


def test_every_kind_that_is_served_has_its_messages() -> None:
    unread = {"NodeMetrics", "PodMetrics", "PodPreset"}  # nobody's protobuf has these
    read = protobuf.kinds()
    for item in scheme.RESOURCES:
        assert ((item.api_version, item.kind) in read) != (item.kind in unread), item.kind
        for below in item.subresources:
            if {"create", "update"} & set(below.verbs) and not below.kind.endswith("Options"):
                version = below.group_version or item.api_version
                assert (version, below.kind) in read, (item.kind, below.name)


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
