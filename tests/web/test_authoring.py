"""The editor's server side: every kind of bad text is answered with line and reason, good text is created."""

from __future__ import annotations

import json

import pytest
from django.test import Client

from podlab.registry import clusters, identity
from podlab.web import patterns

CHECK = "/c/main/ns/default/check"
GOOD = """apiVersion: v1
kind: Pod
metadata:
  name: good
spec:
  containers:
    - name: app
      image: busybox:1.36
"""
BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{','.join(['*' + chr(97 + n)] * 9)}]\n" for n in range(9)
)


def problems(browser: Client, body: bytes | str) -> list[dict[str, object]]:
    answer = browser.post(CHECK, body, content_type="application/yaml")
    assert answer.status_code == 200
    found: list[dict[str, object]] = json.loads(answer.content)["problems"]
    return found


def test_a_good_text_has_no_problems_and_names_its_objects(admin: Client) -> None:
    answer = admin.post(CHECK, GOOD, content_type="application/yaml")
    assert json.loads(answer.content) == {"problems": [], "objects": ["pod/good"]}


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        (GOOD.replace("image:", "imaeg:"), 8, 'unknown field "spec.containers[0].imaeg"'),
        (GOOD.replace("name: good", "name: Not_Good"), 4, "metadata.name: Invalid value"),
        (GOOD.replace("v1", "v9", 1), 2, 'no matches for kind "Pod" in version "v9"'),
        (GOOD.replace("kind: Pod\n", ""), 1, "kind not set"),
        (GOOD + "  restartPolicy: sometimes\n", 9, "spec.restartPolicy: Unsupported value"),
        (GOOD + "---\n" + GOOD.replace("good", "other").replace("app", "App"), 16, "spec.containers[0].name"),
        ("just words", 1, "A manifest is a mapping"),
        ("metadata:\n  name: one\n  name: two\n" + GOOD.replace("metadata:\n  name: good\n", ""), 3, '"name"'),
        ("kind: Pod\n\tname: x\n", 2, ""),
        ("kind: Pod\nname: [1, 2\n", 3, ""),
        (GOOD.replace("good", "yes"), 4, "cannot unmarshal bool"),
        (GOOD.replace("image: busybox:1.36", "stdin: maybe"), 8, "cannot unmarshal string"),
        (BOMB, None, ""),
        ("kind: \x00Pod\n", 1, ""),
    ],
)
def test_a_problem_stands_at_its_line(admin: Client, text: str, line: int | None, reason: str) -> None:
    found = problems(admin, text)
    assert found, "nothing was found"
    assert any(reason in str(problem["message"]) and line in (None, problem["line"]) for problem in found), found


def test_bytes_that_are_no_text_are_named_by_line(admin: Client) -> None:
    (problem,) = problems(admin, b"kind: Pod\nname: \xff\xfe\n")
    assert (problem["line"], problem["column"]) == (2, 7)
    assert "not UTF-8" in str(problem["message"])


def test_ten_megabytes_are_refused_with_line_and_reason(admin: Client) -> None:
    (problem,) = problems(admin, "a: b\n" * 2_000_000)
    assert (problem["line"], "3 MiB" in str(problem["message"])) == (1, True)
    answer = admin.post("/c/main/ns/default/new", {"manifest": "a: b\n" * 2_000_000})
    assert answer.status_code in {400, 413}
    assert "Line 1" in answer.content.decode()


def test_what_exists_already_is_said_at_its_name(admin: Client) -> None:
    admin.post("/c/main/ns/default/new", {"manifest": GOOD})
    (problem,) = problems(admin, GOOD)
    assert (problem["line"], problem["message"]) == (4, 'pods "good" already exists')


def test_creating_leads_to_the_page_of_the_pod(admin: Client) -> None:
    answer = admin.post("/c/main/ns/default/new", {"manifest": GOOD.replace("\n", "\r\n")})
    stored = clusters.client_for("main", identity.system("test")).get("pods", "default", "good")
    assert answer["Location"] == f"/c/main/ns/default/pods/good?uid={stored.uid}"


def test_several_documents_are_created_in_order_or_none_at_all(admin: Client) -> None:
    config = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {a: b}\n"
    client = clusters.client_for("main", identity.system("test"))
    bad = admin.post("/c/main/ns/default/new", {"manifest": f"{config}---\n{GOOD.replace('image', 'imaeg')}"})
    assert bad.status_code == 422
    assert "line 13" in bad.content.decode()
    assert client.find("configmaps", "default", "settings") is None
    good = admin.post("/c/main/ns/default/new", {"manifest": f"{config}---\n{GOOD}---\n"})
    assert "/pods/good?" in good["Location"]
    assert client.find("configmaps", "default", "settings") is not None


def test_the_text_comes_back_as_it_was_written(admin: Client) -> None:
    text = GOOD.replace("image", "imaeg") + "# </textarea><script>alert(1)</script>\n"
    page = admin.post("/c/main/ns/default/new", {"manifest": text}).content.decode()
    assert "# &lt;/textarea&gt;&lt;script&gt;alert(1)&lt;/script&gt;" in page


@pytest.mark.parametrize("pattern", patterns.PATTERNS, ids=lambda pattern: pattern.id)
def test_every_sample_is_accepted_as_it_stands_or_meant_to_be_refused(admin: Client, pattern: patterns.Pattern) -> None:
    found = problems(admin, pattern.manifest)
    assert [one["path"] for one in found] == (
        ["spec.containers[0].securityContext"] if pattern.id == "privileged" else []
    )
    assert f"name: {pattern.id}" in admin.get(f"/c/main/ns/default/new?pattern={pattern.id}").content.decode()


def test_a_pattern_that_is_begun_again_has_a_name_of_its_own(admin: Client) -> None:
    page = "/c/main/ns/default/new?pattern=crash"
    assert "  name: crash\n" in admin.get(page).content.decode()
    admin.post("/c/main/ns/default/new", {"manifest": patterns.find("crash").manifest})
    again = admin.get(page).content.decode()
    assert "  name: crash-2\n" in again
    assert "  name: crash\n" not in again
