"""application/strategic-merge-patch+json: a merge patch that knows Kubernetes' lists.

The schema says which lists are merged, and by which key; all others are replaced. Directives in the patch:
`$patch: merge|replace|delete` in a map or a list element, `$retainKeys: [...]` in a map,
`$setElementOrder/<list>: [...]` and `$deleteFromPrimitiveList/<list>: [...]` beside a list.
Source: apimachinery/pkg/util/strategicpatch/patch.go. The order of merged lists is in `element_order`.
"""

from __future__ import annotations

import copy
from typing import Any

from podlab.apis import schema, status_errors
from podlab.apis.types import Manifest
from podlab.registry.patch import element_order
from podlab.registry.patch.errors import go_text, json_type

PATCH = "$patch"
RETAIN_KEYS = "$retainKeys"
ORDER = "$setElementOrder/"
DELETE_PRIMITIVE = "$deleteFromPrimitiveList/"
_DIRECTIVES = (PATCH, RETAIN_KEYS, ORDER, DELETE_PRIMITIVE)

_BAD_RETAIN_KEYS = "invalid patch format of retainKeys"
_BAD_PRIMITIVE_LIST = "invalid patch format of primitive list"
_BAD_ORDER_LIST = "invalid patch format of setElementOrder list"


def check(patch: Any) -> None:
    """Null is a patch that changes nothing."""
    if not isinstance(patch, dict | None):
        raise status_errors.bad_request(
            f"json: cannot unmarshal {json_type(patch)} into Go value of type map[string]interface {{}}"
        )


def apply(obj: Manifest, patch: Manifest | None, definition: str) -> Manifest:
    return _merge_map(obj, copy.deepcopy(patch or {}), definition)


def shown(patch: Any) -> str:
    """The patch as a refusal quotes it: Go's print of the map, whose directives have been carried out."""
    return go_text(_undirected(patch or {}))


