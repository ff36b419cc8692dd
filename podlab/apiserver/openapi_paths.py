"""The path items of the OpenAPI 3 documents: what each place takes and gives. Called by `openapi`.

Operations carry Kubernetes' ids, actions, parameters, bodies and answers (apiserver/pkg/endpoints/installer.go), so that a
client can be generated from them; the sentences are podlab's own.
"""

from __future__ import annotations

from typing import Any

from podlab.apis import schema
from podlab.apis.scheme import Resource, Subresource
from podlab.apiserver import negotiation

Item = dict[str, Any]

_REF = "#/components/schemas/"
_STATUS, _DELETE_OPTIONS = (f"io.k8s.apimachinery.pkg.apis.meta.v1.{name}" for name in ("Status", "DeleteOptions"))
_WRITE = (
    ("dryRun", "string", "All: run every check and store nothing."),
    ("fieldManager", "string", "The name of the actor that makes these changes; an apply needs one."),
    ("fieldValidation", "string", "What to do about unknown and duplicate fields: Ignore, Warn (default) or Strict."),
)
_FORCE = ("force", "boolean", "An apply takes fields that others own; for other patches it may not be said.")
_DELETE = (
    _WRITE[0],
    ("gracePeriodSeconds", "integer", "How long the object has to end; 0 means at once."),
    ("orphanDependents", "boolean", "Deprecated: say propagationPolicy."),
    ("propagationPolicy", "string", "What becomes of the dependents: Orphan, Background or Foreground."),
)
_LIST = (
    ("allowWatchBookmarks", "boolean", "A watch may tell revisions without a change."),
    ("continue", "string", "The token of the page before."),
    ("fieldSelector", "string", "Fields that the objects must have."),
    ("labelSelector", "string", "Labels that the objects must have."),
    ("limit", "integer", "How many objects a page holds at most."),
    ("resourceVersion", "string", "The revision that the answer is measured by."),
    ("resourceVersionMatch", "string", "How: Exact or NotOlderThan."),
    ("sendInitialEvents", "boolean", "A watch begins with what there is."),
    ("timeoutSeconds", "integer", "How long a watch lasts at most."),
    ("watch", "boolean", "Go on with every change instead of ending after the list."),
)
_COLLECTED = tuple(item for item in _LIST if item[0] not in ("allowWatchBookmarks", "watch"))
_PRETTY = ("pretty", "string", "'true': the answer is laid out for people.")
_PARAMETERS = {
    "list": _LIST,
    "create": _WRITE,
    "update": _WRITE,
    "patch": (*_WRITE, _FORCE),
    "delete": _DELETE,
    "deletecollection": (*_COLLECTED, *_DELETE),
}
_ACTIONS = {"create": "post", "update": "put"}
_WORDS = {
    "get": "read", "list": "list", "create": "create", "update": "replace", "patch": "patch", "delete": "delete",
    "deletecollection": "delete",
}  # fmt: skip
_ANSWERS = {
    "create": ("200", "201", "202"),
    "update": ("200", "201"),
    "patch": ("200", "201"),
    "delete": ("200", "202"),
}
_SAID = {"200": "OK", "201": "Created", "202": "Accepted"}
_TYPES = (negotiation.JSON, negotiation.YAML)


def path_items(resource: Resource) -> dict[str, Item]:
    root = f"/apis/{resource.group}/{resource.version}" if resource.group else f"/api/{resource.version}"
    base = f"{root}/namespaces/{{namespace}}/{resource.plural}" if resource.namespaced else f"{root}/{resource.plural}"
    scope = ("namespace",) if resource.namespaced else ()
    whole = {"get": "list", "post": "create", "delete": "deletecollection"}
    one = {"get": "get", "put": "update", "patch": "patch", "delete": "delete"}
    items = {base: _item(resource, whole, scope), f"{base}/{{name}}": _item(resource, one, (*scope, "name"))}
    if resource.namespaced:
        items[f"{root}/{resource.plural}"] = _item(resource, {"get": "list"}, (), everywhere=True)
    for sub in resource.subresources:
        items[f"{base}/{{name}}/{sub.name}"] = _sub_item(resource, sub, (*scope, "name"))
    return {path: item for path, item in items.items() if len(item) > 1}


