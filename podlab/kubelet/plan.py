"""The values that a decision about a pod is made of, and what it looks up. Pure; `actions` and `init_actions` make them,
`pod_workers` carries them out."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass, replace

from podlab.apis.types import Manifest
from podlab.runtime.interface import ContainerState, ContainerStatus, PodStatus


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a probe says of one container, once its threshold was crossed."""

    ok: bool
    why: str


# (container id, startup | liveness | readiness)
Verdicts = Mapping[tuple[str, str], Verdict]


@dataclass(frozen=True, slots=True, kw_only=True)
class ToStart:
    name: str
    attempt: int
    why: str
    init: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ToKill:
    """`cause`: liveness | startup | changed | resized | restart-all | unknown. `message` is the text of the Killing event."""

    id: str
    name: str
    cause: str
    message: str
    why: str
    restart: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ToResize:
    """A running container that gets other resources as it runs; `wanted` is their block in the API's form."""

    id: str
    name: str
    wanted: Manifest
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PodActions:
    """`kill_pod` stops everything, sandbox included, before anything else; `create_sandbox` makes sandbox number
    `attempt`; then containers are killed, resized and started in the order given."""

    kill_pod: bool = False
    create_sandbox: bool = False
    sandbox_id: str = ""
    attempt: int = 0
    to_kill: tuple[ToKill, ...] = ()
    to_start: tuple[ToStart, ...] = ()
    to_resize: tuple[ToResize, ...] = ()
    to_remove: tuple[str, ...] = ()  # ids: all containers go, to begin anew in the same sandbox
    why: str = ""


def newest(observed: PodStatus, name: str) -> ContainerStatus | None:
    return next((c for c in observed.containers if c.name == name), None)


def with_running(observed: PodStatus, started: Set[str]) -> PodStatus:
    """What is told right after containers were started: each has run, however soon it ended. Its end is told next."""

    def shown(one: ContainerStatus) -> ContainerStatus:
        if one.id not in started or one.state is not ContainerState.EXITED:
            return one
        return replace(one, state=ContainerState.RUNNING, finished_at=None, exit_code=None, reason="", message="")

    return replace(observed, containers=tuple(shown(one) for one in observed.containers))


def failed_probe(probes: Verdicts, container_id: str, kind: str) -> bool:
    verdict = probes.get((container_id, kind))
    return verdict is not None and not verdict.ok


def kill_unknown(status: ContainerStatus | None) -> list[ToKill]:
    if status is None or status.state is not ContainerState.UNKNOWN:
        return []
    message = 'Container is in "unknown" state, try killing it before restart'
    why = f"the state of container {status.name} cannot be told: kill it before another one starts"
    return [ToKill(id=status.id, name=status.name, cause="unknown", message=message, why=why, restart=True)]
