"""Levels and versions, and the labels that name them. Source: k8s.io/pod-security-admission/api/{constants,helpers}.go."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from podlab.apis import field_errors
from podlab.apis.field_errors import FieldError

PRIVILEGED = "privileged"
BASELINE = "baseline"
RESTRICTED = "restricted"
LEVELS = (PRIVILEGED, BASELINE, RESTRICTED)  # from lax to strict

ENFORCE = "enforce"
AUDIT = "audit"
WARN = "warn"

LATEST = 10_000  # newer than any minor version
_PREFIX = "pod-security.kubernetes.io/"
_VERSION = re.compile(r"v1\.(0|[1-9][0-9]*)")


@dataclass(frozen=True, slots=True)
class Rule:
    """A level as one minor version of Kubernetes understood it."""

    level: str = PRIVILEGED
    minor: int = LATEST

    def __str__(self) -> str:
        return f"{self.level}:{'latest' if self.minor == LATEST else f'v1.{self.minor}'}"

    @property
    def strictness(self) -> int:
        return LEVELS.index(self.level)


@dataclass(frozen=True, slots=True)
class Policy:
    enforce: Rule = Rule()
    audit: Rule = Rule()
    warn: Rule = Rule()


@dataclass(slots=True)
class _Reading:
    labels: Mapping[str, str]
    unlabelled: str = PRIVILEGED  # what is enforced where no label says it
    errors: list[FieldError] = field(default_factory=list)

    def rule(self, mode: str) -> Rule:
        return Rule(self._level(mode), self._minor(mode))

    def _level(self, mode: str) -> str:
        label = _PREFIX + mode
        text = self.labels.get(label)
        if text is None:
            return self.unlabelled if mode == ENFORCE else PRIVILEGED
        if text in LEVELS:
            return text
        self._wrong(label, text, f"must be one of {', '.join(LEVELS)}")
        # What nobody understands is enforced at its strictest, and neither audited nor warned about.
        return RESTRICTED if mode == ENFORCE else PRIVILEGED

    def _minor(self, mode: str) -> int:
        label = f"{_PREFIX}{mode}-version"
        text = self.labels.get(label)
        if text is None or text == "latest":
            return LATEST
        found = _VERSION.fullmatch(text)
        if found is None:
            self._wrong(label, text, 'must be "latest" or "v1.x"')
            return LATEST
        return int(found[1])

    def _wrong(self, label: str, text: str, detail: str) -> None:
        self.errors.append(field_errors.invalid(f"metadata.labels[{label}]", text, detail))


def is_enforced(labels: Mapping[str, str]) -> bool:
    """Whether a label says what is enforced."""
    return _PREFIX + ENFORCE in labels


def policy_of(labels: Mapping[str, str], unlabelled: str = PRIVILEGED) -> tuple[Policy, list[FieldError]]:
    """What the labels of a namespace ask for, and what is wrong with them."""
    reading = _Reading(labels, unlabelled)
    enforce, audit, warn = reading.rule(ENFORCE), reading.rule(AUDIT), reading.rule(WARN)
    if (
        (labels.get(_PREFIX + ENFORCE) in LEVELS or (_PREFIX + ENFORCE not in labels and unlabelled != PRIVILEGED))
        and _PREFIX + WARN not in labels
        and enforce.strictness > warn.strictness
    ):
        # Whoever enforces a level is warned at it too: about the templates of workloads, which nothing else checks.
        own_version = f"{_PREFIX}{WARN}-version" in labels
        warn = Rule(enforce.level, warn.minor if own_version else enforce.minor)
    return Policy(enforce, audit, warn), reading.errors
