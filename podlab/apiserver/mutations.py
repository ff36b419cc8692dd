"""The writing verbs: create, update, patch, delete, deletecollection, and what binds and evicts pods.

Called by `dispatch` on a pool thread.

Each reads its options and body, calls `registry.client` and represents what came back.
"""

from __future__ import annotations

from podlab.apis import status_errors
from podlab.apis.decode import Document
from podlab.apis.status_errors import ApiError
from podlab.apiserver import bodies, calls, negotiation, options, representation, responses, verbs
from podlab.apiserver.calls import Call, Session
from podlab.apiserver.negotiation import APPLY_PATCH
from podlab.apiserver.paths import Place
from podlab.apiserver.responses import ApiResponse
from podlab.registry.operations import WriteOptions, Written

_BINDINGS = "bindings"
_DEFAULT_VALIDATION = "Warn"  # what the server does when the client does not say


def create(call: Call) -> ApiResponse:
    session = calls.open_session(call)
    place = call.place
    wanted = options.write_options(call.query, "CreateOptions")
    if place.subresource == "token":
        return _create_token(call, session, wanted)
    if place.subresource:
        return _create_below(call, session, wanted)
    if place.resource.key == _BINDINGS:
        return _bind(call, session, wanted)
    representation.check_one(call)
    document = bodies.read_object(call.request, place.resource.kind)
    written = session.client.create(
        place.resource.handle,
        document.obj,
        namespace=place.namespace,
        options=_registry_options(call, wanted, document),
    )
    return _written(call, session, written, code=201)


def _create_token(call: Call, session: Session, wanted: options.Write) -> ApiResponse:
    document = bodies.read_object(call.request, "TokenRequest")
    given = _registry_options(call, wanted, document)
    answered, warnings = session.client.create_token(call.place.namespace, call.place.name, document.obj, options=given)
    return responses.from_data(answered, call.accept, code=201, warnings=warnings)


def _create_below(call: Call, session: Session, wanted: options.Write) -> ApiResponse:
    """POST to a subresource of pods that acts: a Status comes back instead of an object."""
    actions = {"binding": session.client.bind_as_told, "eviction": session.client.evict}
    place = call.place
    if place.subresource not in actions:
        raise status_errors.method_not_allowed()
    document = bodies.read_object(call.request, _body_kind(place))
    act = actions[place.subresource]
    warnings = act(place.namespace, place.name, document.obj, options=_registry_options(call, wanted, document))
    return _success(call, warnings)


def _bind(call: Call, session: Session, wanted: options.Write) -> ApiResponse:
    """POST to the collection of bindings: the older form of pods/binding, with the pod's name in the body only."""
    document = bodies.read_object(call.request, call.place.resource.kind)
    given = _registry_options(call, wanted, document)
    meta = document.obj.get("metadata")
    name = str((meta.get("name") if isinstance(meta, dict) else None) or "")
    if not name and isinstance(meta, dict | None):  # of all others the registry says what is wrong
        raise status_errors.bad_request("Name parameter required.")
    warnings = session.client.bind_as_told(call.place.namespace, name, document.obj, options=given)
    return _success(call, warnings)


def _success(call: Call, warnings: tuple[str, ...]) -> ApiResponse:
    success = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}
    return responses.from_data(success, call.accept, code=201, warnings=warnings)


def _body_kind(place: Place) -> str:
    """What is written there: a Scale below a Deployment."""
    below = place.resource.subresource(place.subresource) if place.subresource else None
    return below.kind if below else place.resource.kind


def update(call: Call) -> ApiResponse:
    session = calls.open_session(call)
    place = call.place
    wanted = options.write_options(call.query, "UpdateOptions")
    representation.check_one(call)
    document = bodies.read_object(call.request, _body_kind(place))
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
    representation.check_one(call)
    wanted = options.write_options(call.query, "PatchOptions", apply=patch_type == APPLY_PATCH)
    body = bodies.raw(call.request)
    try:
        document = bodies.read_patch(body, patch_type)
    except ApiError:
        if patch_type != APPLY_PATCH:  # which may make the object; all others are only read once there is one
            session.client.check_patched(
                place.resource.handle, place.namespace, place.name, subresource=place.subresource
            )
        raise
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
    representation.check_one(call)
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
    """The answer is the list as it was before, or the page of it that a limit asks for (store.go, DeleteCollection)."""
    session = calls.open_session(call)
    place = call.place
    chosen = options.list_options(call.query)
    wanted = options.delete_options(call.query, bodies.read_delete_options(call.request))
    representation.check_many(call)
    reader = calls.Session(session.identity, session.client.as_system("apiserver"), session.now)
    before = verbs.list_page(call, reader, chosen, stored_only=True)
    limit, exact = verbs.paging(chosen, options.revision(chosen.resource_version))
    session.client.delete_collection(
        place.resource.handle,
        place.namespace,
        label_selector=chosen.label_selector,
        field_selector=chosen.field_selector,
        limit=limit,
        continue_=chosen.continue_,
        exact=exact,
        grace=wanted.grace,
        uid=wanted.uid,
        resource_version=wanted.resource_version,
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
        keys=document.keys,
    )


def _manager(user_agent: str) -> str:
    """The default field manager: the program in front of the User-Agent (handlers/create.go, prefixFromUserAgent)."""
    program = user_agent.split("/", 1)[0]
    return "".join(char for char in program if char.isprintable())[: options.MAX_MANAGER]


def _written(call: Call, session: Session, written: Written, *, code: int) -> ApiResponse:
    raw = written.stored.body if written.stored is not None else None
    return representation.one(call, written.obj, now=session.now, raw=raw, code=code, warnings=written.warnings)
