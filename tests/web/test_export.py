"""A timeline as one file: what stands in it, that no text of a user gets out of its place, and who may have it."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from pod_story import UID, at, event, pod

from podlab.apis.status_errors import ApiError
from podlab.apis.types import Key, LogLine
from podlab.logs import layout
from podlab.logs.writer import LogWriter
from podlab.storage import history, store
from podlab.storage.history import ProbeRow
from podlab.timeline import export, log_stream

POD = Key("main", "pods", "default", "web")
EVIL = "</script><script>alert('1')</script><!--"


@pytest.fixture(autouse=True)
def story(lab: None, settings: Any, tmp_path: Path) -> None:
    """A pod that runs, was probed and wrote a line; every text that a user chooses would like to be a script."""
    settings.PODLAB_DATA = tmp_path
    running = pod(phase="Running", state={"running": {"startedAt": "2026-11-21T09:00:02Z"}})
    running["metadata"]["annotations"] = {"note": EVIL}
    store.create(POD, running, at=at(0), actor="test", why=f"Because {EVIL}")
    folder = log_stream.PodFolder("default", "web", UID)
    writer = LogWriter(layout.container_log(tmp_path / "logs" / "main", folder, "app", 0))
    writer.write(LogLine(at(3), "stdout", EVIL))
    writer.close()
    history.record_probes([ProbeRow("main", UID, "app", 0, "liveness", at(4), 3.5, "success", 1, 1)])


def file(browser: Client, path: str) -> str:
    answer = browser.get(f"/c/main/ns/default/{path}")
    assert answer.status_code == 200
    assert answer["Content-Disposition"].startswith('attachment; filename="main-default')
    return answer.content.decode()


def data(text: str, id: str) -> Any:
    found = re.search(rf'<script id="{id}" type="application/json">(.*?)</script>', text, re.DOTALL)
    assert found is not None
    return json.loads(found[1])


def of_type(messages: list[dict[str, Any]], type: str) -> list[dict[str, Any]]:
    return [one for one in messages if one["type"] == type]


def test_the_file_of_a_pod_has_facts_marks_lines_and_yaml(admin: Client) -> None:
    text = file(admin, f"pods/web/export.html?uid={UID}")
    messages = data(text, "recorded")["messages"]
    assert messages[0]["type"] == "past"
    (head,) = of_type(messages, "pod")
    assert (head["pod"]["name"], head["pod"]["status"]) == ("web", "Running")
    marks = [mark for message in of_type(messages, "marks") for mark in message["marks"]]
    assert {"phase", "span", "probe"} <= {mark["kind"] for mark in marks}
    assert next(mark for mark in marks if mark["kind"] == "probe")["latency_ms"] == 3.5
    (lines,) = of_type(messages, "log")
    assert [line["text"] for line in lines["lines"]] == [EVIL]
    yaml = data(text, "yaml-lines")
    assert {"text": "kind: Pod", "path": "kind", "href": "#L2"} in yaml
    assert "A copy to look at, made by ada on " in text
    assert "http://testserver/c/main/ns/default/pods/web" in text


def test_the_file_of_a_pod_says_why_and_lists_its_events(admin: Client) -> None:
    store.update(POD, waiting(), expect=None, at=at(5), actor="kubelet", why="")
    told = event("BackOff") | {"message": EVIL}
    told["metadata"] |= {"uid": "e", "name": "web.1"}
    store.create(Key("main", "events", "default", "web.1"), told, at=at(6), actor="kubelet", why="")
    text = file(admin, f"pods/web/export.html?uid={UID}")
    why, events, yaml = (text.index(f'id="{name}"') for name in ("why", "events", "yaml"))
    assert why < events < yaml
    assert "data-situation=" in text[why:events]
    links = re.findall(r'class="evidence-link mono" href="([^"]*)"', text[why:events])
    assert links
    assert all(re.fullmatch(r"#(L\d+|timeline|events|logs|yaml)", link) for link in links)
    assert "<td>BackOff</td>" in text[events:yaml]
    assert "&lt;script&gt;alert(" in text[events:yaml]
    assert "hx-get" not in text
    assert "data-watch" not in text


def waiting() -> dict[str, Any]:
    return pod(phase="Pending", state={"waiting": {"reason": "ImagePullBackOff", "message": "Back-off pulling image"}})


def test_the_file_of_a_namespace_has_the_last_lines_of_its_pods(admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    (lines,) = of_type(data(file(admin, "timeline/export.html"), "recorded")["messages"], "log")
    assert [(line["container"], line["text"]) for line in lines["lines"]] == [("web/app", EVIL)]
    monkeypatch.setattr(export, "_MOST_CHARACTERS", 3)
    (lines,) = of_type(data(file(admin, "timeline/export.html"), "recorded")["messages"], "log")
    assert lines["lines"] == []


def test_no_text_of_a_user_gets_out_and_only_the_files_own_script_may_run(admin: Client) -> None:
    for path in (f"pods/web/export.html?uid={UID}", "timeline/export.html"):
        text = file(admin, path)
        assert "<script>alert" not in text
        scripts = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
        styles = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
        assert (len(scripts), len(styles)) == (1, 1)
        policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)
        assert policy is not None
        for part in (*scripts, *styles):
            assert f"sha256-{base64.b64encode(hashlib.sha256(part.encode()).digest()).decode()}" in unescape(policy[1])
        assert "default-src 'none'" in unescape(policy[1])
        assert re.findall(r'<(?:link|img|iframe)\b|\bsrc="', text.replace(scripts[0], "")) == []


def test_the_file_of_a_namespace_tells_what_nobody_can_ask_it_later(admin: Client) -> None:
    recorded = data(file(admin, "timeline/export.html"), "recorded")
    messages = recorded["messages"]
    assert [one["name"] for one in of_type(messages, "pods")[0]["pods"]] == ["web"]
    (told,) = of_type(messages, "told")
    sentences = {mark["id"]: mark["sentence"] for mark in told["marks"]}
    packed = [f"{UID}/{row[1]}" for batch in of_type(messages, "batch") for row in batch["marks"]]
    ticks = [f"{UID}/probe:{row[1]}" for batch in of_type(messages, "batch") for row in batch["ticks"]]
    assert len(ticks) == 1
    assert {*packed, *ticks} <= sentences.keys()
    assert all(sentences.values())
    pointed = {mark["evidence"]["path"] for mark in told["marks"]} - {""}
    assert {line["path"] for line in recorded["yaml"][UID]} & pointed


def test_of_too_many_probe_results_the_newest_are_kept(admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    later = [ProbeRow("main", UID, "app", 0, "liveness", at(5 + n), 3.5, "success", 1, 1) for n in range(3)]
    newest = [row.seq for row in history.record_probes(later)][1:]
    monkeypatch.setattr(export, "MOST_TICKS", 2)
    messages = data(file(admin, "timeline/export.html"), "recorded")["messages"]
    assert [row[1] for batch in of_type(messages, "batch") for row in batch["ticks"]] == newest


def test_a_moment_of_the_past_ends_there(admin: Client) -> None:
    first = store.get(POD)
    assert first is not None
    gone = store.delete(POD, at=at(60), actor="test", why="")
    assert gone is not None
    text = file(admin, f"pods/web/export.html?uid={UID}&rev={first.revision}")
    assert data(text, "recorded")["messages"][0]["rev"] == first.revision
    assert of_type(data(text, "recorded")["messages"], "pod")[0]["pod"]["gone"] is False
    after = data(file(admin, f"pods/web/export.html?uid={UID}"), "recorded")["messages"]
    assert of_type(after, "pod")[0]["pod"]["gone"] is True


def test_it_is_in_the_language_of_who_made_it(admin: Client) -> None:
    admin.post("/language", {"language": "zh-hans", "next": "/"})
    text = file(admin, f"pods/web/export.html?uid={UID}")
    assert '<html lang="zh-hans"' in text
    assert "只读副本" in text
    assert data(text, "words")["Phase"] == "阶段"


def test_only_who_may_see_the_timeline_may_take_it_away(student: Client, client: Client) -> None:
    assert file(student, f"pods/web/export.html?uid={UID}")
    assert student.get("/c/main/ns/kube-system/timeline/export.html").status_code == 403
    assert student.get(f"/c/main/ns/kube-system/pods/web/export.html?uid={UID}").status_code == 403
    assert student.get("/c/main/ns/default/pods/web/export.html?uid=another").status_code == 404
    assert client.get("/c/main/ns/default/timeline/export.html").status_code == 302


def test_logs_are_left_out_for_who_may_not_read_them(admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: Any) -> Any:
        raise ApiError(403, "Forbidden", "pods is forbidden")

    monkeypatch.setattr(log_stream, "written", refused)
    text = file(admin, f"pods/web/export.html?uid={UID}")
    assert of_type(data(text, "recorded")["messages"], "log") == []
    assert "The logs are left out" in text
