"""Cluster rows: lab time, steps, and deletion as a whole."""

from __future__ import annotations

import threading
import time
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth import get_user_model
from storage_samples import AT, make_pod, make_probe, pod_key
from storage_traffic import in_thread

from podlab import clock
from podlab.storage import clusters, history, log, pulls, store, usage
from podlab.storage.errors import ClusterExists, UnknownCluster
from podlab.storage.models import AccountGrant, RoleGrant
from podlab.storage.usage import Usage

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_cluster_is_made_listed_and_found() -> None:
    made = clusters.create("class-1", runtime="sim", seed=7, lab=AT, speed=2.0)
    clusters.create("alpha", runtime="docker")
    assert clusters.get("class-1") == made
    assert [row.name for row in clusters.list_all()] == ["alpha", "class-1"]
    assert (made.seed, made.runtime, made.time.lab, made.time.speed) == (7, "sim", AT, 2.0)
    assert clusters.find("nobody") is None
    with pytest.raises(UnknownCluster):
        clusters.get("nobody")
    with pytest.raises(ClusterExists):
        clusters.create("alpha", runtime="sim")
    with pytest.raises(ValueError, match="lxc"):
        clusters.create("beta", runtime="lxc")


def test_a_cluster_is_made_in_a_blink() -> None:
    took = []
    for number in range(20):
        began = time.monotonic()
        clusters.create(f"c{number}", runtime="sim")
        took.append(time.monotonic() - began)
    assert sorted(took)[10] < 0.1


def test_lab_time_runs_pauses_and_goes_on() -> None:
    clusters.create("c", runtime="sim", lab=AT, speed=60)
    wall = clock.wall_now() + timedelta(seconds=10)
    running = clusters.lab_time("c")
    assert running.at(wall) - AT > timedelta(minutes=9)
    paused = clusters.set_paused("c", paused=True)
    assert clusters.lab_time("c") == paused
    assert paused.at(wall) == paused.lab
    faster = clusters.set_speed("c", 100)
    assert (faster.paused, faster.speed, faster.lab) == (True, 100, paused.lab)
    assert clusters.set_paused("c", paused=False).lab == paused.lab, "no time passed while it stood"
    for wrong in (0, -1, float("nan")):
        with pytest.raises(ValueError, match="speed"):
            clusters.set_speed("c", wrong)
    moved = clusters.set_time("c", lambda now: now.stepped(wall, now.lab + timedelta(hours=1)))
    assert clusters.lab_time("c") == moved
    assert moved.lab == paused.lab + timedelta(hours=1)


def test_steps_are_wanted_and_taken() -> None:
    clusters.create("c", runtime="sim", lab=AT, paused=True)
    assert clusters.request_step("c") == 1
    assert clusters.request_step("c") == 2
    clusters.finish_step("c", AT + timedelta(seconds=3))
    row = clusters.get("c")
    assert (row.steps_wanted, row.time.lab, row.time.paused) == (1, AT + timedelta(seconds=3), True)
    with pytest.raises(UnknownCluster):
        clusters.request_step("nobody")


def fill(cluster: str) -> None:
    pod = make_pod(uid=f"{cluster}-u", ownerReferences=[{"apiVersion": "v1", "kind": "Node", "name": "n", "uid": "n"}])
    app = pod["spec"]["containers"][0]
    app["livenessProbe"] = {"exec": {"command": ["true"]}}
    app["ports"] = [{"containerPort": 80}]
    app["envFrom"] = [{"secretRef": {"name": "s"}}]
    app["volumeMounts"] = [{"name": "v", "mountPath": "/v"}]
    pod["spec"]["volumes"] = [{"name": "v", "emptyDir": {}}]
    store.create(pod_key(cluster=cluster), pod, at=AT)
    store.create(pod_key("second", cluster=cluster), make_pod("second", uid=f"{cluster}-v"), at=AT)
    store.delete(pod_key("second", cluster=cluster), at=AT)
    history.start_run(history.Run(cluster, "default", "web", "u", "app", 0, "n", "c", "i", AT))
    history.record_probes([make_probe("u", cluster=cluster)])
    usage.replace(cluster, [Usage(cluster, "n", "default", "web", "u", "app", AT, AT, 15, 1, 1)], nodes=["n"])
    user, _ = get_user_model().objects.get_or_create(username="student")
    RoleGrant.objects.create(user=user, role=RoleGrant.Role.STUDENT, cluster=cluster)
    AccountGrant.objects.create(
        cluster=cluster, account_namespace="default", account="robot", role=RoleGrant.Role.VIEWER, namespace="default"
    )
    pulls.record(pulls.PullRow(cluster, f"{cluster}-u", "app", "web:2", AT))


def table_sizes() -> dict[str, int]:
    """Rows of every table of this app; a table that is added is looked at too."""
    models: list[Any] = list(apps.get_app_config("storage").get_models())
    return {model.__name__: model.objects.count() for model in models if model.__name__ != "Counter"}


@pytest.mark.parametrize("batch", [1, 2000])
def test_deletion_leaves_nothing_and_spares_the_others(monkeypatch: pytest.MonkeyPatch, batch: int) -> None:
    monkeypatch.setattr(clusters, "_BATCH", batch)
    clusters.create("main", runtime="sim")
    fill("main")
    before = table_sizes()
    clusters.create("class", runtime="sim")
    fill("class")
    filled = table_sizes()
    unused = {"ApiToken", "LoginLink"}  # of users, not of clusters
    assert {name for name in filled if filled[name] == before[name]} <= unused, "every table has rows of the second"

    assert clusters.delete("class")

    assert table_sizes() == before
    assert not clusters.delete("class")
    clusters.create("class", runtime="sim")
    assert store.list_objects("class", "pods", None).items == []
    assert log.history_of("class", "class-u") == []


def test_a_cluster_that_is_being_deleted_takes_nothing_in(monkeypatch: pytest.MonkeyPatch) -> None:
    clusters.create("class", runtime="sim")
    fill("class")

    def die(name: str) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(clusters, "_delete_rows", die)
        with pytest.raises(KeyboardInterrupt):
            clusters.delete("class")
    assert clusters.find("class") is None
    assert clusters.deleting() == ["class"]
    with pytest.raises(UnknownCluster):
        store.create(pod_key("late", cluster="class"), make_pod("late"), at=AT)
    assert history.record_probes([make_probe("u", cluster="class")]) == []
    assert clusters.delete("class")
    assert clusters.deleting() == []


def test_writers_that_race_a_deletion_leave_nothing() -> None:
    clusters.create("class", runtime="sim")
    before = table_sizes()

    def write() -> int:
        number = 0
        while True:
            try:
                store.create(pod_key(f"p{number}", cluster="class"), make_pod(f"p{number}", uid=f"r{number}"), at=AT)
            except UnknownCluster:
                return number
            number += 1
            started.set()

    started = threading.Event()
    writing = in_thread(write)
    assert started.wait(20)
    assert clusters.delete("class")
    assert writing() > 0
    assert table_sizes() == {**before, "Cluster": 0}
