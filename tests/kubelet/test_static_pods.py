"""Static pods: files that become pods, their mirrors in the API, and what is wrong with a file."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from fake_runtime import FOREVER, Run
from kubelet_world import World, pod

from podlab.apis import static_pods
from podlab.apis.types import Manifest
from podlab.kubelet import static_files
from podlab.kubelet.static_files import BadFile

PLAIN = """\
apiVersion: v1
kind: Pod
metadata:
  name: web
  labels: {app: static}
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - name: main
    image: busybox:1.36
    command: ["sh", "-c", "sleep 3600"]
"""
PLACE = ("pods", "default", "web-node-a")


def write(world: World, text: str = PLAIN, name: str = "web.yaml") -> None:
    folder = world.folder / "static"
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(text)
    # Two writes within one tick of the file system's clock must differ as well.
    world.files += 1
    os.utime(path, ns=(world.files, world.files))
    look(world)


def remove(world: World, name: str = "web.yaml") -> None:
    (world.folder / "static" / name).unlink()
    look(world)


def look(world: World) -> None:
    world.kubelet.look_at_files()
    world.drain()


def mirror(world: World) -> Manifest:
    return world.api.objects[PLACE]


def test_a_file_becomes_a_pod_with_a_mirror(world: World) -> None:
    write(world)
    found = mirror(world)
    notes = found["metadata"]["annotations"]
    assert found["status"]["phase"] == "Running"
    assert found["status"]["containerStatuses"][0]["ready"]
    assert notes["kubernetes.io/config.source"] == "file"
    assert notes["kubernetes.io/config.mirror"] == notes["kubernetes.io/config.hash"]
    assert notes["kubernetes.io/config.seen"].startswith("2026-11-21T02:00:00")
    assert found["metadata"]["ownerReferences"] == [
        {
            "apiVersion": "v1",
            "kind": "Node",
            "name": "node-a",
            "uid": world.api.objects[("nodes", "", "node-a")]["metadata"]["uid"],
            "controller": True,
        }
    ]
    assert found["spec"]["nodeName"] == "node-a"
    assert found["spec"]["tolerations"] == [{"operator": "Exists", "effect": "NoExecute"}]
    assert static_pods.runtime_uid(found) == notes["kubernetes.io/config.hash"] != found["metadata"]["uid"]
    assert world.told.reasons() == ["Pulled", "Created", "Started"]


def test_a_mirror_that_is_deleted_comes_back_and_nothing_stops(world: World) -> None:
    write(world)
    before = mirror(world)
    world.delete("web-node-a", grace=1)
    after = mirror(world)
    assert after["metadata"]["uid"] != before["metadata"]["uid"]
    assert after["status"]["containerStatuses"] == before["status"]["containerStatuses"]
    assert "Killing" not in world.told.reasons()


def test_a_mirror_removed_by_force_comes_back_too(world: World) -> None:
    write(world)
    before = mirror(world)["metadata"]["uid"]
    world.delete("web-node-a", grace=0)
    assert mirror(world)["metadata"]["uid"] != before


def test_a_file_that_goes_takes_its_pod_with_grace(world: World) -> None:
    world.runtime.scripts["main"] = [Run(on_term=None)]
    write(world, PLAIN.replace("PeriodSeconds: 1", "PeriodSeconds: 5"))
    remove(world)
    assert world.told.messages("Killing") == ["Stopping container main"]
    world.advance(4.9)
    assert PLACE in world.api.objects
    world.advance(1)
    assert PLACE not in world.api.objects
    assert not world.runtime.containers
    last = world.api.statuses[-1]
    assert last["phase"] == "Running"
    assert last["containerStatuses"][0]["state"]["terminated"]["exitCode"] == 137


def test_a_changed_file_is_another_pod_that_waits_for_the_first(world: World) -> None:
    world.runtime.scripts["main"] = [Run(on_term=None)]
    write(world)
    first = mirror(world)
    write(world, PLAIN.replace("3600", "7200"))
    assert mirror(world)["metadata"]["uid"] == first["metadata"]["uid"]
    assert len(world.runtime.containers) == 1
    world.advance(3)
    second = mirror(world)
    assert second["metadata"]["annotations"][static_pods.MIRROR] != first["metadata"]["annotations"][static_pods.MIRROR]
    assert second["status"]["phase"] == "Running"
    assert len(world.runtime.containers) == 1


def test_a_file_that_comes_back_while_its_pod_ends_starts_again(world: World) -> None:
    world.runtime.scripts["main"] = [Run(on_term=None), FOREVER]
    write(world)
    remove(world)
    write(world)
    world.told.begun.clear()
    world.advance(3)
    assert mirror(world)["status"]["phase"] == "Running"
    assert mirror(world)["status"]["containerStatuses"][0]["restartCount"] == 0


def test_a_new_agent_takes_a_static_pod_over(world: World) -> None:
    write(world)
    before = mirror(world)
    world.replace_agent()
    world.advance(60)
    assert mirror(world) == before
    assert world.told.reasons().count("Started") == 1


def test_a_new_agent_ends_what_has_no_file_any_more(world: World) -> None:
    write(world)
    world.crash()
    (world.folder / "static" / "web.yaml").unlink()
    world.replace_agent()
    world.advance(5)
    assert PLACE not in world.api.objects
    assert not world.runtime.containers


def test_a_static_pod_runs_without_the_api_and_is_shown_when_it_is_back(world: World) -> None:
    world.runtime.scripts["main"] = [Run(seconds=5, code=1), FOREVER]
    world.api.down = True
    write(world)
    world.advance(6)
    assert PLACE not in world.api.objects
    assert "start p" not in world.runtime.calls
    assert [c for c in world.runtime.calls if c.startswith("start ")] == [
        "start web-node-a-main-0",
        "start web-node-a-main-1",
    ]
    world.api.down = False
    world.advance(15)
    assert mirror(world)["status"]["phase"] == "Running"
    assert mirror(world)["status"]["containerStatuses"][0]["restartCount"] == 1


def test_a_static_pod_that_never_restarts_ends_in_its_mirror(world: World) -> None:
    world.runtime.scripts["main"] = [Run(seconds=1, code=3)]
    write(world, PLAIN.replace("spec:\n", "spec:\n  restartPolicy: Never\n"))
    world.advance(5)
    assert mirror(world)["status"]["phase"] == "Failed"


def test_a_bad_file_is_told_once_with_its_line_and_touches_no_other(world: World) -> None:
    write(world)
    write(world, PLAIN.replace("name: web", "name: bad").replace("image: busybox:1.36", 'image: ""'), "bad.yaml")
    look(world)
    assert world.told.node_events == [
        ("Warning", "FailedValidation", "Static pod file bad.yaml: line 10: spec.containers[0].image: Required value")
    ]
    assert mirror(world)["status"]["phase"] == "Running"
    write(world, PLAIN, "again.yaml")
    assert (
        world.told.node_events[1:]
        == [
            (
                "Warning",
                "FailedValidation",
                'Static pod file web.yaml: pod "web-node-a" is in file again.yaml already, ignoring this one',
            )
        ]
        or len(world.told.node_events) == 2
    )


def test_a_mirror_that_nobody_made_here_is_removed(world: World) -> None:
    stray = pod(name="stray")
    stray["metadata"]["annotations"] = {static_pods.MIRROR: "0" * 32}
    world.apply(stray)
    assert ("pods", "default", "stray") not in world.api.objects
    assert not world.runtime.containers


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (b"\xff", "line 1: this is not UTF-8 text"),
        (b"a: [", "line 2, column 1: did not find"),
        (b"", "line 1: one pod is expected in a file, and 0 documents are here"),
        (PLAIN.encode() + b"---\n" + PLAIN.encode(), "line 1: one pod is expected in a file, and 2 documents are here"),
        (b"apiVersion: v1\nkind: Service\n", "line 2: a static pod must be a Pod of apiVersion v1"),
        (PLAIN.replace("name: web", "name: We_b").encode(), "line 4: metadata.name: Invalid value"),
        (PLAIN.replace('["sh", "-c", "sleep 3600"]', "7").encode(), "line 1: "),
    ],
)
def test_what_is_wrong_with_a_file(text: bytes, problem: str) -> None:
    with pytest.raises(BadFile) as bad:
        static_files.pod_of(text, "f", "node-a", seen="")
    assert problem in str(bad.value)


def test_json_is_read_too_and_the_uid_follows_content_file_and_node() -> None:
    obj = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "web", "namespace": "lab"},
        "spec": {"containers": [{"name": "c", "image": "i"}]},
    }

    def uid(file: str = "f", node: str = "node-a", image: str = "i") -> str:
        obj["spec"] = {"containers": [{"name": "c", "image": image}]}
        made = static_files.pod_of(json.dumps(obj).encode(), file, node, seen="")
        assert made["metadata"]["name"] == f"web-{node}"
        return str(made["metadata"]["uid"])

    assert uid() == uid()
    assert len({uid(), uid(file="g"), uid(node="node-b"), uid(image="j")}) == 4


def test_an_annotation_leads_to_no_other_pods_containers() -> None:
    genuine = static_files.pod_of(PLAIN.encode(), "f", "node-a", seen="")["metadata"]["uid"]
    for name, said in (("other", genuine), ("web-node-a", "../../etc"), ("web-node-a", "0" * 32)):
        fake = {
            "metadata": {"name": name, "namespace": "default", "uid": "own", "annotations": {static_pods.MIRROR: said}}
        }
        assert static_pods.runtime_uid(fake) == "own"


def test_hidden_files_and_folders_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / ".web.yaml.swp").write_text("x")
    (tmp_path / "sub").mkdir()
    assert static_files.stamps(tmp_path) == {}
    assert static_files.stamps(tmp_path / "missing") == {}
