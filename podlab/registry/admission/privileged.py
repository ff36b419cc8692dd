"""Where the lab does not allow it (PODLAB_ALLOW_PRIVILEGED=false), privileged containers are invalid, as with a
kube-apiserver that runs without --allow-privileged.

Source: pkg/apis/core/validation/validation.go (ValidateSecurityContext), pkg/capabilities.
"""

from __future__ import annotations

from collections.abc import Iterator

from django.conf import settings

from podlab.apis import field_errors, status_errors
from podlab.apis.field_errors import FieldError
from podlab.apis.types import Manifest
from podlab.registry.admission.plugin import CREATE, UPDATE, Plugin, Request
from podlab.registry.admission.pod_security.templates import spec_of

_LISTS = ("initContainers", "containers", "ephemeralContainers")


class Privileged(Plugin):
    def check(self, request: Request) -> None:
        if settings.PODLAB_ALLOW_PRIVILEGED or request.operation not in (CREATE, UPDATE):
            return
        errors = list(_errors(*spec_of(request.resource, request.obj)))
        if errors:
            raise status_errors.invalid(request.ctx.resource, request.name, errors)


def _errors(path: str, spec: Manifest) -> Iterator[FieldError]:
    for name in _LISTS:
        for number, container in enumerate(spec.get(name) or []):
            if (container.get("securityContext") or {}).get("privileged"):
                field = f"{path}.{name}[{number}].securityContext.privileged"
                yield field_errors.forbidden(field, "disallowed by cluster policy")
