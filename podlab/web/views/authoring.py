"""Creating: patterns to begin with, form, YAML and command in step, a check while typing, creation."""

from __future__ import annotations

from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from podlab.apis.decode import decode_yaml
from podlab.apis.decode_errors import DecodeError
from podlab.web import authoring, fields, patterns, workbench
from podlab.web.authoring import Created, Report
from podlab.web.forms import compose, yaml_edit
from podlab.web.forms.compose import Draft
from podlab.web.forms.edits import Edit
from podlab.web.place import Place, context, open_place, page
from podlab.web.workbench import Bench


@gzip_page
@page
@require_http_methods(["GET", "POST"])
def new(request: HttpRequest, cluster: str, namespace: str) -> HttpResponse:
    place = open_place(request, cluster, namespace)
    if request.method == "GET":
        asked, kind = request.GET.get("pattern", ""), request.GET.get("kind", "")
        text = patterns.sample(kind) if kind and not asked else patterns.find(asked).manifest
        text = _with_free_names(place, text)
        return _editor(request, place, Draft(text, text), pattern=asked, judged=False)
    given = workbench.draft(request.POST)
    if given.do not in ("", "create"):
        return _editor(request, place, given)
    made = compose.compose(given)
    created, report = authoring.create(place.client, namespace, made.text)
    for one in created:
        messages.success(request, _("{object} is created.").format(object=f"{one.singular}/{one.name}"))
        for warning in one.warnings:
            messages.warning(request, warning)
    if not report.fine:
        return _editor(request, place, given, report=report, status=422)
    return redirect(_next(place, created))


_MOST_NAMESAKES = 50


def _with_free_names(place: Place, text: str) -> str:
    """A pattern that is begun again: its pod is called web-2 where there is a web, so that it can be created as it stands."""
    found, _problems = authoring.items(decode_yaml(text), place.namespace)
    for item in found:
        if item.resource.key != "pods" or not place.may("get", "pods"):
            continue
        name = str(item.document.obj["metadata"]["name"])
        names = [name, *(f"{name}-{number}" for number in range(2, _MOST_NAMESAKES))]
        free = next((one for one in names if place.client.find("pods", place.namespace, one) is None), name)
        if free != name:
            text = yaml_edit.apply(text, item.index, [Edit(("metadata", "name"), free)])
    return text


def _next(place: Place, created: list[Created]) -> str:
    """A single pod leads to its page, everything else to the list."""
    pods = [one for one in created if one.resource == "pods"]
    if len(pods) != 1:
        return reverse("pods", args=[place.cluster, pods[0].namespace if pods else place.namespace])
    path = reverse("pod", args=[place.cluster, pods[0].namespace, pods[0].name])
    return f"{path}?{urlencode({'uid': pods[0].uid})}"


def _bench(place: Place, given: Draft, report: Report | None = None, *, judged: bool = True) -> Bench:
    """`judged`: asked the registry, which tells what would be wrong."""
    made = compose.compose(given)
    if report is None:
        report = authoring.check(place.client, place.namespace, made.text) if judged else Report([], [])
    bench = Bench(place, made, report, given.sent)
    workbench.settle(bench)
    return bench


def _editor(
    request: HttpRequest,
    place: Place,
    given: Draft,
    *,
    pattern: str = "",
    report: Report | None = None,
    judged: bool = True,
    status: int = 200,
) -> HttpResponse:
    bench = _bench(place, given, report, judged=judged)
    more = workbench.composed(bench) | {
        "pattern": pattern,
        "groups": patterns.groups(),
        "answered": judged,
        "watch": patterns.watch(pattern),
    }
    return render(request, "new.html", context(place) | more, status=status)


@gzip_page
@page
@require_POST
def composition(request: HttpRequest, cluster: str, namespace: str) -> HttpResponse:
    """Form, text and command after a change in one of them, and what is wrong with the text. Writes nothing."""
    place = open_place(request, cluster, namespace)
    return JsonResponse(workbench.answer(request, _bench(place, workbench.draft(request.POST))))


@page
@require_POST
def check(request: HttpRequest, cluster: str, namespace: str) -> HttpResponse:
    """What is wrong with the text in the body, at which line. Writes nothing."""
    place = open_place(request, cluster, namespace)
    try:
        report = authoring.check(place.client, namespace, authoring.text_of(request.body))
    except RequestDataTooBig:
        report = Report([authoring.of_decoding(authoring.too_large())], [])
    except DecodeError as error:
        report = Report([authoring.of_decoding(error)], [])
    return JsonResponse({"problems": report.problems, "objects": report.objects})


@gzip_page
@page
@require_GET
def schema_fields(request: HttpRequest) -> HttpResponse:
    """The fields of a kind and of all that is in it, for completion and hovering."""
    found = fields.of_kind(request.GET.get("apiVersion", ""), request.GET.get("kind", ""))
    if found is None:
        raise Http404(_("This lab serves no such kind."))
    answer = JsonResponse(found)
    answer["Cache-Control"] = "private, max-age=3600"
    return answer
