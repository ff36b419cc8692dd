"""The runtime's ContainerConfig and SandboxConfig of a pod, and what podlab must refuse. Pure; `start` and `apply` call it.

pkg/kubelet/kuberuntime: generateContainerConfig, generatePodSandboxConfig, verifyRunAsNonRoot.
"""

from __future__ import annotations

from collections.abc import Mapping

from podlab.apis import quantity
from podlab.apis.types import Manifest
from podlab.kubelet import environment, pods
from podlab.kubelet.environment import ConfigError
from podlab.kubelet.pods import Spec
from podlab.runtime.interface import ContainerConfig, ImageInfo, Mount, SandboxConfig


def sandbox_config(pod: Manifest, attempt: int) -> SandboxConfig:
    meta = pod["metadata"]
    return SandboxConfig(
        pod=pods.ref(pod),
        attempt=attempt,
        hostname=hostname(pod),
        labels=dict(meta.get("labels") or {}),
        annotations=dict(meta.get("annotations") or {}),
        host_network=pods.host_network(pod),
    )


def hostname(pod: Manifest) -> str:
    spec = pod["spec"]
    name = spec.get("hostnameOverride") or spec.get("hostname") or pod["metadata"]["name"]
    return str(name)[:63].rstrip("-.")


def container_config(
    pod: Manifest, spec: Spec, *, attempt: int, image: ImageInfo, env: Mapping[str, str], mounts: tuple[Mount, ...]
) -> ContainerConfig:
    container = spec.manifest
    security = {**(pod["spec"].get("securityContext") or {}), **(container.get("securityContext") or {})}
    check_user(pod, spec, security, image)
    command, args = environment.command_line(container, env)
    resources = container.get("resources") or {}
    limits, requests = resources.get("limits") or {}, resources.get("requests") or {}
    return ContainerConfig(
        pod=pods.ref(pod),
        name=spec.name,
        attempt=attempt,
        image=image.ref or str(container["image"]),
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
        run_as_user=security.get("runAsUser"),
        run_as_group=security.get("runAsGroup"),
        read_only_rootfs=bool(security.get("readOnlyRootFilesystem")),
        privileged=bool(security.get("privileged")),
        hash=pods.container_hash(container),
        grace_seconds=pods.grace_period(pod),
        annotations=dict(pod["metadata"].get("annotations") or {}),
        ports=tuple(int(port["containerPort"]) for port in container.get("ports") or []),
    )


def check_user(pod: Manifest, spec: Spec, security: Manifest, image: ImageInfo) -> None:
    """security_context_others.go verifyRunAsNonRoot."""
    if not security.get("runAsNonRoot"):
        return
    who = f'pod: "{pods.title(pod)}", container: {spec.name}'
    user = security.get("runAsUser")
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


def refusal(pod: Manifest) -> str:
    """Why podlab cannot run this pod as it is written, or "". Running it otherwise would teach something wrong."""
    spec = pod["spec"]
    found = [
        f"spec.{name}"
        for name in ("hostPID", "hostIPC", "shareProcessNamespace", "hostAliases", "resourceClaims")
        if spec.get(name)
    ]
    if spec.get("dnsConfig") or spec.get("dnsPolicy") == "None":
        found.append("spec.dnsConfig")
    if spec.get("setHostnameAsFQDN"):
        found.append("spec.setHostnameAsFQDN")
    if (spec.get("securityContext") or {}).get("sysctls"):
        found.append("spec.securityContext.sysctls")
    for item in pods.all_specs(pod):
        found += [f"{item.field_path}.{what}" for what in _container_refusals(item)]
    return f"podlab cannot run this pod yet, because it sets {', '.join(found)}" if found else ""


def _container_refusals(spec: Spec) -> list[str]:
    container = spec.manifest
    found = ["volumeDevices"] if container.get("volumeDevices") else []
    if any(rule.get("action") != "Restart" for rule in container.get("restartPolicyRules") or []):
        found.append("restartPolicyRules with an action other than Restart")
    if (container.get("securityContext") or {}).get("capabilities"):
        found.append("securityContext.capabilities")
    if (container.get("lifecycle") or {}).get("stopSignal"):
        found.append("lifecycle.stopSignal")
    if any(port.get("hostPort") for port in container.get("ports") or []):
        found.append("ports.hostPort")
    return found
