"""Tokens and login links."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User

from podlab import clock
from podlab.registry import identity
from podlab.registry.authorizer import MASTERS, Grant
from podlab.storage.models import ApiToken, LoginLink

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada() -> User:
    return User.objects.create_user("ada")


def test_a_token_names_its_user_with_grants(ada: User) -> None:
    identity.grant(ada, "student", cluster="main", namespace="ada")
    identity.grant(ada, "student", cluster="main", namespace="ada")
    found = identity.by_token(identity.issue_token(ada, "kubectl"))
    assert found is not None
    assert (found.name, found.grants) == ("ada", (Grant("student", "main", "ada"),))
    assert not found.is_system


def test_only_the_digest_of_a_token_is_kept(ada: User) -> None:
    raw = identity.issue_token(ada, "kubectl")
    row = ApiToken.objects.get()
    assert raw not in (row.digest, row.name)
    assert row.digest == identity.digest_of(raw)


def test_tokens_that_are_no_good(ada: User) -> None:
    good = identity.issue_token(ada, "a")
    old = identity.issue_token(ada, "b", expires_at=clock.wall_now() - timedelta(seconds=1))
    assert identity.by_token(good) is not None
    assert identity.by_token(old) is None
    assert identity.by_token(good + "x") is None
    assert identity.by_token("") is None
    assert identity.revoke(good)
    assert not identity.revoke(good)
    assert identity.by_token(good) is None


def test_tokens_are_revoked_by_name(ada: User) -> None:
    raw = identity.issue_token(ada, "laptop")
    other = identity.issue_token(ada, "phone")
    assert identity.revoke_named(ada, "laptop") == 1
    assert identity.by_token(raw) is None
    assert identity.by_token(other) is not None


def test_an_inactive_user_is_nobody(ada: User) -> None:
    raw = identity.issue_token(ada, "a")
    link = identity.make_login_link(ada, timedelta(hours=1))
    ada.is_active = False
    ada.save()
    assert identity.of_user(ada) is identity.ANONYMOUS
    assert identity.by_token(raw) is None
    assert identity.redeem_login_link(link) is None


def test_a_superuser_is_never_refused() -> None:
    assert MASTERS in identity.of_user(User.objects.create_superuser("root")).groups


def test_a_login_link_works_once(ada: User) -> None:
    raw = identity.make_login_link(ada, timedelta(minutes=5))
    assert identity.redeem_login_link("x" + raw) is None
    assert identity.redeem_login_link(raw) == ada
    assert identity.redeem_login_link(raw) is None


def test_a_login_link_ends(ada: User) -> None:
    raw = identity.make_login_link(ada, timedelta(seconds=-1))
    assert identity.redeem_login_link(raw) is None
    assert LoginLink.objects.count() == 0


def test_old_links_are_swept_when_a_new_one_is_made(ada: User) -> None:
    identity.make_login_link(ada, timedelta(seconds=-1))
    identity.make_login_link(ada, timedelta(minutes=1))
    assert LoginLink.objects.count() == 1


def test_a_component_is_called_by_its_name_in_the_log() -> None:
    kubelet = identity.system("kubelet")
    assert (kubelet.name, kubelet.actor, kubelet.is_system) == ("system:kubelet", "kubelet", True)
