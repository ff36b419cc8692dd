"""Starts one container: back-off, image, configuration, create, start, postStart, each with its event.

startContainer of pkg/kubelet/kuberuntime/kuberuntime_container.go, cut where it would wait: a pull or a hook under way
answers `BLOCKED`, and the sync that its end brings comes back here. `apply` calls `start`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

from podlab.apis import reasons
from podlab.apis.types import Manifest
from podlab.kubelet import (
    ahead,
    backoff,
    container_config,
    environment,
    hooks,
    hosts,
    image_step,
    image_volumes,
    killing,
    pods,
    simulated_files,
    status_why,
    termination_message,
    volumes,
)
from podlab.kubelet.container_status import StartProblem
from podlab.kubelet.context import Context, PodState
from podlab.kubelet.environment import ConfigError
from podlab.kubelet.plan import ToStart, newest
from podlab.kubelet.pods import Spec
from podlab.kubelet.start_outcome import Started, Stop, fail, tell
from podlab.runtime.errors import CreateFailed, NotFound, StartFailed
from podlab.runtime.images import ImageInfo
from podlab.runtime.interface import ContainerConfig, ContainerState, ContainerStatus, Mount, PodStatus


def start(
    ctx: Context,
    state: PodState,
    observed: PodStatus,
    item: ToStart,
    *,
    sandbox_id: str,
    ip: str,
    following: ToStart | None = None,
) -> Started:
    """Bring container `item` as far as it goes without waiting. `following` has its turn next."""
    pod = state.granted
    assert pod is not None
    spec = pods.find_spec(pod, item.name)
    assert spec is not None
    before = newest(observed, item.name)
    if before is not None and (before.id in state.kills or before.state is ContainerState.RUNNING):
        return Started.NO
    if state.is_put_off(item.name, ctx.clock.now()):
        return Started.NO
    try:
        item = _after_back_off(ctx, state, observed, spec, item)
        image = image_step.ensure(ctx, state, image_step.of_container(spec))
        image_volumes.ensure(ctx, state, spec)
        config = _config(ctx, state, observed, spec, item, image, ip)

        def meanwhile() -> None:
            if following is not None and not ctx.machine.simulated and not _hook(spec):
                ahead.begin(ctx, state, sandbox_id, partial(_config_ahead, ctx, state, observed, following, ip))

        _run(ctx, state, observed, spec, item, sandbox_id, config, meanwhile)
        return _post_start(ctx, state, spec, ip)
    except Stop as stop:
        return stop.outcome


def _after_back_off(ctx: Context, state: PodState, observed: PodStatus, spec: Spec, item: ToStart) -> ToStart:
    """kuberuntime_manager.go doBackOff. The wait is shown from the moment that the start is put off, and ends when the
    back-off does: Kubernetes shows it at a later look only, and looks up to half as long again after the back-off's end."""
    ended, name = newest(observed, spec.name), spec.name
    if ended is None or ended.state is not ContainerState.EXITED or ended.finished_at is None:
        return item
    entry = state.backoffs.get(pods.back_off_key(spec))
    until = backoff.waits_until(entry, ended.finished_at)
    if entry is None or until is None:
        return replace(item, why=f"{item.why}; there is no back-off yet, so it starts again at once")
    wait = pods.go_duration(entry.seconds)
    if ctx.clock.now() >= until:
        return replace(item, why=f"{item.why}; its back-off of {wait} is over")
    assert state.pod is not None
    title, why = pods.title(state.pod), back_off_why(ended, entry.seconds)
    if state.announced.get(name) != ended.attempt:
        state.announced[name] = ended.attempt
        text = f"Back-off restarting failed container {name} in pod {title}"
        tell(ctx, state, spec, reasons.WARNING, reasons.BACK_OFF, text, why)
    state.problems[name] = StartProblem(
        reasons.CRASH_LOOP_BACK_OFF, f"back-off {wait} restarting failed container={name} pod={title}", why
    )
    state.wake_at(until)
    raise Stop(Started.NO)


def back_off_why(ended: ContainerStatus, seconds: float) -> str:
    """What a learner needs to know of a restart that waits: how the last run ended, which restart it is, why so long."""
    how = status_why.end_text(ended.exit_code, ended.reason)
    forgotten = pods.go_duration(backoff.FORGOTTEN_AFTER.total_seconds())
    return (
        f"run {ended.attempt + 1} ended with {how}; restart {ended.attempt + 1} waits {pods.go_duration(seconds)} from "
        f"that end: {backoff.explain(seconds)}; a run longer than {forgotten} begins anew"
    )


# Configuration, create, start


