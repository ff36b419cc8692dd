"""ConfigMap, Secret, Namespace and Node (core validation, same file)."""

from __future__ import annotations

import base64
import binascii

from podlab.apis import names
from podlab.apis.decode import decode_json
from podlab.apis.decode_errors import DecodeError
from podlab.apis.field_errors import duplicate, forbidden, invalid, required, too_long
from podlab.apis.types import Manifest
from podlab.apis.validation import addresses, metadata, resources
from podlab.apis.validation.placement import EFFECTS
from podlab.apis.validation.rules import Errors, by_rule, one_of

DATA_MAX = 1024 * 1024
_WHEN_SET = "field is immutable when `immutable` is set"
_REDACTED = "<secret contents redacted>"
_SA_NAME = "kubernetes.io/service-account.name"


def config_map(obj: Manifest) -> Errors:
    data, binary = obj.get("data") or {}, obj.get("binaryData") or {}
    size = 0
    for key, value in data.items():
        yield from _key(f"data[{key}]", key)
        if key in binary:
            yield invalid(f"data[{key}]", key, "duplicate of key present in binaryData")
        size += len(value.encode())
    for key, value in binary.items():
        yield from _key(f"binaryData[{key}]", key)
        size += _decoded_size(value)
    if size > DATA_MAX:
        yield too_long("[]", DATA_MAX)


def _key(path: str, key: str) -> Errors:
    yield from by_rule(path, key, names.config_map_key)


def _decoded_size(text: str) -> int:
    return len(text) * 3 // 4 - text[-2:].count("=")


def _immutable(new: Manifest, old: Manifest, fields: tuple[str, ...]) -> Errors:
    if not old.get("immutable"):
        return
    if not new.get("immutable"):
        yield forbidden("immutable", _WHEN_SET)
    for field in fields:
        if (new.get(field) or {}) != (old.get(field) or {}):
            yield forbidden(field, _WHEN_SET)


def config_map_update(new: Manifest, old: Manifest) -> Errors:
    yield from _immutable(new, old, ("data", "binaryData"))
    yield from config_map(new)


_NEEDED = {
    "kubernetes.io/dockercfg": (".dockercfg",),
    "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
    "kubernetes.io/ssh-auth": ("ssh-privatekey",),
    "kubernetes.io/tls": ("tls.crt", "tls.key"),
}
_JSON_KEYS = (".dockercfg", ".dockerconfigjson")


def secret(obj: Manifest) -> Errors:
    data, kind = obj.get("data") or {}, obj.get("type") or ""
    for key in data:
        yield from _key(f"data[{key}]", key)
    if sum(map(_decoded_size, data.values())) > DATA_MAX:
        yield too_long("data", DATA_MAX)
    if kind == "kubernetes.io/service-account-token":
        if not ((obj.get("metadata") or {}).get("annotations") or {}).get(_SA_NAME):
            yield required(f"metadata.annotations[{_SA_NAME}]")
    elif kind == "kubernetes.io/basic-auth" and "username" not in data and "password" not in data:
        yield required("data[username]")
        yield required("data[password]")
    for key in _NEEDED.get(kind, ()):
        if key not in data or (key == "ssh-privatekey" and not data[key]):
            yield required(f"data[{key}]")
        elif key in _JSON_KEYS:
            yield from _json(f"data[{key}]", data[key])


def _json(path: str, encoded: str) -> Errors:
    try:
        decode_json(base64.b64decode(encoded))
    except DecodeError as problem:
        yield invalid(path, _REDACTED, problem.message)
    except (binascii.Error, ValueError):
        yield invalid(path, _REDACTED, "illegal base64 data")


def secret_warnings(obj: Manifest) -> list[str]:
    """A TLS secret whose parts are no PEM at all (pkg/registry/core/secret, by crypto/tls)."""
    if obj.get("type") != "kubernetes.io/tls":
        return []
    data = obj.get("data") or {}
    for key, what in (("tls.crt", "certificate"), ("tls.key", "key")):
        if b"-----BEGIN " not in base64.b64decode(data.get(key) or ""):
            return [f"tls: failed to find any PEM data in {what} input"]
    return []


def secret_update(new: Manifest, old: Manifest) -> Errors:
    if (new.get("type") or "") != (old.get("type") or ""):
        yield invalid("type", new.get("type") or "", metadata.IMMUTABLE)
    yield from _immutable(new, old, ("data",))
    yield from secret(new)


