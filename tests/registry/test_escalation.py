"""Nobody gives away more than he has, and nobody lifts himself: by roles, bindings, accounts, groups or other people."""

from __future__ import annotations

from typing import Any

import pytest
from registry_samples import Hands, made, namespace, refusal
from test_roles_and_bindings import (
    BINDINGS,
    CLUSTER_BINDINGS,
    CLUSTER_ROLES,
    GROUP,
    MERGE,
    ROLES,
    account,
    binding,
    group,
    person,
    put,
    robot,
    role,
    user,
    whole,
)

from podlab.apis.status_errors import ApiError
from podlab.apis.types import Manifest
from podlab.registry import authorizer, identity, impersonation
from podlab.registry.client import Client
from podlab.registry.operations import WriteOptions

pytestmark = pytest.mark.django_db

ALL = {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}
APPLY = "application/apply-patch+yaml"
FORCE = WriteOptions(field_manager="m", force=True)
HEAD = 'user "ada" (groups=["system:authenticated"]) is attempting to grant RBAC permissions not currently held:'


def rule(verbs: str, resources: str, api_group: str = "", **more: Any) -> Manifest:
    return {"apiGroups": [api_group], "resources": resources.split(), "verbs": verbs.split(), **more}


@pytest.fixture
def ada(client: Client) -> Client:
    """A student at home in the namespace ada."""
    made(client, namespace("ada"))
    made(client, namespace("bob"))
    return person(client, "ada", authorizer.STUDENT, "ada")


def test_a_manifest_of_the_documentation(client: Client, ada: Client) -> None:
    """ServiceAccount, Role and RoleBinding in one's own namespace."""
    mine = robot(client, "ada")
    put(ada, role("pod-reader"), "ada")
    put(ada, binding("read-pods", "Role/pod-reader", account("robot", "ada")), "ada")
    mine.list("pods", "ada")
    assert refusal(mine.list, "pods", "bob").code == 403
    put(ada, binding("more", "ClusterRole/podlab:student", account("robot")), "ada")
    mine.create("configmaps", {"metadata": {"name": "c"}}, namespace="ada")
    put(ada, binding("look", "ClusterRole/view", user("bob")), "ada")


def test_the_refusal_names_what_is_missing(ada: Client) -> None:
    more = rule("get create patch", "pods pods/status resourcequotas")
    error = refusal(put, ada, role("r", more, rule("bind", "clusterroles", GROUP, resourceNames=["x"])), "ada")
    assert (error.code, error.reason) == (403, "Forbidden")
    assert error.message == (
        f'roles.{GROUP} "r" is forbidden: {HEAD}\n'
        '{APIGroups:[""], Resources:["pods/status"], Verbs:["create" "patch"]}\n'
        '{APIGroups:[""], Resources:["resourcequotas"], Verbs:["create" "patch"]}\n'
        f'{{APIGroups:["{GROUP}"], Resources:["clusterroles"], ResourceNames:["x"], Verbs:["bind"]}}'
    )


TOO_MUCH: dict[str, Manifest] = {
    "everything": role("r", ALL),
    "every verb": role("r", rule("*", "pods")),
    "every kind": role("r", rule("create", "*")),
    "every group": role("r", rule("create", "pods", "*")),
    "every part of a kind": role("r", rule("create", "pods/*")),
    "a part of every kind": role("r", rule("update", "*/scale")),
    "what the actors write": role("r", rule("create", "pods/binding")),
    "the instructor's limits": role("r", rule("update", "resourcequotas limitranges")),
    "to bind": role("r", rule("bind", "clusterroles roles", GROUP)),
    "to escalate": role("r", rule("escalate", "roles", GROUP)),
    "to be somebody else": role("r", rule("impersonate", "users groups")),
    "to change the namespace": role("r", rule("update patch delete", "namespaces")),
    "all of the cluster": binding("b", "ClusterRole/cluster-admin", user("ada")),
    "the lab's admin": binding("b", "ClusterRole/podlab:admin", user("ada")),
    "the lab's instructor": binding("b", "ClusterRole/podlab:instructor", group("system:authenticated")),
    "all of it for an account": binding("b", "ClusterRole/cluster-admin", account("default")),
    "all of it for a group": binding("b", "ClusterRole/cluster-admin", group("system:serviceaccounts:ada")),
}


