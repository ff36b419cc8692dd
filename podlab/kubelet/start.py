"""Starts one container: back-off, image, configuration, create, start, postStart, each with its event.

startContainer of pkg/kubelet/kuberuntime/kuberuntime_container.go, cut where it would wait: a pull or a hook under way
answers `BLOCKED`, and the sync that its end brings comes back here. `apply` calls `start`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum

from podlab.apis import reasons
from podlab.apis.types import Manifest
from podlab.kubelet import (
    backoff,
    container_config,
    environment,
    hooks,
    hosts,
    images,
    pods,
    termination_message,
    volumes,
)
from podlab.kubelet.container_status import StartProblem
from podlab.kubelet.context import Context, PodState, Stage
from podlab.kubelet.environment import ConfigError
from podlab.kubelet.images import Pull
from podlab.kubelet.plan import ToStart, newest
from podlab.kubelet.pods import Spec
from podlab.runtime.errors import CreateFailed, NotFound, StartFailed
from podlab.runtime.interface import (
    ContainerConfig,
    ContainerState,
    ImageInfo,
    Mount,
    PodStatus,
    PullResult,
)

# A failed try is made again after this long (pod_workers.go backOffPeriod).
RETRY = timedelta(seconds=10)
# The kubelet tells of an image back-off in the sync that follows the failure.
_ANNOUNCE = timedelta(seconds=0.3)


class Started(StrEnum):
    YES = "yes"
    NO = "no"  # not now; the reason is in state.problems
    BLOCKED = "blocked"  # something is under way: the containers after this one wait


class _Stop(Exception):
    """The start ends here, with this outcome."""

    def __init__(self, outcome: Started) -> None:
        super().__init__(outcome)
        self.outcome = outcome


def start(ctx: Context, state: PodState, observed: PodStatus, item: ToStart, *, sandbox_id: str, ip: str) -> Started:
    """Bring container `item` as far as it goes without waiting."""
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
        _wait_for_back_off(ctx, state, observed, spec)
        image = _image(ctx, state, spec)
        config = _config(ctx, state, observed, spec, item, image, ip)
        _run(ctx, state, observed, spec, item, sandbox_id, config)
        return _post_start(ctx, state, spec, ip)
    except _Stop as stop:
        return stop.outcome


def _wait_for_back_off(ctx: Context, state: PodState, observed: PodStatus, spec: Spec) -> None:
    """kuberuntime_manager.go doBackOff. The wait is shown from the moment that the start is put off, and ends when the
    back-off does: Kubernetes shows it at a later look only, and looks up to half as long again after the back-off's end."""
    ended, name = newest(observed, spec.name), spec.name
    if ended is None or ended.state is not ContainerState.EXITED or ended.finished_at is None:
        return
    entry = state.backoffs.get(pods.back_off_key(spec))
    until = backoff.waits_until(entry, ended.finished_at)
    if entry is None or until is None or ctx.clock.now() >= until:
        return
    assert state.pod is not None
    title, wait = pods.title(state.pod), pods.go_duration(entry.seconds)
    if state.announced.get(name) != ended.attempt:
        state.announced[name] = ended.attempt
        why = f"it ended {ended.attempt + 1} times; the next start waits {wait} from its end"
        text = f"Back-off restarting failed container {name} in pod {title}"
        _event(ctx, state, spec, reasons.WARNING, reasons.BACK_OFF, text, why)
    state.problems[name] = StartProblem(
        reasons.CRASH_LOOP_BACK_OFF, f"back-off {wait} restarting failed container={name} pod={title}"
    )
    state.wake_at(until)
    raise _Stop(Started.NO)


# Images


