"""Paths of a container, the commands that look at them, and what busybox and GNU coreutils answer."""

from __future__ import annotations

import subprocess

import pytest

from podlab.glance import container_files
from podlab.glance.container_files import PathError, clean, entries, file_name, look, missing_command, shown, text_of

M = "0123456789abcdef"


@pytest.mark.parametrize(
    ("typed", "path"),
    [
        ("", "/"),
        ("/", "/"),
        ("etc", "/etc"),
        ("//etc///nginx/", "/etc/nginx"),
        ("/./etc/.", "/etc"),
        ("/lib/../etc", "/lib/../etc"),  # behind a link only the container knows where that is
        ("-rf", "/-rf"),
        ("/a\nb", "/a\nb"),
        ("/ ", "/ "),
        ("/\udcff", "/\udcff"),
    ],
)
def test_a_path_is_absolute_and_otherwise_as_it_was_typed(typed: str, path: str) -> None:
    assert clean(typed) == path


@pytest.mark.parametrize("typed", ["/a\0b", "/" + "x" * 4096, "/" + "\udcff" * 4095])
def test_what_linux_does_not_take_is_no_path(typed: str) -> None:
    with pytest.raises(PathError):
        clean(typed)


def test_a_path_is_one_word_of_a_command_or_goes_in_as_bytes() -> None:
    assert look("/-a b'\n$(x)", M).argv[-1] == "/-a b'\n$(x)"
    odd = look("/n\udcff", M)
    assert odd.argv == ("xargs", "-0", "stat")
    assert odd.stdin is not None
    assert odd.stdin.endswith(b"\0/n\xff\0")


# What the commands wrote in busybox 1.36 and in Debian 12, byte for byte.
BUSYBOX = (
    f"{M}a1ff:6:0:0:root:root:1795707797:/t/dl{M}'/t/dl' -> '/t/dir'\n"
    f"{M}a1ff:7:0:0:root:root:1795707797:/t/l'n\nk{M}'/t/l'n\nk' -> 'to'x'\n"
    f"{M}81a4:1:0:0:root:root:1795707797:/t/a\nb{M}/t/a\nb\n"
).encode()
GNU = (
    f"{M}a1ff:6:0:0:root:root:1795707797:/t/dl{M}/t/dl -> /t/dir\n"
    f"{M}a1ff:7:0:0:root:root:1795707797:/t/l'n\nk{M}/t/l'n\nk -> to'x\n"
    f"{M}81a4:1:0:0:root:root:1795707797:/t/a\nb{M}/t/a\nb\n"
).encode()


@pytest.mark.parametrize("output", [BUSYBOX, GNU])
def test_names_and_targets_come_back_whatever_is_in_them(output: bytes) -> None:
    found = entries(output, M)
    assert [(one.name, one.kind, one.target) for one in found] == [
        ("dl", "link", "/t/dir"),
        ("l'n\nk", "link", "to'x"),
        ("a\nb", "file", ""),
    ]
    assert [one.name for one in entries(output[:-20], M, whole=False)] == ["dl", "l'n\nk"]


def test_an_entry_says_what_ls_says() -> None:
    line = f"{M}43fd:4096:0:12:root:UNKNOWN:1795707797:/t/\udcff{M}x\n".encode("utf-8", "surrogateescape")
    (one,) = entries(line, M)
    assert (one.kind, one.letters, one.owner) == ("directory", "drwxrwxr-t", "root:12")
    assert one.at.isoformat() == "2026-11-26T15:43:17+00:00"
    assert shown(one.name) == "\\xff"


@pytest.mark.parametrize(
    "output",
    [
        b"",
        b"rubbish",
        f"{M}81a4:1:0".encode(),
        f"{M}zz:1:0:0:r:r:1:/x{M}/x\n".encode(),
        f"{M}1:x:0:0:r:r:1:/x{M}".encode(),
    ],
)
def test_rubbish_is_no_entry(output: bytes) -> None:
    assert entries(output, M) == []


@pytest.mark.parametrize(
    ("data", "cut", "text"),
    [
        (b"", False, ""),
        (b"a\tb\n", False, "a\tb\n"),
        ("grüße".encode(), False, "grüße"),
        ("grü".encode()[:-1], True, "gr"),
        ("grü".encode()[:-1], False, None),
        (b"a\0b", False, None),
        (b"\xff\xfe", True, None),
        (b"\x1b[1m\x7f", False, "␛[1m␡"),
        ("a\u202eb".encode(), False, "a\\u202eb"),
    ],
)
def test_text_is_utf8_without_nuls(data: bytes, cut: bool, text: str | None) -> None:
    assert text_of(data, cut=cut) == text


@pytest.mark.parametrize(
    ("code", "told", "missing"),
    [
        (126, 'OCI runtime exec failed: exec: "stat": executable file not found in $PATH: unknown', "stat"),
        (127, "env: can't execute 'find': No such file or directory", "find"),
        (127, "env: 'find': No such file or directory", "find"),
        (127, "xargs: stat: No such file or directory", "stat"),
        (127, "podlab: head: is not known to the simulator: this container has no processes", "head"),
        (1, "stat: can't stat '/x': No such file or directory", ""),
        (0, "", ""),
        (None, "the stream was closed", ""),
    ],
)
def test_a_missing_program_is_told_from_a_missing_file(code: int | None, told: str, missing: str) -> None:
    assert missing_command(code, told) == missing


@pytest.mark.parametrize(
    ("path", "name"),
    [("/", "file"), ("/a/b.txt", "b.txt"), ("/..", "file"), ("/a\nb", "a_b"), ('/"x\\', "_x_"), ("/\udcff", "_"), ("/~/.bashrc", "bashrc")],
)  # fmt: skip
def test_a_download_has_a_harmless_name(path: str, name: str) -> None:
    assert file_name(path) == name


def test_a_shell_can_write_any_path() -> None:
    path = "/a'b%\\\n\udcff$x"
    out = subprocess.run(["sh", "-c", f"printf {container_files.printf(path)}"], capture_output=True, check=True).stdout
    assert out == b"/a'b%\\\n\xff$x\0"
