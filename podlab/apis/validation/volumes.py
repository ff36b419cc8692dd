"""spec.volumes (ValidateVolumes, validateVolumeSource in core validation). Projected volumes are in projections.py."""

from __future__ import annotations

from collections.abc import Mapping

from podlab.apis import names, quantity
from podlab.apis.field_errors import FieldError, duplicate, forbidden, invalid, required
from podlab.apis.types import Manifest
from podlab.apis.validation import claim_specs, projections
from podlab.apis.validation import volume_sources as sources
from podlab.apis.validation.rules import Errors, by_rule, file_mode, missing, one_of

PULL_POLICIES = ("Always", "IfNotPresent", "Never")
Volumes = dict[str, Manifest]


def validate(
    path: str, volumes: list[Manifest], pod_name: str = "", *, of_pod: bool = True
) -> tuple[Volumes, list[FieldError]]:
    """The volumes that mounts may name (only sound ones), and what is wrong with the others. `pod_name` is "" in
    templates, which may also leave open what a pod must say (`of_pod`)."""
    found: Volumes = {}
    errors: list[FieldError] = []
    for index, volume in enumerate(volumes):
        here = f"{path}[{index}]"
        problems = list(
            missing(f"{here}.image", volume["image"], ("reference",))
            if of_pod and volume.get("image") is not None
            else ()
        )
        problems.extend(_source(here, volume))
        problems.extend(_name_with_source(f"{here}.name", volume, pod_name))
        name = volume.get("name") or ""
        if not name:
            problems.append(required(f"{here}.name"))
        else:
            problems.extend(by_rule(f"{here}.name", name, names.dns_label))
        if name in found:
            problems.append(duplicate(f"{here}.name", name))
        if problems:
            errors.extend(problems)
        else:
            found[name] = volume
    return found, errors


def _name_with_source(path: str, volume: Manifest, pod_name: str) -> Errors:
    """Where a volume's own name becomes part of another one."""
    name = volume.get("name") or ""
    if sources.portal_too_long(name, volume.get("iscsi")):
        yield invalid(path, name, sources.PORTAL_TOO_LONG)
    if volume.get("ephemeral") is None or not pod_name or not name:
        return
    claim = f"{pod_name}-{name}"
    for problem in names.dns_subdomain(claim):
        yield invalid(path, name, f'PVC name "{claim}": {problem}')


def _source(path: str, volume: Manifest) -> Errors:
    given = [name for name in _SOURCES if volume.get(name) is not None]
    if not given:
        yield required(path, "must specify a volume type")
        return
    first = given[0]
    yield from _SOURCES[first](f"{path}.{_SHOWN.get(first, first)}", volume[first])
    for name in given[1:]:
        yield forbidden(f"{path}.{name}", "may not specify more than 1 volume type")


def _empty_dir(path: str, source: Manifest) -> Errors:
    limit = source.get("sizeLimit")
    if limit is not None and quantity.parse(limit).nano < 0:
        yield forbidden(f"{path}.sizeLimit", "SizeLimit field must be a valid resource quantity")


def _secret(path: str, source: Manifest) -> Errors:
    yield from missing(path, source, ("secretName",))
    yield from _files(path, source)


def _config_map(path: str, source: Manifest) -> Errors:
    yield from missing(path, source, ("name",))
    yield from _files(path, source)


def _files(path: str, source: Manifest) -> Errors:
    yield from file_mode(path, source, "defaultMode")
    for index, item in enumerate(source.get("items") or []):
        yield from projections.key_to_path(f"{path}.items[{index}]", item)


def _downward(path: str, source: Manifest) -> Errors:
    yield from file_mode(path, source, "defaultMode")
    for item in source.get("items") or []:
        yield from projections.downward_file(path, item)


def _ephemeral(path: str, source: Manifest) -> Errors:
    template = source.get("volumeClaimTemplate")
    if template is None:
        yield required(f"{path}.volumeClaimTemplate")
    else:
        yield from claim_specs.claim_template(f"{path}.volumeClaimTemplate", template)


def _image(path: str, source: Manifest) -> Errors:
    yield from one_of(f"{path}.pullPolicy", source.get("pullPolicy") or "", PULL_POLICIES)


# In the order in which Kubernetes looks at them: the first one given is taken, the others are too many.
_SOURCES: Mapping[str, sources.Check] = {
    "emptyDir": _empty_dir,
    "hostPath": sources.host_path,
    "gitRepo": sources.git_repo,
    "gcePersistentDisk": sources.disk("pdName"),
    "awsElasticBlockStore": sources.disk("volumeID"),
    "secret": _secret,
    "nfs": sources.nfs,
    "iscsi": sources.iscsi,
    "glusterfs": sources.needs("endpoints", "path"),
    "flocker": sources.flocker,
    "rbd": sources.needs("monitors", "image"),
    "cinder": sources.cinder(of_volume=False),
    "cephfs": sources.needs("monitors"),
    "quobyte": sources.quobyte,
    "downwardAPI": _downward,
    "fc": sources.fibre_channel,
    "flexVolume": sources.flex,
    "configMap": _config_map,
    "azureFile": sources.needs("secretName", "shareName"),
    "vsphereVolume": sources.needs("volumePath"),
    "photonPersistentDisk": sources.needs("pdID"),
    "portworxVolume": sources.needs("volumeID"),
    "azureDisk": sources.azure_disk,
    "storageos": sources.storage_os(of_volume=False),
    "scaleIO": sources.needs("gateway", "system", "volumeName"),
    "projected": projections.projected,
    "csi": sources.csi,
    "ephemeral": _ephemeral,
    "image": _image,
    "persistentVolumeClaim": sources.needs("claimName"),
}
_SHOWN = {"gcePersistentDisk": "persistentDisk"}
