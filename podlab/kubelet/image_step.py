"""Gets the image of a container onto the node: looks, pulls, backs off, and tells. `start` calls it for the container's own
image and for those of its image volumes.

EnsureImageExists of pkg/kubelet/images/image_manager.go, cut where it would wait: a pull under way stops the start, and
the sync that its end brings comes back here. What is decided is in `images`, `keyring` and `image_records`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from podlab.apis import reasons
from podlab.kubelet import backoff, images, keyring, pods, pull_secrets
from podlab.kubelet.container_status import StartProblem
from podlab.kubelet.context import Context, PodState, Stage
from podlab.kubelet.images import Pull
from podlab.kubelet.keyring import Login
from podlab.kubelet.pods import Spec
from podlab.kubelet.pull_progress import PullProgressNotes
from podlab.kubelet.puller import Order, Pulled
from podlab.kubelet.start_outcome import Started, Stop, fail
from podlab.runtime.images import ImageInfo

# The kubelet tells of an image back-off in the sync that follows the failure.
_ANNOUNCE = timedelta(seconds=0.3)


@dataclass(frozen=True, slots=True)
class Wanted:
    """One image for one container. `key` tells its pull from the others of the pod; `shown` is its name as written; `path` is
    the field that its events name."""

    spec: Spec
    key: str
    shown: str
    policy: str
    path: str


def of_container(spec: Spec) -> Wanted:
    image, policy = (str(spec.manifest.get(field) or "") for field in ("image", "imagePullPolicy"))
    return Wanted(spec, spec.name, image, policy, spec.field_path)


def ensure(ctx: Context, state: PodState, wanted: Wanted) -> ImageInfo:
    """The image, when it is there and this pod may have it; otherwise Stop."""
    spec = wanted.spec
    try:
        ref = images.default_tag(wanted.shown)
    except images.InvalidImageName as error:
        why = "nothing can be pulled by such a name: the container waits until its image is changed"
        _tell(ctx, state, wanted, reasons.WARNING, reasons.FAILED_TO_INSPECT_IMAGE, str(error), why)
        raise fail(ctx, state, spec, reasons.INVALID_IMAGE_NAME, str(error), event=reasons.INVALID_IMAGE_NAME) from None
    pull = state.pulls.get(wanted.key)
    if pull is not None and pull.image != ref:
        # The image was changed meanwhile: what the old one does no longer matters.
        del state.pulls[wanted.key]
        pull = None
    if pull is not None:
        return _after_pull(ctx, state, wanted, pull)
    policy, present = wanted.policy or images.default_policy(wanted.shown), _present(ctx, state, ref)
    logins = _logins(ctx, state, wanted, ref)
    usable = present is not None and ctx.image_records.may_use(present, ref, logins)
    if images.must_pull(policy, present=usable):
        _wait_with_others(ctx, state, wanted, ref)
        why = f"imagePullPolicy is {policy}{_absent(present, usable)}"
        _pull(ctx, state, wanted, Pull(ref, ctx.clock.now()), logins, why)
        raise Stop(Started.BLOCKED)
    if present is None or not usable:
        text = images.never_message(wanted.shown)
        why = f"imagePullPolicy is {policy}{_absent(present, usable)}: somebody has to put it there"
        _tell(ctx, state, wanted, reasons.WARNING, reasons.ERR_IMAGE_NEVER_PULL, text, why)
        raise fail(ctx, state, spec, reasons.ERR_IMAGE_NEVER_PULL, text, event=reasons.ERR_IMAGE_NEVER_PULL)
    why = f"imagePullPolicy is {policy} and the image is here"
    _tell(ctx, state, wanted, reasons.NORMAL, reasons.PULLED, images.present_message(wanted.shown), why)
    return present


def at_hand(state: PodState, wanted: Wanted) -> ImageInfo | None:
    """The image, if it was seen in this sync and no pull has to come first. Log-ins are not looked at: a pod that has some
    waits for its turn."""
    assert state.pod is not None
    if state.pod["spec"].get("imagePullSecrets") or wanted.key in state.pulls:
        return None
    if (wanted.policy or images.default_policy(wanted.shown)) == "Always":
        return None
    return state.images_seen.get(images.default_tag(wanted.shown))


def _present(ctx: Context, state: PodState, ref: str) -> ImageInfo | None:
    """Containers with one image ask the engine once."""
    if ref not in state.images_seen and (found := ctx.runtime.image(ref)) is not None:
        state.images_seen[ref] = found
    return state.images_seen.get(ref)


def _logins(ctx: Context, state: PodState, wanted: Wanted, ref: str) -> list[Login]:
    assert state.pod is not None
    if not state.pod["spec"].get("imagePullSecrets"):
        return []
    try:
        return keyring.lookup(pull_secrets.logins(ctx, state.pod), ref)
    except keyring.BadPullSecret as error:
        raise fail(ctx, state, wanted.spec, reasons.ERR_IMAGE_PULL, str(error)) from None


def _absent(present: ImageInfo | None, usable: bool) -> str:
    if present is None:
        return " and the image is not on this node"
    return "" if usable else " and the image was pulled with secrets that this pod does not have"


def _pull(ctx: Context, state: PodState, wanted: Wanted, pull: Pull, logins: list[Login], why: str) -> None:
    assert state.pod is not None
    spec, shown = wanted.spec, wanted.shown
    state.pulls[wanted.key] = pull
    _tell(ctx, state, wanted, reasons.NORMAL, reasons.PULLING, f'Pulling image "{shown}"', why)
    present = ctx.runtime.image(pull.image) is not None
    progress = PullProgressNotes(ctx, state.ref.uid, spec.name, shown, pull.started)

    def done(pulled: Pulled) -> None:
        result = pulled.result
        # Told here rather than in the sync, so that the event has the time of the answer.
        pull.finished = ctx.clock.now()
        progress.end(pull.finished, result.error)
        if result.image is not None:
            ctx.image_records.note_pull(
                result.image, pull.image, present=present, login=pulled.login, now=pull.finished
            )
        if state.stage is not Stage.SYNC:
            return
        if result.image is not None:
            pulling, waiting = (pods.go_duration(int(s * 1000) / 1000) for s in (result.seconds, pulled.waited))
            text = images.pulled_message(shown, pulling, waiting, result.image.size)
            _tell(ctx, state, wanted, reasons.NORMAL, reasons.PULLED, text, f"the pull asked for because {why} is done")
        else:
            pull.reason, pull.message = images.pull_problem(shown, result.error)
            text = f'Failed to pull image "{shown}": {result.error}'
            reason = f"the registry or the engine said so; the pull was asked for because {why}"
            _tell(ctx, state, wanted, reasons.WARNING, reasons.FAILED, text, reason)
            _tell(ctx, state, wanted, reasons.WARNING, reasons.FAILED, f"Error: {pull.reason}", reason)
        pull.result = result
        ctx.dispatch(state.ref.uid)

    order = Order(
        ref=pull.image,
        logins=logins,
        annotations=dict(state.pod["metadata"].get("annotations") or {}),
        wanted=lambda: state.stage is Stage.SYNC and state.pulls.get(wanted.key) is pull,
        done=done,
        progress=progress,
    )
    ctx.puller.pull(order)


def _after_pull(ctx: Context, state: PodState, wanted: Wanted, pull: Pull) -> ImageInfo:
    if pull.result is None or pull.finished is None:
        raise Stop(Started.BLOCKED)
    if pull.result.image is not None:
        return pull.result.image
    now, spec = ctx.clock.now(), wanted.spec
    entry = pull.backoff or backoff.after_try(None, pull.finished, pull.finished)
    pull.backoff = entry
    until = pull.finished + timedelta(seconds=entry.seconds)
    if now >= until:
        fresh = Pull(pull.image, now, backoff=backoff.after_try(entry, pull.finished, now))
        why = f"the back-off of {pods.go_duration(entry.seconds)} since the last try failed is over"
        _pull(ctx, state, wanted, fresh, _logins(ctx, state, wanted, pull.image), why)
        raise Stop(Started.BLOCKED)
    state.wake_at(until)
    if now < pull.finished + _ANNOUNCE and not pull.told:
        state.problems[spec.name] = StartProblem(pull.reason, pull.message)
        state.wake_at(pull.finished + _ANNOUNCE)
        raise Stop(Started.NO)
    if not pull.told:
        pull.told = True
        _tell_back_off(ctx, state, wanted, entry)
    raise _backs_off(state, wanted, pull, entry)


def _wait_with_others(ctx: Context, state: PodState, wanted: Wanted, ref: str) -> None:
    """The back-off of an image is that of the pod (image_manager.go): while the pull of one container waits, another one
    that wants the same image is not even tried."""
    for key, pull in state.pulls.items():
        if key == wanted.key or pull.image != ref or not pull.failed or pull.finished is None:
            continue
        entry = pull.backoff or backoff.after_try(None, pull.finished, pull.finished)
        until = pull.finished + timedelta(seconds=entry.seconds)
        if ctx.clock.now() >= until:
            continue
        state.wake_at(until)
        if wanted.key not in pull.told_to:
            pull.told_to.add(wanted.key)
            _tell_back_off(ctx, state, wanted, entry)
        raise _backs_off(state, wanted, pull, entry)


def _back_off_text(wanted: Wanted) -> str:
    return f'Back-off pulling image "{wanted.shown}"'


def _back_off_why(entry: backoff.Entry) -> str:
    wait = pods.go_duration(entry.seconds)
    return f"the next pull waits {wait} from the moment the last one failed: {backoff.explain(entry.seconds)}"


def _tell_back_off(ctx: Context, state: PodState, wanted: Wanted, entry: backoff.Entry) -> None:
    why = _back_off_why(entry)
    _tell(ctx, state, wanted, reasons.NORMAL, reasons.BACK_OFF, _back_off_text(wanted), why)
    _tell(ctx, state, wanted, reasons.WARNING, reasons.FAILED, f"Error: {reasons.IMAGE_PULL_BACK_OFF}", why)


def _backs_off(state: PodState, wanted: Wanted, pull: Pull, entry: backoff.Entry) -> Stop:
    full = f"{_back_off_text(wanted)}: {pull.reason}: {pull.message}"
    state.problems[wanted.spec.name] = StartProblem(reasons.IMAGE_PULL_BACK_OFF, full, _back_off_why(entry))
    return Stop(Started.NO)


def _tell(ctx: Context, state: PodState, wanted: Wanted, kind: str, reason: str, message: str, why: str) -> None:
    assert state.pod is not None
    ctx.recorder.event(state.pod, kind, reason, message, field_path=wanted.path, why=why)
