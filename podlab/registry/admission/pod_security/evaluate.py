"""Which checks a level of a version consists of, and what they find in a pod.

Source: k8s.io/pod-security-admission/policy/registry.go.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from podlab.registry.admission.pod_security import baseline, restricted
from podlab.registry.admission.pod_security.checks import Check, Subject, Test, Violation
from podlab.registry.admission.pod_security.levels import BASELINE, PRIVILEGED, Rule


def violations(rule: Rule, subject: Subject) -> list[Violation]:
    """Baseline's findings first, then those that restricted adds."""
    found = (test(subject) for test in _tests(rule))
    return [violation for violation in found if violation is not None]


def reasons(found: Sequence[Violation]) -> str:
    return ", ".join(violation.reason for violation in found)


def details(found: Sequence[Violation]) -> str:
    return ", ".join(str(violation) for violation in found)


@lru_cache(64)  # versions come from labels
def _tests(rule: Rule) -> tuple[Test, ...]:
    if rule.level == PRIVILEGED:
        return ()
    stricter: Sequence[Check] = () if rule.level == BASELINE else restricted.CHECKS
    active = [check for check in stricter if check.test(rule.minor)]
    overridden = {name for check in active for name in check.overrides}
    checks = [*(check for check in baseline.CHECKS if check.id not in overridden), *active]
    return tuple(test for check in checks if (test := check.test(rule.minor)) is not None)
