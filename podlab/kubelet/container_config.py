"""The runtime's ContainerConfig and SandboxConfig of a pod, and what podlab must refuse. Pure; `start` and `apply` call it.

pkg/kubelet/kuberuntime: generateContainerConfig, generatePodSandboxConfig, verifyRunAsNonRoot.
"""

from __future__ import annotations

from collections.abc import Mapping, Set

from podlab.apis import quantity
from podlab.apis.types import Manifest
from podlab.kubelet import environment, hosts, images, pods, security
from podlab.kubelet.environment import ConfigError
from podlab.kubelet.pods import Spec
from podlab.runtime.images import ImageInfo
from podlab.runtime.interface import ContainerConfig, ContainerStatus, HostPort, Mount, SandboxConfig


def sandbox_config(pod: Manifest, attempt: int, handler: str = "") -> SandboxConfig:
    """Raises ConfigError when the pod's full name is too long to be a hostname."""
    meta, spec = pod["metadata"], pod["spec"]
    sysctls = (spec.get("securityContext") or {}).get("sysctls") or []
    return SandboxConfig(
        pod=pods.ref(pod),
        attempt=attempt,
        hostname=hosts.node_name(pod),
        labels=dict(meta.get("labels") or {}),
        annotations=dict(meta.get("annotations") or {}),
        host_network=pods.host_network(pod),
        host_ipc=bool(spec.get("hostIPC")),
        sysctls={str(one["name"]).replace("/", "."): str(one["value"]) for one in sysctls},
        host_ports=host_ports(pod),
        handler=handler,
    )


def host_ports(pod: Manifest) -> tuple[HostPort, ...]:
    ports = [port for spec in pods.all_specs(pod) for port in spec.manifest.get("ports") or [] if port.get("hostPort")]
    return tuple(
        HostPort(
            host_port=int(port["hostPort"]),
            container_port=int(port["containerPort"]),
            protocol=str(port.get("protocol") or "TCP").lower(),
            host_ip=str(port.get("hostIP") or ""),
        )
        for port in ports
    )


def container_config(
    pod: Manifest,
    spec: Spec,
    *,
    attempt: int,
    image: ImageInfo,
    env: Mapping[str, str],
    mounts: tuple[Mount, ...],
    containers: tuple[ContainerStatus, ...] = (),
    machine_memory: int = 0,
) -> ContainerConfig:
    """`containers`: those of the pod, newest first, among which an ephemeral one finds its target."""
    container = spec.manifest
    check_user(pod, spec, security.effective(pod, container), image)
    pid_namespace, pid_target = security.pid_namespace(pod, spec, containers)
    memory_request = pods.memory_request(container)
    command, args = environment.command_line(container, env)
    resources = container.get("resources") or {}
    limits, requests = resources.get("limits") or {}, resources.get("requests") or {}
    return ContainerConfig(
        pod=pods.ref(pod),
        name=spec.name,
        attempt=attempt,
        image=image.ref or str(container["image"]),
        image_id=images.status_id(image, image.ref or str(container["image"])),
        command=command,
        args=args,
        env=tuple(env.items()),
        working_dir=container.get("workingDir") or "",
        mounts=mounts,
        stdin=bool(container.get("stdin")),
        stdin_once=bool(container.get("stdinOnce")),
        tty=bool(container.get("tty")),
        memory_limit=quantity.value(limits["memory"]) if limits.get("memory") else 0,
        cpu_limit_milli=quantity.milli(limits["cpu"]) if limits.get("cpu") else 0,
        cpu_request_milli=quantity.milli(requests["cpu"]) if requests.get("cpu") else 0,
        **security.fields(pod, spec),
        pid_namespace=pid_namespace,
        pid_target=pid_target,
        oom_score_adj=security.oom_score(pod, memory_request, machine_memory),
        message_path=container.get("terminationMessagePath") or "",
        message_from_log=container.get("terminationMessagePolicy") == "FallbackToLogsOnError",
        hash=pods.container_hash(container),
        grace_seconds=pods.grace_period(pod),
        annotations=dict(pod["metadata"].get("annotations") or {}),
        ports=tuple(int(port["containerPort"]) for port in container.get("ports") or []),
    )


def check_user(pod: Manifest, spec: Spec, wanted: Manifest, image: ImageInfo) -> None:
    """security_context_others.go verifyRunAsNonRoot."""
    if not wanted.get("runAsNonRoot"):
        return
    who = f'pod: "{pods.title(pod)}", container: {spec.name}'
    user = wanted.get("runAsUser")
    if user is not None:
        if int(user) == 0:
            raise ConfigError(f"container's runAsUser breaks non-root policy ({who})")
        return
    name = image.user.partition(":")[0]
    if name and not name.isdigit():
        raise ConfigError(
            f"container has runAsNonRoot and image has non-numeric user ({name}), cannot verify user is non-root ({who})"
        )
    if not name or int(name) == 0:
        raise ConfigError(f"container has runAsNonRoot and image will run as root ({who})")


def refusal(pod: Manifest, host_access: Set[str]) -> str:
    """Why podlab cannot run this pod as it is written, or "". Running it otherwise would teach something wrong."""
    found = [f"spec.{name}" for name in ("resourceClaims", "hostUsers") if pod["spec"].get(name) not in (None, True)]
    found += security.refusals(pod, host_access)
    for item in pods.all_specs(pod):
        found += [f"{item.field_path}.{what}" for what in _container_refusals(item)]
    return f"podlab cannot run this pod yet, because it sets {', '.join(found)}" if found else ""


def _container_refusals(spec: Spec) -> list[str]:
    container = spec.manifest
    found = ["volumeDevices"] if container.get("volumeDevices") else []
    return found
