"""The authoring pages: form, text and command answer each other, with and without a script; edits of what exists."""

from __future__ import annotations

import html
import json
import re
from typing import Any

import pytest
from django.test import Client

from podlab.registry import clusters, identity
from podlab.web import patterns

NEW = "/c/main/ns/default/new"
COMPOSE = "/c/main/ns/default/compose"
TEXT = """apiVersion: v1
kind: Pod
metadata:
  name: web  # its name
spec:
  hostAliases: [{ip: 127.0.0.1, hostnames: [x]}]
  containers:
    - name: app
      image: busybox:1.36
"""


def shown(page: str, name: str) -> str:
    """What the text area of that name holds."""
    found = re.search(rf'<textarea name="{name}"[^>]*>\n(.*?)</textarea>', page, re.DOTALL)
    assert found is not None, name
    return html.unescape(found[1])


def compose(browser: Client, **sent: str) -> dict[str, Any]:
    answer = browser.post(COMPOSE, {"manifest": TEXT, "given": TEXT, "document": "0", "do": "preview"} | sent)
    assert answer.status_code == 200
    told: dict[str, Any] = json.loads(answer.content)
    return told


def system() -> Any:
    return clusters.client_for("main", identity.system("test"))


def test_a_change_in_the_form_is_in_the_text_and_in_the_command(admin: Client) -> None:
    told = compose(admin, **{"f.spec.containers[0].image": "busybox:2"})
    assert told["text"] == TEXT.replace("busybox:1.36", "busybox:2")
    assert told["changed"] == ["spec.containers[0].image"]
    assert "--image=busybox:2" in told["line"]
    assert "-n default" in told["line"]
    assert (told["problems"], told["objects"]) == ([], ["pod/web"])


def test_a_change_in_the_command_is_in_the_text_and_in_the_form(admin: Client) -> None:
    line = compose(admin)["line"]
    told = compose(admin, line=line.replace("--image=busybox:1.36", "--image=busybox:3"))
    assert told["text"] == TEXT.replace("busybox:1.36", "busybox:3")
    assert 'value="busybox:3"' in told["form"]
    assert compose(admin, line="kubectl run web --rm")["line_problem"] == "--rm"
    assert compose(admin, line="kubectl run web --rm")["text"] == TEXT


def test_a_change_in_the_text_is_in_the_form_and_in_the_command(admin: Client) -> None:
    told = compose(admin, manifest=TEXT.replace("name: app", "name: main"))
    assert told["changed"] == ["spec.containers[0].name"]
    assert re.search(r'class="field changed" data-path="spec.containers\[0\].name"', told["form"])
    assert '\\"name\\":\\"main\\"' in json.dumps(told["line"])


def test_a_button_of_the_form_works_on_the_text(admin: Client) -> None:
    told = compose(admin, do="add:spec.containers:app")
    assert told["text"].startswith(TEXT)
    assert "app-2" in told["form"]
    again = compose(admin, manifest=told["text"], given=told["text"], do="remove:spec.containers[1]")
    assert again["text"].rstrip() == TEXT.rstrip()


def test_a_problem_stands_at_its_input_and_at_its_line(admin: Client) -> None:
    told = compose(admin, **{"f.spec.restartPolicy": "Sometimes"})
    (problem,) = told["problems"]
    assert (problem["path"], problem["line"]) == ("spec.restartPolicy", 10)
    assert re.search(r'id="p.spec.restartPolicy"><p>spec.restartPolicy: Unsupported value', told["form"])


def test_an_unreadable_text_leaves_the_form_alone_and_says_where(admin: Client) -> None:
    told = compose(admin, manifest="kind: [")
    assert (told["form"], told["text"], told["problems"][0]["line"]) == (None, "kind: [", 2)


def test_probes_are_foretold(admin: Client) -> None:
    text = TEXT + "      readinessProbe: {tcpSocket: {port: 80}, periodSeconds: 5}\n"
    told = compose(admin, manifest=text, given=text, **{"s.spec.containers[0].answers": "7"})
    assert "Ready after 10 s." in told["courses"]["spec.containers[0]"]


