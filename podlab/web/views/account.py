"""In and out: name and password, or the one-time link that `make up` prints; settings of the own browser, help."""

from __future__ import annotations

import shlex

from django.contrib.auth import login, logout
from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from podlab.registry import identity
from podlab.web.context import THEME_COOKIE, THEME_SECONDS, THEMES
from podlab.web.place import page

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


@page
@require_GET
def settings(request: HttpRequest) -> HttpResponse:
    """What a person chooses for the own browser, and what the person may do."""
    return render(request, "settings.html", {"grants": identity.of_user(request.user).grants})


@page
@require_GET
def help_page(request: HttpRequest) -> HttpResponse:
    """How pages are read, and their keys."""
    command = shlex.join(["python", "manage.py", "kubeconfig", request.user.get_username()])
    return render(request, "help.html", {"command": command})


@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    """Light, dark or as the system, for browsers without scripts; back to the page on which the button stands."""
    wanted, back = request.POST.get("theme", ""), request.POST.get("next", "")
    ours = url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure())
    answer = redirect(back if ours else "home")
    if wanted in THEMES:
        # Readable by the page's script, which turns the theme without leaving the page.
        answer.set_cookie(THEME_COOKIE, wanted, max_age=THEME_SECONDS, samesite="Lax")
    return answer
