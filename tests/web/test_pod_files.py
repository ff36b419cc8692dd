"""The files of a container on their page. The node is played by this machine: its GNU commands look at a folder here."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client
from pod_story import UID, at, pod, stamp

from podlab import pod_files
from podlab.apis.types import Key
from podlab.kubelet.stream_server import StreamServer
from podlab.registry import clusters, identity, streams
from podlab.registry.streams import Address, OpenRequest
from podlab.runtime.interface import StreamSession, StreamSink
from podlab.storage import store
from podlab.web.place import Place

KEY = Key("main", "pods", "default", "web")
PAGE = "/c/main/ns/default/pods/web/files"
Run = Callable[[OpenRequest, bytes], tuple[bytes, bytes, int | None]]


def for_real(request: OpenRequest, data: bytes) -> tuple[bytes, bytes, int | None]:
    done = subprocess.run(request.command, input=data, capture_output=True, check=False)
    return done.stdout, done.stderr, done.returncode


class Session:
    def __init__(self, node: Node, request: OpenRequest, sink: StreamSink) -> None:
        self._node, self._request, self._sink, self._input = node, request, sink, b""
        if not request.stdin:
            self._start()

    def write(self, data: bytes) -> None:
        self._input += data

    def close_input(self) -> None:
        self._start()

    def _start(self) -> None:
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        out, err, code = self._node.run(self._request, self._input)
        self._sink.output("stdout", out)
        self._sink.output("stderr", err)
        if code is not None:
            self._sink.ended(code, "")

    def resize(self, width: int, height: int) -> None:
        raise AssertionError("there is no terminal")

    def close(self) -> None:
        self._node.closed.set()


class Node:
    def __init__(self) -> None:
        self.requests: list[OpenRequest] = []
        self.run: Run = for_real
        self.closed = threading.Event()

    def door(self, request: OpenRequest, sink: StreamSink) -> StreamSession:
        self.requests.append(request)
        return Session(self, request, sink)


def running() -> dict[str, Any]:
    made = pod(phase="Running", state={"running": {"startedAt": stamp(1)}}, ready=True)
    made["spec"]["nodeName"] = "node-a"
    return made


@pytest.fixture
def node(lab: None, tmp_path: Path, settings: Any) -> Iterator[Node]:
    played = Node()
    address = Address(path=tmp_path / "node.sock")
    server = StreamServer(listen=address, key=streams.key_of(settings.SECRET_KEY), door=played.door)
    server.start()
    client = clusters.client_for("main", identity.system("test"))
    patch = {"metadata": {"annotations": {streams.ADDRESS_ANNOTATION: str(address)}}}
    if client.find("nodes", "", "node-a") is None:
        client.create("nodes", {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "node-a"}})
    client.patch("nodes", "", "node-a", "application/merge-patch+json", patch)
    store.create(KEY, running(), at=at(0), actor="test", why="")
    yield played
    server.close()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    found = tmp_path / "root"
    (found / "etc").mkdir(parents=True)
    return found


def show(browser: Client, path: Path | bytes, **more: str) -> str:
    text = browser.get(address(path, **more)).content.decode()
    assert "<html" in text
    return text


def address(path: Path | bytes, page: str = PAGE, **more: str) -> str:
    return f"{page}?path={quote(os.fsencode(path))}" + "".join(f"&{name}={value}" for name, value in more.items())


def test_a_directory_is_listed(student: Client, node: Node, root: Path) -> None:
    (root / "hello.txt").write_text("hello\n")
    (root / "hello.txt").chmod(0o640)
    os.symlink("etc", root / "alias")
    os.mkfifo(root / "pipe")
    text = show(student, root)
    for told in (
        "etc/</a>",
        "hello.txt",
        "-rw-r-----",
        "→ etc",
        "pipe",
        "directory",
        f"ls -la {root}/",
        "kubectl exec web -c app",
    ):
        assert told in text, told
    assert text.index("etc/</a>") < text.index("alias")
    assert f"path={quote(str(root / 'pipe'), safe='')}" not in text
    assert {request.container for request in node.requests} == {"app"}


def test_a_link_to_a_directory_is_entered_and_dots_are_the_containers(student: Client, node: Node, root: Path) -> None:
    (root / "etc" / "deep").mkdir()
    (root / "etc" / "seen").touch()
    os.symlink("etc/deep", root / "alias")
    assert "seen" in show(student, root / "alias" / "..")


ODD = [
    b"a\nb",
    b"-rf",
    b"q'uo\"te",
    b"<script>alert(1)</script>".replace(b"/", b""),
    b"n\xff\xfe",
    b" ",
    b"$(id)",
    b"\xe2\x80\xae",
]


@pytest.mark.parametrize("name", ODD)
def test_any_name_can_be_followed(student: Client, node: Node, root: Path, name: bytes) -> None:
    path = os.path.join(os.fsencode(root), name)
    os.mkdir(path)
    Path(os.fsdecode(os.path.join(path, name))).write_text("found it")
    listed = show(student, root)
    assert f"path={quote(path, safe='')}" in listed
    assert "<script>alert" not in listed
    assert "\u202e" not in listed
    inner = os.path.join(path, name)
    assert f"path={quote(inner, safe='')}" in show(student, path)
    assert "found it" in show(student, inner)
    answer = student.get(address(inner, f"{PAGE}/download"))
    assert (answer.content, answer["X-Content-Type-Options"]) == (b"found it", "nosniff")
    assert answer["Content-Disposition"].startswith("attachment")


def test_a_text_is_escaped_and_cut(student: Client, node: Node, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (root / "page").write_text("<b>&\x1b" + "x" * 5000)
    text = show(student, root / "page")
    assert "&lt;b&gt;&amp;␛xxx" in text
    assert "data-cut" not in text
    assert f"kubectl cp default/web:{root}/page ./page -c app" in text
    monkeypatch.setattr(pod_files, "MOST_TEXT", 1000)
    text = show(student, root / "page")
    assert "data-cut" in text
    assert "x" * 900 in text
    assert "x" * 1001 not in text


def test_what_is_no_text_is_offered_for_download_only(student: Client, node: Node, root: Path) -> None:
    (root / "binary").write_bytes(b"\x7fELF\0\1")
    text = show(student, root / "binary")
    assert "data-binary" in text
    assert "<pre" not in text
    assert "/files/download?" in text


def test_a_pipe_is_not_read(student: Client, node: Node, root: Path) -> None:
    os.mkfifo(root / "pipe")
    assert "no file with contents" in show(student, root / "pipe")
    assert [request.command[0] for request in node.requests] == ["stat"]
    assert student.get(address(root / "pipe", f"{PAGE}/download")).status_code == 400


def test_a_download_is_whole_or_refused(
    student: Client, node: Node, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (root / "data").write_bytes(bytes(range(256)) * 4)
    assert student.get(address(root / "data", f"{PAGE}/download")).content == bytes(range(256)) * 4
    monkeypatch.setattr(pod_files, "MOST_DOWNLOAD", 1000)
    refused = student.get(address(root / "data", f"{PAGE}/download"))
    assert (refused.status_code, "more than 1000 bytes" in refused.content.decode()) == (400, True)
    assert "/files/download?" not in show(student, root / "data")


def test_a_large_directory_is_cut_and_says_so(
    student: Client, node: Node, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(30):
        (root / f"f{number:02}").touch()
    monkeypatch.setattr(pod_files, "MOST_ENTRIES", 10)
    text = show(student, root)
    assert ("data-cut" in text, text.count("<tr data-kind")) == (True, 10)
    monkeypatch.setattr(pod_files, "_MOST_LISTED", 1500)
    text = show(student, root)
    assert "data-cut" in text
    assert 0 < text.count("<tr data-kind") <= 10


def test_what_the_container_says_is_passed_on(student: Client, node: Node, root: Path) -> None:
    assert "No such file or directory" in show(student, root / "nowhere")
    assert "This is no path" in student.get(f"{PAGE}?path=/a%00b").content.decode()
    assert "This directory is empty" in show(student, root / "etc")


def test_a_directory_that_may_not_be_read_is_not_called_empty(student: Client, node: Node, root: Path) -> None:
    def closed(request: OpenRequest, data: bytes) -> tuple[bytes, bytes, int | None]:
        out, err, code = for_real(request, data)
        return (out, b"find: /x: Permission denied", 1) if "find" in request.command else (out, err, code)

    node.run = closed
    text = show(student, root / "etc")
    assert "The container says: find: /x: Permission denied" in text
    assert "is empty" not in text


def test_an_image_without_the_commands_is_told_and_the_debug_container_offered(student: Client, node: Node) -> None:
    node.run = lambda request, data: (
        b'OCI runtime exec failed: exec: "stat": executable file not found in $PATH',
        b"",
        126,
    )
    text = student.get(PAGE).content.decode()
    assert "has no stat" in text
    assert "tab=terminal&amp;uid=" in text
    assert "/proc/1/root" in text


def test_a_command_that_does_not_end_is_ended(student: Client, node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pod_files, "_SECONDS", 0.05)
    node.run = lambda request, data: (b"", b"", None)
    assert "did not answer" in student.get(PAGE).content.decode()
    assert node.closed.wait(10)


def test_a_container_that_ends_meanwhile_is_told(student: Client, node: Node) -> None:
    node.run = lambda request, data: (b"", b"", 137)
    assert "has the container ended" in student.get(PAGE).content.decode()
    text = student.get(f"{PAGE}?container=other").content.decode()
    assert "container other is not valid for pod web" in text


def test_only_who_may_exec_looks(lab: None, node: Node, admin: Client) -> None:
    from django.contrib.auth import get_user_model

    user = get_user_model().objects.create_user("vera", password="x")
    identity.grant(user, "viewer", cluster="main", namespace="default")
    viewer = Client()
    viewer.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    assert viewer.get(PAGE).status_code == 403
    assert viewer.get(f"{PAGE}/download?path=/etc/passwd").status_code == 403
    assert viewer.get("/c/main/ns/kube-system/pods/web/files").status_code == 403
    assert node.requests == []


def test_no_command_runs_for_the_past_or_for_a_pod_that_is_gone(student: Client, node: Node) -> None:
    past = student.get(f"{PAGE}?rev=last").content.decode()
    assert "only those of now" in past
    assert "kubectl exec" not in past
    ended = running()
    ended["status"]["containerStatuses"][0]["state"] = {"terminated": {"exitCode": 0, "finishedAt": stamp(2)}}
    store.update(KEY, ended, at=at(3), actor="test", why="", expect=None)
    assert "No container of this pod is running" in student.get(PAGE).content.decode()
    store.delete(KEY, at=at(5), actor="test", why="")
    assert "The pod is gone" in student.get(f"{PAGE}?uid={UID}").content.decode()
    assert node.requests == []


def test_a_recording_has_no_files(student: Client, node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Place, "recorded", True)
    text = student.get(PAGE).content.decode()
    assert "recording of a run" in text
    assert "kubectl exec" not in text
    assert node.requests == []


def test_a_namesake_is_not_entered(student: Client, node: Node) -> None:
    assert student.get(f"{PAGE}?uid=00000000-0000-0000-0000-000000000000").status_code == 404
    assert node.requests == []
