"""Kubernetes' own roles that manifests refer to: cluster-admin, admin, edit, view and what they are made of, and what every
user may. They are shown in every cluster, and nobody writes them. Pure data.

Source: plugin/pkg/auth/authorizer/rbac/bootstrappolicy/policy.go. Left out are the roles of Kubernetes' own components.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from podlab.registry.grants import AUTHENTICATED, MASTERS
from podlab.registry.rbac.rules import EVERYTHING, Rule

_READ = ("get", "list", "watch")
_WRITE = ("create", "update", "patch", "delete", "deletecollection")
_AGGREGATE = "rbac.authorization.k8s.io/aggregate-to-"
_CORE = ("",)

# What everybody may read who may enter a cluster at all.
OPEN_PATHS = ("/api", "/api/*", "/apis", "/apis/*", "/healthz", "/livez", "/openapi", "/openapi/*", "/readyz", "/version",
              "/version/")  # fmt: skip
_PUBLIC_PATHS = ("/healthz", "/livez", "/readyz", "/version", "/version/")


@dataclass(frozen=True, slots=True)
class BootstrapRole:
    """`gathers` is the label of the roles whose rules it has."""

    name: str
    rules: tuple[Rule, ...] = ()
    labels: dict[str, str] = field(default_factory=dict)
    gathers: str = ""


def _view() -> tuple[Rule, ...]:
    workloads = ("statefulsets", "statefulsets/status", "statefulsets/scale", "daemonsets", "daemonsets/status")
    shared = (
        *("deployments", "deployments/status", "deployments/scale"),
        *("replicasets", "replicasets/status", "replicasets/scale"),
    )
    return (
        Rule(
            _READ,
            _CORE,
            (
                *("pods", "replicationcontrollers", "replicationcontrollers/scale", "serviceaccounts", "services"),
                *(
                    "services/status",
                    "endpoints",
                    "persistentvolumeclaims",
                    "persistentvolumeclaims/status",
                    "configmaps",
                ),
            ),
        ),
        Rule(
            _READ,
            _CORE,
            (
                *("limitranges", "resourcequotas", "bindings", "events", "pods/status", "resourcequotas/status"),
                *("namespaces/status", "replicationcontrollers/status", "pods/log"),
            ),
        ),
        Rule(_READ, _CORE, ("namespaces",)),
        Rule(_READ, ("discovery.k8s.io",), ("endpointslices",)),
        Rule(_READ, ("apps",), ("controllerrevisions", *workloads, *shared)),
        Rule(_READ, ("autoscaling",), ("horizontalpodautoscalers", "horizontalpodautoscalers/status")),
        Rule(_READ, ("batch",), ("jobs", "cronjobs", "cronjobs/status", "jobs/status")),
        Rule(_READ, ("policy",), ("poddisruptionbudgets", "poddisruptionbudgets/status")),
        Rule(_READ, ("networking.k8s.io",), ("networkpolicies", "ingresses", "ingresses/status")),
    )


def _edit() -> tuple[Rule, ...]:
    inside = ("pods/attach", "pods/proxy", "pods/exec", "pods/portforward")
    return (
        Rule(_READ, _CORE, (*inside, "secrets", "services/proxy")),
        Rule(("impersonate",), _CORE, ("serviceaccounts",)),
        Rule(_WRITE, _CORE, ("pods", *inside)),
        Rule(("create",), _CORE, ("pods/eviction",)),
        Rule(
            _WRITE,
            _CORE,
            (
                *("replicationcontrollers", "replicationcontrollers/scale", "serviceaccounts", "services"),
                *("services/proxy", "persistentvolumeclaims", "configmaps", "secrets", "events"),
            ),
        ),
        Rule(("create",), _CORE, ("serviceaccounts/token",)),
        Rule(
            _WRITE,
            ("apps",),
            (
                *("statefulsets", "statefulsets/scale", "daemonsets", "deployments", "deployments/scale"),
                *("deployments/rollback", "replicasets", "replicasets/scale"),
            ),
        ),
        Rule(_WRITE, ("autoscaling",), ("horizontalpodautoscalers",)),
        Rule(_WRITE, ("batch",), ("jobs", "cronjobs")),
        Rule(_WRITE, ("policy",), ("poddisruptionbudgets",)),
        Rule(_WRITE, ("networking.k8s.io",), ("networkpolicies", "ingresses")),
        Rule((*_READ, *_WRITE), ("coordination.k8s.io",), ("leases",)),
    )


_ADMIN = (
    Rule(("create",), ("authorization.k8s.io",), ("localsubjectaccessreviews",)),
    Rule((*_READ, *_WRITE), ("rbac.authorization.k8s.io",), ("roles", "rolebindings")),
)
_BASIC_USER = (
    Rule(("create",), ("authorization.k8s.io",), ("selfsubjectaccessreviews", "selfsubjectrulesreviews")),
    Rule(("create",), ("authentication.k8s.io",), ("selfsubjectreviews",)),
)
_DISCOVERY = (Rule(("get",), urls=OPEN_PATHS),)

ROLES: tuple[BootstrapRole, ...] = (
    BootstrapRole("admin", gathers=f"{_AGGREGATE}admin"),
    BootstrapRole("cluster-admin", EVERYTHING),
    BootstrapRole("edit", labels={f"{_AGGREGATE}admin": "true"}, gathers=f"{_AGGREGATE}edit"),
    BootstrapRole("system:aggregate-to-admin", _ADMIN, {f"{_AGGREGATE}admin": "true"}),
    BootstrapRole("system:aggregate-to-edit", _edit(), {f"{_AGGREGATE}edit": "true"}),
    BootstrapRole("system:aggregate-to-view", _view(), {f"{_AGGREGATE}view": "true"}),
    BootstrapRole("system:basic-user", _BASIC_USER),
    BootstrapRole("system:discovery", _DISCOVERY),
    BootstrapRole("system:public-info-viewer", (Rule(("get",), urls=_PUBLIC_PATHS),)),
    BootstrapRole("view", labels={f"{_AGGREGATE}edit": "true"}, gathers=f"{_AGGREGATE}view"),
)
# Name of the binding and of its ClusterRole, groups.
BINDINGS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("cluster-admin", (MASTERS,)),
    ("system:basic-user", (AUTHENTICATED,)),
    ("system:discovery", (AUTHENTICATED,)),
    ("system:public-info-viewer", (AUTHENTICATED, "system:unauthenticated")),
)
NAMES = frozenset(role.name for role in ROLES) | frozenset(name for name, _groups in BINDINGS)
# What whoever has entered may do by these bindings.
OF_EVERYBODY = (*_BASIC_USER, *_DISCOVERY)
