"""Pod templates, wherever a kind holds one (ValidatePodTemplateSpec in core validation)."""

from __future__ import annotations

from podlab.apis.field_errors import forbidden
from podlab.apis.types import Manifest
from podlab.apis.validation import metadata, pod, pod_annotations
from podlab.apis.validation.rules import Errors, labels


def validate(path: str, template: Manifest) -> Errors:
    spec = template.get("spec") or {}
    yield from validate_head(path, template)
    yield from pod.validate_spec(f"{path}.spec", {"spec": spec}, of_pod=False)
    yield from pod_annotations.agree(f"{path}.spec", (template.get("metadata") or {}).get("annotations") or {}, spec)
    if spec.get("ephemeralContainers"):
        yield forbidden(f"{path}.spec.ephemeralContainers", "ephemeral containers not allowed in pod template")


def validate_head(path: str, template: Manifest) -> Errors:
    """Labels and annotations, under a path that leaves out `metadata`, as in Kubernetes."""
    meta, spec = template.get("metadata") or {}, template.get("spec") or {}
    yield from labels(f"{path}.labels", meta.get("labels"))
    yield from metadata.annotation_map(f"{path}.annotations", meta.get("annotations"))
    yield from pod_annotations.validate(f"{path}.annotations", meta.get("annotations") or {}, spec)