def _config(
    ctx: Context,
    state: PodState,
    observed: PodStatus,
    spec: Spec,
    item: ToStart,
    image: ImageInfo,
    ip: str,
    *,
    quietly: bool = False,
) -> ContainerConfig:
    """`quietly`: nobody is told what is wrong; that is done when it is the container's turn."""
    pod = state.granted
    assert pod is not None
    try:
        env = environment.environment(pod, spec.manifest, ctx.lookup, ctx.facts(ip or ctx.address))
        return container_config.container_config(
            pod,
            spec,
            attempt=item.attempt,
            image=image,
            env=env,
            mounts=_mounts(ctx, state, spec, item.attempt, ip, env),
            containers=observed.containers,
            machine_memory=ctx.machine.memory_bytes,
        )
    except ConfigError as error:
        if quietly:
            raise
        raise fail(ctx, state, spec, reasons.CREATE_CONTAINER_CONFIG_ERROR, str(error)) from None


def _config_ahead(ctx: Context, state: PodState, observed: PodStatus, item: ToStart, ip: str) -> ContainerConfig | None:
    """Of a container that will surely be made: it runs for the first time, and its image is here."""
    pod = state.granted
    spec = pods.find_spec(pod, item.name) if pod is not None else None
    if spec is None or newest(observed, item.name) is not None or state.is_put_off(item.name, ctx.clock.now()):
        return None
    image = image_step.at_hand(state, image_step.of_container(spec))
    if image is None or image_volumes.of_container(pod or {}, spec.manifest):
        return None
    return _config(ctx, state, observed, spec, item, image, ip, quietly=True)


def _mounts(
    ctx: Context, state: PodState, spec: Spec, attempt: int, ip: str, env: Mapping[str, str]
) -> tuple[Mount, ...]:
    assert state.pod is not None
    folder, real = ctx.pod_root / state.ref.uid, not ctx.machine.simulated
    folders = ctx.folders(state.ref.uid)
    mounts = volumes.mounts(state.pod, spec.manifest, folders, env, held=state.held, real=real)
    if not real:
        return (*mounts, *simulated_files.host_mounts(ctx, state, spec.manifest, ip or ctx.address))
    message = termination_message.mount(folder, spec.manifest, attempt)
    return (*mounts, *hosts.mounts(state.pod, spec.manifest, folder, ip or ctx.address, ctx.cluster_dns()), message)


def _run(
    ctx: Context,
    state: PodState,
    observed: PodStatus,
    spec: Spec,
    item: ToStart,
    sandbox_id: str,
    config: ContainerConfig,
    meanwhile: Callable[[], None],
) -> None:
    try:
        container_id = ahead.take(ctx, state, config) or ctx.runtime.create_container(sandbox_id, config)
    except (CreateFailed, NotFound) as error:
        raise fail(ctx, state, spec, reasons.CREATE_CONTAINER_ERROR, str(error)) from None
    tell(ctx, state, spec, reasons.NORMAL, reasons.CREATED, "Container created", item.why)
    _count_try(ctx, state, observed, spec)
    state.pulls.pop(spec.name, None)
    state.start_whys[container_id] = item.why
    state.actual[container_id] = dict(spec.manifest.get("resources") or {})
    meanwhile()
    try:
        ctx.runtime.start_container(container_id)
    except StartFailed as error:
        # Such a container is listed as ended: the next sync decides about its restart at once.
        raise fail(ctx, state, spec, reasons.RUN_CONTAINER_ERROR, str(error), again=False) from None
    tell(ctx, state, spec, reasons.NORMAL, reasons.STARTED, "Container started", item.why)
    state.problems.pop(spec.name, None)
    state.last_started = container_id


def _count_try(ctx: Context, state: PodState, observed: PodStatus, spec: Spec) -> None:
    ended = newest(observed, spec.name)
    if ended is None or ended.state is not ContainerState.EXITED or ended.finished_at is None:
        return
    state.replacing.discard(ended.id)
    entry = state.backoffs.get(pods.back_off_key(spec))
    state.backoffs[pods.back_off_key(spec)] = backoff.after_try(entry, ended.finished_at, ctx.clock.now())


def _hook(spec: Spec) -> Manifest:
    return (spec.manifest.get("lifecycle") or {}).get("postStart") or {}


def _post_start(ctx: Context, state: PodState, spec: Spec, ip: str) -> Started:
    handler = _hook(spec)
    if not handler:
        return Started.YES
    container_id = state.last_started
    state.hooks[container_id] = "running"

    def done(error: str) -> None:
        state.hooks[container_id] = error and f"failed: {error}"
        ctx.dispatch(state.ref.uid)

    assert state.pod is not None
    hook = hooks.Hook(
        handler=handler,
        pod=state.pod,
        container=spec.manifest,
        container_id=container_id,
        pod_ip=ip,
        done=done,
        fell_back=partial(killing.tell_fallback, ctx, state),
    )
    hooks.run(hook, runtime=ctx.runtime, clock=ctx.clock)
    return Started.BLOCKED
