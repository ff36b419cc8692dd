"""Services find their pods: Endpoints, EndpointSlices, and slices that mirror hand-made Endpoints."""

from __future__ import annotations

from typing import Any

import pytest
from controllers_driven import Driven

from podlab.apis.types import Manifest
from podlab.controllers import slices_plan

SLICES = "endpointslices.discovery.k8s.io"


@pytest.fixture
def cluster(driven: Driven) -> Driven:
    driven.settle()
    return driven


def pod(driven: Driven, name: str, ip: str, *, ready: bool = True, **spec: Any) -> None:
    container = {"name": "c", "image": "busybox:1.36", "ports": [{"name": "web", "containerPort": 8080}]}
    body = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {"app": "a"}},
        "spec": {"containers": [container], "nodeName": "node-a", **spec},
    }
    driven.client.create("pods", body, namespace="default")
    say(driven, name, ip=ip, ready=ready)


def say(driven: Driven, name: str, *, ready: bool, ip: str = "", phase: str = "Running") -> None:
    def change(obj: Manifest) -> None:
        obj["status"]["phase"] = phase
        if ip:
            obj["status"]["podIP"], obj["status"]["podIPs"] = ip, [{"ip": ip}]
        condition = {
            "type": "Ready",
            "status": "True" if ready else "False",
            "lastTransitionTime": "2026-11-21T02:00:07Z",
        }
        obj["status"]["conditions"] = [condition]

    driven.client.update_status("pods", "default", name, change)


def service(driven: Driven, name: str = "web", **spec: Any) -> Manifest:
    wanted = {"selector": {"app": "a"}, "ports": [{"port": 80, "targetPort": "web"}], **spec}
    wanted = {field: value for field, value in wanted.items() if value is not None}
    body = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "labels": {"team": "x"}}, "spec": wanted}
    return driven.client.create("services", body, namespace="default").obj


def endpoints(driven: Driven, name: str = "web") -> Manifest:
    driven.settle()
    return driven.client.get("endpoints", "default", name).obj


def slices(driven: Driven, name: str = "web") -> list[Manifest]:
    driven.settle()
    found = driven.client.list(SLICES, "default", label_selector=f"kubernetes.io/service-name={name}")
    return [item.obj for item in found.items]


def test_ready_and_waiting_pods_stand_apart(cluster: Driven) -> None:
    made = service(cluster)
    cluster.settle()  # what follows is stamped with the pods' times, not with the Service's
    pod(cluster, "p1", "10.244.0.2")
    pod(cluster, "p2", "10.244.0.3", ready=False)
    found = endpoints(cluster)
    (subset,) = found["subsets"]
    uid = cluster.client.get("pods", "default", "p1").uid
    target = {"kind": "Pod", "namespace": "default", "name": "p1", "uid": uid}
    assert subset["addresses"] == [{"ip": "10.244.0.2", "nodeName": "node-a", "targetRef": target}]
    assert [one["ip"] for one in subset["notReadyAddresses"]] == ["10.244.0.3"]
    assert subset["ports"] == [{"port": 8080, "protocol": "TCP"}]
    meta = found["metadata"]
    assert meta["labels"] == {"team": "x", "endpoints.kubernetes.io/managed-by": "endpoint-controller"}
    assert meta["annotations"]["endpoints.kubernetes.io/last-change-trigger-time"] == "2026-11-21T02:00:07Z"

    (piece,) = slices(cluster)
    first, second = sorted(piece["endpoints"], key=lambda one: str(one["addresses"]))
    assert first["conditions"] == {"ready": True, "serving": True, "terminating": False}
    assert second["conditions"] == {"ready": False, "serving": False, "terminating": False}
    assert (first["addresses"], first["nodeName"], first["targetRef"]) == (["10.244.0.2"], "node-a", target)
    assert piece["ports"] == [{"name": "", "port": 8080, "protocol": "TCP"}]
    owner = {"apiVersion": "v1", "kind": "Service", "name": "web", "uid": made["metadata"]["uid"]}
    assert piece["metadata"]["ownerReferences"] == [{**owner, "controller": True, "blockOwnerDeletion": True}]
    assert piece["metadata"]["name"].startswith("web-")
    assert piece["metadata"]["labels"]["endpointslice.kubernetes.io/managed-by"] == "endpointslice-controller.k8s.io"


def test_a_service_without_pods_has_empty_ones_and_takes_them_along(cluster: Driven) -> None:
    service(cluster)
    assert endpoints(cluster).get("subsets") in (None, [])
    (piece,) = slices(cluster)
    assert (piece.get("endpoints") or [], piece.get("ports") or []) == ([], [])
    pod(cluster, "p1", "10.244.0.2")
    (filled,) = slices(cluster)
    assert filled["metadata"]["uid"] == piece["metadata"]["uid"]
    cluster.client.delete("services", "default", "web")
    assert slices(cluster) == []
    assert cluster.client.find("endpoints", "default", "web") is None


def test_pods_on_their_way_out_serve_but_are_not_ready(cluster: Driven) -> None:
    service(cluster)
    pod(cluster, "p1", "10.244.0.2")
    pod(cluster, "p2", "10.244.0.3")
    cluster.client.delete("pods", "default", "p1", grace=30)
    assert [one["ip"] for one in endpoints(cluster)["subsets"][0]["addresses"]] == ["10.244.0.3"]
    conditions = {one["addresses"][0]: one["conditions"] for one in slices(cluster)[0]["endpoints"]}
    assert conditions["10.244.0.2"] == {"ready": False, "serving": True, "terminating": True}
    say(cluster, "p2", ready=False, phase="Failed")
    assert not endpoints(cluster).get("subsets")


