"""The client API: how pages, API and actors read and write objects of one cluster.

Every method authorises first; every refusal is an `ApiError` in Kubernetes' words. Writes go on in `creating`,
`updating`, `deleting`, `binding` and `patch`; kinds differ by their strategy (`registry.strategies`). A client holds no
state and no connection: any number of threads may use one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any

from podlab.apis import scheme, status_errors
from podlab.apis.scheme import Resource
from podlab.apis.selectors import FieldSelector, LabelSelector
from podlab.apis.types import Manifest
from podlab.registry import (
    applying,
    authorizer,
    binding,
    computed,
    creating,
    deleting,
    evicting,
    listing,
    reviews,
    scaling,
    token_requests,
    updating,
    views,
)
from podlab.registry import (
    patch as patches,
)
from podlab.registry.identity import Identity, system
from podlab.registry.operations import (
    NO_OPTIONS,
    Context,
    Deleted,
    ListPage,
    Mutate,
    WriteOptions,
    Written,
)
from podlab.storage import log, store
from podlab.storage.errors import Recorded, StoreBusy, UnknownCluster
from podlab.storage.store import Stored


class Client:
    def __init__(self, cluster: str, actor: Identity, now: Callable[[], datetime]) -> None:
        self.cluster = cluster
        self.actor = actor
        self.now = now

    def as_system(self, component: str = "registry") -> Client:
        """The same cluster and clock for the lab's own work on behalf of a request."""
        return Client(self.cluster, system(component), self.now)

    # Reading

    def revision(self) -> int:
        """The newest revision of the store."""
        return log.head()

    def get(self, resource_key: str, namespace: str, name: str, *, subresource: str = "") -> Stored:
        """ApiError 404 when there is none."""
        ctx = self._context(resource_key, namespace, name, subresource=subresource)
        self._authorize("get", ctx)
        if computed.serves(resource_key):
            return computed.get(ctx)
        stored = _present(ctx)
        if stored is None:
            raise status_errors.not_found(ctx.served, name)
        if subresource == scaling.SUBRESOURCE:
            return scaling.read(stored)
        return views.shown(ctx.served, stored)

    def find(self, resource_key: str, namespace: str, name: str) -> Stored | None:
        """`get` for callers to whom absence is an answer."""
        ctx = self._context(resource_key, namespace, name)
        self._authorize("get", ctx)
        stored = _present(ctx)
        return None if stored is None else views.shown(ctx.served, stored)

    def list(
        self,
        resource_key: str,
        namespace: str | None,
        *,
        label_selector: str = "",
        field_selector: str = "",
        limit: int = 0,
        continue_: str = "",
        exact: int | None = None,
        stored_only: bool = False,
    ) -> ListPage:
        """Objects by namespace and name; `namespace` None = all. `exact` reads the list of an earlier revision.
        `stored_only` leaves out what is shown beside the stored objects of a kind."""
        query = self._query(
            "list", resource_key, namespace, label_selector=label_selector, field_selector=field_selector
        )
        if computed.serves(resource_key):
            return computed.page(query)
        query = replace(query, limit=limit, continue_=continue_, exact=exact)
        if computed.adds(resource_key) and not stored_only:
            return computed.merged(query)
        found = listing.run(query)
        return views.page(resource_of(resource_key), found)

    def watch(
        self,
        resource_key: str,
        namespace: str | None,
        *,
        label_selector: str = "",
        field_selector: str = "",
    ) -> listing.Query:
        """Authorise a watch. The answer's `wanted` is for the hub (or an AsyncWatch), its `matches` for
        `storage.watch.watch_events`, which knows what entering and leaving a selector means."""
        return self._query(
            "watch", resource_key, namespace, label_selector=label_selector, field_selector=field_selector
        )

    # Writing

    def create(
        self,
        resource_key: str,
        obj: Manifest,
        *,
        namespace: str = "",
        options: WriteOptions = NO_OPTIONS,
        why: str = "",
    ) -> Written:
        ctx = self._context(resource_key, namespace, "", options=options, why=why)
        self._authorize("create", ctx)
        if reviews.serves(resource_key):
            return reviews.answer(ctx, obj)
        with _storage_errors():
            return views.written(ctx, creating.create(ctx, obj))

    def update(
        self,
        resource_key: str,
        namespace: str,
        name: str,
        obj: Manifest,
        *,
        subresource: str = "",
        options: WriteOptions = NO_OPTIONS,
        why: str = "",
    ) -> Written:
        """PUT. With a metadata.resourceVersion in `obj`, only if it is the present one (409 otherwise)."""
        ctx = self._context(resource_key, namespace, name, subresource=subresource, options=options, why=why)
        self._authorize("update", ctx)
        with _storage_errors():
            if subresource == scaling.SUBRESOURCE:
                return scaling.replace(ctx, obj)
            written = updating.replace(ctx, obj, may_create=lambda: self._authorize("create", ctx))
            return views.written(ctx, written)

    def patch(
        self,
        resource_key: str,
        namespace: str,
        name: str,
        patch_type: str,
        patch: Any,
        *,
        subresource: str = "",
        options: WriteOptions = NO_OPTIONS,
        why: str = "",
    ) -> Written:
        """`patch` is decoded JSON, `patch_type` one of the media types in `registry.patch`."""
        ctx = self._context(resource_key, namespace, name, subresource=subresource, options=options, why=why)
        self._authorize("patch", ctx)
        if subresource == scaling.SUBRESOURCE:
            with _storage_errors():
                return scaling.rewrite(ctx, patch_type, patch)
        if patch_type == patches.APPLY_PATCH:
            with _storage_errors():
                return views.written(ctx, applying.apply(ctx, patch, may_create=lambda: self._authorize("create", ctx)))
        with _storage_errors():  # an object that is not there is told before a patch that is none
            return views.written(ctx, updating.rewrite(ctx, patch_type, patch))

    def check_patched(self, resource_key: str, namespace: str, name: str, *, subresource: str = "") -> None:
        """What stands against any patch of this object: 403 or 404. Asked before a patch is refused that cannot be read."""
        ctx = self._context(resource_key, namespace, name, subresource=subresource)
        self._authorize("patch", ctx)
        updating.current_of(ctx)

    def update_status(
        self, resource_key: str, namespace: str, name: str, mutate: Mutate, *, uid: str | None = None, why: str = ""
    ) -> Stored:
        """The actors' door: `mutate` changes a copy of the object in place, its status is kept, and on a conflict
        everything is done again on the newer object. With `uid`, a namesake that came later is left alone (409)."""
        ctx = self._context(resource_key, namespace, name, subresource="status", why=why)
        self._authorize("update", ctx)
        with _storage_errors():
            return updating.mutate_status(ctx, mutate, uid=uid)

    def delete(
        self,
        resource_key: str,
        namespace: str,
        name: str,
        *,
        grace: int | None = None,
        uid: str | None = None,
        resource_version: str | None = None,
        propagation: str | None = None,
        dry_run: bool = False,
        why: str = "",
    ) -> Deleted:
        ctx = self._context(resource_key, namespace, name, options=WriteOptions(dry_run=dry_run), why=why)
        self._authorize("delete", ctx)
        options = deleting.DeleteOptions(
            grace=grace, uid=uid, resource_version=resource_version, propagation=propagation
        )
        with _storage_errors():
            return views.deleted(ctx, deleting.delete(ctx, options))

    def delete_collection(
        self,
        resource_key: str,
        namespace: str,
        *,
        label_selector: str = "",
        field_selector: str = "",
        limit: int = 0,
        continue_: str = "",
        exact: int | None = None,
        grace: int | None = None,
        uid: str | None = None,
        resource_version: str | None = None,
        propagation: str | None = None,
        dry_run: bool = False,
        why: str = "",
    ) -> Sequence[Deleted]:
        """Delete what a `list` with these selectors shows; what goes away meanwhile is fine."""
        query = self._query(
            "deletecollection", resource_key, namespace, label_selector=label_selector, field_selector=field_selector
        )
        out = []
        options = deleting.DeleteOptions(
            grace=grace, uid=uid, resource_version=resource_version, propagation=propagation
        )
        for item in listing.run(replace(query, limit=limit, continue_=continue_, exact=exact)).items:
            key = item.key
            ctx = self._context(resource_key, key.namespace, key.name, options=WriteOptions(dry_run=dry_run), why=why)
            with _storage_errors(), _gone_is_fine():
                out.append(deleting.delete(ctx, options))
        return out

    def create_token(
        self, namespace: str, name: str, request: Manifest, *, options: WriteOptions = NO_OPTIONS
    ) -> tuple[Manifest, tuple[str, ...]]:
        """Answer a TokenRequest for the service account `name`: the same object with its token, and warnings."""
        ctx = self._context("serviceaccounts", namespace, name, subresource="token", options=options)
        self._authorize("create", ctx)
        return token_requests.answer(ctx, request)

    def bind(
        self,
        namespace: str,
        name: str,
        node: str,
        *,
        uid: str | None = None,
        annotations: Mapping[str, str] | None = None,
        dry_run: bool = False,
        why: str = "",
    ) -> Stored | None:
        """Give a pod its node, once: a pod that has one, or is being deleted, is a 409. None for a dry run."""
        options = WriteOptions(dry_run=dry_run)
        ctx = self._context("pods", namespace, name, subresource="binding", options=options, why=why)
        self._authorize("create", ctx)
        with _storage_errors():
            return binding.bind(ctx, node, uid=uid, annotations=annotations or {})

    def bind_as_told(
        self, namespace: str, name: str, given: Manifest, *, options: WriteOptions = NO_OPTIONS, why: str = ""
    ) -> tuple[str, ...]:
        """The same for a client that sends a Binding object. Returns warnings about it."""
        ctx = self._context("pods", namespace, name, subresource="binding", options=options, why=why)
        self._authorize("create", ctx)
        with _storage_errors():
            return binding.bind_as_told(ctx, given)

    def evict(
        self, namespace: str, name: str, given: Manifest, *, options: WriteOptions = NO_OPTIONS, why: str = ""
    ) -> tuple[str, ...]:
        """Delete a pod if the disruption budgets allow it. `given` is a policy/v1 Eviction with delete options. Returns
        warnings about it."""
        ctx = self._context("pods", namespace, name, subresource="eviction", options=options, why=why)
        self._authorize("create", ctx)
        with _storage_errors():
            return evicting.evict(ctx, given)

    # Inside

    def _context(
        self,
        resource_key: str,
        namespace: str | None,
        name: str,
        *,
        subresource: str = "",
        options: WriteOptions = NO_OPTIONS,
        why: str = "",
    ) -> Context:
        served = resource_of(resource_key)
        resource = scheme.stored(served)
        if "\0" in f"{namespace or ''}{name}":  # no object is called so, and PostgreSQL does not even look
            raise status_errors.not_found(served, name)
        place = (namespace or "") if resource.namespaced else ""
        return Context(
            client=self,
            resource=resource,
            namespace=place,
            name=name,
            subresource=subresource,
            options=options,
            why=why,
            view=served if served is not resource else None,
        )

    def _authorize(self, verb: str, ctx: Context, name: str = "") -> None:
        authorizer.require(
            self.actor,
            authorizer.Attributes(
                verb=verb,
                resource=ctx.served.key,
                cluster=self.cluster,
                namespace=ctx.namespace,
                name=name or ctx.name,
                subresource=ctx.subresource,
            ),
        )

    def _query(
        self, verb: str, resource_key: str, namespace: str | None, *, label_selector: str, field_selector: str
    ) -> listing.Query:
        ctx = self._context(resource_key, namespace, "")
        # A selector that cannot be read is told to those only who may ask, as in Kubernetes.
        self._authorize(verb, ctx, listing.only_name(field_selector) if verb in authorizer.READ else "")
        if "\0" in label_selector + field_selector:
            raise status_errors.bad_request("a selector cannot hold a NUL")
        fields = views.fields(ctx.served, FieldSelector.parse(field_selector))
        fields.check(ctx.resource)
        return listing.Query(
            cluster=self.cluster,
            resource=ctx.resource,
            namespace=ctx.namespace or None,
            labels=LabelSelector.parse(label_selector),
            fields=fields,
        )


