"""Images: what is there, pulling, and the pause image. Policy (when to pull, back-off) is the kubelet's."""

from __future__ import annotations

import json
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
from podlab.runtime.interface import ImageInfo, PullProgress, PullResult

Progress = Callable[[PullProgress], None]


def image(engine: Engine, ref: str) -> ImageInfo | None:
    try:
        with engine_errors():
            found = engine.api.inspect_image(ref)
    except NotFound:
        return None
    user = (found.get("Config") or {}).get("User") or ""
    return ImageInfo(id=found["Id"], ref=ref, size=int(found.get("Size") or 0), user=user)


def pull(engine: Engine, ref: str, progress: Progress | None, *, opened: Callable[[Stream], None]) -> PullResult:
    """Pull and say how it went, never raise. `opened` gets the stream, for somebody who wants to break off."""
    began = monotonic()
    try:
        _pull(engine, ref, progress, opened)
        found = image(engine, ref)
    except Unavailable as error:
        return PullResult(None, str(error), monotonic() - began)
    except RuntimeFailure as error:
        return PullResult(None, f"Error response from daemon: {error}", monotonic() - began)
    if found is None:
        return PullResult(None, f"{ref} was pulled but is not there", monotonic() - began)
    return PullResult(found, "", monotonic() - began)


def _pull(engine: Engine, ref: str, progress: Progress | None, opened: Callable[[Stream], None]) -> None:
    repository, tag = parse_repository_tag(ref)
    # Without a tag the engine would pull every one there is.
    params = {"fromImage": repository, "tag": tag or "latest"}
    with engine_errors():
        stream = engine.post_stream("/images/create", params=params, headers=_credentials(engine, repository))
    opened(stream)
    layers: dict[str, tuple[int, int]] = {}
    for raw in stream.lines():
        line = json.loads(raw)
        if "error" in line:
            raise RuntimeFailure(str(line["error"]))
        if progress is not None:
            progress(_progress(ref, line, layers))
    if stream.closed:
        raise RuntimeFailure("the pull was broken off")


def _credentials(engine: Engine, repository: str) -> dict[str, str]:
    """The registry's log-in from the Docker configuration of the worker's user, if there is one."""
    try:
        registry, _ = auth.resolve_repository_name(repository)
    except InvalidRepository:
        return {}  # the engine will say what is wrong with it
    header = auth.get_config_header(engine.api, registry)
    return {"X-Registry-Auth": header} if header else {}


def _progress(ref: str, line: Mapping[str, Any], layers: dict[str, tuple[int, int]]) -> PullProgress:
    detail = line.get("progressDetail") or {}
    if detail.get("total") and line.get("status") == "Downloading":
        layers[str(line.get("id", ""))] = (int(detail.get("current") or 0), int(detail["total"]))
    current = sum(done for done, _ in layers.values())
    total = sum(whole for _, whole in layers.values())
    return PullProgress(ref, str(line.get("status") or ""), current, total)


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
