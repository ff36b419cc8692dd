"""Changes in a YAML text: they say what they should, and leave alone what they do not mean."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from podlab.apis.decode import decode_yaml
from podlab.web import manifest_lines
from podlab.web.forms import edits, paths, yaml_edit
from podlab.web.forms.edits import REMOVED, Edit

TEXT = """# the pod of the first lesson
apiVersion: v1
kind: Pod
metadata:
  name: web  # its name
  labels: {app: web}
spec:
  containers:
    # serves
    - name: app
      image: "busybox:1.36"   # small
      command: [sh, -c, "sleep 1"]
      args:
      - one
      - |
        # not a comment
        two

    # the helper
    - name: side
      image: busybox:1.36
  # how it ends
  terminationGracePeriodSeconds: 10
---
kind: ConfigMap
"""


def changed(path: str, value: Any = REMOVED, text: str = TEXT) -> tuple[list[str], list[str]]:
    """The lines that went and the lines that came."""
    step = Edit(paths.parse(path), value)
    made = yaml_edit.apply(text, 0, [step])
    objects = [document.obj for document in decode_yaml(text)]
    objects[0] = edits.one(objects[0], step)
    assert [document.obj for document in decode_yaml(made)] == objects
    old, new = text.splitlines(), made.splitlines()
    return [line for line in old if line not in new], [line for line in new if line not in old]


@pytest.mark.parametrize(
    ("path", "value", "gone", "come"),
    [
        ("metadata.name", "api", ["  name: web  # its name"], ["  name: api  # its name"]),
        ("metadata.labels.tier", "front", ["  labels: {app: web}"], ["  labels: {app: web, tier: front}"]),
        ("metadata.labels.app", REMOVED, ["  labels: {app: web}"], ["  labels: {}"]),
        ("metadata.annotations", {"a": "1"}, [], ["  annotations:", '    a: "1"']),
        ("spec.containers[0].command[2]", "echo [x]", ['      command: [sh, -c, "sleep 1"]'],
         ['      command: [sh, -c, "echo [x]"]']),
        ("spec.containers[0].args[2]", "three", [], ["      - three"]),
        ("spec.containers[0].args[0]", REMOVED, ["      - one"], []),
        ("spec.containers[1].securityContext.runAsUser", 7, [], ["      securityContext:", "        runAsUser: 7"]),
        ("spec.containers[1].name", REMOVED, ["    - name: side", "      image: busybox:1.36"], ["    - image: busybox:1.36"]),
        ("spec.terminationGracePeriodSeconds", REMOVED, ["  terminationGracePeriodSeconds: 10"], []),
        ("spec.restartPolicy", "Never", [], ["  restartPolicy: Never"]),
    ],
)  # fmt: skip
def test_a_change_touches_its_own_lines_only(path: str, value: Any, gone: list[str], come: list[str]) -> None:
    assert changed(path, value) == (gone, come)


def test_a_text_of_several_lines_becomes_a_block() -> None:
    _, come = changed("spec.containers[1].command", ["sh", "-c", "a\nb\n"])
    assert come == ["      command:", "        - sh", "        - -c", "        - |", "          a", "          b"]


def test_comments_stay_where_nothing_is_rewritten() -> None:
    made = yaml_edit.apply(TEXT, 0, [Edit(("spec", "containers", 0))])
    assert "# the pod of the first lesson" in made
    assert "# the helper" in made
    assert "# how it ends" in made


def test_an_empty_text_gets_what_is_put_into_it() -> None:
    assert yaml_edit.apply("", 0, [Edit(("kind",), "Pod")]) == "kind: Pod\n"


def test_anchors_are_followed_by_writing_more() -> None:
    text = "a: &x {k: 1}\nb: *x\n"
    made = yaml_edit.apply(text, 0, [Edit(("b", "k"), 2)])
    assert decode_yaml(made)[0].obj == {"a": {"k": 1}, "b": {"k": 2}}


WORDS = st.sampled_from(["", "a", "yes", "1e3", "0o7", "~", "x: y", "# no", "- d", "a\nb\n", " lead", "tail ", "\ttab", "ü\n\n é", "{", "'", '"', "12:30", "=", "|", "\n", "a\n b"])  # fmt: skip
SCALARS = WORDS | st.integers(-5, 10**6) | st.booleans() | st.none()
KEYS = st.sampled_from(["name", "image", "on", "a.b/c", "x y", "1", "labels"])
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3), max_leaves=12)  # fmt: skip
MAPS = st.dictionaries(KEYS, VALUES, min_size=1, max_size=4)


@settings(max_examples=120, deadline=None)
@given(old=MAPS, new=MAPS, flow=st.booleans())
def test_any_object_becomes_any_other(old: dict[str, Any], new: dict[str, Any], flow: bool) -> None:
    text = json.dumps(old, ensure_ascii=False) if flow else manifest_lines.dump(old)
    text = f"---\nfirst: 1 # stays\n---\n{text}\n---\nlast: 1 # stays\n"
    before = decode_yaml(text)[1].obj
    assert edits.same(before, old)
    steps = list(edits.between(old, new))
    assert edits.same(edits.apply(old, steps), new)
    made = yaml_edit.apply(text, 1, steps)
    assert edits.same([one.obj for one in decode_yaml(made)], [{"first": 1}, new, {"last": 1}])
    assert made.count("# stays") == 2


@settings(max_examples=100, deadline=None)
@given(old=MAPS, new=MAPS)
def test_a_merge_patch_makes_the_one_of_the_other(old: dict[str, Any], new: dict[str, Any]) -> None:
    def bare(value: Any) -> Any:
        """Merge patches cannot say null."""
        if isinstance(value, dict):
            return {key: bare(item) for key, item in value.items() if item is not None}
        return value

    old, new = bare(old), bare(new)
    assert edits.same(edits.patched(old, edits.merge_patch(old, new)), new)


@given(
    st.lists(st.integers(0, 99) | st.sampled_from(["spec", "a-b", "app.kubernetes.io/name", "x y"]), min_size=1).map(
        tuple
    )
)
def test_a_path_is_read_as_it_was_written(path: paths.Path) -> None:
    assert paths.parse(paths.text_of(path)) == path


@pytest.mark.parametrize("text", [".a", "a..b", "a[", "a b"])
def test_what_is_no_path_is_refused(text: str) -> None:
    with pytest.raises(paths.NoPath):
        paths.parse(text)


def test_what_turns_a_line_round_is_written_as_an_escape() -> None:
    obj = {"metadata": {"annotations": {"note": "safe \u202eelbon", "k\u200e": "v"}}}
    text = manifest_lines.dump(obj)
    assert "\u202e" not in text
    assert '"safe \\u202eelbon"' in text
    assert decode_yaml(text)[0].obj == obj
