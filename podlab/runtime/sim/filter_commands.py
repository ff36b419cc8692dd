"""Commands that take lines and give lines: grep, sed, tr, cut, sort, uniq, wc and their like, with the options that examples
of Kubernetes' documentation use. Others raise `Unsupported`.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable

from podlab.runtime.sim import posix_regex
from podlab.runtime.sim.inputs import Input, inputs, options
from podlab.runtime.sim.shell import Shell
from podlab.runtime.sim.shell_syntax import Unsupported

_LETTERS = {"alpha": "a-zA-Z", "digit": "0-9", "alnum": "a-zA-Z0-9", "upper": "A-Z", "lower": "a-z", "space": " \t\n\r\f\v",
            "blank": " \t", "punct": "!\"#$%&'()*+,./:;<=>?@[\\]^_`{|}~-"}  # fmt: skip
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", "0": "\0", "a": "\a"}
_MAX_RANGE = 0x110000


def _grep(shell: Shell, argv: list[str]) -> int:
    given = options("grep", argv[1:], flags="EFGHcivnqshxowlLr", values="emAB")
    patterns = given.values.get("e") or [given.words.pop(0) if given.words else ""]
    flags = given.flags | ({"E"} if argv[0] == "egrep" else set()) | ({"F"} if argv[0] == "fgrep" else set())
    try:
        found = [_pattern(text, flags) for pattern in patterns for text in pattern.split("\n")]
    except posix_regex.BadPattern:
        shell.io.err(f"grep: bad regex '{patterns[0]}'\n")
        return 2
    texts, fine = inputs(shell, "grep", given.words, quiet="s" in flags)
    named = ("H" in flags or len(given.words) > 1) and "h" not in flags
    limit = int((given.values.get("m") or ["0"])[0]) or None
    count = 0
    for one in texts:
        hits = [
            (number, line)
            for number, line in enumerate(one.lines(), 1)
            if any(pattern.search(line) for pattern in found) != ("v" in flags)
        ][:limit]
        count += len(hits)
        _show_hits(shell, one, hits, flags, found, named=named)
    return 2 if not fine and not count else int(not count)


def _pattern(text: str, flags: set[str]) -> re.Pattern[str]:
    if "F" in flags:
        text = re.sub(r"([.\[\]*^$\\])", r"\\\1", text)
    found = posix_regex.compile(text, extended="E" in flags and "F" not in flags, ignore_case="i" in flags)
    around = (r"^(?:", r")$") if "x" in flags else (r"(?<!\w)(?:", r")(?!\w)") if "w" in flags else ("", "")
    return re.compile(around[0] + found.pattern + around[1], found.flags)


def _show_hits(
    shell: Shell, one: Input, hits: list[tuple[int, str]], flags: set[str], found: list[re.Pattern[str]], *, named: bool
) -> None:
    if "q" in flags:
        return
    prefix = f"{one.name}:" if named else ""
    if "c" in flags:
        shell.io.out(f"{prefix}{len(hits)}\n")
    elif "l" in flags or "L" in flags:
        shell.io.out(f"{one.name}\n" if bool(hits) == ("l" in flags) else "")
    else:
        for number, line in hits:
            head = prefix + (f"{number}:" if "n" in flags else "")
            parts = (
                [part[0] for pattern in found for part in pattern.finditer(line) if part[0]] if "o" in flags else [line]
            )
            shell.io.out("".join(f"{head}{part}\n" for part in parts))


def _tr(shell: Shell, argv: list[str]) -> int:
    given = options("tr", argv[1:], flags="dscC")
    sets = [_letters(word) for word in given.words]
    text = shell.io.stdin or ""
    complement = bool(given.flags & {"c", "C"})
    if not sets:
        return 1

    def chosen(char: str) -> bool:
        return (char in sets[0]) != complement

    if "d" in given.flags:
        text = "".join(char for char in text if not chosen(char))
    elif len(sets) > 1 and sets[1]:
        last = sets[1][-1]
        table = {char: (sets[1][index] if index < len(sets[1]) else last) for index, char in enumerate(sets[0])}
        text = "".join((last if complement else table[char]) if chosen(char) else char for char in text)
    if "s" in given.flags:
        squeezed = sets[-1]
        text = re.sub(r"(.)\1+", lambda match: match[1] if match[1] in squeezed else match[0], text, flags=re.DOTALL)
    shell.io.out(text)
    return 0


def _letters(word: str) -> str:
    """The characters of a set of `tr`, in order."""
    word = re.sub(r"\[:(\w+):\]", lambda match: _LETTERS.get(match[1], ""), word)
    word = re.sub(r"\\([0-7]{1,3})", lambda match: chr(int(match[1], 8)), word)
    word = re.sub(r"\\([ntra\\])", lambda match: _ESCAPES[match[1]], word)
    out, at = [], 0
    while at < len(word):
        if word[at + 1 : at + 2] == "-" and at + 2 < len(word) and ord(word[at]) <= ord(word[at + 2]):
            out += [chr(code) for code in range(ord(word[at]), ord(word[at + 2]) + 1)]
            at += 3
        else:
            out.append(word[at])
            at += 1
    return "".join(out)


def _cut(shell: Shell, argv: list[str]) -> int:
    given = options("cut", argv[1:], flags="sn", values="dfcb")
    how = next((name for name in "fcb" if name in given.values), "")
    if not how:
        raise Unsupported("cut")
    wanted = [_range(part) for part in given.values[how][0].split(",")]
    between = (given.values.get("d") or ["\t"])[0]
    texts, fine = inputs(shell, "cut", given.words)
    for line in (line for one in texts for line in one.lines()):
        if how != "f":
            picked = "".join(
                char for number, char in enumerate(line, 1) if any(low <= number <= high for low, high in wanted)
            )
        elif between not in line:
            if "s" in given.flags:
                continue
            picked = line
        else:
            fields = enumerate(line.split(between), 1)
            picked = between.join(text for number, text in fields if any(low <= number <= high for low, high in wanted))
        shell.io.out(picked + "\n")
    return int(not fine)


def _range(part: str) -> tuple[int, int]:
    low, dash, high = part.partition("-")
    if not (low or high) or not (low or "1").isdigit() or not (high or "1").isdigit():
        raise Unsupported("cut")
    return int(low or 1), int(high or (_MAX_RANGE if dash else low))


def _sed(shell: Shell, argv: list[str]) -> int:
    given = options("sed", argv[1:], flags="nErsi", values="e")
    scripts = given.values.get("e") or [given.words.pop(0) if given.words else ""]
    extended = bool(given.flags & {"E", "r"})
    try:
        edits = [_Edit(text, extended) for script in scripts for text in _commands(script)]
    except posix_regex.BadPattern:
        raise Unsupported("sed") from None
    texts, fine = inputs(shell, "sed", given.words)
    for group in ([one] for one in texts) if "i" in given.flags else [texts]:
        lines = [line for one in group for line in one.lines()]
        text = _edited(lines, edits, silent="n" in given.flags, ended=not group or group[-1].ended)
        if "i" in given.flags:
            shell.machine.files.write(shell.path(group[0].name), text)
        else:
            shell.io.out(text)
    return int(not fine)


def _commands(script: str) -> list[str]:
    """The commands of a script; a semicolon inside of s/…/…/ separates nothing."""
    found: list[str] = []
    rest = script.strip()
    while rest:
        match = re.match(r"(?:[\d$]+(?:,[\d$]+)?|/(?:\\.|[^/\\])*/(?:,/(?:\\.|[^/\\])*/)?)?\s*!?\s*", rest)
        head = match[0] if match else ""
        body = rest[len(head) :]
        if body[:1] in ("s", "y") and len(body) > 1:
            mark = re.escape(body[1])
            whole = re.match(
                rf"[sy]{mark}(?:\\.|(?!{mark}).)*{mark}(?:\\.|(?!{mark}).)*{mark}[gpiI0-9]*", body, re.DOTALL
            )
            if whole is None:
                raise Unsupported("sed")
            body = whole[0]
        elif body[:1] in ("a", "i", "c"):
            body = body.partition("\n")[0]
        else:
            body = body[:1]
        found.append(head + body)
        rest = rest[len(head) + len(body) :].lstrip(" ;\n}")
    return found


class _Edit:
    """One sed command with its address."""

    def __init__(self, text: str, extended: bool) -> None:
        match = re.match(r"(?:([\d$]+)(?:,([\d$]+))?|/((?:\\.|[^/\\])*)/)?\s*(!?)\s*", text)
        assert match is not None
        self.first, self.last = match[1], match[2] or match[1]
        self.where = posix_regex.compile(match[3], extended=extended) if match[3] is not None else None
        self.negated = bool(match[4])
        body = text[match.end() :]
        self.verb, self.text = body[:1], body[1:].lstrip("\\ \n")
        if self.verb == "s":
            mark = body[1]
            parts = re.split(rf"(?<!\\){re.escape(mark)}", body[2:])
            if len(parts) != 3:
                raise Unsupported("sed")
            source = parts[0].replace("\\" + mark, mark) if mark not in "()|" else parts[0]
            self.flags = parts[2]
            self.pattern = posix_regex.compile(source, extended=extended, ignore_case="i" in self.flags.lower())
            self.new = parts[1].replace("\\" + mark, mark)
        elif self.verb not in ("d", "p", "q", "a", "i", "c", "="):
            raise Unsupported(f"sed {text}")

    def applies(self, number: int, count: int, line: str) -> bool:
        if self.where is not None:
            hit = self.where.search(line) is not None
        elif self.first:
            low, high = (count if end == "$" else int(end) for end in (self.first, self.last))
            hit = low <= number <= high
        else:
            hit = True
        return hit != self.negated

    def substituted(self, line: str) -> tuple[str, bool]:
        wanted = int(re.sub(r"\D", "", self.flags) or 1)
        seen = 0

        def new(match: re.Match[str]) -> str:
            nonlocal seen
            seen += 1
            if seen < wanted or (seen > wanted and "g" not in self.flags):
                return match[0]
            return re.sub(r"\\(\d|.)|&", lambda part: self._part(match, part), self.new, flags=re.DOTALL)

        text = self.pattern.sub(new, line)
        return text, seen >= wanted

    @staticmethod
    def _part(match: re.Match[str], part: re.Match[str]) -> str:
        if part[0] == "&":
            return match[0]
        if part[1].isdigit():
            return match[int(part[1])] or "" if int(part[1]) <= (match.re.groups or 0) else ""
        return _ESCAPES.get(part[1], part[1]) if part[1] in "nt" else part[1]


def _edited(lines: list[str], edits: list[_Edit], *, silent: bool, ended: bool) -> str:
    out: list[str] = []
    for number, line in enumerate(lines, 1):
        after: list[str] = []
        kept = True
        for edit in edits:
            if not edit.applies(number, len(lines), line):
                continue
            if edit.verb == "s":
                line, changed = edit.substituted(line)
                if changed and "p" in edit.flags:
                    out.append(line)
            elif edit.verb == "d":
                kept = False
                break
            elif edit.verb == "p":
                out.append(line)
            elif edit.verb == "=":
                out.append(str(number))
            elif edit.verb == "a":
                after.append(edit.text)
            elif edit.verb in ("i", "c"):
                out.append(edit.text)
                kept = kept and edit.verb == "i"
            elif edit.verb == "q":
                return "".join(f"{one}\n" for one in (out if silent else [*out, line]))
        if kept and not silent:
            out.append(line)
        out += after
    text = "\n".join(out)
    return text + ("\n" if out and ended else "")


def _sort(shell: Shell, argv: list[str]) -> int:
    given = options("sort", argv[1:], flags="urnfbgh", values="kt")
    texts, fine = inputs(shell, "sort", given.words)
    column = int(re.match(r"\d*", (given.values.get("k") or ["0"])[0])[0] or 0)  # type: ignore[index]
    between = given.values["t"][0] if "t" in given.values else None

    def key(line: str) -> tuple[float, str]:
        text = line
        if column:
            fields = line.split(between)
            text = (between or " ").join(fields[column - 1 :])
        text = text.lower() if "f" in given.flags else text
        number = re.match(r"\s*(-?\d+(?:\.\d+)?)", text) if "n" in given.flags else None
        return (float(number[1]) if number else 0.0, text)

    lines = sorted((line for one in texts for line in one.lines()), key=key, reverse="r" in given.flags)
    shell.io.out("".join(line + "\n" for line in (dict.fromkeys(lines) if "u" in given.flags else lines)))
    return int(not fine)


def _uniq(shell: Shell, argv: list[str]) -> int:
    given = options("uniq", argv[1:], flags="cdu")
    texts, fine = inputs(shell, "uniq", given.words)
    groups: list[tuple[str, int]] = []
    for line in (line for one in texts for line in one.lines()):
        if groups and groups[-1][0] == line:
            groups[-1] = (line, groups[-1][1] + 1)
        else:
            groups.append((line, 1))
    for line, count in groups:
        if ("d" in given.flags and count < 2) or ("u" in given.flags and count > 1):
            continue
        shell.io.out(f"{count:7d} {line}\n" if "c" in given.flags else f"{line}\n")
    return int(not fine)


def _wc(shell: Shell, argv: list[str]) -> int:
    given = options("wc", argv[1:], flags="lwcm")
    texts, fine = inputs(shell, "wc", given.words)
    wanted = [name for name in "lwcm" if name in given.flags] or ["l", "w", "c"]
    rows = [(_counts(one.text, wanted), one.name) for one in texts]
    if len(rows) > 1:
        rows.append(([sum(column) for column in zip(*(counts for counts, _ in rows), strict=True)], "total"))
    for counts, name in rows:
        text = str(counts[0]) if len(counts) == 1 else " ".join(f"{count:9d}" for count in counts)
        shell.io.out(f"{text} {name}\n" if name else f"{text}\n")
    return int(not fine)


def _counts(text: str, wanted: list[str]) -> list[int]:
    known = {"l": text.count("\n"), "w": len(text.split()), "c": len(text.encode()), "m": len(text)}
    return [known[name] for name in wanted]


def _base64(shell: Shell, argv: list[str]) -> int:
    given = options("base64", argv[1:], flags="d", values="w")
    texts, fine = inputs(shell, "base64", given.words)
    data = "".join(one.text for one in texts)
    if "d" in given.flags:
        try:
            whole = "".join(data.split())
            shell.io.out(base64.b64decode(whole + "=" * (-len(whole) % 4)).decode(errors="replace"))
        except ValueError:
            shell.io.err("base64: truncated input\n")
            return 1
        return int(not fine)
    width = int((given.values.get("w") or ["76"])[0])
    text = base64.b64encode(data.encode()).decode()
    lines = [text[at : at + width] for at in range(0, len(text), width)] if width else [text]
    shell.io.out("\n".join(lines) + ("\n" if width else ""))
    return int(not fine)


def _sum(digest: str) -> Callable[[Shell, list[str]], int]:
    def command(shell: Shell, argv: list[str]) -> int:
        texts, fine = inputs(shell, argv[0], [word for word in argv[1:] if not word.startswith("-")])
        for one in texts:
            found = hashlib.new(digest, one.text.encode(), usedforsecurity=False).hexdigest()
            shell.io.out(f"{found}  {one.name or '-'}\n")
        return int(not fine)

    return command


def _tac(shell: Shell, argv: list[str]) -> int:
    texts, fine = inputs(shell, "tac", argv[1:])
    shell.io.out("".join(f"{line}\n" for one in texts for line in reversed(one.lines())))
    return int(not fine)


COMMANDS: dict[str, Callable[[Shell, list[str]], int]] = {
    "base64": _base64,
    "cut": _cut,
    "egrep": _grep,
    "fgrep": _grep,
    "grep": _grep,
    "md5sum": _sum("md5"),
    "sed": _sed,
    "sha1sum": _sum("sha1"),
    "sha256sum": _sum("sha256"),
    "sort": _sort,
    "tac": _tac,
    "tr": _tr,
    "uniq": _uniq,
    "wc": _wc,
}
