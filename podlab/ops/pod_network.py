"""Asked by workers that are no kubelet: where the pods' network meets this machine."""

from __future__ import annotations

from django.conf import settings

from podlab.runtime.docker import pod_network
from podlab.runtime.docker.pod_network import PodNetwork

__all__ = ["PodNetwork", "find"]


def find() -> PodNetwork:
    """RuntimeFailure, with the reason, when it does not."""
    return pod_network.find(settings.PODLAB_DOCKER_HOST, settings.PODLAB_DOCKER_NETWORK)
