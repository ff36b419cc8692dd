"""What pods may ask for, each shown by a container that runs on Docker."""

from __future__ import annotations

import json
from typing import Any

import pytest
from docker_node import NODE, Node, eventually

from podlab.apis.types import Manifest

pytestmark = [pytest.mark.docker, pytest.mark.django_db(transaction=True)]
FOREVER = "trap 'exit 0' TERM; while true; do sleep 3600 & wait; done"


def other(name: str, script: str, **more: Any) -> Manifest:
    return {"name": name, "image": "busybox:1.36", "command": ["sh", "-c", script], **more}


def finish(node: Node) -> str:
    """What `main` has written, when the pod is over."""
    eventually(lambda: node.phase() in ("Succeeded", "Failed"), within=30)
    return node.printed()


SHOWN: dict[str, tuple[str, dict[str, Any], dict[str, Any], str]] = {
    "aliases stand in /etc/hosts": (
        "tail -n 3 /etc/hosts",
        {"hostAliases": [{"ip": "10.1.2.3", "hostnames": ["foo.local", "bar.local"]}]},
        {},
        "\n# Entries added by HostAliases.\n10.1.2.3\tfoo.local\tbar.local\n",
    ),
    "dnsConfig makes the resolver": (
        "cat /etc/resolv.conf",
        {"dnsPolicy": "None", "dnsConfig": {"nameservers": ["192.0.2.7"], "searches": ["a.example"]}},
        {},
        "search a.example\nnameserver 192.0.2.7\n",
    ),
    "the hostname may be the full name": (
        "hostname", {"hostname": "h", "subdomain": "s", "setHostnameAsFQDN": True}, {},
        "h.s.default.svc.cluster.local\n",
    ),
    "capabilities are dropped and added": (
        "grep CapEff /proc/1/status",
        {},
        {"securityContext": {"capabilities": {"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]}}},
        "CapEff:\t0000000000000400\n",
    ),
    "no new privileges": (
        "grep NoNewPrivs /proc/1/status", {}, {"securityContext": {"allowPrivilegeEscalation": False}},
        "NoNewPrivs:\t1\n",
    ),
    "labels of SELinux are no obstacle": (
        "echo started", {"securityContext": {"seLinuxOptions": {"level": "s0"}}}, {}, "started\n",
    ),
    "users and groups": (
        "id -u; id -G",
        {"securityContext": {"runAsUser": 1000, "runAsGroup": 2000, "supplementalGroups": [5], "fsGroup": 7}},
        {},
        "1000\n2000 5 7\n",
    ),
    "a safe sysctl": (
        "cat /proc/sys/net/ipv4/ip_unprivileged_port_start",
        {"securityContext": {"sysctls": [{"name": "net.ipv4.ip_unprivileged_port_start", "value": "80"}]}},
        {},
        "80\n",
    ),
    "the processes of the pod are shared": (
        "[ $(ls -d /proc/[0-9]* | wc -l) -gt 2 ] && [ $$$$ -ne 1 ] && echo shared", {"shareProcessNamespace": True}, {},
        "shared\n",
    ),
    "a group owns the volume": (
        "stat -c '%a %g' /v",
        {"securityContext": {"fsGroup": 7}, "volumes": [{"name": "v", "emptyDir": {}}]},
        {"volumeMounts": [{"name": "v", "mountPath": "/v"}]},
        "2777 7\n",
    ),
    "the files of an image, read only": (
        "/data/bin/busybox echo in; cat /part/passwd | head -c 4; touch /data/x 2>&1 | tail -c 22",
        {"volumes": [{"name": "v", "image": {"reference": "busybox:1.36", "pullPolicy": "IfNotPresent"}}]},
        {
            "volumeMounts": [
                {"name": "v", "mountPath": "/data"},
                {"name": "v", "mountPath": "/part", "subPath": "etc"},
            ]
        },
        "in\nrootRead-only file system\n",
    ),
    "memory of a limited size": (
        "mount | grep -c '^tmpfs on /v .*size=1024k'; dd if=/dev/zero of=/v/f bs=64k count=32 2>&1 | head -1",
        {"volumes": [{"name": "v", "emptyDir": {"medium": "Memory", "sizeLimit": "1Mi"}}]},
        {"volumeMounts": [{"name": "v", "mountPath": "/v"}]},
        "1\ndd: error writing '/v/f': No space left on device\n",
    ),
    "a part of a volume": (
        "mkdir -p /v/a && echo A > /v/a/f; cat /m/f; ls /v",
        {"volumes": [{"name": "v", "emptyDir": {}}]},
        {
            "env": [{"name": "N", "value": "a"}],
            "volumeMounts": [
                {"name": "v", "mountPath": "/v"},
                {"name": "v", "mountPath": "/m", "subPathExpr": "$(N)"},
            ],
        },
        "A\na\n",
    ),
}  # fmt: skip


@pytest.mark.parametrize("sentence", SHOWN)
def test_a_container_shows(node: Node, sentence: str) -> None:
    script, spec, container, expected = SHOWN[sentence]
    node.run(script, policy="Never", spec=spec, **container)
    assert finish(node) == expected


def test_sidecars_start_before_and_end_after_the_container(node: Node) -> None:
    volume = [{"name": "v", "mountPath": "/v"}]
    side = "trap 'echo after $(cat /v/n); exit 0' TERM; while true; do sleep 3600 & wait; done"
    spec = {
        "volumes": [{"name": "v", "emptyDir": {}}],
        "initContainers": [other("side", side, restartPolicy="Always", volumeMounts=volume)],
    }
    node.run("echo main > /v/n; sleep 1", policy="Never", spec=spec, volumeMounts=volume)
    finish(node)
    assert node.phase() == "Succeeded"
    assert node.printed("side") == "after main\n"


def test_a_rule_restarts_a_container_of_a_pod_that_never_does(node: Node) -> None:
    rule = {"action": "Restart", "exitCodes": {"operator": "In", "values": [42]}}
    volume = {"volumes": [{"name": "v", "emptyDir": {}}]}
    node.run(
        "[ -f /v/x ] && exit 0; touch /v/x; exit 42",
        policy="Never",
        spec=volume,
        volumeMounts=[{"name": "v", "mountPath": "/v"}],
        restartPolicy="Never",
        restartPolicyRules=[rule],
    )
    finish(node)
    assert (node.phase(), node.main()["restartCount"]) == ("Succeeded", 1)


def test_a_rule_restarts_all_containers_in_their_sandbox(node: Node) -> None:
    rule = {"action": "RestartAllContainers", "exitCodes": {"operator": "In", "values": [42]}}
    mount = [{"name": "v", "mountPath": "/v"}]
    script = "[ -f /v/x ] && sleep 3600; touch /v/x; exit 42"
    trigger = other("trigger", script, restartPolicy="Never", restartPolicyRules=[rule], volumeMounts=mount)
    main = other("main", FOREVER)
    node.run(FOREVER, spec={"containers": [main, trigger], "volumes": [{"name": "v", "emptyDir": {}}]}, policy="Never")
    eventually(lambda: node.main().get("restartCount") == 1 and node.main().get("ready"))
    assert node.main()["lastState"]["terminated"]["reason"] == "RestartingAllContainers"
    assert len(next(iter(node.listing().values())).sandboxes) == 1


def test_the_end_of_the_log_is_the_message_of_a_failed_container(node: Node) -> None:
    node.run("echo one; echo two; exit 1", policy="Never", terminationMessagePolicy="FallbackToLogsOnError")
    finish(node)
    assert node.main()["state"]["terminated"]["message"] == "one\ntwo\n"


def test_too_much_memory_is_told(node: Node) -> None:
    node.run("exec tail /dev/zero", policy="Never", resources={"limits": {"memory": "20Mi"}})
    finish(node)
    ended = node.main()["state"]["terminated"]
    assert (ended["reason"], ended["exitCode"]) == ("OOMKilled", 137)


def test_a_port_of_the_node_leads_to_the_pod(node: Node) -> None:
    node.run(FOREVER, ports=[{"containerPort": 80, "hostPort": 28471}])
    eventually(lambda: node.main().get("ready"))
    assert node.bound_ports() == {"80/tcp": ["28471"]}


def test_a_resize_reaches_the_running_container(node: Node) -> None:
    node.run(FOREVER, resources={"requests": {"cpu": "50m"}, "limits": {"cpu": "100m", "memory": "64Mi"}})
    eventually(lambda: node.main().get("ready"))
    wish = {"requests": {"cpu": "80m"}, "limits": {"cpu": "150m", "memory": "96Mi"}}
    patch = {"spec": {"containers": [{"name": "main", "resources": wish}]}}
    node.client.patch("pods", "default", "p", "application/strategic-merge-patch+json", patch, subresource="resize")
    eventually(lambda: node.events("ResizeCompleted"))
    held = node.engine_view(node.main()["containerID"])["HostConfig"]
    assert (held["CpuShares"], held["CpuQuota"]) == (81, 15_000)
    assert (held["Memory"], held["MemorySwap"]) == (96 * 2**20, 96 * 2**20)
    assert node.main()["restartCount"] == 0


def runtime_class(node: Node, name: str, handler: str) -> None:
    made = {"apiVersion": "node.k8s.io/v1", "kind": "RuntimeClass", "metadata": {"name": name}, "handler": handler}
    node.client.create("runtimeclasses.node.k8s.io", made)


def test_a_runtime_class_simulates_one_pod_beside_the_real_ones(node: Node) -> None:
    runtime_class(node, "simulated", "sim")
    probe = {"exec": {"command": ["cat", "/tmp/ready"]}, "periodSeconds": 1}
    script = "echo hello; touch /tmp/ready; trap 'exit 0' TERM; while true; do sleep 3600 & wait; done"
    node.run(script, spec={"runtimeClassName": "simulated"}, readinessProbe=probe)
    eventually(lambda: node.main().get("ready"))
    assert node.main()["containerID"].startswith("sim://")
    assert node.listing() == {}
    eventually(lambda: node.printed() == "hello\n")
    node.crash()
    node.boot()
    eventually(lambda: node.main().get("ready"))
    assert node.main()["restartCount"] == 0
    node.client.delete("pods", "default", "p")
    eventually(node.gone)


def test_a_handler_that_is_not_here_keeps_the_pod_from_its_sandbox(node: Node) -> None:
    runtime_class(node, "strange", "kata")
    node.run(FOREVER, spec={"runtimeClassName": "strange"})
    eventually(lambda: node.events("FailedCreatePodSandBox"))
    assert node.events("FailedCreatePodSandBox") == [
        "Failed to create pod sandbox: rpc error: code = Unknown desc = failed to get sandbox runtime: "
        'no runtime for "kata" is configured'
    ]
    eventually(lambda: node.waiting() == "ContainerCreating")


def test_a_file_is_a_pod_with_logs_and_a_mirror_that_comes_back(node: Node) -> None:
    manifest = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p"},
        "spec": {"containers": [other("main", f"echo hello; {FOREVER}")], "terminationGracePeriodSeconds": 1},
    }
    node.static_file("p.json", json.dumps(manifest))

    def mirror() -> Manifest:
        found = node.client.find("pods", "default", f"p-{NODE}")
        return found.obj if found is not None else {}

    def ready() -> bool:
        return any(one.get("ready") for one in (mirror().get("status") or {}).get("containerStatuses") or [])

    eventually(ready)
    first = mirror()
    assert first["status"]["containerStatuses"][0]["containerID"].startswith("docker://")
    assert list(node.listing()) == [first["metadata"]["annotations"]["kubernetes.io/config.hash"]]
    node.client.delete("pods", "default", f"p-{NODE}")
    eventually(lambda: ready() and mirror()["metadata"]["uid"] != first["metadata"]["uid"])
    assert mirror()["status"]["containerStatuses"] == first["status"]["containerStatuses"]
    node.static_file("p.json", None)
    eventually(lambda: not mirror())
    assert node.listing() == {}
