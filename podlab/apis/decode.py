"""Bytes and text into documents: JSON as the API receives it, YAML as people write it.

The API server hands the body here first and only then asks schema.py whether it fits the kind; forms use the positions
to put an error beside its line. Hostile input ends in a DecodeError: size, depth, number of nodes (alias bombs) and
binary content are limited. Scalars resolve as in sigs.k8s.io/yaml (YAML 1.1): yes and on are booleans, 0644 is octal,
12:30 and 2020-01-01 stay text. YAML goes on in yaml_events.py.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from podlab.apis import yaml_events
from podlab.apis.decode_errors import MAX_DEPTH, DecodeError, Duplicate, Position, check_size
from podlab.apis.types import Manifest

__all__ = [
    "DecodeError",
    "Document",
    "Duplicate",
    "Position",
    "decode_body",
    "decode_json",
    "decode_yaml",
    "position_of",
]

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Document:
    """`obj` is whatever stood there: usually a Manifest, None for an empty document. Of duplicate keys the last one
    wins, and `duplicates` names the others in the order of the text. Where there are any in JSON, `keys` has the path of
    every key in that order."""

    obj: Any
    positions: Mapping[Path, Position] = field(default_factory=dict)
    duplicates: tuple[Duplicate, ...] = ()
    yaml: bool = False
    keys: tuple[str, ...] = ()

    def duplicate_texts(self) -> list[str]:
        """For warnings: one text each, as Kubernetes words them for this format."""
        return [item.text() for item in self.duplicates]

    def strict_texts(self) -> list[str]:
        """For the strict decoding error: YAML duplicates come as one entry of several lines."""
        if self.yaml and self.duplicates:
            return ["yaml: unmarshal errors:\n  " + "\n  ".join(self.duplicate_texts())]
        return self.duplicate_texts()


class RawNumber(float):
    """A number with a fraction or exponent that still knows how it was written: type errors quote it."""

    raw: str

    def __new__(cls, raw: str) -> RawNumber:
        number = super().__new__(cls, raw)
        number.raw = raw
        return number


@dataclass(slots=True)
class _Pairs:
    """An object whose keys have not been checked yet."""

    items: list[tuple[str, Any]]


def decode_json(raw: bytes) -> Document:
    check_size(len(raw))
    text = raw.decode("utf-8", "replace")
    if text.startswith("\ufeff"):  # bytes to Go, which has no name for a mark of their order
        raise DecodeError("invalid character 'ï' looking for beginning of value", 1, 1)
    if (found := _at_once(text)) is not None:
        return found
    try:
        tree = json.loads(
            text, object_pairs_hook=_Pairs, parse_float=RawNumber, parse_constant=lambda word: _no_constant(text, word)
        )
    except json.JSONDecodeError as problem:
        line, column = problem.lineno, problem.colno
        raise DecodeError(_go_message(text, problem), line, column) from None
    except RecursionError:
        raise DecodeError("exceeded max depth", 1, 1) from None
    except ValueError:  # an integer of thousands of digits
        raise DecodeError("number out of range", 1, 1) from None
    duplicates: list[Duplicate] = []
    obj = _unpack(tree, "", 0, duplicates)
    return Document(obj, duplicates=tuple(duplicates), keys=tuple(_keys(tree, "")) if duplicates else ())


def _keys(node: Any, path: str) -> Iterator[str]:
    if isinstance(node, list):
        for index, item in enumerate(node):
            yield from _keys(item, f"{path}[{index}]")
    elif isinstance(node, _Pairs):
        for key, value in node.items:
            here = f"{path}.{_whole(key)}" if path else _whole(key)
            yield here
            yield from _keys(value, here)


def _at_once(text: str) -> Document | None:
    """What most bodies are: no key twice, nothing deep, no escaped characters. None where a closer look is needed."""
    if "\\u" in text or text.count("{") + text.count("[") > MAX_DEPTH:
        return None
    try:
        return Document(
            json.loads(
                text,
                object_pairs_hook=_once,
                parse_float=RawNumber,
                parse_constant=lambda word: _no_constant(text, word),
            )
        )
    except (_KeyTwice, ValueError, RecursionError):
        return None


class _KeyTwice(Exception):
    pass


def _once(pairs: list[tuple[str, Any]]) -> Manifest:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise _KeyTwice
    return made


def _no_constant(text: str, word: str) -> Any:
    raise json.JSONDecodeError("Expecting value", text, max(0, text.find(word)))


def _unpack(node: Any, path: str, depth: int, duplicates: list[Duplicate]) -> Any:
    if depth > MAX_DEPTH:
        raise DecodeError("exceeded max depth", 1, 1)
    if isinstance(node, list):
        return [_unpack(item, f"{path}[{index}]", depth + 1, duplicates) for index, item in enumerate(node)]
    if not isinstance(node, _Pairs):
        return _whole(node) if isinstance(node, str) else node
    out: Manifest = {}
    for key, value in node.items:
        key = _whole(key)
        here = f"{path}.{key}" if path else key
        if key in out:
            duplicates.append(Duplicate(key, here, 0))
        out[key] = _unpack(value, here, depth + 1, duplicates)
    return out


def _whole(text: str) -> str:
    """Half a surrogate pair is no character, and becomes U+FFFD (encoding/json, unquote)."""
    return text if text.isascii() else _HALF.sub("\ufffd", text)


_HALF = re.compile("[\ud800-\udfff]")
_MESSAGES = (
    ("Expecting property name", "looking for beginning of object key string"),
    ("Illegal trailing comma", "looking for beginning of object key string"),
    ("Expecting ':'", "after object key"),
    ("Expecting value", "looking for beginning of value"),
    ("Extra data", "after top-level value"),
    ("Invalid control character", "in string literal"),
    ("Invalid \\escape", "in string escape code"),
    ("Invalid \\uXXXX", "in \\u hexadecimal character escape"),
)


def _go_message(text: str, problem: json.JSONDecodeError) -> str:
    """The sentence of encoding/json for the same mistake."""
    at = problem.pos
    while at < len(text) and text[at] in " \t\r\n":
        at += 1
    if at >= len(text) or problem.msg.startswith("Unterminated string"):
        return _CUT_OFF
    if text[at] == "-" and problem.msg.startswith("Expecting value"):
        following = text[at + 1 : at + 2]
        return f"invalid character {_quoted(following)} in numeric literal" if following else _CUT_OFF
    char = _quoted(text[at])
    for literal in ("null", "true", "false"):
        if problem.msg.startswith("Expecting value") and text[at] == literal[0]:
            return _broken_literal(text[at:], literal)
    for start, words in _MESSAGES:
        if problem.msg.startswith(start):
            return f"invalid character {char} {words}"
    place = "after object key:value pair" if _inside_object(text, at) else "after array element"
    return f"invalid character {char} {place}"


_CUT_OFF = "unexpected end of JSON input"


def _quoted(char: str) -> str:
    if char == "'":
        return "'\\''"
    return f"'{char}'" if char.isprintable() else repr(char)


def _broken_literal(text: str, literal: str) -> str:
    for got, wanted in zip(text, literal, strict=False):
        if got != wanted:
            return f"invalid character '{got}' in literal {literal} (expecting '{wanted}')"
    return "unexpected end of JSON input"


def _inside_object(text: str, end: int) -> bool:
    bare = re.sub(r'"(?:\\.|[^"\\])*"', "", text[:end])
    stack: list[str] = []
    for char in bare:
        if char in "{[":
            stack.append(char)
        elif char in "}]" and stack:
            stack.pop()
    return bool(stack) and stack[-1] == "{"


def decode_yaml(text: str) -> list[Document]:
    """All documents of a text, empty ones as None. Raises DecodeError with the line where it went wrong."""
    check_size(len(text.encode("utf-8", "replace")))
    return [
        Document(item.obj, item.positions, tuple(item.duplicates), yaml=True) for item in yaml_events.documents(text)
    ]


def decode_body(raw: bytes, *, yaml: bool = False) -> Document:
    """The body of a request: JSON, or the first document of a YAML text (an empty body is an empty object there)."""
    if not yaml:
        return decode_json(raw)
    check_size(len(raw))
    found = decode_yaml(raw.decode("utf-8", "replace"))
    return found[0] if found else Document(None, yaml=True)


_STEP = re.compile(r"\.?([^.\[\]]+)|\[([^\]]*)\]")


def position_of(document: Document, path: str) -> Position | None:
    """Where "spec.containers[0].image" stands, or the nearest thing above it that exists."""
    steps: list[str | int] = []
    best = document.positions.get(())
    for match in _STEP.finditer(path):
        name, index = match.groups()
        step: str | int = name if name is not None else index
        if index is not None and index.isdigit() and (*steps, int(index)) in document.positions:
            step = int(index)
        steps.append(step)
        found = document.positions.get(tuple(steps))
        if found is None:
            return best
        best = found
    return best


def summarise(raw: bytes) -> str:
    """The first bytes of a body that nobody understood (apiserver, endpoints/handlers/rest.go, summarizeData)."""
    if not raw:
        return "<empty>"
    head = raw[:30]
    text = head.decode("utf-8", "replace") if raw[:1] == b"{" else head.hex()
    return f"{text} ..." if len(raw) > 30 else text


def unrecognised(kind: str, problem: str, raw: bytes) -> str:
    """The 400 of a body without a readable kind; `problem` from DecodeError.go_text or kind_problem."""
    return f"the object provided is unrecognized (must be of type {kind}): {problem} ({summarise(raw)})"


_META_STRUCT = 'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }'


def kind_problem(obj: Any) -> str | None:
    """What is wrong with apiVersion and kind before any schema is asked; None when they can be read."""
    if obj is not None and not isinstance(obj, dict):
        return f"couldn't get version/kind; json parse error: json: cannot unmarshal {json_type(obj)} into Go value of type {_META_STRUCT}"
    for name in ("apiVersion", "kind"):
        value = (obj or {}).get(name)
        if value is not None and not isinstance(value, str):
            return f"couldn't get version/kind; json parse error: json: cannot unmarshal {json_type(value)} into Go struct field .{name} of type string"
    version = (obj or {}).get("apiVersion") or ""
    return f"unexpected GroupVersion string: {version}" if version.count("/") > 1 else None


def json_type(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, RawNumber):
        return f"number {value.raw}"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, str):
        return "string"
    return "array" if isinstance(value, list) else "object"
