"""The strategy of each kind. A new kind: one module here, one line below."""

from __future__ import annotations

from functools import cache

from podlab.apis.scheme import Resource
from podlab.registry.strategies.configmap import ConfigMapStrategy
from podlab.registry.strategies.event import EventStrategy
from podlab.registry.strategies.namespace import NamespaceStrategy
from podlab.registry.strategies.node import NodeStrategy
from podlab.registry.strategies.pod import PodStrategy
from podlab.registry.strategies.secret import SecretStrategy
from podlab.registry.strategies.serviceaccount import ServiceAccountStrategy
from podlab.registry.strategy import Strategy

_BY_RESOURCE: dict[str, type[Strategy]] = {
    "configmaps": ConfigMapStrategy,
    "events": EventStrategy,
    "namespaces": NamespaceStrategy,
    "nodes": NodeStrategy,
    "pods": PodStrategy,
    "secrets": SecretStrategy,
    "serviceaccounts": ServiceAccountStrategy,
}


@cache
def of(resource: Resource) -> Strategy:
    return _BY_RESOURCE[resource.key](resource)