def _image(ctx: Context, state: PodState, spec: Spec) -> ImageInfo:
    try:
        ref = images.default_tag(str(spec.manifest.get("image") or ""))
    except images.InvalidImageName as error:
        _event(ctx, state, spec, reasons.WARNING, reasons.FAILED_TO_INSPECT_IMAGE, str(error), "")
        raise _fail(
            ctx, state, spec, reasons.INVALID_IMAGE_NAME, str(error), event=reasons.INVALID_IMAGE_NAME
        ) from None
    pull = state.pulls.get(spec.name)
    if pull is not None and pull.image != ref:
        # The image was changed meanwhile: what the old one does no longer matters.
        del state.pulls[spec.name]
        pull = None
    if pull is not None:
        return _after_pull(ctx, state, spec, ref, pull)
    policy, present = images.pull_policy(spec.manifest), ctx.runtime.image(ref)
    if images.must_pull(policy, present=present is not None):
        _pull(ctx, state, spec, Pull(ref, ctx.clock.now()), f"imagePullPolicy is {policy}" + _absent(present))
        raise _Stop(Started.BLOCKED)
    shown = str(spec.manifest["image"])
    if present is None:
        text = images.never_message(shown)
        _event(ctx, state, spec, reasons.WARNING, reasons.ERR_IMAGE_NEVER_PULL, text, "")
        raise _fail(ctx, state, spec, reasons.ERR_IMAGE_NEVER_PULL, text, event=reasons.ERR_IMAGE_NEVER_PULL)
    why = f"imagePullPolicy is {policy} and the image is here"
    _event(ctx, state, spec, reasons.NORMAL, reasons.PULLED, images.present_message(shown), why)
    return present


def _pull(ctx: Context, state: PodState, spec: Spec, pull: Pull, why: str) -> None:
    assert state.pod is not None
    shown = str(spec.manifest["image"])
    state.pulls[spec.name] = pull
    _event(ctx, state, spec, reasons.NORMAL, reasons.PULLING, f'Pulling image "{shown}"', why)

    def done(result: PullResult) -> None:
        if state.stage is not Stage.SYNC:
            return
        # Told here rather than in the sync, so that the event has the time of the answer.
        pull.finished = ctx.clock.now()
        if result.image is not None:
            text = images.pulled_message(shown, pods.go_duration(round(result.seconds, 3)), result.image.size)
            _event(ctx, state, spec, reasons.NORMAL, reasons.PULLED, text, "")
        else:
            text = f'Failed to pull image "{shown}": {result.error}'
            _event(ctx, state, spec, reasons.WARNING, reasons.FAILED, text, "")
            _event(ctx, state, spec, reasons.WARNING, reasons.FAILED, f"Error: {reasons.ERR_IMAGE_PULL}", "")
        pull.result = result
        ctx.dispatch(state.ref.uid)

    ctx.runtime.pull_image(pull.image, done, None, dict(state.pod["metadata"].get("annotations") or {}))


def _after_pull(ctx: Context, state: PodState, spec: Spec, ref: str, pull: Pull) -> ImageInfo:
    if pull.result is None or pull.finished is None:
        raise _Stop(Started.BLOCKED)
    if pull.result.image is not None:
        return pull.result.image
    now = ctx.clock.now()
    entry = pull.backoff or backoff.after_try(None, pull.finished, pull.finished)
    pull.backoff = entry
    until = pull.finished + timedelta(seconds=entry.seconds)
    shown = str(spec.manifest["image"])
    if now >= until:
        fresh = Pull(ref, now, backoff=backoff.after_try(entry, pull.finished, now))
        _pull(ctx, state, spec, fresh, f"{pods.go_duration(entry.seconds)} have passed since the last try failed")
        raise _Stop(Started.BLOCKED)
    state.wake_at(until)
    if now < pull.finished + _ANNOUNCE and not pull.told:
        state.problems[spec.name] = StartProblem(reasons.ERR_IMAGE_PULL, pull.result.error)
        state.wake_at(pull.finished + _ANNOUNCE)
        raise _Stop(Started.NO)
    text = f'Back-off pulling image "{shown}"'
    if not pull.told:
        pull.told = True
        why = f"the next try is made {pods.go_duration(entry.seconds)} after the last one failed"
        _event(ctx, state, spec, reasons.NORMAL, reasons.BACK_OFF, text, why)
        _event(ctx, state, spec, reasons.WARNING, reasons.FAILED, f"Error: {reasons.IMAGE_PULL_BACK_OFF}", "")
    full = f"{text}: {reasons.ERR_IMAGE_PULL}: {pull.result.error}"
    state.problems[spec.name] = StartProblem(reasons.IMAGE_PULL_BACK_OFF, full)
    raise _Stop(Started.NO)


def _absent(present: ImageInfo | None) -> str:
    return "" if present is not None else " and the image is not on this node"


# Configuration, create, start


