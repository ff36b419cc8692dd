from __future__ import annotations

import pytest

from podlab.apis import decode
from podlab.apis.decode import DecodeError, Position

RESOLVED = {
    "yes": True, "off": False, "0644": 420, "0o17": 15, "12:30": "12:30", "2020-01-01": "2020-01-01", "1_000": 1000,
    "~": None, "1e3": 1000, "1.5": 1.5, "'5'": "5", "!!str 5": "5", "1.2.3": "1.2.3", "0x1F": 31, "-7": -7, "08": 8,
}  # fmt: skip


@pytest.mark.parametrize("text", RESOLVED)
def test_plain_scalars_resolve_as_in_kubernetes(text: str) -> None:
    value = decode.decode_yaml(f"a: {text}")[0].obj["a"]
    assert value == RESOLVED[text]
    assert type(value) is type(RESOLVED[text])


REFUSED = {
    "a bad indent": ("apiVersion: v1\nmetadata:\n  name: p\n labels: {}\n", "did not find expected key", 4),
    "an open bracket": ("a: {b: c\n", "did not find expected ',' or '}'", 2),
    "two colons": ("a:\n  b: c: d\n", "mapping values are not allowed in this context", 2),
    "a tab": ("a:\n\tb: c\n", "found character that cannot start any token", 2),
    "binary": ("a: b\nc: \x00\n", "control characters are not allowed", 2),
    "an unknown anchor": ("a: *b\n", "unknown anchor 'b' referenced", 1),
    "a nest": ("[" * 500, "exceeded max depth", 1),
}


@pytest.mark.parametrize("sentence", REFUSED)
def test_refuses_with_the_line(sentence: str) -> None:
    text, message, line = REFUSED[sentence]
    with pytest.raises(DecodeError) as caught:
        decode.decode_yaml(text)
    assert (caught.value.message, caught.value.line) == (message, line)


def test_an_alias_bomb_is_refused_early() -> None:
    lines = ["a: &a [x,x,x,x,x,x,x,x,x,x]"]
    for previous, name in zip("abcdefgh", "bcdefghi", strict=True):
        lines.append(f"{name}: &{name} [{','.join(['*' + previous] * 10)}]")
    with pytest.raises(DecodeError, match="excessive aliasing"):
        decode.decode_yaml("\n".join(lines))


def test_a_bomb_in_many_documents_is_refused_too() -> None:
    """None of them is too large by itself."""
    one = "a: &a [" + "x," * 500 + "x]\nb: [" + "*a," * 500 + "*a]\n"
    assert decode.decode_yaml(one)
    with pytest.raises(DecodeError, match="excessive aliasing"):
        decode.decode_yaml("---\n".join([one] * 3))
    with pytest.raises(DecodeError, match="more than 1000 documents") as refused:
        decode.decode_yaml("---\n" * 1001)
    assert refused.value.line == 1001


def test_an_anchor_used_twice_is_two_values() -> None:
    obj = decode.decode_yaml("a: &x {k: v}\nb: *x\nc: {<<: *x, l: m}\n")[0].obj
    assert obj == {"a": {"k": "v"}, "b": {"k": "v"}, "c": {"l": "m", "k": "v"}}
    assert obj["a"] is not obj["b"]


def test_several_documents_and_an_empty_one() -> None:
    assert [item.obj for item in decode.decode_yaml("a: 1\n---\n---\nb: 2\n")] == [{"a": 1}, None, {"b": 2}]
    assert decode.decode_body(b"", yaml=True).obj is None


MANIFEST = (
    "kind: Pod\nmetadata:\n  name: p\n  annotations: {a.b/c: d}\nspec:\n  containers:\n  - name: c\n    image: x\n"
)


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("spec.containers[0].image", 8),
        ("spec.containers[0].ports[0].containerPort", 7),
        ("spec.volumes[0].name", 5),
        ("metadata.annotations[a.b/c]", 4),
        ("metadata.labels", 2),
        ("data", 1),
    ],
)
def test_an_error_finds_its_line_or_the_nearest_above(path: str, line: int) -> None:
    found = decode.position_of(decode.decode_yaml(MANIFEST)[0], path)
    assert found is not None
    assert found.line == line


def test_positions_count_from_one() -> None:
    assert decode.decode_yaml(MANIFEST)[0].positions[("spec", "containers", 0, "image")] == Position(8, 5)


def test_too_large_bodies_are_refused_unread() -> None:
    with pytest.raises(DecodeError, match="limit is 3145728"):
        decode.decode_json(b" " * (3 * 2**20 + 1))


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b'{"a":1,}', "invalid character '}' looking for beginning of object key string"),
        (b'{"a":1 "b":2}', "invalid character '\"' after object key:value pair"),
        (b"[1 2]", "invalid character '2' after array element"),
        (b"{} xyz", "invalid character 'x' after top-level value"),
        (b'{"a":', "unexpected end of JSON input"),
        (b"nope", "invalid character 'o' in literal null (expecting 'u')"),
        (b"[" * 100_000, "exceeded max depth"),
        (b"1" * 5000, "number out of range"),
    ],
)
def test_json_refusals_use_the_words_of_go(raw: bytes, message: str) -> None:
    with pytest.raises(DecodeError) as caught:
        decode.decode_json(raw)
    assert caught.value.message == message
