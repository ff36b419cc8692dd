"""A pod that names a RuntimeClass gets its overhead, its node selector and its tolerations.

Source: plugin/pkg/admission/runtimeclass/admission.go.
"""

from __future__ import annotations

from podlab.apis import names, quantity, status_errors
from podlab.apis.types import Manifest
from podlab.registry.admission.plugin import CREATE, Plugin, Request

RESOURCE = "runtimeclasses.node.k8s.io"
_MISMATCH = "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead"


class RuntimeClass(Plugin):
    def admit(self, request: Request) -> None:
        spec = request.obj.get("spec")
        if not request.is_for("pods", CREATE) or not isinstance(spec, dict):
            return
        found = _class_of(request, spec)
        if found:
            _set_overhead(request, spec, found)
            _set_scheduling(request, spec, found.get("scheduling") or {})

    def check(self, request: Request) -> None:
        spec = request.obj.get("spec") or {}
        if not request.is_for("pods", CREATE):
            return
        if not spec.get("overhead"):
            return
        if not _overhead(_class_of(request, spec)):
            raise request.refusal("pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead")


def _class_of(request: Request, spec: Manifest) -> Manifest:
    name = spec.get("runtimeClassName")
    if name is None:
        return {}
    unfit = names.path_segment(name)
    if unfit or not name:  # the client refuses to ask for it
        said = f'invalid resource name "{name}": [{", ".join(unfit)}]' if unfit else "resource name may not be empty"
        raise status_errors.plain_failure(said)
    found = request.ctx.client.as_system().find(RESOURCE, "", name)
    if found is None:
        raise request.refusal(f'pod rejected: RuntimeClass "{name}" not found')
    return found.obj


def _overhead(runtime_class: Manifest) -> dict[str, str]:
    return (runtime_class.get("overhead") or {}).get("podFixed") or {}


def _set_overhead(request: Request, spec: Manifest, runtime_class: Manifest) -> None:
    wanted = _overhead(runtime_class)
    if not wanted:
        return
    if spec.get("overhead") and not _same(spec["overhead"], wanted):
        raise request.refusal(_MISMATCH)
    spec["overhead"] = dict(wanted)


def _same(one: dict[str, str], other: dict[str, str]) -> bool:
    return one.keys() == other.keys() and all(quantity.compare(one[name], other[name]) == 0 for name in one)


def _set_scheduling(request: Request, spec: Manifest, scheduling: Manifest) -> None:
    selector = dict(spec.get("nodeSelector") or {})
    for key, value in sorted((scheduling.get("nodeSelector") or {}).items()):
        own = selector.setdefault(key, value)
        if own != value:
            raise request.refusal(
                f"conflict: runtimeClass.scheduling.nodeSelector[{key}] = {value}; pod.spec.nodeSelector[{key}] = {own}"
            )
    if selector:
        spec["nodeSelector"] = selector
    own_tolerations = spec.get("tolerations") or []
    more = [dict(item) for item in scheduling.get("tolerations") or [] if item not in own_tolerations]
    if more:
        spec["tolerations"] = [*own_tolerations, *more]
