"""Configurations to and from journal records. Pure."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from podlab.runtime.interface import ContainerConfig, HostPort, Mount, PidNamespace, PodRef, SandboxConfig


def from_sandbox(config: SandboxConfig) -> dict[str, Any]:
    return {
        **asdict(config),
        "labels": dict(config.labels),
        "annotations": dict(config.annotations),
        "sysctls": dict(config.sysctls),
    }


def to_sandbox(data: dict[str, Any]) -> SandboxConfig:
    ports = tuple(HostPort(**port) for port in data.get("host_ports") or ())
    return SandboxConfig(**{**data, "pod": PodRef(**data["pod"]), "host_ports": ports})


def from_container(config: ContainerConfig) -> dict[str, Any]:
    return {**asdict(config), "annotations": dict(config.annotations)}


def to_container(data: dict[str, Any]) -> ContainerConfig:
    fields = dict(data)
    fields["pod"] = PodRef(**data["pod"])
    fields["mounts"] = tuple(Mount(**mount) for mount in data["mounts"])
    fields["env"] = tuple((name, value) for name, value in data["env"])
    fields["pid_namespace"] = PidNamespace(data.get("pid_namespace", PidNamespace.CONTAINER))
    fields["ports"] = tuple(data["ports"])
    for name in ("groups", "add_capabilities", "drop_capabilities"):
        fields[name] = tuple(data.get(name) or ())
    for name in ("command", "args"):
        fields[name] = None if data[name] is None else tuple(data[name])
    return ContainerConfig(**fields)
