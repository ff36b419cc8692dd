"""The checks of the level "baseline": no known ways out of a container.

Source: k8s.io/pod-security-admission/policy/check_*.go. Ordered by id, as findings are told.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from podlab.apis.field_errors import go_quote
from podlab.apis.types import Manifest
from podlab.registry.admission.pod_security.checks import (
    Check,
    Subject,
    Violation,
    containers_text,
    name_of,
    named,
    plural,
    quoted,
    security,
    setters,
)

_CAPABILITIES = frozenset(
    {
        "AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE", "SETFCAP",
        "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT",
    }
)  # fmt: skip
_APPARMOR_ANNOTATION = "container.apparmor.security.beta.kubernetes.io/"
_SECCOMP_POD = "seccomp.security.alpha.kubernetes.io/pod"
_SECCOMP_CONTAINER = "container.seccomp.security.alpha.kubernetes.io/"
_PROFILES = ("RuntimeDefault", "Localhost")
_SELINUX_TYPES = frozenset({"", "container_t", "container_init_t", "container_kvm_t"})
_SYSCTLS = {
    0: (
        "kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.ip_unprivileged_port_start",
        "net.ipv4.ping_group_range", "net.ipv4.tcp_syncookies",
    ),
    27: ("net.ipv4.ip_local_reserved_ports",),
    29: (
        "net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_keepalive_intvl", "net.ipv4.tcp_keepalive_probes",
        "net.ipv4.tcp_keepalive_time",
    ),
    32: ("net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem"),
}  # fmt: skip


def _apparmor(subject: Subject) -> Violation | None:
    def wrong(context: Manifest) -> bool:
        profile = context.get("appArmorProfile") or {}
        return bool(profile) and profile.get("type") not in _PROFILES

    bad = named(subject, lambda item: wrong(security(item)))
    values = {
        str(security(item)["appArmorProfile"].get("type", "")) for item in subject.containers() if wrong(security(item))
    }
    if wrong(subject.context):
        values.add(str(subject.context["appArmorProfile"].get("type", "")))
    annotations = sorted(
        f"{key}={go_quote(value)}"
        for key, value in subject.annotations.items()
        if key.startswith(_APPARMOR_ANNOTATION) and value not in ("", "runtime/default") and value[:10] != "localhost/"
    )
    who = [text for text in (setters(wrong(subject.context), bad),) if text]
    if annotations:
        who.append(plural("annotation", "annotations", annotations))
    if not who:
        return None
    told = [*sorted(values), *annotations]
    reason = plural("forbidden AppArmor profile", "forbidden AppArmor profiles", told)
    return Violation(reason, f"{' and '.join(who)} must not set AppArmor profile type to {quoted(told)}")


def _capabilities(subject: Subject) -> Violation | None:
    def extra(container: Manifest) -> set[str]:
        return set((security(container).get("capabilities") or {}).get("add") or ()) - _CAPABILITIES

    bad = named(subject, extra)
    if not bad:
        return None
    wrong = sorted(set().union(*(extra(item) for item in subject.containers())))
    text = f"{containers_text(bad)} must not include {quoted(wrong)} in securityContext.capabilities.add"
    return Violation("non-default capabilities", text)


def _host_namespaces(subject: Subject) -> Violation | None:
    shared = [f"{field}=true" for field in ("hostNetwork", "hostPID", "hostIPC") if subject.spec.get(field)]
    return Violation("host namespaces", ", ".join(shared)) if shared else None


def _host_path(subject: Subject) -> Violation | None:
    bad = [name_of(volume) for volume in subject.spec.get("volumes") or [] if volume.get("hostPath") is not None]
    return Violation("hostPath volumes", f"{plural('volume', 'volumes', bad)} {quoted(bad)}") if bad else None


def _host_ports(subject: Subject) -> Violation | None:
    def ports(container: Manifest) -> list[str]:
        return [str(port["hostPort"]) for port in container.get("ports") or [] if port.get("hostPort")]

    bad = named(subject, ports)
    if not bad:
        return None
    wrong = sorted({port for item in subject.containers() for port in ports(item)})
    verb = plural("uses", "use", bad)
    return Violation(
        "hostPort", f"{containers_text(bad)} {verb} {plural('hostPort', 'hostPorts', wrong)} {', '.join(wrong)}"
    )


def _handlers(container: Manifest) -> Iterator[Manifest]:
    for probe in ("livenessProbe", "readinessProbe", "startupProbe"):
        yield container.get(probe) or {}
    for hook in ("postStart", "preStop"):
        yield (container.get("lifecycle") or {}).get(hook) or {}


def _probe_hosts(subject: Subject) -> Violation | None:
    def hosts(container: Manifest) -> set[str]:
        found = (
            (handler.get(action) or {}).get("host")
            for handler in _handlers(container)
            for action in ("httpGet", "tcpSocket")
        )
        return {host for host in found if host}

    bad = sorted(set(named(subject, hosts)))
    if not bad:
        return None
    wrong = sorted(set().union(*(hosts(item) for item in subject.containers())))
    what = plural("probe or lifecycle host", "probe or lifecycle hosts", wrong)
    return Violation(
        "probe or lifecycle host", f"{containers_text(bad)} {plural('uses', 'use', bad)} {what} {quoted(wrong)}"
    )


def _privileged(subject: Subject) -> Violation | None:
    bad = named(subject, lambda item: security(item).get("privileged"))
    text = f"{containers_text(bad)} must not set securityContext.privileged=true"
    return Violation("privileged", text) if bad else None


def proc_mount(subject: Subject) -> Violation | None:
    bad = named(subject, lambda item: security(item).get("procMount") not in (None, "Default"))
    if not bad:
        return None
    found = {str(security(item).get("procMount")) for item in subject.containers() if name_of(item) in bad}
    text = f"{containers_text(bad)} must not set securityContext.procMount to {quoted(sorted(found))}"
    return Violation("procMount", text)


def _proc_mount_or_own_users(subject: Subject) -> Violation | None:
    return None if subject.has_own_users else proc_mount(subject)


def _selinux(types: frozenset[str], subject: Subject) -> Violation | None:
    def options(context: Manifest) -> Manifest:
        given: Manifest = context.get("seLinuxOptions") or {}
        return given

    def wrong(context: Manifest) -> bool:
        given = options(context)
        return (given.get("type") or "") not in types or bool(given.get("user")) or bool(given.get("role"))

    bad = named(subject, lambda item: wrong(security(item)))
    if not bad and not wrong(subject.context):
        return None
    seen = [options(context) for context in (subject.context, *(security(item) for item in subject.containers()))]
    bad_types = sorted({given.get("type") or "" for given in seen} - types)
    told = [f"{plural('type', 'types', bad_types)} {quoted(bad_types)}"] if bad_types else []
    told += [f"{field} may not be set" for field in ("user", "role") if any(given.get(field) for given in seen)]
    who = setters(wrong(subject.context), bad)
    return Violation("seLinuxOptions", f"{who} set forbidden securityContext.seLinuxOptions: {'; '.join(told)}")


def _selinux_old(subject: Subject) -> Violation | None:
    return _selinux(_SELINUX_TYPES, subject)


def _selinux_new(subject: Subject) -> Violation | None:
    return _selinux(_SELINUX_TYPES | {"container_engine_t"}, subject)


def bad_seccomp(context: Manifest) -> bool:
    profile = context.get("seccompProfile") or {}
    return bool(profile) and profile.get("type") not in _PROFILES


def seccomp(subject: Subject) -> Violation | None:
    bad = named(subject, lambda item: bad_seccomp(security(item)))
    if not bad and not bad_seccomp(subject.context):
        return None
    contexts = (subject.context, *(security(item) for item in subject.containers()))
    values = sorted({str(item["seccompProfile"].get("type", "")) for item in contexts if bad_seccomp(item)})
    who = setters(bad_seccomp(subject.context), bad)
    return Violation("seccompProfile", f"{who} must not set securityContext.seccompProfile.type to {quoted(values)}")


def _seccomp_annotations(subject: Subject) -> Violation | None:
    """Before 1.19 the profile was an annotation."""
    keys = [_SECCOMP_POD, *(_SECCOMP_CONTAINER + name_of(item) for item in subject.containers())]
    allowed = ("runtime/default", "docker/default")
    bad = sorted(
        f"{key}={go_quote(value)}"
        for key in set(keys)
        if (value := subject.annotations.get(key)) is not None and value not in allowed and value[:10] != "localhost/"
    )
    if not bad:
        return None
    return Violation("seccompProfile", f"forbidden {plural('annotation', 'annotations', bad)} {', '.join(bad)}")


def _sysctls(minor: int, subject: Subject) -> Violation | None:
    allowed = {name for since, names in _SYSCTLS.items() if since <= minor for name in names}
    bad = [name_of(item) for item in subject.context.get("sysctls") or [] if item.get("name") not in allowed]
    return Violation("forbidden sysctls", ", ".join(bad)) if bad else None


def _host_process(subject: Subject) -> Violation | None:
    def wrong(context: Manifest) -> bool:
        return bool((context.get("windowsOptions") or {}).get("hostProcess"))

    who = setters(wrong(subject.context), named(subject, lambda item: wrong(security(item))))
    text = f"{who} must not set securityContext.windowsOptions.hostProcess=true"
    return Violation("hostProcess", text) if who else None


CHECKS = (
    Check("appArmorProfile", ((0, _apparmor),)),
    Check("capabilities_baseline", ((0, _capabilities),)),
    Check("hostNamespaces", ((0, _host_namespaces),)),
    Check("hostPathVolumes", ((0, _host_path),)),
    Check("hostPorts", ((0, _host_ports),)),
    Check("hostProbesAndHostLifecycle", ((34, _probe_hosts),)),
    Check("privileged", ((0, _privileged),)),
    Check("procMount", ((0, proc_mount), (35, _proc_mount_or_own_users))),
    Check("seLinuxOptions", ((0, _selinux_old), (31, _selinux_new))),
    Check("seccompProfile_baseline", ((0, _seccomp_annotations), (19, seccomp))),
    Check("sysctls", tuple((since, partial(_sysctls, since)) for since in _SYSCTLS)),
    Check("windowsHostProcess", ((0, _host_process),)),
)
