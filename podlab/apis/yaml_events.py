"""YAML documents built from parser events, with the position of every key.

Called by decode.decode_yaml only. The tree is built here, without recursion and without PyYAML's constructors, because
those lose positions and duplicate keys, and because a deeply nested text would take the process down with them.
"""

from __future__ import annotations

import base64
import binascii
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from podlab.apis.decode_errors import MAX_DEPTH, MAX_DOCUMENTS, MAX_NODES, DecodeError, Duplicate, Position

Path = tuple[str | int, ...]
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_PREFIX = "tag:yaml.org,2002:"
_MERGE = object()

_WORDS: dict[str, Any] = {"": None, "~": None, "null": None, "Null": None, "NULL": None, "<<": _MERGE}
for _true, _false in (("y", "n"), ("yes", "no"), ("true", "false"), ("on", "off")):
    for _form in (str.lower, str.capitalize, str.upper):
        _WORDS[_form(_true)] = True
        _WORDS[_form(_false)] = False
_INTEGER = re.compile(r"[-+]?(0b[01_]+|0o[0-7_]+|0x[0-9a-fA-F_]+|0[0-7_]*|[1-9][0-9_]*)")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_INFINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")


@dataclass
class Parsed:
    obj: Any
    positions: dict[Path, Position]
    duplicates: list[Duplicate]


@dataclass
class _Frame:
    """A collection under construction."""

    path: Path
    value: Any
    at: Position
    anchor: str | None
    key: str | None = None  # of a mapping: the key that waits for its value
    key_at: Position | None = None
    merging: bool = False
    merged: list[dict[str, Any]] = field(default_factory=list)


def documents(text: str) -> Iterator[Parsed]:
    if "\x00" in text:
        line = text.count("\n", 0, text.index("\x00")) + 1
        raise DecodeError("control characters are not allowed", line, 1, go_line=line)
    builder: _Builder | None = None
    count = nodes = 0
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            if isinstance(event, yaml.DocumentStartEvent):
                count += 1
                if count > MAX_DOCUMENTS:
                    raise DecodeError(f"more than {MAX_DOCUMENTS} documents", _line(event), 1)
                builder = _Builder(nodes)
            elif isinstance(event, yaml.DocumentEndEvent) and builder is not None:
                yield Parsed(builder.root, builder.positions, builder.duplicates)
                nodes, builder = builder.nodes, None
            elif builder is not None:
                builder.take(event)
    except yaml.reader.ReaderError as problem:
        line = text.count("\n", 0, problem.position) + 1
        raise DecodeError("control characters are not allowed", line, 1, go_line=line) from None
    except yaml.MarkedYAMLError as problem:
        raise _refused(problem, text) from None


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark is not None else 1


def _refused(problem: yaml.MarkedYAMLError, text: str) -> DecodeError:
    mark = problem.problem_mark or problem.context_mark
    row, column = (mark.line, mark.column) if mark else (0, 0)
    message = problem.problem or problem.context or "cannot be read"
    lines = text.splitlines()
    if "cannot start any token" in message and row < len(lines) and "\t" in lines[row][: column + 1]:
        message = "found character that cannot start any token"
    # go-yaml names parser errors by the line before, scanner errors by their own (yaml.go, parser.fail).
    go_line = row + 1 if isinstance(problem, yaml.scanner.ScannerError) else max(row, 1)
    return DecodeError(message, row + 1, column + 1, go_line=go_line)


