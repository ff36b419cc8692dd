"""Makes the next container while the engine starts the one before it. Containers are started and told in their order all the
same; a container that is not wanted after all goes before the sync ends.

`start` begins and takes what was made. Only on real engines: in a simulator nothing takes time.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from podlab.runtime.errors import RuntimeFailure
from podlab.runtime.interface import ContainerConfig

if TYPE_CHECKING:
    from podlab.kubelet.context import Context, PodState

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Ahead:
    """A container that was made before its turn."""

    config: ContainerConfig
    id: str


def begin(ctx: Context, state: PodState, sandbox_id: str, make_config: Callable[[], ContainerConfig | None]) -> None:
    """`make_config` says how, or None: the container is left to its turn. What goes wrong comes up again then."""

    def make() -> None:
        if (config := make_config()) is None:
            return
        state.ahead = Ahead(config, ctx.runtime.create_container(sandbox_id, config))

    state.making_ahead = ctx.aside(make)


def take(ctx: Context, state: PodState, config: ContainerConfig) -> str:
    """The id of the container that was made ahead just so, or ""."""
    one = _made(state)
    if one is None:
        return ""
    if one.config == config:
        return one.id
    _remove(ctx, one)
    return ""


def drop(ctx: Context, state: PodState) -> None:
    """Nobody took it."""
    one = _made(state)
    if one is not None:
        _remove(ctx, one)


def _made(state: PodState) -> Ahead | None:
    making, state.making_ahead = state.making_ahead, None
    if making is None:
        return None
    try:
        making.result()
    except Exception as error:
        logger.debug("container of pod %s not made ahead: %s", state.ref.name, error)
    one, state.ahead = state.ahead, None
    return one


def _remove(ctx: Context, one: Ahead) -> None:
    try:
        ctx.runtime.remove_container(one.id)
    except RuntimeFailure as error:
        logger.info("container %s, made ahead, is left: %s", one.id[:12], error)
