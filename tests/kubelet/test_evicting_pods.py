"""Eviction by the size of an emptyDir, live volumes and last words from the log: on a node with a disk."""

from __future__ import annotations

from pathlib import Path

import pytest
from fake_runtime import Run
from kubelet_world import World, container, pod

from podlab.apis.types import Manifest
from podlab.kubelet import termination_message

MOUNT = [{"name": "v", "mountPath": "/v"}]
SMALL: Manifest = {"name": "v", "emptyDir": {"sizeLimit": "1Mi"}}


@pytest.fixture
def disk(tmp_path: Path) -> World:
    """A node that is not simulated: its volumes are folders."""
    world = World(tmp_path)
    world.crash()
    world.runtime.simulated = False
    world.kubelet = world._make()
    world.boot()
    return world


def volume(world: World, kind: str = "emptydir") -> Path:
    return next(world.folder.rglob(f"kubernetes.io~{kind}/v"))


@pytest.mark.parametrize(
    ("code", "phase", "reason"), [(1, "Failed", "Evicted"), (0, "Succeeded", None), (None, "Failed", "Evicted")]
)
def test_a_volume_above_its_limit_ends_the_pod(disk: World, code: int | None, phase: str, reason: str | None) -> None:
    disk.runtime.scripts["main"] = [Run(on_term=code)]
    disk.apply(pod(container(volumeMounts=MOUNT), volumes=[SMALL]))
    (volume(disk) / "small").write_bytes(b"x" * 1000)
    disk.advance(25)
    assert disk.status["phase"] == "Running"
    (volume(disk) / "big").write_bytes(b"x" * 2**21)
    disk.advance(15)
    assert disk.told.messages("Evicted") == ['Usage of EmptyDir volume "v" exceeds the limit "1Mi". ']
    assert disk.told.messages("Killing") == ["Stopping container main"]
    assert (disk.status["phase"], disk.status.get("reason")) == (phase, reason)


def test_labels_reach_a_running_pod_through_its_volume(disk: World) -> None:
    items = [{"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}}]
    disk.apply(pod(container(volumeMounts=MOUNT), volumes=[{"name": "v", "downwardAPI": {"items": items}}]))
    file = volume(disk, "downwardapi") / "labels"
    assert file.read_text() == ""
    disk.edit(lambda pod: pod["metadata"].update(labels={"app": "two"}))
    assert file.read_text() == 'app="two"'


def test_a_config_map_is_looked_at_again_after_a_minute(disk: World) -> None:
    config = {"metadata": {"name": "cfg", "namespace": "default"}, "data": {"a": "one"}}
    disk.api.put("configmaps", config, "ADDED")
    disk.apply(pod(container(volumeMounts=MOUNT), volumes=[{"name": "v", "configMap": {"name": "cfg"}}]))
    file = volume(disk, "configmap") / "a"
    disk.api.put("configmaps", {**config, "data": {"a": "two"}})
    assert file.read_text() == "one"
    disk.advance(130)
    assert file.read_text() == "two"


def test_a_failed_container_may_leave_the_end_of_its_log(disk: World) -> None:
    disk.runtime.scripts["main"] = [Run(1, 1, lines=("line one", "line two"))]
    disk.apply(pod(container(terminationMessagePolicy="FallbackToLogsOnError"), policy="Never"))
    disk.advance(3)
    assert disk.container()["state"]["terminated"]["message"] == "line one\nline two\n"


def test_a_container_that_succeeds_leaves_no_log(disk: World) -> None:
    disk.runtime.scripts["main"] = [Run(1, 0, lines=("fine",))]
    disk.apply(pod(container(terminationMessagePolicy="FallbackToLogsOnError"), policy="Never"))
    disk.advance(3)
    assert "message" not in disk.container()["state"]["terminated"]


def test_the_end_of_a_log_is_cut_to_its_last_bytes() -> None:
    assert termination_message.from_log("é" * 2000) == "é" * 1024
