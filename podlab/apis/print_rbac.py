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


def _columns(definition: str, where: str) -> tuple[Told, ...]:
    return (
        NAME,
        Told("Role", f"io.k8s.api.rbac.v1.{definition}/roleRef"),
        AGE,
        *(Told(title, f"{title} in the {where}", wide=True) for title in ("Users", "Groups", "ServiceAccounts")),
    )


COLUMNS: Mapping[str, tuple[Told, ...]] = {
    ROLE_BINDINGS.key: _columns("RoleBinding", "roleBinding"),
    CLUSTER_ROLE_BINDINGS.key: _columns("ClusterRoleBinding", "clusterRoleBinding"),
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
