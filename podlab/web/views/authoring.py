"""The editor: samples to begin with, a check while typing, creation."""

from __future__ import annotations

from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from podlab.apis.decode import DecodeError
from podlab.web import authoring, kubectl, patterns
from podlab.web.authoring import Created, Report
from podlab.web.place import Place, context, open_place, page


@page
@require_http_methods(["GET", "POST"])
def new(request: HttpRequest, cluster: str, namespace: str) -> HttpResponse:
    place = open_place(request, cluster, namespace)
    if request.method == "GET":
        asked = request.GET.get("pattern", "")
        return _editor(request, place, patterns.find(asked).manifest, pattern=asked)
    # Browsers send \r\n in a form; line numbers and block texts must not depend on that.
    text = request.POST.get("manifest", "").replace("\r\n", "\n")
    created, report = authoring.create(place.client, namespace, text)
    for one in created:
        messages.success(request, _("{kind} {name} is created.").format(kind=one.resource, name=one.name))
        for warning in one.warnings:
            messages.warning(request, warning)
    if not report.fine:
        return _editor(request, place, text, report=report, status=422)
    return redirect(_next(place, created))


def _next(place: Place, created: list[Created]) -> str:
    """A single pod leads to its page, everything else to the list."""
    pods = [one for one in created if one.resource == "pods"]
    if len(pods) != 1:
        return reverse("pods", args=[place.cluster, pods[0].namespace if pods else place.namespace])
    path = reverse("pod", args=[place.cluster, pods[0].namespace, pods[0].name])
    return f"{path}?{urlencode({'uid': pods[0].uid})}"


def _editor(
    request: HttpRequest, place: Place, text: str, *, pattern: str = "", report: Report | None = None, status: int = 200
) -> HttpResponse:
    more = {"text": text, "pattern": pattern, "patterns": patterns.PATTERNS, "report": report}
    command = kubectl.line("create", "-f", "manifest.yaml", cluster=place.cluster, namespace=place.namespace)
    return render(request, "new.html", context(place, command=command, **more), status=status)


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
