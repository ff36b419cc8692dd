"""Real kubectl, every version from 1.31 on that there is, through kubectl_table.py against one lab on Docker.

The newest version runs the whole table, the others the rows that differ on the wire (with PODLAB_KUBECTL_FULL=1 the whole table
too). Older ones are told what they need.
"""

from __future__ import annotations

import dataclasses
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.lab.kubectl_manifests import FILES
from tests.lab.kubectl_rows import Desk, Kubectl, Row, drive, installed, row
from tests.lab.kubectl_table import CHAPTERS
from tests.whole_lab import ROOT, Lab

pytestmark = [pytest.mark.lab, pytest.mark.kubectl, pytest.mark.docker]
FIRST, FIRST_TO_EXEC = (1, 31), (1, 30)  # with websockets for all streams, and for all but port-forward
INSTALLED = installed()
DRIVEN = [item for item in INSTALLED if item.version >= FIRST]
OLDER = [item for item in INSTALLED if item.version < FIRST]


def desk_of(lab: Lab, kubectl: Kubectl, folder: Path, namespace: str) -> Desk:
    """Manifests, and a kubeconfig that points to a namespace with the pods of the table, ready."""
    shutil.copy(lab.kubeconfig, folder / "kubeconfig")
    for name, text in FILES.items():
        (folder / name).write_text(text)
    desk = Desk(lab, kubectl, folder, namespace)
    (folder / "namespace.yaml").write_text(f"apiVersion: v1\nkind: Namespace\nmetadata: {{name: {namespace}}}\n")
    wrong = drive(
        desk,
        [
            row("apply -f namespace.yaml", f"namespace/{namespace}"),
            row(f"config set-context --current --namespace={namespace}", "modified"),
            row("apply -f pods.yaml", "pod/web", awaited=True),
            row("wait pods --all --for=condition=Ready --timeout=60s", "pod/web condition met"),
        ],
    )
    assert not wrong, "\n".join(wrong)
    return desk


@pytest.fixture(scope="module", params=DRIVEN, ids=lambda item: item.name)
def desk(request: pytest.FixtureRequest, docker_lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    kubectl: Kubectl = request.param
    folder = tmp_path_factory.mktemp(kubectl.name)
    made = desk_of(docker_lab, kubectl, folder, f"table-{kubectl.minor.replace('.', '-')}")
    yield made
    made.run(row(f"delete namespace {made.namespace} --wait=false"))


def filled(item: Row, desk: Desk) -> Row:
    shows = tuple(text.replace("{ns}", desk.namespace) for text in item.shows)
    return dataclasses.replace(item, shows=shows)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("chapter", CHAPTERS)
def test_kubectl_gives(desk: Desk, chapter: str, record_property: Callable[[str, object], None]) -> None:
    whole = desk.kubectl == DRIVEN[0] or os.environ.get("PODLAB_KUBECTL_FULL") == "1"
    rows = [filled(item, desk) for item in CHAPTERS[chapter] if whole or item.by_version]
    record_property("kubectl", f"{desk.kubectl.name} {chapter} {len(rows)}")
    wrong = drive(desk, rows)
    assert not wrong, f"{len(wrong)} of {len(rows)}:\n" + "\n".join(wrong)


def test_the_table_is_long_enough() -> None:
    assert DRIVEN, f"no kubectl from 1.31 on is there, only {[item.name for item in INSTALLED]}"
    assert sum(map(len, CHAPTERS.values())) >= 80


def test_older_kubectl_is_told_the_remedy(docker_lab: Lab, tmp_path: Path) -> None:
    """Those that speak SPDY only: exec before 1.30, port-forward before 1.31. Everything else works with them."""
    told = "this needs a client that speaks WebSocket, kubectl 1.3[01] or later"
    for kubectl in OLDER:
        folder = tmp_path / kubectl.name
        folder.mkdir()
        desk = desk_of(docker_lab, kubectl, folder, "table-older")
        rows = [
            row("get pods", "^web +1/1 "),
            row("logs web --tail=1", "^tick$"),
            row("exec none -- ls", 'pods "none" not found', code=1),
            row("port-forward web {port}:8080", told, code=1),
        ]
        if kubectl.version < FIRST_TO_EXEC:
            rows += [row("exec web -- ls", told, code=1), row("cp web:/www/index.html there", told, code=1)]
        else:
            rows += [row("exec web -- cat /www/index.html", "^hello from web$")]
        wrong = drive(desk, rows)
        assert not wrong, f"{kubectl.name}\n" + "\n".join(wrong)


def test_a_service_account_with_a_role(docker_lab: Lab) -> None:
    account = "system:serviceaccount:default:default"
    question = ("auth", "can-i", "list", "pods", f"--as={account}")
    token = docker_lab.kubectl("create", "token", "default").strip()
    own = docker_lab.kubeconfig.with_name("kubeconfig-account")
    own.write_text(docker_lab.kubeconfig.read_text().replace(docker_lab.token, token))
    listing = ("get", "pods", "--kubeconfig", str(own))
    assert docker_lab.kubectl(*question, check=False).strip() == "no"
    assert f'User "{account}" cannot list resource "pods"' in docker_lab.kubectl(*listing, check=False)
    grant = [sys.executable, "manage.py", "grant", "viewer", account, "--namespace", "default"]
    subprocess.run(grant, cwd=ROOT, env=docker_lab.environment, check=True, capture_output=True)
    assert docker_lab.kubectl(*question).strip() == "yes"
    assert "Error" not in docker_lab.kubectl(*listing)
    assert account in docker_lab.kubectl("get", "rolebindings", "-o", "wide")
