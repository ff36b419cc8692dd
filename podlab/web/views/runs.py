"""Runs as files: download what happened in a namespace, bring such a file in as a recording."""

from __future__ import annotations

import tempfile
from pathlib import Path

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from podlab.apis.status_errors import ApiError, bad_request
from podlab.registry import authorizer, clusters, identity, recordings, run_files
from podlab.web.place import open_place, page

_IN_MEMORY = 4 * 1024 * 1024  # bytes; larger files go over the disk


def _logs() -> Path:
    return Path(settings.PODLAB_DATA) / "logs"


@page
@require_GET
def export(request: HttpRequest, cluster: str, namespace: str) -> HttpResponse:
    place = open_place(request, cluster, namespace)
    with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as target:
        recordings.export(place.row, namespace, target, identity=place.identity, logs=_logs() / cluster)
        target.seek(0)
        answer = HttpResponse(target.read(), content_type="application/zip")
    answer["Content-Disposition"] = f'attachment; filename="{cluster}-{namespace}.podlab-run.zip"'
    return answer


@page
@require_http_methods(["GET", "POST"])
def run_list(request: HttpRequest) -> HttpResponse:
    if request.method == "POST":
        return _import(request)
    who = identity.of_user(request.user)
    found = clusters.list_for(who)
    told = {
        "recorded": [
            {"row": row, "runs_it": authorizer.may_run_cluster(who, row.name)}
            for row in found
            if row.runtime == clusters.REPLAY
        ],
        "living": [row for row in found if row.runtime != clusters.REPLAY],
        "makes": authorizer.may_make_clusters(who),
        "largest": run_files.MAX_FILE // 2**20,
    }
    return render(request, "runs.html", told)


def _import(request: HttpRequest) -> HttpResponse:
    name, file = request.POST.get("name", "").strip(), request.FILES.get("file")
    try:
        if file is None or isinstance(file, list):
            raise bad_request(_("Choose a run file."))
        if (file.size or 0) > run_files.MAX_FILE:
            raise bad_request(_("The file is larger than {most} MiB.").format(most=run_files.MAX_FILE // 2**20))
        recordings.import_run(name, file, identity=identity.of_user(request.user), logs=_logs())
    except ApiError as error:
        messages.error(request, error.message)
        return redirect("runs")
    messages.success(request, _("The run is here as cluster {name}.").format(name=name))
    return redirect("overview", cluster=name)
