"""list, with selectors, pages and the revision of a moment. Called by `client.Client.list`.

A continue token is opaque to clients: base64 of the revision of the first page and the last key given out. Later pages
are read as of that revision. Source: apiserver/pkg/storage/continue.go, etcd3/store.go (GetList).
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass

from podlab.apis.scheme import Resource
from podlab.apis.selectors import FieldSelector, LabelSelector
from podlab.apis.status_errors import ApiError, bad_request, expired, too_large_resource_version
from podlab.apis.types import Manifest
from podlab.registry.operations import ListPage
from podlab.storage import store
from podlab.storage.errors import Compacted, FutureRevision
from podlab.storage.log import Filter
from podlab.storage.store import Page, Stored

_CHUNK = 500  # how many rows are read at a time when a selector throws some away
_ANY_REVISION = -1  # in a token: go on from the key, at whatever revision there is now

_TOO_OLD = "The resourceVersion for the provided list is too old."
_TOKEN_TOO_OLD = (
    "The provided continue parameter is too old to display a consistent list result. You can start a new list without "
    "the continue parameter, or use the continue token in this response to retrieve the remainder of the results. "
    "Continuing with the provided token results in an inconsistent list - objects that were created, modified, or "
    "deleted between the time the first chunk was returned and now may show up in the list."
)


@dataclass(frozen=True, slots=True)
class Token:
    revision: int
    namespace: str
    name: str

    def text(self) -> str:
        content = json.dumps({"v": 1, "rv": self.revision, "start": [self.namespace, self.name]})
        return base64.urlsafe_b64encode(content.encode()).decode().rstrip("=")


def parse_token(text: str) -> Token:
    try:
        content = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        namespace, name = content["start"]
        return Token(int(content["rv"]), str(namespace), str(name))
    except (binascii.Error, ValueError, KeyError, TypeError) as error:
        raise bad_request(f"continue key is not valid: {error}") from error


class TokenExpired(ApiError):
    """410 with a token that goes on without consistency, as Kubernetes offers."""

    def __init__(self, continue_: str) -> None:
        error = expired(_TOKEN_TOO_OLD)
        super().__init__(error.code, error.reason, error.message)
        self.continue_ = continue_

    def to_status(self) -> Manifest:
        status = super().to_status()
        status["metadata"] = {"continue": self.continue_}
        return status


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    cluster: str
    resource: Resource
    namespace: str | None
    labels: LabelSelector
    fields: FieldSelector
    limit: int = 0
    continue_: str = ""
    exact: int | None = None  # resourceVersionMatch=Exact

    def matches(self, obj: Manifest) -> bool:
        labels = obj["metadata"].get("labels")
        return self.labels.matches(labels) and self.fields.matches(self.resource, obj)

    @property
    def wanted(self) -> Filter:
        """The same, selectors aside, for the hub."""
        return Filter(cluster=self.cluster, resource=self.resource.key, namespace=self.namespace)

    @property
    def selects_all(self) -> bool:
        return self.labels.empty and self.fields.empty


def run(query: Query) -> ListPage:
    token = parse_token(query.continue_) if query.continue_ else None
    at = query.exact
    if token is not None and token.revision != _ANY_REVISION:
        at = token.revision
    after = (token.namespace, token.name) if token else None
    try:
        return _all_matching(query, at, after)
    except Compacted as error:
        if token is not None:
            raise TokenExpired(Token(_ANY_REVISION, token.namespace, token.name).text()) from error
        raise expired(_TOO_OLD) from error
    except FutureRevision as error:
        raise too_large_resource_version(error.requested, error.current) from error


def _all_matching(query: Query, at: int | None, after: tuple[str, str] | None) -> ListPage:
    """Read chunks until the page is full or nothing remains."""
    chunk = 0 if not query.limit else query.limit if query.selects_all else max(query.limit, _CHUNK)
    found: list[Stored] = []
    revision = at
    while True:
        page = _read(query, revision, limit=chunk, after=after)
        revision = page.revision
        for position, item in enumerate(page.items):
            if not query.selects_all and not query.matches(item.obj):
                continue
            found.append(item)
            if query.limit and len(found) == query.limit:
                left = len(page.items) - position - 1 + page.remaining
                return _full(query, found, revision, left=left)
        if not page.more:
            return ListPage(found, revision)
        after = (page.items[-1].key.namespace, page.items[-1].key.name)


def _full(query: Query, found: list[Stored], revision: int, *, left: int) -> ListPage:
    if left <= 0:
        return ListPage(found, revision)
    last = found[-1].key
    # With a selector nobody knows how many of the rest match.
    remaining = left if query.selects_all else None
    return ListPage(found, revision, Token(revision, last.namespace, last.name).text(), remaining)


def _read(query: Query, at: int | None, *, limit: int, after: tuple[str, str] | None) -> Page:
    if at is None:
        return store.list_objects(query.cluster, query.resource.key, query.namespace, limit=limit, after=after)
    return store.list_at(at, query.cluster, query.resource.key, query.namespace, limit=limit, after=after)
