"""Image volumes: the files of an image as a read-only folder. `start` calls `ensure` before it makes a container that mounts one.

getImageVolumes of pkg/kubelet/kuberuntime/kuberuntime_manager.go. Engines of that age mount no images, so the image is unpacked
below the pod's folder, once for all its containers; that takes time, so the start stops and is taken up again.
"""

from __future__ import annotations

from podlab.apis import reasons
from podlab.apis.types import Manifest
from podlab.kubelet import image_step
from podlab.kubelet.context import Context, PodState
from podlab.kubelet.image_step import Wanted
from podlab.kubelet.pods import Spec
from podlab.kubelet.start_outcome import Started, Stop, fail
from podlab.kubelet.volume_folders import kind
from podlab.runtime.images import ImageInfo

UNDER_WAY = "under way"


def of_container(pod: Manifest, container: Manifest) -> list[Manifest]:
    """The image volumes that a container mounts."""
    mounted = {mount["name"] for mount in container.get("volumeMounts") or []}
    return [v for v in pod["spec"].get("volumes") or [] if v["name"] in mounted and kind(v) == "image"]


def ensure(ctx: Context, state: PodState, spec: Spec) -> None:
    """Raises Stop until every one is there."""
    assert state.pod is not None
    for volume in of_container(state.pod, spec.manifest):
        name, source = volume["name"], volume["image"]
        told = state.unpacked.get(name)
        if told == "":
            continue
        if told == UNDER_WAY:
            raise Stop(Started.BLOCKED)
        if told is not None:
            del state.unpacked[name]
            text = f'failed to mount image volume "{name}": {told}'
            raise fail(ctx, state, spec, reasons.CREATE_CONTAINER_ERROR, text)
        wanted = Wanted(
            spec,
            f"image volume {name}",
            str(source.get("reference") or ""),
            str(source.get("pullPolicy") or ""),
            path="",
        )
        _unpack(ctx, state, volume, image_step.ensure(ctx, state, wanted))
        raise Stop(Started.BLOCKED)


def _unpack(ctx: Context, state: PodState, volume: Manifest, image: ImageInfo) -> None:
    name, uid = volume["name"], state.ref.uid
    state.unpacked[name] = UNDER_WAY

    def done(error: str) -> None:
        state.unpacked[name] = error
        ctx.dispatch(uid)

    ctx.runtime.unpack_image(image.ref, str(ctx.folders(uid).of(volume)), done)
