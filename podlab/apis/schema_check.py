"""Does a decoded object fit its kind? Kubernetes' answers, word for word.

The registry calls type_error first (400, whatever fieldValidation says), then strict_errors (400 or warnings), then
drop_unknown, which leaves what survives decoding into Go structs. Source: sigs.k8s.io/json and encoding/json.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, field
from typing import Any

from podlab.apis import go_types, quantity, schema, struct_order, times
from podlab.apis.decode import RawNumber, json_type
from podlab.apis.scheme import Resource
from podlab.apis.types import Manifest

MAX_STRICT_ERRORS = 100
_NONE: Manifest = {}
_INT_RANGE = {"int32": 2**31, "int64": 2**63}


def strict_errors(
    resource: Resource | str, obj: Manifest, duplicates: Sequence[str] = (), keys: Sequence[str] = ()
) -> list[str]:
    """Texts of unknown fields in the order of the document, after those of duplicates (Document.strict_texts): YAML is
    searched for duplicates before it becomes JSON. `keys` of a JSON text puts both in one order."""
    unknown: list[str] = []
    _unknown(_definition(resource), obj, "", unknown)
    if duplicates and keys:
        return _in_order(unknown, duplicates, keys)[:MAX_STRICT_ERRORS]
    return [*duplicates, *unknown][:MAX_STRICT_ERRORS]


def _in_order(unknown: Sequence[str], duplicates: Sequence[str], keys: Sequence[str]) -> list[str]:
    """By where Go's decoder meets them. What an unknown field holds it passes over, so that nothing is twice in there."""
    wanted = {*unknown, *duplicates}
    found: dict[str, None] = {}
    seen: set[str] = set()
    over = ""  # the unknown field that is passed over
    for path in keys:
        if over and path.startswith((f"{over}.", f"{over}[")):
            continue
        strange = f'unknown field "{path}"'
        over = path if strange in wanted else ""
        text = f'duplicate field "{path}"' if path in seen and not over else strange
        if text in wanted:
            found[text] = None
        seen.add(path)
    return list(found)


def strict_message(texts: Sequence[str]) -> str:
    return "strict decoding error: " + ", ".join(texts)


def cannot_be_handled(kind: str, api_version: str, problem: str, as_kind: str = "") -> str:
    """The 400 around a type error or a strict decoding error."""
    version = api_version.rpartition("/")[2]
    return f'{kind} in version "{version}" cannot be handled as a {as_kind or kind}: {problem}'


def _definition(resource: Resource | str) -> str:
    return resource if isinstance(resource, str) else schema.definition_of(resource)


def _unknown(definition: str, obj: Any, path: str, out: list[str]) -> None:
    if not isinstance(obj, dict) or len(out) >= MAX_STRICT_ERRORS:
        return
    known = schema.fields(definition)
    for name, value in obj.items():
        here = f"{path}.{name}" if path else name
        if name not in known:
            out.append(f'unknown field "{here}"')
        else:
            _unknown_inside(known[name].type, value, here, out)


def _unknown_inside(kind: schema.Type, value: Any, path: str, out: list[str]) -> None:
    if kind.sort == "object":
        _unknown(kind.ref, value, path, out)
    elif kind.sort == "array" and kind.item and isinstance(value, list):
        for index, item in enumerate(value):
            _unknown_inside(kind.item, item, f"{path}[{index}]", out)
    elif kind.sort == "map" and kind.item and isinstance(value, dict):
        for key, item in value.items():
            _unknown_inside(kind.item, item, f"{path}.{key}", out)


_GO_KINDS = {name: name for name in ("bool", "int", "int32", "int64", "float64")}
_MAP_TYPES = {"bool": ("bool", "bool"), "string": ("string", "string"), "array": ("slice", "[]interface {}")}


def _cannot_convert(value: Any, go_type: str, sort: str) -> str:
    number = "float64" if isinstance(value, float) else "int64"
    sorts = {**_MAP_TYPES, "number": (number, number), "object": ("map", "map[string]interface {}")}
    kind, name = sorts[json_type(value).partition(" ")[0]]
    if sort:
        return f"cannot restore {sort} {kind}"
    target = _GO_KINDS.get(go_type, "string")
    # Go itself converts integers to strings and numbers to each other; of all else the converter knows no more than this.
    convertible = (kind == "int64" and target == "string") or (kind == "float64" and target not in ("string", "bool"))
    return f"cannot convert {name} to {go_type}" if convertible else f"unrecognized type: {target}"


class _Abort(Exception):
    """A value that refuses by itself (quantity, time): decoding ends there, whatever was wrong before."""


@dataclass
class _Walk:
    """One pass; the first mismatch is what Kubernetes reports."""

    first: str | None = None
    path: list[str] = field(default_factory=list)
    from_map: bool = False

    def mismatch(self, value: Any, struct: str, go_type: str, sort: str = "") -> None:
        """`sort` is what the converter says of a type that it does not name."""
        if self.from_map:
            raise _Abort(_cannot_convert(value, go_type, sort))
        if self.first is None:
            self.first = self.told(value, struct, go_type)

    def told(self, value: Any, struct: str, go_type: str) -> str:
        where = ".".join([struct, *self.path])
        return f"json: cannot unmarshal {json_type(value)} into Go struct field {where} of type {go_type}"


