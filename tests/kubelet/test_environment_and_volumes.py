"""Environment, $(VAR), volumes and the words for what is missing."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from kubelet_objects import FACTS, Objects
from kubelet_world import World, container, pod

from podlab.apis.types import Manifest
from podlab.kubelet import environment, volume_folders, volumes
from podlab.kubelet.environment import ConfigError
from podlab.kubelet.mount_errors import MountError
from podlab.kubelet.subpaths import prepare
from podlab.kubelet.volume_folders import File, Folders
from podlab.kubelet.volumes import Sources


def env_of(one: Manifest, **meta: Any) -> dict[str, str]:
    made = pod(one)
    made["metadata"].update(meta)
    return environment.environment(made, one, Objects(), FACTS)


def ref(kind: str, **more: Any) -> list[Manifest]:
    return [{"name": "X", "valueFrom": {kind: more}}]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$(A)", "1"),
        ("x$(A)y$(A)", "x1y1"),
        ("$$(A)", "$(A)"),
        ("$(MISSING)", "$(MISSING)"),
        ("$A", "$A"),
        ("$(A", "$(A"),
        ("100$", "100$"),
        ("$$$(A)", "$1"),
        ("$()", "$()"),
    ],
)
def test_references_are_expanded_as_kubernetes_does(text: str, expected: str) -> None:
    assert environment.expand(text, {"A": "1"}) == expected


ENVIRONMENTS: dict[str, tuple[Manifest, dict[str, str]]] = {
    "plain values in order": (
        container(env=[{"name": "A", "value": "1"}, {"name": "B", "value": "$(A)2"}]),
        {"A": "1", "B": "12"},
    ),
    "a value cannot see what is defined later": (
        container(env=[{"name": "A", "value": "$(B)"}, {"name": "B", "value": "2"}]),
        {"A": "$(B)", "B": "2"},
    ),
    "a whole ConfigMap with a prefix, env wins": (
        container(envFrom=[{"prefix": "P_", "configMapRef": {"name": "cfg"}}], env=[{"name": "P_a", "value": "mine"}]),
        {"P_a": "mine", "P_b": "two"},
    ),
    "a key of a Secret": (container(env=ref("secretKeyRef", name="sec", key="pw")), {"X": "s3cret"}),
    "an optional key that is missing is skipped": (
        container(env=ref("configMapKeyRef", name="cfg", key="zz", optional=True)),
        {},
    ),
    "an optional Secret that is missing is skipped": (
        container(envFrom=[{"secretRef": {"name": "nope", "optional": True}}]),
        {},
    ),
    "the pod's address": (container(env=ref("fieldRef", fieldPath="status.podIP")), {"X": "10.0.0.9"}),
    "a label": (container(env=ref("fieldRef", fieldPath="metadata.labels['app']")), {"X": "web"}),
    "a limit, rounded up to the divisor": (
        container(
            env=ref("resourceFieldRef", resource="limits.cpu", divisor="1"), resources={"limits": {"cpu": "1500m"}}
        ),
        {"X": "2"},
    ),
    "a missing limit means what the node can give": (
        container(env=ref("resourceFieldRef", resource="limits.memory", divisor="1Mi")),
        {"X": "4096"},
    ),
}


@pytest.mark.parametrize("sentence", ENVIRONMENTS)
def test_environment(sentence: str) -> None:
    one, expected = ENVIRONMENTS[sentence]
    assert env_of(one, labels={"app": "web"}) == expected


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ({"env": ref("configMapKeyRef", name="nope", key="a")}, 'configmap "nope" not found'),
        ({"env": ref("configMapKeyRef", name="cfg", key="zz")}, "couldn't find key zz in ConfigMap default/cfg"),
        ({"env": ref("secretKeyRef", name="nope", key="a")}, 'secret "nope" not found'),
        ({"env": ref("secretKeyRef", name="sec", key="zz")}, "couldn't find key zz in Secret default/sec"),
        ({"envFrom": [{"configMapRef": {"name": "nope"}}]}, 'configmap "nope" not found'),
    ],
)
def test_what_is_missing_is_named(entries: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        env_of(container(**entries))
    assert str(caught.value) == message


def test_a_missing_config_map_is_told_and_tried_again(world: World) -> None:
    world.apply(pod(container(env=ref("configMapKeyRef", name="cfg", key="msg"))))
    assert world.container()["state"]["waiting"] == {
        "reason": "CreateContainerConfigError",
        "message": 'configmap "cfg" not found',
    }
    assert world.told.messages("Failed") == ['Error: configmap "cfg" not found']
    world.api.put("configmaps", {"metadata": {"name": "cfg", "namespace": "default"}, "data": {"msg": "hi"}}, "ADDED")
    world.advance(10)
    assert world.status["phase"] == "Running"
    assert dict(world.runtime.configs["p-main-0"].env)["X"] == "hi"


def test_on_the_host_s_network_the_pod_has_the_node_s_address(world: World) -> None:
    world.apply(pod(container(env=ref("fieldRef", fieldPath="status.podIP")), hostNetwork=True))
    assert dict(world.runtime.configs["p-main-0"].env)["X"] == world.status["hostIP"] == world.status["podIP"]


def test_command_and_args_see_the_environment(world: World) -> None:
    world.apply(pod(container(command=["echo"], args=["$(WHO)", "$$(WHO)"], env=[{"name": "WHO", "value": "you"}])))
    config = world.runtime.configs["p-main-0"]
    assert (config.command, config.args) == (("echo",), ("you", "$(WHO)"))


@pytest.mark.parametrize(
    ("security", "message"),
    [
        (
            {"runAsNonRoot": True},
            'container has runAsNonRoot and image will run as root (pod: "p_default(uid-p)", container: main)',
        ),
        (
            {"runAsNonRoot": True, "runAsUser": 0},
            'container\'s runAsUser breaks non-root policy (pod: "p_default(uid-p)", container: main)',
        ),
    ],
)
def test_run_as_non_root_is_checked(world: World, security: Manifest, message: str) -> None:
    world.apply(pod(container(securityContext=security)))
    assert world.container()["state"]["waiting"] == {"reason": "CreateContainerConfigError", "message": message}


# Volumes


def files(**volume: Any) -> list[File]:
    return volumes.files({"name": "v", **volume}, Sources(pod(), Objects(), FACTS))


def test_a_config_map_becomes_files() -> None:
    assert files(configMap={"name": "cfg"}) == [File("a", b"1", 0o644), File("b", b"two", 0o644)]


def test_items_choose_keys_paths_and_modes() -> None:
    chosen = {"secretName": "sec", "defaultMode": 0o400, "items": [{"key": "pw", "path": "x/pw", "mode": 0o440}]}
    assert files(secret=chosen) == [File("x/pw", b"s3cret", 0o440)]


def test_a_projected_volume_joins_its_sources() -> None:
    sources = [
        {"configMap": {"name": "cfg", "items": [{"key": "a", "path": "a"}]}},
        {"downwardAPI": {"items": [{"path": "namespace", "fieldRef": {"fieldPath": "metadata.namespace"}}]}},
        {"secret": {"name": "sec"}},
    ]
    assert [(f.path, f.data) for f in files(projected={"sources": sources})] == [
        ("a", b"1"),
        ("namespace", b"default"),
        ("pw", b"s3cret"),
    ]


@pytest.mark.parametrize(
    ("volume", "detail"),
    [
        ({"configMap": {"name": "nope"}}, 'configmap "nope" not found'),
        (
            {"configMap": {"name": "cfg", "items": [{"key": "zz", "path": "zz"}]}},
            "configmap references non-existent config key: zz",
        ),
        ({"secret": {"secretName": "nope"}}, 'secret "nope" not found'),
        (
            {"secret": {"secretName": "sec", "items": [{"key": "zz", "path": "zz"}]}},
            "references non-existent secret key: zz",
        ),
        ({"hostPath": {"path": "/"}}, "hostPath volumes are refused: the lab shares this machine with others"),
        ({"nfs": {"server": "x"}}, "podlab cannot mount nfs volumes yet"),
        ({"configMap": {"name": "cfg", "items": [{"key": "a", "path": "../../x"}]}}, "invalid path: ../../x"),
    ],
)
def test_a_volume_that_cannot_be_had_says_why(volume: dict[str, Any], detail: str) -> None:
    with pytest.raises(MountError) as caught:
        files(**volume)
    assert str(caught.value) == f'MountVolume.SetUp failed for volume "v" : {detail}'


def test_optional_volumes_are_empty() -> None:
    assert files(configMap={"name": "nope", "optional": True}) == []
    assert files(secret={"secretName": "nope", "optional": True}) == []


def test_a_token_is_projected_for_its_audience() -> None:
    source = {"serviceAccountToken": {"path": "token", "audience": "vault", "expirationSeconds": 600}}
    assert files(projected={"sources": [source]}) == [File("token", b"token for vault", 0o644)]


ME = os.getuid()
TOKENS: dict[str, tuple[dict[str, Any], int, int | None]] = {
    "nobody in particular": ({}, 0o644, None),
    "one user": ({"securityContext": {"runAsUser": ME}}, 0o600, ME),
    "a group": ({"securityContext": {"fsGroup": 5}}, 0o600, None),
    "several users": ({"initContainers": [{"name": "i", "securityContext": {"runAsUser": ME}}]}, 0o644, None),
}


@pytest.mark.parametrize(("spec", "mode", "owner"), list(TOKENS.values()), ids=list(TOKENS))
def test_a_token_belongs_to_the_user_of_the_pod(
    spec: dict[str, Any], mode: int, owner: int | None, tmp_path: Path
) -> None:
    volume = {"name": "v", "projected": {"sources": [{"serviceAccountToken": {"path": "token"}}]}}
    (file,) = volumes.files(volume, Sources(pod(**spec), Objects(), FACTS))
    assert (file.mode, file.owner) == (mode, owner)
    shown = (make(volume, [file], tmp_path) / "token").stat()
    assert (shown.st_mode & 0o777, shown.st_uid) == (mode, ME)


NOW = datetime(2026, 11, 21, 2, 0, tzinfo=UTC)
CONFIG: Manifest = {"name": "v", "configMap": {"name": "cfg"}}


def make(volume: Manifest, content: list[File], place: Path, **spec: Any) -> Path:
    folders = Folders(place)
    volume_folders.set_up(volume, content, folders, now=NOW, pod=pod(**spec))
    return folders.of(volume)


def test_files_are_swapped_in_one_step(tmp_path: Path) -> None:
    place = make(CONFIG, [File("a", b"1", 0o644), File("d/b", b"2", 0o600)], tmp_path)
    assert (place / "a").read_bytes() == b"1"
    assert (place / "d" / "b").stat().st_mode & 0o777 == 0o600
    first = (place / "..data").readlink()
    assert first.name.startswith("..2026_11_21_02_00_00.")
    make(CONFIG, [File("a", b"1", 0o644), File("d/b", b"2", 0o600)], tmp_path)
    assert (place / "..data").readlink() == first
    make(CONFIG, [File("a", b"new", 0o644)], tmp_path)
    assert (place / "a").read_bytes() == b"new"
    assert sorted(p.name for p in place.iterdir() if not p.name.startswith("..")) == ["a"]
    assert not (place / first).exists()


def test_an_empty_dir_is_open_to_everybody(tmp_path: Path) -> None:
    assert make({"name": "v", "emptyDir": {}}, [], tmp_path).stat().st_mode & 0o7777 == 0o777
    memory = make({"name": "m", "emptyDir": {"medium": "Memory"}}, [], tmp_path)
    assert memory.stat().st_mode & 0o7777 == 0o1777
    assert prepare(memory, "part", mount="m", container="c").stat().st_mode & 0o7777 == 0o1777


def test_fs_group_owns_what_the_pod_mounts(tmp_path: Path) -> None:
    group = {"securityContext": {"fsGroup": os.getgid()}}
    place = make({"name": "v", "emptyDir": {}}, [], tmp_path, **group)
    assert place.stat().st_mode & 0o7777 == 0o2777
    config = make({"name": "c", "configMap": {"name": "cfg"}}, [File("a", b"1", 0o400)], tmp_path, **group)
    assert (config / "a").stat().st_mode & 0o777 == 0o440
    assert config.stat().st_gid == os.getgid()


@pytest.mark.parametrize(
    ("volume", "in_memory"),
    [
        ({"secret": {"secretName": "s"}}, True),
        ({"projected": {}}, True),
        ({"emptyDir": {"medium": "Memory"}}, True),
        ({"emptyDir": {}}, False),
        ({"configMap": {"name": "c"}}, False),
    ],
)
def test_what_lies_in_memory(tmp_path: Path, volume: Manifest, in_memory: bool) -> None:
    folders = Folders(tmp_path / "disk", tmp_path / "memory")
    assert (tmp_path / "memory" in folders.of({"name": "v", **volume}).parents) is in_memory
    on_disk_only = Folders(tmp_path / "disk").of({"name": "v", **volume})
    assert tmp_path / "disk" in on_disk_only.parents


def test_a_part_of_a_volume_is_mounted(tmp_path: Path) -> None:
    volume: Manifest = {"name": "v", "emptyDir": {}}
    place = make(volume, [], tmp_path)
    one = container(
        volumeMounts=[
            {"name": "v", "mountPath": "/a", "subPath": "a/b"},
            {"name": "v", "mountPath": "/z", "subPathExpr": "dir-$(N)"},
        ]
    )
    made = volumes.mounts(pod(one, volumes=[volume]), one, Folders(tmp_path), {"N": "z"}, real=True)
    assert [mount.host_path for mount in made] == [str(place / "a/b"), str(place / "dir-z")]
    assert all(Path(mount.host_path).is_dir() for mount in made)


@pytest.mark.parametrize(
    ("mount", "message"),
    [
        ({"subPathExpr": "$(NOPE)"}, 'missing value for "NOPE"'),
        ({"subPath": "out"}, 'failed to prepare subPath for volumeMount "v" of container "main"'),
        ({"subPath": "a/../../x"}, 'failed to prepare subPath for volumeMount "v" of container "main"'),
    ],
)
def test_a_part_that_leads_out_of_its_volume_is_refused(tmp_path: Path, mount: Manifest, message: str) -> None:
    volume: Manifest = {"name": "v", "emptyDir": {}}
    (make(volume, [], tmp_path) / "out").symlink_to("/etc")
    one = container(volumeMounts=[{"name": "v", "mountPath": "/a", **mount}])
    with pytest.raises(ConfigError, match=re.escape(message)):
        volumes.mounts(pod(one, volumes=[volume]), one, Folders(tmp_path), {}, real=True)


def test_a_host_path_needs_permission_and_the_right_type(tmp_path: Path) -> None:
    allowed = Sources(pod(), Objects(), FACTS, frozenset({"hostPath"}))
    volume = {"name": "v", "hostPath": {"path": str(tmp_path), "type": "File"}}
    with pytest.raises(MountError, match="hostPath type check failed: .* is not a file"):
        volumes.files(volume, allowed)
    fresh = tmp_path / "new"
    volumes.files({"name": "v", "hostPath": {"path": str(fresh), "type": "DirectoryOrCreate"}}, allowed)
    assert fresh.is_dir()


def test_each_volume_that_cannot_be_set_up_is_told(world: World) -> None:
    mounts = [{"name": name, "mountPath": f"/{name}"} for name in ("a", "b", "c")]
    sources = [
        {"name": "a", "configMap": {"name": "none"}},
        {"name": "b", "emptyDir": {}},
        {"name": "c", "secret": {"secretName": "none"}},
    ]
    world.apply(pod(container(volumeMounts=mounts), volumes=sources))
    assert world.told.messages("FailedMount") == [
        'MountVolume.SetUp failed for volume "a" : configmap "none" not found',
        'MountVolume.SetUp failed for volume "c" : secret "none" not found',
    ]


def test_a_missing_volume_source_is_told_with_growing_pauses_until_it_is_there(world: World) -> None:
    mounting = container(volumeMounts=[{"name": "c", "mountPath": "/c"}])
    world.apply(pod(mounting, volumes=[{"name": "c", "configMap": {"name": "cfg"}}]))
    world.advance(4)
    text = 'MountVolume.SetUp failed for volume "c" : configmap "cfg" not found'
    assert world.told.messages("FailedMount") == [text] * 4  # at 0, 0.5, 1.5 and 3.5 s
    assert world.condition("PodReadyToStartContainers")["status"] == "False"
    world.api.put("configmaps", {"metadata": {"name": "cfg", "namespace": "default"}, "data": {}}, "ADDED")
    world.advance(4)
    assert world.status["phase"] == "Running"
    mount = world.runtime.configs["p-main-0"].mounts[0]
    assert (mount.container_path, mount.read_only) == ("/c", True)


def test_volumes_that_nobody_mounts_are_not_set_up(world: World) -> None:
    world.apply(pod(volumes=[{"name": "c", "configMap": {"name": "nope"}}]))
    assert world.status["phase"] == "Running"


@pytest.mark.parametrize(
    ("source", "limits", "size"),
    [
        ({"medium": "Memory", "sizeLimit": "1Mi"}, [None], 2**20),
        ({"medium": "Memory", "sizeLimit": "1Gi"}, ["64Mi", "64Mi"], 2**27),
        ({"medium": "Memory", "sizeLimit": "1Gi"}, ["64Mi", None], 2**30),
        ({"medium": "Memory"}, [None], None),
        ({"sizeLimit": "1Mi"}, [None], None),
    ],
)
def test_the_size_of_a_volume_in_memory(source: Manifest, limits: list[str | None], size: int | None) -> None:
    some = [container(f"c{n}", resources={"limits": {"memory": one}} if one else {}) for n, one in enumerate(limits)]
    assert volume_folders.memory_size({"name": "v", "emptyDir": source}, pod(*some)) == size


@pytest.mark.parametrize(
    ("mode", "outcome"),
    [
        ("Enabled", 'volume "v" requested recursive read-only mode, but it is not supported by the runtime'),
        ("IfPossible", ""),
    ],
)
def test_recursive_read_only_is_more_than_the_runtime_can(world: World, mode: str, outcome: str) -> None:
    mount = {"name": "v", "mountPath": "/v", "readOnly": True, "recursiveReadOnly": mode}
    world.apply(pod(container(volumeMounts=[mount]), volumes=[{"name": "v", "emptyDir": {}}]))
    if outcome:
        waiting = world.container()["state"]["waiting"]
        assert waiting == {"reason": "CreateContainerConfigError", "message": outcome}
    else:
        assert world.container()["volumeMounts"][0]["recursiveReadOnly"] == "Disabled"


def test_a_variable_from_a_file_is_refused(world: World) -> None:
    world.apply(
        pod(
            container(env=ref("fileKeyRef", volumeName="v", path="f", key="k")), volumes=[{"name": "v", "emptyDir": {}}]
        )
    )
    waiting = world.container()["state"]["waiting"]
    assert waiting["reason"] == "CreateContainerConfigError"
    assert waiting["message"] == "podlab cannot take the value of X from fileKeyRef yet"
