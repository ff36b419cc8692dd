"""Editing an object that exists: what would change, the write, and what to do when somebody else was quicker."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_http_methods

from podlab.apis import scheme
from podlab.apis.decode_errors import DecodeError
from podlab.registry import authorizer
from podlab.web import editing, workbench
from podlab.web.authoring import Report
from podlab.web.editing import Applied, Subject
from podlab.web.forms import compose, merge, paths
from podlab.web.forms.compose import Draft
from podlab.web.forms.edits import REMOVED
from podlab.web.place import Place, context, open_place, page
from podlab.web.workbench import Bench


@gzip_page
@page
@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest, cluster: str, resource: str, name: str, namespace: str = "") -> HttpResponse:
    place = open_place(request, cluster, namespace)
    subject = _subject(request, place, resource, name)
    if request.method == "GET":
        text = editing.text_of(subject.present().obj)
        return _page(request, place, subject, Draft(text, text), Applied(None, Report([], [])))
    given = workbench.draft(request.POST)
    if request.headers.get("Accept") == "application/json":
        return JsonResponse(workbench.answer(request, _bench(place, subject, given)))
    if given.do.startswith("theirs:"):
        given = _theirs(subject, given)
    elif given.do in ("", "apply"):
        done = editing.apply(subject, compose.compose(given).text)
        if done.written is not None:
            messages.success(request, _("{name} is changed.").format(name=name))
            return redirect(_home(place, subject))
        if done.merged is not None:
            return _page(request, place, _moved(subject, done), Draft(done.text, done.text), done, status=409)
        return _page(request, place, subject, given, done, status=422)
    return _page(request, place, subject, given, Applied(None, Report([], [])))


def _subject(request: HttpRequest, place: Place, resource: str, name: str) -> Subject:
    kind = scheme.by_key(resource)
    if kind is None or kind.namespaced != bool(place.namespace) or "update" not in kind.verbs:
        raise Http404(_("This lab serves no such kind."))
    what = authorizer.Attributes(
        verb="update", resource=kind.key, cluster=place.cluster, namespace=place.namespace, name=name
    )
    authorizer.require(place.identity, what)
    base = request.POST.get("base", "")
    number = int(base) if base.isdecimal() and len(base) < 19 else 0
    subject = Subject(place.client, kind, place.namespace, name, number)
    return subject if number else Subject(place.client, kind, place.namespace, name, subject.present().revision)


def _moved(subject: Subject, done: Applied) -> Subject:
    return Subject(subject.client, subject.resource, subject.namespace, subject.name, done.base)


def _theirs(subject: Subject, given: Draft) -> Draft:
    try:
        text = editing.take_theirs(subject, compose.compose(given).text, given.do.removeprefix("theirs:"))
    except (paths.NoPath, DecodeError):
        return given
    return Draft(text, text)


def _home(place: Place, subject: Subject) -> str:
    if subject.resource.key == "pods":
        return reverse("pod", args=[place.cluster, place.namespace, subject.name])
    if subject.namespace:
        return reverse("object", args=[place.cluster, place.namespace, subject.resource.key, subject.name])
    return reverse("cluster-object", args=[place.cluster, subject.resource.key, subject.name])


def _bench(place: Place, subject: Subject, given: Draft) -> Bench:
    made = compose.compose(given)
    trial = editing.attempt(subject, made.text)
    title = f"{subject.resource.singular}/{subject.name}"
    bench = Bench(place, made, trial.report, given.sent, trial.lines, trial.patch, title)
    workbench.settle(bench, locked=subject.resource.key == "pods")
    return bench


def _page(
    request: HttpRequest, place: Place, subject: Subject, given: Draft, done: Applied, *, status: int = 200
) -> HttpResponse:
    bench = _bench(place, subject, given)
    if done.report.problems:
        bench.report = done.report
    more = workbench.composed(bench) | {
        "kind": subject.resource,
        "name": subject.name,
        "base": subject.base,
        "home": _home(place, subject),
        "merged": done.merged,
        "actors": done.actors,
        "taken": [change.name for change in done.merged.taken] if done.merged else [],
        "conflicts": [_told(one) for one in done.merged.conflicts] if done.merged else [],
        "answered": status != 200 or bool(given.do),
        "keeps": subject.resource.key != "secrets",
    }
    return render(request, "edit.html", context(place) | more, status=status)


def _told(one: merge.Conflict) -> dict[str, str]:
    return {"path": one.name, "mine": _value(one.mine), "theirs": _value(one.theirs)}


def _value(value: object) -> str:
    return _("(not there)") if value is REMOVED else str(value)[:300]
