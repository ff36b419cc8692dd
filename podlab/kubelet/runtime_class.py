"""The handler that a pod's RuntimeClass names (pkg/kubelet/runtimeclass/runtimeclass_manager.go LookupRuntimeHandler).
`pod_workers` asks in every sync; the answer is kept, for a class's handler cannot be changed."""

from __future__ import annotations

from podlab.kubelet.context import Context, PodState


def handler(ctx: Context, state: PodState) -> str:
    """ "" for a pod without a class, and while its class is not there."""
    name = _class_of(state)
    if not name:
        return ""
    if state.handler is None:
        found = ctx.client.find("runtimeclasses.node.k8s.io", "", name)
        state.handler = str(found.obj.get("handler") or "") if found is not None else None
    return state.handler or ""


def problem(state: PodState) -> str:
    """Why no sandbox can be made, in the API's words, or ""."""
    name = _class_of(state)
    return f'runtimeclass.node.k8s.io "{name}" not found' if name and state.handler is None else ""


def _class_of(state: PodState) -> str:
    return str(state.pod["spec"].get("runtimeClassName") or "") if state.pod is not None else ""
