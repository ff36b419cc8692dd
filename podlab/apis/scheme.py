"""Which kinds podlab serves, and how they are named.

The API server builds discovery from these entries, the registry looks up strategies by their key, and kubectl decides
a good deal from verbs and short names; they are therefore exactly Kubernetes' own, and a subresource that is not
served is not listed. Adding a kind = one entry in a table (kinds_core.py, kinds_workloads.py), one in the schema
artefact, one strategy.
"""

from __future__ import annotations

from podlab.apis.kinds_computed import METRICS
from podlab.apis.kinds_core import CONFIGMAPS, CORE, EVENTS, NAMESPACES, NODES, OTHERS, PODS, SECRETS, SERVICEACCOUNTS
from podlab.apis.kinds_rbac import POLICY
from podlab.apis.kinds_reviews import REVIEWS
from podlab.apis.kinds_workloads import APPS, BATCH
from podlab.apis.resource import ALL_VERBS, Resource, Subresource

__all__ = [
    "ALL_VERBS", "CONFIGMAPS", "EVENTS", "NAMESPACES", "NODES", "PODS", "RESOURCES", "SECRETS", "SERVICEACCOUNTS",
    "STORED", "Resource", "Subresource", "by_key", "by_kind", "by_plural", "split_key", "stored",
]  # fmt: skip

# In the order of discovery, which is also the order in which kubectl prints "get all".
RESOURCES: tuple[Resource, ...] = (*CORE, *APPS, *REVIEWS, *BATCH, *OTHERS, *POLICY, *METRICS)
# Those that have objects of their own: no views, nothing that is only created (reviews, bindings).
STORED: tuple[Resource, ...] = tuple(item for item in RESOURCES if not item.stored_as and "delete" in item.verbs)

_BY_KEY = {item.handle: item for item in RESOURCES}
_BY_PLURAL = {(item.group, item.version, item.plural): item for item in RESOURCES}
_BY_KIND = {(item.api_version, item.kind): item for item in RESOURCES}


def by_key(key: str) -> Resource | None:
    """By its key, or by the handle of a further version."""
    return _BY_KEY.get(key)


def stored(resource: Resource) -> Resource:
    """The resource as which the objects of `resource` are stored: itself, unless it is a view."""
    return _BY_KEY[resource.stored_as] if resource.stored_as else resource


def by_plural(group: str, version: str, plural: str) -> Resource | None:
    return _BY_PLURAL.get((group, version, plural))


def by_kind(api_version: str, kind: str) -> Resource | None:
    return _BY_KIND.get((api_version, kind))


def split_key(key: str) -> tuple[str, str]:
    """ "deployments.apps" -> ("deployments", "apps"); "pods" -> ("pods", ""). Works for kinds that are not served too."""
    plural, _, group = key.partition(".")
    return plural, group
