"""What a cluster begins with, besides namespaces and nodes."""

from __future__ import annotations

from typing import Any

import pytest
from registry_samples import refusal

from podlab.registry import clusters, kubernetes_service
from podlab.registry.client import Client

pytestmark = pytest.mark.django_db


def test_kubernetes_own_priority_classes(client: Client) -> None:
    found = {item.key.name: item.obj["value"] for item in client.list("priorityclasses.scheduling.k8s.io", None).items}
    assert found == {"system-cluster-critical": 2_000_000_000, "system-node-critical": 2_000_001_000}
    error = refusal(client.delete, "priorityclasses.scheduling.k8s.io", "", "system-node-critical")
    assert "this is a system priority class and cannot be deleted" in error.message


def test_the_service_of_the_api(client: Client, settings: Any) -> None:
    spec = client.get("services", "default", "kubernetes").obj["spec"]
    assert (spec["clusterIP"], spec["ports"][0]["targetPort"]) == ("10.96.0.1", settings.PODLAB_API_PORT)


def test_its_endpoints_follow_the_lab(client: Client, settings: Any) -> None:
    settings.PODLAB_BIND, settings.PODLAB_API_PORT = "192.0.2.7", 6443
    clusters.ensure_main("sim")
    subset = client.get("endpoints", "default", "kubernetes").obj["subsets"][0]
    assert subset == {"addresses": [{"ip": "192.0.2.7"}], "ports": [{"name": "https", "port": 6443, "protocol": "TCP"}]}
    found = client.get("endpointslices.discovery.k8s.io", "default", "kubernetes").obj
    assert found["endpoints"] == [{"addresses": ["192.0.2.7"], "conditions": {"ready": True}}]
    assert found["metadata"]["labels"] == {"kubernetes.io/service-name": "kubernetes"}


@pytest.mark.parametrize("bound", ["0.0.0.0", "127.0.0.1", "::", "lab.example"])
def test_an_address_that_others_cannot_use_is_not_told(bound: str, settings: Any, monkeypatch: Any) -> None:
    settings.PODLAB_BIND = bound
    monkeypatch.setattr(kubernetes_service, "_own_addresses", list)
    assert kubernetes_service.advertised() == ""
