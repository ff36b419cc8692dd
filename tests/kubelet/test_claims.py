"""Claims as folders of a node: what a pod gets, what is refused, what is left over."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from kubelet_world import World, container, pod

from podlab.apis import volume_claims as facts
from podlab.apis.types import Manifest
from podlab.kubelet import claim_folders, volume_folders
from podlab.kubelet.claim_folders import Held, Place
from podlab.kubelet.mount_errors import MountError

OWN = "pvc-11111111-2222-3333-4444-555555555555"
LABELS = {"kubernetes.io/hostname": "node-a"}


def claim(volume: str = OWN, *, phase: str = "Bound", **meta: Any) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "c", "namespace": "default", "uid": "uid-c", **meta},
        "spec": {"volumeName": volume} if volume else {},
        "status": {"phase": phase},
    }


def volume(name: str = OWN, *, own: bool = True, node: str = "node-a", uid: str = "uid-c", **source: Any) -> Manifest:
    place = {"key": "kubernetes.io/hostname", "operator": "In", "values": [node]}
    return {
        "metadata": {"name": name, "annotations": {facts.PROVISIONED_BY: facts.NODE_FOLDER} if own else {}},
        "spec": {
            **source,
            "claimRef": {"namespace": "default", "name": "c", "uid": uid},
            "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [place]}]}},
        },
    }


class Objects:
    def __init__(self, held: Manifest | None, behind: Manifest | None) -> None:
        self._held, self._behind = held, behind

    def claim(self, namespace: str, name: str) -> Manifest | None:
        return self._held

    def persistent_volume(self, name: str) -> Manifest | None:
        return self._behind


def resolve(held: Manifest | None, behind: Manifest | None, root: Path | None, **source: Any) -> Held:
    mounting = {"name": "v", "persistentVolumeClaim": {"claimName": "c", **source}}
    place = Place(node="node-a", labels=lambda: LABELS, root=root)
    return claim_folders.resolve(
        pod(volumes=[mounting]),
        mounting,
        Objects(held, behind),  # type: ignore[arg-type]
        place,
    )


def test_the_folder_of_a_claim(tmp_path: Path) -> None:
    path = tmp_path / OWN
    held = resolve(claim(), volume(local={"path": str(path)}), tmp_path, readOnly=True)
    assert held == Held(OWN, path, read_only=True, own=True)
    claim_folders.set_up(held)
    (path / "kept").write_text("x")
    claim_folders.set_up(held)
    assert path.stat().st_mode & 0o777 == 0o777
    assert (path / "kept").read_text() == "x"


NOT_YET: dict[str, tuple[Manifest | None, Manifest | None, str]] = {
    "no claim": (
        None, None, 'failed to fetch PVC from API server: persistentvolumeclaims "c" not found',
    ),
    "not bound": (claim(phase="Pending"), None, "PVC is not bound"),
    "being deleted": (claim(deletionTimestamp="2026-11-21T02:00:00Z"), None, "PVC is being deleted"),
    "no volume": (claim(), None, f'failed to fetch PV "{OWN}" from API server'),
    "another's volume": (
        claim(), volume(uid="other", local={"path": "/x"}), f'failed to fetch PV "{OWN}" from API server',
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", NOT_YET)
def test_a_claim_that_is_not_ready(case: str, tmp_path: Path) -> None:
    held, behind, detail = NOT_YET[case]
    with pytest.raises(MountError) as caught:
        resolve(held, behind, tmp_path)
    assert str(caught.value) == (
        "Unable to attach or mount volumes: unmounted volumes=[v], unattached volumes=[], failed to process volumes=[v]: "
        f"error processing PVC default/c: {detail}"
    )


def test_what_cannot_be_mounted_here_says_why(tmp_path: Path) -> None:
    (tmp_path / "lab").mkdir()
    (tmp_path / "lab" / "static").mkdir()
    (tmp_path / "lab" / "out").symlink_to(tmp_path)
    root = tmp_path / "lab"

    def complaint(behind: Manifest) -> str:
        with pytest.raises(MountError) as caught:
            resolve(claim("v1"), behind, root)
        return str(caught.value)

    def by_hand(path: Path, **more: Any) -> Manifest:
        return volume("v1", own=False, local={"path": str(path)}, **more)

    assert complaint(by_hand(root / "static", node="node-b")) == (
        'MountVolume.NodeAffinity check failed for volume "v1" : no matching NodeSelectorTerms'
    )
    assert complaint(by_hand(root / "nothing")) == (
        f'MountVolume.NewMounter initialization failed for volume "v1" : path "{root / "nothing"}" does not exist'
    )
    refused = f"volumes of this node lie below {root}: the lab shares this machine with others"
    for path in (Path("/etc"), root / "out" / "lab2", root):
        assert complaint(by_hand(path)) == f'MountVolume.SetUp failed for volume "v1" : {refused}'
    assert complaint(volume("v1", own=False, nfs={"server": "x"})) == (
        'MountVolume.SetUp failed for volume "v1" : podlab cannot mount nfs volumes yet'
    )
    assert "is not the folder that the lab makes" in complaint(volume("v1", local={"path": str(root / "static")}))
    assert resolve(claim("v1"), by_hand(root / "static"), root).path == root / "static"


def test_folders_of_volumes_that_are_gone_are_left_over(tmp_path: Path) -> None:
    gone = "pvc-99999999-2222-3333-4444-555555555555"
    for name in (OWN, gone, "static", "pvc-by-hand"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text("x")
    found = claim_folders.left_over(tmp_path, lambda: frozenset({OWN}))
    claim_folders.remove(found)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == [OWN, "pvc-by-hand", "static"]
    assert claim_folders.left_over(tmp_path / "none", frozenset) == []


def modes(root: Path) -> Mapping[str, int]:
    return {place.name: place.stat().st_mode & 0o7777 for place in (root, *root.iterdir())}


@pytest.mark.parametrize(("policy", "changed"), [("Always", True), ("OnRootMismatch", False), (None, True)])
def test_the_group_of_a_volume_that_was_used_before(tmp_path: Path, policy: str | None, changed: bool) -> None:
    context = {"fsGroup": os.getgid(), **({"fsGroupChangePolicy": policy} if policy else {})}
    owner = pod(securityContext=context)
    tmp_path.chmod(0o700)
    (tmp_path / "a").write_text("x")
    (tmp_path / "a").chmod(0o600)
    volume_folders.give_to_group(tmp_path, owner, read_only=False)
    assert modes(tmp_path) == {tmp_path.name: 0o2770, "a": 0o660}  # the root did not fit
    (tmp_path / "a").chmod(0o600)
    volume_folders.give_to_group(tmp_path, owner, read_only=False)
    assert modes(tmp_path)["a"] == (0o660 if changed else 0o600)
    tmp_path.chmod(0o700)
    volume_folders.give_to_group(tmp_path, owner, read_only=True)
    assert modes(tmp_path)[tmp_path.name] == 0o700


def test_a_pod_mounts_its_claim_when_it_is_bound(world: World) -> None:
    mounting = container(volumeMounts=[{"name": "v", "mountPath": "/d", "subPath": "part"}])
    world.apply(pod(mounting, volumes=[{"name": "v", "persistentVolumeClaim": {"claimName": "c"}}]))
    world.advance(1)
    assert world.told.messages("FailedMount")[0].endswith('persistentvolumeclaims "c" not found')
    world.api.put("persistentvolumes", volume(local={"path": f"/var/lib/podlab/volumes/{OWN}"}), "ADDED")
    world.api.put("persistentvolumeclaims", claim(), "ADDED")
    world.advance(4)
    assert world.status["phase"] == "Running"
    mount = world.runtime.configs["p-main-0"].mounts[0]
    assert (mount.host_path, mount.container_path) == (f"/var/lib/podlab/volumes/{OWN}/part", "/d")
