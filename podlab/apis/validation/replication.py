"""ReplicationControllers and PodTemplates (core validation)."""

from __future__ import annotations

from podlab.apis.field_errors import forbidden, invalid, not_supported, required
from podlab.apis.types import Manifest
from podlab.apis.validation import template, warnings
from podlab.apis.validation.rules import Errors, not_negative

NO_MATCH = "`selector` does not match template `labels`"
_COUNTS = ("replicas", "fullyLabeledReplicas", "readyReplicas", "availableReplicas", "observedGeneration")


def controller(obj: Manifest) -> Errors:
    spec = obj.get("spec") or {}
    yield from not_negative("spec", spec, "minReadySeconds")
    if not spec.get("selector"):
        yield required("spec.selector")
    yield from not_negative("spec", spec, "replicas")
    if spec.get("template") is None:
        yield required("spec.template")
    else:
        yield from always_running(
            "spec.template", spec["template"], spec.get("selector") or {}, "ReplicationController"
        )


def controller_warnings(obj: Manifest) -> list[str]:
    named = warnings.of_name(obj, "Pod names and hostnames") if _is_new(obj) else ()
    return [*named, *warnings.of_template("spec.template.", (obj.get("spec") or {}).get("template") or {})]


def _is_new(obj: Manifest) -> bool:
    return (obj.get("metadata") or {}).get("generation") in (None, 1)


def always_running(path: str, pod: Manifest, selector: Manifest, kind: str) -> Errors:
    """The template of a controller whose pods are restarted for ever; `selector` is a plain map."""
    labels = (pod.get("metadata") or {}).get("labels")
    if any((labels or {}).get(key) != value for key, value in selector.items()):
        yield invalid(f"{path}.metadata.labels", dict(sorted((labels or {}).items())), NO_MATCH)
    yield from template.validate(path, pod)
    spec = pod.get("spec") or {}
    if spec.get("restartPolicy") != "Always":
        yield not_supported(f"{path}.spec.restartPolicy", spec.get("restartPolicy"), ("Always",))
    if spec.get("activeDeadlineSeconds") is not None:
        yield forbidden(f"{path}.spec.activeDeadlineSeconds", f"activeDeadlineSeconds in {kind} is not Supported")


def controller_status(new: Manifest, old: Manifest) -> Errors:
    status = new.get("status") or {}
    for field in _COUNTS:
        yield from not_negative("status", status, field)
    replicas = status.get("replicas") or 0
    for field in ("fullyLabeledReplicas", "readyReplicas", "availableReplicas"):
        count = status.get(field) or 0
        if count > replicas:
            yield invalid(f"status.{field}", count, "cannot be greater than status.replicas")
    if (status.get("availableReplicas") or 0) > (status.get("readyReplicas") or 0):
        yield invalid("status.availableReplicas", status["availableReplicas"], "cannot be greater than readyReplicas")


def pod_template(obj: Manifest) -> Errors:
    yield from template.validate("template", obj.get("template") or {})
