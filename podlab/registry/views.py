"""What a client gets when it asked by another version than the stored one. `client` calls these at its edge; without a
view they pass everything on. The forms themselves are in `apis.conversion`.
"""

from __future__ import annotations

from dataclasses import replace

from podlab.apis import conversion
from podlab.apis.scheme import Resource
from podlab.apis.selectors import FieldSelector
from podlab.registry.operations import Context, Deleted, ListPage, Written
from podlab.storage.objects import encode
from podlab.storage.store import Stored


def shown(resource: Resource, stored: Stored) -> Stored:
    """The object as `resource` has it, body included."""
    if not resource.stored_as:
        return stored
    obj = conversion.from_stored(resource, stored.obj)
    return replace(stored, body=encode(obj, stored.revision))


def page(resource: Resource, found: ListPage) -> ListPage:
    return replace(found, items=[shown(resource, item) for item in found.items]) if resource.stored_as else found


def written(ctx: Context, done: Written) -> Written:
    if ctx.view is None:
        return done
    stored = shown(ctx.view, done.stored) if done.stored is not None else None
    return replace(done, obj=conversion.from_stored(ctx.view, done.obj), stored=stored)


def deleted(ctx: Context, done: Deleted) -> Deleted:
    """The answer is the object or a Status, which stays what it is."""
    return replace(done, answer=conversion.from_stored(ctx.view, done.answer)) if ctx.view is not None else done


def fields(resource: Resource, selector: FieldSelector) -> FieldSelector:
    """A field selector in the words of the stored kind."""
    if not resource.stored_as:
        return selector
    terms = (replace(term, field=conversion.stored_field(resource, term.field)) for term in selector.terms)
    return FieldSelector(tuple(terms))
