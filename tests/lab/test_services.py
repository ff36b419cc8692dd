"""Services from inside pods of two nodes: cluster IPs, names, node ports, affinity, refusals. The same manifests tell the same
story on Docker and in the simulator."""

from __future__ import annotations

import socket
import ssl
import subprocess
import urllib.request
from collections import Counter

import pytest

from tests.whole_lab import Lab, eventually

pytestmark = [pytest.mark.lab, pytest.mark.docker]

MANIFEST = """
apiVersion: v1
kind: Pod
metadata: {name: web-a, labels: {app: web}}
spec:
  nodeName: node-a
  terminationGracePeriodSeconds: 0
  containers:
  - {name: c, image: "busybox:1.36", command: [sh, -c, "hostname > /tmp/index.html; exec httpd -f -p 8080 -h /tmp"],
     ports: [{name: http, containerPort: 8080}], readinessProbe: {httpGet: {port: http}, periodSeconds: 1}}
---
apiVersion: v1
kind: Pod
metadata: {name: web-b, labels: {app: web}}
spec:
  nodeName: node-b
  hostname: second
  subdomain: peers
  terminationGracePeriodSeconds: 0
  containers:
  - {name: c, image: "busybox:1.36", command: [sh, -c, "hostname > /tmp/index.html; exec httpd -f -p 8080 -h /tmp"],
     ports: [{name: http, containerPort: 8080}], readinessProbe: {httpGet: {port: http}, periodSeconds: 1}}
---
apiVersion: v1
kind: Pod
metadata: {name: client}
spec:
  nodeName: node-b
  terminationGracePeriodSeconds: 0
  containers: [{name: c, image: "busybox:1.36", command: [sleep, "3600"]}]
---
apiVersion: v1
kind: Pod
metadata: {name: host-client}
spec:
  nodeName: node-a
  hostNetwork: true
  dnsPolicy: ClusterFirstWithHostNet
  terminationGracePeriodSeconds: 0
  containers: [{name: c, image: "busybox:1.36", command: [sleep, "3600"]}]
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{name: http, port: 80, targetPort: http}]}
---
apiVersion: v1
kind: Service
metadata: {name: peers}
spec: {clusterIP: None, selector: {app: web}, ports: [{name: http, port: 80, targetPort: http}]}
---
apiVersion: v1
kind: Service
metadata: {name: sticky}
spec: {type: NodePort, sessionAffinity: ClientIP, selector: {app: web}, ports: [{port: 80, targetPort: http}]}
---
apiVersion: v1
kind: Service
metadata: {name: alias}
spec: {type: ExternalName, externalName: web.default.svc.cluster.local}
---
apiVersion: v1
kind: Service
metadata: {name: nobody}
spec: {selector: {app: nobody}, ports: [{port: 80}]}
"""


def begin(lab: Lab) -> Lab:
    lab.kubectl("apply", "-f", "-", stdin=MANIFEST)
    lab.kubectl("wait", "--for=condition=Ready", "pod", "--all", "--timeout=90s")
    eventually("both pods have names", lambda: len(names(lab, "peers")) == 2, 30)
    return lab


@pytest.fixture(scope="module")
def web(docker_lab: Lab) -> Lab:
    return begin(docker_lab)


@pytest.fixture(scope="module", params=["docker", "simulator"])
def both(request: pytest.FixtureRequest) -> Lab:
    if request.param == "docker":
        found: Lab = request.getfixturevalue("web")
        return found
    return begin(request.getfixturevalue("sim_lab"))


def inside(lab: Lab, script: str, pod: str = "client") -> str:
    """What the script says, and what it complains of."""
    return lab.kubectl("exec", pod, "--", "sh", "-c", f"{script} 2>&1 || true")


def names(lab: Lab, host: str, pod: str = "client") -> list[str]:
    """The addresses that nslookup finds."""
    said = inside(lab, f"nslookup {host}.default.svc.cluster.local", pod).partition("Name:")[2]
    return [line.split()[-1] for line in said.splitlines() if line.startswith("Address")]


def fetched(lab: Lab, url: str, times: int, pod: str = "client") -> Counter[str]:
    said = inside(lab, f"for i in $(seq {times}); do wget -qO- {url}; done", pod)
    return Counter(said.split())


