"""What may stand in the status of apps/v1 objects (pkg/apis/apps/validation/validation.go, ValidateXStatus).

Controllers write it through /status, and so may a client.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from podlab.apis.field_errors import invalid
from podlab.apis.types import Manifest
from podlab.apis.validation.rules import Errors, not_negative

_MORE = "cannot be greater than status.replicas"
_PATH = "status"


def _status(obj: Manifest) -> Manifest:
    return obj.get("status") or {}


def _count(status: Manifest, field: str) -> int:
    return status.get(field) or 0


def _numbers(status: Manifest, fields: tuple[str, ...]) -> Errors:
    for field in fields:
        yield from not_negative(_PATH, status, field)


def _not_more(status: Manifest, fields: tuple[str, ...], ready: str) -> Errors:
    """None of these counts exceeds replicas; available pods are ready ones."""
    for field in fields:
        if _count(status, field) > _count(status, "replicas"):
            yield invalid(f"{_PATH}.{field}", status[field], _MORE)
    if _count(status, "availableReplicas") > _count(status, "readyReplicas"):
        yield invalid(f"{_PATH}.availableReplicas", status["availableReplicas"], f"cannot be greater than {ready}")


def _collisions(new: Manifest, old: Manifest) -> Errors:
    if _count(_status(new), "collisionCount") < _count(_status(old), "collisionCount"):
        yield invalid(f"{_PATH}.collisionCount", _count(_status(new), "collisionCount"), "cannot be decremented")


_DEPLOYMENT = (
    "observedGeneration", "replicas", "updatedReplicas", "readyReplicas", "availableReplicas", "unavailableReplicas",
    "terminatingReplicas", "collisionCount",
)  # fmt: skip
_REPLICA_SET = (
    "replicas", "fullyLabeledReplicas", "readyReplicas", "availableReplicas", "observedGeneration",
    "terminatingReplicas",
)  # fmt: skip
_STATEFUL_SET = (
    "replicas", "readyReplicas", "currentReplicas", "updatedReplicas", "availableReplicas", "observedGeneration",
    "collisionCount",
)  # fmt: skip
_DAEMON_SET = (
    "currentNumberScheduled", "numberMisscheduled", "desiredNumberScheduled", "numberReady", "observedGeneration",
    "updatedNumberScheduled", "numberAvailable", "numberUnavailable", "collisionCount",
)  # fmt: skip


def _deployment(new: Manifest, old: Manifest) -> Errors:
    status = _status(new)
    yield from _numbers(status, _DEPLOYMENT)
    yield from _not_more(status, ("updatedReplicas", "readyReplicas", "availableReplicas"), "readyReplicas")
    yield from _collisions(new, old)


def _replica_set(new: Manifest, old: Manifest) -> Errors:
    status = _status(new)
    yield from _numbers(status, _REPLICA_SET)
    yield from _not_more(status, ("fullyLabeledReplicas", "readyReplicas", "availableReplicas"), "readyReplicas")


def _stateful_set(new: Manifest, old: Manifest) -> Errors:
    status = _status(new)
    yield from _numbers(status, _STATEFUL_SET)
    fields = ("readyReplicas", "currentReplicas", "updatedReplicas", "availableReplicas")
    yield from _not_more(status, fields, "status.readyReplicas")
    yield from _collisions(new, old)


def _daemon_set(new: Manifest, old: Manifest) -> Errors:
    yield from _numbers(_status(new), _DAEMON_SET)
    yield from _collisions(new, old)


BY_KEY: Mapping[str, Callable[[Manifest, Manifest], Errors]] = {
    "deployments.apps": _deployment,
    "replicasets.apps": _replica_set,
    "statefulsets.apps": _stateful_set,
    "daemonsets.apps": _daemon_set,
}
