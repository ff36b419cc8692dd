"""PersistentVolumeClaims and PersistentVolumes (core validation)."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping

from podlab.apis import names, quantity
from podlab.apis.field_errors import forbidden, invalid, not_supported, required
from podlab.apis.types import Manifest
from podlab.apis.validation import claim_specs, differences, metadata, resources, volume_sources
from podlab.apis.validation.placement import node_selector
from podlab.apis.validation.rules import Errors, by_rule, no_backsteps, one_of

_RECLAIM = ("Delete", "Recycle", "Retain")
_IMMUTABLE = "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims"
_SOURCE_IMMUTABLE = "spec.persistentvolumesource is immutable after creation"
_VOLUME_FIELDS = {
    "capacity", "accessModes", "claimRef", "persistentVolumeReclaimPolicy", "storageClassName", "mountOptions",
    "volumeMode", "nodeAffinity", "volumeAttributesClassName",
}  # fmt: skip


def claim(obj: Manifest) -> Errors:
    yield from claim_specs.claim_spec("spec", obj.get("spec") or {})


_CLASS = "volume.beta.kubernetes.io/storage-class"  # where the class was before it was a field


def _class_annotation(obj: Manifest) -> str | None:
    found: str | None = ((obj.get("metadata") or {}).get("annotations") or {}).get(_CLASS)
    return found


def _class_moves(new: Manifest, old: Manifest) -> bool:
    """From the annotation of the old claim into the field (validateStorageClassUpgradeFromAnnotation)."""
    had, has = _class_annotation(old), _class_annotation(new)
    wanted = (new.get("spec") or {}).get("storageClassName")
    unset = (old.get("spec") or {}).get("storageClassName") is None
    return had is not None and unset and wanted == had and has in (None, had)


def claim_update(new: Manifest, old: Manifest) -> Errors:
    """Only an unbound claim may be given a class and a volume; a bound one may grow."""
    yield from claim(new)
    spec, before = new.get("spec") or {}, old.get("spec") or {}
    allowed = dict(spec)
    bound = (new.get("status") or {}).get("phase") == "Bound"
    if not before.get("volumeName") and spec.get("volumeName"):
        allowed.pop("volumeName")
    moves, had = _class_moves(new, old), _class_annotation(old)
    if not moves and _class_annotation(new) != had:
        yield invalid(f"metadata.annotations.{_CLASS}", _class_annotation(new) or "", metadata.IMMUTABLE)
    fresh = before.get("storageClassName") is None and spec.get("storageClassName") is not None
    if moves or (fresh and had in (None, spec["storageClassName"])):
        allowed.pop("storageClassName")
    if bound:
        allowed["volumeAttributesClassName"] = before.get("volumeAttributesClassName")
        allowed["resources"] = {**(spec.get("resources") or {}), "requests": _with_old_storage(spec, before)}
    if _bare(allowed) != _bare(before):
        yield forbidden("spec", f"{_IMMUTABLE}\n{differences.of_fields(_bare(before), _bare(allowed))}")
    yield from _growing(spec, before, old)
    if (spec.get("volumeMode") or "") != (before.get("volumeMode") or ""):
        yield invalid("volumeMode", spec.get("volumeMode"), metadata.IMMUTABLE)
    yield from _attributes(spec, before, old)


def _attributes(spec: Manifest, before: Manifest, old: Manifest) -> Errors:
    """A class that was applied may be changed for another one, not taken away."""
    wanted, here = spec.get("volumeAttributesClassName"), "spec.volumeAttributesClassName"
    applied = (old.get("status") or {}).get("currentVolumeAttributesClassName")
    if wanted == before.get("volumeAttributesClassName") or applied is None or wanted:
        return
    what = "nil" if wanted is None else "empty string"
    yield forbidden(here, f"update to {what} is forbidden when status.currentVolumeAttributesClassName is not nil")


def _bare(spec: Manifest) -> Manifest:
    return {field: value for field, value in spec.items() if value not in (None, [], {})}


def _with_old_storage(spec: Manifest, before: Manifest) -> Manifest:
    requests = dict((spec.get("resources") or {}).get("requests") or {})
    requests["storage"] = ((before.get("resources") or {}).get("requests") or {}).get("storage")
    return requests


def _growing(spec: Manifest, before: Manifest, old: Manifest) -> Errors:
    wanted, had = (
        ((each.get("resources") or {}).get("requests") or {}).get("storage") or "0" for each in (spec, before)
    )
    status = ((old.get("status") or {}).get("capacity") or {}).get("storage") or "0"
    if quantity.compare(wanted, had) < 0 and quantity.compare(wanted, status) <= 0:
        yield forbidden("spec.resources.requests.storage", "field can not be less than status.capacity")


def claim_status(new: Manifest, old: Manifest) -> Errors:
    status = new.get("status") or {}
    for name, text in (status.get("capacity") or {}).items():
        yield from _amount(f"status.capacity[{name}]", text)
    for name, stage in (status.get("allocatedResourceStatuses") or {}).items():
        yield from _claim_resource("status.allocatedResourceStatuses", name)
        if stage not in _STAGES:
            yield not_supported("status.allocatedResourceStatuses", name, _STAGES)
    for name, text in (status.get("allocatedResources") or {}).items():
        wrong = list(_claim_resource("status.allocatedResources", name))
        here = f"status.allocatedResources[{name}]"
        yield from wrong or list(_amount(here, text)) or resources.amount(here, "storage", text)


_STAGES = (
    "ControllerResizeInProgress", "ControllerResizeInfeasible", "NodeResizeInProgress", "NodeResizeInfeasible",
    "NodeResizePending",
)  # fmt: skip


def _claim_resource(path: str, name: str) -> Errors:
    """validatePersistentVolumeClaimResourceKey."""
    problems = names.qualified_name(name)
    yield from (invalid(path, name, problem) for problem in problems)
    native = "/" not in name or name.partition("/")[0].endswith("kubernetes.io")
    if not problems and native and name != "storage":
        yield not_supported(path, name, ("storage",))


def volume(obj: Manifest) -> Errors:
    spec = obj.get("spec") or {}
    modes, capacity = spec.get("accessModes") or [], spec.get("capacity") or {}
    if not modes:
        yield required("spec.accessModes")
    yield from claim_specs.access_modes("spec.accessModes", modes)
    if not capacity:
        yield required("spec.capacity")
    if set(capacity) != {"storage"}:
        shown = {name: quantity.canonical(text) for name, text in sorted(capacity.items())}
        yield not_supported("spec.capacity", shown or spec.get("capacity"), ("storage",))
    for name, text in capacity.items():
        yield from _amount(f"spec.capacity[{name}]", text)
        yield from claim_specs.positive(f"spec.capacity[{name}]", text)
    if spec.get("persistentVolumeReclaimPolicy"):
        yield from one_of("spec.persistentVolumeReclaimPolicy", spec["persistentVolumeReclaimPolicy"], _RECLAIM)
    yield from _node_affinity(spec.get("nodeAffinity"))
    yield from _source(spec, (obj.get("metadata") or {}).get("name") or "")
    if _recycles_everything(spec):
        yield forbidden("spec.persistentVolumeReclaimPolicy", "may not be 'recycle' for a hostPath mount of '/'")
    if spec.get("storageClassName"):
        yield from by_rule("spec.storageClassName", spec["storageClassName"], names.dns_subdomain)
    if spec.get("volumeMode") is not None:
        yield from one_of("spec.volumeMode", spec["volumeMode"], claim_specs.MODES)
    yield from _attributes_class(spec)


def _amount(path: str, text: str) -> Errors:
    value = quantity.value(text)
    if value < 0:
        yield invalid(path, value, "must be a valid resource quantity")


def _recycles_everything(spec: Manifest) -> bool:
    source = spec.get("hostPath")
    recycles = spec.get("persistentVolumeReclaimPolicy") == "Recycle"
    return bool(recycles and source and posixpath.normpath(source.get("path") or ".") in ("/", "//"))


def _attributes_class(spec: Manifest) -> Errors:
    name, here = spec.get("volumeAttributesClassName"), "spec.volumeAttributesClassName"
    if name is None:
        return
    if not name:
        yield required(here, "an empty string is disallowed")
    else:
        yield from by_rule(here, name, names.dns_subdomain)
    if spec.get("csi") is None:
        yield required("spec.csi", "has to be specified when using volumeAttributesClassName")


def _node_affinity(affinity: Manifest | None) -> Errors:
    if affinity is None:
        return
    if affinity.get("required") is None:
        yield required("spec.nodeAffinity.required", "must specify required node constraints")
    else:
        yield from node_selector("spec.nodeAffinity.required", affinity["required"])


def _source(spec: Manifest, name: str) -> Errors:
    given = [field for field in _SOURCES if spec.get(field) is not None]
    first = given[0] if given else ""
    for field in given:
        here = f"spec.{_SHOWN.get(field, field)}"
        if field != first and field != "flexVolume":  # sic: that one may come on top
            shown = "cephFS" if field == "cephfs" else field
            yield forbidden(f"spec.{shown}", "may not specify more than 1 volume type")
        elif field == "iscsi":
            yield from volume_sources.persistent_iscsi(name)(here, spec[field])
        else:
            yield from _SOURCES[field](here, spec[field])
        if field == "local" and field == first and spec.get("nodeAffinity") is None:
            yield required("spec.nodeAffinity", "Local volume requires node affinity")
    if not first:
        yield required("spec", "must specify a volume type")


def _local(path: str, source: Manifest) -> Errors:
    if not source.get("path"):
        yield required(f"{path}.path")
    else:
        yield from no_backsteps(f"{path}.path", source["path"])


# In the order in which Kubernetes looks at them: the first one given is taken, the others are too many.
_SOURCES: Mapping[str, volume_sources.Check] = {
    "hostPath": volume_sources.host_path,
    "gcePersistentDisk": volume_sources.disk("pdName"),
    "awsElasticBlockStore": volume_sources.disk("volumeID"),
    "glusterfs": volume_sources.glusterfs_volume,
    "flocker": volume_sources.flocker,
    "nfs": volume_sources.nfs,
    "rbd": volume_sources.needs("monitors", "image"),
    "quobyte": volume_sources.quobyte,
    "cephfs": volume_sources.needs("monitors"),
    "iscsi": volume_sources.needs(),  # needs the volume's name
    "cinder": volume_sources.cinder(of_volume=True),
    "fc": volume_sources.fibre_channel,
    "flexVolume": volume_sources.flex,
    "azureFile": volume_sources.azure_file_volume,
    "vsphereVolume": volume_sources.needs("volumePath"),
    "photonPersistentDisk": volume_sources.needs("pdID"),
    "portworxVolume": volume_sources.needs("volumeID"),
    "azureDisk": volume_sources.azure_disk,
    "scaleIO": volume_sources.needs("gateway", "system", "volumeName"),
    "local": _local,
    "storageos": volume_sources.storage_os(of_volume=True),
    "csi": volume_sources.csi_volume,
}
_SHOWN = {"gcePersistentDisk": "persistentDisk"}


def volume_update(new: Manifest, old: Manifest) -> Errors:
    yield from volume(new)
    spec, before = new.get("spec") or {}, old.get("spec") or {}
    if _sources(spec) != _sources(before):
        changed = differences.of_fields(_sources(before), _sources(spec))
        yield forbidden("spec.persistentvolumesource", f"{_SOURCE_IMMUTABLE}\n{changed}")
    if (spec.get("volumeMode") or "") != (before.get("volumeMode") or ""):
        yield invalid("volumeMode", spec.get("volumeMode"), metadata.IMMUTABLE)
    if before.get("nodeAffinity") is not None and spec.get("nodeAffinity") != before["nodeAffinity"]:
        detail = metadata.IMMUTABLE
        if spec.get("nodeAffinity") is None:
            detail = f"{detail}, except for updating from beta label to GA"
        yield invalid("nodeAffinity", spec.get("nodeAffinity"), detail)
    if before.get("volumeAttributesClassName") is not None and spec.get("volumeAttributesClassName") is None:
        yield forbidden("spec.volumeAttributesClassName", "update from non-nil value to nil is forbidden")


def _sources(spec: Manifest) -> Manifest:
    return {name: value for name, value in spec.items() if name not in _VOLUME_FIELDS}
