"""Who may do what, in sentences."""

from __future__ import annotations

from typing import Any

import pytest

from podlab.apis.status_errors import ApiError
from podlab.registry.authorizer import (
    Attributes,
    Grant,
    allowed,
    may_make_clusters,
    may_run_cluster,
    refuse_path,
    require,
    sees_cluster,
)
from podlab.registry.identity import ANONYMOUS, Identity, system

pytestmark = pytest.mark.django_db  # what grants do not allow is looked for among bindings

ADMIN = Identity("root", grants=(Grant("admin"),))
INSTRUCTOR = Identity("grace", grants=(Grant("instructor", "main"),))
TEACHER_OF_ONE = Identity("edsger", grants=(Grant("instructor", "main", "class-a"),))
STUDENT = Identity("ada", grants=(Grant("student", "main", "ada"),))
OWNER = Identity("alan", grants=(Grant("admin", "alan-lab"), Grant("student", "main", "alan")))
VIEWER = Identity("bob", grants=(Grant("viewer", "main"),))
KUBELET = system("kubelet")

Case = tuple[Identity, str, str, dict[str, Any], bool]
CASES: dict[str, Case] = {
    "an admin deletes a namespace": (ADMIN, "delete", "namespaces", {"name": "x"}, True),
    "an admin is one in every cluster": (ADMIN, "create", "pods", {"cluster": "other", "namespace": "x"}, True),
    "an admin of one cluster is nobody's in another": (OWNER, "list", "pods", {"namespace": "other"}, False),
    "the owner of a cluster drains its node": (OWNER, "patch", "nodes", {"cluster": "alan-lab", "name": "n"}, True),
    "a component may bind pods": (KUBELET, "create", "pods", {"namespace": "x", "subresource": "binding"}, True),
    "an instructor cordons a node": (INSTRUCTOR, "patch", "nodes", {"name": "n"}, True),
    "an instructor reads a student's secret": (INSTRUCTOR, "get", "secrets", {"namespace": "ada", "name": "s"}, True),
    "an instructor of one namespace does not cordon": (TEACHER_OF_ONE, "patch", "nodes", {"name": "n"}, False),
    "an instructor of one namespace keeps to it": (TEACHER_OF_ONE, "list", "pods", {"namespace": "ada"}, False),
    "a student creates a pod at home": (STUDENT, "create", "pods", {"namespace": "ada"}, True),
    "a student lists pods elsewhere": (STUDENT, "list", "pods", {"namespace": "bob"}, False),
    "a student lists pods of all namespaces": (STUDENT, "list", "pods", {}, False),
    "a student reads the own secret": (STUDENT, "get", "secrets", {"namespace": "ada", "name": "s"}, True),
    "a student reads the own namespace": (STUDENT, "get", "namespaces", {"name": "ada"}, True),
    "a student deletes the own namespace": (STUDENT, "delete", "namespaces", {"name": "ada"}, False),
    "a student looks at another namespace": (STUDENT, "get", "namespaces", {"name": "bob"}, False),
    "a student lists namespaces": (STUDENT, "list", "namespaces", {}, False),
    "a student looks at the nodes": (STUDENT, "list", "nodes", {}, True),
    "a student changes a node": (STUDENT, "patch", "nodes", {"name": "n"}, False),
    "a student binds a pod": (STUDENT, "create", "pods", {"namespace": "ada", "subresource": "binding"}, False),
    "a student writes a pod's status": (STUDENT, "patch", "pods", {"namespace": "ada", "subresource": "status"}, False),
    "a student opens a shell": (STUDENT, "create", "pods", {"namespace": "ada", "subresource": "exec"}, True),
    "a student reads events": (STUDENT, "list", "events", {"namespace": "ada"}, True),
    "a student forges an event": (STUDENT, "create", "events", {"namespace": "ada"}, False),
    "a student raises the own quota": (STUDENT, "update", "resourcequotas", {"namespace": "ada", "name": "q"}, False),
    "a viewer lists pods": (VIEWER, "list", "pods", {"namespace": "x"}, True),
    "a viewer deletes a pod": (VIEWER, "delete", "pods", {"namespace": "x", "name": "p"}, False),
    "a viewer reads a secret": (VIEWER, "get", "secrets", {"namespace": "x", "name": "s"}, False),
    "somebody unknown reads anything": (ANONYMOUS, "get", "pods", {"namespace": "x", "name": "p"}, False),
    "a user without grants reads anything": (Identity("eve"), "get", "pods", {"namespace": "x", "name": "p"}, False),
}


@pytest.mark.parametrize("sentence", CASES)
def test_whether(sentence: str) -> None:
    who, verb, resource, where, expected = CASES[sentence]
    assert allowed(who, verb, resource, **{"cluster": "main", **where}) is expected


REFUSALS = {
    'pods is forbidden: User "ada" cannot list resource "pods" in API group "" in the namespace "default"': Attributes(
        verb="list", resource="pods", cluster="main", namespace="default"
    ),
    'pods is forbidden: User "ada" cannot list resource "pods" in API group "" at the cluster scope': Attributes(
        verb="list", resource="pods", cluster="main"
    ),
    'pods "p" is forbidden: User "ada" cannot get resource "pods/log" in API group "" in the namespace "x"': Attributes(
        verb="get", resource="pods", cluster="main", namespace="x", name="p", subresource="log"
    ),
    'deployments.apps "d" is forbidden: User "ada" cannot delete resource "deployments" in API group "apps" in the '
    'namespace "x"': Attributes(verb="delete", resource="deployments.apps", cluster="main", namespace="x", name="d"),
    'namespaces "x" is forbidden: User "ada" cannot delete resource "namespaces" in API group "" in the namespace '
    '"x"': Attributes(verb="delete", resource="namespaces", cluster="main", name="x"),
}


@pytest.mark.parametrize("text", REFUSALS)
def test_a_refusal_reads_as_in_kubernetes(text: str) -> None:
    with pytest.raises(ApiError) as refused:
        require(STUDENT, REFUSALS[text])
    assert (refused.value.code, refused.value.reason, refused.value.message) == (403, "Forbidden", text)


def test_a_path_that_is_no_resource_is_refused_by_its_path() -> None:
    assert refuse_path(STUDENT, "get", "/metrics").message == 'forbidden: User "ada" cannot get path "/metrics"'


def test_clusters_are_run_by_those_who_own_all_of_them() -> None:
    assert [may_run_cluster(who, "main") for who in (ADMIN, INSTRUCTOR, KUBELET)] == [True, True, True]
    assert [may_run_cluster(who, "main") for who in (TEACHER_OF_ONE, STUDENT, OWNER, VIEWER)] == [False] * 4
    assert may_run_cluster(OWNER, "alan-lab")
    assert [may_make_clusters(who) for who in (ADMIN, KUBELET, INSTRUCTOR, STUDENT)] == [True, True, False, False]
    assert [sees_cluster(who, "alan-lab") for who in (ADMIN, OWNER, STUDENT)] == [True, True, False]