def test_what_is_not_ready_can_be_published(cluster: Driven) -> None:
    service(cluster, publishNotReadyAddresses=True)
    pod(cluster, "p1", "10.244.0.2", ready=False)
    assert "notReadyAddresses" not in endpoints(cluster)["subsets"][0]
    conditions = slices(cluster)[0]["endpoints"][0]["conditions"]
    assert conditions == {"ready": True, "serving": False, "terminating": False}


def test_headless_services_name_their_pods(cluster: Driven) -> None:
    service(cluster, clusterIP="None", ports=None)
    pod(cluster, "p1", "10.244.0.2", hostname="first", subdomain="web")
    pod(cluster, "p2", "10.244.0.3", hostname="second", subdomain="other")
    found = endpoints(cluster)
    named = {one["ip"]: one.get("hostname") for one in found["subsets"][0]["addresses"]}
    assert named == {"10.244.0.2": "first", "10.244.0.3": None}
    assert "ports" not in found["subsets"][0]
    assert found["metadata"]["labels"]["service.kubernetes.io/headless"] == ""
    (piece,) = slices(cluster)
    assert {one["addresses"][0]: one.get("hostname") for one in piece["endpoints"]} == named


def test_a_port_that_a_pod_lacks_leaves_the_pod_out(cluster: Driven) -> None:
    ports = [{"name": "a", "port": 80, "targetPort": "web"}, {"name": "b", "port": 81, "targetPort": "nothing"}]
    service(cluster, ports=ports)
    pod(cluster, "p1", "10.244.0.2")
    assert endpoints(cluster)["subsets"][0]["ports"] == [{"name": "a", "port": 8080, "protocol": "TCP"}]
    cluster.client.delete("services", "default", "web")
    service(cluster, ports=ports[1:])
    assert not endpoints(cluster).get("subsets")


def test_what_is_removed_by_hand_comes_back_and_nothing_is_written_twice(cluster: Driven) -> None:
    service(cluster)
    pod(cluster, "p1", "10.244.0.2")
    before = endpoints(cluster)
    cluster.client.delete("endpoints", "default", "web")
    (piece,) = slices(cluster)
    cluster.client.delete(SLICES, "default", piece["metadata"]["name"])
    after = endpoints(cluster)
    assert after["subsets"] == before["subsets"]
    assert after["metadata"]["uid"] != before["metadata"]["uid"]
    (again,) = slices(cluster)
    assert again["endpoints"] == piece["endpoints"]
    cluster.take_up()
    assert endpoints(cluster)["metadata"]["resourceVersion"] == after["metadata"]["resourceVersion"]
    assert slices(cluster)[0]["metadata"]["resourceVersion"] == again["metadata"]["resourceVersion"]


def test_hand_made_endpoints_are_mirrored(cluster: Driven) -> None:
    service(cluster, selector=None)
    subsets = [
        {
            "addresses": [{"ip": "10.1.2.3", "hostname": "h"}],
            "notReadyAddresses": [{"ip": "10.1.2.4"}],
            "ports": [{"name": "http", "port": 9376, "protocol": "TCP"}],
        }
    ]
    body: Manifest = {
        "apiVersion": "v1",
        "kind": "Endpoints",
        "metadata": {"name": "web", "labels": {"l": "1"}, "annotations": {"a": "1"}},
        "subsets": subsets,
    }
    made = cluster.client.create("endpoints", body, namespace="default").obj
    (piece,) = slices(cluster)
    assert [(one["addresses"], one["conditions"]) for one in piece["endpoints"]] == [
        (["10.1.2.3"], {"ready": True}),
        (["10.1.2.4"], {"ready": False}),
    ]
    assert piece["metadata"]["labels"]["endpointslice.kubernetes.io/managed-by"] == slices_plan.MIRRORING
    assert (piece["metadata"]["labels"]["l"], piece["metadata"]["annotations"]) == ("1", {"a": "1"})
    assert piece["metadata"]["ownerReferences"][0]["kind"] == "Endpoints"
    made["subsets"][0]["addresses"][0]["ip"] = "10.1.2.9"
    cluster.client.update("endpoints", "default", "web", made)
    assert {one["addresses"][0] for one in slices(cluster)[0]["endpoints"]} == {"10.1.2.4", "10.1.2.9"}
    cluster.client.delete("endpoints", "default", "web")
    assert slices(cluster) == []


def test_default_kubernetes_is_left_alone(cluster: Driven) -> None:
    found = cluster.client.list(SLICES, "default", label_selector="kubernetes.io/service-name=kubernetes").items
    assert [item.key.name for item in found] in ([], ["kubernetes"])


def test_a_full_slice_is_followed_by_another_one() -> None:
    ends: list[Manifest] = [{"addresses": [f"10.0.0.{number}"], "conditions": {"ready": True}} for number in range(5)]
    owner: Manifest = {"kind": "Service"}
    first = slices_plan.plan(
        [slices_plan.Group([{"port": 80}], ends)], [], name="s", labels={}, owner=owner, most=2
    ).create
    assert [len(one["endpoints"]) for one in first] == [2, 2, 1]
    held = [{**one, "metadata": {"name": f"s-{number}"}} for number, one in enumerate(first)]
    # The first endpoint goes and another one comes: only the first slice changes.
    group = slices_plan.Group([{"port": 80}], [*ends[1:], {"addresses": ["10.0.0.9"], "conditions": {"ready": True}}])
    second = slices_plan.plan([group], held, name="s", labels={}, owner=owner, most=2)
    assert [one["metadata"]["name"] for one in second.update] == ["s-0"]
    assert (second.create, second.delete) == ([], [])
