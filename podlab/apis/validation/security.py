"""Security contexts of pods and containers (core validation: ValidateSecurityContext, validatePodSpecSecurityContext)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from podlab.apis import names
from podlab.apis.field_errors import duplicate, forbidden, invalid, not_supported, required
from podlab.apis.types import Manifest
from podlab.apis.validation import windows_options
from podlab.apis.validation.rules import MAX_INT32, Errors, descending_path, one_of

_ID_RANGE = names.between(0, MAX_INT32)
_PROFILES = ("Localhost", "RuntimeDefault", "Unconfined")
_SYSCTL = r"([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?"
_CONTEXT_FIELDS = (
    "Capabilities", "Privileged", "SELinuxOptions", "WindowsOptions", "RunAsUser", "RunAsGroup", "RunAsNonRoot",
    "ReadOnlyRootFilesystem", "AllowPrivilegeEscalation", "ProcMount", "SeccompProfile", "AppArmorProfile",
)  # fmt: skip
_CONTEXT_PARTS = {
    "Capabilities": ("Add", "Drop"),
    "SELinuxOptions": ("User", "Role", "Type", "Level"),
    "WindowsOptions": ("GMSACredentialSpecName", "GMSACredentialSpec", "RunAsUserName", "HostProcess"),
    "SeccompProfile": ("Type", "LocalhostProfile"),
    "AppArmorProfile": ("Type", "LocalhostProfile"),
}
NOT_ON_WINDOWS = "cannot be set for a windows pod"
NOT_ON_LINUX = "windows options cannot be set for a linux pod"


def _identity(path: str, value: int | None) -> Errors:
    if value is not None and not 0 <= value <= MAX_INT32:
        yield invalid(path, value, _ID_RANGE)


def _go_struct(context: Manifest) -> Manifest:
    """As the internal type prints: every field, in its order, by its Go name."""
    by_name = {key.lower(): value for key, value in context.items()}
    shown = {field: by_name.get(field.lower()) for field in _CONTEXT_FIELDS}
    for field, parts in _CONTEXT_PARTS.items():
        given = shown[field]
        if given is not None:
            inner = {key.lower(): value for key, value in given.items()}
            empty = "" if field == "SELinuxOptions" else None
            shown[field] = {part: inner.get(part.lower(), "" if part == "Type" else empty) for part in parts}
    return shown


def container(path: str, context: Manifest | None, *, host_users: bool) -> Errors:
    if context is None:
        return
    yield from _identity(f"{path}.runAsUser", context.get("runAsUser"))
    yield from _identity(f"{path}.runAsGroup", context.get("runAsGroup"))
    mount = context.get("procMount")
    if mount is not None:
        yield from one_of(f"{path}.procMount", mount, ("Default", "Unmasked"))
        if mount == "Unmasked" and host_users:
            yield invalid(f"{path}.procMount", mount, "`hostUsers` must be false to use `Unmasked`")
    yield from seccomp(f"{path}.seccompProfile", context.get("seccompProfile"))
    if context.get("allowPrivilegeEscalation") is False:
        start = "cannot set `allowPrivilegeEscalation` to false and"
        if context.get("privileged"):
            yield invalid(path, _go_struct(context), f"{start} `privileged` to true")
        if "CAP_SYS_ADMIN" in ((context.get("capabilities") or {}).get("add") or []):
            yield invalid(path, _go_struct(context), f"{start} `capabilities.Add` CAP_SYS_ADMIN")
    yield from windows_options.validate(f"{path}.windowsOptions", context.get("windowsOptions"))
    yield from app_armor(f"{path}.appArmorProfile", context.get("appArmorProfile"))


def pod(path: str, spec: Manifest) -> Errors:
    context = spec.get("securityContext") or {}
    yield from _identity(f"{path}.fsGroup", context.get("fsGroup"))
    yield from _identity(f"{path}.runAsUser", context.get("runAsUser"))
    yield from _identity(f"{path}.runAsGroup", context.get("runAsGroup"))
    for index, group in enumerate(context.get("supplementalGroups") or []):
        yield from _identity(f"{path}.supplementalGroups[{index}]", group)
    if spec.get("shareProcessNamespace") and spec.get("hostPID"):
        detail = "ShareProcessNamespace and HostPID cannot both be enabled"
        yield invalid(f"{path}.shareProcessNamespace", True, detail)
    yield from sysctls(f"{path}.sysctls", context.get("sysctls") or [], spec)
    if context.get("fsGroupChangePolicy") is not None:
        yield from one_of(f"{path}.fsGroupChangePolicy", context["fsGroupChangePolicy"], ("Always", "OnRootMismatch"))
    yield from seccomp(f"{path}.seccompProfile", context.get("seccompProfile"))
    yield from windows_options.validate(f"{path}.windowsOptions", context.get("windowsOptions"))
    yield from app_armor(f"{path}.appArmorProfile", context.get("appArmorProfile"))
    if context.get("supplementalGroupsPolicy") is not None:
        yield from one_of(f"{path}.supplementalGroupsPolicy", context["supplementalGroupsPolicy"], ("Merge", "Strict"))
    if context.get("seLinuxChangePolicy") is not None:
        yield from one_of(f"{path}.seLinuxChangePolicy", context["seLinuxChangePolicy"], ("Recursive",))


def seccomp(path: str, profile: Manifest | None) -> Errors:
    if profile is None:
        return
    kind, local = profile.get("type") or "", profile.get("localhostProfile")
    if not kind:
        yield required(f"{path}.type", "type is required when seccompProfile is set")
    else:
        yield from one_of(f"{path}.type", kind, _PROFILES)
    if kind == "Localhost":
        if local is None:
            yield required(f"{path}.localhostProfile", "must be set when seccomp type is Localhost")
        else:
            yield from descending_path(f"{path}.localhostProfile", local)
    elif local is not None:
        shown = {"Type": kind, "LocalhostProfile": local}
        yield invalid(f"{path}.localhostProfile", shown, "can only be set when seccomp type is Localhost")


def app_armor(path: str, profile: Manifest | None) -> Errors:
    if profile is None:
        return
    kind, local = profile.get("type") or "", profile.get("localhostProfile")
    here = f"{path}.localhostProfile"
    if kind == "Localhost":
        if local is None:
            yield required(here, "must be set when AppArmor type is Localhost")
        elif local != local.strip():
            yield invalid(here, local, "must not be padded with whitespace")
        elif not local:
            yield required(here, "must be set when AppArmor type is Localhost")
        return
    if not kind:
        yield required(f"{path}.type", "type is required when appArmorProfile is set")
    else:
        yield from one_of(f"{path}.type", kind, _PROFILES)
    if local is not None and kind in _PROFILES:
        yield invalid(here, local, "can only be set when AppArmor type is Localhost")


def sysctls(path: str, values: list[Manifest], spec: Manifest) -> Errors:
    seen: set[str] = set()
    for index, item in enumerate(values):
        here, name = f"{path}[{index}].name", item.get("name") or ""
        dotted = name.replace("/", ".")
        if not name:
            yield required(here)
        elif len(name) > names.SUBDOMAIN_MAX or not re.fullmatch(_SYSCTL, name):
            yield invalid(here, name, f"must have at most {names.SUBDOMAIN_MAX} characters and match regex ^{_SYSCTL}$")
        elif name in seen:
            yield duplicate(here, name)
        seen.add(name)
        if spec.get("hostNetwork") and dotted.startswith("net."):
            yield invalid(here, name, "may not be specified when 'hostNetwork' is true")
        if spec.get("hostIPC") and dotted.startswith(("kernel.shm", "kernel.msg", "kernel.sem", "fs.mqueue.")):
            yield invalid(here, name, "may not be specified when 'hostIPC' is true")


def host_process(path: str, spec: Manifest) -> Errors:
    """Containers that are processes of a Windows host: all of them or none (validateWindowsHostProcessPod)."""
    of_pod = ((spec.get("securityContext") or {}).get("windowsOptions") or {}).get("hostProcess")
    total, as_host = 0, 0
    for here, context in _contexts(path, spec):
        own = (context.get("windowsOptions") or {}).get("hostProcess")
        total += 1
        as_host += bool(own or (own is None and of_pod))
        if of_pod is not None and own is not None and own != of_pod:
            shown = "true" if of_pod else "false"
            detail = f"pod hostProcess value must be identical if both are specified, was {shown}"
            yield invalid(f"{here}.windowsOptions.hostProcess", own, detail)
    if not as_host:
        return
    if as_host != total:
        detail = "If pod contains any hostProcess containers then all containers must be HostProcess containers"
        yield invalid(path, "", detail)
    if not spec.get("hostNetwork"):
        detail = "hostNetwork must be true if pod contains any hostProcess containers"
        yield invalid(f"{path}.hostNetwork", False, detail)


def host_users(path: str, spec: Manifest) -> Errors:
    """A user namespace of its own excludes the other namespaces of the host; the odd capitals are Kubernetes'."""
    if spec.get("hostUsers") is not False:
        return
    for field, shown in (("hostNetwork", "hostNetwork"), ("hostPID", "HostPID"), ("hostIPC", "HostIPC")):
        if spec.get(field):
            yield forbidden(f"{path}.{shown}", "when `hostUsers` is false")


