"""The kinds of rbac.authorization.k8s.io/v1. See kinds_core.py for the source of names and verbs.

Beside what somebody stores, `registry.computed` shows Kubernetes' own roles and the lab's grants as such objects.
"""

from __future__ import annotations

from podlab.apis.resource import Resource, kind

RBAC = "rbac.authorization.k8s.io"
_VERSION = f"{RBAC}/v1"

CLUSTER_ROLE_BINDINGS = kind(_VERSION, "ClusterRoleBinding", "clusterrolebindings", namespaced=False)
CLUSTER_ROLES = kind(_VERSION, "ClusterRole", "clusterroles", namespaced=False)
ROLE_BINDINGS = kind(_VERSION, "RoleBinding", "rolebindings")
ROLES = kind(_VERSION, "Role", "roles")

# In the order of discovery.
POLICY: tuple[Resource, ...] = (CLUSTER_ROLE_BINDINGS, CLUSTER_ROLES, ROLE_BINDINGS, ROLES)