def namespace(obj: Manifest) -> Errors:
    finalizers = (obj.get("spec") or {}).get("finalizers") or []
    for name in finalizers:
        yield from by_rule("spec.finalizers", name, names.qualified_name)
        if not metadata.is_standard_finalizer(name):
            yield invalid("spec.finalizers", name, metadata.NO_FINALIZER)


def namespace_status(new: Manifest, old: Manifest) -> Errors:
    going = bool((new.get("metadata") or {}).get("deletionTimestamp"))
    phase, wanted = (new.get("status") or {}).get("phase") or "", "Terminating" if going else "Active"
    if phase != wanted:
        detail = f"may only be '{wanted}' if `deletionTimestamp` is {'not ' if going else ''}empty"
        yield invalid("status.Phase", phase, detail)  # sic


def namespace_finalize(new: Manifest) -> Errors:
    for index, name in enumerate((new.get("spec") or {}).get("finalizers") or []):
        here = f"spec.finalizers[{index}]"
        yield from by_rule(here, name, names.qualified_name)
        if not metadata.is_standard_finalizer(name):
            yield invalid(here, name, metadata.NO_FINALIZER)


_MOUNTABLE = "kubernetes.io/enforce-mountable-secrets"


def service_account_warnings(obj: Manifest) -> list[str]:
    if _MOUNTABLE not in ((obj.get("metadata") or {}).get("annotations") or {}):
        return []
    advice = "prefer separate namespaces to isolate access to mounted secrets"
    return [f"metadata.annotations[{_MOUNTABLE}]: deprecated in v1.32+; {advice}"]


def service_account_update_warnings(new: Manifest, old: Manifest) -> list[str]:
    return [] if service_account_warnings(old) else service_account_warnings(new)


def node(obj: Manifest) -> Errors:
    spec = obj.get("spec") or {}
    yield from _taints(spec.get("taints") or [])
    yield from _node_amounts(obj)
    blocks = spec.get("podCIDRs") or []
    for index, block in enumerate(blocks):
        yield from addresses.cidr(f"spec.podCIDRs[{index}]", block)
    if len(blocks) > 1 and (len(blocks) > 2 or len({":" in block for block in blocks}) == 1):
        yield invalid("spec.podCIDRs", blocks, "may specify no more than one CIDR for each IP family")


def _node_amounts(obj: Manifest) -> Errors:
    for field in ("capacity", "allocatable"):
        for name, text in ((obj.get("status") or {}).get(field) or {}).items():
            yield from resources.amount(f"status.{field}.{name}", name, text)


def _taints(taints: list[Manifest]) -> Errors:
    seen: set[tuple[str, str]] = set()
    for index, taint in enumerate(taints):
        here = f"metadata.taints[{index}]"  # sic: Kubernetes names the wrong parent
        key, value, effect = (taint.get(field) or "" for field in ("key", "value", "effect"))
        yield from by_rule(f"{here}.key", key, names.qualified_name)
        for problem in names.label_value(value):
            yield invalid(f"{here}.value", value, problem)
        if not effect:
            yield required(f"{here}.effect")
        else:
            yield from one_of(f"{here}.effect", effect, EFFECTS)
        if (key, effect) in seen:
            shown = {"Key": key, "Value": value, "Effect": effect, "TimeAdded": taint.get("timeAdded")}
            yield duplicate(here, shown, "taints must be unique by key and effect pair")
        seen.add((key, effect))


_CIDR_FIXED = 'node updates may not change podCIDR except from "" to valid'


def node_update(new: Manifest, old: Manifest) -> Errors:
    spec, before = new.get("spec") or {}, old.get("spec") or {}
    yield from _node_amounts(new)
    seen: list[Manifest] = []
    for index, address in enumerate((new.get("status") or {}).get("addresses") or []):
        if address in seen:
            shown = {"Type": address.get("type") or "", "Address": address.get("address") or ""}
            yield duplicate(f"status.addresses[{index}]", shown)
        seen.append(address)
    blocks, had = spec.get("podCIDRs") or [], before.get("podCIDRs") or []
    if had and len(blocks) != len(had):
        yield forbidden("spec.podCIDRs", _CIDR_FIXED)
    elif had:
        for given, was in zip(blocks, had, strict=True):
            if given != was:
                yield forbidden("spec.podCIDRs", _CIDR_FIXED)
    if before.get("providerID") and spec.get("providerID") != before["providerID"]:
        yield forbidden("spec.providerID", 'node updates may not change providerID except from "" to valid')
    yield from _taints(spec.get("taints") or [])
    if (spec.get("externalID") or "") != (before.get("externalID") or ""):
        yield forbidden("spec.externalID", "may not be updated")
