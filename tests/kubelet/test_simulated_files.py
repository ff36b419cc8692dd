"""How a simulated node lays out volumes: as on a real disk, with exact owners and modes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from podlab.kubelet.simulated_files import of_volume
from podlab.kubelet.volume_folders import File
from podlab.runtime.node_files import FOLDER, LINK

NOW = datetime(2026, 11, 26, 14, 0, 1, 250, tzinfo=UTC)
STAMP = "..2026_11_26_14_00_01.0000250000"
CONTENT = [File("a", b"1", 0o644), File("d/b", b"2", 0o400)]
POD: dict[str, Any] = {"spec": {}, "metadata": {}}
GROUP: dict[str, Any] = {"spec": {"securityContext": {"fsGroup": 2000}}, "metadata": {}}


def shown(tree: Any) -> dict[str, tuple[str, str, int]]:
    return {path: (file.kind, file.text, file.mode) for path, file in tree.items()}


def test_files_lie_behind_two_links() -> None:
    assert shown(of_volume({"name": "c", "configMap": {}}, CONTENT, POD, now=NOW)) == {
        "": (FOLDER, "", 0o777),
        f"/{STAMP}": (FOLDER, "", 0o755),
        "/..data": (LINK, STAMP, 0o777),
        "/a": (LINK, "..data/a", 0o777),
        "/d": (LINK, "..data/d", 0o777),
        f"/{STAMP}/a": ("file", "1", 0o644),
        f"/{STAMP}/d": (FOLDER, "", 0o755),
        f"/{STAMP}/d/b": ("file", "2", 0o400),
    }


def test_the_same_content_stays_and_another_comes_in_one_step() -> None:
    volume = {"name": "c", "configMap": {}}
    first = of_volume(volume, CONTENT, POD, now=NOW)
    later = NOW + timedelta(minutes=1)
    assert of_volume(volume, CONTENT, POD, now=later, before=first) is first
    changed = of_volume(volume, [File("a", b"new", 0o644)], POD, now=later, before=first)
    assert changed["/..data"].text == "..2026_11_26_14_01_01.0000250000"
    assert "/d" not in changed
    assert f"/{STAMP}" not in changed


def test_a_group_may_read_what_is_read_only_and_write_what_is_not() -> None:
    secret = of_volume({"name": "s", "secret": {}}, [File("a", b"1", 0o400)], GROUP, now=NOW)
    assert secret[""].text == "tmpfs"
    assert {(file.gid, oct(file.mode)) for file in secret.values() if file.kind == "file"} == {(2000, "0o440")}
    scratch = of_volume({"name": "v", "emptyDir": {}}, [], GROUP, now=NOW)
    assert {path: (file.gid, oct(file.mode)) for path, file in scratch.items()} == {"": (2000, "0o2777")}