def type_error(resource: Resource | str, obj: Manifest, *, from_map: bool = False) -> str | None:
    """The sentence of the first value that has the wrong type, None when all fit. `from_map` says it as the converter
    from maps to structs does, instead of the JSON decoder (apimachinery/pkg/runtime/converter.go)."""
    walk = _Walk(from_map=from_map)
    definition = _definition(resource)
    try:
        _check_fields(walk, definition, obj)
    except _Abort as problem:
        return str(problem)
    return walk.first


def _short(definition: str) -> str:
    return definition.rpartition(".")[2]


def _check_fields(walk: _Walk, definition: str, obj: Manifest) -> None:
    known = schema.fields(definition)
    struct = _short(definition)
    for name, value in struct_order.items(definition, obj) if walk.from_map else obj.items():
        if value is None or name not in known:
            continue
        embedded = go_types.embedded_struct(struct, name)
        steps = [embedded, name] if embedded else [name]
        walk.path.extend(steps)
        _check_value(walk, struct, name, known[name].type, value)
        del walk.path[-len(steps) :]


def _check_value(walk: _Walk, struct: str, name: str, kind: schema.Type, value: Any) -> None:
    if value is None or kind.sort == "any":
        return
    if kind.sort == "object":
        if isinstance(value, dict):
            _check_fields(walk, kind.ref, value)
        else:
            walk.mismatch(value, struct, schema.go_name(kind.ref), "struct from:")
    elif kind.sort == "array" and kind.item:
        if isinstance(value, list):
            for item in value:
                _check_value(walk, struct, name, kind.item, item)
        else:
            walk.mismatch(value, struct, _go_type(struct, name, kind), "slice from")
    elif kind.sort == "map" and kind.item:
        if isinstance(value, dict):
            for item in value.values():
                _check_value(walk, struct, name, kind.item, item)
        else:
            walk.mismatch(value, struct, _go_type(struct, name, kind), "map from")
    else:
        _check_scalar(walk, struct, name, kind, value)


def _check_scalar(walk: _Walk, struct: str, name: str, kind: schema.Type, value: Any) -> None:
    match kind.sort:
        case "quantity":
            _check_quantity(value)
        case "time":
            _check_time(walk, struct, value, micro=kind.ref.endswith("MicroTime"))
        case "intorstring":
            if not isinstance(value, str) and not _fits(value, "int32"):
                if walk.from_map:  # this type reads itself out of JSON
                    found = json_type(_as_written(value))
                    raise _Abort(f"json: cannot unmarshal {found} into Go value of type int32")
                raise _Abort(walk.told(_as_written(value), struct, "int32"))
        case "integer":
            if not (_converts(value) if walk.from_map else _fits(value, kind.format)):
                walk.mismatch(_as_written(value), struct, kind.format or "int")
        case "number":
            if isinstance(value, bool) or not isinstance(value, int | float):
                walk.mismatch(value, struct, "float64")
        case "boolean":
            if not isinstance(value, bool):
                walk.mismatch(_plain(value), struct, "bool")
        case "string":
            if not isinstance(value, str):
                sort = "slice from" if kind.format == "byte" else ""
                walk.mismatch(_plain(value), struct, _go_type(struct, name, kind), sort)
            elif kind.format == "byte":
                _check_base64(value, "error decoding from json: " if walk.from_map else "")


def _plain(value: Any) -> Any:
    """Only a field for numbers quotes the number it got."""
    return 0.0 if isinstance(value, RawNumber) else value


def _as_written(value: Any) -> Any:
    if isinstance(value, float) and not isinstance(value, RawNumber):
        return RawNumber(repr(value))
    return RawNumber(str(value)) if isinstance(value, int) and not isinstance(value, bool) else value


def _fits(value: Any, form: str) -> bool:
    if isinstance(value, bool) or not isinstance(value, int):
        return False
    limit = _INT_RANGE.get(form, 2**63)
    return bool(-limit <= value < limit)


def _converts(value: Any) -> bool:
    """Whether the converter makes an integer of this: what is too large wraps around, 3.0 is 3."""
    return not isinstance(value, bool) and (isinstance(value, int) or (isinstance(value, float) and value.is_integer()))


def _wrapped(value: Any, form: str) -> int:
    """What the converter makes of a number that does not fit; a float above all integers is the lowest one."""
    whole = int(value) if -(2**63) <= value < 2**63 else -(2**63)
    limit = _INT_RANGE.get(form, 2**63)
    return (whole + limit) % (2 * limit) - limit


def _check_quantity(value: Any) -> None:
    try:
        quantity.parse(value.raw if isinstance(value, RawNumber) else value)
    except quantity.QuantityError as problem:
        raise _Abort(str(problem)) from None


