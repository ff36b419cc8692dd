"""Real kubectl: generators that send protobuf, questions about identity and rights, server-side apply with a conflict."""

from __future__ import annotations

import json
import re

import pytest
from kubectl_server import Server

pytestmark = pytest.mark.kubectl

SETTINGS = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: m
data:
  a: "{value}"
"""


def test_generators(server: Server, namespace: str) -> None:
    """kubectl 1.32 and later sends these in protobuf and knows no other way."""
    made = {
        "configmap": ("cm1", "--from-literal=a=1"),
        "secret": ("generic", "s1", "--from-literal=p=q"),
        "serviceaccount": ("robot",),
    }
    for kind, arguments in made.items():
        assert "created" in server.run("create", kind, *arguments, "-n", namespace)
    found = json.loads(server.run("get", "configmap", "cm1", "-n", namespace, "-o", "json"))
    assert found["data"] == {"a": "1"}
    secret = json.loads(server.run("get", "secret", "s1", "-n", namespace, "-o", "json"))
    assert (secret["data"], secret["type"]) == ({"p": "cQ=="}, "Opaque")
    server.run("create", "namespace", f"{namespace}-b")
    assert json.loads(server.run("get", "ns", f"{namespace}-b", "-o", "json"))["spec"] == {"finalizers": ["kubernetes"]}


def test_may_i(server: Server, namespace: str) -> None:
    assert server.run("auth", "can-i", "create", "pods", "-n", namespace).strip() == "yes"
    assert server.run("auth", "can-i", "*", "*").strip() == "yes"
    listed = server.run("auth", "can-i", "--list", "-n", namespace)
    assert "*.*" in listed
    assert "Username" in server.run("auth", "whoami")
    who = json.loads(server.run("auth", "whoami", "-o", "json"))["status"]["userInfo"]
    assert who["username"] == "admin"
    assert "system:authenticated" in who["groups"]


def test_a_service_account_with_a_token_of_its_own(server: Server, namespace: str) -> None:
    server.run("create", "serviceaccount", "robot", "-n", namespace)
    token = server.run("create", "token", "robot", "-n", namespace, "--duration=10m").strip()
    assert token.count(".") == 2
    as_robot = ("--kubeconfig", kubeconfig_with(server, token))
    who = json.loads(server.run("auth", "whoami", "-o", "json", *as_robot))["status"]["userInfo"]
    assert who["username"] == f"system:serviceaccount:{namespace}:robot"
    assert "system:serviceaccounts" in who["groups"]
    assert server.run("auth", "can-i", "get", "pods", "-n", namespace, *as_robot, code=1).strip() == "no"
    refused = server.run("get", "pods", "-n", namespace, *as_robot, code=1)
    assert f'User "system:serviceaccount:{namespace}:robot" cannot list resource "pods"' in refused


def kubeconfig_with(server: Server, token: str) -> str:
    """The admin's kubeconfig with somebody else's token."""
    text = (server.folder / "kubeconfig-main").read_text()
    path = server.folder / "kubeconfig-robot"
    path.write_text(text.replace(server.token, token))
    return str(path)


def test_server_side_apply_with_a_conflict(server: Server, namespace: str) -> None:
    place = ("-n", namespace, "--server-side", "-f", "-")
    first = server.run("apply", *place, "--field-manager=one", stdin=SETTINGS.format(value="1"))
    assert "configmap/m serverside-applied" in first
    conflict = server.run("apply", *place, "--field-manager=two", stdin=SETTINGS.format(value="2"), code=1)
    assert 'Apply failed with 1 conflict: conflict with "one": .data.a' in conflict
    assert "--force-conflicts" in conflict
    forced = server.run("apply", *place, "--field-manager=two", "--force-conflicts", stdin=SETTINGS.format(value="2"))
    assert "serverside-applied" in forced
    shown = json.loads(server.run("get", "cm", "m", "-n", namespace, "-o", "json", "--show-managed-fields"))
    entries = shown["metadata"]["managedFields"]
    assert [(entry["manager"], entry["operation"]) for entry in entries] == [("two", "Apply")]
    assert "managedFields" not in server.run("get", "cm", "m", "-n", namespace, "-o", "yaml")


def test_from_the_clients_side_to_the_servers(server: Server, namespace: str) -> None:
    server.run("apply", "-n", namespace, "-f", "-", stdin=SETTINGS.format(value="1"))
    assert "a:" in server.run("apply", "view-last-applied", "cm/m", "-n", namespace)
    moved = server.run("apply", "-n", namespace, "--server-side", "-f", "-", stdin=SETTINGS.format(value="2"))
    assert "serverside-applied" in moved
    found = json.loads(server.run("get", "cm", "m", "-n", namespace, "-o", "json", "--show-managed-fields"))
    assert found["data"] == {"a": "2"}
    assert {entry["operation"] for entry in found["metadata"]["managedFields"]} == {"Apply"}
    back = server.run("apply", "-n", namespace, "-f", "-", stdin=SETTINGS.format(value="3"))
    assert "configmap/m configured" in back
    assert "exit status" not in server.run(
        "diff", "-n", namespace, "--server-side", "-f", "-", stdin=SETTINGS.format(value="3"), code=None
    )


RECONCILED = """\
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {{name: reader, namespace: {namespace}}}
rules:
- {{apiGroups: [""], resources: [pods, pods/log], verbs: [get, list]}}
- {{apiGroups: [""], resources: [configmaps], verbs: [get]}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {{name: reads, namespace: {namespace}}}
roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}}
subjects:
- {{kind: Group, apiGroup: rbac.authorization.k8s.io, name: friends}}
"""


def test_roles_and_bindings(server: Server, namespace: str) -> None:
    """The commands of the documentation, from an account that may nothing to one that reads pods."""
    here = ("-n", namespace)
    robot = f"--as=system:serviceaccount:{namespace}:robot"
    server.run("create", "serviceaccount", "robot", *here)
    assert server.run("auth", "can-i", "list", "pods", *here, robot, code=1).strip() == "no"
    server.run("create", "role", "reader", "--verb=get,list", "--resource=pods,pods/log", *here)
    made = server.run("create", "rolebinding", "reads", "--role=reader", f"--serviceaccount={namespace}:robot", *here)
    assert "rolebinding.rbac.authorization.k8s.io/reads created" in made
    assert server.run("auth", "can-i", "list", "pods", *here, robot).strip() == "yes"
    assert server.run("auth", "can-i", "get", "pods", "--subresource=log", *here, robot).strip() == "yes"
    assert server.run("auth", "can-i", "list", "pods", "-n", "default", robot, code=1).strip() == "no"
    assert "No resources found" in server.run("get", "pods", *here, robot, code=None)
    refused = server.run("get", "secrets", *here, robot, code=1)
    assert f'User "system:serviceaccount:{namespace}:robot" cannot list resource "secrets"' in refused
    listed = server.run("auth", "can-i", "--list", *here, robot)
    assert "pods/log" in listed
    told = server.run("describe", "role", "reader", *here)
    assert re.search(r"pods/log +\[\] +\[\] +\[get list\]", told)
    wide = server.run("get", "rolebinding", "reads", "-o", "wide", *here)
    assert re.search(rf"reads +Role/reader +\S+ +{namespace}/robot", wide)
    assert re.search(r"NAME +CREATED AT\nreader +20", server.run("get", "role", *here))
    again = server.run("auth", "reconcile", "-f", "-", stdin=RECONCILED.format(namespace=namespace))
    assert "reconciled" in again
    assert server.run("auth", "can-i", "get", "configmaps", *here, robot).strip() == "yes"
    both = server.run("get", "rolebinding", "reads", "-o", "wide", *here)
    assert "friends" in both
    assert f"{namespace}/robot" in both


def test_cluster_roles(server: Server, namespace: str) -> None:
    looker = f"--as=looker-{namespace}"
    assert server.run("auth", "can-i", "list", "nodes", looker, code=1).startswith("no")
    server.run("create", "clusterrole", namespace, "--verb=list", "--resource=nodes")
    server.run("create", "clusterrolebinding", namespace, f"--clusterrole={namespace}", f"--user=looker-{namespace}")
    assert server.run("auth", "can-i", "list", "nodes", looker).startswith("yes")
    assert "node-a" in server.run("get", "nodes", looker)
    assert server.run("auth", "can-i", "list", "pods", looker, code=1).strip() == "no"
    server.run("create", "rolebinding", "looks", "--clusterrole=view", f"--user=looker-{namespace}", "-n", namespace)
    assert server.run("auth", "can-i", "list", "pods", looker, "-n", namespace).strip() == "yes"
    server.run("delete", "clusterrolebinding", namespace)
    assert server.run("auth", "can-i", "list", "nodes", looker, code=1).startswith("no")
    refused = server.run("delete", "clusterrole", "view", code=1)
    assert "managed by podlab" in refused
    assert "podlab:student" in server.run("get", "clusterroles")
    assert "Resources" in server.run("describe", "clusterrole", "edit")
