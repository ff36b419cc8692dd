"""The Logs tab: every run of every container, searched on the server; works without scripts and after the pod.

Reads the files that the kubelet writes. `timeline.log_stream` is the live pane beside the timeline.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import re2
from django.conf import settings
from django.http import HttpResponse
from django.utils.translation import gettext as _

from podlab import clock
from podlab.apis import static_pods
from podlab.apis.types import Manifest
from podlab.glance import anatomy, kubectl
from podlab.logs import layout, reader
from podlab.registry import authorizer
from podlab.web import ranges
from podlab.web.place import Place

TAIL = 500
_MOST_TAIL = 20_000
_LONGEST_PATTERN = 200
# Anybody's expression runs here, so RE2 searches, which needs a time proportional to the text whatever the expression;
# Python's re backtracks, and one line could keep it, and with it the whole web process, busy for years.
_LONGEST_SEARCHED = 16 * 1024  # characters of a line that a search looks at
_MOST_MEMORY = 4 * 2**20  # bytes of one compiled expression
_SEARCH_SECONDS = 2.0
_HUES = 6  # as in static/src/logs.js


@dataclass(frozen=True, slots=True)
class Folder:
    namespace: str
    name: str
    uid: str


@dataclass(frozen=True, slots=True)
class Line:
    container: str
    attempt: int
    at: str
    before: str
    hit: str  # the first place that the search found
    after: str
    hue: int = 0  # of the container, as in the pane beside the timeline

    @property
    def text(self) -> str:
        return self.before + self.hit + self.after


@dataclass(frozen=True, slots=True)
class Wish:
    """What the form asks for."""

    container: str
    attempt: int | None
    search: str
    regex: bool
    only: bool
    tail: int
    since: int  # seconds, 0 = all
    timestamps: bool
    wrap: bool
    follow: bool  # the page asks again and again


def wish(query: Mapping[str, str]) -> Wish:
    def number(name: str, otherwise: int) -> int:
        text = query.get(name, "")
        return int(text) if text.isdecimal() and len(text) < 10 else otherwise

    sent = "sent" in query  # an unchecked box sends nothing
    return Wish(
        container=query.get("container", "")[:63],
        attempt=number("attempt", -1) if query.get("attempt", "").isdecimal() else None,
        search=query.get("q", "")[:_LONGEST_PATTERN],
        regex="regex" in query,
        only="only" in query,
        tail=min(number("tail", TAIL), _MOST_TAIL),
        since=number("since", 0),
        timestamps="timestamps" in query or not sent,
        wrap="wrap" in query or not sent,
        follow="follow" in query or not sent,
    )


def _files(place: Place, pod: Manifest) -> tuple[Path, Folder]:
    meta = pod["metadata"]
    request = authorizer.Attributes(
        verb="get",
        resource="pods",
        subresource="log",
        cluster=place.cluster,
        namespace=meta["namespace"],
        name=meta["name"],
    )
    authorizer.require(place.identity, request)
    return Path(settings.PODLAB_DATA) / "logs" / place.cluster, Folder(
        meta["namespace"], meta["name"], static_pods.runtime_uid(pod)
    )


def tab(query: Mapping[str, str], place: Place, pod: Manifest) -> dict[str, Any]:
    root, folder = _files(place, pod)
    names = [one.name for one in anatomy.spec_containers(pod)]
    asked = wish(query)
    span = _span(query, asked, place)
    runs = [(name, attempt) for name in names for attempt in layout.attempts(root, folder, name)]
    if place.moment is not None:  # those that had begun to write
        runs = [run for run in runs if reader.last_lines(layout.container_log(root, folder, *run), 1, until=span[1])]
    told: dict[str, Any] = {"wish": asked, "names": names, "runs": runs, "pattern_error": "", "since_choices": _since()}
    told["range"] = ranges.of(query)
    try:
        pattern = _pattern(asked)
    except re2.error as error:
        pattern, told["pattern_error"] = None, _("This is no regular expression: {error}.").format(error=_words(error))
    lines, unsearched = _read(root, folder, runs, asked, span, pattern)
    hues = {name: index % _HUES for index, name in enumerate(names)}
    lines = [replace(line, hue=hues[line.container]) for line in lines]
    count = sum(bool(line.hit) for line in lines)
    if asked.only and pattern is not None:
        lines = [line for line in lines if line.hit]
    told["longest_source"] = max((len(f"{line.container} #{line.attempt}") for line in lines), default=0)
    told |= {"log_lines": lines, "hits": count, "unsearched": unsearched, "seconds": round(_SEARCH_SECONDS)}
    return told | {"command": _command(place, folder, asked)}


def _span(query: Mapping[str, str], asked: Wish, place: Place) -> tuple[datetime | None, datetime | None]:
    """From when to when lines are wanted: by the form, by the range that is selected on the timeline, by the moment that
    the page shows."""
    chosen = ranges.of(query)
    since = [place.now() - timedelta(seconds=asked.since)] if asked.since else []
    until = [place.moment.at] if place.moment is not None else []
    if chosen is not None:
        since, until = [*since, chosen.begin], [*until, chosen.end]
    return max(since, default=None), min(until, default=None)


def _since() -> list[tuple[int, str]]:
    return [
        (0, _("the beginning")),
        (60, _("a minute")),
        (300, _("five minutes")),
        (3600, _("an hour")),
        (86400, _("a day")),
    ]


def _pattern(asked: Wish) -> Any:
    """What is searched for, None for nothing; re2.error for an expression that is none, or too large."""
    if not asked.search:
        return None
    options = re2.Options()
    options.case_sensitive = False
    options.literal = not asked.regex
    options.log_errors = False
    options.max_mem = _MOST_MEMORY
    return re2.compile(asked.search, options)


def _words(error: Exception) -> str:
    """RE2 says it in bytes."""
    said = error.args[0] if error.args else ""
    return said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)


def _read(
    root: Path,
    folder: Folder,
    runs: list[tuple[str, int]],
    asked: Wish,
    span: tuple[datetime | None, datetime | None],
    pattern: Any,
) -> tuple[list[Line], int]:
    """The lines in the order of their time, and how many of them the search did not come to."""
    since, until = span
    deadline = clock.monotonic() + _SEARCH_SECONDS
    found: list[Line] = []
    unsearched = 0
    for name, attempt in runs:
        if asked.container not in {"", name} or asked.attempt not in {None, attempt}:
            continue
        path = layout.container_log(root, folder, name, attempt)
        for line in reader.last_lines(path, asked.tail, since=since, until=until):
            raw = line.decode("utf-8", "replace")
            late = pattern is not None and clock.monotonic() >= deadline
            unsearched += late
            found.append(_line(name, attempt, raw, None if late else pattern))
    found.sort(key=lambda line: line.at)
    return (found[-asked.tail :] if asked.tail else []), unsearched


def _line(container: str, attempt: int, raw: str, pattern: Any) -> Line:
    at, _space, text = raw.partition(" ")
    hit = pattern.search(text, 0, _LONGEST_SEARCHED) if pattern is not None else None
    if hit is None or not hit[0]:
        return Line(container, attempt, at, text, "", "")
    return Line(container, attempt, at, text[: hit.start()], hit[0], text[hit.end() :])


def _command(place: Place, folder: Folder, asked: Wish) -> str:
    words = ["logs", folder.name]
    words += ["-c", asked.container] if asked.container else ["--all-containers"]
    words += [f"--tail={asked.tail}"]
    words += [f"--since={asked.since}s"] if asked.since else []
    words += ["--follow"] if asked.follow and place.moment is None else []
    words += ["--timestamps"] if asked.timestamps else []
    return kubectl.line(*words, cluster=place.cluster, namespace=folder.namespace)


def download(query: Mapping[str, str], place: Place, pod: Manifest) -> HttpResponse:
    told = tab(query, place, pod)
    asked: Wish = told["wish"]
    lines: list[Line] = told["log_lines"]
    text = "".join(
        f"{line.at + ' ' if asked.timestamps else ''}{line.container}#{line.attempt} {line.text}\n" for line in lines
    )
    answer = HttpResponse(text, content_type="text/plain; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{pod["metadata"]["name"]}.log"'
    return answer