def _check_base64(value: str, before: str) -> None:
    text = value.replace("\n", "").replace("\r", "")
    bad = re.search(r"[^A-Za-z0-9+/=]", text)
    stop = bad.start() if bad else len(text) // 4 * 4
    try:
        base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise _Abort(f"{before}illegal base64 data at input byte {stop}") from None


_LAYOUT = "2006-01-02T15:04:05Z07:00"
_CHUNKS = (
    ("2006", r"\d{4}"), ("-", "-"), ("01", r"\d\d"), ("-", "-"), ("02", r"\d\d"), ("T", "T"), ("15", r"\d\d"),
    (":", ":"), ("04", r"\d\d"), (":", ":"), ("05", r"\d\d(?:\.\d+)?"), ("Z07:00", r"Z|[+-]\d\d:\d\d"),
)  # fmt: skip
_MICRO_LAYOUT = "2006-01-02T15:04:05.000000Z07:00"
_MICRO_CHUNKS = (*_CHUNKS[:-2], ("05", r"\d\d"), (".000000", r"[.,]\d{6}"), _CHUNKS[-1])


def _check_time(walk: _Walk, struct: str, value: Any, *, micro: bool) -> None:
    if not isinstance(value, str):
        if walk.from_map:
            raise _Abort(f"json: cannot unmarshal {json_type(value)} into Go value of type string")
        raise _Abort(walk.told(_plain(value), struct, "string"))
    layout, chunks = (_MICRO_LAYOUT, _MICRO_CHUNKS) if micro else (_LAYOUT, _CHUNKS)
    rest = value
    for chunk, pattern in chunks:
        match = re.match(pattern, rest)
        if match is None:
            raise _Abort(f'parsing time "{value}" as "{layout}": cannot parse "{rest}" as "{chunk}"')
        rest = rest[match.end() :]
    if rest:
        raise _Abort(f'parsing time "{value}": extra text: "{rest}"')
    try:
        times.parse(value)
    except ValueError:
        raise _Abort(f'parsing time "{value}": day out of range') from None


def _go_type(struct: str, name: str, kind: schema.Type) -> str:
    if kind.sort == "array" and kind.item:
        return "[]" + _go_type(struct, name, kind.item)
    if kind.sort == "map" and kind.item:
        if kind.item.sort == "quantity":
            return go_types.RESOURCE_LIST
        return "map[string]" + _go_type("", "", kind.item)
    if kind.sort == "object":
        return schema.go_name(kind.ref)
    if kind.sort == "string":
        return "[]uint8" if kind.format == "byte" else go_types.STRING_TYPES.get(struct, {}).get(name, "string")
    return {"boolean": "bool", "integer": kind.format or "int", "quantity": "resource.Quantity"}.get(
        kind.sort, kind.sort
    )


def drop_unknown(resource: Resource | str, obj: Manifest) -> Manifest:
    """A copy as it would look after a round trip through Go: unknown fields, nulls, and empty values of fields that
    are not pointers are gone; quantities are canonical; a null in a list or map is the zero value of its type."""
    return _through_go(_definition(resource), obj)


def _through_go(definition: str, obj: Manifest) -> Manifest:
    known = schema.fields(definition)
    struct = _short(definition)
    zeroes = go_types.POINTERS.get(struct, set()) | go_types.KEPT_ZERO.get(struct, set())
    out: Manifest = {}
    for name, value in obj.items():
        if name not in known or value is None:
            continue
        told = known[name]
        value = _value_through_go(told.type, value)
        if _vanishes(told, value) and name not in zeroes and name not in go_types.KEPT_EMPTY.get(struct, ()):
            continue
        out[name] = value
    for name, zero in go_types.ALWAYS.get(struct, _NONE).items():
        if name not in out:
            out[name] = copy(zero)
    return out


def _vanishes(told: schema.Field, value: Any) -> bool:
    """Does omitempty leave this value out, were the field not a pointer?"""
    if told.type.sort in ("array", "map"):
        return not value
    scalar = told.type.sort in ("string", "integer", "number", "boolean")
    return scalar and not told.required and not value


def _value_through_go(kind: schema.Type, value: Any) -> Any:
    if value is None and kind.sort == "object":
        return _through_go(kind.ref, {})
    if value is None:
        return {"string": "", "object": {}, "array": [], "map": {}, "quantity": "0", "boolean": False}.get(kind.sort, 0)
    if kind.sort == "object" and isinstance(value, dict):
        return _through_go(kind.ref, value)
    if kind.sort == "array" and kind.item and isinstance(value, list):
        return [_value_through_go(kind.item, item) for item in value]
    if kind.sort == "map" and kind.item and isinstance(value, dict):
        return {key: _value_through_go(kind.item, item) for key, item in value.items()}
    if kind.sort == "integer" and not _fits(value, kind.format):
        return _wrapped(value, kind.format)
    if kind.sort == "quantity":
        return quantity.canonical(value.raw if isinstance(value, RawNumber) else value)
    if kind.sort == "time" and isinstance(value, str) and value:
        moment = times.parse(value)
        return times.rfc3339_micro(moment) if kind.ref.endswith("MicroTime") else times.rfc3339(moment)
    return value
