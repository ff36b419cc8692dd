"""No RuntimeClass objects are served, so a pod that names one is refused as Kubernetes refuses an unknown one.

Source: plugin/pkg/admission/runtimeclass/admission.go.
"""

from __future__ import annotations

from podlab.registry.admission.plugin import CREATE, Plugin, Request


class RuntimeClass(Plugin):
    def admit(self, request: Request) -> None:
        spec = request.obj.get("spec")
        if not request.is_for("pods", CREATE) or not isinstance(spec, dict):
            return
        name = spec.get("runtimeClassName")
        if name:
            raise request.refusal(f'pod rejected: RuntimeClass "{name}" not found')
        if spec.get("overhead"):
            raise request.refusal("pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead")
