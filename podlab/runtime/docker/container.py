"""Containers of a pod: create, start, signal, remove. They join their sandbox's network and IPC namespaces.

Docker's own restart policy and health check are off: the kubelet alone decides.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import docker.errors
from docker.types import Healthcheck, LogConfig
from docker.types import Mount as EngineMount

from podlab.runtime.docker import labels, naming
from podlab.runtime.docker.client import Engine, engine_errors, reason, status_code
from podlab.runtime.docker.labels import Scope
from podlab.runtime.errors import CreateFailed, NotFound, RuntimeFailure, StartFailed, Unavailable
from podlab.runtime.interface import ContainerConfig, ContainerResources, PidNamespace

_CPU_PERIOD = 100_000
_MIN_SHARES, _MIN_QUOTA = 2, 1000  # kubelet cm/helpers_linux.go
# The pump copies the engine's log at once; this only bounds the disk while no pump runs.
_ENGINE_LOG = {"max-size": "100m", "max-file": "2"}


@dataclass(frozen=True, slots=True)
class Made:
    """`fresh`: by this call, so that nobody can have started it."""

    id: str
    fresh: bool


def create(engine: Engine, scope: Scope, sandbox_id: str, config: ContainerConfig) -> Made:
    name = naming.container_name(scope, config.pod, config.name, config.attempt)
    request = _request(engine, scope, sandbox_id, config)
    for attempt in (1, 2):
        try:
            with engine_errors():
                return _create(engine, scope, name, request)
        except _Again:
            if attempt == 2:
                raise CreateFailed(f"The name {name} is still in use by a container that is being removed") from None
        except Unavailable:
            raise
        except RuntimeFailure as error:
            raise CreateFailed(str(error)) from error
    raise AssertionError("unreachable")


class _Again(Exception):
    """What held the name is gone now."""


def _create(engine: Engine, scope: Scope, name: str, request: dict[str, Any]) -> Made:
    try:
        return Made(str(engine.api.create_container(name=name, **request)["Id"]), fresh=True)
    except docker.errors.APIError as error:
        if status_code(error) != 409:
            raise
    if found := adopt(engine, scope, name):
        return Made(found, fresh=False)
    raise _Again


def adopt(engine: Engine, scope: Scope, name: str) -> str | None:
    """The id of our container of that name; None if it went away or was half removed, so that creating again may
    work. One that belongs to somebody else is never touched. Raises docker-py's errors."""
    try:
        found = engine.api.inspect_container(name)
    except docker.errors.NotFound:
        return None
    if not scope.owns(found["Config"]["Labels"]):
        raise RuntimeFailure(f"The name {name} is taken by a container that does not belong to this node")
    if found["State"]["Status"] in {"dead", "removing"}:
        remove(engine, found["Id"])
        return None
    return str(found["Id"])


def start(engine: Engine, container_id: str, *, fresh: bool = False) -> None:
    """Start one that was created; one that runs or has run is left as it is, for an attempt is one run. `fresh`: it is
    known that it has not."""
    if not fresh:
        with engine_errors():
            state = engine.api.inspect_container(container_id)["State"]
        if state["Status"] != "created":
            return
    try:
        with engine_errors():
            engine.api.start(container_id)
    except (NotFound, Unavailable) as error:
        if isinstance(error, NotFound) and "No such container" not in str(error):
            raise StartFailed(str(error)) from error  # older engines answer 404 for a missing executable
        raise
    except RuntimeFailure as error:
        raise StartFailed(str(error)) from error


def signal(engine: Engine, container_id: str, name: str) -> None:
    """Not running or gone counts as success."""
    try:
        with engine_errors():
            if name == "TERM":
                # What an image asks to be stopped with (STOPSIGNAL) takes its place, as in every runtime of Kubernetes.
                name = engine.api.inspect_container(container_id)["Config"].get("StopSignal") or name
            engine.api.kill(container_id, signal=name)
    except NotFound:
        return
    except RuntimeFailure as error:
        if not _not_running(error):
            raise


def _not_running(error: RuntimeFailure) -> bool:
    cause = error.__cause__
    return isinstance(cause, docker.errors.APIError) and status_code(cause) == 409 and "not running" in reason(cause)


