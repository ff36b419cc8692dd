"""A kubeconfig of one's own, by function and by command."""

from __future__ import annotations

from io import StringIO

import pytest
import yaml
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from podlab.registry import authorizer, clusters, identity, user_kubeconfig
from podlab.storage.clusters import ClusterRow


def student(name: str, namespace: str) -> User:
    user = User.objects.create_user(name)
    identity.grant(user, authorizer.STUDENT, cluster="main", namespace=namespace)
    return user


def test_the_token_is_the_users_and_kubectl_begins_at_home(main: ClusterRow) -> None:
    ada = student("ada", "ada-home")
    found = yaml.safe_load(user_kubeconfig.make(ada, "main", server="https://lab:8443"))
    assert found["clusters"][0]["cluster"]["server"] == "https://lab:8443"
    assert found["contexts"][0]["context"]["namespace"] == "ada-home"
    who = identity.by_token(found["users"][0]["user"]["token"])
    assert who == identity.of_user(ada)


def test_renewing_ends_the_earlier_tokens(main: ClusterRow) -> None:
    ada = student("ada", "default")

    def token(*, renew: bool = False) -> str:
        text = user_kubeconfig.make(ada, "main", server="https://lab", renew=renew)
        return str(yaml.safe_load(text)["users"][0]["user"]["token"])

    first, second = token(), token()
    assert identity.by_token(first) is not None
    third = token(renew=True)
    assert [identity.by_token(raw) is not None for raw in (first, second, third)] == [False, False, True]


def test_the_command_and_whom_it_refuses(main: ClusterRow) -> None:
    student("ada", "default")
    User.objects.create_user("bob")
    clusters.create_sim("other", nodes=("n",), identity=identity.system("test"))
    out = StringIO()
    call_command("kubeconfig", "ada", stdout=out)
    assert yaml.safe_load(out.getvalue())["current-context"] == "podlab-main"
    for arguments, text in (
        (("bob",), "was granted nothing"),
        (("nobody",), "no active user"),
        (("ada", "--cluster", "other"), "was granted nothing"),
        (("ada", "--cluster", "none"), "not found"),
    ):
        with pytest.raises(CommandError, match=text):
            call_command("kubeconfig", *arguments)
