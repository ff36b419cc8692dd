"""A fork begins with what its source held at a moment; what opens the source stays behind, and half a fork never is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from podlab.apis.status_errors import ApiError
from podlab.apis.types import Key, LogLine
from podlab.logs import format as cri
from podlab.registry import clusters, fork_plan, forking
from podlab.registry.authorizer import Grant
from podlab.registry.client import Client
from podlab.registry.forking import Wish
from podlab.registry.identity import Identity, system
from podlab.simhost import node_size
from podlab.storage import compaction, forks, log, recordings, store
from podlab.storage.graph_models import GraphPod
from podlab.storage.models import Object
from podlab.storage.objects import Stored, encode

ROOT = system("test")
AT = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
POD: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "web"},
    "spec": {"containers": [{"name": "app", "image": "busybox:1.36"}]},
}
CONFIG: dict[str, Any] = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "setting"}, "data": {"a": "1"}}


def client(cluster: str = "main", at: datetime = AT) -> Client:
    return Client(cluster, ROOT, lambda: at)


@pytest.fixture
def source(transactional_db: None) -> None:
    clusters.ensure_main("sim", nodes=["node-a"], seed=11)


def test_a_fork_holds_what_was_at_its_moment(source: None) -> None:
    main = client()
    made = main.create("pods", POD, namespace="default").stored
    main.create("configmaps", CONFIG, namespace="default")
    then = log.head()
    main.delete("pods", "default", "web", grace=0)
    later = client(at=AT + timedelta(minutes=3))
    later.create("configmaps", {**CONFIG, "metadata": {"name": "late"}}, namespace="default")

    row = forking.fork(Wish(source="main", name="other", revision=then, paused=True), identity=ROOT)

    assert (row.runtime, row.seed, row.time.paused, row.time.lab) == ("sim", 11, True, AT)
    assert (row.origin, row.origin_revision, row.origin_at) == ("main", then, AT)
    pod = store.get(Key("other", "pods", "default", "web"))
    assert pod is not None
    assert pod.uid == made.uid
    assert pod.revision > then
    assert pod.obj["metadata"]["resourceVersion"] == str(pod.revision)
    assert GraphPod.objects.filter(cluster="other", uid=made.uid).count() == 1
    assert store.get(Key("other", "configmaps", "default", "late")) is None
    told = log.history_of("other", made.uid)
    assert [(one.type, one.at, one.actor) for one in told] == [("ADDED", AT, ROOT.name)]
    assert told[0].why == f"Forked from cluster main at revision {then}."
    # The source did not notice, and each goes its own way.
    client("other").delete("configmaps", "default", "setting")
    assert store.get(Key("main", "configmaps", "default", "setting")) is not None
    assert client().find("pods", "default", "web") is None


def test_without_a_revision_it_is_now_and_nothing_is_there_twice(source: None) -> None:
    clusters.pause("main", identity=ROOT)
    forking.fork(Wish(source="main", name="other"), identity=ROOT)
    found = {name: sorted(_places(name)) for name in ("main", "other")}
    assert found["other"] == found["main"]
    assert clusters.get("other").time.lab == clusters.get("main").time.lab
    again = forking.fork(Wish(source="other", name="third", own_seed=True), identity=ROOT)
    assert sorted(_places("third")) == found["main"]
    assert again.origin == "other"


def _places(cluster: str) -> list[tuple[str, str, str]]:
    return list(Object.objects.filter(cluster=cluster).values_list("resource", "namespace", "name"))


def test_the_moment_may_lie_between_two_changes(source: None) -> None:
    client().create("configmaps", CONFIG, namespace="default")
    then = log.head()
    client(at=AT + timedelta(seconds=60)).create("pods", POD, namespace="default")
    for seconds, begins in ((-5, 0), (20, 20), (90, 60)):
        wish = Wish(source="main", name="other", revision=then, at=AT + timedelta(seconds=seconds), paused=True)
        assert forking.fork(wish, identity=ROOT).time.lab == AT + timedelta(seconds=begins)
        clusters.delete("other", identity=ROOT)


def test_a_recording_is_forked_below_the_floor_and_gets_the_nodes_that_it_lacks(source: None) -> None:
    main = client()
    main.create("pods", {**POD, "spec": {**POD["spec"], "nodeName": "far"}}, namespace="default")
    changes = recordings.read_changes("main", "default", ["pods", "namespaces"], most=100)
    recordings.create("monday", recordings.Recording(changes, [], []), origin="main")
    last = log.head()
    main.create("configmaps", CONFIG, namespace="default")
    compaction.compact(0)
    row = forking.fork(Wish(source="monday", name="tuesday", revision=last), identity=ROOT)
    assert row.runtime == "sim"
    assert [one.key.name for one in client("tuesday").list("nodes", None).items] == ["far"]
    assert client("tuesday").find("namespaces", "", "kube-system") is not None
    assert client("tuesday").create("configmaps", CONFIG, namespace="default")


REFUSED: dict[str, tuple[dict[str, Any], int, str]] = {
    "a name that cannot be": ({"name": "Not A Name"}, 400, 'cluster name "Not A Name"'),
    "a name that is taken": ({"name": "main"}, 409, 'cluster "main" already exists'),
    "a source that is not there": ({"source": "nowhere"}, 404, 'cluster "nowhere" not found'),
    "a revision that is still to come": ({"revision": 10**9}, 400, "lies in the future"),
    "a revision that was compacted": ({"revision": 1}, 410, "revision 1 was compacted, the oldest that can be read is"),
    "a revision before its first": ({"source": "young", "revision": -1}, 400, "was not there yet at revision"),
    "somebody without the right": ({"who": Grant("viewer")}, 403, 'User "eve" cannot fork cluster "main"'),
    "somebody of this cluster only": ({"who": Grant("admin", "main")}, 403, "the right to make clusters"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_no_fork_is_made_for(source: None, what: str) -> None:
    more, code, text = REFUSED[what]
    before = log.head()
    clusters.create_sim("young", nodes=["n"], identity=ROOT)
    if more.get("revision") == 1:
        compaction.compact(0)
    who = Identity("eve", grants=(more["who"],)) if "who" in more else ROOT
    wish: dict[str, Any] = {"source": "main", "name": "other", **{k: v for k, v in more.items() if k != "who"}}
    if wish.get("revision") == -1:
        wish["revision"] = before
    with pytest.raises(ApiError) as caught:
        forking.fork(Wish(**wish), identity=who)
    assert (caught.value.code, text in caught.value.message) == (code, True), caught.value.message
    assert [row.name for row in clusters.list_all()] == ["main", "young"]


def test_whoever_is_interrupted_leaves_nothing(source: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def die(cluster: str, nodes: list[str]) -> None:
        raise KeyboardInterrupt

    before = log.head()
    monkeypatch.setattr(clusters, "furnish_fork", die)
    with pytest.raises(KeyboardInterrupt):
        forking.fork(Wish(source="main", name="other"), identity=ROOT)
    assert clusters.find("other") is None
    assert log.head() == before
    assert not Object.objects.filter(cluster="other").exists()
    assert forks.all_at("main", before)


# What goes along: pure


def thing(
    resource: str, name: str, namespace: str = "default", *, notes: dict[str, str] | None = None, **obj: Any
) -> Stored:
    meta: dict[str, Any] = {"name": name, "uid": name, "annotations": notes or {}}
    if namespace:
        meta["namespace"] = namespace
    whole = {"apiVersion": "v1", "kind": "X", "metadata": meta, **obj}
    return Stored(Key("main", resource, namespace, name), name, 1, 1, encode(whole, 1))


LEFT_BEHIND = (
    thing("leases.coordination.k8s.io", "node-a", "kube-node-lease"),
    thing("secrets", "key", type="kubernetes.io/service-account-token"),
    thing("secrets", "boot", "kube-system", type="bootstrap.kubernetes.io/token"),
    thing("pods", "static-node-a", notes={"kubernetes.io/config.mirror": "abc"}),
    thing("configmaps", "kube-root-ca.crt"),
    thing("services", "kubernetes"),
    thing("endpoints", "kube-dns", "kube-system"),
    thing("endpointslices.discovery.k8s.io", "kubernetes"),
)
GOES_ALONG = (
    thing("secrets", "password", type="Opaque"),
    thing("pods", "web"),
    thing("services", "kubernetes", "elsewhere"),
    thing("events", "web.1"),
)


def test_keys_leases_mirrors_and_furniture_stay_behind() -> None:
    found = [one.key.name for one, _ in fork_plan.carried([*LEFT_BEHIND, *GOES_ALONG], recorded=False)]
    assert found == [one.key.name for one in GOES_ALONG]


def test_a_docker_node_becomes_a_simulated_one_of_its_size() -> None:
    node = thing(
        "nodes",
        "node-a",
        "",
        notes={"podlab.dev/stream-address": "/run/x", "podlab.dev/eviction-hard": "memory.available<1Gi", "a/b": "c"},
        spec={"podCIDR": "10.9.0.0/24", "unschedulable": True, "taints": [{"key": "k", "effect": "NoSchedule"}]},
        status={"capacity": {"cpu": "6", "memory": "24Gi", "x/gpu": "2"}, "conditions": [{}], "nodeInfo": {"a": "b"}},
    )
    before = node.body
    ((_, made),) = fork_plan.carried([node], recorded=False)
    meta = made["metadata"]
    assert meta["labels"] == {"podlab.dev/simulated": "true"}
    assert set(meta["annotations"]) == {
        "podlab.dev/eviction-hard",
        "a/b",
        "sim.podlab.dev/capacity.cpu",
        "sim.podlab.dev/capacity.memory",
    }
    assert node_size.of(meta["annotations"]) == (6000, 24 * 2**30)
    assert made["spec"] == {"unschedulable": True, "taints": [{"key": "k", "effect": "NoSchedule"}]}
    assert made["status"] == {"capacity": {"cpu": "6", "memory": "24Gi", "x/gpu": "2"}}
    assert encode(node.obj, 1) == before
    # A simulated one keeps its part of the pod network and needs no other size.
    assert fork_plan.simulated_node({**made, "spec": {"podCIDR": "10.244.3.0/24"}})["spec"] == {
        "podCIDR": "10.244.3.0/24"
    }


@pytest.mark.parametrize("text", ["", "much", "0", "-1"])
def test_a_size_that_means_nothing_is_the_usual_one(text: str) -> None:
    notes = {fork_plan.CAPACITY + "cpu": text, fork_plan.CAPACITY + "memory": text}
    assert node_size.of(notes) == node_size.of({}) == (2000, 4 * 2**30)


def test_services_move_into_the_network_of_simulated_clusters() -> None:
    def service(name: str, address: str) -> Stored:
        return thing("services", name, spec={"clusterIP": address, "clusterIPs": [address]})

    given = [
        service("moves", "10.101.7.8"),
        service("stays", "10.96.7.9"),
        service("taken", "10.101.7.9"),
        service("dns", "10.101.0.10"),
        service("headless", "None"),
    ]
    found = {one.key.name: obj["spec"]["clusterIP"] for one, obj in fork_plan.carried(given, recorded=False)}
    assert (found["moves"], found["stays"], found["headless"]) == ("10.96.7.8", "10.96.7.9", "None")
    assert len({found[name] for name in ("moves", "stays", "taken", "dns")}) == 4
    assert found["dns"] != "10.96.0.10"
    assert all(address.startswith("10.96.") for name, address in found.items() if name != "headless")


def test_a_log_is_cut_at_the_moment_and_at_its_beginning(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [cri.encode(LogLine(at=AT + timedelta(seconds=n), stream="stdout", text=f"line {n}")) for n in range(6)]
    assert fork_plan.written_until(b"".join(lines), AT + timedelta(seconds=3)) == b"".join(lines[:4])
    assert fork_plan.written_until(b"".join(lines), AT - timedelta(seconds=1)) == b""
    monkeypatch.setattr(fork_plan, "LARGEST_LOG", 2 * len(lines[0]) + 3)
    assert fork_plan.written_until(b"".join(lines), AT + timedelta(seconds=4)) == b"".join(lines[3:5])
