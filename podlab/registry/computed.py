"""Kinds that are worked out when somebody reads them: metrics of pods and nodes, roles as rbac objects.

`client.Client.get` and `list` come here for them, after the authorizer. They have no history: every list is of now.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterable, Iterator

from podlab.apis import status_errors
from podlab.apis.types import Key, Manifest
from podlab.registry import metrics, roles
from podlab.registry.listing import Query
from podlab.registry.operations import Context, ListPage
from podlab.storage import log
from podlab.storage.store import Stored

_RBAC = "rbac.authorization.k8s.io"
_Source = Callable[[str, str | None, str], Iterable[Manifest]]  # cluster, namespace or all, name or all


def _none(cluster: str, namespace: str | None, name: str) -> Iterator[Manifest]:
    """The lab's roles are the same in every namespace, so there are cluster roles only."""
    yield from ()


_SOURCES: dict[str, _Source] = {
    "pods.metrics.k8s.io": metrics.pods,
    "nodes.metrics.k8s.io": lambda cluster, namespace, name: metrics.nodes(cluster, name),
    f"clusterroles.{_RBAC}": lambda cluster, namespace, name: roles.cluster_roles(cluster),
    f"clusterrolebindings.{_RBAC}": lambda cluster, namespace, name: roles.cluster_role_bindings(cluster),
    f"rolebindings.{_RBAC}": lambda cluster, namespace, name: roles.role_bindings(cluster, namespace),
    f"roles.{_RBAC}": _none,
}


def serves(key: str) -> bool:
    return key in _SOURCES


def get(ctx: Context) -> Stored:
    """ApiError 404 when there is none."""
    source = _SOURCES[ctx.resource.key]
    for obj in source(ctx.client.cluster, ctx.namespace or None, ctx.name):
        if obj["metadata"]["name"] == ctx.name:
            return _stored(ctx.key, obj, log.head())
    raise status_errors.not_found(ctx.resource, ctx.name)


def page(query: Query) -> ListPage:
    """Everything at once: these lists are short, and a later page could not be of the same moment."""
    revision = log.head()
    found = []
    for obj in _SOURCES[query.resource.key](query.cluster, query.namespace, ""):
        if query.matches(obj):
            meta = obj["metadata"]
            key = Key(query.cluster, query.resource.key, meta.get("namespace", ""), meta["name"])
            found.append(_stored(key, obj, revision))
    return ListPage(found, revision)


def _stored(key: Key, obj: Manifest, revision: int) -> Stored:
    uid = str(uuid.uuid5(uuid.NAMESPACE_URL, str(key)))
    return Stored(key, uid, revision, revision, json.dumps(obj, separators=(",", ":"), ensure_ascii=False))
