"""In and out: name and password, or the one-time link that `make up` prints."""

from __future__ import annotations

from django.contrib.auth import login, logout
from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from podlab.registry import identity

_BACKEND = "django.contrib.auth.backends.ModelBackend"

enter = LoginView.as_view(template_name="login.html", redirect_authenticated_user=True)


@require_GET
@never_cache
def by_link(request: HttpRequest, token: str) -> HttpResponse:
    """One click from the terminal. The link is spent here; the secret leaves neither in a Referer nor in a cache."""
    user = identity.redeem_login_link(token)
    if user is None:
        answer = render(request, "link_spent.html", status=403)
    else:
        login(request, user, backend=_BACKEND)
        answer = redirect("home")
    answer["Referrer-Policy"] = "no-referrer"
    return answer


@require_POST
def leave(request: HttpRequest) -> HttpResponse:
    logout(request)
    return redirect("login")