@pytest.mark.parametrize("sentence", TOO_MUCH)
def test_a_student_cannot_give_himself(client: Client, ada: Client, sentence: str) -> None:
    obj = TOO_MUCH[sentence]
    key, name = f"{obj['kind'].lower()}s.{GROUP}", obj["metadata"]["name"]
    harmless = role("r") if obj["kind"] == "Role" else binding("b", "ClusterRole/view", user("x"))

    def changed(**more: Any) -> Manifest:
        return {field: value for field, value in obj.items() if field in ("rules", "roleRef", "subjects")} | more

    assert_not_held(lambda: put(ada, obj, "ada"))
    assert_not_held(lambda: put(ada, obj, "ada", options=WriteOptions(dry_run=True)))
    assert_not_held(lambda: ada.update(key, "ada", name, obj))
    assert_not_held(lambda: ada.patch(key, "ada", name, APPLY, obj, options=FORCE))
    put(ada, harmless, "ada")
    assert_not_held(lambda: ada.update(key, "ada", name, obj))
    for patch_type in (MERGE, "application/strategic-merge-patch+json"):
        assert_not_held(lambda patch_type=patch_type: ada.patch(key, "ada", name, patch_type, changed()))
    steps = [{"op": "replace", "path": f"/{field}", "value": value} for field, value in changed().items()]
    assert_not_held(lambda: ada.patch(key, "ada", name, "application/json-patch+json", steps))
    assert_not_held(lambda: ada.patch(key, "ada", name, APPLY, obj, options=FORCE))
    assert refusal(ada.list, "pods", "bob").code == 403


def assert_not_held(call: Any) -> None:
    error = refusal(call)
    assert error.code == 403, error.message
    assert HEAD in error.message


def test_a_student_writes_nothing_elsewhere(client: Client, ada: Client) -> None:
    mine = user("ada")
    for call in (
        lambda: put(ada, role(), "bob"),
        lambda: put(ada, binding("b", "ClusterRole/view", mine), "bob"),
        lambda: put(ada, whole(role())),
        lambda: put(ada, whole(binding("b", "ClusterRole/view", mine))),
        lambda: ada.patch(CLUSTER_ROLES, "", "view", MERGE, {"rules": [ALL]}),
        lambda: ada.patch(CLUSTER_ROLES, "", "x", APPLY, whole(role("x")), options=FORCE),
        lambda: ada.update(CLUSTER_BINDINGS, "", "b", whole(binding("b", "ClusterRole/view", mine))),
        lambda: ada.delete(CLUSTER_BINDINGS, "", "cluster-admin"),
        lambda: ada.delete_collection(CLUSTER_BINDINGS, ""),
    ):
        error = refusal(call)
        assert (error.code, "cannot" in error.message) == (403, True), error.message
    named = {**binding("b", "ClusterRole/view", mine), "metadata": {"name": "b", "namespace": "bob"}}
    assert refusal(put, ada, named, "ada").code == 400


def test_a_role_does_not_grow_below_a_binding(client: Client, ada: Client) -> None:
    put(ada, role(), "ada")
    put(ada, binding("b", "Role/r", user("ada")), "ada")
    put(client, role("strong", ALL), "ada")
    assert_not_held(lambda: put(ada, binding("c", "Role/strong", user("ada")), "ada"))
    assert_not_held(lambda: ada.patch(ROLES, "ada", "r", MERGE, {"rules": [ALL]}))
    ada.patch(ROLES, "ada", "strong", MERGE, {"metadata": {"finalizers": ["x/y"]}})
    assert_not_held(lambda: ada.patch(ROLES, "ada", "strong", MERGE, {"metadata": {"labels": {"a": "b"}}}))
    put(client, binding("given", "Role/strong", account("robot")), "ada")
    assert_not_held(lambda: ada.patch(BINDINGS, "ada", "given", MERGE, {"subjects": [user("ada")]}))


