"""The part of awk that one-liners use: `/pattern/ { print $1, "text" }`, conditions on fields, NR and NF, sums, BEGIN and END.
Everything else raises `Unsupported`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from podlab.runtime.sim import posix_regex
from podlab.runtime.sim.inputs import inputs, options
from podlab.runtime.sim.shell import Shell
from podlab.runtime.sim.shell_tree import Unsupported

_RULE = re.compile(
    r"\s*(?P<when>BEGIN|END|/(?:\\.|[^/\\])*/|[^{}/;]+?)?\s*(?:\{(?P<do>(?:\"(?:\\.|[^\"\\])*\"|[^{}\"])*)\}|;|\n|$)"
)
_COMPARED = re.compile(r"\s*(\$?\w+)\s*(==|!=|>=|<=|>|<|~|!~)\s*(\"(?:\\.|[^\"\\])*\"|/(?:\\.|[^/\\])*/|\$?[\w.]+)\s*$")
_TERM = re.compile(r"\s*(\"(?:\\.|[^\"\\])*\"|\$NF|\$\d+|[A-Za-z_]\w*|-?\d+(?:\.\d+)?)")
_SUM = re.compile(r"\s*([A-Za-z_]\w*)\s*(\+=|=|\+\+)\s*(\$?\w*)\s*$")
_MAX_RULES = 20


@dataclass(slots=True)
class _Run:
    shell: Shell
    between: str | None
    variables: dict[str, str] = field(default_factory=dict)
    fields: list[str] = field(default_factory=list)
    line: str = ""

    def value(self, term: str) -> str:
        if term.startswith('"'):
            return re.sub(r"\\(.)", lambda match: {"n": "\n", "t": "\t"}.get(match[1], match[1]), term[1:-1])
        if term.startswith("$"):
            number = len(self.fields) if term == "$NF" else int(self.value(term[1:]) or 0)
            return self.line if number == 0 else self.fields[number - 1] if number <= len(self.fields) else ""
        if term == "NF":
            return str(len(self.fields))
        return term if re.fullmatch(r"-?[\d.]+", term) else self.variables.get(term, "")

    def take(self, line: str) -> None:
        self.line = line
        self.fields = line.split(self.between)
        self.variables["NR"] = str(int(self.variables.get("NR", "0")) + 1)

    def holds(self, when: str) -> bool:
        if when.startswith("/"):
            return posix_regex.compile(when[1:-1].replace("\\/", "/"), extended=True).search(self.line) is not None
        match = _COMPARED.match(when)
        if match is None:
            raise Unsupported("awk")
        left, operator = self.value(match[1]), match[2]
        if operator in {"~", "!~"}:
            found = posix_regex.compile(match[3].strip('/"'), extended=True).search(left) is not None
            return found == (operator == "~")
        right = self.value(match[3])
        numbers = [re.fullmatch(r"\s*-?\d+(\.\d+)?\s*", text) for text in (left, right)]
        pair = (float(left), float(right)) if all(numbers) else (left, right)
        a, b = pair
        results = {"==": a == b, "!=": a != b, ">": a > b, "<": a < b, ">=": a >= b, "<=": a <= b}  # type: ignore[operator]
        return results[operator]

    def act(self, text: str) -> None:
        for statement in re.split(r"[;\n](?=(?:[^\"]*\"[^\"]*\")*[^\"]*$)", text):
            self._do(statement.strip())

    def _do(self, statement: str) -> None:
        if not statement:
            return
        if re.match(r"print\b", statement):
            rest = statement[5:].strip()
            parts = re.split(r",(?=(?:[^\"]*\"[^\"]*\")*[^\"]*$)", rest) if rest else ["$0"]
            self.shell.io.out(self.variables.get("OFS", " ").join(self._joined(part) for part in parts) + "\n")
            return
        match = _SUM.match(statement)
        if match is None:
            raise Unsupported("awk")
        before, more = float(self.variables.get(match[1]) or 0), self.value(match[3]) if match[3] else "1"
        if match[2] == "=":
            self.variables[match[1]] = more
        else:
            self.variables[match[1]] = f"{before + float(more or 0):g}"

    def _joined(self, text: str) -> str:
        out, at = "", 0
        while at < len(text.rstrip()):
            match = _TERM.match(text, at)
            if match is None:
                raise Unsupported("awk")
            out += self.value(match[1])
            at = match.end()
        return out


def awk(shell: Shell, argv: list[str]) -> int:
    given = options("awk", argv[1:], values="Fv")
    program = given.words.pop(0)
    rules = _rules(program)
    run = _Run(shell, given.values["F"][0] if "F" in given.values else None)
    for assignment in given.values.get("v", []):
        name, _, value = assignment.partition("=")
        run.variables[name] = value
    for when, do in rules:
        if when == "BEGIN":
            run.act(do)
    texts, fine = inputs(shell, "awk", given.words)
    for line in (line for one in texts for line in one.lines()):
        run.take(line)
        for when, do in rules:
            if when not in {"BEGIN", "END"} and (not when or run.holds(when)):
                run.act(do)
    for when, do in rules:
        if when == "END":
            run.act(do)
    return int(not fine)


def _rules(program: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    rest = program.strip()
    while rest and len(found) < _MAX_RULES:
        match = _RULE.match(rest)
        if match is None or not match.end() or (match["when"] is None and match["do"] is None):
            raise Unsupported("awk")
        do = match["do"]
        found.append(((match["when"] or "").strip(), "print" if do is None else do))
        rest = rest[match.end() :].lstrip(" ;\n")
    return found