def _present(ctx: Context) -> Stored | None:
    """The object, be it stored or shown beside the stored ones of its kind."""
    stored = store.get(ctx.key)
    return computed.find(ctx) if stored is None and computed.adds(ctx.resource.key) else stored


def resource_of(key: str) -> Resource:
    """The served resource of a key ("pods"); 404 for one that podlab does not serve."""
    resource = scheme.by_key(key)
    if resource is None:
        raise status_errors.no_such_path()
    return resource


@contextmanager
def _storage_errors() -> Iterator[None]:
    """What the store may say at any write, in the words of the API."""
    try:
        yield
    except UnknownCluster as error:
        raise status_errors.ApiError(404, "NotFound", f'cluster "{error.cluster}" not found', details={}) from error
    except Recorded as error:
        text = f'cluster "{error.cluster}" is the recording of a run: it can be looked at, not changed'
        raise status_errors.ApiError(405, "MethodNotAllowed", text, details={}) from error
    except StoreBusy as error:
        text = "the store is busy, please try again later"
        raise status_errors.ApiError(503, "ServiceUnavailable", text, headers={"Retry-After": "1"}) from error


@contextmanager
def _gone_is_fine() -> Iterator[None]:
    try:
        yield
    except status_errors.ApiError as error:
        if error.code != 404:
            raise
