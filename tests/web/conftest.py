from __future__ import annotations

import sys
from pathlib import Path

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.test import Client

from podlab.registry import clusters, identity

sys.path.insert(0, str(Path(__file__).parent.parent / "timeline"))


@pytest.fixture
def lab(transactional_db: None) -> None:
    """Cluster main, simulated, with nobody playing it."""
    clusters.ensure_main("sim", nodes=["node-a"])


def _person(name: str, role: str, namespace: str, cluster: str = "*") -> User:
    user: User = get_user_model().objects.create_user(name, password="correct horse")
    identity.grant(user, role, cluster=cluster, namespace=namespace)
    return user


def _browser(user: User) -> Client:
    browser = Client()
    browser.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return browser


@pytest.fixture
def admin(lab: None) -> Client:
    return _browser(_person("ada", "admin", "*"))


@pytest.fixture
def student(lab: None) -> Client:
    """Only of namespace default in main."""
    return _browser(_person("sam", "student", "default", "main"))
