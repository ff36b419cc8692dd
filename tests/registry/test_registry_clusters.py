"""Clusters: what they begin with, their clocks, who may do what with them."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from typing import Any

import pytest
from registry_samples import made, pod, refusal

from podlab import clock
from podlab.apis import decode
from podlab.registry import clusters
from podlab.registry.authorizer import Grant
from podlab.registry.identity import Identity, system
from podlab.storage import log

pytestmark = pytest.mark.django_db(transaction=True)

ROOT = Identity("root", grants=(Grant("admin"),))
OWNER = Identity("alan", grants=(Grant("admin", "alan"),))
STUDENT = Identity("ada", grants=(Grant("student", "alan", "ada"),))


def names(cluster: str, resource: str) -> list[str]:
    page = clusters.client_for(cluster, system("test")).list(resource, None)
    return [f"{item.key.namespace}/{item.key.name}".removeprefix("/") for item in page.items]


def test_a_cluster_begins_with_namespaces_accounts_and_nodes() -> None:
    row = clusters.create_sim("alan", nodes=("node-a", "node-b"), seed=7, identity=ROOT)
    assert (row.name, row.runtime, row.seed) == ("alan", "sim", 7)
    assert names("alan", "namespaces") == list(clusters.FIRST_NAMESPACES)
    assert names("alan", "serviceaccounts") == [f"{name}/default" for name in clusters.FIRST_NAMESPACES]
    assert names("alan", "nodes") == ["node-a", "node-b"]


def test_clusters_do_not_see_each_other() -> None:
    for name in ("alan", "ada"):
        clusters.create_sim(name, nodes=("n",), identity=ROOT)
    made(clusters.client_for("alan", ROOT), pod())
    assert names("alan", "pods") == ["default/p"]
    assert names("ada", "pods") == []


def test_main_is_made_once_and_repaired() -> None:
    first = clusters.ensure_main(runtime="sim", nodes=["node-a"])
    before = log.head()
    assert clusters.ensure_main(runtime="sim", nodes=["node-a"]) == first
    assert log.head() == before
    clusters.client_for("main", system("test")).delete("nodes", "", "node-a")
    clusters.ensure_main(runtime="sim", nodes=["node-a"])
    assert names("main", "nodes") == ["node-a"]


def test_docker_nodes_register_themselves() -> None:
    clusters.ensure_main(runtime="docker", nodes=["node-a"])
    assert names("main", "nodes") == []


def test_main_goes_on_when_docker_comes_or_goes() -> None:
    clusters.ensure_main(runtime="sim", nodes=["node-a"])
    client = clusters.client_for("main", system("test"))
    assert client.get("nodes", "", "node-a").obj["metadata"]["labels"]["podlab.dev/simulated"] == "true"
    assert clusters.ensure_main(runtime="docker").runtime == "docker"
    assert clusters.get("main").runtime == "docker"
    assert "podlab.dev/simulated" not in client.get("nodes", "", "node-a").obj["metadata"]["labels"]


REFUSED: dict[str, tuple[dict[str, Any], int, str]] = {
    "a name in capitals": ({"name": "Alan"}, 400, 'cluster name "Alan": a lowercase RFC 1123 label must consist of'),
    "a name that is too long": ({"name": "a" * 64}, 400, "must be no more than 63 characters"),
    "a name that is taken": ({"name": "main"}, 409, 'cluster "main" already exists'),
    "two nodes of a name": ({"nodes": ("a", "a")}, 400, "two nodes of a cluster cannot have the same name"),
    "a bad node name": ({"nodes": ("a_b",)}, 400, 'node name "a_b":'),
    "too many nodes": ({"nodes": [f"n{i}" for i in range(101)]}, 400, "a cluster has at most 100 nodes, not 101"),
    "somebody who may not": ({"identity": OWNER}, 403, 'User "alan" cannot create cluster "x"'),
}


@pytest.mark.parametrize("what", REFUSED)
def test_no_cluster_is_made_for(what: str) -> None:
    clusters.ensure_main("sim")
    more, code, text = REFUSED[what]
    error = refusal(clusters.create_sim, **{"name": "x", "nodes": ("n",), "identity": ROOT, **more})
    assert (error.code, text in error.message) == (code, True), error.message
    assert [row.name for row in clusters.list_all()] == ["main"]


def test_a_cluster_is_deleted_as_a_whole() -> None:
    clusters.ensure_main("sim")
    clusters.create_sim("alan", nodes=("n",), identity=ROOT)
    assert refusal(clusters.delete, "alan", identity=STUDENT).code == 403
    clusters.delete("alan", identity=OWNER)
    assert clusters.find("alan") is None
    assert refusal(clusters.delete, "alan", identity=ROOT).code == 404
    assert refusal(clusters.delete, "main", identity=ROOT).message == 'cluster "main" cannot be deleted'


def test_people_see_their_clusters() -> None:
    clusters.ensure_main("sim")
    clusters.create_sim("alan", nodes=("n",), identity=ROOT)
    seen = {who.name: [row.name for row in clusters.list_for(who)] for who in (ROOT, OWNER, Identity("eve"))}
    assert seen == {"root": ["alan", "main"], "alan": ["alan"], "eve": []}


def test_the_clock_of_a_simulated_cluster_is_turned() -> None:
    clusters.create_sim("alan", nodes=("n",), identity=ROOT)
    paused = clusters.pause("alan", identity=OWNER)
    assert clusters.now_of("alan") == clusters.now_of("alan") == paused.lab
    assert clusters.set_speed("alan", 100, identity=OWNER).speed == 100
    assert clusters.step("alan", identity=OWNER) == 1
    assert clusters.resume("alan", identity=OWNER).paused is False
    assert (
        refusal(clusters.pause, "alan", identity=STUDENT).message
        == 'User "ada" cannot turn the clock of cluster "alan"'
    )
    assert refusal(clusters.set_speed, "alan", 101, identity=OWNER).code == 400
    assert refusal(clusters.set_speed, "alan", float("nan"), identity=OWNER).code == 400


def test_a_docker_cluster_lives_in_real_time() -> None:
    clusters.ensure_main("docker")
    assert abs(clusters.now_of("main") - clock.wall_now()) < timedelta(seconds=5)
    assert "runs in real time" in refusal(clusters.pause, "main", identity=ROOT).message
    assert refusal(clusters.now_of, "none").code == 404


@pytest.mark.parametrize(
    ("cluster", "server"),
    [("main", "https://127.0.0.1:8443"), ("alan", "https://127.0.0.1:8443/clusters/alan")],
)
def test_a_kubeconfig_says_where_and_who(cluster: str, server: str) -> None:
    text = clusters.kubeconfig(cluster, user="ada", token="t", server="https://127.0.0.1:8443/", ca_pem="PEM")
    (document,) = decode.decode_yaml(text)
    config = document.obj
    assert config["current-context"] == config["contexts"][0]["name"]
    assert config["contexts"][0]["context"] == {
        "cluster": config["clusters"][0]["name"],
        "user": config["users"][0]["name"],
        "namespace": "default",
    }
    assert config["clusters"][0]["cluster"] == {
        "server": server,
        "certificate-authority-data": base64.b64encode(b"PEM").decode(),
    }
    assert config["users"][0]["user"] == {"token": "t"}
    assert json.loads(json.dumps(config)) == config
