"""The files of a container in the browser: a directory, a text, a download; plain pages that need no scripts.

Wiring, as in `exports`: the commands run through `apiserver`'s door for exec, with the rights of the person that exec asks
for, the page is `web`'s; these do not know each other. What to run and what an answer means is in `glance.container_files`.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, quote, urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, re_path, reverse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from podlab.apis import times
from podlab.apis.status_errors import ApiError
from podlab.apiserver import people
from podlab.apiserver.streams.one_command import Answer
from podlab.glance import container_files, kubectl, summary
from podlab.glance.container_files import Command, Entry, PathError
from podlab.registry import authorizer
from podlab.web import pod_inside
from podlab.web.place import Place, context, open_place, page
from podlab.web.urls import POD
from podlab.web.views import pods
from podlab.web.views.pods import Found

MOST_ENTRIES = 1000
MOST_TEXT = 256 * 1024  # bytes of a text that is shown
MOST_DOWNLOAD = 10 * 1024 * 1024  # bytes
_MOST_LISTED = 1024 * 1024  # bytes of what the commands say of a directory
_SECONDS, _DOWNLOAD_SECONDS = 10.0, 60.0


class Trouble(Exception):
    """Why there is nothing to show, as a sentence. `tools`: the image lacks the commands."""

    def __init__(self, text: str, *, tools: bool = False) -> None:
        super().__init__(text)
        self.text, self.tools = text, tools


@dataclass(frozen=True, slots=True)
class Look:
    """What the address asks for."""

    place: Place
    found: Found
    running: tuple[str, ...]
    container: str
    path: str

    @classmethod
    def of(cls, request: HttpRequest, place: Place, found: Found) -> Look:
        """The path is read from the raw query, because not all names in a container are UTF-8."""
        query = parse_qs(request.META.get("QUERY_STRING", ""), errors="surrogateescape")
        running = tuple(one["name"] for one in pod_inside.running(found.obj, simulated=place.simulated))
        container = query.get("container", [""])[0][:63] or next(iter(running), "")
        return cls(place, found, running, container, query.get("path", ["/"])[0])

    @property
    def live(self) -> bool:
        """Whether there is a container that could be asked."""
        place = self.place
        return bool(self.running) and not (self.found.gone or place.recorded or place.moment)

    @property
    def pod(self) -> str:
        return str(self.found.obj["metadata"]["name"])

    def at(self, path: str, *, container: str = "", name: str = "pod-files") -> str:
        """The address of a path."""
        query = {"uid": self.found.uid, "container": container or self.container, "path": path}
        where = reverse(name, args=[self.place.cluster, self.place.namespace, self.pod])
        return f"{where}?{urlencode(query, errors='surrogateescape', quote_via=quote, safe='')}"

    def run(self, command: Command, *, most: int = _MOST_LISTED, seconds: float = _SECONDS) -> Answer:
        """Raises Trouble when there is no answer to work with."""
        try:
            answer = people.command(
                self.place.identity,
                (self.place.cluster, self.place.namespace, self.pod),
                command.argv,
                uid=self.found.uid,
                container=self.container,
                stdin=command.stdin,
                most=most,
                seconds=seconds,
            )
        except ApiError as error:
            if error.code in {401, 403}:
                raise
            raise Trouble(error.message) from None
        if answer.late and not answer.out:
            raise Trouble(_("The container did not answer within {seconds} s.").format(seconds=round(seconds)))
        told = f"{answer.told} {answer.out[:1000].decode('utf-8', 'replace')}"
        if missing := container_files.missing_command(answer.code, told):
            text = _("The image of this container has no {command}, so one cannot look at its files from here.")
            raise Trouble(text.format(command=missing), tools=True)
        if not answer.out and (answer.error or answer.code):
            raise Trouble(_ended(answer))
        return answer


def _ended(answer: Answer) -> str:
    if answer.told:
        return _("The container says: {text}").format(text=container_files.shown(answer.told)[:1000])
    return _("The command ended with code {code} before it said anything; has the container ended?").format(
        code=answer.code
    )


def _open(request: HttpRequest, cluster: str, namespace: str, name: str) -> Look:
    place = open_place(request, cluster, namespace)
    return Look.of(request, place, pods.find(place, name, request.GET.get("uid", "")[:36]))


def _entry(look: Look) -> Entry:
    """What is at the path. Raises Trouble; and ApiError for who may not exec."""
    place = look.place
    if place.recorded:
        raise Trouble(_("This is the recording of a run: its containers are gone, and their files were not recorded."))
    if place.moment is not None:
        raise Trouble(_("Files are read from the running container, so only those of now can be looked at."))
    if look.found.gone:
        raise Trouble(_("The pod is gone, and its files with it."))
    authorizer.require(
        place.identity,
        authorizer.Attributes(
            verb="create",
            resource="pods",
            subresource="exec",
            cluster=place.cluster,
            namespace=place.namespace,
            name=look.pod,
        ),
    )
    if not look.running:
        raise Trouble(_("No container of this pod is running now; files are read by a command in a running one."))
    mark = secrets.token_hex(8)
    try:
        answer = look.run(container_files.look(container_files.clean(look.path), mark))
    except PathError as error:
        raise Trouble(_("This is no path: {error}.").format(error=error)) from None
    found = container_files.entries(answer.out, mark)
    if not found:
        raise Trouble(_("The stat of this image does not answer as that of busybox or GNU does."), tools=True)
    return found[0]


@page
@require_GET
def files(request: HttpRequest, cluster: str, namespace: str, name: str) -> HttpResponse:
    look = _open(request, cluster, namespace, name)
    try:
        entry = _entry(look)
        more = _directory(look, entry) if entry.kind == "directory" else _file(look, entry)
    except Trouble as trouble:
        more = {"trouble": trouble}
    return _page(request, look, more)


def _page(request: HttpRequest, look: Look, more: dict[str, Any], *, status: int = 200) -> HttpResponse:
    place, found = look.place, look.found
    try:
        path = container_files.clean(look.path)
    except PathError:
        path = "/"
    typed = path if container_files.shown(path) == path else ""
    told = {
        "found": found,
        "pod": summary.facts(found.obj, place.now(), gone=found.gone, translate=_),
        "age": times.age(found.obj["metadata"].get("creationTimestamp"), place.now()),
        "tab": "files",
        "look": look,
        "typed": typed,
        "steps": [(container_files.shown(part), look.at(where)) for part, where in container_files.steps(path)],
        "containers": [(one, look.at(path, container=one)) for one in look.running],
        "commands": _commands(look, path, more) if look.live else [],
    }
    return render(request, "pod_files.html", context(place, **told, **more), status=status)


def _directory(look: Look, entry: Entry) -> dict[str, Any]:
    mark = secrets.token_hex(8)
    answer = look.run(container_files.listing(entry.path, mark))
    whole = not (answer.cut or answer.late)
    # The first is the directory itself.
    found = container_files.in_order(container_files.entries(answer.out, mark, whole=whole)[1:])
    rows = [_row(look, one) | _links(look, container_files.inside(entry.path, one.name), one) for one in found]
    return {
        "entry": _row(look, entry),
        "rows": rows[:MOST_ENTRIES],
        "more_entries": not whole or len(rows) > MOST_ENTRIES,
        "complaint": container_files.shown(answer.told)[:1000] if whole else "",
    }


def _row(look: Look, entry: Entry) -> dict[str, Any]:
    kinds = {
        "directory": _("directory"),
        "file": _("file"),
        "link": _("link"),
        "pipe": _("pipe"),
        "socket": _("socket"),
        "device": _("device"),
    }
    return {
        "name": container_files.shown(entry.name),
        "kind": entry.kind,
        "kind_word": kinds.get(entry.kind, _("unknown")),
        "size": entry.size,
        "letters": entry.letters,
        "owner": container_files.shown(entry.owner),
        "at": entry.at,
        "target": container_files.shown(entry.target),
    }


def _links(look: Look, path: str, entry: Entry) -> dict[str, str]:
    """Where a row leads. What is neither a file nor a directory cannot be read without waiting, so it is only named."""
    downloads = entry.kind == "file" and entry.size <= MOST_DOWNLOAD
    return {
        "href": look.at(path) if entry.kind in {"directory", "file", "link"} else "",
        "download": look.at(path, name="pod-file") if downloads else "",
    }


def _file(look: Look, entry: Entry) -> dict[str, Any]:
    told: dict[str, Any] = {"entry": _row(look, entry) | _links(look, entry.path, entry)}
    if entry.kind != "file":
        return told
    answer = look.run(container_files.content(entry.path, MOST_TEXT + 1), most=MOST_TEXT)
    if answer.code and not answer.cut:
        raise Trouble(_ended(answer))
    text = container_files.text_of(answer.out, cut=answer.cut or answer.late)
    return told | {
        "text": text,
        "is_text": text is not None,
        "cut": answer.cut or answer.late,
        "most_text": MOST_TEXT,
        "most_download": MOST_DOWNLOAD,
    }


@page
@require_GET
def file(request: HttpRequest, cluster: str, namespace: str, name: str) -> HttpResponse:
    """One file, whole or not at all."""
    look = _open(request, cluster, namespace, name)
    try:
        entry = _entry(look)
        if entry.kind != "file":
            raise Trouble(_("Only files can be downloaded."))
        data = _whole(look, entry)
    except Trouble as trouble:
        return _page(request, look, {"trouble": trouble}, status=400)
    answer = HttpResponse(data, content_type="application/octet-stream")
    disposition = content_disposition_header(as_attachment=True, filename=container_files.file_name(entry.path))
    answer["Content-Disposition"] = disposition or "attachment"
    answer["X-Content-Type-Options"] = "nosniff"
    return answer


def _whole(look: Look, entry: Entry) -> bytes:
    large = Trouble(_("The file has more than {most} bytes; kubectl cp copies it.").format(most=MOST_DOWNLOAD))
    if entry.size > MOST_DOWNLOAD:
        raise large
    command = container_files.content(entry.path, MOST_DOWNLOAD + 1)
    answer = look.run(command, most=MOST_DOWNLOAD, seconds=_DOWNLOAD_SECONDS)
    if answer.cut:
        raise large
    if answer.late or answer.error or answer.code != 0:
        raise Trouble(
            _("The file could not be read to its end. {text}").format(text=container_files.shown(answer.told))
        )
    return answer.out


def _commands(look: Look, path: str, more: dict[str, Any]) -> list[str]:
    """The lines of kubectl that do the same."""
    kind = more.get("entry", {}).get("kind", "")
    reader = ("cat",) if kind == "file" else ("ls", "-la")
    place, container = look.place, ["-c", look.container] if look.container else []
    where = {"cluster": place.cluster, "namespace": place.namespace}
    if not container_files.is_utf8(path):
        # kubectl takes no such argument either.
        inner = kubectl.line("exec", "-i", look.pod, *container, "--", "xargs", "-0", *reader, **where)
        return [f"printf {container_files.printf(path)} | {inner}"]
    shown = container_files.inside(path, "") if kind == "directory" else path
    lines = [kubectl.line("exec", look.pod, *container, "--", *reader, shown, **where)]
    if kind == "file":
        source = f"{place.namespace}/{look.pod}:{path}"
        name = container_files.file_name(path)
        lines.append(kubectl.line("cp", source, f"./{name}", *container, cluster=place.cluster))
    return lines


urlpatterns: list[URLPattern] = [
    re_path(rf"^c/{POD}/files$", files, name="pod-files"),
    re_path(rf"^c/{POD}/files/download$", file, name="pod-file"),
]
