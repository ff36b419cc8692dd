"""From the bytes of a request to an object: format, size, and the errors of Go's decoders.

`mutations` calls this; whether the object is of the right kind and shape is decided in `registry`. The texts are those
of apimachinery/pkg/runtime/serializer and apiserver/pkg/endpoints/handlers (rest.go, patch.go, delete.go).
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import Any

from django.http import HttpRequest

from podlab.apis import decode, protobuf, schema_check, status_errors
from podlab.apis.decode import DecodeError, Document
from podlab.apis.decode_errors import MAX_BYTES
from podlab.apis.status_errors import ApiError
from podlab.apis.types import Manifest
from podlab.apiserver import negotiation
from podlab.apiserver.calls import header
from podlab.apiserver.negotiation import JSON, PROTOBUF, YAML

_PROTOBUF_REMEDY = (
    "send JSON or YAML (with kubectl 1.32 and later: write the object to a file and use kubectl create -f "
    "or kubectl apply -f)"
)


def too_large() -> ApiError:
    return status_errors.too_large(f"limit is {MAX_BYTES}")


def raw(request: HttpRequest) -> bytes:
    """The whole body; Django refuses one that announces more than DATA_UPLOAD_MAX_MEMORY_SIZE."""
    body: bytes = request.body
    if len(body) > MAX_BYTES:
        raise too_large()
    return body


def read_object(request: HttpRequest, kind: str) -> Document:
    """The object in the body, `{}` for an empty one. `kind` is what the endpoint expects, for the error texts."""
    media_type = negotiation.body_type(header(request, "Content-Type"))
    body = raw(request)
    if media_type == PROTOBUF:
        return Document(_protobuf(body, kind))
    try:
        document = _decode(body, media_type)
    except DecodeError as error:
        raise status_errors.bad_request(decode.unrecognised(kind, error.go_text, body)) from None
    problem = decode.kind_problem(document.obj)
    if problem:
        raise status_errors.bad_request(decode.unrecognised(kind, problem, body))
    return replace(document, obj=document.obj or {})


def _decode(body: bytes, media_type: str) -> Document:
    if media_type == JSON:
        return decode.decode_json(body)
    documents = decode.decode_yaml(body.decode("utf-8", "replace"))
    return documents[0] if documents else Document({}, yaml=True)  # Go's decoder reads the first one only


def _protobuf(body: bytes, kind: str) -> Manifest:
    try:
        return protobuf.decode(body)
    except protobuf.UnknownMessage as error:
        text = f"{error.message}: {_PROTOBUF_REMEDY}"
        raise ApiError(415, "UnsupportedMediaType", text) from None
    except protobuf.ProtobufError as error:
        if not error.kind:
            raise status_errors.bad_request(decode.unrecognised(kind, error.message, body)) from None
        text = schema_check.cannot_be_handled(error.kind, error.api_version, error.message, kind)
        raise status_errors.bad_request(text) from None


def read_patch(body: bytes, patch_type: str) -> Document:
    """The decoded patch: an object, or a list for JSON Patch."""
    if patch_type == negotiation.APPLY_PATCH:
        return _read_apply(body)
    try:
        return _decode(body, JSON)
    except DecodeError as error:
        before = "" if patch_type == negotiation.STRATEGIC_PATCH else "error decoding patch: "
        raise status_errors.bad_request(f"{before}{error.message}") from None


def _read_apply(body: bytes) -> Document:
    """YAML, of which JSON is a part: kubectl sends that, and it is read much faster."""
    if body.lstrip()[:1] == b"{":
        with suppress(DecodeError):
            return _decode(body, JSON)
    try:
        document = _decode(body, YAML)
    except DecodeError as error:
        line = f"line {error.go_line}: " if error.line > 1 else ""  # Go's YAML library never names the first line
        text = f"error decoding YAML: error converting YAML to JSON: yaml: {line}{error.message}"
        raise status_errors.bad_request(text) from None
    if isinstance(document.obj, dict | None):
        return replace(document, obj=document.obj or {})
    raise status_errors.bad_request(
        "error decoding YAML: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal "
        f"{decode.json_type(document.obj)} into Go value of type map[string]interface {{}}"
    )


_DELETE_OPTIONS = "io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions"
_META_SCHEME = "pkg/apis/meta/internalversion/scheme/register.go:27"


def read_delete_options(request: HttpRequest) -> Manifest:
    """The DeleteOptions in the body; {} when there is no body. Here the decoder's errors are passed on bare."""
    body = raw(request)
    if not body.strip():
        return {}
    media_type = negotiation.body_type(header(request, "Content-Type"))
    try:
        found: Any = _protobuf(body, "DeleteOptions") if media_type == PROTOBUF else _decode(body, media_type).obj
    except DecodeError as error:
        raise status_errors.bad_request(error.go_text) from None
    problem = decode.kind_problem(found) or _delete_problem(found or {})
    if problem:
        raise status_errors.bad_request(problem)
    return found or {}


def _delete_problem(found: Manifest) -> str:
    kind = found.get("kind") or "DeleteOptions"
    if kind != "DeleteOptions":
        version = found.get("apiVersion") or "v1"
        return f'no kind "{kind}" is registered for version "{version}" in scheme "{_META_SCHEME}"'
    return schema_check.type_error(_DELETE_OPTIONS, found) or ""
