"""Nothing is created in a namespace that is missing or going; three namespaces stay for ever.

Source: apiserver/pkg/admission/plugin/namespace/lifecycle/admission.go.
"""

from __future__ import annotations

from podlab.apis import status_errors
from podlab.registry.admission.plugin import CREATE, DELETE, Plugin, Request

IMMORTAL = frozenset({"default", "kube-system", "kube-public"})


class NamespaceLifecycle(Plugin):
    def admit(self, request: Request) -> None:
        ctx = request.ctx
        if request.operation != CREATE or not ctx.resource.namespaced:
            return
        found = ctx.client.as_system().find("namespaces", "", ctx.namespace)
        if found is None:
            raise status_errors.not_found("namespaces", ctx.namespace)
        if (found.obj.get("status") or {}).get("phase") == "Terminating":
            raise _terminating(request)

    def check(self, request: Request) -> None:
        if request.is_for("namespaces", DELETE) and request.ctx.name in IMMORTAL:
            raise request.refusal("this namespace may not be deleted")


def _terminating(request: Request) -> status_errors.ApiError:
    namespace = request.ctx.namespace
    error = request.refusal(f"unable to create new content in namespace {namespace} because it is being terminated")
    cause = {
        "reason": "NamespaceTerminating",
        "message": f"namespace {namespace} is being terminated",
        "field": "metadata.namespace",
    }
    error.details = {**(error.details or {}), "causes": [cause]}
    return error
