"""Where kinds keep a pod: themselves, or as the template of pods to come. Pure."""

from __future__ import annotations

from podlab.apis.types import Manifest

TEMPLATES: dict[str, tuple[str, ...]] = {
    "cronjobs.batch": ("spec", "jobTemplate", "spec", "template"),
    "daemonsets.apps": ("spec", "template"),
    "deployments.apps": ("spec", "template"),
    "jobs.batch": ("spec", "template"),
    "podtemplates": ("template",),
    "replicasets.apps": ("spec", "template"),
    "replicationcontrollers": ("spec", "template"),
    "statefulsets.apps": ("spec", "template"),
}


def template_of(resource: str, obj: Manifest) -> Manifest:
    """The pod template; empty for kinds without one."""
    found = obj if resource in TEMPLATES else {}
    for field in TEMPLATES.get(resource, ()):
        found = found.get(field) or {}
    return found


def spec_of(resource: str, obj: Manifest) -> tuple[str, Manifest]:
    """The path and the value of the pod spec that `obj` is or holds."""
    if resource == "pods":
        return "spec", obj.get("spec") or {}
    return ".".join((*TEMPLATES.get(resource, ()), "spec")), template_of(resource, obj).get("spec") or {}
