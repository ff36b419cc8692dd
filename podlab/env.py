"""Typed readers of the environment. Nonsense is an error at start, never a default."""

from __future__ import annotations

import os
from pathlib import Path


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


def folder(name: str, default: Path) -> Path:
    return Path(text(name, str(default))).expanduser().resolve()
