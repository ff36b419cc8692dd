"""Columns and cells of role bindings; roles have no printer of their own. printers.py joins them to its own.

Source: pkg/printers/internalversion/printers.go, pkg/apis/rbac/v1/evaluation_helpers.go (SubjectsStrings).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from podlab.apis.kinds_rbac import CLUSTER_ROLE_BINDINGS, ROLE_BINDINGS
from podlab.apis.printer_columns import AGE, NAME, Cell, Told, age, name
from podlab.apis.types import Manifest

_SORTS = ("User", "Group", "ServiceAccount")


_LOST = "If the RoleRef cannot be resolved, the Authorizer must return an error."


def _columns(reference: str, where: str) -> tuple[Told, ...]:
    """The printer has its words from an older version of the kinds, before a role could not be changed any more."""
    return (
        NAME,
        Told("Role", f"RoleRef can {reference} in the global namespace. {_LOST}"),
        AGE,
        *(Told(title, f"{title} in the {where}", wide=True) for title in ("Users", "Groups", "ServiceAccounts")),
    )


COLUMNS: Mapping[str, tuple[Told, ...]] = {
    ROLE_BINDINGS.key: _columns("reference a Role in the current namespace or a ClusterRole", "roleBinding"),
    CLUSTER_ROLE_BINDINGS.key: _columns("only reference a ClusterRole", "clusterRoleBinding"),
}


def _binding(obj: Manifest, now: datetime) -> list[Cell]:
    role = obj.get("roleRef") or {}
    subjects = obj.get("subjects") or []
    told = (", ".join(_told(one) for one in subjects if one.get("kind") == sort) for sort in _SORTS)
    return [name(obj), f"{role.get('kind', '')}/{role.get('name', '')}", age(obj, now), *told]


def _told(subject: Manifest) -> str:
    called = str(subject.get("name") or "")
    return f"{subject.get('namespace') or ''}/{called}" if subject.get("kind") == "ServiceAccount" else called


ROWS: Mapping[str, Callable[[Manifest, datetime], list[Cell]]] = {
    ROLE_BINDINGS.key: _binding,
    CLUSTER_ROLE_BINDINGS.key: _binding,
}
