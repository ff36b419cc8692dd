"""Protobuf request bodies into objects: kubectl since 1.32 and typed Go clients send them and know no way back to JSON.

`apiserver.bodies` hands the bytes to `decode`; what comes out is what Go would write as JSON for the same object, so
nothing else has to know. protobuf_fields.txt has the fields of every kind that is served; answers are always JSON.
Hostile input ends in a ProtobufError: every length is checked before it is believed, and the number of values is
limited as for YAML.
Sources: apimachinery/pkg/runtime/serializer/protobuf, protobuf.dev/programming-guides/encoding.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from podlab.apis import times
from podlab.apis.decode import decode_json
from podlab.apis.decode_errors import MAX_NODES, DecodeError, check_size
from podlab.apis.types import Manifest

MAGIC = b"k8s\x00"
_TABLE = Path(__file__).with_name("protobuf_fields.txt")
_FIELD = re.compile(r"(?P<name>\w+)=(?P<number>\d+)(?::(?P<map>\{)?(?P<type>\w+)\}?)?(?P<flags>[*?&]*)")
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_INTEGERS = frozenset({"int", "bool"})
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class ProtobufError(Exception):
    """Bytes that are no such message. `kind` and `api_version` are "" when not even those could be read."""

    def __init__(self, message: str, api_version: str = "", kind: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.api_version = api_version
        self.kind = kind


class UnknownMessage(ProtobufError):
    """A sound body with something in it that the table does not have: 415, because JSON would do."""


@dataclass(frozen=True, slots=True)
class Field:
    name: str
    number: int
    type: str  # string, int, bool, bytes or a message
    map: bool
    repeated: bool
    kept: bool  # also when zero
    inline: bool


@dataclass(frozen=True, slots=True)
class Message:
    name: str
    fields: dict[int, Field]
    closed: bool  # an unknown field is refused


@cache
def _table() -> tuple[dict[str, Message], dict[tuple[str, str], Message]]:
    """All messages by name, and the object kinds by apiVersion and kind."""
    messages: dict[str, Message] = {}
    kinds: dict[tuple[str, str], Message] = {}
    for line in _TABLE.read_text(encoding="utf-8").splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        head, _, rest = line.partition(": ")
        api_version, _, label = head.rpartition(" ")
        name = label.removesuffix("!")
        message = Message(name, dict(_parsed(rest)), closed=label.endswith("!"))
        if api_version:
            kinds[api_version, name] = message
        else:
            messages[name] = message
    return messages, kinds


def _parsed(text: str) -> Iterator[tuple[int, Field]]:
    for word in text.split():
        match = _FIELD.fullmatch(word)
        if match is None:
            raise ValueError(f"{_TABLE.name}: {word}")
        flags = match["flags"]
        number = int(match["number"])
        yield (
            number,
            Field(
                match["name"],
                number,
                match["type"] or "string",
                map=bool(match["map"]),
                repeated="*" in flags,
                kept="?" in flags,
                inline="&" in flags,
            ),
        )


def kinds() -> frozenset[tuple[str, str]]:
    """(apiVersion, kind) of everything that can be read."""
    return frozenset(_table()[1])


def decode(raw: bytes) -> Manifest:
    """The object in a request body. ProtobufError, or TooLarge above the size limit of all bodies."""
    check_size(len(raw))
    if not raw.startswith(MAGIC):
        prefix = " ".join(str(byte) for byte in MAGIC)
        raise ProtobufError(f"provided data does not appear to be a protobuf message, expected prefix [{prefix}]")
    envelope = {number: value for number, _, value in _values(raw[len(MAGIC) :])}
    type_meta = {number: value for number, _, value in _values(_as_bytes(envelope.get(1, b"")))}
    api_version, kind = (_as_text(type_meta.get(number, b"")) for number in (1, 2))
    # Clients name DeleteOptions after the group that they delete from; it is one message everywhere.
    message = _table()[1].get(("v1" if kind == "DeleteOptions" else api_version, kind))
    if message is None:
        text = f'no protobuf description of kind "{kind}" in version "{api_version}"'
        raise UnknownMessage(text, api_version, kind)
    try:
        body = _Reader().message(_as_bytes(envelope.get(2, b"")), message)
    except ProtobufError as error:
        raise type(error)(error.message, api_version, kind) from None
    return {"apiVersion": api_version, "kind": kind, **body}


def _values(data: bytes) -> Iterator[tuple[int, int, int | bytes]]:
    """(field number, wire type, value) of every field in a message."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        number, wire = key >> 3, key & 7
        if not 0 < number < 2**29:
            raise ProtobufError(f"proto: illegal tag {number} (wire type {wire})")
        if wire == _VARINT:
            value, at = _varint(data, at)
            yield number, wire, value
            continue
        size = {_FIXED64: 8, _FIXED32: 4}.get(wire)
        if wire == _BYTES:
            size, at = _varint(data, at)
        if size is None:
            raise ProtobufError(f"proto: illegal wireType {wire}")
        if size > len(data) - at:
            raise ProtobufError("unexpected EOF")
        yield number, wire, data[at : at + size]
        at += size


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(data):
            raise ProtobufError("unexpected EOF")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & (2**64 - 1), at
    raise ProtobufError("proto: integer overflow")


