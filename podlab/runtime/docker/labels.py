"""The labels on everything this lab makes in the engine: how it finds its own, and how it kills without a spec.

Docker's labels cannot change and it has no annotations, so what Kubernetes keeps in annotations is a label here too
(dockershim core/labels). Our own names come last: a pod's labels cannot pretend to be another lab's.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from podlab.runtime.interface import ContainerConfig, PodRef, SandboxConfig

LAB = "podlab.dev/lab"
CLUSTER = "podlab.dev/cluster"
NODE = "podlab.dev/node"
TYPE = "podlab.dev/type"
ATTEMPT = "podlab.dev/attempt"
IMAGE = "podlab.dev/image"
IMAGE_ID = "podlab.dev/image-id"
SANDBOX, CONTAINER = "sandbox", "container"

POD_NAME = "io.kubernetes.pod.name"
POD_NAMESPACE = "io.kubernetes.pod.namespace"
POD_UID = "io.kubernetes.pod.uid"
CONTAINER_NAME = "io.kubernetes.container.name"
SANDBOX_ID = "io.kubernetes.sandbox.id"
CONTAINER_HASH = "annotation.io.kubernetes.container.hash"
GRACE = "annotation.io.kubernetes.pod.terminationGracePeriod"


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose containers: one node of one cluster of one lab."""

    lab: str
    cluster: str
    node: str

    @property
    def prefix(self) -> str:
        """Keeps the names of two labs on one engine apart."""
        return hashlib.sha256("\0".join((self.lab, self.cluster, self.node)).encode()).hexdigest()[:8]

    def labels(self) -> dict[str, str]:
        return {LAB: self.lab, CLUSTER: self.cluster, NODE: self.node}

    def filters(self, **labels: str) -> dict[str, list[str]]:
        """For the engine's listings and events. Every one of them goes through here."""
        wanted = self.labels() | {_ARGUMENTS[name]: value for name, value in labels.items()}
        return {"label": [f"{name}={value}" for name, value in wanted.items()]}

    def owns(self, labels: Mapping[str, str] | None) -> bool:
        return all((labels or {}).get(name) == value for name, value in self.labels().items())


_ARGUMENTS = {"uid": POD_UID, "kind": TYPE, "sandbox": SANDBOX_ID}


def of_sandbox(scope: Scope, config: SandboxConfig) -> dict[str, str]:
    annotations = {f"annotation.{name}": value for name, value in config.annotations.items()}
    own = {TYPE: SANDBOX, CONTAINER_NAME: "POD", ATTEMPT: str(config.attempt)}
    return {**config.labels, **annotations, **_of_pod(config.pod), **own, **scope.labels()}


def of_container(scope: Scope, sandbox_id: str, config: ContainerConfig) -> dict[str, str]:
    return {
        **_of_pod(config.pod),
        TYPE: CONTAINER,
        CONTAINER_NAME: config.name,
        ATTEMPT: str(config.attempt),
        IMAGE: config.image,
        IMAGE_ID: config.image_id,
        SANDBOX_ID: sandbox_id,
        CONTAINER_HASH: config.hash,
        GRACE: str(config.grace_seconds),
        **scope.labels(),
    }


def pod_of(labels: Mapping[str, str]) -> PodRef:
    return PodRef(labels[POD_NAMESPACE], labels[POD_NAME], labels[POD_UID])


def _of_pod(pod: PodRef) -> dict[str, str]:
    return {POD_NAME: pod.name, POD_NAMESPACE: pod.namespace, POD_UID: pod.uid}
