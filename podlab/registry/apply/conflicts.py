"""The 409 of an apply that wants fields of others.

Source: apimachinery/pkg/util/managedfields/internal/conflict.go.
"""

from __future__ import annotations

from collections.abc import Mapping

from podlab.apis.status_errors import ApiError
from podlab.apis.types import Manifest
from podlab.registry.apply import fieldset
from podlab.registry.apply.fieldset import FieldSet
from podlab.registry.apply.managers import Manager


def refusal(conflicts: Mapping[Manager, FieldSet]) -> ApiError:
    """`conflicts` are the wanted fields by the manager that owns them."""
    found = [
        (manager.quoted(), fieldset.text(path))
        for manager, fields in sorted(conflicts.items())
        for path in fieldset.paths(fields)
    ]
    causes: list[Manifest] = [
        {"reason": "FieldManagerConflict", "message": f"conflict with {manager}", "field": path}
        for manager, path in found
    ]
    return ApiError(409, "Conflict", _message(found), details={"causes": causes})


def _message(found: list[tuple[str, str]]) -> str:
    if len(found) == 1:
        manager, path = found[0]
        return f"Apply failed with 1 conflict: conflict with {manager}: {path}"
    lines: list[str] = []
    for manager in dict.fromkeys(name for name, _ in found):
        lines.append(f"conflicts with {manager}:")
        lines.extend(f"- {path}" for name, path in found if name == manager)
    return f"Apply failed with {len(found)} conflicts: " + "\n".join(lines)
