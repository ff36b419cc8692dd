"""What the authoring pages show and their script is told: a composition with the server's own judgement. No writes.

The views of creating and editing share it; `composed` is the template's context, `answer` the script's JSON.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpRequest, QueryDict
from django.template.loader import render_to_string

from podlab.apis.decode import position_of
from podlab.glance import kubectl
from podlab.web import probe_picture, revisions
from podlab.web.authoring import Problem, Report
from podlab.web.forms import compose, kubectl_run, paths
from podlab.web.forms.compose import Composition, Draft
from podlab.web.place import Place

MOST_LINE = 20_000  # characters of a kubectl line that are worth showing
_FIELDS = ("f.", "k.", "v.", "u.", "s.")


@dataclass(slots=True)
class Bench:
    """One state of the page. `subject` is what an existing object is called; None while creating."""

    place: Place
    made: Composition
    report: Report
    sent: Mapping[str, str]
    lines: list[revisions.Line] | None = None
    patch: list[str] = field(default_factory=list)
    subject: str = ""


def draft(posted: QueryDict) -> Draft:
    """What the page sent. Browsers send \\r\\n in a form; line numbers and block texts must not depend on that."""
    text = _plain(posted.get("manifest") or "")
    given = posted.get("given")
    number = posted.get("document") or ""
    do = posted.get("do") or ""
    verb, _, asked = do.partition(":")
    index = int(number) if number.isdecimal() and len(number) < 4 else 0
    if verb == "document" and asked.isdecimal() and len(asked) < 4:
        return Draft(text, text, int(asked))
    return Draft(
        text,
        text if given is None else _plain(given),
        index,
        sent={key: value for key, value in posted.items() if isinstance(value, str) and key.startswith(_FIELDS)},
        line=posted.get("line"),
        do=do,
    )


def _plain(text: str) -> str:
    return text.replace("\r\n", "\n")


def settle(bench: Bench, *, locked: bool = False) -> None:
    """Put the problems to their inputs and the pictures to their probes."""
    if locked:
        compose.lock(bench.made)
    mine = [one for one in bench.report.problems if one["document"] == bench.made.document and one["path"]]
    compose.place_problems(bench.made, [(one["path"], one["message"]) for one in mine])
    for node in bench.made.walk():
        if node.sort == "section" and node.id == "probes":
            node.picture = _picture(bench, node.path)


def _picture(bench: Bench, path: paths.Path) -> probe_picture.Picture | None:
    obj = bench.made.source.obj if bench.made.source is not None else None
    grace = paths.get(obj, ("spec", "terminationGracePeriodSeconds"))
    return probe_picture.of(paths.get(obj, path), bench.sent, paths.text_of(path), grace=grace)


def commands(bench: Bench) -> dict[str, str]:
    """`line` can be edited, `command` cannot: the same from a file, or for an existing object its patch."""
    place = {"cluster": bench.place.cluster, "namespace": bench.place.namespace}
    if bench.subject:
        words = bench.patch[1:] if bench.patch else ["edit", *bench.subject.split("/", 1)]
        return {"line": "", "command": kubectl.line(*words, **place)}
    line = ""
    if bench.made.line is not None:
        line = kubectl_run.display(bench.made.line, kubectl.where(**place))
    return {
        "line": line if len(line) <= MOST_LINE else "",
        "command": kubectl.line("create", "-f", f"{_file(bench.made)}.yaml", **place),
    }


def _file(made: Composition) -> str:
    obj: Any = made.source.obj if made.source is not None else None
    name = paths.get(obj, ("metadata", "name"))
    return name if isinstance(name, str) and name.replace("-", "").replace(".", "").isalnum() else "manifest"


def composed(bench: Bench) -> dict[str, Any]:
    """For the template."""
    made = bench.made
    return {
        "text": made.text,
        "form": made.form,
        "documents": made.documents if len(made.documents) > 1 else [],
        "document": made.document,
        "changed": [(name, _line(made, name)) for name in made.changed],
        "report": bench.report,
        "lines": bench.lines,
        "line_problem": made.line_problem,
        "unreadable": made.unreadable,
        "subject": bench.subject,
        "place": bench.place,
        **commands(bench),
    }


def _line(made: Composition, path: str) -> int:
    position = position_of(made.source, path) if made.source is not None else None
    return position.line if position is not None else 1


def answer(request: HttpRequest, bench: Bench) -> dict[str, Any]:
    """For the script. `form` is None while the text cannot be read: the page keeps the one it has."""
    made, context = bench.made, composed(bench)
    readable = made.unreadable is None
    problems: list[Problem] = bench.report.problems
    sections = [node for node in made.walk() if node.sort == "section" and node.id == "probes"]
    return {
        "text": made.text,
        "document": made.document,
        "documents": made.documents,
        "form": render_to_string("parts/form.html", context, request) if readable else None,
        "courses": {node.name: _course(request, node.picture) for node in sections if node.picture},
        "line": context["line"],
        "line_problem": made.line_problem,
        "command": context["command"],
        "changed": made.changed,
        "problems": problems,
        "objects": bench.report.objects,
        "diff": None if bench.lines is None else render_to_string("parts/diff.html", context, request),
    }


def _course(request: HttpRequest, picture: object) -> str:
    return render_to_string("parts/probe_picture.html", {"picture": picture}, request)
