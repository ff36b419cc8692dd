"""Who gets in, and how far."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import get_resolver

from podlab.registry import clusters, identity

PLACES = [
    "/",
    "/clusters",
    "/runs",
    "/settings",
    "/help",
    "/c/main/",
    "/c/main/clock",
    "/c/main/fork",
    "/c/main/ns/default/pods",
    "/c/main/ns/default/new",
    "/schema",
    "/c/main/ns/default/pods/web/edit",
    "/c/main/nodes/node-a/edit",
    "/c/main/ns/default/pods/web",
    "/c/main/ns/default/pods/web/delete",
    "/c/main/ns/default/pods/web/log",
    "/c/main/ns/default/configmaps",
    "/c/main/ns/default/configmaps/settings",
    "/c/main/ns/default/timeline",
    "/c/main/ns/default/timeline/export.html",
    "/c/main/ns/default/pods/web/export.html",
    "/c/main/ns/default/pods/web/files",
    "/c/main/ns/default/pods/web/files/download",
    "/c/main/ns/default/run",
    "/c/main/ns/default/graph",
    "/c/main/nodes",
    "/c/main/nodes/node-a",
]


@pytest.mark.parametrize("path", [*PLACES, "/c/nowhere/"])
def test_every_page_asks_for_a_login(lab: None, path: str) -> None:
    answer = Client().get(path)
    assert (answer.status_code, answer["Location"]) == (302, f"/login?next={path}")


def test_no_page_is_missing_in_that_list(lab: None) -> None:
    from podlab import exports, pod_files
    from podlab.web.urls import urlpatterns

    open_to_all = {"login", "login-link"}
    posts_only = {"logout", "language", "theme", "cluster-delete", "pod-debug", "node-do", "check", "compose"}
    named = {
        pattern.name
        for pattern in [*urlpatterns, *exports.urlpatterns, *pod_files.urlpatterns]
        if hasattr(pattern, "name")
    }
    reached = {get_resolver().resolve(path).url_name for path in PLACES}
    assert named == reached | open_to_all | posts_only


@pytest.mark.parametrize("path", ["/logout", "/language", "/theme", "/c/main/delete", "/c/main/nodes/node-a/do", "/c/main/ns/default/check", "/c/main/ns/default/compose",
                                  "/c/main/ns/default/pods/web/edit", "/c/main/ns/default/new",
                                  "/clusters", "/runs", "/c/main/clock", "/c/main/fork", "/c/main/ns/default/pods/web/delete", "/login"])  # fmt: skip
def test_every_form_needs_its_token(admin: Client, path: str) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = admin.cookies
    answer = strict.post(path, {"manifest": "kind: Pod"})
    assert answer.status_code == 403
    assert "came from another site" in answer.content.decode()


def test_name_and_password_lead_in_and_out_again(lab: None) -> None:
    get_user_model().objects.create_user("ada", password="correct horse")
    browser = Client()
    wrong = browser.post("/login", {"username": "ada", "password": "wrong"})
    assert "do not match" in wrong.content.decode()
    right = browser.post("/login", {"username": "ada", "password": "correct horse", "next": "/clusters"})
    assert right["Location"] == "/clusters"
    assert browser.get("/clusters").status_code == 200
    assert browser.post("/logout")["Location"] == "/login"
    assert browser.get("/clusters").status_code == 302


def test_guessing_ends_also_for_who_can_log_in(lab: None) -> None:
    """Logging in with a name of one's own does not make the guesses at another forgotten; and locks nobody else out."""
    for name in ("ada", "sam", "eve"):
        get_user_model().objects.create_user(name, password=f"correct {name}")
    browser = Client()
    for number in range(12):
        answer = browser.post("/login", {"username": "ada", "password": f"guess {number}"})
        own = Client().post("/login", {"username": "sam", "password": "correct sam"})
        assert own["Location"] == "/"
    assert answer.status_code == 429
    assert browser.post("/login", {"username": "ada", "password": "correct ada"}).status_code == 429
    assert Client().post("/login", {"username": "eve", "password": "correct eve"})["Location"] == "/"


def test_the_settings_say_what_one_may_do(student: Client) -> None:
    shown = student.get("/settings").content.decode()
    assert '<td class="name">student</td><td class="mono">main</td><td class="mono">default</td>' in shown
    assert "python manage.py kubeconfig sam" in student.get("/help").content.decode()


