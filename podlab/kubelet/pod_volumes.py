"""The volumes of one pod as its sync goes: made before anything runs, followed while it does. `pod_workers` calls it.

pkg/kubelet/volumemanager, with a retry that grows as that of nestedpendingoperations.
"""

from __future__ import annotations

from datetime import timedelta

from podlab.apis import reasons
from podlab.apis.types import Manifest
from podlab.kubelet import claim_folders, eviction, simulated_files, volume_folders, volumes
from podlab.kubelet.context import Context, PodState
from podlab.kubelet.mount_errors import MountError

_LOOK_AGAIN = timedelta(seconds=60)


def ready(ctx: Context, state: PodState) -> bool:
    """Whether everything is mounted; tries it when that is due, and tells what is wrong."""
    assert state.pod is not None
    if state.mounted:
        return True
    now = ctx.clock.now()
    if state.mount_retry is not None and now < state.mount_retry:
        state.wake_at(state.mount_retry)
        return False
    errors = _make(ctx, state, volumes.used(state.pod))
    if errors:
        state.mount_failures += 1
        wait = volumes.retry_seconds(state.mount_failures)
        state.mount_retry = now + timedelta(seconds=wait)
        state.wake_at(state.mount_retry)
        why = f"try {state.mount_failures} to set the volumes up; the next one is due in {wait:g} s, which doubles each time"
        for error in errors:
            ctx.recorder.event(state.pod, reasons.WARNING, reasons.FAILED_MOUNT, str(error), why=why)
        return False
    state.mounted, state.mount_retry = True, None
    if eviction.has_limit(state):
        ctx.limit_set()
    return True


def _make(ctx: Context, state: PodState, wanted: list[Manifest]) -> list[MountError]:
    """Each volume for itself, as its operation is in Kubernetes; what went wrong with which."""
    assert state.pod is not None
    # The address of the pod is not known yet; a downward API volume cannot show it in Kubernetes either.
    sources = volumes.Sources(state.pod, ctx.lookup, ctx.facts(""), ctx.host_access)
    errors: list[MountError] = []
    for volume in wanted:
        try:
            _make_one(ctx, state, volume, sources)
        except MountError as error:
            errors.append(error)
    # After a restart the files of running containers are placed anew; before their start the address is not known.
    simulated_files.place_hosts(ctx, state, str((state.pod.get("status") or {}).get("podIP") or ""))
    state.volumes_of, state.volumes_due = state.pod["metadata"], ctx.clock.now() + _LOOK_AGAIN
    return errors


def _make_one(ctx: Context, state: PodState, volume: Manifest, sources: volumes.Sources) -> None:
    assert state.pod is not None
    if claim_folders.is_claim(volume):
        _take_claim(ctx, state, volume)
        return
    content = volumes.files(volume, sources)
    if ctx.machine.simulated:
        simulated_files.place(ctx, state, volume, content)
    else:
        volume_folders.set_up(volume, content, ctx.folders(state.ref.uid), now=ctx.clock.now(), pod=state.pod)


def _take_claim(ctx: Context, state: PodState, volume: Manifest) -> None:
    assert state.pod is not None
    held = claim_folders.resolve(state.pod, volume, ctx.lookup, ctx.claim_place())
    if ctx.machine.simulated:
        simulated_files.place_claim(ctx, state, held)
    else:
        claim_folders.set_up(held)
        if not held.host:
            volume_folders.give_to_group(held.path, state.pod, read_only=held.read_only)
    state.held[volume["name"]] = held


def renew(ctx: Context, state: PodState) -> None:
    """Follow ConfigMaps, Secrets and the pod's own labels: with every change of the pod, and once a minute
    (volume_manager.go MarkRemountRequired). What cannot be had now stays as it is."""
    pod, now = state.pod, ctx.clock.now()
    if pod is None or not state.mounted or not (wanted := volumes.changeable(pod)):
        return
    before = state.volumes_of or {}
    changed = any(before.get(part) != pod["metadata"].get(part) for part in ("labels", "annotations"))
    if not changed and state.volumes_due is not None and now < state.volumes_due:
        return
    for error in _make(ctx, state, wanted):
        ctx.recorder.event(pod, reasons.WARNING, reasons.FAILED_MOUNT, str(error), why="the volume stays as it was")