def update(engine: Engine, container_id: str, resources: ContainerResources) -> None:
    """Gone or ended counts as success: the next run gets the new values anyway."""
    try:
        with engine_errors():
            engine.api.update_container(container_id, **_limits(resources))
    except NotFound:
        return
    except RuntimeFailure as error:
        if not _not_running(error):
            raise


def remove(engine: Engine, container_id: str) -> None:
    """With its anonymous volumes, killing it if it runs. Gone or going counts as success."""
    try:
        with engine_errors():
            engine.api.remove_container(container_id, force=True, v=True)
    except NotFound:
        return
    except RuntimeFailure as error:
        if "is already in progress" not in str(error):
            raise


def _request(engine: Engine, scope: Scope, sandbox_id: str, config: ContainerConfig) -> dict[str, Any]:
    """What the engine is asked for. An empty command is "not given", as in the API."""
    with engine_errors():
        api = engine.api
    host = api.create_host_config(
        network_mode=f"container:{sandbox_id}",
        ipc_mode="host" if config.host_ipc else f"container:{sandbox_id}",
        pid_mode=_pid_mode(sandbox_id, config),
        mounts=[
            EngineMount(target=mount.container_path, source=mount.host_path, type="bind", read_only=mount.read_only)
            for mount in config.mounts
        ],
        privileged=config.privileged,
        read_only=config.read_only_rootfs,
        group_add=[str(group) for group in config.groups] or None,
        cap_add=list(config.add_capabilities) or None,
        cap_drop=list(config.drop_capabilities) or None,
        security_opt=_security_options(config) or None,
        oom_score_adj=_oom_score(config),
        log_config=LogConfig(type=LogConfig.types.JSON, config=_ENGINE_LOG),
        **_limits(
            ContainerResources(
                cpu_request_milli=config.cpu_request_milli,
                cpu_limit_milli=config.cpu_limit_milli,
                memory_limit=config.memory_limit,
            )
        ),
    )
    return {
        "image": config.image,
        "entrypoint": list(config.command) if config.command else None,
        "command": list(config.args) if config.args else None,
        "environment": [f"{name}={value}" for name, value in config.env],
        "working_dir": config.working_dir or None,
        "user": _user(config),
        "stdin_open": config.stdin,
        "detach": not config.stdin_once,  # docker-py derives StdinOnce from it
        "tty": config.tty,
        "labels": labels.of_container(scope, sandbox_id, config),
        "healthcheck": Healthcheck(test=["NONE"]),
        "host_config": host,
    }


def _pid_mode(sandbox_id: str, config: ContainerConfig) -> str | None:
    if config.pid_namespace is PidNamespace.NODE:
        return "host"
    if config.pid_namespace is PidNamespace.POD:
        return f"container:{sandbox_id}"
    return f"container:{config.pid_target}" if config.pid_namespace is PidNamespace.TARGET else None


def _oom_score(config: ContainerConfig) -> int | None:
    """An engine without the right to lower a score could not start such a container at all; 0 is what it gives then."""
    return config.oom_score_adj if (config.oom_score_adj or 0) > 0 else None


def _security_options(config: ContainerConfig) -> list[str]:
    found = [f"label={one}" for one in config.selinux]
    if config.no_new_privileges:
        found.append("no-new-privileges")
    return [*found, "seccomp=unconfined"] if config.seccomp_unconfined else found


def _limits(wanted: ContainerResources) -> dict[str, Any]:
    """The kubelet's translation (kuberuntime_container_linux.go): requests are shares, limits are quota and no swap."""
    milli = wanted.cpu_request_milli or wanted.cpu_limit_milli
    found: dict[str, Any] = {"cpu_shares": max(milli * 1024 // 1000, _MIN_SHARES)}
    if wanted.cpu_limit_milli:
        found["cpu_period"] = _CPU_PERIOD
        found["cpu_quota"] = max(wanted.cpu_limit_milli * _CPU_PERIOD // 1000, _MIN_QUOTA)
    if wanted.memory_limit:
        found["mem_limit"] = found["memswap_limit"] = wanted.memory_limit
    return found


def _user(config: ContainerConfig) -> str | None:
    if config.run_as_user is None:
        if config.run_as_group is not None:
            raise CreateFailed("runAsGroup is specified without a runAsUser")
        return None
    return str(config.run_as_user) if config.run_as_group is None else f"{config.run_as_user}:{config.run_as_group}"
