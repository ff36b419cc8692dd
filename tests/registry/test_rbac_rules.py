"""What rules allow and cover, and whom bindings name: pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from podlab.apis.types import Manifest
from podlab.registry.grants import Attributes, Grant, hold
from podlab.registry.rbac import bootstrap, lab
from podlab.registry.rbac.policy import Policy
from podlab.registry.rbac.rules import Owned, Rule, Wish, allows, allows_path, breakdown, compact, covers, size, text

RBAC = "rbac.authorization.k8s.io"
WISHES: dict[str, tuple[Rule, dict[str, str], bool]] = {
    "a verb on a resource": (Rule(("get",), ("",), ("pods",)), {}, True),
    "another verb": (Rule(("list",), ("",), ("pods",)), {}, False),
    "every verb": (Rule(("*",), ("",), ("pods",)), {}, True),
    "another group": (Rule(("get",), ("apps",), ("pods",)), {}, False),
    "every group": (Rule(("get",), ("*",), ("pods",)), {}, True),
    "every resource": (Rule(("get",), ("",), ("*",)), {"subresource": "log"}, True),
    "an object does not give its parts": (Rule(("get",), ("",), ("pods",)), {"subresource": "log"}, False),
    "a part": (Rule(("get",), ("",), ("pods/log",)), {"subresource": "log"}, True),
    "that part of everything": (Rule(("get",), ("",), ("*/log",)), {"subresource": "log"}, True),
    "a part of everything is not the whole": (Rule(("get",), ("",), ("*/log",)), {}, False),
    "all parts of one are no rule": (Rule(("get",), ("",), ("pods/*",)), {"subresource": "log"}, False),
    "the one of a name": (Rule(("get",), ("",), ("pods",), ("p",)), {"name": "p"}, True),
    "not the one of another name": (Rule(("get",), ("",), ("pods",), ("p",)), {"name": "q"}, False),
    "not all of them": (Rule(("get",), ("",), ("pods",), ("p",)), {}, False),
}


@pytest.mark.parametrize("sentence", WISHES)
def test_a_rule_allows(sentence: str) -> None:
    rule, more, expected = WISHES[sentence]
    assert allows(rule, Wish(**{"verb": "get", "group": "", "resource": "pods", **more})) is expected


@pytest.mark.parametrize(
    ("url", "path", "expected"),
    [("/metrics", "/metrics", True), ("/api/*", "/api/v1", True), ("*", "/x", True), ("/api", "/api/v1", False)],
)
def test_a_path(url: str, path: str, expected: bool) -> None:
    assert allows_path(Rule(("get",), urls=(url,)), "get", path) is expected
    assert not allows_path(Rule(("get",), urls=(url,)), "post", path)


OWNED: dict[str, tuple[Rule, Rule, bool]] = {
    "the same": (Rule(("get",), ("",), ("pods",)), Rule(("get",), ("",), ("pods",)), True),
    "everything": (Rule(("*",), ("*",), ("*",)), Rule(("*",), ("*",), ("*",)), True),
    "every verb is more than some": (Rule(("get", "list"), ("",), ("pods",)), Rule(("*",), ("",), ("pods",)), False),
    "every resource is more than one": (Rule(("get",), ("",), ("pods",)), Rule(("get",), ("",), ("*",)), False),
    "a part by */part": (Rule(("get",), ("",), ("*/scale",)), Rule(("get",), ("",), ("x/scale",)), True),
    "any name is more than one name": (Rule(("get",), ("",), ("x",), ("a",)), Rule(("get",), ("",), ("x",)), False),
    "one of the names": (Rule(("get",), ("",), ("x",), ("a", "b")), Rule(("get",), ("",), ("x",), ("a",)), True),
    "a name of all": (Rule(("get",), ("",), ("x",)), Rule(("get",), ("",), ("x",), ("a",)), True),
    "a path below": (Rule(("get",), urls=("/api/*",)), Rule(("get",), urls=("/api/v1",)), True),
    "a path above": (Rule(("get",), urls=("/api/v1",)), Rule(("get",), urls=("/api/*",)), False),
    "resources are no paths": (Rule(("*",), ("*",), ("*",)), Rule(("get",), urls=("/x",)), False),
}


@pytest.mark.parametrize("sentence", OWNED)
def test_a_rule_covers(sentence: str) -> None:
    owned, wanted, expected = OWNED[sentence]
    parts = list(breakdown([wanted]))
    assert len(parts) == size([wanted])
    assert all(covers(owned, part) for part in parts) is expected
    assert all(Owned([Rule(("x",), ("",), ("y",)), owned]).cover(part) for part in parts) is expected


def test_what_is_missing_is_told_as_in_kubernetes() -> None:
    parts = breakdown([Rule(("get", "list"), ("",), ("pods", "secrets")), Rule(("get",), ("",), ("x",), ("n",))])
    assert sorted(text(rule) for rule in compact(parts)) == [
        '{APIGroups:[""], Resources:["pods"], Verbs:["get" "list"]}',
        '{APIGroups:[""], Resources:["secrets"], Verbs:["get" "list"]}',
        '{APIGroups:[""], Resources:["x"], ResourceNames:["n"], Verbs:["get"]}',
    ]
    assert text(Rule(("*",), urls=("*",))) == '{NonResourceURLs:["*"], Verbs:["*"]}'


@dataclass
class Somebody:
    name: str
    groups: tuple[str, ...] = ()
    grants: tuple[Grant, ...] = ()
    home: str = ""


ADA = Somebody("ada", ("system:authenticated",))
ROBOT = Somebody("system:serviceaccount:a:robot", ("system:serviceaccounts", "system:serviceaccounts:a"), home="main")


def role(kind: str, name: str, *rules: Manifest, namespace: str = "", labels: Manifest | None = None) -> Manifest:
    meta = {"name": name, "namespace": namespace, "labels": labels or {}}
    return {"kind": kind, "metadata": meta, "rules": list(rules)}


def rule(verbs: str, resources: str, group: str = "", **more: Any) -> Manifest:
    return {"verbs": verbs.split(), "apiGroups": [group], "resources": resources.split(), **more}


def binding(name: str, to: str, *subjects: Manifest, namespace: str = "") -> Manifest:
    kind, _, role = to.partition("/")
    meta = {"name": name, "namespace": namespace}
    reference = {"apiGroup": RBAC, "kind": kind, "name": role}
    whole = "RoleBinding" if namespace else "ClusterRoleBinding"
    return {"kind": whole, "metadata": meta, "roleRef": reference, "subjects": list(subjects)}


def user(name: str) -> Manifest:
    return {"kind": "User", "name": name}


def group(name: str) -> Manifest:
    return {"kind": "Group", "name": name}


def account(name: str, namespace: str = "") -> Manifest:
    return {"kind": "ServiceAccount", "name": name, **({"namespace": namespace} if namespace else {})}


def may(policy: Policy, who: Somebody, verb: str, resource: str, namespace: str = "", name: str = "") -> bool:
    request = Attributes(verb=verb, resource=resource, cluster=policy.cluster, namespace=namespace, name=name)
    return policy.allows(who, request)


READER = role("Role", "reader", rule("get list", "pods"), namespace="a")
SUBJECTS: dict[str, tuple[Manifest, Somebody, bool]] = {
    "a user by name": (user("ada"), ADA, True),
    "another user": (user("bob"), ADA, False),
    "a group": (group("system:authenticated"), ADA, True),
    "all accounts of a namespace": (group("system:serviceaccounts:a"), ROBOT, True),
    "an account of the same namespace": (account("robot"), ROBOT, True),
    "an account of a named namespace": (account("robot", "a"), ROBOT, True),
    "a namesake of another namespace": (account("robot", "b"), ROBOT, False),
    "an account as a user": (user("system:serviceaccount:a:robot"), ROBOT, True),
    "something else": ({"kind": "Robot", "name": "ada"}, ADA, False),
}


@pytest.mark.parametrize("sentence", SUBJECTS)
def test_a_binding_names(sentence: str) -> None:
    subject, who, expected = SUBJECTS[sentence]
    policy = Policy("main", [READER, binding("x", "Role/reader", subject, namespace="a")])
    assert may(policy, who, "list", "pods", "a") is expected
    assert policy.concerns(who) is expected


def test_a_role_binding_counts_in_its_namespace_only() -> None:
    everything = rule("*", "*")
    everything["apiGroups"] = ["*"]
    policy = Policy(
        "main", [role("ClusterRole", "all", everything), binding("x", "ClusterRole/all", user("ada"), namespace="a")]
    )
    assert may(policy, ADA, "delete", "secrets", "a")
    assert may(policy, ADA, "get", "namespaces", name="a")
    for verb, resource, namespace, name in (
        *(("get", "pods", "b", ""), ("list", "pods", "", ""), ("list", "nodes", "", ""), ("list", "nodes", "a", "")),
        *(("update", "namespaces", "", "a"), ("delete", "namespaces", "a", "a"), ("get", "namespaces", "", "b")),
        *(("create", f"clusterrolebindings.{RBAC}", "a", ""), ("get", "persistentvolumes", "a", "x")),
    ):
        assert not may(policy, ADA, verb, resource, namespace, name), (verb, resource, namespace, name)
    assert not policy.allows_path(ADA, "get", "/metrics")
    assert policy.namespaces(ADA) == {"a"}


def test_a_cluster_role_binding_counts_everywhere() -> None:
    policy = Policy("main", [binding("x", "ClusterRole/cluster-admin", user("ada"))])
    assert may(policy, ADA, "update", "namespaces", name="a")
    assert policy.allows_path(ADA, "get", "/metrics")
    assert not may(policy, Somebody("bob"), "get", "pods", "a")


def test_a_role_of_another_namespace_is_none() -> None:
    policy = Policy("main", [READER, binding("x", "Role/reader", user("ada"), namespace="b")])
    assert not may(policy, ADA, "list", "pods", "b")
    assert policy.problems(ADA, "b") == [f'role.{RBAC} "reader" not found']


def test_an_account_of_another_cluster_is_nobody() -> None:
    stranger = Somebody(ROBOT.name, ROBOT.groups, home="other")
    objects = [READER, binding("x", "Role/reader", account("robot"), group("system:serviceaccounts"), namespace="a")]
    policy = Policy("main", objects)
    assert may(policy, ROBOT, "list", "pods", "a")
    assert not may(policy, stranger, "list", "pods", "a")
    assert not policy.concerns(stranger)


def test_it_is_told_by_which_binding() -> None:
    policy = Policy("main", [READER, binding("x", "Role/reader", account("robot"), namespace="a")])
    request = Attributes(verb="get", resource="pods", cluster="main", namespace="a", name="p")
    told = 'RBAC: allowed by RoleBinding "x/a" of Role "reader" to ServiceAccount "robot/a"'
    assert policy.allowed_by(ROBOT, request) == told


def test_kubernetes_roles_gather_others() -> None:
    widgets = role("ClusterRole", "w", rule("get", "widgets"), labels={f"{RBAC}/aggregate-to-view": "true"})
    policy = Policy(
        "main",
        [
            widgets,
            *(binding(name, f"ClusterRole/{name}", user(name), namespace="a") for name in ("view", "edit", "admin")),
        ],
    )
    for name in ("view", "edit", "admin"):
        assert may(policy, Somebody(name), "get", "widgets", "a")
        assert may(policy, Somebody(name), "get", "pods", "a")
        assert may(policy, Somebody(name), "create", "pods", "a") is (name != "view")
        assert may(policy, Somebody(name), "create", f"roles.{RBAC}", "a") is (name == "admin")
    assert {role.name for role in bootstrap.ROLES} >= {"cluster-admin", "admin", "edit", "view"}


def test_who_gets_into_pods_is_a_tenant() -> None:
    def tenants(*rules: Manifest, namespace: str = "a", subjects: tuple[Manifest, ...] = (user("ada"),)) -> bool:
        objects = [role("ClusterRole", "r", *rules), binding("x", "ClusterRole/r", *subjects, namespace=namespace)]
        return Policy("main", objects).has_tenants("a")

    assert tenants(rule("create", "pods"))
    assert tenants(rule("patch", "deployments", "apps"))
    assert tenants(rule("create", "pods/exec"))
    assert tenants(rule("create", "pods"), namespace="")
    assert not tenants(rule("get list watch", "pods pods/log"))
    assert not tenants(rule("create", "pods"), namespace="b")
    assert not tenants(rule("create", "pods"), subjects=())
    everything = [rule.manifest() for rule in bootstrap.ROLES[1].rules]
    assert not tenants(*everything, namespace=""), "who masters the cluster could label the namespace otherwise"
    assert tenants(*everything)


HELD: dict[str, tuple[Grant, str, tuple[str, str, str], bool]] = {
    "a student gives what he has": (Grant("student", "main", "a"), "a", ("create", "pods", ""), True),
    "nothing of another namespace": (Grant("student", "main", "a"), "b", ("get", "pods", ""), False),
    "nothing everywhere": (Grant("student", "main", "a"), "", ("get", "pods", ""), False),
    "nothing of another cluster": (Grant("student", "other", "a"), "a", ("get", "pods", ""), False),
    "the sight of everything": (Grant("student", "main", "a"), "a", ("list", "*", ""), True),
    "not every verb": (Grant("student", "main", "a"), "a", ("*", "pods", ""), False),
    "not the making of everything": (Grant("student", "main", "a"), "a", ("create", "*", ""), False),
    "not of pods of every group": (Grant("student", "main", "a"), "a", ("create", "pods.*", ""), False),
    "not all parts": (Grant("student", "main", "a"), "a", ("create", "pods", "*"), False),
    "not the binding of pods": (Grant("student", "main", "a"), "a", ("create", "pods", "binding"), False),
    "not quotas": (Grant("student", "main", "a"), "a", ("update", "resourcequotas", ""), False),
    "not nodes": (Grant("student", "main", "a"), "a", ("update", "nodes", ""), False),
    "not bind": (Grant("student", "main", "a"), "a", ("bind", f"roles.{RBAC}", ""), False),
    "not escalate": (Grant("student", "main", "a"), "a", ("escalate", f"roles.{RBAC}", ""), False),
    "not other people": (Grant("student", "main", "a"), "a", ("impersonate", "users", ""), False),
    "a student of all namespaces makes no cluster roles": (
        Grant("student", "main"),
        "",
        ("create", f"clusterroles.{RBAC}", ""),
        False,
    ),
    "nor by a wildcard": (Grant("student", "main"), "", ("create", "clusterroles.*", ""), False),
    "a viewer sees pods": (Grant("viewer", "main", "a"), "a", ("get", "pods", ""), True),
    "a viewer sees no secrets": (Grant("viewer", "main", "a"), "a", ("get", "secrets", ""), False),
    "a viewer does not see everything": (Grant("viewer", "main", "a"), "a", ("get", "*", ""), False),
    "a viewer does not see every part": (Grant("viewer", "main", "a"), "a", ("get", "pods", "*"), False),
    "a viewer opens nothing": (Grant("viewer", "main", "a"), "a", ("get", "pods", "exec"), False),
    "the admin of a namespace": (Grant("admin", "main", "a"), "a", ("*", "*", ""), True),
    "but not of the cluster": (Grant("admin", "main", "a"), "", ("*", "*", ""), False),
    "an account without a role": (Grant("serviceaccount", "main", "a"), "a", ("get", "pods", ""), False),
}


@pytest.mark.parametrize("sentence", HELD)
def test_what_a_grant_lets_somebody_give(sentence: str) -> None:
    grant, namespace, (verb, resource, subresource), expected = HELD[sentence]
    wanted = Attributes(verb=verb, resource=resource, cluster="main", namespace=namespace, subresource=subresource)
    assert hold(Somebody("x", grants=(grant,)), "main", namespace, wanted) is expected


def test_the_labs_roles_are_rules_too() -> None:
    policy = Policy("main", [binding("x", "ClusterRole/podlab:student", user("ada"), namespace="a")])
    assert may(policy, ADA, "create", "pods", "a")
    assert not may(policy, ADA, "create", "pods", "b")
    assert not may(policy, ADA, "update", "resourcequotas", "a")
    assert policy.rules_of("ClusterRole", "podlab:king", "") is None
    assert lab.rules_of("admin") == bootstrap.ROLES[1].rules