def test_a_service_by_its_short_name_reaches_pods_of_both_nodes(both: Lab) -> None:
    assert set(fetched(both, "http://web", 20)) == {"web-a", "second"}
    assert set(fetched(both, "http://alias", 1)) <= {"web-a", "second"}
    assert set(fetched(both, "http://web", 20, pod="host-client")) == {"web-a", "second"}


def test_a_pod_reaches_itself_through_its_service(both: Lab) -> None:
    assert fetched(both, "http://web", 20, pod="web-a")["web-a"] > 0


def test_pods_of_two_nodes_reach_each_other_by_address_and_by_name(both: Lab) -> None:
    address = both.kubectl("get", "pod", "web-a", "-o", "jsonpath={.status.podIP}")
    assert fetched(both, f"http://{address}:8080", 1) == {"web-a": 1}
    assert fetched(both, "http://second.peers:8080", 1) == {"second": 1}
    assert address in names(both, "peers")
    assert "NXDOMAIN" in inside(both, "nslookup nope.default.svc.cluster.local")
    assert both.kubectl("exec", "web-b", "--", "hostname").strip() == "second"


def test_the_pods_resolver_asks_the_cluster(web: Lab) -> None:
    server = web.kubectl("get", "service", "kube-dns", "-n", "kube-system", "-o", "jsonpath={.spec.clusterIP}")
    said = inside(web, "cat /etc/resolv.conf")
    assert f"nameserver {server}\n" in said
    assert said.startswith("search default.svc.cluster.local svc.cluster.local cluster.local")
    assert "ndots:5" in said
    assert inside(web, "hostname -f", "web-b").strip() == "second.peers.default.svc.cluster.local"


def test_nobody_behind_a_service_is_refused_at_once(both: Lab) -> None:
    assert "Connection refused" in inside(both, "wget -O- http://nobody")
    assert "Connection refused" in inside(both, "wget -O- http://web:81")


def test_node_ports_and_affinity(both: Lab) -> None:
    assert len(fetched(both, "http://sticky", 12)) == 1
    number = both.kubectl("get", "service", "sticky", "-o", "jsonpath={.spec.ports[0].nodePort}")
    node = both.kubectl("get", "node", "node-a", "-o", "jsonpath={.status.addresses[0].address}")
    assert len(fetched(both, f"http://{node}:{number}", 6)) == 1


def test_node_ports_are_open_to_the_machine_itself(web: Lab) -> None:
    number = web.kubectl("get", "service", "sticky", "-o", "jsonpath={.spec.ports[0].nodePort}")
    node = web.kubectl("get", "node", "node-a", "-o", "jsonpath={.status.addresses[0].address}")
    with urllib.request.urlopen(f"http://{node}:{number}", timeout=10) as answer:
        assert answer.read().decode().strip() in ("web-a", "second")


def test_pods_reach_the_api_under_its_own_name(web: Lab) -> None:
    assert inside(web, "nc -w 5 kubernetes.default 443 < /dev/null && echo open").strip() == "open"
    address = web.kubectl("get", "service", "kubernetes", "-o", "jsonpath={.spec.clusterIP}")
    request = urllib.request.Request(f"https://{address}/version", headers={"Authorization": f"Bearer {web.token}"})
    trusted = ssl.create_default_context(cafile=str(web.data / "pki" / "ca.crt"))
    with urllib.request.urlopen(request, timeout=10, context=trusted) as answer:
        assert answer.status == 200
    with socket.create_connection((address, 443), 10) as raw:
        trusted.wrap_socket(raw, server_hostname="kubernetes.default.svc").close()


def test_endpoints_follow_readiness_and_the_lab_takes_its_rules_along(web: Lab) -> None:
    web.kubectl("exec", "web-a", "--", "rm", "/tmp/index.html")
    eventually("only the other pod is served", lambda: set(fetched(web, "http://web", 10)) == {"second"}, 60)
    network = (web.data / "service-network").read_text().strip()
    assert network in rules()
    web.kill("node")
    eventually("names are told again", lambda: len(names(web, "peers")) == 1, 30)
    assert set(fetched(web, "http://web", 5)) == {"second"}


def rules() -> str:
    done = subprocess.run(["iptables-save"], capture_output=True, text=True, check=True)
    return done.stdout
