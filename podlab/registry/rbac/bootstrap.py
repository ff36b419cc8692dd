"""Kubernetes' own roles that manifests refer to: cluster-admin, admin, edit, view and what they are made of, and what every
user may. They are shown in every cluster, and nobody writes them. Pure data.

Source: plugin/pkg/auth/authorizer/rbac/bootstrappolicy/policy.go. Left out are the roles of Kubernetes' own components.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from podlab.registry.grants import ACCOUNTS, AUTHENTICATED, MASTERS
from podlab.registry.rbac.rules import EVERYTHING, Rule

_READ = ("get", "list", "watch")
_WRITE = ("create", "update", "patch", "delete", "deletecollection")
_AGGREGATE = "rbac.authorization.k8s.io/aggregate-to-"

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


def _rule(verbs: str, groups: str, resources: str) -> Rule:
    """Words as a rule, each sort in order. The core group is written "core"."""
    known = {"read": _READ, "write": _WRITE, "all": (*_READ, *_WRITE)}
    named = ("" if group == "core" else group for group in groups.split())
    return Rule(tuple(sorted(known.get(verbs, (verbs,)))), tuple(sorted(named)), tuple(sorted(resources.split())))


_WORKLOADS = "daemonsets deployments deployments/scale replicasets replicasets/scale"
_STATUSES = "daemonsets/status deployments/status replicasets/status"
_INTO_PODS = "pods/attach pods/exec pods/portforward pods/proxy"
_VIEW = (
    _rule(
        "read",
        "core",
        "configmaps endpoints persistentvolumeclaims persistentvolumeclaims/status pods replicationcontrollers"
        " replicationcontrollers/scale serviceaccounts services services/status",
    ),
    _rule(
        "read",
        "core",
        "bindings limitranges namespaces/status pods/log pods/status replicationcontrollers/status resourcequotas"
        " resourcequotas/status",
    ),
    _rule("read", "core", "namespaces"),
    _rule("read", "core events.k8s.io", "events"),
    _rule("read", "discovery.k8s.io", "endpointslices"),
    _rule(
        "read",
        "apps",
        f"controllerrevisions {_WORKLOADS} {_STATUSES} statefulsets statefulsets/scale statefulsets/status",
    ),
    _rule("read", "autoscaling", "horizontalpodautoscalers horizontalpodautoscalers/status"),
    _rule("read", "batch", "cronjobs cronjobs/status jobs jobs/status"),
    _rule(
        "read",
        "extensions",
        f"{_WORKLOADS} {_STATUSES} ingresses ingresses/status networkpolicies replicationcontrollers/scale",
    ),
    _rule("read", "policy", "poddisruptionbudgets poddisruptionbudgets/status"),
    _rule("read", "networking.k8s.io", "ingresses ingresses/status networkpolicies"),
    _rule("read", "resource.k8s.io", "resourceclaims resourceclaims/status resourceclaimtemplates"),
)
_EDIT = (
    _rule("read", "core", f"{_INTO_PODS} secrets services/proxy"),
    _rule("impersonate", "core", "serviceaccounts"),
    _rule("write", "core", f"pods {_INTO_PODS}"),
    _rule("create", "core", "pods/eviction"),
    _rule(
        "write",
        "core",
        "configmaps persistentvolumeclaims replicationcontrollers replicationcontrollers/scale secrets serviceaccounts"
        " services services/proxy",
    ),
    _rule("create", "core", "serviceaccounts/token"),
    _rule("write", "core events.k8s.io", "events"),
    _rule("write", "apps", f"{_WORKLOADS} deployments/rollback statefulsets statefulsets/scale"),
    _rule("write", "autoscaling", "horizontalpodautoscalers"),
    _rule("write", "batch", "cronjobs jobs"),
    _rule(
        "write",
        "extensions",
        f"{_WORKLOADS} deployments/rollback ingresses networkpolicies replicationcontrollers/scale",
    ),
    _rule("write", "policy", "poddisruptionbudgets"),
    _rule("write", "networking.k8s.io", "ingresses networkpolicies"),
    _rule("all", "coordination.k8s.io", "leases"),
    _rule("write", "resource.k8s.io", "resourceclaims resourceclaimtemplates"),
)
_ADMIN = (
    _rule("create", "authorization.k8s.io", "localsubjectaccessreviews"),
    _rule("all", "rbac.authorization.k8s.io", "rolebindings roles"),
)
_BASIC_USER = (
    _rule("create", "authorization.k8s.io", "selfsubjectaccessreviews selfsubjectrulesreviews"),
    _rule("create", "authentication.k8s.io", "selfsubjectreviews"),
)
DISCOVERY = Rule(("get",), urls=OPEN_PATHS)
# How somebody else may verify the tokens of service accounts: every account may read it.
ISSUER_DISCOVERY = Rule(("get",), urls=("/.well-known/openid-configuration", "/.well-known/openid-configuration/",
                                        "/openid/v1/jwks", "/openid/v1/jwks/"))  # fmt: skip

ROLES: tuple[BootstrapRole, ...] = (
    BootstrapRole("admin", gathers=f"{_AGGREGATE}admin"),
    BootstrapRole("cluster-admin", EVERYTHING),
    BootstrapRole("edit", labels={f"{_AGGREGATE}admin": "true"}, gathers=f"{_AGGREGATE}edit"),
    BootstrapRole("system:aggregate-to-admin", _ADMIN, {f"{_AGGREGATE}admin": "true"}),
    BootstrapRole("system:aggregate-to-edit", _EDIT, {f"{_AGGREGATE}edit": "true"}),
    BootstrapRole("system:aggregate-to-view", _VIEW, {f"{_AGGREGATE}view": "true"}),
    BootstrapRole("system:basic-user", _BASIC_USER),
    BootstrapRole("system:discovery", (DISCOVERY,)),
    BootstrapRole("system:public-info-viewer", (Rule(("get",), urls=_PUBLIC_PATHS),)),
    BootstrapRole("system:service-account-issuer-discovery", (ISSUER_DISCOVERY,)),
    BootstrapRole("view", labels={f"{_AGGREGATE}edit": "true"}, gathers=f"{_AGGREGATE}view"),
)
# Name of the binding and of its ClusterRole, groups.
BINDINGS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("cluster-admin", (MASTERS,)),
    ("system:basic-user", (AUTHENTICATED,)),
    ("system:discovery", (AUTHENTICATED,)),
    ("system:public-info-viewer", (AUTHENTICATED, "system:unauthenticated")),
    ("system:service-account-issuer-discovery", (ACCOUNTS,)),
)
NAMES = frozenset(role.name for role in ROLES) | frozenset(name for name, _groups in BINDINGS)
# What whoever has entered may do by these bindings.
OF_EVERYBODY = (*_BASIC_USER, DISCOVERY)
