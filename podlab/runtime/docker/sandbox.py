"""Pod sandboxes: a pause container that holds the network and IPC namespaces and the pod's hostname.

Each step that fails undoes what came before it, so that the next sync finds a clean place (dockershim sandbox_run.go).
"""

from __future__ import annotations

import logging
from typing import Any

import docker.errors
from docker.types import Healthcheck, LogConfig
from docker.types import Mount as EngineMount

from podlab.runtime.docker import labels, naming
from podlab.runtime.docker.client import Engine, engine_errors, reason, status_code
from podlab.runtime.docker.container import adopt, remove, signal
from podlab.runtime.docker.images import PauseImage
from podlab.runtime.docker.labels import Scope
from podlab.runtime.errors import RuntimeFailure
from podlab.runtime.interface import SandboxConfig

log = logging.getLogger(__name__)


def run(engine: Engine, scope: Scope, config: SandboxConfig, *, pause: PauseImage, network: str) -> str:
    name = naming.sandbox_name(scope, config.pod, config.attempt)
    with engine_errors():
        sandbox_id = _create(engine, scope, config, name=name, pause=pause, network=network)
    try:
        with engine_errors():
            engine.api.start(sandbox_id)  # one that runs already is left as it is
    except RuntimeFailure:
        try:
            remove(engine, sandbox_id)
        except RuntimeFailure:
            log.exception("cannot remove the sandbox %s that did not start", name)
        raise
    return sandbox_id


def can_mount(engine: Engine, scope: Scope, path: str, *, pause: PauseImage) -> bool:
    """Try a container that mounts `path` without ever starting it."""
    try:
        with engine_errors():
            mount = EngineMount(target="/probe", source=path, type="bind", read_only=True)
            host = engine.api.create_host_config(network_mode="none", mounts=[mount])
            made = engine.api.create_container(pause.ref(), labels={labels.LAB: scope.lab}, host_config=host)
    except RuntimeFailure as error:
        log.info("the engine cannot mount %s: %s", path, error)
        return False
    remove(engine, made["Id"])
    return True


def stop(engine: Engine, scope: Scope, sandbox_id: str) -> None:
    """Kill what still runs in it, then the sandbox. Gone counts as stopped."""
    for container_id in _members(engine, scope, sandbox_id, running=True):
        signal(engine, container_id, "KILL")
    signal(engine, sandbox_id, "KILL")


def remove_all(engine: Engine, scope: Scope, sandbox_id: str) -> None:
    """Its containers, then the sandbox. Gone counts as removed."""
    for container_id in _members(engine, scope, sandbox_id, running=False):
        remove(engine, container_id)
    remove(engine, sandbox_id)


def _members(engine: Engine, scope: Scope, sandbox_id: str, *, running: bool) -> list[str]:
    with engine_errors():
        found = engine.api.containers(all=not running, filters=scope.filters(sandbox=sandbox_id))
    return [entry["Id"] for entry in found]


def _create(engine: Engine, scope: Scope, config: SandboxConfig, *, name: str, pause: PauseImage, network: str) -> str:
    """Make it or find it: the name says that it is the same one. Raises docker-py's errors."""
    for attempt in (1, 2):
        image = pause.ref()
        try:
            return str(_ask(engine, scope, config, name=name, image=image, network=network)["Id"])
        except docker.errors.APIError as error:
            if attempt == 2:
                raise
            if status_code(error) == 409:
                if found := adopt(engine, scope, name):
                    return found
            elif "No such image" in reason(error):
                pause.forget()
            else:
                raise
    raise AssertionError("unreachable")


def _ask(engine: Engine, scope: Scope, config: SandboxConfig, *, name: str, image: str, network: str) -> Any:
    api = engine.api
    host = api.create_host_config(
        network_mode="host" if config.host_network else network,
        ipc_mode="host" if config.host_ipc else "shareable",
        sysctls=dict(config.sysctls) or None,
        port_bindings=_bindings(config) or None,
        cpu_shares=2,
        cap_drop=["ALL"],
        security_opt=["no-new-privileges"],
        log_config=LogConfig(type="none"),
    )
    return api.create_container(
        image,
        name=name,
        hostname=None if config.host_network else config.hostname,
        labels=labels.of_sandbox(scope, config),
        healthcheck=Healthcheck(test=["NONE"]),
        ports=[(port.container_port, port.protocol) for port in config.host_ports] or None,
        host_config=host,
    )


def _bindings(config: SandboxConfig) -> dict[str, list[tuple[str, int]]]:
    """A pod on the host network has its ports on the node already."""
    found: dict[str, list[tuple[str, int]]] = {}
    for port in () if config.host_network else config.host_ports:
        found.setdefault(f"{port.container_port}/{port.protocol}", []).append((port.host_ip, port.host_port))
    return found
