"""What is worked out when somebody reads it: metrics of pods and nodes, and the roles and bindings that every cluster has
beside those that are stored in it.

`client.Client.get`, `find` and `list` come here, after the authorizer. What is worked out has no history: every list shows
it as it is now, with the revision of the list, and no watch tells of its changes.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterable, Iterator

from podlab.apis import kinds_rbac, status_errors
from podlab.apis.types import Key, Manifest
from podlab.registry import listing, metrics, roles
from podlab.registry.listing import Query, Token
from podlab.registry.operations import Context, ListPage
from podlab.storage import log
from podlab.storage.store import Stored

_Source = Callable[[str, str | None, str], Iterable[Manifest]]  # cluster, namespace or all, name or all


def _none(cluster: str, namespace: str | None, name: str) -> Iterator[Manifest]:
    """The lab's roles are the same in every namespace, so there are cluster roles only."""
    yield from ()


_ALONE: dict[str, _Source] = {
    "pods.metrics.k8s.io": metrics.pods,
    "nodes.metrics.k8s.io": lambda cluster, namespace, name: metrics.nodes(cluster, name),
}
_BESIDE: dict[str, _Source] = {
    kinds_rbac.CLUSTER_ROLES.key: lambda cluster, namespace, name: roles.cluster_roles(cluster),
    kinds_rbac.CLUSTER_ROLE_BINDINGS.key: lambda cluster, namespace, name: roles.cluster_role_bindings(cluster),
    kinds_rbac.ROLE_BINDINGS.key: lambda cluster, namespace, name: roles.role_bindings(cluster, namespace),
    kinds_rbac.ROLES.key: _none,
}
_SOURCES = {**_ALONE, **_BESIDE}


def serves(key: str) -> bool:
    """Whether objects of the kind are never stored."""
    return key in _ALONE


def adds(key: str) -> bool:
    """Whether there are objects of the kind beside the stored ones."""
    return key in _BESIDE


def find(ctx: Context) -> Stored | None:
    source = _SOURCES.get(ctx.resource.key, _none)
    for obj in source(ctx.client.cluster, ctx.namespace or None, ctx.name):
        if obj["metadata"]["name"] == ctx.name:
            return _stored(ctx.key, obj, log.head())
    return None


def get(ctx: Context) -> Stored:
    """ApiError 404 when there is none."""
    found = find(ctx)
    if found is None:
        raise status_errors.not_found(ctx.resource, ctx.name)
    return found


def page(query: Query) -> ListPage:
    """Everything at once: these lists are short, and a later page could not be of the same moment."""
    revision = log.head()
    return ListPage(list(_matching(query, revision)), revision)


def merged(query: Query) -> ListPage:
    """The stored objects with those beside them, in one order, cut into the same pages."""
    stored = listing.run(query)
    beside = sorted(_matching(query, stored.revision), key=_place)
    token = listing.parse_token(query.continue_, query) if query.continue_ else None
    if token is not None:
        beside = [item for item in beside if _place(item) > (token.namespace, token.name)]
    items = sorted((*stored.items, *beside), key=_place)
    if stored.continue_:  # what lies behind the last stored object of this page waits for a later one
        items = items[: items.index(stored.items[-1]) + 1]
    shown = items[: query.limit] if query.limit else items
    behind = len(stored.items) + len(beside) - len(shown) + (stored.remaining or 0)
    if not behind and not stored.continue_:
        return ListPage(shown, stored.revision)
    namespace, name = _place(shown[-1])
    remaining = behind if query.selects_all else None
    return ListPage(shown, stored.revision, Token(stored.revision, namespace, name).text(query), remaining)


def _place(item: Stored) -> tuple[str, str]:
    return item.key.namespace, item.key.name


def _matching(query: Query, revision: int) -> Iterator[Stored]:
    for obj in _SOURCES[query.resource.key](query.cluster, query.namespace, ""):
        if query.matches(obj):
            meta = obj["metadata"]
            yield _stored(
                Key(query.cluster, query.resource.key, meta.get("namespace", ""), meta["name"]), obj, revision
            )


def _stored(key: Key, obj: Manifest, revision: int) -> Stored:
    uid = str(uuid.uuid5(uuid.NAMESPACE_URL, str(key)))
    if adds(key.resource):
        obj = {**obj, "metadata": {**obj["metadata"], "uid": uid, "resourceVersion": str(revision)}}
    return Stored(key, uid, revision, revision, json.dumps(obj, separators=(",", ":"), ensure_ascii=False))