def test_without_a_script_the_page_goes_back_and_forth(admin: Client) -> None:
    given = shown(admin.get(f"{NEW}?pattern=crash").content.decode(), "manifest")
    assert given == patterns.find("crash").manifest
    sent = {"manifest": given, "given": given, "document": "0", "f.metadata.name": "mine"}
    page = admin.post(NEW, sent | {"do": "add:spec.containers:app"}).content.decode()
    assert "name: mine" in shown(page, "manifest")
    assert 'value="app-2"' in page
    made = admin.post(NEW, sent | {"do": "create"})
    assert made["Location"].startswith("/c/main/ns/default/pods/mine")


def test_each_of_several_documents_has_its_form(admin: Client) -> None:
    text = patterns.find("settings").manifest
    told = compose(admin, manifest=text, given=text, do="document:1")
    assert told["documents"] == ["ConfigMap settings", "Pod settings"]
    assert (told["document"], "containers" in told["form"]) == (1, True)
    told = compose(admin, manifest=text, given=text, **{"v.data[0]": "info"})
    assert "LEVEL: info" in told["text"]
    assert told["line"] == ""
    assert told["command"] == "kubectl create -f settings.yaml -n default"


def test_no_request_breaks_it(admin: Client) -> None:
    for sent in (
        {"do": "add:spec.nowhere:x"},
        {"do": "document:77"},
        {"document": "9"},
        {"document": "-1"},
        {"line": "rm -rf /"},
        {"f.spec.containers[99].image": "x"},
        {"k.metadata.labels[0]": '"><script>alert(1)</script>'},
        {"manifest": ""},
        {"given": "x: ["},
    ):
        told = compose(admin, **sent)
        assert "<script" not in (told["form"] or "")


def test_a_kind_has_its_sample(admin: Client) -> None:
    for kind, words in [
        ("secrets", "stringData"),
        ("deployments.apps", "template:"),
        ("cronjobs.batch", "jobTemplate"),
        ("x", "Pod"),
    ]:
        page = admin.get(f"{NEW}?kind={kind}").content.decode()
        assert words in shown(page, "manifest")


def test_every_kind_of_the_bar_begins_with_something_valid(admin: Client) -> None:
    from podlab.web import kinds

    for key in set(kinds.NAMESPACED) - {"events", "events.events.k8s.io"}:
        answer = admin.post("/c/main/ns/default/check", patterns.sample(key), content_type="application/yaml")
        assert json.loads(answer.content)["problems"] == [], key


def test_the_schema_names_fields_values_and_sentences(admin: Client) -> None:
    found = json.loads(admin.get("/schema?apiVersion=v1&kind=Pod").content)
    spec = found["types"][found["types"][found["root"]]["spec"]["of"]]
    assert spec["containers"] | {"doc": ""} == {
        "type": "[]Container",
        "of": "io.k8s.api.core.v1.Container",
        "required": True,
        "doc": "",
    }
    assert spec["restartPolicy"]["values"] == ["Always", "OnFailure", "Never"]
    assert "Restart policy" in spec["restartPolicy"]["doc"]
    assert admin.get("/schema?apiVersion=v1&kind=Nothing").status_code == 404


# Editing


@pytest.fixture
def pod(admin: Client) -> str:
    admin.post(NEW, {"manifest": TEXT})
    return "/c/main/ns/default/pods/web/edit"


def begin(browser: Client, path: str) -> tuple[str, str]:
    page = browser.get(path).content.decode()
    base = re.search(r'name="base" value="(\d+)"', page)
    assert base is not None
    return shown(page, "manifest"), base[1]


def test_what_the_server_keeps_is_hidden_and_stays(admin: Client, pod: str) -> None:
    text, base = begin(admin, pod)
    for word in ("uid:", "resourceVersion:", "managedFields:", "status:", "creationTimestamp:"):
        assert word not in text
    before = system().get("pods", "default", "web")
    answer = admin.post(pod, {"manifest": text.replace("busybox:1.36", "busybox:2"), "base": base})
    assert answer["Location"] == "/c/main/ns/default/pods/web"
    after = system().get("pods", "default", "web")
    assert after.obj["spec"]["containers"][0]["image"] == "busybox:2"
    assert (after.uid, after.obj["status"]) == (before.uid, before.obj["status"])


def test_the_difference_is_shown_before_it_is_made(admin: Client, pod: str) -> None:
    text, base = begin(admin, pod)
    sent = {"manifest": text.replace("busybox:1.36", "busybox:2"), "given": text, "base": base, "do": "preview"}
    page = admin.post(pod, sent).content.decode()
    assert re.search(r'data-sort="removed">\s*image: busybox:1.36', page)
    assert re.search(r'data-sort="added">\s*image: busybox:2', page)
    told = json.loads(admin.post(pod, sent, headers={"Accept": "application/json"}).content)
    assert "kubectl patch pod web --type=merge -p" in told["command"]
    assert "busybox:2" in told["diff"]