_POD_LINUX_ONLY = (
    ("securityContext.appArmorProfile", "appArmorProfile"), ("securityContext.seLinuxOptions", "seLinuxOptions"),
    ("hostUsers", ""), ("hostPID", ""), ("hostIPC", ""), ("securityContext.seccompProfile", "seccompProfile"),
    ("securityContext.fsGroup", "fsGroup"), ("securityContext.fsGroupChangePolicy", "fsGroupChangePolicy"),
    ("securityContext.sysctls", "sysctls"), ("shareProcessNamespace", ""), ("securityContext.runAsUser", "runAsUser"),
    ("securityContext.runAsGroup", "runAsGroup"), ("securityContext.supplementalGroups", "supplementalGroups"),
    ("securityContext.supplementalGroupsPolicy", "supplementalGroupsPolicy"),
    ("securityContext.seLinuxChangePolicy", "seLinuxChangePolicy"),
)  # fmt: skip
_CONTAINER_LINUX_ONLY = (
    "appArmorProfile", "seLinuxOptions", "seccompProfile", "capabilities", "readOnlyRootFilesystem", "privileged",
    "allowPrivilegeEscalation", "procMount", "runAsUser", "runAsGroup",
)  # fmt: skip
_LISTS = ("initContainers", "containers", "ephemeralContainers")


