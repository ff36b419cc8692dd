"""Configurations to and from journal records. Pure."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from podlab.runtime.interface import ContainerConfig, Mount, PodRef, SandboxConfig


def from_sandbox(config: SandboxConfig) -> dict[str, Any]:
    return {**asdict(config), "labels": dict(config.labels), "annotations": dict(config.annotations)}


def to_sandbox(data: dict[str, Any]) -> SandboxConfig:
    return SandboxConfig(**{**data, "pod": PodRef(**data["pod"])})


def from_container(config: ContainerConfig) -> dict[str, Any]:
    return {**asdict(config), "annotations": dict(config.annotations)}


def to_container(data: dict[str, Any]) -> ContainerConfig:
    fields = dict(data)
    fields["pod"] = PodRef(**data["pod"])
    fields["mounts"] = tuple(Mount(**mount) for mount in data["mounts"])
    fields["env"] = tuple((name, value) for name, value in data["env"])
    fields["ports"] = tuple(data["ports"])
    for name in ("command", "args"):
        fields[name] = None if data[name] is None else tuple(data[name])
    return ContainerConfig(**fields)
