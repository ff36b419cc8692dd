"""Claims and volumes that are deleted while somebody uses them."""

from __future__ import annotations

import pytest
from controllers_driven import Driven

from podlab.apis.types import Manifest

pytestmark = pytest.mark.django_db

CLAIMS = "persistentvolumeclaims"


def claim(name: str) -> Manifest:
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": name}, "spec": spec}


def pod(name: str, claim_name: str, node: str = "") -> Manifest:
    volume = {"name": "v", "persistentVolumeClaim": {"claimName": claim_name}}
    spec = {"containers": [{"name": "c", "image": "x"}], "volumes": [volume]}
    if node:
        spec["nodeName"] = node  # type: ignore[assignment]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}


def test_one_that_nobody_uses_goes(driven: Driven) -> None:
    driven.client.create(CLAIMS, claim("c"), namespace="default")
    driven.client.create("pods", pod("waiting", "c"), namespace="default")
    driven.client.delete(CLAIMS, "default", "c")
    driven.settle()
    assert driven.client.find(CLAIMS, "default", "c") is None


def test_a_pod_on_a_node_keeps_its_claim(driven: Driven) -> None:
    driven.client.create(CLAIMS, claim("c"), namespace="default")
    driven.client.create("pods", pod("p", "c", node="n"), namespace="default")
    driven.client.delete(CLAIMS, "default", "c")
    driven.settle()
    assert driven.client.get(CLAIMS, "default", "c").obj["metadata"]["finalizers"] == ["kubernetes.io/pvc-protection"]
    driven.client.delete("pods", "default", "p", grace=0)
    driven.settle()
    assert driven.client.find(CLAIMS, "default", "c") is None
