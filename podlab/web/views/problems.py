"""Pages for what went wrong before or outside of a view."""

from __future__ import annotations

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if isinstance(exception, RequestDataTooBig):
        message, status = _("Line 1: the text is larger than 3 MiB, more than the API accepts."), 413
    else:
        message, status = _("The request could not be read."), 400
    return render(request, "refused.html", {"message": message}, status=status)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    message = _("This form was too old or came from another site. Go back, reload the page and try again.")
    return render(request, "403.html", {"message": message}, status=403)
