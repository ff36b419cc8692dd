"""Nothing is created in a namespace that is missing or going; three namespaces stay for ever.

Source: apiserver/pkg/admission/plugin/namespace/lifecycle/admission.go.
"""

from __future__ import annotations

from podlab.apis import status_errors
from podlab.registry.admission.plugin import CREATE, DELETE, Plugin, Request
from podlab.registry.nearby import Held
from podlab.registry.operations import Context
from podlab.storage.store import Stored

IMMORTAL = frozenset({"default", "kube-system", "kube-public"})


class NamespaceLifecycle(Plugin):
    def admit(self, request: Request) -> None:
        if request.operation == CREATE:
            _check(request.ctx, request.name, request.ctx.nearby.namespace() if request.ctx.namespace else None)

    def commit(self, request: Request, held: Held) -> None:
        """Once more under the lock: the namespace may have come to its end since."""
        if request.operation == CREATE and not request.ctx.options.dry_run:
            _check(request.ctx, request.name, held.namespace() if request.ctx.namespace else None)

    def check(self, request: Request) -> None:
        if request.is_for("namespaces", DELETE) and request.ctx.name in IMMORTAL:
            raise request.refusal("this namespace may not be deleted")


def _check(ctx: Context, name: str, found: Stored | None) -> None:
    if not ctx.resource.namespaced:
        return
    if found is None:
        raise status_errors.not_found("namespaces", ctx.namespace)
    if (found.obj.get("status") or {}).get("phase") == "Terminating":
        raise _terminating(ctx, name)


def _terminating(ctx: Context, name: str) -> status_errors.ApiError:
    text = f"unable to create new content in namespace {ctx.namespace} because it is being terminated"
    error = status_errors.forbidden(ctx.resource, name, text)
    cause = {
        "reason": "NamespaceTerminating",
        "message": f"namespace {ctx.namespace} is being terminated",
        "field": "metadata.namespace",
    }
    error.details = {**(error.details or {}), "causes": [cause]}
    return error
