"""The admin's kubeconfig has a context for every cluster: the kubectl lines of pages name it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from podlab.apis import decode
from podlab.ops import authority, prepare
from podlab.registry import clusters
from podlab.registry.authorizer import Grant
from podlab.registry.identity import Identity

ROOT = Identity("root", grants=(Grant("admin"),))


@pytest.mark.django_db(transaction=True)
def test_clusters_that_come_and_go_are_contexts(tmp_path: Path, settings: Any) -> None:
    settings.PODLAB_DATA = tmp_path
    clusters.ensure_main("docker")
    assert not (tmp_path / "kubeconfig").exists()  # no lab is prepared here
    files = authority.Files(tmp_path / "pki")
    files.folder.mkdir()
    files.ca.write_text("PEM")
    prepare.ensure_kubeconfig(tmp_path, prepare.ensure_admin(), files)

    def servers() -> dict[str, str]:
        (document,) = decode.decode_yaml((tmp_path / "kubeconfig").read_text())
        assert document.obj["current-context"] == "podlab-main"
        assert {one["context"]["user"] for one in document.obj["contexts"]} == {"admin@podlab-main"}
        assert [one["name"] for one in document.obj["contexts"]] == [one["name"] for one in document.obj["clusters"]]
        return {one["name"]: one["cluster"]["server"] for one in document.obj["clusters"]}

    url = prepare.api_url()
    assert servers() == {"podlab-main": url}
    clusters.create_sim("big", nodes=("node-a",), seed=1, identity=ROOT)
    assert servers() == {"podlab-main": url, "podlab-big": f"{url}/clusters/big"}
    clusters.delete("big", identity=ROOT)
    assert servers() == {"podlab-main": url}