def _config(
    ctx: Context, state: PodState, observed: PodStatus, spec: Spec, item: ToStart, image: ImageInfo, ip: str
) -> ContainerConfig:
    pod = state.granted
    assert pod is not None
    try:
        env = environment.environment(pod, spec.manifest, ctx.lookup, ctx.facts(ip))
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
        raise _fail(ctx, state, spec, reasons.CREATE_CONTAINER_CONFIG_ERROR, str(error)) from None


def _mounts(
    ctx: Context, state: PodState, spec: Spec, attempt: int, ip: str, env: Mapping[str, str]
) -> tuple[Mount, ...]:
    assert state.pod is not None
    folder, real = ctx.pod_root / state.ref.uid, not ctx.machine.simulated
    mounts = volumes.mounts(state.pod, spec.manifest, ctx.folders(state.ref.uid), env, real=real)
    if not real:
        return mounts
    message = termination_message.mount(folder, spec.manifest, attempt)
    return (*mounts, *hosts.mounts(state.pod, spec.manifest, folder, ip or ctx.address), message)


def _run(
    ctx: Context,
    state: PodState,
    observed: PodStatus,
    spec: Spec,
    item: ToStart,
    sandbox_id: str,
    config: ContainerConfig,
) -> None:
    try:
        container_id = ctx.runtime.create_container(sandbox_id, config)
    except (CreateFailed, NotFound) as error:
        raise _fail(ctx, state, spec, reasons.CREATE_CONTAINER_ERROR, str(error)) from None
    _event(ctx, state, spec, reasons.NORMAL, reasons.CREATED, "Container created", item.why)
    _count_try(ctx, state, observed, spec)
    state.pulls.pop(spec.name, None)
    state.start_whys[container_id] = item.why
    state.actual[container_id] = dict(spec.manifest.get("resources") or {})
    try:
        ctx.runtime.start_container(container_id)
    except StartFailed as error:
        # Such a container is listed as ended: the next sync decides about its restart at once.
        raise _fail(ctx, state, spec, reasons.RUN_CONTAINER_ERROR, str(error), again=False) from None
    _event(ctx, state, spec, reasons.NORMAL, reasons.STARTED, "Container started", item.why)
    state.problems.pop(spec.name, None)
    state.last_started = container_id


def _count_try(ctx: Context, state: PodState, observed: PodStatus, spec: Spec) -> None:
    ended = newest(observed, spec.name)
    if ended is None or ended.state is not ContainerState.EXITED or ended.finished_at is None:
        return
    state.replacing.discard(ended.id)
    entry = state.backoffs.get(pods.back_off_key(spec))
    state.backoffs[pods.back_off_key(spec)] = backoff.after_try(entry, ended.finished_at, ctx.clock.now())


def _post_start(ctx: Context, state: PodState, spec: Spec, ip: str) -> Started:
    handler = (spec.manifest.get("lifecycle") or {}).get("postStart")
    if not handler:
        return Started.YES
    container_id = state.last_started
    state.hooks[container_id] = "running"

    def done(error: str) -> None:
        state.hooks[container_id] = error and f"failed: {error}"
        ctx.dispatch(state.ref.uid)

    hooks.run(
        handler, spec.manifest, container_id=container_id, pod_ip=ip, runtime=ctx.runtime, clock=ctx.clock, done=done
    )
    return Started.BLOCKED


def _fail(
    ctx: Context, state: PodState, spec: Spec, reason: str, message: str, *, event: str = "", again: bool = True
) -> _Stop:
    """Note why the container does not start, and tell it: the event says `Error: ` and the message, or `event`."""
    state.problems[spec.name] = StartProblem(reason, message)
    _event(ctx, state, spec, reasons.WARNING, reasons.FAILED, f"Error: {event or message}", f"{reason}: not started")
    if again:
        state.put_off(spec.name, ctx.clock.now() + RETRY)
    else:
        ctx.dispatch(state.ref.uid)
    return _Stop(Started.NO)


def _event(ctx: Context, state: PodState, spec: Spec, kind: str, reason: str, message: str, why: str) -> None:
    pod: Manifest | None = state.pod
    assert pod is not None
    ctx.recorder.event(pod, kind, reason, message, field_path=spec.field_path, why=why)
