"""What simulated containers see of files, and the commands that examples of the Kubernetes documentation use on them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from podlab.runtime.calls import HttpRequest
from podlab.runtime.node_files import NodeFile, folder, from_json, link, to_json
from podlab.runtime.sim import commands, network, posix_regex
from podlab.runtime.sim.files import FileError, Files, Owner, Volume
from podlab.runtime.sim.image_files import Rights
from podlab.runtime.sim.machine import SECOND, Machine, Setting
from podlab.runtime.sim.network import Call, Listener
from podlab.runtime.sim.shell import Io

START = datetime(2026, 11, 26, 14, 0, tzinfo=UTC)
AT = START.timestamp()
STAMP = "..2026_11_26_14_00_00.0000000000"
CONFIG: Mapping[str, NodeFile] = {
    "": folder(0o777, at=AT),
    f"/{STAMP}": folder(at=AT),
    "/..data": link(STAMP, at=AT),
    f"/{STAMP}/a.conf": NodeFile("k=v\n", mode=0o640, at=AT),
    "/a.conf": link("..data/a.conf", at=AT),
}


def config(part: str = "") -> Volume:
    return Volume({}, lambda: CONFIG, part=part, read_only=True)


def empty(store: dict[str, NodeFile] | None = None, part: str = "") -> Volume:
    return Volume({} if store is None else store, lambda: {"": folder(0o777, at=AT)}, part=part)


class Box:
    def __init__(self, script: str, volumes: Mapping[str, Volume] | None = None, **setting: object) -> None:
        self.said: list[str] = []
        argv = ("sh", "-c", script)
        known = {"started": START, "hostname": "web", "applets_only": True, "seed": "1", "argv": argv, **setting}
        files = Files(volumes or {})
        self.machine = Machine(Setting(**known), files, lambda at, stream, text: self.said.append(text))  # type: ignore[arg-type]
        io = Io(out=lambda text: self.machine.out("stdout", text), err=lambda text: self.machine.out("stderr", text))
        self.machine.boot(commands.start(self.machine, list(argv), io, pid1=True))

    def to(self, seconds: float) -> Box:
        self.machine.advance(round(seconds * SECOND))
        return self

    @property
    def text(self) -> str:
        return "".join(self.said)


SCRIPTS: dict[str, tuple[str, str]] = {
    "a volume as its kubelet lays it out": (
        "ls /c; ls -l /c/a.conf; readlink /c/a.conf; stat -L -c '%a %U %s' /c/a.conf; cat /c/a.conf",
        "a.conf\nlrwxrwxrwx    1 root     root            13 Nov 26 14:00 /c/a.conf -> ..data/a.conf\n"
        "..data/a.conf\n640 root 4\nk=v\n",
    ),
    "with what begins with a dot": ("ls -A /c", f"{STAMP}\n..data\na.conf\n"),
    "found through links": ("cd /c; find -L . -type f | grep -v '/[.][.]'", "./a.conf\n"),
    "it cannot be written": (
        "touch /c/x; echo a > /c/a.conf; rm /c/a.conf",
        "touch: /c/x: Read-only file system\nsh: can't create /c/a.conf: Read-only file system\n"
        "rm: can't remove '/c/a.conf': Read-only file system\n",
    ),
    "an emptyDir": ("stat -c %a /v; mkdir -p /v/a/b; echo x > /v/a/b/f; find /v", "777\n/v\n/v/a\n/v/a/b\n/v/a/b/f\n"),
    "find runs a command for each, or for all": (
        "cd /v; echo x > a; echo y > b; find . -type f -exec cat {} \\;; find /v/ -maxdepth 1 -exec stat -c '%f %n' {} +",
        "x\ny\n41ff /v/\n81a4 /v/a\n81a4 /v/b\n",
    ),
    "find by depth": ("mkdir -p /v/a/b; find /v -mindepth 2; find /v -mindepth 1 -maxdepth 1", "/v/a/b\n/v/a\n"),
    "words that end in NULs": ("printf '/v\\000/c\\000' | xargs -0 stat -c %n", "/v\n/c\n"),
    "several folders": ("ls /tmp /v; touch /v/kept; ls /v", "/tmp:\n\n/v:\nkept\n"),
    "no folder, no file": (
        "echo a > /nope/f; touch /nope/f; cat /nope /etc",
        "sh: can't create /nope/f: nonexistent directory\ntouch: /nope/f: No such file or directory\n"
        "cat: can't open '/nope': No such file or directory\ncat: read error: Is a directory\n",
    ),
    "the working folder": ("pwd; cd /nope; echo $?; cd /etc && pwd; cd passwd", "/\nsh: cd: line 0: can't cd to /nope: No such file or directory\n2\n/etc\nsh: cd: line 0: can't cd to passwd: Not a directory\n"),
    "links": ("ln -s /etc/passwd /tmp/p; head -n 1 /tmp/p; ls -l /tmp | grep -o 'p -> .*'", "root:x:0:0:root:/root:/bin/sh\np -> /etc/passwd\n"),
    "modes": ("touch /tmp/f; chmod u=rwx,go-r /tmp/f; stat -c '%a %A' /tmp/f; [ -x /tmp/f ] && echo x", "700 -rwx------\nx\n"),
    "copies": ("cp -r /c /tmp/c; cat /tmp/c/a.conf; mv /tmp/c /tmp/d; ls /tmp", "k=v\nd\n"),
    "a big file is small here": ("dd if=/dev/zero of=/tmp/big bs=1M count=4 2>/dev/null; stat -c %s /tmp/big; du -s /tmp", "4194304\n4100\t/tmp\n"),
    "names by pattern": ("for f in /etc/pass*; do echo $f; done; echo *.none '/etc/p*'", "/etc/passwd\n*.none /etc/p*\n"),
    "the kernel's files": (
        "grep -E 'CapEff|NoNewPrivs' /proc/1/status; grep ' /c ' /proc/mounts; tr '\\0' ' ' < /proc/1/cmdline | cut -d' ' -f1",
        "CapEff:\t00000000a80425fb\nNoNewPrivs:\t0\n/dev/vda1 /c ext4 ro,relatime 0 0\nsh\n",
    ),
    "who": ("id; whoami; hostname; cat /etc/hostname", "uid=0(root) gid=0(root) groups=0(root),10(wheel)\nroot\nweb\nweb\n"),
    "tr": ("echo 'a b' | tr ' a-z' '_A-Z'; echo aabb | tr -s a; echo a1b2 | tr -d '[:digit:]'", "A_B\nabb\nab\n"),
    "grep": ("printf 'b1\\na2\\nA3\\n' > /tmp/f; grep -c a /tmp/f; grep -in A /tmp/f; grep -vE '^(a|b)' /tmp/f; grep -q z /tmp/f; echo $?", "1\n2:a2\n3:A3\nA3\n1\n"),
    "sed": ("printf 'x=1\\ny=2\\n' > /tmp/f; sed 's/=\\([0-9]\\)/:<\\1>/' /tmp/f; sed -n '2p' /tmp/f; sed -E 's|y=(.)|&\\1|;/^x/d' /tmp/f; sed -i s/x/z/ /tmp/f; cat /tmp/f", "x:<1>\ny:<2>\ny=2\ny=22\nz=1\ny=2\n"),
    "cut, sort, uniq, wc": ("printf 'b:2\\na:1\\nb:2\\n' > /tmp/f; cut -d: -f2 /tmp/f | sort -rn | uniq -c; wc -l /tmp/f; wc -c < /tmp/f", "      2 2\n      1 1\n3 /tmp/f\n12\n"),
    "head and tail": ("seq 5 > /tmp/f; tail -n +4 /tmp/f; head -c 3 /tmp/f; tail -1 /tmp/f", "4\n5\n1\n25\n"),
    "awk": ("printf 'a:1 x\nb:2 y\n' > /tmp/f; awk '{print $2, NR \"-\" NF}' /tmp/f; awk -F: '/b/ {print $1}' /tmp/f; awk -F : '$1 == \"a\"' /tmp/f; seq 4 | awk '$1 > 2 {s += $1} END {print s}'", "x 1-2\ny 2-2\nb\na:1 x\n7\n"),
    "base64 and sums": ("echo -n hi | base64; echo aGk= | base64 -d; echo; echo -n a | md5sum", "aGk=\nhi\n0cc175b9c0f1b6a831c399e269772661  -\n"),
    "eval and here-documents": ("x=1; eval y=\\$x; cat <<E; echo $y\nx is $x\nE", "x is 1\n1\n"),
    "functions and case": ("f() { case $1 in a|b*) return 3;; *) echo no;; esac; }; f bc; echo $?; f x; set -- 1 2; echo \"$@\" $#", "3\nno\n1 2 2\n"),
    "parts of variables": ("x=a.tar.gz; echo ${x%%.*} ${x#*.} ${#x} ${y:-d} ${y:+z} ${x:+w}; echo ${z:=q}$z", "a tar.gz 8 d w\nqq\n"),
    "reading lines": ("printf 'a b c\\nd\\n' | while read x y; do echo \"[$x][$y]\"; done; read l < /etc/hostname; echo $l", "[a][b c]\n[d][]\nweb\n"),
    "only exported variables": ("a=1; b=2; export b; c=3 env | grep -E '^[abc]='; sh -c 'echo $a$b'", "b=2\nc=3\n2\n"),
    "names that no shell could set": ("env | grep -c 'a[.]b'; tr '\\0' '\\n' < /proc/1/environ | grep 'a[.]b'", "0\na.b=1\n"),
    "a script of its own": ("printf '#!/bin/sh\\necho $0 $1\\n' > /tmp/s; chmod +x /tmp/s; /tmp/s x; sh /tmp/s y", "/tmp/s x\n/tmp/s y\n"),
    "xargs, timeout, which": ("echo a b | xargs -n 1 echo -; timeout 1 sleep 5; echo $?; which cat", "- a\n- b\n143\n/bin/cat\n"),
}  # fmt: skip


@pytest.mark.parametrize("case", SCRIPTS)
def test_what_a_script_says(case: str) -> None:
    script, text = SCRIPTS[case]
    assert Box(script, {"/c": config(), "/v": empty()}, env={"a.b": "1"}).to(30).text == text


def test_who_is_not_root_may_do_less() -> None:
    volumes = {"/s": Volume({}, lambda: {"": folder(0o777), "/a": NodeFile("x\n", mode=0o400), "/b": NodeFile("y\n", mode=0o440, gid=2000)}, read_only=True)}  # fmt: skip
    rights = Rights(user=1000, group=3000, groups=(2000,))
    box = Box("id; cat /s/a; cat /s/b; touch /x; echo a > /tmp/y && stat -c '%u %g' /tmp/y", volumes, rights=rights)
    assert box.to(1).text == (
        "uid=1000 gid=3000 groups=2000,3000\ncat: can't open '/s/a': Permission denied\ny\n"
        "touch: /x: Permission denied\n1000 3000\n"
    )
    closed = Box("find /root; echo $?; find /root -maxdepth 0", rights=rights).to(1).text
    assert closed == "/root\nfind: /root: Permission denied\n1\n/root\n"


def test_what_is_made_in_a_folder_of_a_group_belongs_to_it() -> None:
    volume = Volume({}, lambda: {"": folder(0o2777, gid=2000)})
    rights = Rights(user=1000, groups=(2000,))
    box = Box("touch /v/f; mkdir /v/d; stat -c '%u %g %a' /v/f /v/d", {"/v": volume}, rights=rights)
    assert box.to(1).text == "1000 2000 644\n1000 2000 2755\n"


def test_a_root_that_is_read_only() -> None:
    script = "echo a > /tmp/x; echo b > /v/x && cat /v/x; echo c > /dev/termination-log"
    box = Box(script, {"/v": empty()}, read_only_root=True).to(1)
    assert box.text == "sh: can't create /tmp/x: Read-only file system\nb\n"
    assert box.machine.files.read("/dev/termination-log") == "c\n"


def test_a_part_of_a_volume_is_shared_with_the_whole_and_one_of_files_does_not_change() -> None:
    store: dict[str, NodeFile] = {}
    whole, part = empty(store), empty(store, "/a")
    part.prepare()
    assert Box("ls /v; echo x > /v/a/f; cat /m/f", {"/v": whole, "/m": part}).to(1).text == "a\nx\n"
    now = dict(CONFIG)
    seen = Volume({}, lambda: now, part="/a.conf", read_only=True)
    files = Files({"/etc/a.conf": seen})
    assert files.read("/etc/a.conf") == "k=v\n"
    now = {"": folder(), "/a.conf": NodeFile("newer\n")}
    assert files.read("/etc/a.conf") == "k=v\n"


@pytest.mark.parametrize(
    ("act", "complaint"),
    [
        (lambda files: files.save("/etc", "x"), "Is a directory"),
        (lambda files: files.make_folder("/a/b/c"), "No such file or directory"),
        (lambda files: files.make_folder("/f/b"), "Not a directory"),
        (lambda files: files.remove("/v"), "Device or resource busy"),
        (lambda files: files.open("/loop"), "Symbolic link loop"),
        (lambda files: files.change("/none", mode=0), "No such file or directory"),
    ],
)
def test_what_the_kernel_would_say(act: object, complaint: str) -> None:
    box = Box("touch /f; ln -s /loop /loop", {"/v": empty()})
    with pytest.raises(FileError, match=complaint):
        act(box.machine.files)  # type: ignore[operator]


def test_files_are_bounded() -> None:
    files = Files(strict=False)
    files.owner = Owner()
    for number in range(2050):
        files.write(f"/f{number}", "x" * 4096)
    with pytest.raises(FileError, match="No space left"):
        files.save("/one-more", "")
    box = Box("i=0; while true; do echo 0123456789012345678901234567890123456789 >> /tmp/f; done").to(60)
    assert len(box.machine.files.own["/tmp/f"].text) <= 256 * 1024


@pytest.mark.parametrize("file", [NodeFile("a"), NodeFile("", mode=0o600, uid=5), folder(0o777, gid=3), link("x"), NodeFile("z", size=10**9)])  # fmt: skip
def test_files_survive_a_journal(file: NodeFile) -> None:
    assert from_json(to_json(file)) == file


@pytest.mark.parametrize(
    ("pattern", "extended", "text", "found"),
    [
        ("a\\{2\\}", False, "caab", "aa"),
        ("a{2}", True, "caab", "aa"),
        ("(a+)b?", True, "xaaby", "aab"),
        ("a+(b)", False, "a+(b)", "a+(b)"),
        ("[[:digit:]]\\+", False, "ab12", "12"),
        ("[^]x]*", False, "ab]x", "ab"),
        ("^\\*a$", False, "*a", "*a"),
        ("[.]\\.", False, "...", ".."),
    ],
)
def test_regular_expressions(pattern: str, extended: bool, text: str, found: str) -> None:
    match = posix_regex.compile(pattern, extended=extended).search(text)
    assert match is not None
    assert match[0] == found


HANDLER = "printf '#!/bin/sh\\nread l; while read h; do [ \"${#h}\" -le 1 ] && break; done; %s\\n' > /tmp/h; chmod +x /tmp/h; nc -ll -p 80 -e /tmp/h"
CGI = "mkdir -p /w/cgi-bin; printf '#!/bin/sh\\n%s\\n' > /w/cgi-bin/x; chmod +x /w/cgi-bin/x; echo yes > /w/ok; httpd -f -p 80 -h /w"
ANSWERS: dict[str, tuple[str, str, tuple[int, str, str]]] = {
    "netcat with a script": (HANDLER % 'printf "HTTP/1.1 418 T\\\\\\\\r\\\\\\\\n\\\\\\\\r\\\\\\\\nbody"', "/", (418, "body", "")),
    "netcat with a text": ("while true; do echo -e 'HTTP/1.1 200 OK\\n\\nhello' | nc -l -p 80; done", "/", (200, "hello\n", "")),
    "a script of httpd": (CGI % 'echo; echo "$REQUEST_METHOD $HTTP_X_KEY"', "/cgi-bin/x", (200, "GET sesame\n", "")),
    "a status of its own": (CGI % "echo Status: 403 No; echo", "/cgi-bin/x", (403, "", "")),
    "a redirect to the same host": (CGI % "echo Status: 302 F; echo Location: /ok; echo", "/cgi-bin/x", (200, "yes\n", "")),
    "a redirect elsewhere": (CGI % "echo Status: 302 F; echo Location: http://else/; echo", "/cgi-bin/x", (302, "", "else")),
    "a script that takes too long": (CGI % "sleep 9; echo", "/cgi-bin/x", (0, "", "")),
    "a file": (CGI % "echo", "/ok", (200, "yes\n", "")),
}  # fmt: skip


@pytest.mark.parametrize("case", ANSWERS)
def test_servers_answer_as_their_scripts_say(case: str) -> None:
    script, path, (status, body, elsewhere) = ANSWERS[case]
    machine = Box(script).to(1).machine
    request = HttpRequest("HTTP", "10.0.0.1", 80, path, (("X-Key", "sesame"),))
    listener = Listener(open=True, site=machine.ports[80], micros=machine.now)
    found = network.http(Call(outcome="", latency=0.001, timeout=1.0), request, listener)
    assert (found.status, found.body, found.redirect_host) == (status, body, elsewhere)
    assert ("deadline exceeded" in found.error) == (status == 0)


@pytest.mark.parametrize(
    "script",
    [
        "sort -k x /etc/passwd", "head -n z /etc/passwd", "cut -f a /etc/passwd", "sed 's/(/' /etc/passwd", "tr", "stat -c", "dd bs=x",
        "seq a", "chmod 9 /tmp", "grep -E '(' /etc/passwd", "find / -maxdepth x", "truncate -s", "f() { f; }; f", "sh -c 'eval $0' eval",
        "x=$(printf '%0*d' 1); printf %d 99999999999999999999999999", "base64 -w x /etc/passwd", "read", "shift 9", "expr 1 / 0",
    ],
)  # fmt: skip
def test_what_makes_no_sense_breaks_nothing(script: str) -> None:
    """It complains or runs on; no command may take the simulated node down."""
    Box(script).to(5)
