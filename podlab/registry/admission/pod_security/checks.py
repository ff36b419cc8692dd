"""What the checks of both levels share: what a check is, whom it looks at, and how its findings are put into words.

Source: k8s.io/pod-security-admission/policy/{checks,helpers,visitor}.go.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from podlab.apis.types import Manifest

_LISTS = ("initContainers", "containers", "ephemeralContainers")


@dataclass(frozen=True, slots=True)
class Violation:
    reason: str
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.reason} ({self.detail})" if self.detail else self.reason


@dataclass(frozen=True, slots=True)
class Subject:
    """The metadata and the spec of a pod, or of a pod template."""

    metadata: Manifest
    spec: Manifest

    def containers(self) -> Iterator[Manifest]:
        for name in _LISTS:
            yield from self.spec.get(name) or []

    @property
    def context(self) -> Manifest:
        context: Manifest = self.spec.get("securityContext") or {}
        return context

    @property
    def annotations(self) -> dict[str, str]:
        return self.metadata.get("annotations") or {}

    @property
    def on_windows(self) -> bool:
        return bool((self.spec.get("os") or {}).get("name") == "windows")

    @property
    def has_own_users(self) -> bool:
        """In a user namespace root is nobody outside (relaxPolicyForUserNamespacePod)."""
        return self.spec.get("hostUsers") is False


Test = Callable[[Subject], Violation | None]


@dataclass(frozen=True, slots=True)
class Check:
    """`tests` holds (first minor version, test), oldest first; before the first one nothing is checked."""

    id: str
    tests: tuple[tuple[int, Test], ...]
    overrides: tuple[str, ...] = ()

    def test(self, minor: int) -> Test | None:
        return next((test for since, test in reversed(self.tests) if since <= minor), None)


def security(container: Manifest) -> Manifest:
    context: Manifest = container.get("securityContext") or {}
    return context


def name_of(container: Manifest) -> str:
    return str(container.get("name", ""))


def named(subject: Subject, bad: Callable[[Manifest], Any]) -> list[str]:
    """The names of the containers that `bad` finds fault with."""
    return [name_of(container) for container in subject.containers() if bad(container)]


def quoted(values: Iterable[str]) -> str:
    return ", ".join(f'"{value}"' for value in values)


def plural(one: str, many: str, of: Collection[Any]) -> str:
    return one if len(of) == 1 else many


def containers_text(names: Collection[str]) -> str:
    return f"{plural('container', 'containers', names)} {quoted(names)}"


def setters(pod: bool, names: Collection[str]) -> str:
    """ "pod and container "c"": who set something wrong."""
    return " and ".join([*(["pod"] if pod else []), *([containers_text(names)] if names else [])])