def _item(resource: Resource, methods: dict[str, str], scope: tuple[str, ...], *, everywhere: bool = False) -> Item:
    kind = {"group": resource.group, "version": resource.version, "kind": resource.kind}
    item: Item = {"parameters": _shared(scope)}
    for method, verb in methods.items():
        if verb in resource.verbs:
            item[method] = _operation(resource, verb, kind, schema.definition_of(resource), "")
            if everywhere:
                item[method]["operationId"] = f"{_id('list', resource, '')}ForAllNamespaces"
    return item


def _sub_item(resource: Resource, sub: Subresource, scope: tuple[str, ...]) -> Item:
    kind = {
        "group": sub.group if sub.version else resource.group,
        "version": sub.version or resource.version,
        "kind": sub.kind,
    }
    own = sub.group_version if sub.version else resource.group_version
    item: Item = {"parameters": _shared(scope)}
    for method, verb in {"get": "get", "post": "create", "put": "update", "patch": "patch"}.items():
        if verb in sub.verbs:
            item[method] = _operation(resource, verb, kind, schema.definition_of_kind(own, sub.kind), sub.name)
    return item


def _operation(resource: Resource, verb: str, kind: dict[str, str], definition: str | None, sub: str) -> Item:
    gathered = verb in ("list", "deletecollection")
    given = definition
    if verb == "list":
        given = schema.definition_of_kind(resource.group_version, resource.list_kind)
    elif verb in ("delete", "deletecollection"):
        given = _STATUS
    operation: Item = {
        "description": f"{_WORDS[verb]} {sub or 'objects' if gathered else sub or 'an object'} of kind {resource.kind}",
        "operationId": _id(verb, resource, sub) if not resource.namespaced else _namespaced_id(verb, resource, sub),
        "tags": [_tag(resource)],
        "x-kubernetes-action": _ACTIONS.get(verb, verb),
        "x-kubernetes-group-version-kind": kind,
        "responses": {code: _answer(code, given) for code in _ANSWERS.get(verb, ("200",))},
    }
    operation["responses"]["401"] = {"description": "Unauthorized"}
    if verb in _PARAMETERS:
        operation["parameters"] = [_query_parameter(*item) for item in _PARAMETERS[verb]]
    if body := _body(verb, definition):
        operation["requestBody"] = body
    return operation


def _tag(resource: Resource) -> str:
    return f"{resource.group.partition('.')[0] or 'core'}_{resource.version}"


def _group_name(resource: Resource) -> str:
    """CoreV1, AppsV1, RbacAuthorizationV1."""
    name = resource.group.removesuffix(".k8s.io") or "core"
    return "".join(part[:1].upper() + part[1:] for part in (*name.split("."), resource.version))


def _id(verb: str, resource: Resource, sub: str, scope: str = "") -> str:
    many = "Collection" if verb == "deletecollection" else ""
    below = sub[:1].upper() + sub[1:]
    return f"{_WORDS[verb]}{_group_name(resource)}{many}{scope}{resource.kind}{below}"


def _namespaced_id(verb: str, resource: Resource, sub: str) -> str:
    return _id(verb, resource, sub, "Namespaced")


def _answer(code: str, definition: str | None) -> Item:
    answer: Item = {"description": _SAID[code]}
    if definition:
        answer["content"] = {name: {"schema": {"$ref": _REF + definition}} for name in _TYPES}
    return answer


def _body(verb: str, definition: str | None) -> Item | None:
    if verb == "patch":
        return {"content": {name: {"schema": {"type": "object"}} for name in negotiation.PATCH_TYPES}, "required": True}
    if verb in ("delete", "deletecollection"):
        return {"content": {"*/*": {"schema": {"$ref": _REF + _DELETE_OPTIONS}}}}
    if verb in ("create", "update") and definition:
        return {"content": {"*/*": {"schema": {"$ref": _REF + definition}}}, "required": True}
    return None


def _shared(scope: tuple[str, ...]) -> list[Item]:
    return [*(_path_parameter(name) for name in scope), _query_parameter(*_PRETTY)]


def _path_parameter(name: str) -> Item:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string", "uniqueItems": True}}


def _query_parameter(name: str, sort: str, text: str) -> Item:
    return {"name": name, "in": "query", "description": text, "schema": {"type": sort, "uniqueItems": True}}
