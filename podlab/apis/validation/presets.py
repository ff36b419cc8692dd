"""PodPresets (pkg/apis/settings/validation of Kubernetes 1.19, the last release that had them)."""

from __future__ import annotations

from podlab.apis.types import Manifest
from podlab.apis.validation import environment, volumes
from podlab.apis.validation.rules import Errors, label_selector


def pod_preset(obj: Manifest) -> Errors:
    spec = obj.get("spec") or {}
    yield from label_selector("spec.selector", spec.get("selector"))
    found, errors = volumes.validate("spec.volumes", spec.get("volumes") or [])
    yield from errors
    yield from environment.env("spec.env", spec.get("env") or [])
    yield from environment.env_from("spec.envFrom", spec.get("envFrom") or [])
