"""PersistentVolumeClaims and PersistentVolumes (core validation)."""

from __future__ import annotations

from podlab.apis import names, quantity
from podlab.apis.field_errors import forbidden, invalid, required
from podlab.apis.types import Manifest
from podlab.apis.validation import metadata, resources, volumes
from podlab.apis.validation.placement import node_selector
from podlab.apis.validation.rules import Errors, by_rule, label_selector, no_backsteps, one_of

ACCESS_MODES = ("ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod")
_MODES = ("Block", "Filesystem")
_RECLAIM = ("Delete", "Recycle", "Retain")
_ONE_POD = "ReadWriteOncePod"
_POSITIVE = "must be greater than zero"
_IMMUTABLE = "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims"
_SOURCE_IMMUTABLE = "spec.persistentvolumesource is immutable after creation"
_VOLUME_FIELDS = {
    "capacity", "accessModes", "claimRef", "persistentVolumeReclaimPolicy", "storageClassName", "mountOptions",
    "volumeMode", "nodeAffinity", "volumeAttributesClassName",
}  # fmt: skip


def claim(obj: Manifest) -> Errors:
    yield from claim_spec("spec", obj.get("spec") or {})


def claim_spec(path: str, spec: Manifest) -> Errors:
    """Of a claim, or of the template of one."""
    modes = spec.get("accessModes") or []
    if not modes:
        yield required(f"{path}.accessModes", "at least 1 access mode is required")
    yield from label_selector(f"{path}.selector", spec.get("selector"))
    yield from _access_modes(f"{path}.accessModes", modes)
    storage = ((spec.get("resources") or {}).get("requests") or {}).get("storage")
    if storage is None:
        yield required(f"{path}.resources[storage]")
    else:
        yield from _positive(f"{path}.resources[storage]", storage)
    if spec.get("storageClassName"):
        yield from by_rule(f"{path}.storageClassName", spec["storageClassName"], names.dns_subdomain)
    if spec.get("volumeMode") is not None:
        yield from one_of(f"{path}.volumeMode", spec["volumeMode"], _MODES)
    yield from _data_source(path, spec)
    if spec.get("volumeAttributesClassName"):
        here = f"{path}.volumeAttributesClassName"
        yield from by_rule(here, spec["volumeAttributesClassName"], names.dns_subdomain)


def _positive(path: str, text: str) -> Errors:
    parsed = quantity.parse(text)
    if parsed.nano <= 0:
        yield invalid(path, str(parsed), _POSITIVE)


def _access_modes(path: str, modes: list[str]) -> Errors:
    for mode in modes:
        yield from one_of(path, mode, ACCESS_MODES)
    if _ONE_POD in modes and len(modes) > 1:
        yield forbidden(path, "may not use ReadWriteOncePod with other access modes")


def _data_source(path: str, spec: Manifest) -> Errors:
    for field in ("dataSource", "dataSourceRef"):
        source = spec.get(field)
        if source is None:
            continue
        here = f"{path}.{field}"
        group = source.get("apiGroup") or ""
        for part in ("name", "kind"):
            if not source.get(part):
                yield required(f"{here}.{part}")
        if group:
            yield from by_rule(f"{here}.apiGroup", group, names.dns_subdomain)
        elif source.get("kind") != "PersistentVolumeClaim":
            yield invalid(here, source.get("kind") or "", "")
    first, second = spec.get("dataSource"), spec.get("dataSourceRef")
    both = bool(first and second and not second.get("namespace"))
    if (
        first
        and second
        and both
        and any((first.get(part) or "") != (second.get(part) or "") for part in ("apiGroup", "kind", "name"))
    ):
        yield invalid(path, f"{path}.dataSource", "must match dataSourceRef")


