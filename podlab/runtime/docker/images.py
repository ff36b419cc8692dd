"""Images: what is there, pulling, and the pause image. Policy (when to pull, back-off) is the kubelet's."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Mapping
from typing import Any

from docker import auth
from docker.errors import InvalidRepository
from docker.utils import parse_repository_tag

from podlab.clock import monotonic
from podlab.runtime.docker import pause
from podlab.runtime.docker.client import Engine, Stream, engine_errors
from podlab.runtime.errors import NotFound, RuntimeFailure, Unavailable
from podlab.runtime.images import Disk, HeldImage, ImageInfo, PullProgress, PullResult, RegistryLogin

Progress = Callable[[PullProgress], None]


def image(engine: Engine, ref: str) -> ImageInfo | None:
    try:
        with engine_errors():
            found = engine.api.inspect_image(ref)
    except NotFound:
        return None
    return ImageInfo(
        id=found["Id"],
        ref=ref,
        size=int(found.get("Size") or 0),
        user=(found.get("Config") or {}).get("User") or "",
        digests=tuple(found.get("RepoDigests") or ()),
    )


def held(engine: Engine) -> list[HeldImage]:
    """With their names; layers that have none are nobody's image."""
    with engine_errors():
        found = engine.api.images()
    listed = (
        HeldImage(
            id=entry["Id"],
            tags=tuple(name for name in entry.get("RepoTags") or () if name != "<none>:<none>"),
            digests=tuple(name for name in entry.get("RepoDigests") or () if name != "<none>@<none>"),
            size=int(entry["Size"]),
        )
        for entry in found
    )
    return [image for image in listed if image.tags or image.digests]


def in_use(engine: Engine) -> frozenset[str]:
    """By any container on the engine, also those of others."""
    with engine_errors():
        found = engine.api.containers(all=True)
    return frozenset(str(entry["ImageID"]) for entry in found)


def remove(engine: Engine, ref: str) -> None:
    """Never by force: the engine refuses while a container uses it."""
    try:
        with engine_errors():
            engine.api.remove_image(ref, force=False)
    except NotFound:
        return


def disk(engine: Engine) -> Disk | None:
    with engine_errors():
        root = str(engine.api.info()["DockerRootDir"])
    try:
        found = os.statvfs(root)
    except OSError:
        return None  # an engine on another machine, or one whose files we may not see
    return Disk(capacity=found.f_blocks * found.f_frsize, available=found.f_bavail * found.f_frsize)


def pull(
    engine: Engine,
    ref: str,
    progress: Progress | None,
    *,
    opened: Callable[[Stream], None],
    login: RegistryLogin | None = None,
) -> PullResult:
    """Pull and say how it went, never raise. `opened` gets the stream, for somebody who wants to break off."""
    began = monotonic()
    try:
        _pull(engine, ref, progress, opened, login)
        found = image(engine, ref)
    except Unavailable as error:
        return PullResult(None, str(error), monotonic() - began)
    except RuntimeFailure as error:
        return PullResult(None, f"Error response from daemon: {error}", monotonic() - began)
    if found is None:
        return PullResult(None, f"{ref} was pulled but is not there", monotonic() - began)
    return PullResult(found, "", monotonic() - began)


def _pull(
    engine: Engine,
    ref: str,
    progress: Progress | None,
    opened: Callable[[Stream], None],
    login: RegistryLogin | None,
) -> None:
    repository, tag = parse_repository_tag(ref)
    # Without a tag the engine would pull every one there is.
    params = {"fromImage": repository, "tag": tag or "latest"}
    headers = _credentials(engine, repository, login)
    with engine_errors():
        stream = engine.post_stream("/images/create", params=params, headers=headers)
    opened(stream)
    layers = Layers(ref)
    for raw in stream.lines():
        line = json.loads(raw)
        if "error" in line:
            raise RuntimeFailure(str(line["error"]))
        if progress is not None:
            progress(layers.told(line))
    if stream.closed:
        raise RuntimeFailure("the pull was broken off")


def _credentials(engine: Engine, repository: str, login: RegistryLogin | None) -> dict[str, str]:
    """The log-in that was given, or the registry's from the Docker configuration of the worker's user, if there is one."""
    try:
        registry, _ = auth.resolve_repository_name(repository)
    except InvalidRepository:
        return {}  # the engine will say what is wrong with it
    if login is not None:
        given = {"username": login.username, "password": login.password, "serveraddress": registry}
        return {"X-Registry-Auth": auth.encode_header(given).decode()}
    header = auth.get_config_header(engine.api, registry)
    return {"X-Registry-Auth": header} if header else {}


class Layers:
    """Adds up what the engine says of single layers. Their sizes are known when their downloads begin."""

    def __init__(self, ref: str) -> None:
        self._ref = ref
        self._sizes: dict[str, tuple[int, int]] = {}  # of layers that are downloaded: so far, in all
        self._done: dict[str, bool] = {}

    def told(self, line: Mapping[str, Any]) -> PullProgress:
        status, layer = str(line.get("status") or ""), str(line.get("id") or "")
        detail = line.get("progressDetail") or {}
        if status in _LAYER_STATES:
            self._done[layer] = status in _LAYER_DONE
        if status == "Downloading" and detail.get("total"):
            self._sizes[layer] = (int(detail.get("current") or 0), int(detail["total"]))
        elif status in ("Download complete", "Pull complete") and layer in self._sizes:
            self._sizes[layer] = (self._sizes[layer][1],) * 2
        return PullProgress(
            self._ref,
            status,
            sum(done for done, _ in self._sizes.values()),
            sum(whole for _, whole in self._sizes.values()),
            len(self._done),
            sum(self._done.values()),
        )


_LAYER_DONE = frozenset({"Pull complete", "Already exists"})
_LAYER_STATES = _LAYER_DONE | {
    "Pulling fs layer", "Waiting", "Downloading", "Verifying Checksum", "Download complete", "Extracting",
}  # fmt: skip


class PauseImage:
    """The image of sandboxes: the one from the settings, pulled if need be, or the lab's own, made when it is missing."""

    def __init__(self, engine: Engine, configured: str) -> None:
        self._engine = engine
        self._configured = configured
        self._lock = threading.Lock()
        self._ready = ""

    def ref(self) -> str:
        """A reference that is present; asks the engine only once."""
        with self._lock:
            if not self._ready:
                self._ready = self._pulled() if self._configured else self._made()
            return self._ready

    def forget(self) -> None:
        """Somebody removed it: look again."""
        with self._lock:
            self._ready = ""

    def _pulled(self) -> str:
        if image(self._engine, self._configured) is None:
            result = pull(self._engine, self._configured, None, opened=lambda stream: None)
            if result.error:
                raise RuntimeFailure(f'Failed to pull image "{self._configured}": {result.error}')
        return self._configured

    def _made(self) -> str:
        with engine_errors():
            machine = str(self._engine.api.info()["Architecture"])
        try:
            tag = pause.tag(machine)
        except ValueError as error:
            raise RuntimeFailure(str(error)) from error
        ref = f"{pause.REPOSITORY}:{tag}"
        if image(self._engine, ref) is None:
            with engine_errors():
                self._engine.api.import_image_from_data(
                    pause.archive(machine), repository=pause.REPOSITORY, tag=tag, changes=list(pause.CHANGES)
                )
        return ref
