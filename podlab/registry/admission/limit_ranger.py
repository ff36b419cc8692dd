"""LimitRanger: what the LimitRanges of a namespace add to a pod, and what they refuse.

Source: plugin/pkg/admission/limitranger/admission.go. The arithmetic is in `limits`.
"""

from __future__ import annotations

from collections.abc import Sequence

from podlab.apis.types import Manifest
from podlab.registry.admission import limits
from podlab.registry.admission.plugin import CREATE, UPDATE, Plugin, Request
from podlab.registry.nearby import LIMIT_RANGES as RESOURCE

CLAIMS = "persistentvolumeclaims"


class LimitRanger(Plugin):
    def admit(self, request: Request) -> None:
        if not _applies(request) or request.resource != "pods":
            return
        for limit_range in _of_namespace(request):
            limits.set_defaults(limit_range, request.obj)

    def check(self, request: Request) -> None:
        if not _applies(request):
            return
        errors_of = limits.pod_errors if request.resource == "pods" else limits.claim_errors
        for limit_range in _of_namespace(request):
            errors = errors_of(limit_range, request.obj)
            if errors:
                raise request.refusal(aggregated(errors))


def _applies(request: Request) -> bool:
    """Pods as they are made and as they are resized, claims always (SupportsAttributes)."""
    if request.is_for("pods", UPDATE, subresource="resize"):
        return True
    return request.is_for("pods", CREATE) or request.is_for(CLAIMS, CREATE, UPDATE)


def _of_namespace(request: Request) -> list[Manifest]:
    return [item.obj for item in request.ctx.nearby.all(RESOURCE)]


def aggregated(errors: Sequence[str]) -> str:
    """utilerrors.NewAggregate."""
    return errors[0] if len(errors) == 1 else f"[{', '.join(errors)}]"