def _as_bytes(value: int | bytes) -> bytes:
    if isinstance(value, int):
        raise ProtobufError("proto: wrong wireType = 0 for a field of bytes")
    return value


def _as_text(value: int | bytes) -> str:
    try:
        return _as_bytes(value).decode()
    except UnicodeDecodeError:
        raise ProtobufError("proto: a string field contains invalid UTF-8") from None


def _signed(value: int) -> int:
    return value - 2**64 if value >= 2**63 else value


@dataclass
class _Reader:
    """One body; counts its values."""

    left: int = field(default=MAX_NODES)

    def message(self, data: bytes, message: Message) -> Manifest:
        out: Manifest = {}
        for number, wire, value in _values(data):
            self._count()
            known = message.fields.get(number)
            if known is None:
                if message.closed:
                    raise UnknownMessage(f"field {number} of {message.name} has no protobuf description")
                continue
            self._take(out, known, wire, value)
        return out

    def _count(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise ProtobufError(f"more than {MAX_NODES} values")

    def _take(self, out: Manifest, known: Field, wire: int, raw: int | bytes) -> None:
        wanted = _VARINT if known.type in _INTEGERS and not known.map else _BYTES
        if wire != wanted:
            if (
                known.repeated and known.type == "int" and wire == _BYTES and isinstance(raw, bytes)
            ):  # packed, which is legal too
                out.setdefault(known.name, []).extend(self._packed(raw))
                return
            raise ProtobufError(f"proto: wrong wireType = {wire} for field {known.name}")
        if known.map:
            key, value = self._entry(_as_bytes(raw), known.type)
            out.setdefault(known.name, {})[key] = value
            return
        value = self._value(raw, known.type)
        if known.repeated:
            out.setdefault(known.name, []).append(value)
        elif known.inline:
            out.update(value)
        elif value not in ("", 0, None) or isinstance(value, dict) or known.kept:
            out[known.name] = value
        else:
            out.pop(known.name, None)  # of a field that comes twice the last one counts

    def _counted(self, raw: bytes) -> Iterator[int | bytes]:
        for number, _, value in _values(raw):
            self._count()
            if number == 1:
                yield value

    def _packed(self, raw: bytes) -> Iterator[int]:
        at = 0
        while at < len(raw):
            self._count()
            value, at = _varint(raw, at)
            yield _signed(value)

    def _entry(self, raw: bytes, type: str) -> tuple[str, Any]:
        """A map is a list of messages with a key (1) and a value (2), either of which may be missing."""
        found: dict[int, int | bytes] = {1: b"", 2: b""}
        for number, _, value in _values(raw):
            self._count()
            found[number] = value
        return _as_text(found[1]), self._value(_as_bytes(found[2]), type)

    def _value(self, raw: int | bytes, type: str) -> Any:
        if isinstance(raw, int):
            return bool(raw) if type == "bool" else _signed(raw)
        if type == "string":
            return _as_text(raw)
        if type == "bytes":
            return base64.b64encode(raw).decode()
        if type == "Strings":
            return [_as_text(value) for value in self._counted(raw)]
        special = _SPECIAL.get(type)
        if special is not None:
            return special({number: value for number, _, value in _values(raw)})
        return self.message(raw, _table()[0][type])


def _quantity(found: dict[int, int | bytes]) -> str:
    return _as_text(found.get(1, b"")) or "0"


def _int_or_string(found: dict[int, int | bytes]) -> int | str:
    if found.get(1, 0) == 1:
        return _as_text(found.get(3, b""))
    number = found.get(2, 0)
    if isinstance(number, bytes):
        raise ProtobufError("proto: wrong wireType = 2 for field intVal")
    return _signed(number)


def _time(found: dict[int, int | bytes]) -> str | None:
    """None for the zero time, which Go sends for every object."""
    moment = _moment(found)
    return None if moment is None else times.rfc3339(moment)


def _micro_time(found: dict[int, int | bytes]) -> str | None:
    moment = _moment(found)
    return None if moment is None else times.rfc3339_micro(moment)


def _moment(found: dict[int, int | bytes]) -> datetime | None:
    seconds, nanoseconds = found.get(1), found.get(2, 0)
    if seconds is None:
        return None
    if isinstance(seconds, bytes) or isinstance(nanoseconds, bytes):
        raise ProtobufError("proto: wrong wireType = 2 for a field of a time")
    try:
        return _EPOCH + timedelta(seconds=_signed(seconds), microseconds=_signed(nanoseconds) // 1000)
    except OverflowError:
        raise ProtobufError("Time.MarshalJSON: year outside of range [0,9999]") from None


def _json(found: dict[int, int | bytes]) -> Any:
    """An object that the message carries as JSON: data of a ControllerRevision, managed fields."""
    raw = _as_bytes(found.get(1, b""))
    if raw.startswith(MAGIC):
        raise UnknownMessage("an object within the object is protobuf")
    try:
        return decode_json(raw).obj if raw else None
    except DecodeError as error:
        raise ProtobufError(error.go_text) from None


_SPECIAL = {
    "Quantity": _quantity,
    "IntOrString": _int_or_string,
    "Time": _time,
    "MicroTime": _micro_time,
    "RawExtension": _json,
    "FieldsV1": _json,
}