def test_a_role_that_is_not_there_cannot_be_bound_in_advance(client: Client, ada: Client) -> None:
    error = refusal(put, ada, binding("b", "ClusterRole/later", user("ada")), "ada")
    assert (error.code, error.message) == (404, f'rolebindings.{GROUP} "later" not found')
    error = refusal(put, ada, binding("b", "Role/later", user("ada")), "ada")
    assert error.message == f'rolebindings.{GROUP} "later" not found'
    put(client, binding("b", "ClusterRole/later", user("ada")), "ada")
    assert refusal(ada.list, "events", "bob").code == 403


def test_aggregation_takes_the_whole_cluster(client: Client, ada: Client) -> None:
    label = {f"{GROUP}/aggregate-to-view": "true"}
    everything = {"clusterRoleSelectors": [{"matchLabels": {"a": "b"}}]}
    put(client, whole(role("writer", rule("create get update patch", "clusterroles", GROUP))))
    put(client, whole(binding("b", "ClusterRole/writer", user("ada"))))
    assert_not_held(lambda: put(ada, whole({**role("w", ALL), "metadata": {"name": "w", "labels": label}})))
    gathering = {**whole(role("w", rule("get", "clusterroles", GROUP))), "aggregationRule": everything}
    error = refusal(put, ada, gathering)
    told = f'clusterroles.{GROUP} "w" is forbidden: must have cluster-admin privileges to use the aggregationRule'
    assert (error.code, error.message) == (403, told)
    put(client, gathering)
    assert refusal(ada.patch, CLUSTER_ROLES, "", "w", MERGE, {"aggregationRule": None}).message == told


def test_bind_and_escalate_are_rights_of_their_own(client: Client, ada: Client) -> None:
    assert_not_held(lambda: put(ada, binding("b", "ClusterRole/cluster-admin", account("robot")), "ada"))
    put(client, role("binder", rule("bind", "clusterroles", GROUP, resourceNames=["cluster-admin"])), "ada")
    put(client, binding("binder", "Role/binder", user("ada")), "ada")
    put(ada, binding("b", "ClusterRole/cluster-admin", account("robot")), "ada")
    robot(client, "ada").list("secrets", "ada")
    assert refusal(robot(client, "ada").list, "secrets", "bob").code == 403
    assert_not_held(lambda: put(ada, binding("c", "ClusterRole/podlab:admin", account("robot")), "ada"))
    assert_not_held(lambda: put(ada, role("r", ALL), "ada"))
    put(client, role("climber", rule("escalate", "roles", GROUP)), "ada")
    put(client, binding("climber", "Role/climber", user("ada")), "ada")
    put(ada, role("r", ALL), "ada")


def test_what_a_binding_gives_may_be_passed_on(client: Client) -> None:
    """A service account with the power to write roles gives what its own bindings give, and no more."""
    put(client, binding("b", "ClusterRole/admin", account("robot")))
    mine = robot(client)
    put(mine, role())
    put(mine, binding("c", "Role/r", user("x")))
    put(mine, binding("d", "ClusterRole/edit", user("x")))
    error = refusal(put, mine, role("s", rule("create", "resourcequotas")))
    assert 'user "system:serviceaccount:default:robot" (groups=["system:serviceaccounts" ' in error.message
    assert refusal(put, mine, binding("e", "ClusterRole/cluster-admin", user("x"))).code == 403
    assert refusal(put, mine, role(), "kube-system").code == 403


def test_the_admin_of_a_namespace_gives_all_of_it(client: Client) -> None:
    made(client, namespace("a"))
    admin = person(client, "grace", authorizer.ADMIN, "a")
    put(admin, role("r", ALL), "a")
    put(admin, binding("b", "Role/r", user("x")), "a")
    friend = person(client, "x")
    friend.list("secrets", "a")
    relabel = {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "privileged"}}}
    assert refusal(friend.patch, "namespaces", "", "a", MERGE, relabel).code == 403
    assert refusal(put, admin, whole(role("r", ALL))).code == 403
    assert refusal(friend.list, "secrets", "default").code == 403


