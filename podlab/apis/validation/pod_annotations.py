"""Annotations that mean something to pods, and fields that must agree with them (core validation,
ValidatePodSpecificAnnotations and what is beside it). Called by pod.py, template.py and pod_update.py."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from podlab.apis.field_errors import FieldError, forbidden, go_quote, invalid
from podlab.apis.types import Manifest
from podlab.apis.validation.rules import Errors, descending_path

MIRROR = "kubernetes.io/config.mirror"
_DELETION_COST = "controller.kubernetes.io/pod-deletion-cost"
_APPARMOR = "container.apparmor.security.beta.kubernetes.io/"
_SECCOMP_POD = "seccomp.security.alpha.kubernetes.io/pod"
_SECCOMP = "container.seccomp.security.alpha.kubernetes.io/"
_LOCALHOST = "localhost/"
_NAMED: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "apparmor": {"Unconfined": ("unconfined",), "RuntimeDefault": ("runtime/default",)},
    "seccomp": {"Unconfined": ("unconfined",), "RuntimeDefault": ("runtime/default", "docker/default")},
}
_LISTS = ("initContainers", "containers", "ephemeralContainers")


def validate(path: str, values: Manifest, spec: Manifest) -> Errors:
    if MIRROR in values and not spec.get("nodeName"):
        yield invalid(f"{path}[{MIRROR}]", values[MIRROR], "must set spec.nodeName if mirror pod annotation is set")
    cost = values.get(_DELETION_COST)
    if cost is not None and not (re.fullmatch(r"-?\d{1,10}", cost) and -(2**31) <= int(cost) < 2**31):
        yield invalid(f"{path}[{_DELETION_COST}]", cost, "must be a 32bit integer")
    if _SECCOMP_POD in values:
        yield from _seccomp(f"{path}.{_SECCOMP_POD}", values[_SECCOMP_POD])
    for key, value in values.items():
        if key.startswith(_SECCOMP):
            yield from _seccomp(f"{path}.{key}", value)
    names = {item.get("name") for field in _LISTS for item in spec.get(field) or []}
    for key, value in values.items():
        if key.startswith(_APPARMOR):
            yield from _apparmor(f"{path}[{key}]", key.removeprefix(_APPARMOR), value, names)


def _seccomp(path: str, value: str) -> Errors:
    if value.startswith(_LOCALHOST):
        yield from descending_path(path, value.removeprefix(_LOCALHOST))
    elif value not in ("runtime/default", "docker/default", "unconfined"):
        yield invalid(path, value, "must be a valid seccomp profile")


def _apparmor(path: str, container: str, value: str, names: set[str | None]) -> Errors:
    if container not in names:
        yield invalid(path, container, "container not found")
    if value not in ("", "runtime/default", "unconfined") and not value.startswith(_LOCALHOST):
        yield invalid(path, value, f"invalid AppArmor profile name: {go_quote(value)}")


def update(path: str, new: Manifest, old: Manifest, spec: Manifest) -> Errors:
    for key, value in old.items():
        if new.get(key) != value:
            yield from _kept(path, key, "remove or update")
    for key in new:
        if key not in old:
            yield from _kept(path, key, "add")
    yield from validate(path, new, spec)


def _kept(path: str, key: str, verb: str) -> Errors:
    if key.startswith(_APPARMOR):
        yield forbidden(f"{path}[{key}]", f"may not {verb} AppArmor annotations")
    if key == MIRROR:
        yield forbidden(f"{path}[{key}]", f"may not {verb} mirror pod annotation")


def agree(path: str, values: Manifest, spec: Manifest) -> Errors:
    """Profiles in both places say the same. `path` is that of the spec."""
    security = spec.get("securityContext") or {}
    if _SECCOMP_POD in values:
        yield from _same(f"{path}.securityContext", "seccomp", security, values[_SECCOMP_POD])
    for here, item in _containers(path, spec):
        if (key := _SECCOMP + (item.get("name") or "")) in values:
            yield from _same(f"{here}.securityContext", "seccomp", item.get("securityContext") or {}, values[key])
    if (spec.get("os") or {}).get("name") == "windows":
        return
    for here, item in _containers(path, spec):
        own = item.get("securityContext") or {}
        holder = own if own.get("appArmorProfile") is not None else security
        if (key := _APPARMOR + (item.get("name") or "")) in values:
            yield from _same(f"{here}.securityContext", "apparmor", holder, values[key])


def _containers(path: str, spec: Manifest) -> Iterator[tuple[str, Manifest]]:
    for field in _LISTS:
        for index, item in enumerate(spec.get(field) or []):
            yield f"{path}.{field}[{index}]", item


def _same(path: str, sort: str, holder: Manifest, annotated: str) -> Iterator[FieldError]:
    field = "seccompProfile" if sort == "seccomp" else "appArmorProfile"
    profile = holder.get(field)
    if profile is None:
        return
    kind = profile.get("type")
    if kind == "Localhost":
        if not annotated.startswith(_LOCALHOST):
            yield forbidden(f"{path}.{field}.type", f"{sort} type in annotation and field must match")
        elif annotated.removeprefix(_LOCALHOST) != profile.get("localhostProfile"):
            yield forbidden(f"{path}.{field}.localhostProfile", f"{sort} profile in annotation and field must match")
    elif annotated not in _NAMED[sort].get(str(kind), (annotated,)):
        yield forbidden(f"{path}.{field}.type", f"{sort} type in annotation and field must match")
