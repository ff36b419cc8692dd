"""Runs in the browser: download, upload, and a recording that offers no button to change it."""

from __future__ import annotations

import io

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from podlab.registry import clusters
from podlab.registry.client import Client as Registry
from podlab.registry.identity import system

POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "web"},
    "spec": {"containers": [{"name": "app", "image": "busybox:1.36"}]},
}


def downloaded(browser: Client) -> bytes:
    Registry("main", system("test"), lambda: clusters.now_of("main")).create("pods", POD, namespace="default")
    answer = browser.get("/c/main/ns/default/run")
    assert answer["Content-Disposition"] == 'attachment; filename="main-default.podlab-run.zip"'
    return answer.content


def test_a_run_goes_out_and_comes_in_again(admin: Client) -> None:
    file = SimpleUploadedFile("run.zip", downloaded(admin))
    answer = admin.post("/runs", {"name": "monday", "file": file})
    assert answer["Location"] == "/c/monday/"
    page = admin.get("/c/monday/ns/default/pods").content.decode()
    assert "web" in page
    assert "Recording · read only" in page
    assert admin.get("/c/monday/ns/default/pods/web").status_code == 200
    assert "monday" in admin.get("/runs").content.decode()


def test_a_broken_file_is_told_on_the_page(admin: Client) -> None:
    answer = admin.post("/runs", {"name": "monday", "file": io.BytesIO(b"junk")}, follow=True)
    assert "this is no run file" in answer.content.decode()
    assert "Choose a run file." in admin.post("/runs", {"name": "monday"}, follow=True).content.decode()


def test_a_student_exports_his_own_and_imports_nothing(student: Client) -> None:
    assert downloaded(student)
    assert "Import a run" not in student.get("/runs").content.decode()
    answer = student.post("/runs", {"name": "x", "file": SimpleUploadedFile("run.zip", b"x")}, follow=True)
    assert "cannot create cluster" in answer.content.decode()
    assert student.get("/c/main/ns/kube-system/run").status_code == 403
