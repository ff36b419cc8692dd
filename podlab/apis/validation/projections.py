"""Files that volumes make of other objects: items, downward API files, projected sources. Called by volumes.py."""

from __future__ import annotations

from podlab.apis.field_errors import forbidden, invalid, required
from podlab.apis.types import Manifest
from podlab.apis.validation import environment
from podlab.apis.validation.rules import Errors, file_mode, missing, unreserved_path

_SOURCES = ("secret", "configMap", "downwardAPI", "serviceAccountToken", "clusterTrustBundle", "podCertificate")
_TOKEN_MIN, _TOKEN_MAX = 600, 2**32


def key_to_path(path: str, item: Manifest) -> Errors:
    yield from missing(path, item, ("key", "path"))
    if item.get("path"):
        yield from unreserved_path(f"{path}.path", item["path"])
    yield from file_mode(path, item, "mode")


def downward_file(path: str, item: Manifest) -> Errors:
    """`path` is that of the volume: Kubernetes does not say which file."""
    yield from missing(path, item, ("path",))
    yield from unreserved_path(f"{path}.path", item.get("path") or "")
    if item.get("fieldRef") is not None:
        yield from environment.field_reference(f"{path}.fieldRef", item["fieldRef"], environment.VOLUME_FIELDS)
        if item.get("resourceFieldRef") is not None:
            yield invalid(path, "resource", "fieldRef and resourceFieldRef can not be specified simultaneously")
    elif item.get("resourceFieldRef") is not None:
        here = f"{path}.resourceFieldRef"
        yield from environment.resource_reference(here, item["resourceFieldRef"], of_volume=True)
    else:
        yield required(path, "one of fieldRef and resourceFieldRef is required")
    yield from file_mode(path, item, "mode")


def projected(path: str, volume: Manifest) -> Errors:
    yield from file_mode(path, volume, "defaultMode")
    taken: set[str] = set()
    for index, source in enumerate(volume.get("sources") or []):
        here = f"{path}.sources[{index}]"
        given = [name for name in _SOURCES if source.get(name) is not None]
        for name in given[:1]:
            yield from _projection(path, here, name, source[name], taken)
        if len(given) > 1:
            yield forbidden(here, "may not specify more than 1 volume type per source")


def _projection(path: str, here: str, name: str, source: Manifest, taken: set[str]) -> Errors:
    if name in ("secret", "configMap"):
        yield from missing(f"{here}.{name}", source, ("name",))
        for index, item in enumerate(source.get("items") or []):
            yield from key_to_path(f"{here}.{name}.items[{index}]", item)
            yield from _take(path, item.get("path") or "", taken, shown=source.get("name") or "")
    elif name == "downwardAPI":
        for item in source.get("items") or []:
            yield from downward_file(f"{here}.{name}", item)
            yield from _take(path, item.get("path") or "", taken)
    elif name == "serviceAccountToken":
        yield from _token(path, f"{here}.{name}.expirationSeconds", source)


def _token(path: str, expiration: str, source: Manifest) -> Errors:
    """The file's path is named below the volume: that is how Kubernetes does it."""
    seconds = source.get("expirationSeconds")
    if seconds is not None and seconds < _TOKEN_MIN:
        yield invalid(expiration, seconds, "may not specify a duration less than 10 minutes")
    elif seconds is not None and seconds > _TOKEN_MAX:
        yield invalid(expiration, seconds, "may not specify a duration larger than 2^32 seconds")
    if not source.get("path"):
        yield required(f"{path}.path")
    else:
        yield from unreserved_path(f"{path}.path", source["path"])


def _take(path: str, file: str, taken: set[str], *, shown: str = "") -> Errors:
    """`shown` is what the message names instead of the file: for ConfigMaps and Secrets, the object."""
    if not file:
        return
    if file in taken:
        yield invalid(path, shown or file, "conflicting duplicate paths")
    taken.add(file)
