"""A pod as a command: it says all of the manifest, and the real kubectl makes the same pod of it."""

from __future__ import annotations

import json
import shlex
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from podlab.apis.decode import decode_yaml
from podlab.web import patterns
from podlab.web.forms import edits, kubectl_run
from podlab.web.forms.kubectl_run import Unreadable

PODS = [
    document.obj
    for pattern in patterns.PATTERNS
    for document in decode_yaml(pattern.manifest)
    if document.obj["kind"] == "Pod"
]
SMALL: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "web", "labels": {"app": "web", "tier": "front"}},
    "spec": {
        "containers": [
            {
                **{"name": "web", "image": "busybox:1.36", "imagePullPolicy": "Never"},
                "env": [{"name": "A", "value": "it's = 1"}],
                "ports": [{"containerPort": 8080}],
                "command": ["sh", "-c", "echo $A\nsleep 9"],
            }
        ],
        "restartPolicy": "Never",
    },
}


def test_flags_say_what_flags_can_say() -> None:
    assert kubectl_run.line_of(SMALL) == [
        *("kubectl", "run", "web", "--image=busybox:1.36", "--image-pull-policy=Never", "--env=A=it's = 1", "--port=8080"),
        *("--labels=app=web,tier=front", "--restart=Never", "--command", "--", "sh", "-c", "echo $A\nsleep 9"),
    ]  # fmt: skip


def test_what_they_cannot_say_is_laid_over() -> None:
    pod = edits.patched(SMALL, {"metadata": {"labels": None}, "spec": {"hostname": "h"}})
    pod["spec"]["containers"][0]["tty"] = True
    words = kubectl_run.line_of(pod) or []
    (laid,) = (word for word in words if word.startswith("--overrides="))
    assert json.loads(laid.removeprefix("--overrides=")) == {
        "metadata": {"labels": None},
        "spec": {"hostname": "h", "containers": [{"name": "web", "tty": True}]},
    }
    assert "--override-type=strategic" in words


@pytest.mark.parametrize("change", [{"kind": "Job"}, {"metadata": None}, {"spec": {"containers": []}}, {"spec": 5}])
def test_what_no_command_can_say_has_none(change: dict[str, Any]) -> None:
    assert kubectl_run.line_of({**SMALL, **change}) is None
    assert kubectl_run.line_of({**SMALL, "spec": {**SMALL["spec"], "nodeName": None}}) is None
    assert kubectl_run.line_of(["x"]) is None


@pytest.mark.parametrize("pod", PODS, ids=lambda pod: pod["metadata"]["name"])
def test_a_line_is_read_as_it_was_written(pod: dict[str, Any]) -> None:
    words = kubectl_run.line_of(pod)
    assert words is not None
    shown = kubectl_run.display(words)
    assert kubectl_run.parse(shown) == words == shlex.split(shown.replace("\\\n", ""))
    assert kubectl_run.manifest_of(words) == pod


TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=8)
CONTAINERS = st.fixed_dictionaries(
    {"image": TEXTS},
    optional={
        "command": st.lists(TEXTS, max_size=3),
        "args": st.lists(TEXTS, max_size=3),
        "env": st.lists(
            st.fixed_dictionaries({"name": TEXTS}, optional={"value": TEXTS, "valueFrom": st.just({})}), max_size=2
        ),
        "ports": st.lists(
            st.fixed_dictionaries({"containerPort": st.integers(1, 99)}, optional={"name": TEXTS}), max_size=2
        ),
        "securityContext": st.sampled_from([{}, {"privileged": True}, {"privileged": False}]),
        "tty": st.booleans(),
    },
)


@settings(max_examples=80, deadline=None)
@given(
    st.lists(CONTAINERS, min_size=1, max_size=3),
    st.booleans(),
    st.dictionaries(TEXTS, TEXTS, max_size=2),
    st.booleans(),
)
def test_every_pod_has_a_line_that_means_it(
    containers: list[dict[str, Any]], own: bool, labels: dict[str, str], labelled: bool
) -> None:
    named = [{"name": "p" if own and not n else f"c{n}", **one} for n, one in enumerate(containers)]
    meta: dict[str, Any] = {"name": "p", **({"labels": labels} if labelled else {})}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": {"containers": named}}
    words = kubectl_run.line_of(pod)
    assert words is not None
    assert edits.same(kubectl_run.manifest_of(kubectl_run.parse(kubectl_run.display(words))), pod)


@pytest.mark.parametrize(
    "line",
    ["kubectl get pods", "kubectl run web", "kubectl run --image=x", "kubectl run a b --image=x", "kubectl run a --image=x --rm",
     "kubectl run a --image=x --overrides=[]", "kubectl run a --image=x --overrides={", "kubectl run a --image=x -l x",
     "kubectl run a --image=x --overrides={} --override-type=json", "kubectl run 'a", "kubectl run a --image", ""],
)  # fmt: skip
def test_another_line_is_refused(line: str) -> None:
    with pytest.raises(Unreadable):
        kubectl_run.manifest_of(kubectl_run.parse(line))
