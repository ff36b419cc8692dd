"""The table of a Pod's fields in docs/fidelity.md, and what must hold for it. `python -m tests.fidelity` writes it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from podlab.apis import schema
from tests.fidelity.rows import CONTAINERS, HOW, POD, ROWS, SECURITY, STATUS, VOLUMES, Row

TESTS = Path(__file__).resolve().parent.parent
PAGE = TESTS.parent / "docs" / "fidelity.md"
BEGIN, END = "<!-- fields: begin -->\n", "<!-- fields: end -->\n"
PARTS = {
    "Containers": CONTAINERS,
    "The pod": POD,
    "securityContext": SECURITY,
    "Volumes": VOLUMES,
    "Status": STATUS,
}
_CORE = "io.k8s.api.core.v1."
# What is told of several lists of containers is told once.
_SAME = {
    "spec.initContainers[]": "spec.containers[]",
    "spec.ephemeralContainers[]": "spec.containers[]",
    "status.initContainerStatuses[]": "status.containerStatuses[]",
    "status.ephemeralContainerStatuses[]": "status.containerStatuses[]",
}


@cache
def leaves() -> frozenset[str]:
    """Every field without fields of its own, as `spec.containers[].env[].name`."""
    tops = {"spec": f"{_CORE}PodSpec", "status": f"{_CORE}PodStatus"}
    return frozenset(_once(path) for top, definition in tops.items() for path in _walk(definition, top))


def _walk(definition: str, above: str) -> Iterator[str]:
    for name, field in schema.fields(definition).items():
        kind, path = field.type, f"{above}.{name}"
        if kind.sort == "array" and kind.item is not None:
            kind, path = kind.item, f"{path}[]"
        if kind.sort == "object" and kind.ref:
            yield from _walk(kind.ref, path)
        else:
            yield path


def _once(path: str) -> str:
    for part, instead in _SAME.items():
        if path.startswith(part):
            return instead + path[len(part) :]
    return path


def covers(path: str, leaf: str) -> bool:
    return leaf == path or leaf.startswith((f"{path}.", f"{path}["))


def row_of(leaf: str) -> Row | None:
    """The row whose path is the longest that fits."""
    fitting = [(len(path), row) for row in ROWS for path in row.paths if covers(path, leaf)]
    return max(fitting, key=lambda one: one[0])[1] if fitting else None


@cache
def _module(path: Path) -> tuple[frozenset[str], str]:
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    return frozenset(node.name for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef)), text


def proof_problem(proof: str) -> str:
    """Why there is no such test, or "". The name in brackets must stand in the file as a key of the test's table."""
    found = re.fullmatch(r"([\w/]+\.py)::(test_\w+)(?:\[(.+)\])?", proof)
    if found is None:
        return f"{proof}: not written as file::test[case]"
    names, text = _module(TESTS / found[1])
    if found[2] not in names:
        return f"{proof}: there is no such test"
    return f"{proof}: the test has no such case" if found[3] and f'"{found[3]}":' not in text else ""


def on_an_engine(proof: str) -> bool:
    """Whether a test is about Docker: its module needs an engine, or it is of the Docker runtime or of what all runtimes keep."""
    path = proof.partition("::")[0]
    text = _module(TESTS / path)[1]
    return "pytest.mark.docker" in text or "contract" in path or path.startswith(("lab/", "runtime/test_docker_"))


def problems() -> list[str]:
    found = [f"{leaf} has no row" for leaf in sorted(leaves()) if row_of(leaf) is None]
    for row in ROWS:
        name = row.paths[0]
        found += [
            f"{path} is no field of a pod" for path in row.paths if not any(covers(path, leaf) for leaf in leaves())
        ]
        found += [
            f"{name}: {text!r} does not begin with one of {HOW}"
            for text in (row.docker, row.simulated)
            if not text.startswith(HOW)
        ]
        found += [problem for proof in row.proofs if (problem := proof_problem(proof))]
        if not row.proofs:
            found.append(f"{name} has no test")
        if row.docker.startswith("real") and not row.rule and not any(map(on_an_engine, row.proofs)):
            found.append(f"{name} is real, but none of its tests runs on an engine")
    return found


def rendered() -> str:
    lines = []
    for title, rows in PARTS.items():
        lines += [f"\n### {title}\n", "| field | Docker | simulated node | shown by |", "|---|---|---|---|"]
        lines += [_line(row) for row in rows]
    return "\n".join(lines).lstrip("\n") + "\n"


def _line(row: Row) -> str:
    names = ", ".join(f"`{path}`" for path in row.paths)
    proofs = ", ".join(f"`{proof}`" for proof in row.proofs)
    return f"| {names} | {row.docker} | {row.simulated} | {proofs} |"


def written(page: str) -> str:
    """The page with the table of today in it."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"docs/fidelity.md has lost its marks {BEGIN.strip()} and {END.strip()}")
    return before + BEGIN + "\n" + rendered() + "\n" + END + after
