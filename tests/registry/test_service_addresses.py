"""Services get addresses and ports that nobody else has, and give them back."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any

import pytest

from podlab.apis.status_errors import ApiError
from podlab.apis.types import Manifest
from podlab.registry import service_network
from podlab.registry.client import Client
from podlab.registry.operations import WriteOptions

MERGE = "application/merge-patch+json"


def _service(client: Client, name: str, **spec: Any) -> Manifest:
    body = {"metadata": {"name": name}, "spec": {"selector": {"app": "a"}, "ports": [{"port": 80}], **spec}}
    return client.create("services", body, namespace="default").obj


def _patch(client: Client, name: str, spec: Manifest) -> Manifest:
    return client.patch("services", "default", name, MERGE, {"spec": spec}).obj


@pytest.mark.django_db
def test_every_service_has_an_address_of_its_own(client: Client) -> None:
    made = [_service(client, f"s{number}")["spec"] for number in range(3)]
    addresses = {spec["clusterIP"] for spec in made}
    assert len(addresses) == 3
    assert all(ip_address(address) in service_network.NETWORK for address in addresses)
    assert all(spec["clusterIPs"] == [spec["clusterIP"]] for spec in made)


@pytest.mark.django_db
def test_a_taken_address_is_refused_and_free_again_later(client: Client) -> None:
    address = _service(client, "a")["spec"]["clusterIP"]
    with pytest.raises(ApiError) as refused:
        _service(client, "b", clusterIP=address)
    assert refused.value.message.endswith(f"failed to allocate IP {address}: provided IP is already allocated")
    client.delete("services", "default", "a")
    assert _service(client, "b", clusterIP=address)["spec"]["clusterIP"] == address


@pytest.mark.django_db
def test_a_node_port_stays_through_updates_and_goes_with_the_type(client: Client) -> None:
    port = _service(client, "a", type="NodePort")["spec"]["ports"][0]["nodePort"]
    assert port in service_network.NODE_PORTS
    replaced = {"metadata": {"name": "a"}, "spec": {"type": "NodePort", "ports": [{"port": 80}]}}
    assert client.update("services", "default", "a", replaced).obj["spec"]["ports"][0]["nodePort"] == port
    with pytest.raises(ApiError, match="provided port is already allocated"):
        _service(client, "b", type="NodePort", ports=[{"port": 80, "nodePort": port}])
    assert "nodePort" not in _patch(client, "a", {"type": "ClusterIP"})["spec"]["ports"][0]


@pytest.mark.django_db
def test_an_external_name_has_no_address(client: Client) -> None:
    _service(client, "a")
    spec = _patch(client, "a", {"type": "ExternalName", "externalName": "example.com"})["spec"]
    assert not {"clusterIP", "clusterIPs", "ipFamilies", "internalTrafficPolicy"} & set(spec)
    assert _patch(client, "a", {"type": "ClusterIP", "externalName": None})["spec"]["clusterIP"]


@pytest.mark.django_db
def test_a_balancer_for_local_traffic_has_a_port_for_health_checks(client: Client) -> None:
    spec = _service(client, "a", type="LoadBalancer", externalTrafficPolicy="Local")["spec"]
    assert spec["healthCheckNodePort"] in service_network.NODE_PORTS
    assert spec["healthCheckNodePort"] != spec["ports"][0]["nodePort"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("spec", "text"),
    [
        ({"ipFamilyPolicy": "RequireDualStack"}, "this cluster is not configured for dual-stack services"),
        ({"ipFamilies": ["IPv6"]}, "not configured on this cluster"),
        ({"clusterIP": "8.8.8.8"}, "the provided network does not match the current range"),
    ],
)
def test_one_family_and_one_network(client: Client, spec: Manifest, text: str) -> None:
    with pytest.raises(ApiError, match=text):
        _service(client, "a", **spec)


@pytest.mark.django_db
def test_a_dry_run_takes_no_address(client: Client) -> None:
    body = {"metadata": {"name": "a"}, "spec": {"ports": [{"port": 80}]}}
    dry = client.create("services", body, namespace="default", options=WriteOptions(dry_run=True)).obj
    assert _service(client, "b")["spec"]["clusterIP"] == dry["spec"]["clusterIP"]
