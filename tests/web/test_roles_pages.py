"""Roles and bindings on the pages: shown as everything, and counting there as everywhere."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.contrib.auth import get_user_model
from django.test import Client
from django.utils.html import escape
from test_exploring import text

from podlab.registry import client as registry
from podlab.registry.identity import system

GROUP = "rbac.authorization.k8s.io"
ODD = 'ä:<b> "x" ?#'
KIM = {"kind": "User", "name": "kim"}


def lab_client() -> registry.Client:
    return registry.Client("main", system("test"), lambda: datetime(2026, 11, 21, tzinfo=UTC))


def bind(name: str, role: str, *subjects: dict[str, Any]) -> None:
    obj = {"metadata": {"name": name}, "roleRef": {"kind": "ClusterRole", "name": role}, "subjects": list(subjects)}
    lab_client().create(f"rolebindings.{GROUP}", obj, namespace="default")


def browser_of(name: str) -> Client:
    browser = Client()
    user = get_user_model().objects.create_user(name, password="correct horse")
    browser.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return browser


def test_any_name_has_a_page(admin: Client) -> None:
    lab_client().create(f"roles.{GROUP}", {"metadata": {"name": ODD}}, namespace="default")
    shown = text(admin, f"/c/main/ns/default/roles.{GROUP}")
    assert escape(ODD) in shown
    assert ODD not in shown
    path = "%C3%A4%3A%3Cb%3E%20%22x%22%20%3F%23"
    assert f"/roles.{GROUP}/{path}" in shown
    page = text(admin, f"/c/main/ns/default/roles.{GROUP}/{path}")
    assert escape(ODD) in page
    assert "/edit" in page
    edited = admin.get(f"/c/main/ns/default/roles.{GROUP}/{path}/edit")
    assert edited.status_code == 200


def test_what_the_lab_shows_has_a_page_without_an_editor(admin: Client) -> None:
    assert "podlab:student" in text(admin, f"/c/main/clusterroles.{GROUP}")
    page = text(admin, f"/c/main/clusterroles.{GROUP}/podlab:student")
    assert "pods/exec" in page
    assert f"clusterroles.{GROUP}/podlab:student/edit" not in page


def test_a_binding_opens_the_pages(lab: None) -> None:
    kim = browser_of("kim")
    assert kim.get("/c/main/").status_code == 404
    bind("b", "view", KIM)
    assert "default" in text(kim, "/c/main/")
    text(kim, "/c/main/ns/default/pods")
    text(kim, "/c/main/ns/default/configmaps")
    assert kim.get("/c/main/ns/default/secrets").status_code == 403
    assert kim.get("/c/main/ns/kube-system/pods").status_code == 403
    assert kim.get("/c/main/fork").status_code in (403, 404)
    assert "main" in text(kim, "/clusters")


def test_a_student_sees_who_else_is_there_and_writes_it(student: Client) -> None:
    bind("b", "view", KIM)
    shown = text(student, f"/c/main/ns/default/rolebindings.{GROUP}")
    assert "ClusterRole/view" in shown
    assert "podlab:student:sam" in shown
