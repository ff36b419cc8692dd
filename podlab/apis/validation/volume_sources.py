"""Volume sources of storage systems, most of them historical (validate…VolumeSource in core validation).

volumes.py asks these for the volumes of pods, claims.py for PersistentVolumes, which share most of the checks.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from podlab.apis import names
from podlab.apis.field_errors import invalid, not_supported, required, too_long
from podlab.apis.types import Manifest
from podlab.apis.validation.rules import Errors, by_rule, descending_path, missing, no_backsteps, one_of

HOST_PATH_TYPES = (
    "", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket",
)  # fmt: skip
_INITIATORS = {
    "iqn": re.compile(r"iqn\.\d{4}-\d{2}\.[A-Za-z0-9.-]+:[^,;*&$|\s]+$"),
    "eui": re.compile(r"^eui.[A-Za-z0-9]{16}$"),
    "naa": re.compile(r"^naa.[A-Za-z0-9]{32}$"),
}
_BAD_INITIATOR = "must be valid format"
_BAD_START = "must be valid format starting with iqn, eui, or naa"
_PORTAL_MAX = 64
PORTAL_TOO_LONG = "Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if iscsi.initiatorName is specified."
_HOST_PORTS = "must be a host:port pair or multiple pairs separated by commas"
_MANAGED = "/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}"
_BLOB = "https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd"
_RESERVED = (".kubernetes.io", ".k8s.io")

Check = Callable[[str, Manifest], Errors]


def needs(*fields: str) -> Check:
    return lambda path, source: missing(path, source, fields)


def host_path(path: str, source: Manifest) -> Errors:
    target = source.get("path") or ""
    if not target:
        yield required(f"{path}.path")
        return
    yield from no_backsteps(f"{path}.path", target)
    yield from one_of(f"{path}.type", source.get("type") or "", HOST_PATH_TYPES)


def git_repo(path: str, source: Manifest) -> Errors:
    yield from missing(path, source, ("repository",))
    yield from descending_path(f"{path}.directory", source.get("directory") or "")


def disk(key: str) -> Check:
    """A disk of a cloud, of which one partition may be named."""

    def check(path: str, source: Manifest) -> Errors:
        yield from missing(path, source, (key,))
        partition = source.get("partition") or 0
        if not 0 <= partition <= 255:
            yield invalid(f"{path}.partition", partition, names.between(1, 255))

    return check


def nfs(path: str, source: Manifest) -> Errors:
    yield from missing(path, source, ("server", "path"))
    target = source.get("path") or ""
    if not target.startswith("/"):
        yield invalid(f"{path}.path", target, "must be an absolute path")


def portal_too_long(volume_name: str, source: Manifest | None) -> bool:
    if not source or source.get("initiatorName") is None:
        return False
    return len(f"{volume_name}:{source.get('targetPortal') or ''}") > _PORTAL_MAX


def iscsi(path: str, source: Manifest, *, start: str = _BAD_START) -> Errors:
    yield from missing(path, source, ("targetPortal",))
    if not source.get("iqn"):
        yield required(f"{path}.iqn")
    else:
        yield from _initiator(f"{path}.iqn", source["iqn"], start)
    yield from _lun(f"{path}.lun", source.get("lun") or 0)
    wants_secret = source.get("chapAuthDiscovery") or source.get("chapAuthSession")
    if wants_secret and source.get("secretRef") is None:
        yield required(f"{path}.secretRef")
    if source.get("initiatorName") is not None:
        yield from _initiator(f"{path}.initiatorname", source["initiatorName"], start)


def persistent_iscsi(volume_name: str) -> Check:
    def check(path: str, source: Manifest) -> Errors:
        found = list(iscsi(path, source, start=_BAD_INITIATOR))
        if portal_too_long(volume_name, source):
            at = 0 if source.get("targetPortal") else 1
            portal = source.get("targetPortal") or ""
            found.insert(at, invalid(f"{path}.targetportal", portal, PORTAL_TOO_LONG))
        yield from found
        if source.get("secretRef") is not None:
            yield from missing(f"{path}.secretRef", source["secretRef"], ("name",))

    return check


def _initiator(path: str, value: str, start: str) -> Errors:
    rule = _INITIATORS.get(value[:3])
    if rule is None:
        yield invalid(path, value, start)
    elif not rule.search(value):
        yield invalid(path, value, _BAD_INITIATOR)


def _lun(path: str, number: int) -> Errors:
    if not 0 <= number <= 255:
        yield invalid(path, number, names.between(0, 255))


def fibre_channel(path: str, source: Manifest) -> Errors:
    targets, wwids = source.get("targetWWNs") or [], source.get("wwids") or []
    if not targets and not wwids:
        yield required(f"{path}.targetWWNs", "must specify either targetWWNs or wwids, but not both")
    if targets and wwids:
        yield invalid(f"{path}.targetWWNs", targets, "targetWWNs and wwids can not be specified simultaneously")
    if targets and source.get("lun") is None:
        yield required(f"{path}.lun", "lun is required if targetWWNs is specified")
    elif targets:
        yield from _lun(f"{path}.lun", source["lun"])


def quobyte(path: str, source: Manifest) -> Errors:
    registry = source.get("registry") or ""
    if not registry:
        yield required(f"{path}.registry", _HOST_PORTS)
    elif len(source.get("tenant") or "") >= 65:
        yield required(f"{path}.tenant", "must be a UUID and may not exceed a length of 64 characters")
    else:
        for pair in registry.split(","):
            if not re.fullmatch(r"([^:\[\]]*|\[[^\[\]]*\]):[^:\[\]]*", pair):
                yield invalid(f"{path}.registry", registry, _HOST_PORTS)
    yield from missing(path, source, ("volume",))


def flocker(path: str, source: Manifest) -> Errors:
    name, uuid = source.get("datasetName") or "", source.get("datasetUUID") or ""
    if not name and not uuid:
        yield required(path, "one of datasetName and datasetUUID is required")
    if name and uuid:
        yield invalid(path, "resource", "datasetName and datasetUUID can not be specified simultaneously")
    if "/" in name:
        yield invalid(f"{path}.datasetName", name, "must not contain '/'")


def cinder(*, of_volume: bool) -> Check:
    return _with_secret(needs("volumeID"), of_volume=of_volume)


def storage_os(*, of_volume: bool) -> Check:
    def check(path: str, source: Manifest) -> Errors:
        if not source.get("volumeName"):
            yield required(f"{path}.volumeName")
        else:
            yield from by_rule(f"{path}.volumeName", source["volumeName"], names.dns_label)
        if source.get("volumeNamespace"):
            yield from by_rule(f"{path}.volumeNamespace", source["volumeNamespace"], names.dns_label)

    return _with_secret(check, of_volume=of_volume)


def _with_secret(check: Check, *, of_volume: bool) -> Check:
    """A PersistentVolume has no namespace: it must say where its secret is."""

    def both(path: str, source: Manifest) -> Errors:
        yield from check(path, source)
        if source.get("secretRef") is not None:
            fields = ("name", "namespace") if of_volume else ("name",)
            yield from missing(f"{path}.secretRef", source["secretRef"], fields)

    return both


def flex(path: str, source: Manifest) -> Errors:
    yield from missing(path, source, ("driver",))
    for key in source.get("options") or {}:
        if f".{key.partition('/')[0].lower()}".endswith(_RESERVED):
            yield invalid(f"{path}.options[{key}]", key, "kubernetes.io and k8s.io namespaces are reserved")


def azure_file_volume(path: str, source: Manifest) -> Errors:
    yield from missing(path, source, ("secretName", "shareName"))
    if source.get("secretNamespace") == "":
        yield required(f"{path}.secretNamespace")


def azure_disk(path: str, source: Manifest) -> Errors:
    yield from missing(path, source, ("diskName", "diskURI"))
    if source.get("cachingMode") is not None:
        yield from one_of(f"{path}.cachingMode", source["cachingMode"], ("None", "ReadOnly", "ReadWrite"))
    kind, uri = source.get("kind"), source.get("diskURI") or ""
    if kind is None:
        return
    yield from one_of(f"{path}.kind", kind, ("Dedicated", "Managed", "Shared"))
    if kind == "Managed" and not uri.startswith("/subscriptions/"):
        yield not_supported(f"{path}.diskURI", uri, (_MANAGED,))
    if kind != "Managed" and not uri.startswith("https://"):
        yield not_supported(f"{path}.diskURI", uri, (_BLOB,))


def csi_driver(path: str, driver: str) -> Errors:
    if not driver:
        yield required(path)
        return
    if len(driver) > names.LABEL_MAX:
        yield too_long(path, names.LABEL_MAX)
    for problem in names.dns_subdomain(driver.lower()):
        yield invalid(path, driver, problem)


def csi(path: str, source: Manifest) -> Errors:
    yield from csi_driver(f"{path}.driver", source.get("driver") or "")
    reference = source.get("nodePublishSecretRef")
    if reference is None:
        return
    if not reference.get("name"):
        yield required(f"{path}.nodePublishSecretRef.name")
    else:
        yield from by_rule(f"{path}.name", reference["name"], names.dns_subdomain)  # sic


def csi_volume(path: str, source: Manifest) -> Errors:
    yield from csi_driver(f"{path}.driver", source.get("driver") or "")
    yield from missing(path, source, ("volumeHandle",))
    for field in (
        "controllerPublishSecretRef", "controllerExpandSecretRef", "nodePublishSecretRef", "nodeExpandSecretRef",
    ):  # fmt: skip
        if source.get(field) is not None:
            yield from _secret_reference(f"{path}.{field}", source[field])


def _secret_reference(path: str, reference: Manifest) -> Errors:
    for field, rule in (("name", names.dns_subdomain), ("namespace", names.dns_label)):
        if not reference.get(field):
            yield required(f"{path}.{field}")
        else:
            yield from by_rule(f"{path}.{field}", reference[field], rule)


def glusterfs_volume(path: str, source: Manifest) -> Errors:
    yield from missing(path, source, ("endpoints", "path"))
    namespace = source.get("endpointsNamespace")
    here = f"{path}.endpointsNamespace"
    if namespace == "":
        yield invalid(here, "", "if the endpointnamespace is set, it must be a valid namespace name")
    elif namespace is not None:
        yield from by_rule(here, namespace, names.dns_label)
