"""Clusters and their clocks on the page."""

from __future__ import annotations

import pytest
from django.test import Client

from podlab.registry import clusters


def test_a_simulated_cluster_is_made_shown_and_deleted(admin: Client) -> None:
    made = admin.post("/clusters", {"name": "play", "nodes": "3", "seed": "7"})
    assert made["Location"] == "/c/play/"
    row = clusters.get("play")
    assert (row.runtime, row.seed) == ("sim", 7)
    assert "simulated" in admin.get("/c/play/").content.decode()
    assert "play" in admin.get("/clusters").content.decode()
    admin.post("/c/play/delete", {"confirm": "pla"})
    assert clusters.find("play") is not None
    admin.post("/c/play/delete", {"confirm": "play"})
    assert clusters.find("play") is None


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"name": "Not A Name", "nodes": "1"}, "cluster name"),
        ({"name": "main", "nodes": "1"}, "already exists"),
        ({"name": "x", "nodes": "0"}, "1 to 20 nodes"),
        ({"name": "x", "nodes": "many"}, "1 to 20 nodes"),
        ({"name": "x", "nodes": "1", "seed": "chance"}, "whole number"),
    ],
)
def test_a_cluster_that_cannot_be_is_refused_in_words(admin: Client, form: dict[str, str], words: str) -> None:
    assert words in admin.post("/clusters", form, follow=True).content.decode()


def test_main_cannot_be_deleted(admin: Client) -> None:
    assert admin.post("/c/main/delete", {"confirm": "main"}).status_code == 403


def test_the_clock_is_turned_by_forms(admin: Client) -> None:
    assert admin.post("/c/main/clock", {"do": "pause"})["Location"] == "/c/main/clock"
    assert clusters.get("main").time.paused
    assert "Resume" in admin.get("/c/main/clock").content.decode()
    part = admin.post("/c/main/clock", {"do": "resume"}, headers={"HX-Request": "true"}).content.decode()
    assert "Pause" in part
    assert "<html" not in part
    admin.post("/c/main/clock", {"do": "speed", "speed": "10"})
    assert clusters.get("main").time.speed == 10
    admin.post("/c/main/clock", {"do": "step"})
    assert clusters.get("main").steps_wanted == 1


@pytest.mark.parametrize("form", [{"do": "speed", "speed": "fast"}, {"do": "speed", "speed": "1e9"}, {"do": "melt"}])
def test_nonsense_does_not_turn_the_clock(admin: Client, form: dict[str, str]) -> None:
    assert admin.post("/c/main/clock", form).status_code == 400


def test_a_docker_cluster_has_real_time_only(admin: Client) -> None:
    from podlab.storage.models import Cluster

    Cluster.objects.filter(name="main").update(runtime="docker")
    page = admin.get("/c/main/clock").content.decode()
    assert "its time is real time" in page
    assert "Docker · real time" in page
    assert admin.post("/c/main/clock", {"do": "pause"}).status_code == 400