def operating_system(path: str, spec: Manifest) -> Errors:
    """spec.os names the system, and with it which fields make no sense."""
    if spec.get("os") is None:
        return
    name = spec["os"].get("name") or ""
    if not name:
        yield required(f"{path}.os.name")
    elif name not in ("linux", "windows"):
        yield not_supported(f"{path}.os", name, ("linux", "windows"))
    elif name == "linux":
        yield from _linux(path, spec)
    else:
        yield from _windows(path, spec)


def _contexts(path: str, spec: Manifest) -> Iterator[tuple[str, Manifest]]:
    for field in _LISTS:
        for index, item in enumerate(spec.get(field) or []):
            yield f"{path}.{field}[{index}].securityContext", item.get("securityContext") or {}


def _linux(path: str, spec: Manifest) -> Errors:
    own = f"{path}.securityContext", spec.get("securityContext") or {}
    for here, context in (own, *_contexts(path, spec)):
        if context.get("windowsOptions") is not None:
            yield forbidden(f"{here}.windowsOptions", NOT_ON_LINUX)


def _windows(path: str, spec: Manifest) -> Errors:
    context = spec.get("securityContext") or {}
    for where, field in _POD_LINUX_ONLY:
        value = context.get(field) if field else spec.get(where)
        given = value is not None if field or where in ("hostUsers", "shareProcessNamespace") else bool(value)
        if given and (value != [] or field != "sysctls"):
            yield forbidden(f"{path}.{where}", NOT_ON_WINDOWS)
    for here, own in _contexts(path, spec):
        for field in _CONTAINER_LINUX_ONLY:
            if own.get(field) is not None:
                yield forbidden(f"{here}.{field}", NOT_ON_WINDOWS)
