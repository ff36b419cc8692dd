"""spec.volumes (ValidateVolumes, validateVolumeSource in core validation). Projected volumes are in projections.py."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from podlab.apis import names, quantity
from podlab.apis.field_errors import FieldError, duplicate, forbidden, invalid, required, too_long
from podlab.apis.types import Manifest
from podlab.apis.validation import projections
from podlab.apis.validation.rules import Errors, by_rule, descending_path, file_mode, missing, no_backsteps, one_of

HOST_PATH_TYPES = (
    "", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket",
)  # fmt: skip
Volumes = dict[str, Manifest]


def validate(path: str, volumes: list[Manifest]) -> tuple[Volumes, list[FieldError]]:
    """The volumes that mounts may name (only sound ones), and what is wrong with the others."""
    found: Volumes = {}
    errors: list[FieldError] = []
    for index, volume in enumerate(volumes):
        here = f"{path}[{index}]"
        problems = list(_source(here, volume))
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


def host_path(path: str, source: Manifest) -> Errors:
    target = source.get("path") or ""
    if not target:
        yield required(f"{path}.path")
    else:
        yield from no_backsteps(f"{path}.path", target)
    yield from one_of(f"{path}.type", source.get("type") or "", HOST_PATH_TYPES)


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


def _nfs(path: str, source: Manifest) -> Errors:
    yield from missing(path, source, ("server", "path"))
    target = source.get("path") or ""
    if not target.startswith("/"):
        yield invalid(f"{path}.path", target, "must be an absolute path")


def _csi(path: str, source: Manifest) -> Errors:
    driver = source.get("driver") or ""
    if not driver:
        yield required(f"{path}.driver")
        return
    if len(driver) > names.LABEL_MAX:
        yield too_long(f"{path}.driver", names.LABEL_MAX)
    for problem in names.dns_subdomain(driver.lower()):
        yield invalid(f"{path}.driver", driver, problem)


def _git(path: str, source: Manifest) -> Errors:
    yield from missing(path, source, ("repository",))
    yield from descending_path(f"{path}.directory", source.get("directory") or "")


_ACCESS_MODES = ("ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod")


def _ephemeral(path: str, source: Manifest) -> Errors:
    template = source.get("volumeClaimTemplate")
    if template is None:
        yield required(f"{path}.volumeClaimTemplate")
        return
    spec, here = template.get("spec") or {}, f"{path}.volumeClaimTemplate.spec"
    modes = spec.get("accessModes") or []
    if not modes:
        yield required(f"{here}.accessModes", "at least 1 access mode is required")
    for index, mode in enumerate(modes):
        yield from one_of(f"{here}.accessModes[{index}]", mode, _ACCESS_MODES)
    storage = ((spec.get("resources") or {}).get("requests") or {}).get("storage")
    if storage is None:
        yield required(f"{here}.resources[storage]")
    elif quantity.parse(storage).nano <= 0:
        yield invalid(f"{here}.resources[storage]", quantity.canonical(storage), "must be greater than zero")


def _needs(*fields: str) -> Callable[[str, Manifest], Errors]:
    return lambda path, source: missing(path, source, fields)


# In the order in which Kubernetes looks at them: the first one given is taken, the others are too many.
_SOURCES: Mapping[str, Callable[[str, Manifest], Errors]] = {
    "emptyDir": _empty_dir,
    "hostPath": host_path,
    "gitRepo": _git,
    "gcePersistentDisk": _needs("pdName"),
    "awsElasticBlockStore": _needs("volumeID"),
    "secret": _secret,
    "nfs": _nfs,
    "iscsi": _needs("targetPortal", "iqn"),
    "glusterfs": _needs("endpoints", "path"),
    "flocker": _needs("datasetName"),
    "rbd": _needs("monitors", "image"),
    "cinder": _needs("volumeID"),
    "cephfs": _needs("monitors"),
    "quobyte": _needs("registry", "volume"),
    "downwardAPI": _downward,
    "fc": _needs(),
    "flexVolume": _needs("driver"),
    "configMap": _config_map,
    "azureFile": _needs("secretName", "shareName"),
    "vsphereVolume": _needs("volumePath"),
    "photonPersistentDisk": _needs("pdID"),
    "portworxVolume": _needs("volumeID"),
    "azureDisk": _needs("diskName", "diskURI"),
    "storageos": _needs("volumeName"),
    "scaleIO": _needs("gateway", "system", "volumeName"),
    "projected": projections.projected,
    "csi": _csi,
    "ephemeral": _ephemeral,
    "image": _needs("reference"),
    "persistentVolumeClaim": _needs("claimName"),
}
_SHOWN = {"gcePersistentDisk": "persistentDisk"}
