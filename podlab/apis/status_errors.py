"""Refusals, as the Status objects that Kubernetes answers with.

Every layer above raises ApiError; the API server prints it as JSON, the pages show message and causes.
Source of the texts: apimachinery/pkg/api/errors/errors.go.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from podlab.apis.field_errors import FieldError, aggregate
from podlab.apis.scheme import Resource, split_key
from podlab.apis.types import Manifest

ACCEPTED_BODIES = ("application/json", "application/yaml", "application/vnd.kubernetes.protobuf")


class ApiError(Exception):
    """A request that was refused: HTTP code, machine-readable reason, sentence, details of the Status."""

    def __init__(
        self,
        code: int,
        reason: str,
        message: str,
        *,
        details: Manifest | None = None,
        headers: Mapping[str, str] | None = None,
        errors: Sequence[FieldError] = (),
    ) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.details = details
        self.headers = dict(headers or {})
        self.errors = tuple(errors)
        self.warnings: tuple[str, ...] = ()  # told before the request was refused

    def to_status(self) -> Manifest:
        status: Manifest = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
        }
        if self.reason:
            status["reason"] = self.reason
        if self.details is not None:
            status["details"] = self.details
        status["code"] = self.code
        return status


class SelectorError(ApiError):
    """A selector that cannot be read: 400."""

    def __init__(self, message: str) -> None:
        super().__init__(400, "BadRequest", message)


def _key(resource: Resource | str) -> str:
    return resource if isinstance(resource, str) else resource.key


def _details(resource: Resource | str, name: str, **more: Any) -> Manifest:
    """`kind` of the details is the plural ("pods", "pods/binding"), as in Kubernetes."""
    plural, group = split_key(_key(resource))
    details: Manifest = {}
    if name:
        details["name"] = name
    if group:
        details["group"] = group
    details["kind"] = plural
    details.update(more)
    return details


def not_found(resource: Resource | str, name: str) -> ApiError:
    return ApiError(404, "NotFound", f'{_key(resource)} "{name}" not found', details=_details(resource, name))


def no_such_path() -> ApiError:
    """A path that no resource answers at."""
    return ApiError(404, "NotFound", "the server could not find the requested resource", details={})


def already_exists(resource: Resource | str, name: str) -> ApiError:
    return ApiError(409, "AlreadyExists", f'{_key(resource)} "{name}" already exists', details=_details(resource, name))


def name_generation_failed(resource: Resource | str, name: str) -> ApiError:
    """The name that generateName made is taken (rest/create.go, CheckGeneratedNameError)."""
    message = (
        f'{_key(resource)} "{name}" already exists, the server was not able to generate a unique name for the object'
    )
    details = _details(resource, name, retryAfterSeconds=1)
    return ApiError(409, "AlreadyExists", message, details=details, headers={"Retry-After": "1"})


STALE = "the object has been modified; please apply your changes to the latest version and try again"


def conflict(resource: Resource | str, name: str, text: str | None = None) -> ApiError:
    message = f'Operation cannot be fulfilled on {_key(resource)} "{name}": {text or STALE}'
    return ApiError(409, "Conflict", message, details=_details(resource, name))


def invalid(resource: Resource | str, name: str, errors: Sequence[FieldError]) -> ApiError:
    """422. A string names the kind, with the group after a dot: "Pod", "Deployment.apps"."""
    group_kind = resource if isinstance(resource, str) else resource.group_kind
    kind, _, group = group_kind.partition(".")
    details: Manifest = {}
    if name:
        details["name"] = name
    if group:
        details["group"] = group
    details["kind"] = kind
    message = f'{group_kind} "{name}" is invalid'
    if errors:
        details["causes"] = [error.cause() for error in errors]
        message = f"{message}: {aggregate(errors)}"
    return ApiError(422, "Invalid", message, details=details, errors=errors)


def bad_request(message: str) -> ApiError:
    return ApiError(400, "BadRequest", message)


def forbidden(resource: Resource | str, name: str, message: str) -> ApiError:
    key = _key(resource)
    if not key:
        text = f"forbidden: {message}"
    elif not name:
        text = f"{key} is forbidden: {message}"
    else:
        text = f'{key} "{name}" is forbidden: {message}'
    return ApiError(403, "Forbidden", text, details=_details(resource, name) if key else {})


def unauthorized(message: str = "Unauthorized") -> ApiError:
    return ApiError(401, "Unauthorized", message)


def expired(message: str) -> ApiError:
    return ApiError(410, "Expired", message)


def too_old_resource_version(requested: int, floor: int) -> ApiError:
    """A watch or list from before the compacted part of the log (storage/cacher)."""
    return expired(f"too old resource version: {requested} ({floor})")


def too_large_resource_version(requested: int, current: int) -> ApiError:
    """A revision that does not exist yet (storage/errors.go, NewTooLargeResourceVersionError)."""
    message = f"Timeout: Too large resource version: {requested}, current: {current}"
    causes = [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}]
    return ApiError(504, "Timeout", message, details={"causes": causes, "retryAfterSeconds": 1})


def method_not_allowed() -> ApiError:
    return ApiError(
        405, "MethodNotAllowed", "the server does not allow this method on the requested resource", details={}
    )


def not_acceptable(message: str = "") -> ApiError:
    text = message or "only the following media types are accepted: " + ", ".join(ACCEPTED_BODIES)
    return ApiError(406, "NotAcceptable", text)


def unsupported_media_type(accepted: Sequence[str] = ACCEPTED_BODIES) -> ApiError:
    text = "the body of the request was in an unknown format - accepted media types include: " + ", ".join(accepted)
    return ApiError(415, "UnsupportedMediaType", text)


def too_large(message: str) -> ApiError:
    return ApiError(413, "RequestEntityTooLarge", f"Request entity is too large: {message}")


def too_many_requests(message: str, retry_after: int = 0) -> ApiError:
    details: Manifest = {"retryAfterSeconds": retry_after} if retry_after else {}
    headers = {"Retry-After": str(retry_after)} if retry_after else {}
    return ApiError(429, "TooManyRequests", message, details=details, headers=headers)


def internal(message: str) -> ApiError:
    details: Manifest = {"causes": [{"message": message}]}
    return ApiError(500, "InternalError", f"Internal error occurred: {message}", details=details)


def plain_failure(message: str) -> ApiError:
    """What Kubernetes answers when a bare Go error reaches the edge: 500 without a reason."""
    return ApiError(500, "", message)


def timeout(message: str, retry_after: int = 0) -> ApiError:
    details: Manifest = {"retryAfterSeconds": retry_after} if retry_after else {}
    return ApiError(504, "Timeout", f"Timeout: {message}", details=details)


def service_unavailable(message: str) -> ApiError:
    return ApiError(503, "ServiceUnavailable", message)
