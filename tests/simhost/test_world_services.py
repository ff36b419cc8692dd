"""Services in a simulated cluster: names, cluster IPs, refusals, and a replay that hears what was heard before."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from simhost_played import Played, pod

from podlab.apis.types import Manifest

SERVE = "hostname > /tmp/index.html; exec httpd -f -p 8080 -h /tmp"


def server(name: str, node: str, **spec: Any) -> Manifest:
    probe = {"httpGet": {"path": "/", "port": 8080}, "periodSeconds": 1}
    made = pod(name, "sh", "-c", SERVE, nodeName=node, container={"readinessProbe": probe}, **spec)
    made["metadata"]["labels"] = {"app": "web"}
    made["spec"]["containers"][0]["ports"] = [{"name": "http", "containerPort": 8080}]
    return made


def service(played: Played, name: str, **spec: Any) -> None:
    wanted = {"selector": {"app": "web"}, "ports": [{"name": "http", "port": 80, "targetPort": "http"}], **spec}
    body = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": wanted}
    played.client.create("services", body, namespace="default")


def client(played: Played, script: str, name: str = "client", at: float = 10.0) -> list[str]:
    """What a pod prints that runs the script."""
    played.create(pod(name, "sh", "-c", f"{script} 2>&1", restartPolicy="Never"))
    played.to(at + 5)
    return output(played, name)


def output(played: Played, name: str) -> list[str]:
    """What its container has printed, without the log's own words."""
    found = played.pod(name)
    assert found is not None
    folder = played.data / "logs" / played.name / "pods" / f"default_{name}_{found['metadata']['uid']}"
    text = (folder / "main" / "0.log").read_text()
    return [(line.split(" ", 3) + [""])[3] for line in text.splitlines()]


@pytest.fixture
def web(play: Callable[..., Played]) -> Played:
    played = play("net", nodes=("node-a", "node-b"))
    played.create(server("web-a", "node-a"))
    played.create(server("web-b", "node-b", hostname="second", subdomain="peers"))
    service(played, "web")
    service(played, "peers", clusterIP="None")
    service(played, "sticky", sessionAffinity="ClientIP", type="NodePort")
    service(played, "alias", selector=None, type="ExternalName", externalName="web.default.svc.cluster.local", ports=[])
    service(played, "nobody", selector={"app": "nobody"})
    played.to(10)
    return played


def test_a_name_leads_to_pods_of_all_nodes(web: Played) -> None:
    said = client(web, "for i in $(seq 20); do wget -qO- http://web; done")
    assert set(said) == {"web-a", "second"}
    assert len(said) == 20
    assert len(set(client(web, "for i in $(seq 9); do wget -qO- http://sticky; done", "other", 20))) == 1


SCRIPTS: dict[str, tuple[str, list[str]]] = {
    "a pod of another node, by its name": ("wget -qO- http://second.peers:8080", ["second"]),
    "an alias": ("wget -qO- http://alias | wc -l", ["1"]),
    "a full name": ("curl -s http://second.peers.default.svc.cluster.local:8080/", ["second"]),
    "nobody behind it": (
        "wget -O- http://nobody", ["Connecting to nobody ({nobody}:80)",
                                   "wget: can't connect to remote host ({nobody}): Connection refused"],
    ),
    "a port that the Service lacks": ("nc -zv web 81 || echo no", ["nc: web ({web}:81): Connection refused", "no"]),
    "an open port": ("nc -zv web 80", ["web ({web}:80) open"]),
    "no such Service": ("wget -qO- http://nope; echo $?", ["wget: bad address 'nope'", "1"]),
    "curl's words": ("curl -sS http://nope; echo $?", ["curl: (6) Could not resolve host: nope", "6"]),
    "a page that is not there": (
        "wget -qO- web/nothing; echo $?", ["wget: server returned error: HTTP/1.1 404 Not Found", "1"],
    ),
    "its status": ("curl -so /dev/null -w '%{http_code}' http://web", ["200"]),
    "looking a name up": (
        "nslookup web.default.svc.cluster.local",
        ["Server:\t\t10.96.0.10", "Address:\t10.96.0.10:53", "", "Name:\tweb.default.svc.cluster.local",
         "Address: {web}", "", ""],
    ),
    "looking a name up that is not there": (
        "nslookup nope.default.svc.cluster.local | tail -n 2",
        ["** server can't find nope.default.svc.cluster.local: NXDOMAIN", ""],
    ),
    "looking an address up": ("nslookup {web} | tail -n 2", ["{back}\tname = web.default.svc.cluster.local", ""]),
    "a Service does not answer pings": ("ping -c 1 -w 1 web | tail -n 1",
                                        ["1 packets transmitted, 0 packets received, 100% packet loss"]),
}  # fmt: skip


@pytest.mark.parametrize("sentence", SCRIPTS)
def test_words(sentence: str, web: Played) -> None:
    script, expected = SCRIPTS[sentence]
    known = {name: ip_of(web, name) for name in ("web", "nobody")}
    known["back"] = ".".join(reversed(known["web"].split("."))) + ".in-addr.arpa"

    def filled(text: str) -> str:
        for name, value in known.items():
            text = text.replace(f"{{{name}}}", value)
        return text

    assert client(web, filled(script)) == [filled(line) for line in expected]


def ip_of(played: Played, name: str) -> str:
    return str(played.client.get("services", "default", name).obj["spec"]["clusterIP"])


def test_who_is_not_ready_gets_no_connections_and_a_replay_hears_the_same(web: Played) -> None:
    script = "while true; do wget -qO- http://web || echo none; sleep 1; done"
    web.create(pod("loop", "sh", "-c", f"{script} 2>&1"))
    web.to(30)
    assert {"web-a", "second"} == set(output(web, "loop"))
    web.client.delete("pods", "default", "web-a", grace=0)
    web.to(60)
    before = output(web, "loop")
    assert set(before[-20:]) == {"second"}
    web.client.delete("pods", "default", "web-b", grace=0)
    web.to(80)
    before = output(web, "loop")
    assert before[-1] == "none"
    web.crash(0)
    web.to(81)
    assert output(web, "loop")[: len(before)] == before
