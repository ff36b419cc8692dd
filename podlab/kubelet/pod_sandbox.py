"""The sandbox of one pod: the one that runs, or a new one in the place of what is left of the old.

`pod_workers` calls it with what `actions` decided. It stops, makes and looks at sandboxes, begins the kills of containers
that are left in an old one, and tells events; it starts no container (createPodSandbox in kuberuntime_sandbox.go).
"""

from __future__ import annotations

from podlab.apis import reasons
from podlab.apis.types import Manifest
from podlab.kubelet import container_config, hosts, kill, killing, runtime_class
from podlab.kubelet.context import Context, PodState
from podlab.kubelet.environment import ConfigError
from podlab.kubelet.plan import PodActions
from podlab.kubelet.start_outcome import RETRY
from podlab.runtime.errors import RuntimeFailure
from podlab.runtime.interface import PodStatus, SandboxStatus


def current(observed: PodStatus, plan: PodActions) -> SandboxStatus | None:
    """The sandbox that the plan goes on with."""
    return next((s for s in observed.sandboxes if s.id == plan.sandbox_id), None)


def make(ctx: Context, state: PodState, observed: PodStatus, plan: PodActions) -> SandboxStatus | None:
    """Stop what is left of the old sandbox, then make the new one; None while something still runs or when it failed."""
    assert state.pod is not None
    if state.is_put_off("", ctx.clock.now()):
        return None
    if observed.sandboxes and not state.kills and not state.sandbox_told:
        text = "Pod sandbox changed, it will be killed and re-created."
        ctx.recorder.event(state.pod, reasons.NORMAL, reasons.SANDBOX_CHANGED, text, why=plan.why)
        state.sandbox_told = True
    for container in killing.alive(observed):
        grace = kill.grace_seconds(state.pod, label=container.grace_seconds)
        killing.begin(ctx, state, container, grace=grace, why=plan.why, restart=True, in_order=True)
    killing.step(ctx, state, observed)
    if killing.alive(observed):
        return None
    try:
        for old in observed.sandboxes:
            if old.ready:
                ctx.runtime.stop_sandbox(old.id)
        if problem := runtime_class.problem(state):
            raise RuntimeFailure(problem)
        tell_dns_limits(ctx, state.pod)
        config = container_config.sandbox_config(state.pod, plan.attempt, runtime_class.handler(ctx, state))
        sandbox_id = ctx.runtime.run_sandbox(config)
    except (RuntimeFailure, ConfigError) as error:
        text = f"Failed to create pod sandbox: {error}"
        ctx.recorder.event(state.pod, reasons.WARNING, reasons.FAILED_CREATE_POD_SANDBOX, text, why=plan.why)
        state.put_off("", ctx.clock.now() + RETRY)
        return None
    state.sandbox_told = False
    fresh = ctx.observe(state.ref)
    return next((s for s in fresh.sandboxes if s.id == sandbox_id), None)


def tell_dns_limits(ctx: Context, pod: Manifest) -> None:
    """A warning for each part of the pod's DNS settings that its resolv.conf has no room for (formDNSConfigFitsLimits
    in pkg/kubelet/network/dns/dns.go)."""
    if ctx.machine.simulated:
        return
    for text in hosts.left_out(pod, ctx.cluster_dns()):
        why = (
            "a resolv.conf holds 3 servers and 32 search paths of 2048 characters; dnsConfig adds to the cluster's own"
        )
        ctx.recorder.event(pod, reasons.WARNING, reasons.DNS_CONFIG_FORMING, text, why=why)
