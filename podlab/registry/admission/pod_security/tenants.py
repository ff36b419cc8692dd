"""What is enforced in a namespace that no label speaks of. As in Kubernetes nothing, but for one case: whoever may write in
single namespaces only, on nodes that are Docker on a machine that all share, must not become root of that machine, because
everybody's namespaces lie on it. So `baseline` holds there: no privileged containers, no namespaces of the host, no capabilities
beyond an engine's own. Whoever may change the namespace can label it otherwise.
"""

from __future__ import annotations

from django.db.models import Q

from podlab.registry.admission.pod_security.levels import BASELINE, PRIVILEGED
from podlab.registry.authorizer import EVERYTHING, STUDENT, VIEWER
from podlab.registry.rbac import policies
from podlab.storage import clusters
from podlab.storage.models import AccountGrant, Cluster, RoleGrant


def unlabelled(cluster: str, namespace: str) -> str:
    """The level for pods in a namespace without an enforce label."""
    return BASELINE if _is_docker(cluster) and _has_tenants(cluster, namespace) else PRIVILEGED


def _has_tenants(cluster: str, namespace: str) -> bool:
    """Whether somebody may write here without being master of the cluster: by a grant, or by a binding of somebody who can
    make pods or get into them."""
    here = Q(namespace=namespace) | Q(namespace=EVERYTHING, role=STUDENT)
    wanted = Q(cluster__in=(EVERYTHING, cluster)) & here & ~Q(role=VIEWER)
    if RoleGrant.objects.filter(wanted).exists() or AccountGrant.objects.filter(wanted).exists():
        return True
    return policies.of(cluster).has_tenants(namespace)


def _is_docker(cluster: str) -> bool:
    row = clusters.find(cluster)
    return row is not None and row.runtime == Cluster.Runtime.DOCKER
