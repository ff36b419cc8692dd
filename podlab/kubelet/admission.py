"""Whether a node lets a pod in. `pod_workers` asks once, before anything of the pod is made.

pkg/kubelet/lifecycle/predicate.go and pkg/kubelet/sysctl: resources first, then selector, ports and taints. A pod that
was let in earlier (by an agent that has been replaced) is not asked again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from podlab.apis import pods as pod_facts
from podlab.apis import quantity, reasons, taints
from podlab.apis.types import Manifest
from podlab.kubelet import container_config, node_affinity, pods, pressure, security
from podlab.kubelet.context import Context
from podlab.kubelet.node_status import MAX_PODS
from podlab.runtime.interface import HostPort, MachineInfo


@dataclass(frozen=True, slots=True)
class Refusal:
    """`missing`: what a critical pod lacks, by resource; the node ends other pods for it."""

    reason: str
    message: str
    why: str
    missing: tuple[tuple[str, int], ...] = ()


def refusal(ctx: Context, pod: Manifest) -> Refusal | None:
    """Why this node does not run the pod, or None."""
    if wanted := _other_system(pod):
        return wanted
    host_access = frozenset(security.HOST_ACCESS) if ctx.machine.simulated else ctx.host_access
    if text := container_config.refusal(pod, host_access):
        return Refusal(reasons.UNEXPECTED_ADMISSION_ERROR, text, "this part of Kubernetes is not in podlab yet")
    if name := security.forbidden_sysctl(pod):
        return Refusal(
            reasons.SYSCTL_FORBIDDEN,
            f'forbidden sysctl: "{name}" not allowlisted',
            "only safe sysctls are allowed here",
        )
    if text := pressure.refusal(pod, ctx.pressures()):
        return Refusal(reasons.EVICTED, text, "the node is short of something and takes no such pods now")
    others = [other for other in ctx.pods() if pods.uid(other) != pods.uid(pod)]
    short = [*_resources(pod, others, ctx.machine), *_others(ctx, pod, others)]
    if not short:
        return _selector(ctx, pod) or _ports(pod, others) or _taints(ctx, pod)
    if not pressure.is_critical(pod):
        return replace(short[0], missing=())
    missing = tuple(one for each in short for one in each.missing)
    return _selector(ctx, pod) or _ports(pod, others) or _taints(ctx, pod) or replace(short[0], missing=missing)


def _resources(pod: Manifest, others: list[Manifest], machine: MachineInfo) -> Iterator[Refusal]:
    wanted = pod_facts.effective_requests(pod)
    held = [pod_facts.effective_requests(other) for other in others]
    table = (
        ("pods", 1, len(others), MAX_PODS),
        ("cpu", wanted.cpu_milli, sum(one.cpu_milli for one in held), machine.cpu_milli),
        ("memory", wanted.memory_bytes, sum(one.memory_bytes for one in held), machine.memory_bytes),
    )
    for name, asked, used, capacity in table:
        if asked and asked > capacity - used:
            yield _short(name, asked, used, capacity, len(others))


def _short(name: str, asked: int, used: int, capacity: int, others: int) -> Refusal:
    text = f"Node didn't have enough resource: {name}, requested: {asked}, used: {used}, capacity: {capacity}"
    why = f"the pod asks for {asked} of {name}, and {others} pods that are here already leave {capacity - used}"
    return Refusal(f"{reasons.OUT_OF_PREFIX}{name}", text, why, ((name, asked - (capacity - used)),))


def _others(ctx: Context, pod: Manifest, others: list[Manifest]) -> Iterator[Refusal]:
    """Local storage and extended resources. What the node does not know at all is not the kubelet's to refuse
    (predicate.go removeMissingExtendedResources)."""
    wanted = dict(pod_facts.effective_requests(pod).others)
    if not any(wanted.values()):
        return
    offer = (ctx.client.get("nodes", "", ctx.node).obj.get("status") or {}).get("allocatable") or {}
    for name, asked in sorted(wanted.items()):
        if not asked or name not in offer:
            continue
        used = sum(dict(pod_facts.effective_requests(other).others).get(name, 0) for other in others)
        capacity = quantity.value(offer[name])
        if asked > capacity - used:
            yield _short(name, asked, used, capacity, len(others))


def _other_system(pod: Manifest) -> Refusal | None:
    """rejectPodAdmissionBasedOnOSField, ...OSSelector (which looks at the pod's own label) and ...SupplementalGroupsPolicy:
    nodes here are Linux, and their runtimes merge groups."""
    system = (pod["spec"].get("os") or {}).get("name") or "linux"
    label = (pod["metadata"].get("labels") or {}).get("kubernetes.io/os", "linux")
    if label != "linux":
        text = "Failed to admit pod as the `kubernetes.io/os` label doesn't match node label"
        why = f"the pod's label kubernetes.io/os is {label}, and this is a Linux node"
        return Refusal("PodOSSelectorNodeLabelDoesNotMatch", text, why)
    if system != "linux":
        text = "Failed to admit pod as the OS field doesn't match node OS"
        return Refusal(reasons.POD_OS_NOT_SUPPORTED, text, f"the pod is for {system}, and this is a Linux node")
    if (pod["spec"].get("securityContext") or {}).get("supplementalGroupsPolicy") != "Strict":
        return None
    text = "SupplementalGroupsPolicy=Strict is not supported in this node"
    why = "the runtime of this node adds the groups that the image gives its user, whatever the pod says"
    return Refusal("SupplementalGroupsPolicyNotSupported", text, why)


def _taints(ctx: Context, pod: Manifest) -> Refusal | None:
    """Taints that let nobody run; static pods are not asked."""
    if pod_facts.is_static(pod):
        return None
    present = taints.no_execute(ctx.client.get("nodes", "", ctx.node).obj)
    if all(any(pod_facts.tolerates(one, taint) for one in pod["spec"].get("tolerations") or []) for taint in present):
        return None
    return _failed(reasons.TAINT_TOLERATION, "node(s) had taints that the pod didn't tolerate")


def _selector(ctx: Context, pod: Manifest) -> Refusal | None:
    if not node_affinity.asks(pod):
        return None
    labels = ctx.client.get("nodes", "", ctx.node).obj["metadata"].get("labels") or {}
    if node_affinity.matches(pod, ctx.node, labels):
        return None
    return _failed(reasons.NODE_AFFINITY, "node(s) didn't match Pod's node affinity/selector")


def _ports(pod: Manifest, others: Iterable[Manifest]) -> Refusal | None:
    taken = [port for other in others for port in container_config.host_ports(other)]
    if any(_clash(one, other) for one in container_config.host_ports(pod) for other in taken):
        return _failed(reasons.NODE_PORTS, "node(s) didn't have free ports for the requested pod ports")
    return None


def _clash(one: HostPort, other: HostPort) -> bool:
    if (one.host_port, one.protocol) != (other.host_port, other.protocol):
        return False
    return one.host_ip == other.host_ip or _everywhere(one.host_ip) or _everywhere(other.host_ip)


def _everywhere(host_ip: str) -> bool:
    return host_ip in ("", "0.0.0.0", "::")  # noqa: S104 - compared, not bound


def _failed(reason: str, text: str) -> Refusal:
    return Refusal(reason, f"Predicate {reason} failed: {text}", "the pod was bound to this node all the same")
