"""The kinds of the core group, and of the groups around it. `apis.scheme` joins the tables.

Verbs, short names and categories are those of Kubernetes 1.36's discovery documents (pkg/registry/core/rest and the rest
packages beside it).
"""

from __future__ import annotations

from podlab.apis.resource import STATUS, Resource, Subresource, kind

_ALL = ("all",)
_NO_COLLECTION = ("create", "delete", "get", "list", "patch", "update", "watch")

CONFIGMAPS = kind("v1", "ConfigMap", "configmaps", "cm")
EVENTS = kind("v1", "Event", "events", "ev")
NAMESPACES = kind(
    "v1",
    "Namespace",
    "namespaces",
    "ns",
    namespaced=False,
    verbs=_NO_COLLECTION,
    below=(Subresource("finalize", "Namespace", ("update",)), STATUS),
)
NODES = kind("v1", "Node", "nodes", "no", namespaced=False, below=(STATUS,))
PODS = kind(
    "v1",
    "Pod",
    "pods",
    "po",
    categories=_ALL,
    below=(
        Subresource("attach", "PodAttachOptions", ("create", "get")),
        Subresource("binding", "Binding", ("create",)),
        Subresource("exec", "PodExecOptions", ("create", "get")),
        Subresource("log", "Pod", ("get",)),
        Subresource("portforward", "PodPortForwardOptions", ("create", "get")),
        Subresource("proxy", "PodProxyOptions", ("create", "delete", "get", "patch", "update")),
        STATUS,
    ),
)
SECRETS = kind("v1", "Secret", "secrets")
SERVICEACCOUNTS = kind(
    "v1",
    "ServiceAccount",
    "serviceaccounts",
    "sa",
    below=(Subresource("token", "TokenRequest", ("create",), group="authentication.k8s.io", version="v1"),),
)

# In the order of discovery, which is also the order in which kubectl prints "get all".
CORE: tuple[Resource, ...] = (
    CONFIGMAPS,
    EVENTS,
    NAMESPACES,
    NODES,
    PODS,
    SECRETS,
    SERVICEACCOUNTS,
)
OTHERS: tuple[Resource, ...] = ()