def _undirected(value: Any) -> Any:
    if isinstance(value, list):
        return [_undirected(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {field: _undirected(item) for field, item in value.items() if not field.startswith(_DIRECTIVES)}


def _merge_map(original: Manifest, patch: Manifest, definition: str) -> Manifest:
    """`definition` is the schema definition of both, "" where the schema says nothing."""
    directive = patch.pop(PATCH, None)
    if directive == "replace":
        return _cleaned(patch, definition)
    if directive == "delete":
        return {}
    if directive not in (None, "merge"):
        raise _unknown_directive(directive, {PATCH: directive, **patch})
    _retain_keys(original, patch)
    orders = _taken(patch, ORDER, _BAD_ORDER_LIST)
    deletions = _taken(patch, DELETE_PRIMITIVE, _BAD_PRIMITIVE_LIST)
    for field, order in orders.items():
        _check_order(patch.get(field) or [], order, _list_key(definition, field))
    servers = {field: list(original.get(field) or []) for field in orders}
    for field, value in patch.items():
        _merge_field(original, field, value, definition)
    for field, unwanted in deletions.items():
        if isinstance(original.get(field), list):
            original[field] = [item for item in original[field] if item not in unwanted]
    for field, order in orders.items():
        if isinstance(original.get(field), list):
            key = _list_key(definition, field)
            original[field] = element_order.arrange(original[field], order, servers[field], key)
    return original


def _merge_field(original: Manifest, field: str, value: Any, definition: str) -> None:
    if value is None:
        original.pop(field, None)
        return
    known = _field(definition, field)
    below = known.type.ref if known and known.type.sort == "object" else ""
    if isinstance(value, dict):
        before = original.get(field)
        replace = known is not None and "replace" in known.patch_strategies
        start = before if isinstance(before, dict) and not replace else {}
        if PATCH in value and value[PATCH] == "delete" and field not in original:
            return
        original[field] = _merge_map(start, value, below)
    elif isinstance(value, list) and known is not None and "merge" in known.patch_strategies:
        before = original.get(field)
        if isinstance(before, list):
            original[field] = _merge_list(before, value, known)
        else:
            original[field] = _cleaned_item([item for item in value if not _is_directive(item)], known)
    else:  # what takes the place of something is not looked into
        original[field] = value if field in original else _cleaned_item(value, known)


def _check_order(elements: Any, order: list[Any], key: str) -> None:
    """The elements of the patch come in the order that it asks for (validatePatchWithSetOrderList)."""
    if not isinstance(elements, list) or not order:
        return
    wanted = [item for item in elements if not (key and isinstance(item, dict) and item.get(PATCH) == "delete")]
    left = iter(order)
    if not all(any(_same(item, other, key) for other in left) for item in wanted):
        text = f"The order in patch list:\n{go_text(wanted)}\n doesn't match $setElementOrder list:\n{go_text(order)}\n"
        raise status_errors.plain_failure(text)


def _same(one: Any, other: Any, key: str) -> bool:
    if key and isinstance(one, dict) and isinstance(other, dict):
        return bool(one.get(key) == other.get(key))
    return bool(one == other)


def _merge_list(original: list[Any], patch: list[Any], known: schema.Field) -> list[Any]:
    if len({_element_kind(item) for item in (*original, *patch)}) > 1:
        text = f"list element types are not identical: [{go_text(original)} {go_text(patch)}]"
        raise status_errors.plain_failure(text)
    if not known.merge_key or not any(isinstance(item, dict) for item in (*original, *patch)):
        merged = list(original)
        merged.extend(item for item in patch if item not in merged)
        return element_order.arrange(merged, patch, original, "")
    key = known.merge_key
    element = known.type.item.ref if known.type.item else ""
    original, patch = _directed(original, patch, key)
    merged = list(original)
    for item in patch:
        if not isinstance(item, dict) or key not in item:
            raise status_errors.plain_failure(f"map: {go_text(item)} does not contain declared merge key: {key}")
        position = element_order.find(merged, item, key)
        if position is None:
            merged.append(_merge_map({}, dict(item), element))
        else:
            merged[position] = _merge_map(dict(merged[position]), dict(item), element)
    return element_order.arrange(merged, patch, original, key)


def _element_kind(item: Any) -> str:
    return json_type(item) if item is not None else ""


def _directed(original: list[Any], patch: list[Any], key: str) -> tuple[list[Any], list[Any]]:
    """Carry out `$patch` elements: delete takes one element away, replace all of them (mergeSliceWithSpecialElements)."""
    kept, rest, replace = list(original), [], False
    for item in patch:
        directive = item.get(PATCH) if isinstance(item, dict) else None
        if directive is None:
            rest.append(item)
        elif directive == "delete":
            if key not in item:
                text = f"delete patch type with no merge key defined: {go_text(item)}"
                raise status_errors.plain_failure(text)
            kept = [have for have in kept if not isinstance(have, dict) or have.get(key) != item[key]]
        elif directive == "replace":
            replace = True
        elif directive == "merge":
            raise status_errors.plain_failure("merging lists cannot yet be specified in the patch")
        else:
            raise _unknown_directive(directive, item)
    return ([] if replace else kept), rest


def _is_directive(item: Any) -> bool:
    """Where there is no list yet, there is nothing to delete from or to replace, and elements need no key."""
    return isinstance(item, dict) and PATCH in item


def _retain_keys(original: Manifest, patch: Manifest) -> None:
    """Fields that are not listed go; the patch may only speak of listed ones (applyRetainKeysDirective)."""
    if RETAIN_KEYS not in patch:
        return
    retained = patch.pop(RETAIN_KEYS)
    if not isinstance(retained, list):
        raise status_errors.bad_request(_BAD_RETAIN_KEYS)
    if any(not field.startswith("$") and field not in retained for field in patch):
        raise status_errors.bad_request(_BAD_RETAIN_KEYS)
    for field in [field for field in original if field not in retained]:
        del original[field]


def _taken(patch: Manifest, prefix: str, text: str) -> dict[str, list[Any]]:
    """Take the directives with this prefix out of the patch: list name → elements."""
    found = {field: patch.pop(field) for field in list(patch) if field.startswith(prefix)}
    if not all(isinstance(value, list) for value in found.values()):
        raise status_errors.bad_request(text)
    return {field.removeprefix(prefix): value for field, value in found.items()}


def _cleaned(value: Manifest, definition: str) -> Manifest:
    """What a patch puts where nothing was: no nulls, no directives."""
    return _merge_map({}, value, definition)


def _cleaned_item(value: Any, known: schema.Field | None) -> Any:
    """A list that replaces another is taken as it is, apart from directives inside its elements."""
    if not isinstance(value, list):
        return value
    element = known.type.item.ref if known and known.type.item else ""
    return [_cleaned(item, element) if isinstance(item, dict) else item for item in value]


def _field(definition: str, field: str) -> schema.Field | None:
    return schema.fields(definition).get(field) if definition else None


def _list_key(definition: str, field: str) -> str:
    known = _field(definition, field)
    return known.merge_key if known else ""


def _unknown_directive(directive: Any, holder: Manifest) -> status_errors.ApiError:
    said = directive if isinstance(directive, str) else f"%!s({_go_kind(directive)}={go_text(directive)})"
    return status_errors.plain_failure(f"unknown patch type: {said} in map: {go_text(holder)}")


def _go_kind(value: Any) -> str:
    kinds = {bool: "bool", int: "int64", float: "float64", dict: "map[string]interface {}", list: "[]interface {}"}
    return kinds.get(type(value), "<nil>" if value is None else "string")
