"""PodPreset (historical: settings.k8s.io/v1alpha1, gone since Kubernetes 1.20): presets whose selector matches a new pod put
environment and volumes into it.

As the last releases did: all matching presets are checked first, and where one disagrees with the pod or with another
preset nothing is applied; the pod is made all the same. Source: plugin/pkg/admission/podpreset/admission.go of 1.19.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Sequence
from typing import Any

from podlab.apis import pods, selectors
from podlab.apis.types import Manifest
from podlab.registry import metadata
from podlab.registry.admission.plugin import CREATE, Plugin, Request
from podlab.registry.nearby import POD_PRESETS as RESOURCE

_PREFIX = "podpreset.admission.kubernetes.io"
_OPT_OUT = f"{_PREFIX}/exclude"

logger = logging.getLogger(__name__)


class PodPreset(Plugin):
    def admit(self, request: Request) -> None:
        pod = request.obj
        if not request.is_for("pods", CREATE) or not isinstance(pod.get("spec"), dict):
            return
        annotations = metadata.of(pod).get("annotations") or {}
        if pods.is_mirror(pod) or annotations.get(_OPT_OUT) == "true":
            return
        presets = [item.obj for item in request.ctx.nearby.all(RESOURCE)]
        chosen = matching(presets, metadata.of(pod).get("labels") or {})
        if not chosen:
            return
        try:
            apply(pod, chosen)
        except Conflict as error:
            names = ",".join(preset["metadata"]["name"] for preset in chosen)
            logger.warning("pod presets %s are not applied to %s: %s", names, request.name, error)


class Conflict(Exception):
    """Two of them say different things about the same."""


def matching(presets: Iterable[Manifest], labels: dict[str, str]) -> list[Manifest]:
    return [
        preset
        for preset in presets
        if selectors.from_label_selector((preset.get("spec") or {}).get("selector") or {}).matches(labels)
    ]


def apply(pod: Manifest, presets: Sequence[Manifest]) -> None:
    """Change `pod`, or raise before anything is changed. Pure."""
    spec = pod["spec"]
    specs = [preset.get("spec") or {} for preset in presets]
    volumes = _merged(spec.get("volumes"), specs, "volumes", ("name",))
    containers = [item for field in ("containers", "initContainers") for item in spec.get(field) or []]
    changes = [(container, _fields(container, specs)) for container in containers]
    for container, fields in changes:
        container.update(fields)
    if volumes:
        spec["volumes"] = volumes
    meta = metadata.of(pod)
    told = {
        f"{_PREFIX}/podpreset-{preset['metadata']['name']}": preset["metadata"].get("resourceVersion", "")
        for preset in presets
    }
    meta["annotations"] = {**(meta.get("annotations") or {}), **told}


def _fields(container: Manifest, specs: Sequence[Manifest]) -> Manifest:
    """What becomes of the lists of a container that presets add to."""
    found: Manifest = {
        "env": _merged(container.get("env"), specs, "env", ("name",)),
        "envFrom": [
            *(container.get("envFrom") or []),
            *(_copy(one) for spec in specs for one in spec.get("envFrom") or []),
        ],
        "volumeMounts": _merged(container.get("volumeMounts"), specs, "volumeMounts", ("name", "mountPath")),
    }
    return {name: value for name, value in found.items() if value}


def _merged(own: list[Any] | None, specs: Sequence[Manifest], field: str, keys: tuple[str, ...]) -> list[Any]:
    """The items of the presets after one's own. Items that share one of `keys` must be the same."""
    out = list(own or [])
    for spec in specs:
        for item in spec.get(field) or []:
            same = [one for one in out if any(one.get(key) == item.get(key) for key in keys)]
            if any(one != item for one in same):
                raise Conflict(f"merging {field} has a conflict on {item.get('name')}")
            if not same:
                out.append(_copy(item))
    return out


def _copy(item: Any) -> Any:
    return json.loads(json.dumps(item))
