"""The page of a namespace's timeline; what stands on it comes over the websocket (tests/timeline/test_space_feed.py)."""

from __future__ import annotations

from django.test import Client


def test_the_page_says_which_namespace_its_script_opens(admin: Client) -> None:
    text = admin.get("/c/main/ns/default/timeline").content.decode()
    assert 'id="space"' in text
    assert 'data-namespace="default"' in text
    assert "data-rev" not in text


def test_other_peoples_pods_are_not_told(student: Client) -> None:
    assert student.get("/c/main/ns/kube-system/timeline").status_code == 403
