"""What simulated containers find in their volumes and below /etc, over the life of a cluster."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from simhost_played import Played, pod

Play = Callable[..., Played]
pytestmark = pytest.mark.django_db(transaction=True)


def configure(lab: Played, **data: str) -> None:
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "cfg"}, "data": data}
    if lab.client.find("configmaps", "default", "cfg") is None:
        lab.client.create("configmaps", body, namespace="default")
    else:
        lab.client.update("configmaps", "default", "cfg", body)


def said(lab: Played, name: str) -> str:
    found = lab.pod(name)
    assert found is not None
    logs = sorted((lab.data / "logs" / "lab").rglob(f"*{found['metadata']['uid']}*/main/*.log"))
    lines = logs[-1].read_text().splitlines() if logs else []
    return "".join(line.split(" ", 3)[3] + "\n" for line in lines)


def mounting(name: str, script: str, *volumes: dict[str, Any], **more: Any) -> dict[str, Any]:
    mounts = [{"name": one["name"], "mountPath": f"/{one['name']}"} for one in volumes]
    return pod(name, "sh", "-c", script, container={"volumeMounts": mounts}, volumes=list(volumes), **more)


def test_a_pod_finds_its_configuration_its_identity_and_its_names(play: Play) -> None:
    lab = play()
    configure(lab, a="one", b="two")
    projected = {"name": "p", "projected": {"sources": [
        {"configMap": {"name": "cfg", "items": [{"key": "b", "path": "x/b", "mode": 0o400}]}},
        {"downwardAPI": {"items": [{"path": "name", "fieldRef": {"fieldPath": "metadata.name"}}]}},
        {"serviceAccountToken": {"path": "token", "expirationSeconds": 600}},
    ]}}  # fmt: skip
    script = (
        "cat /c/a /p/x/b /p/name; echo; stat -L -c %a /p/x/b; ls /p; cut -d. -f1 /p/token | base64 -d | grep -o alg; "
        "ls /var/run/secrets/kubernetes.io/serviceaccount; grep web /etc/hosts; grep -v nameserver /etc/resolv.conf; sleep 600"
    )
    lab.create(mounting("web", script, {"name": "c", "configMap": {"name": "cfg"}}, projected))
    lab.to(10)
    address = (lab.pod("web") or {})["status"]["podIP"]
    assert said(lab, "web") == (
        f"onetwoweb\n400\nname\ntoken\nx\nalg\nca.crt\nnamespace\ntoken\n{address}\tweb\n"
        "search default.svc.cluster.local svc.cluster.local cluster.local\noptions ndots:5\n"
    )


def test_a_volume_follows_its_config_map_and_survives_a_crash(play: Play) -> None:
    lab = play()
    configure(lab, a="one")
    script = 'while true; do v=$(cat /c/a); [ "$v" != "$o" ] && echo "$v"; o=$v; sleep 1; done'
    lab.create(mounting("web", script, {"name": "c", "configMap": {"name": "cfg"}}))
    lab.to(10)
    configure(lab, a="two")
    lab.to(100)
    assert said(lab, "web") == "one\ntwo\n"
    lab.crash(5)
    lab.to(130)
    assert said(lab, "web") == "one\ntwo\n"
    assert lab.container("web")["restartCount"] == 0


def test_who_writes_more_into_a_volume_than_it_may_is_evicted(play: Play) -> None:
    lab = play()
    script = "sleep 1; dd if=/dev/zero of=/v/big bs=1M count=4 2>/dev/null; sleep 600"
    lab.create(mounting("web", script, {"name": "v", "emptyDir": {"sizeLimit": "1Mi"}}))
    lab.to(40)
    found = lab.pod("web") or {}
    assert (found["status"]["phase"], found["status"]["reason"]) == ("Failed", "Evicted")
    assert ("Evicted", 'Usage of EmptyDir volume "v" exceeds the limit "1Mi". ') in lab.events()
