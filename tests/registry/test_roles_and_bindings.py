"""Roles and bindings as objects, and that they count: for whoever is named, in their cluster and namespace."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from registry_samples import START, Hands, made, namespace, pod, refusal

from podlab.apis.types import Key, Manifest
from podlab.registry import (
    account_grants,
    authentication,
    authorizer,
    clusters,
    forking,
    identity,
    namespaces,
    recordings,
)
from podlab.registry.client import Client
from podlab.registry.identity import Identity, system
from podlab.registry.operations import WriteOptions
from podlab.registry.rbac import policies
from podlab.storage import forks
from podlab.storage.models import Cluster

pytestmark = pytest.mark.django_db

GROUP = "rbac.authorization.k8s.io"
ROLES, BINDINGS = f"roles.{GROUP}", f"rolebindings.{GROUP}"
CLUSTER_ROLES, CLUSTER_BINDINGS = f"clusterroles.{GROUP}", f"clusterrolebindings.{GROUP}"
MERGE = "application/merge-patch+json"
READ_PODS = {"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list", "watch"]}


def role(name: str = "r", *rules: Manifest) -> Manifest:
    return {
        "apiVersion": f"{GROUP}/v1",
        "kind": "Role",
        "metadata": {"name": name},
        "rules": list(rules or [READ_PODS]),
    }


def binding(name: str, to: str, *subjects: Manifest) -> Manifest:
    kind, _, called = to.partition("/")
    return {
        "apiVersion": f"{GROUP}/v1",
        "kind": "RoleBinding",
        "metadata": {"name": name},
        "roleRef": {"kind": kind, "name": called},
        "subjects": list(subjects),
    }


def whole(obj: Manifest) -> Manifest:
    """The same for the cluster."""
    return {**obj, "kind": f"Cluster{obj['kind']}"}


def user(name: str) -> Manifest:
    return {"kind": "User", "name": name}


def group(name: str) -> Manifest:
    return {"kind": "Group", "name": name}


def account(name: str, where: str = "") -> Manifest:
    return {"kind": "ServiceAccount", "name": name, **({"namespace": where} if where else {})}


def put(client: Client, obj: Manifest, where: str = "default", **more: Any) -> Manifest:
    plural = f"{obj['kind'].lower()}s.{GROUP}"
    return client.create(plural, obj, namespace=where, **more).obj


def person(client: Client, name: str, role: str = "", where: str = "", cluster: str = "main") -> Client:
    found, _ = User.objects.get_or_create(username=name)
    if role:
        identity.grant(found, role, cluster=cluster, namespace=where)
    return Client("main", identity.of_user(found), client.now)


def robot(client: Client, where: str = "default", name: str = "robot") -> Client:
    """With a fresh token of the account."""
    if client.find("serviceaccounts", where, name) is None:
        client.create("serviceaccounts", {"metadata": {"name": name}}, namespace=where)
    request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
    token = client.create_token(where, name, request)[0]["status"]["token"]
    who = authentication.by_bearer(token, now_of=lambda _: client.now())
    assert who is not None
    return Client(client.cluster, who, client.now)


def names(client: Client, key: str, where: str | None = None, **more: Any) -> list[str]:
    return [item.key.name for item in client.list(key, where, **more).items]


# As objects


def test_defaults(client: Client) -> None:
    obj = put(client, binding("b", "Role/r", user("ada"), group("g"), account("robot")))
    assert obj["roleRef"] == {"apiGroup": GROUP, "kind": "Role", "name": "r"}
    assert [subject.get("apiGroup", "") for subject in obj["subjects"]] == [GROUP, GROUP, ""]
    bare = client.create(ROLES, {"metadata": {"name": "bare"}}, namespace="default").obj
    assert "rules" in bare
    assert bare["rules"] is None


INVALID: dict[str, tuple[Manifest, list[str]]] = {
    "a rule of nothing": (
        role("r", {"verbs": []}),
        [
            "rules[0].verbs: Required value: verbs must contain at least one value",
            "rules[0].apiGroups: Required value: resource rules must supply at least one api group",
            "rules[0].resources: Required value: resource rules must supply at least one resource",
        ],
    ),
    "paths in a namespace": (
        role("r", {"verbs": ["get"], "nonResourceURLs": ["/x"], "resources": ["pods"]}),
        [
            'rules[0].nonResourceURLs: Invalid value: ["/x"]: namespaced rules cannot apply to non-resource URLs',
            'rules[0].nonResourceURLs: Invalid value: ["/x"]: rules cannot apply to both regular resources and '
            "non-resource URLs",
        ],
    ),
    "a binding to nothing": (
        {**binding("b", "Robot/"), "roleRef": {"apiGroup": "x", "kind": "Robot", "name": ""}},
        [
            f'roleRef.apiGroup: Unsupported value: "x": supported values: "{GROUP}"',
            'roleRef.kind: Unsupported value: "Robot": supported values: "Role", "ClusterRole"',
            "roleRef.name: Required value",
        ],
    ),
    "a binding of nobody": (
        whole(
            binding(
                "b",
                "ClusterRole/a%b",
                {"kind": "User", "name": ""},
                account("X"),
                {"kind": "Pod", "name": "p"},
                account("a"),
            )
        ),
        [
            """roleRef.name: Invalid value: "a%b": may not contain '%'""",
            "subjects[0].name: Required value",
            'subjects[1].name: Invalid value: "X": a lowercase RFC 1123 subdomain must consist of',
            "subjects[1].namespace: Required value",
            'subjects[2].kind: Unsupported value: "Pod": supported values: "ServiceAccount", "User", "Group"',
            "subjects[3].namespace: Required value",
        ],
    ),
    "an account with a group": (
        binding("b", "Role/r", {**account("a"), "apiGroup": GROUP}, {**user("u"), "apiGroup": "v1"}),
        [
            f'subjects[0].apiGroup: Unsupported value: "{GROUP}": supported values: ""',
            f'subjects[1].apiGroup: Unsupported value: "v1": supported values: "{GROUP}"',
        ],
    ),
    "nothing to gather": (
        {**whole(role("r")), "aggregationRule": {}},
        [
            "aggregationRule.clusterRoleSelectors: Required value: at least one clusterRoleSelector required if "
            "aggregationRule is non-nil"
        ],
    ),
    "a selector that is none": (
        {**whole(role("r")), "aggregationRule": {"clusterRoleSelectors": [{"matchLabels": {"a": "b c"}}]}},
        [
            'aggregationRule.clusterRoleSelectors[0].matchLabels: Invalid value: "b c"',
            "aggregationRule.clusterRoleSelectors[0]: Invalid value: null: invalid label selector.",
        ],
    ),
    "a name that is no segment of a path": (
        role("a/b"),
        ["""metadata.name: Invalid value: "a/b": may not contain '/'"""],
    ),
    "a name that nobody could keep": (role("x" * 254), ["must be no more than 253 characters"]),
    "a name with a NUL": (role("x\0y"), ["metadata.name: Invalid value"]),
}


@pytest.mark.parametrize("sentence", INVALID)
def test_what_is_wrong_is_told_in_order(client: Client, sentence: str) -> None:
    obj, texts = INVALID[sentence]
    error = refusal(put, client, obj)
    assert error.code == 422, error.message
    places = [error.message.find(text) for text in texts]
    assert -1 not in places, error.message
    assert places == sorted(places)


def test_names_are_segments_of_a_path(client: Client) -> None:
    for name in ("system:x", "A_b c", "ä:<b>"):
        put(client, role(name))
    assert names(client, ROLES, "default") == sorted(("system:x", "A_b c", "ä:<b>"))


def test_a_binding_keeps_its_role(client: Client) -> None:
    put(client, binding("b", "Role/r", user("ada")))
    other = {"roleRef": {"name": "s"}}
    error = refusal(client.patch, BINDINGS, "default", "b", MERGE, other)
    quoted = f'{{"APIGroup":"{GROUP}","Kind":"Role","Name":"s"}}'
    assert error.code == 422
    assert f"roleRef: Invalid value: {quoted}: cannot change roleRef" in error.message
    written = client.patch(BINDINGS, "default", "b", MERGE, {"subjects": None}).obj
    assert "subjects" not in written


def test_all_ways_to_write(client: Client) -> None:
    assert client.update(ROLES, "default", "r", role()).created, "PUT makes what is not there"
    changed = role("r", {**READ_PODS, "verbs": ["get"]})
    assert client.update(ROLES, "default", "r", changed).obj["rules"][0]["verbs"] == ["get"]
    options = WriteOptions(field_manager="m", force=True)
    applied = client.patch(ROLES, "default", "r", "application/apply-patch+yaml", role(), options=options).obj
    assert applied["rules"] == [READ_PODS]
    client.delete(ROLES, "default", "r")
    put(client, role("one"))
    put(client, role("two"))
    assert len(client.delete_collection(ROLES, "default")) == 2
    assert names(client, ROLES) == []


def test_they_go_with_their_namespace(client: Client) -> None:
    made(client, namespace("short"))
    put(client, role(), "short")
    put(client, binding("b", "Role/r", user("ada")), "short")
    client.delete("namespaces", "", "short")
    assert namespaces.finalize_namespace(client, "short").gone
    assert names(client, ROLES) == []
    assert not policies.of("main").concerns(Identity("ada"))


# Beside what the lab shows


def test_lists_hold_both_in_one_order_and_whole_pages(client: Client) -> None:
    for name in ("a", "m", "podlab", "zz"):
        put(client, whole(role(name)))
    everything = names(client, CLUSTER_ROLES)
    assert everything == sorted(everything)
    assert {"a", "cluster-admin", "podlab:student", "view", "zz"} <= set(everything)
    for limit in (1, 2, 3, 7, 50):
        found: list[str] = []
        page, first = client.list(CLUSTER_ROLES, None, limit=limit), None
        while True:
            assert len(page.items) <= limit
            found += [item.key.name for item in page.items]
            first = first or page.revision
            assert page.revision == first
            if not page.continue_:
                assert page.remaining is None
                break
            assert page.remaining == len(everything) - len(found)
            page = client.list(CLUSTER_ROLES, None, limit=limit, continue_=page.continue_)
        assert found == everything
    assert names(client, CLUSTER_ROLES, field_selector="metadata.name=view") == ["view"]
    assert "edit" in names(client, CLUSTER_ROLES, label_selector="kubernetes.io/bootstrapping=rbac-defaults", limit=3)


def test_what_the_lab_shows_is_found_by_name(client: Client) -> None:
    found = client.find(CLUSTER_ROLES, "", "view")
    assert found is not None
    assert found.obj["aggregationRule"]["clusterRoleSelectors"]
    assert any("pods" in rule["resources"] for rule in found.obj["rules"])


@pytest.mark.parametrize("name", ["podlab:student", "podlab:mine", "cluster-admin", "system:basic-user"])
def test_what_the_lab_shows_is_not_written(client: Client, name: str) -> None:
    obj = {**whole(role()), "metadata": {"name": name}}
    told = f'clusterroles.{GROUP} "{name}" is forbidden: it is managed by podlab'
    for call in (
        lambda: put(client, obj),
        lambda: client.update(CLUSTER_ROLES, "", name, obj),
        lambda: client.patch(CLUSTER_ROLES, "", name, MERGE, {"rules": []}),
        lambda: client.patch(CLUSTER_ROLES, "", name, "application/apply-patch+yaml", obj),
        lambda: client.delete(CLUSTER_ROLES, "", name),
    ):
        error = refusal(call)
        assert (error.code, error.message.startswith(told)) == (403, True), error.message
    generated = {**whole(role()), "metadata": {"generateName": "podlab:x-"}}
    assert refusal(put, client, generated).code == 403
    client.delete_collection(CLUSTER_ROLES, "")
    assert "view" in names(client, CLUSTER_ROLES)


# That they count


def test_a_role_binding_lets_an_account_in(client: Client) -> None:
    mine = robot(client)
    assert refusal(mine.list, "pods", "default").code == 403
    put(client, role())
    put(client, binding("b", "Role/r", account("robot")))
    mine.list("pods", "default")
    assert refusal(mine.list, "pods", "kube-system").code == 403
    assert refusal(mine.list, "pods", None).code == 403
    assert refusal(mine.list, "secrets", "default").code == 403
    client.delete(BINDINGS, "default", "b")
    assert refusal(mine.list, "pods", "default").code == 403


def test_people_and_groups(client: Client) -> None:
    ada, bob = person(client, "ada"), person(client, "bob")
    assert not authorizer.sees_cluster(ada.actor, "main")
    put(client, binding("one", "ClusterRole/view", user("ada")))
    assert authorizer.sees_cluster(ada.actor, "main")
    assert not authorizer.sees_cluster(bob.actor, "main")
    ada.list("configmaps", "default")
    assert ada.get("namespaces", "", "default").obj["metadata"]["name"] == "default"
    assert refusal(ada.list, "secrets", "default").code == 403
    put(client, binding("all", "ClusterRole/view", group("system:authenticated")), "kube-system")
    bob.list("pods", "kube-system")
    assert refusal(bob.list, "pods", "default").code == 403
    put(client, whole(binding("nodes", "ClusterRole/view", group("system:serviceaccounts:default"))))
    robot(client).list("pods", None)


def test_a_rule_for_one_name(client: Client) -> None:
    ada = person(client, "ada")
    put(client, role("r", {**READ_PODS, "resourceNames": ["mine"]}))
    put(client, binding("b", "Role/r", user("ada")))
    made(client, pod("mine"))
    ada.get("pods", "default", "mine")
    ada.list("pods", "default", field_selector="metadata.name=mine")
    ada.watch("pods", "default", field_selector="metadata.name=mine")
    assert refusal(ada.get, "pods", "default", "other").code == 403
    assert refusal(ada.list, "pods", "default").code == 403
    assert refusal(ada.list, "pods", "default", field_selector="metadata.name!=mine").code == 403


def test_reviews_say_what_is_decided(client: Client) -> None:
    put(client, role())
    put(client, binding("b", "Role/r", account("robot")))
    name = "system:serviceaccount:default:robot"
    key = "subjectaccessreviews.authorization.k8s.io"

    def asked(verb: str) -> Manifest:
        about = {"verb": verb, "resource": "pods", "namespace": "default"}
        status: Manifest = client.create(key, {"spec": {"user": name, "resourceAttributes": about}}).obj["status"]
        return status

    told = 'RBAC: allowed by RoleBinding "b/default" of Role "r" to ServiceAccount "robot/default"'
    assert asked("list") == {"allowed": True, "reason": told}
    assert asked("delete") == {"allowed": False}
    mine = robot(client)
    rules = mine.create("selfsubjectrulesreviews.authorization.k8s.io", {"spec": {"namespace": "default"}}).obj[
        "status"
    ]
    assert READ_PODS in rules["resourceRules"]
    client.delete(ROLES, "default", "r")
    gone = f'RBAC: role.{GROUP} "r" not found'
    assert asked("list") == {"allowed": False, "reason": gone}
    assert refusal(mine.list, "pods", "default").message.endswith(f'in the namespace "default": {gone}')


def test_a_binding_counts_in_its_cluster_only(client: Client, hands: Hands) -> None:
    clusters.create_sim("other", nodes=("n",), identity=system("test"))
    other = Client("other", system("test"), hands)
    everybody = [user("ada"), group("system:authenticated"), account("robot", "default")]
    put(other, whole(binding("b", "ClusterRole/cluster-admin", *everybody)))
    mine, ada = robot(client), person(client, "ada")
    assert refusal(mine.list, "pods", "default").code == 403
    assert refusal(ada.list, "pods", "default").code == 403
    stranger = Client("other", mine.actor, hands)
    assert refusal(stranger.list, "pods", "default").code == 403, "the account of that name is another one there"
    assert not authorizer.sees_cluster(mine.actor, "other")
    Client("other", ada.actor, hands).list("pods", "default")
    robot(other).list("secrets", None)


def test_bindings_do_not_run_clusters(client: Client) -> None:
    put(client, whole(binding("b", "ClusterRole/cluster-admin", user("ada"))))
    ada = person(client, "ada").actor
    assert authorizer.allowed(ada, "delete", "nodes", cluster="main", name="n")
    assert not authorizer.may_run_cluster(ada, "main")
    assert not authorizer.may_make_clusters(ada)


def test_bindings_of_a_recording_count_nowhere(client: Client) -> None:
    put(client, whole(role()))
    put(client, whole(binding("b", "ClusterRole/cluster-admin", user("ada"))))
    ada = person(client, "ada").actor
    assert authorizer.sees_cluster(ada, "main")
    Cluster.objects.filter(name="main").update(runtime=Cluster.Runtime.REPLAY)
    assert not authorizer.sees_cluster(ada, "main")
    forking.fork(forking.Wish(source="main", name="again"), identity=system("test"))
    kept = {one.key.name for one in forks.all_at("again", client.revision()) if one.key.resource.endswith(GROUP)}
    assert kept == {"r"}, "roles come along, bindings of people elsewhere do not"


def test_a_run_file_carries_them(client: Client, tmp_path: Path) -> None:
    made(client, pod())
    put(client, role("system:reader"))
    put(client, binding("b", "Role/system:reader", user("ada")))
    file = io.BytesIO()
    recordings.export(clusters.get("main"), "default", file, identity=system("test"), logs=tmp_path)
    recordings.import_run("copy", file, identity=system("test"), logs=tmp_path)
    copy = Client("copy", system("test"), client.now)
    assert names(copy, ROLES) == ["system:reader"]
    assert names(copy, BINDINGS) == ["b"]
    assert not authorizer.sees_cluster(person(client, "ada").actor, "copy")
    assert refusal(put, copy, role()).code == 405


def test_a_fork_has_its_own(client: Client) -> None:
    put(client, binding("b", "ClusterRole/view", user("ada")))
    forking.fork(forking.Wish(source="main", name="again"), identity=system("test"))
    ada = person(client, "ada").actor
    client.delete(BINDINGS, "default", "b")
    assert not authorizer.sees_cluster(ada, "main")
    assert authorizer.allowed(ada, "list", "pods", cluster="again", namespace="default")


def test_tenants_by_a_binding_are_held_to_baseline(client: Client) -> None:
    clusters.ensure_main("docker")
    made(client, namespace("a"))
    made(client, pod("before", hostNetwork=True), "a")
    put(client, binding("look", "ClusterRole/view", user("ada")), "a")
    made(client, pod("still", hostNetwork=True), "a")
    put(client, binding("b", "ClusterRole/edit", account("robot", "default")), "a")
    error = refusal(made, client, pod(hostNetwork=True), "a")
    assert (error.code, 'violates PodSecurity "baseline:latest"' in error.message) == (403, True)
    made(client, pod("elsewhere", hostNetwork=True))
    mine = robot(client)
    relabel = {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "privileged"}}}
    assert refusal(mine.patch, "namespaces", "", "a", MERGE, relabel).code == 403
    put(client, binding("c", "ClusterRole/cluster-admin", account("robot", "default")), "a")
    assert refusal(mine.patch, "namespaces", "", "a", MERGE, relabel).code == 403
    assert refusal(mine.delete, "namespaces", "", "a").code == 403
    assert refusal(made, mine, pod(hostNetwork=True), "a").code == 403


def test_the_grants_alone_answer_the_common_question(client: Client, django_assert_num_queries: Any) -> None:
    ada = person(client, "ada", authorizer.STUDENT, "default").actor
    with django_assert_num_queries(0):
        assert authorizer.allowed(ada, "create", "pods", cluster="main", namespace="default")
    with django_assert_num_queries(1):
        assert not authorizer.allowed(ada, "create", "pods", cluster="main", namespace="kube-system")


@pytest.mark.django_db(transaction=True)
def test_what_is_known_is_read_once(client: Client, django_assert_num_queries: Any) -> None:
    put(client, binding("b", "ClusterRole/view", user("ada")))
    ada = person(client, "ada").actor
    assert authorizer.allowed(ada, "list", "pods", cluster="main", namespace="default")
    with django_assert_num_queries(1):
        assert authorizer.allowed(ada, "list", "pods", cluster="main", namespace="default")
    client.delete(BINDINGS, "default", "b")
    assert not authorizer.allowed(ada, "list", "pods", cluster="main", namespace="default")


def test_the_owner_of_a_role_takes_it_along(client: Client) -> None:
    """Edges of owners are kept for roles as for everything."""
    from podlab.storage import owners

    owner = client.create("configmaps", {"metadata": {"name": "o"}}, namespace="default").obj["metadata"]
    reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": "o", "uid": owner["uid"]}
    put(client, {**role(), "metadata": {"name": "r", "ownerReferences": [reference]}})
    found = owners.dependents(owners.Member(Key("main", "configmaps", "default", "o"), owner["uid"]))
    assert [(one.key.resource, one.key.name) for one in found] == [(ROLES, "r")]


def test_a_grant_of_the_lab_and_a_binding_add_up(client: Client) -> None:
    account_grants.give("system:serviceaccount:default:robot", "viewer", cluster="main", namespace="default")
    put(client, role("r", {"apiGroups": [""], "resources": ["secrets"], "verbs": ["list"]}))
    put(client, binding("b", "Role/r", account("robot")))
    mine = robot(client)
    mine.list("pods", "default")
    mine.list("secrets", "default")
    assert refusal(mine.get, "secrets", "default", "x").code == 403
    assert client.now() == START
