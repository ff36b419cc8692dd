"""The form: whatever it does not show survives it, and one change changes one thing."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from podlab.apis.decode import decode_yaml
from podlab.web import patterns
from podlab.web.forms import build, edits, paths, posted
from podlab.web.forms.build import Node

POD: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "web", "labels": {"app.kubernetes.io/name": "web"}, "finalizers": ["lab/x"]},
    "spec": {
        "initContainers": [
            {"name": "wait", "image": "busybox:1.36"},
            {"name": "puller", "image": "busybox:1.36", "restartPolicy": "Always"},
        ],
        "containers": [
            {
                "name": "app",
                "image": "busybox:1.36",
                "command": ["sh", "-c", "echo a\nsleep 9\n"],
                "env": [
                    {"name": "A", "value": "1"},
                    {"name": "B", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "b"}}},
                    {"name": "C", "valueFrom": {"fileKeyRef": {"key": "x"}}},
                ],
                "envFrom": [{"secretRef": {"name": "s"}}],
                "ports": [{"containerPort": 8080, "hostIP": "127.0.0.1"}],
                "livenessProbe": {"httpGet": {"path": "/", "port": "http"}, "periodSeconds": 5},
                "lifecycle": {"preStop": {"sleep": {"seconds": 2}}, "stopSignal": "SIGUSR1"},
                "resources": {"limits": {"cpu": 1, "memory": "64Mi", "nvidia.com/gpu": 1}},
                "volumeMounts": [{"name": "data", "mountPath": "/data"}],
                "securityContext": {"runAsUser": 7, "capabilities": {"drop": ["ALL"]}},
                "resizePolicy": [{"resourceName": "cpu", "restartPolicy": "NotRequired"}],
            }
        ],
        "volumes": [{"name": "data", "emptyDir": {"medium": "Memory"}}, {"name": "odd", "nfs": {"server": "x", "path": "/"}}],
        "tolerations": [{"key": "a", "operator": "Exists"}],
        "hostAliases": [{"ip": "127.0.0.1", "hostnames": ["x"]}],
        "affinity": {"podAffinity": {}},
    },
}  # fmt: skip


def nodes(form: list[Node]) -> list[Node]:
    return [node for section in form for node in section.walk()]


def sent(form: list[Node]) -> dict[str, str]:
    """What a browser sends back when nobody touched anything: with its own line ends."""
    out = {}
    for node in nodes(form):
        if node.sort in ("text", "area", "choice", "switch"):
            out[f"f.{node.name}"] = node.value.replace("\n", "\r\n")
        elif node.sort == "pair":
            out |= {f"k.{node.name}": node.key, f"v.{node.name}": node.value.replace("\n", "\r\n")}
        elif node.sort == "union":
            out[f"u.{node.name}"] = node.value
    return out


def typed(obj: Any, name: str, value: str) -> Any:
    form = build.form(obj)
    assert name in sent(form), sorted(sent(form))
    return edits.apply(obj, posted.edits(form, obj, sent(form) | {name: value}))


def test_an_untouched_form_changes_nothing() -> None:
    form = build.form(POD)
    assert posted.edits(form, POD, sent(form)) == []
    assert posted.edits(form, POD, {}) == []


@pytest.mark.parametrize(
    ("name", "value", "path", "wanted"),
    [
        ("f.metadata.name", "api", "metadata.name", "api"),
        ("f.spec.containers[0].image", "busybox:2", "spec.containers[0].image", "busybox:2"),
        ("f.spec.containers[0].command[2]", "a\r\nb\r\n", "spec.containers[0].command[2]", "a\nb\n"),
        ("f.spec.containers[0].command[3]", "more", "spec.containers[0].command[3]", "more"),
        ("f.spec.containers[0].ports[0].containerPort", "81", "spec.containers[0].ports[0].containerPort", 81),
        ("f.spec.containers[0].ports[0].containerPort", "x", "spec.containers[0].ports[0].containerPort", "x"),
        ("f.spec.containers[0].livenessProbe.httpGet.port", "80", "spec.containers[0].livenessProbe.httpGet.port", 80),
        ("f.spec.containers[0].securityContext.privileged", "true", "spec.containers[0].securityContext.privileged", True),
        ("f.spec.containers[0].resources.limits.cpu", "", "spec.containers[0].resources.limits.cpu", None),
        ("f.spec.volumes[0].emptyDir.medium", "", "spec.volumes[0].emptyDir", {}),
        ("f.spec.containers[0].securityContext.capabilities.drop[0]", "", "spec.containers[0].securityContext.capabilities", None),
        ("v.metadata.labels[0]", "x", "metadata.labels", {"app.kubernetes.io/name": "x"}),
        ("k.metadata.labels[0]", "b", "metadata.labels", {"b": "web"}),
        ("k.metadata.labels[0]", "", "metadata.labels", None),
        ("k.metadata.labels[1]", "b", "metadata.labels", {"app.kubernetes.io/name": "web", "b": ""}),
        ("u.spec.containers[0].livenessProbe", "exec", "spec.containers[0].livenessProbe",
         {"periodSeconds": 5, "exec": {"command": ["cat", "/tmp/healthy"]}}),
        ("u.spec.containers[0].livenessProbe", "", "spec.containers[0].livenessProbe", None),
        ("u.spec.containers[0].startupProbe", "tcpSocket", "spec.containers[0].startupProbe", {"tcpSocket": {"port": 8080}}),
        ("u.spec.containers[0].lifecycle.preStop", "", "spec.containers[0].lifecycle", {"stopSignal": "SIGUSR1"}),
        ("u.spec.containers[0].env[0]", "valueFrom.fieldRef", "spec.containers[0].env[0]",
         {"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}),
        ("u.spec.containers[0].env[1]", "value", "spec.containers[0].env[1]", {"name": "B", "value": ""}),
        ("u.spec.volumes[0]", "secret", "spec.volumes[0]", {"name": "data", "secret": {"secretName": "secret"}}),
    ],
)  # fmt: skip
def test_a_change_in_the_form_changes_that_and_nothing_else(name: str, value: str, path: str, wanted: Any) -> None:
    made = typed(POD, name, value)
    where = paths.parse(path)
    assert paths.get(made, where) == wanted
    if wanted is None:
        assert edits.same(made, paths.without(POD, where))
    else:
        assert edits.same(made, paths.put(POD, where, wanted))


@pytest.mark.parametrize("name", ["spec.hostAliases", "spec.containers[0].resizePolicy", "metadata.finalizers"])
def test_what_the_form_does_not_know_is_not_in_it(name: str) -> None:
    assert not any(node.name.startswith(name) for node in nodes(build.form(POD)))


@pytest.mark.parametrize(
    ("do", "path", "wanted"),
    [
        ("add:spec.containers:app", "spec.containers[1].name", "app-2"),
        ("add:spec.initContainers:sidecar", "spec.initContainers[2].restartPolicy", "Always"),
        ("add:spec.containers[0].env:", "spec.containers[0].env[3].name", "NAME"),
        ("remove:spec.initContainers[0]", "spec.initContainers[0].name", "puller"),
        ("remove:spec.tolerations[0]", "spec.tolerations", None),
        ("up:spec.initContainers[1]", "spec.initContainers[0].name", "puller"),
    ],
)
def test_buttons_add_remove_and_move(do: str, path: str, wanted: Any) -> None:
    made = edits.one(POD, posted.act(build.form(POD), POD, do))
    assert paths.get(made, paths.parse(path)) == wanted


@pytest.mark.parametrize(
    "do", ["add:spec.hostAliases:", "remove:spec.containers[7]", "up:spec.initContainers[0]", "melt"]
)
def test_a_button_that_is_not_there_does_nothing(do: str) -> None:
    with pytest.raises(posted.Unknown):
        posted.act(build.form(POD), POD, do)


def test_every_button_of_the_form_works() -> None:
    form = build.form(POD)
    for node in nodes(form):
        for action in node.actions:
            assert not edits.same(edits.one(POD, posted.act(form, POD, action.do)), POD)


EXOTIC = st.sampled_from([None, 5, "x", True, [], {}, [1], {"a": 1}, [{}], {"containers": 1}, [None], ["x", {"y": 1}]])


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_no_shape_breaks_the_form_or_is_changed_by_it(data: Any) -> None:
    """Anything may stand anywhere: the form says what it can, and gives all of it back."""
    places = sorted({node.path for node in nodes(build.form(POD)) if node.path})
    obj = POD
    for where in data.draw(st.lists(st.sampled_from(places), min_size=1, max_size=4)):
        try:
            obj = paths.put(obj, where, data.draw(EXOTIC))
        except paths.NoPath:
            continue
    form = build.form(obj)
    assert posted.edits(form, obj, sent(form)) == []


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_one_value_typed_leaves_every_other_path_alone(data: Any) -> None:
    form = build.form(POD)
    inputs = [node for node in nodes(form) if node.sort in ("text", "area")]
    node = data.draw(st.sampled_from(inputs))
    text = data.draw(st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=12))
    found = posted.edits(form, POD, sent(form) | {f"f.{node.name}": text})
    made = edits.apply(POD, found)
    assert all(edit.path == node.path for edit in found)
    assert edits.same(paths.get(made, node.path), posted.value_of(text, node.type))


@pytest.mark.parametrize("one", patterns.PATTERNS, ids=lambda one: one.id)
def test_every_pattern_has_a_whole_form(one: patterns.Pattern) -> None:
    for document in decode_yaml(one.manifest):
        form = build.form(document.obj)
        assert form
        assert not [node.name for node in nodes(form) if node.sort == "raw"]
        assert posted.edits(form, document.obj, sent(form)) == []


def test_a_kind_without_layout_and_a_text_without_kind_have_no_form() -> None:
    assert build.form({"apiVersion": "apps/v1", "kind": "Deployment"}) == []
    assert build.form({"apiVersion": ["v1"], "kind": "Pod"}) == []
    assert build.form(["x"]) == []