class _Builder:
    """One document. Values are put into their collection as soon as they are complete."""

    def __init__(self, nodes: int) -> None:
        """`nodes`: how many the documents before this one had."""
        self.root: Any = None
        self.positions: dict[Path, Position] = {}
        self.duplicates: list[Duplicate] = []
        self.stack: list[_Frame] = []
        self.anchors: dict[str, tuple[Any, int]] = {}
        self.nodes = nodes

    def take(self, event: Any) -> None:
        at = Position(event.start_mark.line + 1, event.start_mark.column + 1)
        if isinstance(event, yaml.ScalarEvent):
            self._count(1, at)
            value = _scalar(event, at)
            if self._awaits_key():
                self._set_key(value, at)
                return
            value = "<<" if value is _MERGE else value
            self._remember(event.anchor, value, 1)
            self._put(value, at)
        elif isinstance(event, yaml.AliasEvent):
            self._alias(event.anchor or "", at)
        elif isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
            self._open({} if isinstance(event, yaml.MappingStartEvent) else [], event.anchor, at)
        elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            self._close()

    def _count(self, more: int, at: Position) -> None:
        self.nodes += more
        if self.nodes > MAX_NODES:
            raise DecodeError("document contains excessive aliasing", at.line, at.column, go_line=at.line)

    def _awaits_key(self) -> bool:
        return bool(self.stack) and isinstance(self.stack[-1].value, dict) and self.stack[-1].key is None

    def _set_key(self, value: Any, at: Position) -> None:
        frame = self.stack[-1]
        frame.key_at = at
        frame.merging = value is _MERGE
        if frame.merging:
            frame.key = "<<"
            return
        frame.key = _key_text(value, at)
        if frame.key in frame.value:
            self.duplicates.append(Duplicate(frame.key, _path_text((*frame.path, frame.key)), at.line))

    def _open(self, value: Any, anchor: str | None, at: Position) -> None:
        self._count(1, at)
        if len(self.stack) >= MAX_DEPTH:
            raise DecodeError("exceeded max depth", at.line, at.column, go_line=at.line)
        if self._awaits_key():
            raise DecodeError("invalid map key", at.line, at.column, go_line=at.line)
        self.stack.append(_Frame(self._next_path(), value, at, anchor))

    def _next_path(self) -> Path:
        if not self.stack:
            return ()
        frame = self.stack[-1]
        step: str | int = frame.key or "" if isinstance(frame.value, dict) else len(frame.value)
        return (*frame.path, step)

    def _close(self) -> None:
        frame = self.stack.pop()
        for merged in frame.merged:
            for key, value in merged.items():
                frame.value.setdefault(key, value)
        if frame.anchor:
            self._remember(frame.anchor, frame.value, _size(frame.value))
        self._put(frame.value, frame.at)

    def _remember(self, anchor: str | None, value: Any, size: int) -> None:
        if anchor:
            self.anchors[anchor] = (value, size)

    def _alias(self, name: str, at: Position) -> None:
        if name not in self.anchors:
            raise DecodeError(f"unknown anchor '{name}' referenced", at.line, at.column, go_line=at.line)
        value, size = self.anchors[name]
        self._count(size, at)
        if self._awaits_key():
            self._set_key(value, at)
            return
        self._put(_copy(value), at)

    def _put(self, value: Any, at: Position) -> None:
        if not self.stack:
            self.root = value
            self.positions[()] = at
            return
        frame = self.stack[-1]
        if isinstance(frame.value, list):
            self.positions[(*frame.path, len(frame.value))] = at
            frame.value.append(value)
            return
        if frame.merging:
            self._merge(frame, value, at)
        elif frame.key is not None:
            self.positions[(*frame.path, frame.key)] = frame.key_at or at
            frame.value[frame.key] = value
        frame.key, frame.merging = None, False

    def _merge(self, frame: _Frame, value: Any, at: Position) -> None:
        for item in value if isinstance(value, list) else [value]:
            if not isinstance(item, dict):
                message = "map merge requires map or sequence of maps as the value"
                raise DecodeError(message, at.line, at.column, go_line=at.line)
            frame.merged.append(item)


def _size(value: Any) -> int:
    total, waiting = 0, [value]
    while waiting:
        item = waiting.pop()
        total += 1
        if total > MAX_NODES:
            return total
        if isinstance(item, dict):
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)
    return total


def _copy(value: Any) -> Any:
    """So that defaulting one use of an anchor does not change the other."""
    if isinstance(value, dict):
        return {key: _copy(item) for key, item in value.items()}
    return [_copy(item) for item in value] if isinstance(value, list) else value


def _path_text(path: Path) -> str:
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text


def _key_text(value: Any, at: Position) -> str:
    """JSON keys are text (sigs.k8s.io/yaml, convertToJSONableObject)."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    if value is None:
        return "null"
    raise DecodeError("invalid map key", at.line, at.column, go_line=at.line)


def _scalar(event: Any, at: Position) -> Any:
    text: str = event.value
    tag = (event.tag or "").removeprefix(_PREFIX)
    if tag in ("", "!") and not (event.implicit[0] and not event.style):
        return text
    if tag == "str":
        return text
    if tag == "binary":
        try:
            return base64.b64decode(text).decode("utf-8", "replace")
        except (binascii.Error, ValueError):
            raise DecodeError(
                "!!binary value contains invalid base64 data", at.line, at.column, go_line=at.line
            ) from None
    value = resolve(text)
    if isinstance(value, float) and (math.isinf(value) or math.isnan(value)):
        raise DecodeError(f"json: unsupported value: {text}", at.line, at.column, go_line=at.line)
    return value


def resolve(text: str) -> Any:
    """A plain scalar: YAML 1.1 words and numbers, without sexagesimal numbers and dates (go-yaml v2, resolve.go)."""
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text) and len(text) < 64:
        return _integer(text.replace("_", ""))
    if _FLOAT.fullmatch(text) and len(text) < 64:
        number = float(text)  # a whole one reaches JSON without its fraction: 1e3 is a valid integer field
        return int(number) if number.is_integer() and abs(number) < 1e21 else number
    if _INFINITE.fullmatch(text):
        return math.nan if "n" in text.lower()[1:2] else math.inf
    return text


def _integer(text: str) -> int:
    sign = -1 if text.startswith("-") else 1
    digits = text.lstrip("+-")
    if len(digits) > 1 and digits[0] == "0" and digits[1] not in "xob":
        return sign * int(digits, 8)
    return sign * int(digits, 0)
