"""Typed readers of the environment. Nonsense is an error at start, never a default."""

from __future__ import annotations

import os
from ipaddress import IPv4Network
from pathlib import Path

from podlab.kubelet.pressure import parse_thresholds

SERVICE_NETWORK = "10.96.0.0/16"
SERVICE_NETWORK_FILE = "service-network"  # in the data folder


class BadEnvironment(Exception):
    """A variable has a value that cannot be used; the message names it."""


def text(name: str, default: str) -> str:
    return os.environ.get(name, "").strip() or default


def integer(name: str, default: int, *, low: int, high: int) -> int:
    raw = os.environ.get(name, "").strip()
    if not raw:
        return default
    try:
        value = int(raw)
    except ValueError:
        raise BadEnvironment(f"{name} must be a whole number, not {raw!r}") from None
    if not low <= value <= high:
        raise BadEnvironment(f"{name} must be between {low} and {high}, not {value}")
    return value


def boolean(name: str, default: bool) -> bool:
    raw = os.environ.get(name, "").strip().lower()
    if not raw:
        return default
    if raw in {"1", "true", "yes", "on"}:
        return True
    if raw in {"0", "false", "no", "off"}:
        return False
    raise BadEnvironment(f"{name} must be true or false, not {raw!r}")


def choice(name: str, default: str, allowed: tuple[str, ...]) -> str:
    value = text(name, default)
    if value not in allowed:
        raise BadEnvironment(f"{name} must be one of {', '.join(allowed)}, not {value!r}")
    return value


def names(name: str, default: str) -> tuple[str, ...]:
    """Comma-separated, trimmed, without empty ones."""
    return tuple(part.strip() for part in text(name, default).split(",") if part.strip())


def thresholds(name: str, default: str) -> str:
    """When a Docker node evicts, as a kubelet's evictionHard: SIGNAL<AMOUNT, comma-separated."""
    value = text(name, default)
    try:
        parse_thresholds(value)
    except ValueError as error:
        raise BadEnvironment(f"{name}: {error}") from None
    return value


def folder(name: str, default: Path) -> Path:
    return Path(text(name, str(default))).expanduser().resolve()


def service_network(name: str, data: Path) -> str:
    """The network of Services: as given, or the one that this lab has taken (`ops.service_network`), or the usual one."""
    kept = data / SERVICE_NETWORK_FILE
    raw = text(name, "") or (kept.read_text().strip() if kept.exists() else "") or SERVICE_NETWORK
    try:
        network = IPv4Network(raw)
    except ValueError as error:
        raise BadEnvironment(f"{name} must be an IPv4 network such as {SERVICE_NETWORK}: {error}") from None
    if not 12 <= network.prefixlen <= 26:
        raise BadEnvironment(f"{name} must have between 12 and 26 bits, not {network.prefixlen}")
    return str(network)
