"""What a container may do: users, groups, capabilities, seccomp, namespaces. Pure; `container_config` calls it.

pkg/kubelet/kuberuntime/security_context.go and pkg/securitycontext: the container's own fields win over the pod's. A
container without a seccomp profile keeps the engine's default one; Kubernetes would leave it unconfined.
"""

from __future__ import annotations

from collections.abc import Set
from typing import Any

from podlab.apis.types import Manifest
from podlab.kubelet import pods
from podlab.kubelet.environment import ConfigError
from podlab.kubelet.pods import Spec
from podlab.runtime.interface import ContainerStatus, PidNamespace

# pkg/kubelet/sysctl/safe_sysctls.go; the others could harm the neighbours on the machine.
SAFE_SYSCTLS = frozenset(
    {
        "kernel.shm_rmid_forced",
        "net.ipv4.ip_local_port_range",
        "net.ipv4.ip_local_reserved_ports",
        "net.ipv4.ip_unprivileged_port_start",
        "net.ipv4.ping_group_range",
        "net.ipv4.tcp_fin_timeout",
        "net.ipv4.tcp_keepalive_intvl",
        "net.ipv4.tcp_keepalive_probes",
        "net.ipv4.tcp_keepalive_time",
        "net.ipv4.tcp_rmem",
        "net.ipv4.tcp_syncookies",
        "net.ipv4.tcp_wmem",
    }
)
# What needs the node's owner to say so (PODLAB_HOST_ACCESS), because labs share their machine.
HOST_ACCESS = ("hostPID", "hostIPC", "hostPath")
_SELINUX = ("user", "role", "type", "level")
_GUARANTEED_OOM, _BEST_EFFORT_OOM = -997, 1000


def effective(pod: Manifest, container: Manifest) -> Manifest:
    return {**(pod["spec"].get("securityContext") or {}), **(container.get("securityContext") or {})}


def fields(pod: Manifest, spec: Spec) -> dict[str, Any]:
    """Part of the ContainerConfig."""
    security = effective(pod, spec.manifest)
    capabilities = security.get("capabilities") or {}
    profile, labels = security.get("seccompProfile") or {}, security.get("seLinuxOptions") or {}
    return {
        "run_as_user": security.get("runAsUser"),
        "run_as_group": security.get("runAsGroup"),
        "groups": groups(pod),
        "read_only_rootfs": bool(security.get("readOnlyRootFilesystem")),
        "privileged": bool(security.get("privileged")),
        "add_capabilities": tuple(capabilities.get("add") or ()),
        "drop_capabilities": tuple(capabilities.get("drop") or ()),
        "no_new_privileges": security.get("allowPrivilegeEscalation") is False,
        "seccomp_unconfined": profile.get("type") == "Unconfined",
        "selinux": tuple(f"{part}:{labels[part]}" for part in _SELINUX if labels.get(part)),
        "host_ipc": bool(pod["spec"].get("hostIPC")),
    }


def volume_owner(pod: Manifest) -> int | None:
    """The one user as whom all containers say that they run (pkg/volume/util FsUserFrom); None if there is none."""
    users = {effective(pod, spec.manifest).get("runAsUser") for spec in (*pods.init_specs(pod), *pods.app_specs(pod))}
    return users.pop() if len(users) == 1 else None


def groups(pod: Manifest) -> tuple[int, ...]:
    """Groups of every process beside its first one."""
    security = pod["spec"].get("securityContext") or {}
    found = [int(group) for group in security.get("supplementalGroups") or []]
    if security.get("fsGroup") is not None:
        found.append(int(security["fsGroup"]))
    return tuple(dict.fromkeys(found))


def pid_namespace(pod: Manifest, spec: Spec, containers: tuple[ContainerStatus, ...]) -> tuple[PidNamespace, str]:
    """Whose processes the container sees, and of which container if of one."""
    if pod["spec"].get("hostPID"):
        return PidNamespace.NODE, ""
    if pod["spec"].get("shareProcessNamespace"):
        return PidNamespace.POD, ""
    target = spec.manifest.get("targetContainerName")
    if not target:
        return PidNamespace.CONTAINER, ""
    found = next((one for one in containers if one.name == target), None)
    if found is None:
        raise ConfigError(f"unable to find target container {target}")
    return PidNamespace.TARGET, found.id


def oom_score(pod: Manifest, memory_request: int, machine_memory: int) -> int:
    """pkg/kubelet/qos/policy.go GetContainerOOMScoreAdjust: who asked for little goes first."""
    quality = (pod.get("status") or {}).get("qosClass")
    if quality == "Guaranteed":
        return _GUARANTEED_OOM
    if quality == "BestEffort" or not machine_memory:
        return _BEST_EFFORT_OOM
    score = 1000 - 1000 * memory_request // machine_memory
    return min(max(score, 3), 999)


def forbidden_sysctl(pod: Manifest) -> str:
    """The first sysctl that no pod may set here, or ""."""
    wanted = (pod["spec"].get("securityContext") or {}).get("sysctls") or []
    names = [str(one["name"]).replace("/", ".") for one in wanted]
    return next((name for name in names if name not in SAFE_SYSCTLS), "")


def refusals(pod: Manifest, host_access: Set[str]) -> list[str]:
    """Fields of this pod that cannot be honoured on this node."""
    spec = pod["spec"]
    found = [f"spec.{name}" for name in ("hostPID", "hostIPC") if spec.get(name) and name not in host_access]
    for item in pods.all_specs(pod):
        security = effective(pod, item.manifest)
        for name in ("seccompProfile", "appArmorProfile"):
            if (security.get(name) or {}).get("type") == "Localhost":
                found.append(f"{item.field_path}.securityContext.{name} Localhost")
        if security.get("procMount") == "Unmasked":
            found.append(f"{item.field_path}.securityContext.procMount Unmasked")
    return found
