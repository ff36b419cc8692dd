"""The strategy of each kind. A new kind: one module here, one line below."""

from __future__ import annotations

from functools import cache

from podlab.apis import kinds_rbac, scheme
from podlab.apis.scheme import Resource
from podlab.registry.strategies.batch import CronJobStrategy, JobStrategy
from podlab.registry.strategies.cluster import (
    AutoscalerStrategy,
    BudgetStrategy,
    ClaimStrategy,
    ControllerStrategy,
    CountedStrategy,
    EndpointsStrategy,
    FixedStrategy,
    GenerationStrategy,
    LeaseStrategy,
    LimitRangeStrategy,
    PodTemplateStrategy,
    QuotaStrategy,
    RuntimeClassStrategy,
    SliceStrategy,
    StorageClassStrategy,
    TopCountedStrategy,
    VolumeStrategy,
)
from podlab.registry.strategies.configmap import ConfigMapStrategy
from podlab.registry.strategies.event import EventStrategy, NewEventStrategy
from podlab.registry.strategies.namespace import NamespaceStrategy
from podlab.registry.strategies.node import NodeStrategy
from podlab.registry.strategies.pod import PodStrategy
from podlab.registry.strategies.rbac import PolicyStrategy
from podlab.registry.strategies.secret import SecretStrategy
from podlab.registry.strategies.service import ServiceStrategy
from podlab.registry.strategies.serviceaccount import ServiceAccountStrategy
from podlab.registry.strategies.workloads import (
    DaemonSetStrategy,
    DeploymentStrategy,
    StatefulSetStrategy,
    WorkloadStrategy,
)
from podlab.registry.strategy import Strategy

_BY_RESOURCE: dict[str, type[Strategy]] = {
    **{kind.key: PolicyStrategy for kind in kinds_rbac.POLICY},
    "configmaps": ConfigMapStrategy,
    "events": EventStrategy,
    "namespaces": NamespaceStrategy,
    "nodes": NodeStrategy,
    "pods": PodStrategy,
    "secrets": SecretStrategy,
    "serviceaccounts": ServiceAccountStrategy,
    "controllerrevisions.apps": Strategy,
    "daemonsets.apps": DaemonSetStrategy,
    "deployments.apps": DeploymentStrategy,
    "replicasets.apps": WorkloadStrategy,
    "statefulsets.apps": StatefulSetStrategy,
    "cronjobs.batch": CronJobStrategy,
    "jobs.batch": JobStrategy,
    "endpoints": EndpointsStrategy,
    "endpointslices.discovery.k8s.io": SliceStrategy,
    "events.events.k8s.io": NewEventStrategy,
    "horizontalpodautoscalers.autoscaling": AutoscalerStrategy,
    "ingressclasses.networking.k8s.io": TopCountedStrategy,
    "ingresses.networking.k8s.io": CountedStrategy,
    "leases.coordination.k8s.io": LeaseStrategy,
    "limitranges": LimitRangeStrategy,
    "networkpolicies.networking.k8s.io": GenerationStrategy,
    "persistentvolumeclaims": ClaimStrategy,
    "persistentvolumes": VolumeStrategy,
    "poddisruptionbudgets.policy": BudgetStrategy,
    "podpresets.settings.k8s.io": Strategy,
    "podtemplates": PodTemplateStrategy,
    "priorityclasses.scheduling.k8s.io": FixedStrategy,
    "replicationcontrollers": ControllerStrategy,
    "resourcequotas": QuotaStrategy,
    "runtimeclasses.node.k8s.io": RuntimeClassStrategy,
    "services": ServiceStrategy,
    "storageclasses.storage.k8s.io": StorageClassStrategy,
}


@cache
def of(resource: Resource) -> Strategy:
    """The strategy for requests by way of `resource`. It works on the stored form; a view may have stricter rules."""
    stored = scheme.stored(resource)
    return (_BY_RESOURCE.get(resource.handle) or _BY_RESOURCE[stored.key])(stored)
