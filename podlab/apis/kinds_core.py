"""The kinds of the core group, and of the groups around it. `apis.scheme` joins the tables.

Verbs, short names and categories are those of Kubernetes 1.36's discovery documents (pkg/registry/core/rest and the rest
packages beside it).
"""

from __future__ import annotations

from podlab.apis.resource import SCALE, STATUS, Resource, Subresource, kind

_ALL = ("all",)
_ANY_REQUEST = ("create", "delete", "get", "patch", "update")
_NO_COLLECTION = ("create", "delete", "get", "list", "patch", "update", "watch")

BINDINGS = kind("v1", "Binding", "bindings", verbs=("create",))
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
NODES = kind(
    "v1",
    "Node",
    "nodes",
    "no",
    namespaced=False,
    below=(Subresource("proxy", "NodeProxyOptions", _ANY_REQUEST), STATUS),
)
PODS = kind(
    "v1",
    "Pod",
    "pods",
    "po",
    categories=_ALL,
    below=(
        Subresource("attach", "PodAttachOptions", ("create", "get")),
        Subresource("binding", "Binding", ("create",)),
        Subresource("ephemeralcontainers", "Pod", ("get", "patch", "update")),
        Subresource("eviction", "Eviction", ("create",), group="policy", version="v1"),
        Subresource("exec", "PodExecOptions", ("create", "get")),
        Subresource("log", "Pod", ("get",)),
        Subresource("portforward", "PodPortForwardOptions", ("create", "get")),
        Subresource("proxy", "PodProxyOptions", _ANY_REQUEST),
        Subresource("resize", "Pod", ("get", "patch", "update")),
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
    BINDINGS,
    CONFIGMAPS,
    kind(
        "v1",
        "Endpoints",
        "endpoints",
        "ep",
        deprecated="v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice",
    ),
    EVENTS,
    kind("v1", "LimitRange", "limitranges", "limits"),
    NAMESPACES,
    NODES,
    kind("v1", "PersistentVolumeClaim", "persistentvolumeclaims", "pvc", below=(STATUS,)),
    kind("v1", "PersistentVolume", "persistentvolumes", "pv", namespaced=False, below=(STATUS,)),
    PODS,
    kind("v1", "PodTemplate", "podtemplates"),
    kind(
        "v1",
        "ReplicationController",
        "replicationcontrollers",
        "rc",
        categories=_ALL,
        below=(SCALE, STATUS),
        attended=False,
    ),
    kind("v1", "ResourceQuota", "resourcequotas", "quota", below=(STATUS,)),
    SECRETS,
    SERVICEACCOUNTS,
    kind(
        "v1",
        "Service",
        "services",
        "svc",
        categories=_ALL,
        below=(Subresource("proxy", "ServiceProxyOptions", _ANY_REQUEST), STATUS),
    ),
)
OTHERS: tuple[Resource, ...] = (
    kind("events.k8s.io/v1", "Event", "events", "ev", stored_as="events"),
    kind(
        "autoscaling/v2",
        "HorizontalPodAutoscaler",
        "horizontalpodautoscalers",
        "hpa",
        categories=_ALL,
        below=(STATUS,),
        attended=False,
    ),
    kind(
        "autoscaling/v1",
        "HorizontalPodAutoscaler",
        "horizontalpodautoscalers",
        "hpa",
        categories=_ALL,
        below=(STATUS,),
        stored_as="horizontalpodautoscalers.autoscaling",
        attended=False,
    ),
    kind("policy/v1", "PodDisruptionBudget", "poddisruptionbudgets", "pdb", below=(STATUS,)),
    kind("scheduling.k8s.io/v1", "PriorityClass", "priorityclasses", "pc", namespaced=False),
    kind("coordination.k8s.io/v1", "Lease", "leases"),
    kind("node.k8s.io/v1", "RuntimeClass", "runtimeclasses", namespaced=False),
    kind("discovery.k8s.io/v1", "EndpointSlice", "endpointslices"),
    # Kept for manifests that bring them along; nothing in the lab acts on them.
    kind("networking.k8s.io/v1", "IngressClass", "ingressclasses", namespaced=False),
    kind("networking.k8s.io/v1", "Ingress", "ingresses", "ing", below=(STATUS,)),
    kind("networking.k8s.io/v1", "NetworkPolicy", "networkpolicies", "netpol"),
    kind("storage.k8s.io/v1", "StorageClass", "storageclasses", "sc", namespaced=False),
    # Kubernetes dropped it in 1.20; the teaching material has it.
    kind("settings.k8s.io/v1alpha1", "PodPreset", "podpresets"),
)
