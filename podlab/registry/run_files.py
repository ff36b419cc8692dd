"""The run file: a zip of JSON lines and logs that tells what happened in a namespace. Packing, and reading with distrust.

    about.json               format, version, where it was recorded
    changes.jsonl            the change log: one committed write a line, with its lab time, actor and why
    runs.jsonl               starts and ends of containers
    probes.jsonl             every probe result
    logs/<uid>/<container>/<attempt>.log   what containers wrote, as the kubelet keeps it
    manifests/<resource>.<name>.yaml       the last state of each object, for people

Whatever a file says is checked before it is believed: sizes, types, names; `Unreadable` says where it is wrong.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import IO, Any, Literal, TypeVar

import msgspec
import yaml

from podlab.apis import names, schema_check, scheme, times
from podlab.apis.types import Key, Manifest
from podlab.apis.validation import tables
from podlab.storage import history
from podlab.storage.log import LogEntry

FORMAT, VERSION = "podlab-run", 1
MAX_FILE = 64 * 1024 * 1024  # bytes as uploaded
MAX_UNPACKED = 512 * 1024 * 1024  # bytes in all
MAX_CHANGES = 50_000
MAX_ROWS = 500_000  # of probes; of runs as well

LogName = tuple[str, str, int]  # pod uid, container, attempt
_LOG = re.compile(r"logs/([0-9a-f-]{36})/([a-z0-9][a-z0-9-]{0,62})/(\d{1,6})\.log")
_UID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_Row = TypeVar("_Row")


class Unreadable(Exception):
    """No run file, or one that is broken; the text names the part and the line."""


@dataclass(frozen=True)
class RunFile:
    about: Mapping[str, Any]
    changes: Sequence[LogEntry]
    runs: Sequence[history.Run]
    probes: Sequence[history.ProbeRow]
    logs: Mapping[LogName, bytes] = field(default_factory=dict)


class ChangeLine(msgspec.Struct):
    """One line of changes.jsonl. `revision` and `previous` are numbers of the lab that recorded it."""

    revision: int
    type: Literal["ADDED", "MODIFIED", "DELETED"]
    resource: str
    name: str
    uid: str
    at: datetime
    wall: datetime
    object: dict[str, Any]
    previous: int = 0
    namespace: str = ""
    actor: str = ""
    why: str = ""


def pack(run: RunFile, target: IO[bytes]) -> None:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        about = {**run.about, "format": FORMAT, "version": VERSION}
        archive.writestr("about.json", msgspec.json.format(msgspec.json.encode(about)))
        archive.writestr("changes.jsonl", _lines(_change_line(entry) for entry in run.changes))
        archive.writestr("runs.jsonl", _lines(run.runs))
        archive.writestr("probes.jsonl", _lines(run.probes))
        for (uid, container, attempt), text in run.logs.items():
            archive.writestr(f"logs/{uid}/{container}/{attempt}.log", text)
        for name, manifest in _manifests(run.changes):
            archive.writestr(f"manifests/{name}.yaml", yaml.safe_dump(manifest, sort_keys=False, allow_unicode=True))


def _lines(rows: Any) -> bytes:
    return b"".join(msgspec.json.encode(row) + b"\n" for row in rows)


def _change_line(entry: LogEntry) -> ChangeLine:
    key = entry.key
    return ChangeLine(
        revision=entry.revision,
        previous=entry.prev_revision,
        type=entry.type,  # type: ignore[arg-type]
        resource=key.resource,
        namespace=key.namespace,
        name=key.name,
        uid=entry.uid,
        at=entry.at,
        wall=entry.wall,
        actor=entry.actor,
        why=entry.why,
        object=entry.obj,
    )


def _manifests(changes: Sequence[LogEntry]) -> Iterator[tuple[str, Manifest]]:
    last = {entry.key: entry for entry in changes}
    for key, entry in last.items():
        if key.resource not in {"events", "events.events.k8s.io"}:
            yield f"{key.resource}.{key.name}", entry.obj


# -- reading


def unpack(source: IO[bytes]) -> RunFile:
    """Unreadable for everything that is not what `pack` writes."""
    try:
        with zipfile.ZipFile(source) as archive:
            return _unpack(archive)
    except (zipfile.BadZipFile, EOFError, OSError, NotImplementedError, RuntimeError) as error:
        raise Unreadable(f"this is no run file: {error}") from error


def _unpack(archive: zipfile.ZipFile) -> RunFile:
    if sum(info.file_size for info in archive.infolist()) > MAX_UNPACKED:
        raise Unreadable(f"unpacked it is larger than {MAX_UNPACKED // 2**20} MiB")
    about = _about(archive)
    lines = _rows(archive, "changes.jsonl", ChangeLine, MAX_CHANGES)
    changes = [_change(line, number) for number, line in enumerate(lines, 1)]
    if not changes:
        raise Unreadable("changes.jsonl: there is no change in it")
    if any(one.revision >= two.revision for one, two in zip(changes, changes[1:], strict=False)):
        raise Unreadable("changes.jsonl: the revisions do not rise")
    return RunFile(
        about,
        changes,
        _rows(archive, "runs.jsonl", history.Run, MAX_ROWS),
        _rows(archive, "probes.jsonl", history.ProbeRow, MAX_ROWS),
        {found: archive.read(info) for info in archive.infolist() if (found := _log_name(info.filename))},
    )


def _about(archive: zipfile.ZipFile) -> Mapping[str, Any]:
    try:
        about = msgspec.json.decode(_read(archive, "about.json"), type=dict[str, Any])
    except (msgspec.MsgspecError, RecursionError) as error:
        raise Unreadable(f"about.json: {error}") from error
    if about.get("format") != FORMAT:
        raise Unreadable(f"about.json: the format is not {FORMAT}")
    if about.get("version") != VERSION:
        raise Unreadable(f"about.json: version {about.get('version')} is not known here, only {VERSION}")
    return about


def _read(archive: zipfile.ZipFile, name: str) -> bytes:
    try:
        return archive.read(name)
    except KeyError:
        raise Unreadable(f"{name} is missing") from None


def _rows(archive: zipfile.ZipFile, name: str, type: type[_Row], most: int) -> list[_Row]:
    decoder = msgspec.json.Decoder(type)
    found: list[_Row] = []
    for number, line in enumerate(_read(archive, name).splitlines(), 1):
        if number > most:
            raise Unreadable(f"{name}: more than {most} lines")
        try:
            row = decoder.decode(line)
        except (msgspec.MsgspecError, RecursionError) as error:
            raise Unreadable(f"{name} line {number}: {error}") from error
        _check_values(row, f"{name} line {number}")
        found.append(row)
    return found


# What the columns hold: the longest text, and the numbers from … to.
_LONGEST = {"namespace": 63, "pod": 253, "pod_uid": 36, "node": 253, "container_id": 128, "image": 512, "reason": 64,
            "probe": 10, "outcome": 8, "caused": 16}  # fmt: skip
_MOST_INT = 2**31 - 1
_NUMBERS = {"attempt": (0, 999_999), "run": (0, _MOST_INT), "threshold": (0, _MOST_INT), "latency_ms": (0, 1e9), "exit_code": (-_MOST_INT, _MOST_INT),
            "revision": (0, 2**62), "previous": (0, 2**62), "seq": (0, 2**62)}  # fmt: skip
_YEARS = range(1970, 3000)  # a page reckons some time back and ahead from any moment
_CONTAINER = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


def _check_values(row: object, where: str) -> None:
    for name in row.__struct_fields__ if isinstance(row, msgspec.Struct) else row.__dataclass_fields__:  # type: ignore[attr-defined]
        value = getattr(row, name)
        if isinstance(value, str):
            if "\0" in value or len(value) > _LONGEST.get(name, len(value)):
                raise Unreadable(f"{where}: {name} holds a NUL or is too long")
            if name == "container" and not _CONTAINER.fullmatch(value):
                raise Unreadable(f"{where}: container is no name of a container")
        elif isinstance(value, datetime):
            if value.tzinfo is None:
                raise Unreadable(f"{where}: {name} has no time zone")
            if value.year not in _YEARS:
                raise Unreadable(f"{where}: {name} is not between the years {_YEARS[0]} and {_YEARS[-1]}")
        elif isinstance(value, int | float) and not _NUMBERS[name][0] <= value <= _NUMBERS[name][1]:
            raise Unreadable(f"{where}: {name} is out of range")


def _change(line: ChangeLine, number: int) -> LogEntry:
    where = f"changes.jsonl line {number}"
    resource = scheme.by_key(line.resource)
    if resource is None:
        raise Unreadable(f"{where}: resource {line.resource[:80]!r} is not known here")
    meta = line.object.get("metadata")
    if not isinstance(meta, dict) or not _fits(line, meta, resource):
        raise Unreadable(f"{where}: the object's kind, name, namespace or uid is not that of the line")
    wrong = schema_check.type_error(resource, line.object) or _shape_error(line)
    if wrong:
        raise Unreadable(f"{where}: {wrong}")
    body = msgspec.json.encode(line.object).decode()
    key = Key("", line.resource, line.namespace, line.name)
    return LogEntry(
        line.revision, line.previous, line.type, key, line.uid, body, line.at, line.wall, line.actor, line.why
    )


def _fits(line: ChangeLine, meta: Mapping[str, Any], resource: scheme.Resource) -> bool:
    return (
        bool(_UID.fullmatch(line.uid))
        and meta.get("uid") == line.uid
        and meta.get("name") == line.name
        and (meta.get("namespace") or "") == line.namespace
        and bool(line.namespace) == resource.namespaced
        and _is_time(meta.get("creationTimestamp"))
        and line.object.get("kind") == resource.kind
        and line.object.get("apiVersion") == resource.api_version
        and not tables.NAME_RULES.get(resource.key, names.dns_subdomain)(line.name)
        and not (line.namespace and names.dns_label(line.namespace))
    )


def _has_empty_item(value: object) -> bool:
    if isinstance(value, dict):
        return any(_has_empty_item(one) for one in value.values())
    return isinstance(value, list) and any(one is None or _has_empty_item(one) for one in value)


def _is_time(value: object) -> bool:
    try:
        return isinstance(value, str) and times.parse(value).year in _YEARS
    except ValueError:
        return False


def _shape_error(line: ChangeLine) -> str:
    """What every page takes for granted of an object, and of a pod."""
    if _has_empty_item(line.object):
        return "a list has an item that is null"
    if line.resource != "pods":
        return ""
    spec = line.object.get("spec") or {}
    if not spec.get("containers"):
        return "spec.containers: Required value"
    for group in ("initContainers", "containers", "ephemeralContainers"):
        for index, container in enumerate(spec.get(group) or ()):
            if names.dns_label(container.get("name") or ""):
                return f"spec.{group}[{index}].name: Invalid value"
            for port in container.get("ports") or ():
                if not all(
                    0 < number < 65536 for number in (port.get("containerPort") or 0, port.get("hostPort") or 1)
                ):
                    return f"spec.{group}[{index}].ports: a port is missing or out of range"
    if any(not volume.get("name") for volume in spec.get("volumes") or ()):
        return "spec.volumes: a name is missing"
    statuses = line.object.get("status") or {}
    for group in ("initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses"):
        if any(names.dns_label(status.get("name") or "") for status in statuses.get(group) or ()):
            return f"status.{group}: a name is missing or invalid"
    if any(not (one.get("type") and one.get("status")) for one in statuses.get("conditions") or ()):
        return "status.conditions: a type or a status is missing"
    return ""


def _log_name(filename: str) -> LogName | None:
    found = _LOG.fullmatch(filename)
    return (found[1], found[2], int(found[3])) if found else None
