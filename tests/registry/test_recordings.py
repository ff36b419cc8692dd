"""A run goes out as a file and comes in as a recording that says the same; nothing in a file is believed."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from podlab.apis.status_errors import ApiError
from podlab.apis.types import Key, LogLine
from podlab.logs import format as cri
from podlab.logs import layout
from podlab.registry import clusters, recordings, run_files
from podlab.registry.authorizer import Grant
from podlab.registry.client import Client
from podlab.registry.identity import Identity, system
from podlab.storage import compaction, history, log, moments, reads
from podlab.storage.graph_models import GraphPod

ADMIN = system("test")
STUDENT = Identity(name="sam", groups=(), grants=(Grant("student", "main", "default"),))
AT = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "web"},
    "spec": {"containers": [{"name": "app", "image": "busybox:1.36"}]},
}
SECRET = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "keys"}, "stringData": {"password": "hunter2"}}


@pytest.fixture
def lived(transactional_db: None, tmp_path: Path) -> tuple[Client, str]:
    """A pod that ran, was probed, logged and was deleted; a second one that is there; a Secret."""
    clusters.ensure_main("sim", nodes=["node-a"])
    client = Client("main", ADMIN, lambda: AT)
    uid = client.create("pods", POD, namespace="default", why="Somebody wanted it.").stored.uid
    history.start_run(history.Run("main", "default", "web", uid, "app", 0, "node-a", "id", "busybox:1.36", AT))
    history.record_probes([history.ProbeRow("main", uid, "app", 0, "liveness", AT, 1.5, "failure", 1, 3, "no")])
    pod = recordings._Pod("default", "web", uid)
    path = layout.container_log(tmp_path / "main", pod, "app", 0)
    path.parent.mkdir(parents=True)
    path.write_bytes(cri.encode(LogLine(at=AT, stream="stdout", text="hello")))
    client.delete("pods", "default", "web", grace=0)
    client.create("pods", POD, namespace="default")
    client.create("secrets", SECRET, namespace="default")
    return client, uid


def exported(tmp_path: Path, identity: Identity = ADMIN) -> io.BytesIO:
    target = io.BytesIO()
    recordings.export(clusters.get("main"), "default", target, identity=identity, logs=tmp_path / "main")
    target.seek(0)
    return target


def test_the_recording_tells_the_same_story(lived: tuple[Client, str], tmp_path: Path) -> None:
    client, uid = lived
    row = recordings.import_run("monday", exported(tmp_path), identity=ADMIN, logs=tmp_path)
    assert (row.runtime, row.origin, row.time.paused, row.time.lab) == ("replay", "main", True, AT)
    before, after = log.history_of("main", uid), log.history_of("monday", uid)
    assert [(one.type, one.at, one.why) for one in after] == [(one.type, one.at, one.why) for one in before]
    assert all(two.prev_revision == one.revision for one, two in zip(after, after[1:], strict=False))
    assert all(one.obj["metadata"]["resourceVersion"] == str(one.revision) for one in after)
    assert [run.container for run in history.runs_of("monday", uid)] == ["app"]
    assert [probe.message for probe in history.probes_of("monday", uid)] == ["no"]
    log_file = layout.container_log(tmp_path / "monday", recordings._Pod("default", "web", uid), "app", 0)
    assert b"hello" in log_file.read_bytes()
    there = reads.get(Key("monday", "pods", "default", "web"))
    assert there is not None
    assert there.uid != uid
    assert GraphPod.objects.filter(cluster="monday", uid=there.uid).exists()
    assert moments.span_of("monday") is not None


def test_a_past_state_of_the_recording_can_be_read(lived: tuple[Client, str], tmp_path: Path) -> None:
    recordings.import_run("monday", exported(tmp_path), identity=ADMIN, logs=tmp_path)
    first = log.history_of("monday", lived[1])[0]
    page = reads.list_at(first.revision, cluster="monday", resource="pods", namespace="default")
    assert [item.uid for item in page.items] == [lived[1]]


@pytest.mark.parametrize("write", ["create", "update", "delete"])
def test_a_recording_takes_no_writes(lived: tuple[Client, str], tmp_path: Path, write: str) -> None:
    recordings.import_run("monday", exported(tmp_path), identity=ADMIN, logs=tmp_path)
    client = clusters.client_for("monday", ADMIN)
    head = log.head()
    writes: dict[str, Callable[[], Any]] = {
        "create": lambda: client.create("pods", {**POD, "metadata": {"name": "new"}}, namespace="default"),
        "update": lambda: client.update_status("pods", "default", "web", lambda obj: obj["status"].update(phase="Failed")),
        "delete": lambda: client.delete("pods", "default", "web", grace=0),
    }  # fmt: skip
    with pytest.raises(ApiError, match="is the recording of a run") as refusal:
        writes[write]()
    assert refusal.value.code == 405
    assert log.head() == head


def test_compaction_takes_nothing_of_it(lived: tuple[Client, str], tmp_path: Path) -> None:
    recordings.import_run("monday", exported(tmp_path), identity=ADMIN, logs=tmp_path)
    before = len(log.history_of("monday", lived[1]))
    lived[0].create("configmaps", {"metadata": {"name": "later"}}, namespace="default")
    compaction.compact(0)  # the floor lies above all of the recording
    assert len(log.history_of("monday", lived[1])) == before
    assert moments.span_of("monday") is not None
    (pod,) = reads.list_at(log.head(), "monday", "pods", "default").items
    assert reads.get_at(pod.key, pod.revision) is not None
    assert reads.list_at(pod.revision, "monday", "pods", "default").items


def test_values_of_secrets_do_not_leave(lived: tuple[Client, str], tmp_path: Path) -> None:
    with zipfile.ZipFile(exported(tmp_path)) as archive:
        everything = b"".join(archive.read(name) for name in archive.namelist())
    assert b"aHVudGVyMg" not in everything
    assert b"hunter2" not in everything
    assert b'"password":""' in everything


def test_one_exports_what_one_may_read(lived: tuple[Client, str], tmp_path: Path) -> None:
    assert run_files.unpack(exported(tmp_path, STUDENT)).changes
    stranger = Identity(name="eve", groups=(), grants=())
    with pytest.raises(ApiError) as refusal:
        exported(tmp_path, stranger)
    assert refusal.value.code == 403
    viewer = Identity(name="vi", groups=(), grants=(Grant("viewer", "main", "default"),))
    assert not [one for one in run_files.unpack(exported(tmp_path, viewer)).changes if one.key.resource == "secrets"]


def test_who_may_make_no_clusters_imports_nothing(lived: tuple[Client, str], tmp_path: Path) -> None:
    with pytest.raises(ApiError) as refusal:
        recordings.import_run("monday", exported(tmp_path), identity=STUDENT, logs=tmp_path)
    assert refusal.value.code == 403


def test_a_name_is_taken_once(lived: tuple[Client, str], tmp_path: Path) -> None:
    with pytest.raises(ApiError) as refusal:
        recordings.import_run("main", exported(tmp_path), identity=ADMIN, logs=tmp_path)
    assert refusal.value.code == 409


def rewritten(file: io.BytesIO, part: str, change: Callable[[bytes], bytes]) -> io.BytesIO:
    out = io.BytesIO()
    with zipfile.ZipFile(file) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            new.writestr(name, change(old.read(name)) if name == part else old.read(name))
    out.seek(0)
    return out


def in_pods(change: Callable[[dict[str, Any]], object]) -> Callable[[bytes], bytes]:
    """Apply `change` to each line that is about a pod."""

    def work(text: bytes) -> bytes:
        lines = [json.loads(line) for line in text.splitlines()]
        for line in lines:
            if line["resource"] == "pods":
                change(line)
        return b"\n".join(json.dumps(line).encode() for line in lines)

    return work


def status(name: str) -> dict[str, Any]:
    return {"name": name, "image": "", "imageID": "", "ready": False, "restartCount": 0}


def changed(**values: Any) -> Callable[[bytes], bytes]:
    """Every line with these values instead."""
    return lambda text: b"\n".join(json.dumps(json.loads(line) | values).encode() for line in text.splitlines())


@pytest.mark.parametrize(
    ("part", "change", "text"),
    [
        ("about.json", lambda _: b"{}", "about.json: the format is not podlab-run"),
        ("about.json", lambda _: b'{"format": "podlab-run", "version": 9}', "version 9 is not known here"),
        ("changes.jsonl", lambda _: b"", "there is no change in it"),
        ("changes.jsonl", lambda text: b"[]\n" + text, "changes.jsonl line 1"),
        ("changes.jsonl", lambda text: text + text, "the revisions do not rise"),
        ("changes.jsonl", in_pods(lambda line: line.update(resource="nothings")), "is not known here"),
        ("changes.jsonl", in_pods(lambda line: line.update(name="../../etc")), "is not that of the line"),
        ("changes.jsonl", in_pods(lambda line: line.update(uid="x")), "is not that of the line"),
        ("changes.jsonl", in_pods(lambda line: line.update(at="2026-05-04T12:00:00")), "at has no time zone"),
        ("changes.jsonl", in_pods(lambda line: line["object"]["spec"].update(containers="x")), "cannot unmarshal"),
        ("changes.jsonl", in_pods(lambda line: line["object"]["spec"].update(containers=[])), "spec.containers"),
        ("changes.jsonl", in_pods(lambda line: line["object"]["spec"]["containers"][0].pop("name")), "name: Invalid"),
        ("changes.jsonl", in_pods(lambda line: line.update(at="0001-01-01T00:00:00+14:00")), "between the years"),
        ("changes.jsonl", in_pods(lambda line: line.update(actor="\0")), "actor holds a NUL"),
        ("changes.jsonl", in_pods(lambda line: line.update(revision=2**63)), "revision is out of range"),
        (
            "changes.jsonl",
            in_pods(lambda line: line["object"]["metadata"].update(creationTimestamp="")),
            "is not that of",
        ),
        ("changes.jsonl", in_pods(lambda line: line["object"]["spec"].update(volumes=[{}])), "spec.volumes"),
        ("changes.jsonl", lambda text: b'{"x":' + b"[" * 5000, "changes.jsonl line 1"),
        ("about.json", lambda _: b'{"x":' + b"[" * 5000, "about.json: "),
        ("runs.jsonl", changed(container="../../.."), "container is no name of a container"),
        ("runs.jsonl", changed(attempt=2**40), "attempt is out of range"),
        ("runs.jsonl", changed(exit_code=-(2**40)), "exit_code is out of range"),
        ("runs.jsonl", changed(node="x" * 254), "node holds a NUL or is too long"),
        ("runs.jsonl", changed(started_at="9999-12-31T23:59:59-14:00"), "between the years"),
        ("probes.jsonl", changed(threshold=-1), "threshold is out of range"),
        ("probes.jsonl", changed(latency_ms=1e308), "latency_ms is out of range"),
        (
            "changes.jsonl",
            in_pods(lambda line: line["object"]["status"].update(containerStatuses=[status("../a")])),
            "containerStatuses",
        ),
        (
            "changes.jsonl",
            in_pods(lambda line: line["object"]["spec"]["containers"][0].update(volumeMounts=[None])),
            "item that is null",
        ),
        (
            "changes.jsonl",
            in_pods(lambda line: line["object"]["spec"]["containers"][0].update(ports=[{}])),
            "ports: a port is",
        ),
        (
            "changes.jsonl",
            in_pods(lambda line: line["object"]["spec"]["containers"][0].update(ports=[{"containerPort": -1}])),
            "ports: a port is",
        ),
        (
            "changes.jsonl",
            in_pods(lambda line: line["object"]["status"].update(conditions=[{"type": "Ready"}])),
            "status.conditions",
        ),
        ("runs.jsonl", lambda _: b'{"cluster": 1}', "runs.jsonl line 1"),
        ("probes.jsonl", lambda _: b"nonsense", "probes.jsonl line 1"),
    ],
)
def test_a_broken_file_is_refused_with_its_place(
    lived: tuple[Client, str], tmp_path: Path, part: str, change: Callable[[bytes], bytes], text: str
) -> None:
    broken = rewritten(exported(tmp_path), part, change)
    with pytest.raises(ApiError) as refusal:
        recordings.import_run("monday", broken, identity=ADMIN, logs=tmp_path)
    assert refusal.value.code == 400
    assert text in refusal.value.message
    assert clusters.find("monday") is None


@pytest.mark.parametrize("junk", [b"", b"PK\x03\x04 not a zip", b"\x00" * 500])
def test_what_is_no_zip_is_refused(transactional_db: None, tmp_path: Path, junk: bytes) -> None:
    with pytest.raises(ApiError, match="no run file"):
        recordings.import_run("monday", io.BytesIO(junk), identity=ADMIN, logs=tmp_path)


def test_a_bomb_is_refused_before_it_unfolds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_files, "MAX_UNPACKED", 1000)
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("about.json", b"0" * 2000)
    with pytest.raises(run_files.Unreadable, match="larger than"):
        run_files.unpack(bomb)