def test_what_a_pod_does_not_allow_is_said_at_its_line_and_locked_in_the_form(admin: Client, pod: str) -> None:
    text, base = begin(admin, pod)
    page = admin.get(pod).content.decode()
    assert re.search(r'name="f.spec.containers\[0\].name"[^>]* disabled', page)
    assert not re.search(r'name="f.spec.containers\[0\].image"[^>]* disabled', page)
    changed = text.replace("restartPolicy: Always", "restartPolicy: Never")
    answer = admin.post(pod, {"manifest": changed, "base": base})
    assert answer.status_code == 422
    assert "pod updates may not change fields other than" in html.unescape(answer.content.decode())


def test_a_move_of_the_servers_own_part_is_no_conflict(admin: Client, pod: str) -> None:
    text, base = begin(admin, pod)
    system().update_status("pods", "default", "web", lambda obj: obj["status"].update(phase="Running"))
    answer = admin.post(pod, {"manifest": text.replace("busybox:1.36", "busybox:2"), "base": base})
    assert answer.status_code == 302
    assert system().get("pods", "default", "web").obj["status"]["phase"] == "Running"


def label(value: str) -> None:
    client = system()
    obj = client.get("pods", "default", "web").obj
    obj["metadata"]["labels"] = {"team": value}
    obj["spec"]["containers"][0]["image"] = f"busybox:{value}"
    client.update("pods", "default", "web", obj)


def test_a_conflict_offers_a_merge_and_writes_nothing(admin: Client, pod: str) -> None:
    text, base = begin(admin, pod)
    label("theirs")
    answer = admin.post(pod, {"manifest": text.replace("busybox:1.36", "busybox:mine"), "base": base})
    page = html.unescape(answer.content.decode())
    assert answer.status_code == 409
    assert "Taken over from them" in page
    assert "<code>metadata.labels</code>" in page
    assert 'value="theirs:spec.containers[0].image"' in page
    joined = shown(page, "manifest")
    assert "team: theirs" in joined
    assert "busybox:mine" in joined
    assert system().get("pods", "default", "web").obj["spec"]["containers"][0]["image"] == "busybox:theirs"
    newer = re.search(r'name="base" value="(\d+)"', page)
    assert newer is not None
    both = {"manifest": joined, "base": newer[1]}
    taken = admin.post(pod, {**both, "given": joined, "do": "theirs:spec.containers[0].image"}).content.decode()
    assert "busybox:theirs" in shown(taken, "manifest")
    assert admin.post(pod, both).status_code == 302
    found = system().get("pods", "default", "web").obj
    assert (found["spec"]["containers"][0]["image"], found["metadata"]["labels"]) == (
        "busybox:mine",
        {"team": "theirs"},
    )


def test_another_object_in_the_text_is_refused(admin: Client, pod: str) -> None:
    _, base = begin(admin, pod)
    for text in ("kind: ConfigMap\napiVersion: v1\nmetadata: {name: web}\n", TEXT + "---\n" + TEXT, "", "x: ["):
        answer = admin.post(pod, {"manifest": text, "base": base})
        assert answer.status_code == 422, text


def test_other_kinds_are_edited_from_their_pages(admin: Client, student: Client) -> None:
    path = "/c/main/ns/default/configmaps/kube-root-ca.crt"
    system().create(
        "configmaps",
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "own"}, "data": {"a": "1"}},
        namespace="default",
    )
    own = "/c/main/ns/default/configmaps/own"
    assert f'href="{own}/edit"' in admin.get(own).content.decode()
    text, base = begin(admin, f"{own}/edit")
    answer = admin.post(f"{own}/edit", {"manifest": text, "given": text, "base": base, "v.data[0]": "2"})
    assert answer["Location"] == own
    assert system().get("configmaps", "default", "own").obj["data"] == {"a": "2"}
    assert admin.get("/c/main/ns/default/configmaps/none/edit").status_code == 404
    assert admin.get(f"{path}x/edit").status_code == 404
    assert student.get("/c/main/nodes/node-a/edit").status_code == 403
    assert admin.get("/c/main/nodes/node-a/edit").status_code == 200