def test_login_does_not_lead_to_other_sites(lab: None) -> None:
    get_user_model().objects.create_user("ada", password="correct horse")
    answer = Client().post("/login", {"username": "ada", "password": "correct horse", "next": "https://evil.example/"})
    assert answer["Location"] == "/"


def test_a_login_link_works_once_and_leaves_no_trace(lab: None) -> None:
    user = get_user_model().objects.create_user("ada")
    identity.grant(user, "admin")
    raw = identity.make_login_link(user, timedelta(minutes=5))
    browser = Client()
    answer = browser.get(f"/login/{raw}")
    assert (answer.status_code, answer["Location"], answer["Referrer-Policy"]) == (302, "/", "no-referrer")
    assert "no-store" in answer["Cache-Control"]
    assert browser.get("/")["Location"] == "/c/main/"
    assert Client().get(f"/login/{raw}").status_code == 403


def test_home_leads_to_the_last_place_while_it_is_there(admin: Client) -> None:
    admin.get("/c/main/ns/default/pods")
    assert admin.get("/")["Location"] == "/c/main/ns/default/pods"
    clusters.create_sim("short", nodes=["node-a"], identity=identity.system("test"))
    admin.get("/c/short/")
    clusters.delete("short", identity=identity.system("test"))
    assert admin.get("/")["Location"] == "/c/main/"


def test_home_leads_nowhere_that_one_may_not_look_into_any_more(student: Client) -> None:
    assert student.get("/c/main/ns/default/pods").status_code == 200
    sam = get_user_model().objects.get(username="sam")
    identity.grant(sam, "student", cluster="main", namespace="other")
    identity.withdraw(sam, "student", cluster="main", namespace="default")
    assert student.get("/")["Location"] == "/c/main/"
    assert student.get("/c/main/").status_code == 200
    identity.withdraw(sam, "student", cluster="main", namespace="other")
    assert student.get("/").status_code == 200  # a page that says so


@pytest.mark.parametrize("path", ["/c/main/ns/other/pods", "/c/main/ns/kube-system/pods/web"])
def test_other_peoples_namespaces_are_a_403_with_kubernetes_words(student: Client, path: str) -> None:
    answer = student.get(path)
    assert answer.status_code == 403
    assert "User &quot;sam&quot; cannot" in answer.content.decode()


def test_nothing_is_written_into_other_peoples_namespaces(student: Client) -> None:
    pod = (
        "apiVersion: v1\nkind: Pod\nmetadata: {name: x, namespace: other}\nspec: {containers: [{name: c, image: i}]}\n"
    )
    for namespace in ("other", "default"):
        answer = student.post(f"/c/main/ns/{namespace}/new", {"manifest": pod})
        assert answer.status_code == 422
        assert "cannot create resource" in answer.content.decode()
    assert student.post("/c/main/ns/other/pods/web/delete", {"uid": "x"}).status_code == 403


def test_a_student_sees_the_own_namespace_and_cluster_only(student: Client) -> None:
    clusters.create_sim("theirs", nodes=["node-a"], identity=identity.system("test"))
    page = student.get("/c/main/").content.decode()
    assert "/c/main/ns/default/pods" in page
    assert "kube-system" not in page
    assert student.get("/c/theirs/").status_code == 404
    assert "theirs" not in student.get("/clusters").content.decode()
    assert student.post("/clusters", {"name": "mine", "nodes": "1"}, follow=True).status_code == 200
    assert clusters.find("mine") is None
    assert student.post("/c/main/clock", {"do": "pause"}).status_code == 403
    assert student.post("/c/main/delete", {"confirm": "main"}).status_code == 403


def test_pages_forbid_inline_scripts_and_frames(admin: Client) -> None:
    policy = admin.get("/c/main/")["Content-Security-Policy"]
    assert "script-src 'self';" in policy + ";"
    assert "frame-ancestors 'none'" in policy


def test_the_theme_is_turned_without_a_script_and_leads_back_to_the_page(admin: Client) -> None:
    answer = admin.post("/theme", {"theme": "dark", "next": "/clusters?x=1"})
    assert (answer.status_code, answer["Location"]) == (302, "/clusters?x=1")
    page = admin.get("/clusters").content.decode()
    assert 'data-theme="dark"' in page
    assert 'name="theme" value="system"' in page


def test_no_other_theme_is_kept_and_no_other_site_is_led_to(admin: Client) -> None:
    answer = admin.post("/theme", {"theme": "pink", "next": "https://example.com/"})
    assert answer["Location"] == "/"
    assert "podlab-theme" not in answer.cookies