def test_whoever_runs_the_cluster_gives_everything(client: Client) -> None:
    instructor = person(client, "edsger", authorizer.INSTRUCTOR, "*")
    put(instructor, whole({**role("w", ALL), "aggregationRule": {"clusterRoleSelectors": [{}]}}))
    put(instructor, whole(binding("b", "ClusterRole/cluster-admin", user("x"))))
    put(instructor, whole(binding("c", "ClusterRole/not-there", user("x"))))


# As somebody else


def acting(client: Client, user: str, *groups: str) -> Client:
    return Client("main", impersonation.impersonated(client.actor, "main", user, groups), client.now)


def refused(call: Any) -> str:
    with pytest.raises(ApiError) as caught:
        call()
    assert caught.value.code == 403
    return caught.value.message


def test_a_student_acts_as_the_accounts_of_his_namespace(client: Client, ada: Client, hands: Hands) -> None:
    mine = acting(ada, "system:serviceaccount:ada:robot")
    assert mine.actor.groups == ("system:serviceaccounts", "system:serviceaccounts:ada", "system:authenticated")
    assert refusal(mine.list, "pods", "ada").code == 403
    told = refused(lambda: acting(ada, "system:serviceaccount:bob:robot"))
    assert told == (
        'serviceaccounts "robot" is forbidden: User "ada" cannot impersonate resource "serviceaccounts" in API group "" in '
        'the namespace "bob"'
    )
    for groups in (("system:masters",), ("system:serviceaccounts:bob",)):
        assert f'groups "{groups[0]}" is forbidden' in refused(
            lambda groups=groups: acting(ada, "system:serviceaccount:ada:robot", *groups)
        )
    assert 'users "root" is forbidden' in refused(lambda: acting(ada, "root"))
    assert 'users "system:serviceaccount:ada" is forbidden' in refused(lambda: acting(ada, "system:serviceaccount:ada"))


def test_impersonation_is_a_right_that_a_role_may_give(client: Client, ada: Client) -> None:
    person(client, "bob", authorizer.STUDENT, "bob")
    assert "cannot impersonate" in refused(lambda: acting(ada, "bob"))
    put(client, whole(role("i", rule("impersonate", "users", resourceNames=["bob"]))))
    put(client, binding("here", "ClusterRole/i", user("ada")), "ada")
    assert "cannot impersonate" in refused(lambda: acting(ada, "bob")), "people are not in a namespace"
    put(client, whole(binding("i", "ClusterRole/i", user("ada"))))
    acting(ada, "bob").list("pods", "bob")
    assert "cannot impersonate" in refused(lambda: acting(ada, "grace"))
    assert 'resource "groups"' in refused(lambda: acting(ada, "bob", "system:masters"))
    assert identity.by_name("bob").home == ""


def test_a_refusal_tells_of_roles_that_are_not_there(client: Client, ada: Client) -> None:
    put(client, binding("b", "ClusterRole/gone", user("ada")), "ada")
    generated = {**role("x", rule("get create", "pods/status")), "metadata": {"generateName": "g-"}}
    error = refusal(put, ada, generated, "ada")
    assert error.message == (
        f'roles.{GROUP} is forbidden: {HEAD}\n{{APIGroups:[""], Resources:["pods/status"], Verbs:["create"]}}; '
        f'resolution errors: [roles.{GROUP} "gone" not found]'
    )


def test_nobody_hides_something_among_a_million_rights(client: Client, ada: Client) -> None:
    many = [f"n{number}" for number in range(200)]
    huge = role("r", {"apiGroups": many, "resources": many, "verbs": many})
    error = refusal(put, ada, huge, "ada")
    assert (error.code, "rules: Too many: 8000000: must have at most 10000 items" in error.message) == (422, True)
    put(client, huge, "ada")
    error = refusal(put, ada, binding("b", "Role/r", user("ada")), "ada")
    assert (error.code, "roleRef: Too many" in error.message) == (422, True)
