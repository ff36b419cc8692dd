"""The writing verbs: create, update, patch, delete, deletecollection, and binding. Called by `dispatch` on a pool thread.

Each reads its options and body, calls `registry.client` and represents what came back.
"""

from __future__ import annotations

from podlab.apis import status_errors
from podlab.apis.decode import Document
from podlab.apis.types import Manifest
from podlab.apiserver import bodies, calls, negotiation, options, representation, responses
from podlab.apiserver.calls import Call, Session
from podlab.apiserver.negotiation import APPLY_PATCH
from podlab.apiserver.responses import ApiResponse
from podlab.registry.operations import WriteOptions, Written

_DEFAULT_VALIDATION = "Warn"  # what the server does when the client does not say


def create(call: Call) -> ApiResponse:
    session = calls.open_session(call)
    place = call.place
    wanted = options.write_options(call.query, "CreateOptions")
    if place.subresource:
        return _create_below(call, session, wanted)
    document = bodies.read_object(call.request, place.resource.kind)
    written = session.client.create(
        place.resource.handle,
        document.obj,
        namespace=place.namespace,
        options=_registry_options(call, wanted, document),
    )
    return _written(call, session, written, code=201)


def _create_below(call: Call, session: Session, wanted: options.Write) -> ApiResponse:
    """POST to a subresource. Binding is the only one so far."""
    place = call.place
    if place.subresource == "token":
        request = bodies.read_object(call.request, "TokenRequest").obj
        answered = session.client.create_token(place.namespace, place.name, request)
        return responses.from_data(answered, call.accept, code=201)
    if place.subresource != "binding":
        raise status_errors.method_not_allowed()
    binding: Manifest = bodies.read_object(call.request, "Binding").obj
    metadata, target = binding.get("metadata") or {}, binding.get("target") or {}
    if target.get("kind", "Node") not in {"", "Node", "Minion"}:
        raise status_errors.plain_failure('target.kind: Unsupported value: "' + str(target["kind"]) + '"')
    session.client.bind(
        place.namespace,
        place.name,
        target.get("name") or "",
        uid=metadata.get("uid"),
        annotations=metadata.get("annotations"),
        dry_run=wanted.dry_run,
    )
    success = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}
    return responses.from_data(success, call.accept, code=201)


def update(call: Call) -> ApiResponse:
    session = calls.open_session(call)
    place = call.place
    wanted = options.write_options(call.query, "UpdateOptions")
    document = bodies.read_object(call.request, place.resource.kind)
    written = session.client.update(
        place.resource.handle,
        place.namespace,
        place.name,
        document.obj,
        subresource=place.subresource,
        options=_registry_options(call, wanted, document),
    )
    return _written(call, session, written, code=201 if written.created else 200)


def patch(call: Call) -> ApiResponse:
    session = calls.open_session(call)
    place = call.place
    patch_type = negotiation.patch_type(call.header("Content-Type"))
    wanted = options.write_options(call.query, "PatchOptions", apply=patch_type == APPLY_PATCH)
    document = bodies.read_patch(call.request, patch_type)
    written = session.client.patch(
        place.resource.handle,
        place.namespace,
        place.name,
        patch_type,
        document.obj,
        subresource=place.subresource,
        options=_registry_options(call, wanted, document),
    )
    return _written(call, session, written, code=201 if written.created else 200)


def delete(call: Call) -> ApiResponse:
    session = calls.open_session(call)
    place = call.place
    wanted = options.delete_options(call.query, bodies.read_delete_options(call.request))
    deleted = session.client.delete(
        place.resource.handle,
        place.namespace,
        place.name,
        grace=wanted.grace,
        uid=wanted.uid,
        resource_version=wanted.resource_version,
        propagation=wanted.propagation,
        dry_run=wanted.dry_run,
    )
    return representation.one(call, deleted.answer, now=session.now, warnings=deleted.warnings)


def delete_collection(call: Call) -> ApiResponse:
    """The answer is the list as it was before."""
    session = calls.open_session(call)
    place = call.place
    wanted = options.delete_options(call.query, bodies.read_delete_options(call.request))
    chosen = options.list_options(call.query)
    before = session.client.as_system("apiserver").list(
        place.resource.handle,
        place.namespace or None,
        label_selector=chosen.label_selector,
        field_selector=chosen.field_selector,
    )
    session.client.delete_collection(
        place.resource.handle,
        place.namespace,
        label_selector=chosen.label_selector,
        field_selector=chosen.field_selector,
        grace=wanted.grace,
        propagation=wanted.propagation,
        dry_run=wanted.dry_run,
    )
    return representation.many(call, [item.obj for item in before.items], before.metadata(), now=session.now)


def _registry_options(call: Call, wanted: options.Write, document: Document) -> WriteOptions:
    validation = wanted.field_validation or _DEFAULT_VALIDATION
    texts = document.strict_texts() if validation == "Strict" else document.duplicate_texts()
    return WriteOptions(
        dry_run=wanted.dry_run,
        field_validation=validation,
        field_manager=wanted.field_manager or _manager(call.header("User-Agent")),
        force=bool(wanted.force),
        duplicates=tuple(texts),
    )


def _manager(user_agent: str) -> str:
    """The default field manager: the program in front of the User-Agent (handlers/create.go, prefixFromUserAgent)."""
    program = user_agent.split("/", 1)[0]
    return "".join(char for char in program if char.isprintable())[: options.MAX_MANAGER]


def _written(call: Call, session: Session, written: Written, *, code: int) -> ApiResponse:
    raw = written.stored.body if written.stored is not None else None
    return representation.one(call, written.obj, now=session.now, raw=raw, code=code, warnings=written.warnings)
