"""Names of sandboxes and containers in the engine.

A name is computed from what the thing is for, so the engine itself refuses to make it twice: that is what makes create
idempotent after a crash (dockershim core/naming.go). The prefix keeps two labs on one engine apart.
"""

from __future__ import annotations

from podlab.runtime.docker.labels import Scope
from podlab.runtime.interface import PodRef

SANDBOX_CONTAINER = "POD"


def container_name(scope: Scope, pod: PodRef, container: str, attempt: int) -> str:
    return "_".join((scope.prefix, "k8s", container, pod.name, pod.namespace, pod.uid, str(attempt)))


def sandbox_name(scope: Scope, pod: PodRef, attempt: int) -> str:
    return container_name(scope, pod, SANDBOX_CONTAINER, attempt)
