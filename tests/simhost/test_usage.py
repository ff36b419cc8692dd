"""What simulated containers use is told to `kubectl top`."""

from __future__ import annotations

from collections.abc import Callable

from simhost_played import Played, pod

from podlab.registry.client import Client
from podlab.registry.identity import system


def test_what_containers_use_can_be_asked(play: Callable[..., Played]) -> None:
    lab = play()
    lab.create(pod("web", image="nginx"))
    lab.create(pod("done", "true", restartPolicy="Never"))
    lab.to(60)
    lab.world.publish_usage()
    client = Client(lab.world.name, system("test"), lab.world.clock.now)
    found = [stored.obj for stored in client.list("pods.metrics.k8s.io", "default").items]
    assert [item["metadata"]["name"] for item in found] == ["web"], "a pod that is done uses nothing"
    usage = found[0]["containers"][0]["usage"]
    assert int(usage["memory"].removesuffix("Ki")) > 0
    assert int(usage["cpu"].removesuffix("u")) > 0
    node = client.list("nodes.metrics.k8s.io", None).items[0].obj
    assert node["usage"]["memory"] == usage["memory"]
