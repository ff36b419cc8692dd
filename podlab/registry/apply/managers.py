"""The entries of metadata.managedFields: who wrote which fields, how and when. Pure.

An entry is told from others by its `Manager`; reading entries and writing them again changes nothing but their order.
Source: apimachinery/pkg/util/managedfields/internal/{managedfields,managedfieldsupdater,capmanagers}.go.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from podlab.apis.types import Manifest
from podlab.registry.apply import fieldset
from podlab.registry.apply.fieldset import FieldSet

APPLY = "Apply"
UPDATE = "Update"
MAX_UPDATERS = 10
ANCIENT = "ancient-changes"


@dataclass(frozen=True, slots=True, order=True)
class Manager:
    """An applier is the same one whatever version it applies in, so `version` is "" for it."""

    name: str
    operation: str
    version: str = ""
    subresource: str = ""

    def quoted(self) -> str:
        """As conflicts name it."""
        text = f'"{self.name}"'
        if self.subresource:
            text += f' with subresource "{self.subresource}"'
        return text if self.operation == APPLY else f"{text} using {self.version}"


@dataclass(frozen=True, slots=True)
class Entry:
    """`version` is the apiVersion in which `fields` are named."""

    fields: FieldSet
    version: str
    time: str = ""


Managers = dict[Manager, Entry]


def read(entries: Any) -> Managers | None:
    """None when they cannot be read, as when a client made them up."""
    if not isinstance(entries, list):
        return None
    found: Managers = {}
    for entry in entries:
        if not isinstance(entry, dict) or not _is_sound(entry):
            return None
        operation, version = entry["operation"], entry.get("apiVersion") or ""
        manager = Manager(
            entry.get("manager") or "",
            operation,
            "" if operation == APPLY else version,
            entry.get("subresource") or "",
        )
        found[manager] = Entry(entry.get("fieldsV1") or {}, version, entry.get("time") or "")
    return found


def _is_sound(entry: Manifest) -> bool:
    if entry.get("operation") not in (APPLY, UPDATE) or entry.get("fieldsType") not in ("FieldsV1", "", None):
        return False
    texts = (entry.get(name) or "" for name in ("manager", "apiVersion", "subresource", "time"))
    return all(isinstance(text, str) for text in texts) and fieldset.is_valid(entry.get("fieldsV1") or {})


def write(found: Mapping[Manager, Entry]) -> list[Manifest]:
    """Appliers first, then by time and name."""
    order = sorted(found.items(), key=lambda item: (item[0].operation, item[1].time, item[0].name, item[0]))
    return [_entry(manager, entry) for manager, entry in order]


def _entry(manager: Manager, entry: Entry) -> Manifest:
    out: Manifest = {"manager": manager.name, "operation": manager.operation, "apiVersion": entry.version}
    if entry.time:
        out["time"] = entry.time
    out["fieldsType"] = "FieldsV1"
    out["fieldsV1"] = fieldset.ordered(entry.fields)
    if manager.subresource:
        out["subresource"] = manager.subresource
    return out


def take(found: Managers, fields: FieldSet, *, but: Manager | None = None) -> Managers:
    """Take these fields away from everybody except `but`; who is left with nothing is left out."""
    out: Managers = {}
    for manager, entry in found.items():
        left = entry.fields if manager == but else fieldset.difference(entry.fields, fields)
        if left:
            out[manager] = entry if left is entry.fields else Entry(left, entry.version, entry.time)
    return out


def capped(found: Managers) -> Managers:
    """At most MAX_UPDATERS entries of updates: the oldest ones of a version are joined to one."""
    updaters = sorted((entry.time, manager) for manager, entry in found.items() if manager.operation == UPDATE)
    surplus = len(updaters) - MAX_UPDATERS
    if surplus <= 0:
        return found
    out = dict(found)
    for _, manager in updaters:
        bucket = Manager(ANCIENT, UPDATE, manager.version)
        if surplus <= 0:
            break
        if manager == bucket:
            continue
        entry = out.pop(manager)
        before = out.get(bucket)
        if before is not None:
            surplus -= 1
        fields = fieldset.union(before.fields, entry.fields) if before else entry.fields
        out[bucket] = Entry(fields, entry.version, max(entry.time, before.time if before else ""))
    return out
