"""env and envFrom, and references to fields of the pod (also used by downward API volumes)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from podlab.apis import names, quantity
from podlab.apis.field_errors import invalid, not_found, not_supported, required
from podlab.apis.types import Manifest
from podlab.apis.validation.rules import Errors, by_rule, no_backsteps

ENV_FIELDS = (
    "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName", "status.hostIP",
    "status.hostIPs", "status.podIP", "status.podIPs",
)  # fmt: skip
VOLUME_FIELDS = ("metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid")
# What the conversion knows at all; anything else is "not supported" before the list of the place is asked.
_CONVERTIBLE = {*ENV_FIELDS, *VOLUME_FIELDS, "spec.restartPolicy", "spec.schedulerName", "status.phase"}
_SUBSCRIPT = re.compile(r"(.+)\['(.*)'\]", re.DOTALL)
RESOURCES = (
    "limits.cpu", "limits.ephemeral-storage", "limits.memory", "requests.cpu", "requests.ephemeral-storage",
    "requests.memory",
)  # fmt: skip
_BYTES = ("1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei")
_SOURCES = ("fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef")
MORE_THAN_ONE = "may not have more than one field specified at a time"


def env(path: str, variables: Sequence[Manifest]) -> Errors:
    for index, variable in enumerate(variables):
        here = f"{path}[{index}]"
        if not variable.get("name"):
            yield required(f"{here}.name")
        else:
            yield from by_rule(f"{here}.name", variable["name"], names.env_var_name)
        if variable.get("valueFrom") is not None:
            yield from _value_from(f"{here}.valueFrom", variable["valueFrom"], variable.get("value") or "")


def _value_from(path: str, source: Manifest, value: str) -> Errors:
    given = [name for name in _SOURCES if source.get(name) is not None]
    for name in given:
        here = f"{path}.{name}"
        if name == "fieldRef":
            yield from field_reference(here, source[name], ENV_FIELDS)
        elif name == "resourceFieldRef":
            yield from resource_reference(here, source[name], of_volume=False)
        elif name in ("configMapKeyRef", "secretKeyRef"):
            yield from _key_reference(here, source[name])
        else:
            yield from _file_reference(here, source[name])
    if not given:
        listed = ", ".join(f"`{name}`" for name in _SOURCES[:-1])
        yield invalid(path, "", f"must specify one of: {listed} or `{_SOURCES[-1]}`")
    elif value:
        yield invalid(path, "", "may not be specified when `value` is not empty")
    elif len(given) > 1:
        yield invalid(path, "", MORE_THAN_ONE)


def _key_reference(path: str, reference: Manifest) -> Errors:
    yield from by_rule(f"{path}.name", reference.get("name") or "", names.dns_subdomain)
    if not reference.get("key"):
        yield required(f"{path}.key")
    else:
        yield from by_rule(f"{path}.key", reference["key"], names.config_map_key)


def _file_reference(path: str, reference: Manifest) -> Errors:
    for field, rule in (("key", names.env_var_name), ("volumeName", names.dns_label)):
        if not reference.get(field):
            yield required(f"{path}.{field}")
        else:
            yield from by_rule(f"{path}.{field}", reference[field], rule)
    if not reference.get("path"):
        yield required(f"{path}.path")
    else:
        yield from no_backsteps(f"{path}.path", reference["path"])


def files_in_volumes(path: str, spec: Manifest) -> Errors:
    """A variable from a file wants an emptyDir (validateFileKeyRefVolumes)."""
    volumes = {volume.get("name") or "": volume for volume in spec.get("volumes") or []}
    for field in ("initContainers", "containers", "ephemeralContainers"):
        for index, item in enumerate(spec.get(field) or []):
            for at, variable in enumerate(item.get("env") or []):
                reference = (variable.get("valueFrom") or {}).get("fileKeyRef")
                if reference is None:
                    continue
                here = f"{path}.{field}[{index}].env[{at}].valueFrom.fileKeyRef.volumeName"
                name = reference.get("volumeName") or ""
                if name not in volumes:
                    yield not_found(here, name)
                elif volumes[name].get("emptyDir") is None:
                    yield invalid(here, name, "referenced volume must be of type emptyDir")


def field_reference(path: str, reference: Manifest, allowed: Sequence[str]) -> Errors:
    version, field = reference.get("apiVersion") or "", reference.get("fieldPath") or ""
    if not version or not field:
        yield required(f"{path}.apiVersion" if not version else f"{path}.fieldPath")
        return
    if problem := _not_convertible(version, field):
        yield invalid(f"{path}.fieldPath", field, f"error converting fieldPath: {problem}")
        return
    match = _SUBSCRIPT.fullmatch(field)
    if match:
        key = match[2].lower() if match[1] == "metadata.annotations" else match[2]
        for problem in names.qualified_name(key):
            yield invalid(path, match[2], problem)
    elif field not in allowed:
        yield not_supported(f"{path}.fieldPath", field, allowed)


def _not_convertible(version: str, field: str) -> str:
    """podshelper.ConvertDownwardAPIFieldLabel."""
    if version != "v1":
        return f"unsupported pod version: {version}"
    match = _SUBSCRIPT.fullmatch(field)
    if match:
        known = match[1] in ("metadata.annotations", "metadata.labels")
        return "" if known else f"field label does not support subscript: {field}"
    return "" if field in _CONVERTIBLE else f"field label not supported: {field}"


def resource_reference(path: str, reference: Manifest, *, of_volume: bool) -> Errors:
    name = reference.get("resource") or ""
    if of_volume and not reference.get("containerName"):
        yield required(f"{path}.containerName")
    elif not name:
        yield required(f"{path}.resource")
    elif name not in RESOURCES and not name.startswith(("limits.hugepages-", "requests.hugepages-")):
        yield not_supported(f"{path}.resource", name, RESOURCES)
    yield from _divisor(f"{path}.divisor", name, quantity.canonical(reference.get("divisor") or "0"))


def _divisor(path: str, resource: str, divisor: str) -> Errors:
    if divisor == "0":
        return
    kind = resource.partition(".")[2]
    if kind == "cpu" and divisor not in ("1m", "1"):
        yield invalid(path, resource, "only divisor's values 1m and 1 are supported with the cpu resource")
    titles = {"memory": "memory", "ephemeral-storage": "local ephemeral storage"}
    title = "hugepages" if kind.startswith("hugepages-") else titles.get(kind)
    if title and divisor not in _BYTES:
        listed = ", ".join(_BYTES)
        yield invalid(path, resource, f"only divisor's values {listed} are supported with the {title} resource")


def env_from(path: str, sources: Sequence[Manifest]) -> Errors:
    for index, source in enumerate(sources):
        here = f"{path}[{index}]"
        if source.get("prefix"):
            yield from by_rule(f"{here}.prefix", source["prefix"], names.env_var_name)
        given = [name for name in ("configMapRef", "secretRef") if source.get(name) is not None]
        for name in given:
            if not source[name].get("name"):
                yield required(f"{here}.{name}.name")
            else:
                yield from by_rule(f"{here}.{name}.name", source[name]["name"], names.dns_subdomain)
        if not given:
            yield invalid(path, "", "must specify one of: `configMapRef` or `secretRef`")
        elif len(given) > 1:
            yield invalid(path, "", MORE_THAN_ONE)