def claim_update(new: Manifest, old: Manifest) -> Errors:
    """Only an unbound claim may be given a class and a volume; a bound one may grow."""
    yield from claim(new)
    spec, before = new.get("spec") or {}, old.get("spec") or {}
    allowed = dict(spec)
    bound = (new.get("status") or {}).get("phase") == "Bound"
    if not before.get("volumeName") and spec.get("volumeName"):
        allowed.pop("volumeName")
    if before.get("storageClassName") is None and spec.get("storageClassName") is not None:
        allowed.pop("storageClassName")
    if bound:
        allowed["volumeAttributesClassName"] = before.get("volumeAttributesClassName")
        allowed["resources"] = {**(spec.get("resources") or {}), "requests": _with_old_storage(spec, before)}
    if _bare(allowed) != _bare(before):
        yield forbidden("spec", _IMMUTABLE)
    elif bound:
        yield from _growing(spec, before, old)
    if (spec.get("volumeMode") or "") != (before.get("volumeMode") or ""):
        yield invalid("volumeMode", spec.get("volumeMode"), metadata.IMMUTABLE)


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
    for name, text in ((new.get("status") or {}).get("capacity") or {}).items():
        yield from resources.amount(f"status.capacity[{name}]", name, text)


def volume(obj: Manifest) -> Errors:
    spec = obj.get("spec") or {}
    modes, capacity = spec.get("accessModes") or [], spec.get("capacity") or {}
    if not modes:
        yield required("spec.accessModes")
    yield from _access_modes("spec.accessModes", modes)
    if not capacity:
        yield required("spec.capacity")
    if capacity and (set(capacity) != {"storage"}):
        from_map = {name: quantity.canonical(text) for name, text in capacity.items()}
        yield from one_of("spec.capacity", from_map, ("storage",))
    for name, text in capacity.items():
        yield from resources.amount(f"spec.capacity[{name}]", name, text)
        yield from _positive(f"spec.capacity[{name}]", text)
    if spec.get("persistentVolumeReclaimPolicy"):
        yield from one_of("spec.persistentVolumeReclaimPolicy", spec["persistentVolumeReclaimPolicy"], _RECLAIM)
    yield from _node_affinity(spec.get("nodeAffinity"))
    yield from _source(spec)
    if spec.get("storageClassName"):
        yield from by_rule("spec.storageClassName", spec["storageClassName"], names.dns_subdomain)
    if spec.get("volumeMode") is not None:
        yield from one_of("spec.volumeMode", spec["volumeMode"], _MODES)


def _node_affinity(affinity: Manifest | None) -> Errors:
    if affinity is None:
        return
    if affinity.get("required") is None:
        yield required("spec.nodeAffinity.required", "must specify required node constraints")
    else:
        yield from node_selector("spec.nodeAffinity.required", affinity["required"])


def _source(spec: Manifest) -> Errors:
    sources = [name for name in spec if name not in _VOLUME_FIELDS and spec[name] is not None]
    if not sources:
        yield required("spec", "must specify a volume type")
        return
    first, *more = sources
    for name in more:
        yield forbidden(f"spec.{name}", "may not specify more than 1 volume type")
    here, given = f"spec.{first}", spec[first]
    if first == "hostPath":
        yield from volumes.host_path(here, given)
        recycled = spec.get("persistentVolumeReclaimPolicy") == "Recycle"
        if recycled and (given.get("path") or "").rstrip("/") == "":
            yield forbidden("spec.persistentVolumeReclaimPolicy", "may not be 'recycle' for a hostPath mount of '/'")
    elif first == "local":
        if not given.get("path"):
            yield required(f"{here}.path")
        else:
            yield from no_backsteps(f"{here}.path", given["path"])
        if not spec.get("nodeAffinity"):
            yield required("spec.nodeAffinity", "Local volume requires node affinity")


def volume_update(new: Manifest, old: Manifest) -> Errors:
    yield from volume(new)
    spec, before = new.get("spec") or {}, old.get("spec") or {}
    if _sources(spec) != _sources(before):
        yield forbidden("spec.persistentvolumesource", _SOURCE_IMMUTABLE)
    if (spec.get("volumeMode") or "") != (before.get("volumeMode") or ""):
        yield invalid("volumeMode", spec.get("volumeMode"), metadata.IMMUTABLE)
    if before.get("nodeAffinity") is not None and spec.get("nodeAffinity") != before["nodeAffinity"]:
        yield invalid("nodeAffinity", spec.get("nodeAffinity"), metadata.IMMUTABLE)


def _sources(spec: Manifest) -> Manifest:
    return {name: value for name, value in spec.items() if name not in _VOLUME_FIELDS}
