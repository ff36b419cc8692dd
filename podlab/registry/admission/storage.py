"""Claims: the default class for those that name none, and which may grow.

Sources: plugin/pkg/admission/storage/{storageclass/setdefault,persistentvolume/resize}/admission.go.
"""

from __future__ import annotations

from podlab.apis import quantity, volume_claims
from podlab.apis.types import Manifest
from podlab.apis.volume_claims import CLAIMS, CLASSES
from podlab.registry.admission.plugin import CREATE, UPDATE, Plugin, Request


class DefaultStorageClass(Plugin):
    def admit(self, request: Request) -> None:
        spec = request.obj.get("spec")
        if not request.is_for(CLAIMS, CREATE) or not isinstance(spec, dict):
            return
        if volume_claims.wants_default_class(request.obj):
            classes = [item.obj for item in request.ctx.client.as_system().list(CLASSES, None).items]
            if (default := volume_claims.default_class(classes)) is not None:
                spec["storageClassName"] = default["metadata"]["name"]


class PersistentVolumeClaimResize(Plugin):
    def check(self, request: Request) -> None:
        if not request.is_for(CLAIMS, UPDATE) or request.old is None:
            return
        wanted, had = (volume_claims.requested(obj) for obj in (request.obj, request.old))
        if quantity.compare(wanted, had) <= 0:
            return
        if volume_claims.phase(request.old) != "Bound":
            raise request.refusal("Only bound persistent volume claims can be expanded")
        if not self._may_grow(request, request.old):
            raise request.refusal(
                "only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must "
                "support resize"
            )

    def _may_grow(self, request: Request, claim: Manifest) -> bool:
        name = volume_claims.class_name(claim)
        found = request.ctx.client.as_system().find(CLASSES, "", name) if name else None
        return found is not None and bool(found.obj.get("allowVolumeExpansion"))
