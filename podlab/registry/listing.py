"""list, with selectors, pages and the revision of a moment. Called by `client.Client.list`.

A continue token is opaque to clients: base64 of the revision of the first page and the last key given out. Later pages
are read as of that revision. Sources: apiserver/pkg/storage/continue.go, etcd3/store.go (GetList),
storagebackend/config.go (DefaultCompactInterval).
"""

from __future__ import annotations

import base64
import json
import posixpath
import re
from dataclasses import dataclass
from datetime import timedelta

from podlab import clock
from podlab.apis import decode, names
from podlab.apis.decode import DecodeError
from podlab.apis.scheme import Resource
from podlab.apis.selectors import FieldSelector, LabelSelector, SelectorError
from podlab.apis.status_errors import ApiError, bad_request, expired, too_large_resource_version
from podlab.apis.types import Manifest
from podlab.registry.operations import ListPage
from podlab.storage import moments, store
from podlab.storage.errors import Compacted, FutureRevision
from podlab.storage.log import Filter
from podlab.storage.store import Page, Stored

_CHUNK = 500  # how many rows are read at a time when a selector throws some away
TOKEN_HOLDS = timedelta(minutes=5)  # after the next write of the cluster
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
    """Where a list goes on: after the object `namespace`/`name`, as of `revision`."""

    revision: int
    namespace: str
    name: str

    def text(self, query: Query) -> str:
        """The key begins below what is listed, and ends in the byte that makes it the next one (EncodeContinue)."""
        below = self.namespace and query.namespace is None
        start = f"{self.namespace}/{self.name}" if below else self.name
        content = {"v": _VERSION, "rv": self.revision, "start": f"{start}\0"}
        return base64.urlsafe_b64encode(json.dumps(content, separators=(",", ":")).encode()).decode().rstrip("=")


def only_name(field_selector: str) -> str:
    """The one name that a list asks for, "" for none: the authorizer takes it for the name of the request
    (apiserver/pkg/endpoints/request/requestinfo.go). A selector with mistakes is told afterwards."""
    if "metadata.name" not in field_selector:
        return ""
    try:
        name = FieldSelector.parse(field_selector).value_of("metadata.name") or ""
    except SelectorError:
        return ""
    return "" if names.path_segment(name) else name


_VERSION = "meta.k8s.io/v1"


def parse_token(text: str, query: Query) -> Token:
    """DecodeContinue. Refused in its words, with a 400."""
    content = _decoded(text)
    version, revision, start = (content.get(name) for name in ("v", "rv", "start"))
    if version != _VERSION:
        raise _bad_token(f": server does not recognize this encoded version {version or ''}")
    if not revision:
        raise _bad_token(f": incorrect encoded start resourceVersion (version {_VERSION})")
    if not start:
        raise _bad_token(f": encoded start key empty (version {_VERSION})")
    key = start if start.startswith("/") else f"/{start}"
    if posixpath.normpath(key) != key:
        raise _bad_token(f": {start}")
    namespace, slash, name = key[1:].removesuffix("\0").partition("/")
    if not slash:
        namespace, name = query.namespace or "", namespace
    return Token(max(int(revision), _ANY_REVISION), namespace, name)


def _decoded(text: str) -> Manifest:
    wrong = re.search(r"[^A-Za-z0-9_-]", text)
    if wrong or len(text) % 4 == 1:
        raise _bad_token(f": illegal base64 data at input byte {wrong.start() if wrong else len(text) - 1}")
    try:
        found = decode.decode_json(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))).obj
    except DecodeError as error:
        raise _bad_token(f": {error.message}") from None
    if not isinstance(found, dict):
        what = f"json: cannot unmarshal {decode.json_type(found)} into Go value of type storage.continueToken"
        raise _bad_token(f": {what}")
    kinds = {"v": (str, "string"), "rv": (int, "int64"), "start": (str, "string")}
    for name, (wanted, go_type) in kinds.items():
        value = found.get(name)
        if value is not None and (not isinstance(value, wanted) or isinstance(value, bool)):
            what = f"json: cannot unmarshal {decode.json_type(value)} into Go struct field continueToken.{name}"
            raise _bad_token(f": {what} of type {go_type}")
    return found


def _bad_token(what: str) -> ApiError:
    return bad_request(f"invalid continue token: continue key is not valid{what}")


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
    token = parse_token(query.continue_, query) if query.continue_ else None
    at = query.exact
    if token is not None and token.revision != _ANY_REVISION:
        at = token.revision
    after = (token.namespace, token.name) if token else None
    if token is not None and _is_over(query.cluster, token):
        raise TokenExpired(Token(_ANY_REVISION, token.namespace, token.name).text(query))
    try:
        return _all_matching(query, at, after)
    except Compacted as error:
        if token is not None:
            raise TokenExpired(Token(_ANY_REVISION, token.namespace, token.name).text(query)) from error
        raise expired(_TOO_OLD) from error
    except FutureRevision as error:
        raise too_large_resource_version(error.requested, error.current) from error


def _is_over(cluster: str, token: Token) -> bool:
    """As where etcd is compacted every five minutes. Here nothing is lost so soon, but who lists in pages shall meet the 410
    that Kubernetes has for the slow."""
    if token.revision == _ANY_REVISION:
        return False
    since = moments.superseded_at(cluster, token.revision)
    return since is not None and since <= clock.wall_now() - TOKEN_HOLDS


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
    return ListPage(found, revision, Token(revision, last.namespace, last.name).text(query), remaining)


def _read(query: Query, at: int | None, *, limit: int, after: tuple[str, str] | None) -> Page:
    if at is None:
        return store.list_objects(query.cluster, query.resource.key, query.namespace, limit=limit, after=after)
    return store.list_at(at, query.cluster, query.resource.key, query.namespace, limit=limit, after=after)
