"""Pod Security: what a namespace's labels forbid, in Kubernetes' words."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from registry_samples import made, namespace, pod, refusal

from podlab.apis.types import Manifest
from podlab.registry import account_grants, clusters, identity
from podlab.registry.admission.pod_security import evaluate
from podlab.registry.admission.pod_security.checks import Subject
from podlab.registry.admission.pod_security.levels import LATEST, Rule, policy_of
from podlab.registry.client import Client

GOOD = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
GOOD_POD = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}


def one(**container: Any) -> Manifest:
    return {"containers": [{"name": "c", "image": "x", **container}]}


def held(**container: Any) -> Manifest:
    """A pod that restricted lets in, but for what the case puts in."""
    context = {**GOOD, **container.pop("securityContext", {})}
    return {"securityContext": GOOD_POD, **one(securityContext=context, **container)}


BASELINE = {
    "two host namespaces": (
        {**one(), "hostPID": True, "hostIPC": True},
        "host namespaces (hostPID=true, hostIPC=true)",
    ),
    "ports of one container are sorted as text": (
        one(ports=[{"hostPort": 9}, {"hostPort": 80}]),
        'hostPort (container "c" uses hostPorts 80, 9)',
    ),
    "a capability that root of a container has anyway is fine": (
        one(securityContext={"capabilities": {"add": ["CHOWN"]}}),
        "",
    ),
    "a probe of another host": (
        one(livenessProbe={"httpGet": {"host": "1.1.1.1"}}, readinessProbe={"tcpSocket": {"host": "2.2.2.2"}}),
        'probe or lifecycle host (container "c" uses probe or lifecycle hosts "1.1.1.1", "2.2.2.2")',
    ),
    "an unmasked /proc": (
        one(securityContext={"procMount": "Unmasked"}),
        'procMount (container "c" must not set securityContext.procMount to "Unmasked")',
    ),
    "an unmasked /proc in a user namespace is fine": (
        {**one(securityContext={"procMount": "Unmasked"}), "hostUsers": False},
        "",
    ),
    "seccomp off in pod and container": (
        {
            **one(securityContext={"seccompProfile": {"type": "Unconfined"}}),
            "securityContext": {"seccompProfile": {"type": "Unconfined"}},
        },
        'seccompProfile (pod and container "c" must not set securityContext.seccompProfile.type to "Unconfined")',
    ),
    "an SELinux type and a user": (
        {**one(), "securityContext": {"seLinuxOptions": {"type": "spc_t", "user": "u"}}},
        'seLinuxOptions (pod set forbidden securityContext.seLinuxOptions: type "spc_t"; user may not be set)',
    ),
    "two sysctls keep their order": (
        {**one(), "securityContext": {"sysctls": [{"name": "kernel.b"}, {"name": "kernel.a"}]}},
        "forbidden sysctls (kernel.b, kernel.a)",
    ),
    "a Windows host process": (
        {**one(), "securityContext": {"windowsOptions": {"hostProcess": True}}},
        "hostProcess (pod must not set securityContext.windowsOptions.hostProcess=true)",
    ),
}

RESTRICTED = {
    "nothing wrong": (held(), ""),
    "baseline's finding comes first": (
        {**held(), "hostNetwork": True, "volumes": [{"name": "v", "nfs": {}}]},
        'host namespaces (hostNetwork=true), restricted volume types (volume "v" uses restricted volume type "nfs")',
    ),
    "a host path is told once": (
        {**held(), "volumes": [{"name": "v", "hostPath": {}}]},
        'restricted volume types (volume "v" uses restricted volume type "hostPath")',
    ),
    "capabilities kept and added": (
        held(securityContext={"capabilities": {"add": ["CHOWN", "NET_BIND_SERVICE"]}}),
        'unrestricted capabilities (container "c" must set securityContext.capabilities.drop=["ALL"]; container "c" must'
        ' not include "CHOWN" in securityContext.capabilities.add)',
    ),
    "root by number": (
        held(securityContext={"runAsUser": 0}),
        'runAsUser=0 (container "c" must not set runAsUser=0)',
    ),
    "root in a user namespace is fine": ({**held(securityContext={"runAsUser": 0}), "hostUsers": False}, ""),
    "but not an unmasked /proc": (
        {**held(securityContext={"procMount": "Unmasked"}), "hostUsers": False},
        'procMount (container "c" must not set securityContext.procMount to "Unmasked")',
    ),
    "Windows knows neither capabilities nor seccomp": (
        {**one(), "os": {"name": "windows"}, "securityContext": {"runAsNonRoot": True}},
        "",
    ),
}


@pytest.mark.parametrize(
    ("level", "spec", "told"),
    [("baseline", *case) for case in BASELINE.values()] + [("restricted", *case) for case in RESTRICTED.values()],
    ids=[*BASELINE, *RESTRICTED],
)
def test_what_is_found(level: str, spec: Manifest, told: str) -> None:
    assert evaluate.details(evaluate.violations(Rule(level), Subject({}, spec))) == told


VERSIONS = {
    "probe hosts were not looked at before 1.34": (
        33,
        one(livenessProbe={"httpGet": {"host": "h"}}),
        "baseline",
        False,
    ),
    "a sysctl that became safe in 1.29": (
        28,
        {**one(), "securityContext": {"sysctls": [{"name": "net.ipv4.tcp_fin_timeout"}]}},
        "baseline",
        True,
    ),
    "and is since": (
        29,
        {**one(), "securityContext": {"sysctls": [{"name": "net.ipv4.tcp_fin_timeout"}]}},
        "baseline",
        False,
    ),
    "capabilities were free under restricted before 1.22": (
        21,
        held(securityContext={"capabilities": {}}),
        "restricted",
        False,
    ),
    "root by number was free before 1.23": (22, held(securityContext={"runAsUser": 0}), "restricted", False),
    "an SELinux type of 1.31": (
        30,
        {**one(), "securityContext": {"seLinuxOptions": {"type": "container_engine_t"}}},
        "baseline",
        True,
    ),
}


@pytest.mark.parametrize(("minor", "spec", "level", "found"), list(VERSIONS.values()), ids=list(VERSIONS))
def test_a_version_is_as_strict_as_it_was(minor: int, spec: Manifest, level: str, found: bool) -> None:
    assert bool(evaluate.violations(Rule(level, minor), Subject({}, spec))) is found


LABELS = {
    "no labels: everything goes": ({}, "privileged:latest", "privileged:latest"),
    "enforcing warns too": ({"enforce": "baseline"}, "baseline:latest", "baseline:latest"),
    "at the enforced version": (
        {"enforce": "baseline", "enforce-version": "v1.20"},
        "baseline:v1.20",
        "baseline:v1.20",
    ),
    "unless warnings have their own level": (
        {"enforce": "baseline", "warn": "restricted", "warn-version": "v1.30"},
        "baseline:latest",
        "restricted:v1.30",
    ),
    "a wrong level is enforced at its strictest": ({"enforce": "x"}, "restricted:latest", "privileged:latest"),
}


@pytest.mark.parametrize(("labels", "enforce", "warn"), list(LABELS.values()), ids=list(LABELS))
def test_labels(labels: dict[str, str], enforce: str, warn: str) -> None:
    policy, _ = policy_of({f"pod-security.kubernetes.io/{name}": value for name, value in labels.items()})
    assert (str(policy.enforce), str(policy.warn)) == (enforce, warn)
    assert policy.audit == Rule("privileged", LATEST)


def strict(name: str, level: str, mode: str = "enforce") -> Manifest:
    obj = namespace(name)
    obj["metadata"]["labels"] = {f"pod-security.kubernetes.io/{mode}": level}
    return obj


def relabel(level: str) -> Manifest:
    return {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": level}}}


MERGE = "application/merge-patch+json"


@pytest.mark.django_db
class TestPlugin:
    def test_a_pod_is_refused(self, client: Client) -> None:
        made(client, strict("a", "baseline"))
        error = refusal(made, client, pod(hostNetwork=True), "a")
        text = 'pods "p" is forbidden: violates PodSecurity "baseline:latest": host namespaces (hostNetwork=true)'
        assert (error.code, error.message) == (403, text)

    def test_a_pod_is_warned_about(self, client: Client) -> None:
        made(client, strict("a", "baseline", "warn"))
        written = client.create("pods", pod(hostNetwork=True), namespace="a")
        assert written.warnings == ('would violate PodSecurity "baseline:latest": host namespaces (hostNetwork=true)',)

    def test_an_update_that_changes_no_image_is_let_through(self, client: Client) -> None:
        made(client, namespace("a"))
        made(client, pod(hostNetwork=True), "a")
        client.patch("namespaces", "", "a", MERGE, relabel("baseline"))
        client.patch("pods", "a", "p", MERGE, {"metadata": {"labels": {"x": "y"}}})
        image = {"spec": {"containers": [{"name": "c", "image": "other"}]}}
        error = refusal(client.patch, "pods", "a", "p", "application/strategic-merge-patch+json", image)
        assert "violates PodSecurity" in error.message

    def test_a_stricter_namespace_names_its_pods(self, client: Client) -> None:
        made(client, namespace("a"))
        for name, spec in {"one": {"hostNetwork": True}, "two": {"hostNetwork": True}, "fine": {}}.items():
            made(client, pod(name, **spec), "a")
        written = client.patch("namespaces", "", "a", MERGE, relabel("baseline"))
        assert written.warnings == (
            'existing pods in namespace "a" violate the new PodSecurity enforce level "baseline:latest"',
            "one (and 1 other pod): host namespaces",
        )
        assert client.patch("namespaces", "", "a", MERGE, relabel("privileged")).warnings == ()

    def test_a_label_that_nobody_understands(self, client: Client) -> None:
        error = refusal(made, client, strict("a", "lax"))
        assert error.code == 422
        assert "must be one of privileged, baseline, restricted" in error.message


@pytest.mark.django_db
class TestSharedMachine:
    """Who may write in one namespace only does not become root of the machine on which all of them lie."""

    @pytest.mark.parametrize(
        ("spec", "reason"),
        [
            ({"hostNetwork": True}, "host namespaces"),
            (one(securityContext={"privileged": True}), "privileged"),
            (one(securityContext={"capabilities": {"add": ["SYS_ADMIN"]}}), "non-default capabilities"),
            (one(securityContext={"seccompProfile": {"type": "Unconfined"}}), "seccompProfile"),
        ],
    )
    def test_a_students_namespace_on_docker_is_baseline(self, client: Client, spec: Manifest, reason: str) -> None:
        clusters.ensure_main("docker")
        made(client, namespace("a"))
        made(client, pod("before", **spec), "a")
        identity.grant(User.objects.create_user("sam"), "student", cluster="main", namespace="a")
        error = refusal(made, client, pod(**spec), "a")
        assert (error.code, 'violates PodSecurity "baseline:latest"' in error.message) == (403, True)
        assert reason in error.message
        made(client, pod("plain"), "a")
        made(client, pod("elsewhere", **spec))
        client.patch("namespaces", "", "a", MERGE, relabel("privileged"))
        made(client, pod(**spec), "a")

    @pytest.mark.parametrize(
        ("runtime", "role", "where", "refused"),
        [
            ("docker", "student", "*", True),
            ("docker", "instructor", "a", True),
            ("docker", "viewer", "a", False),
            ("docker", "admin", "*", False),
            ("sim", "student", "a", False),
        ],
    )
    def test_for_whom(self, client: Client, runtime: str, role: str, where: str, refused: bool) -> None:
        clusters.ensure_main(runtime)
        made(client, namespace("a"))
        identity.grant(User.objects.create_user("sam"), role, cluster="*", namespace=where)
        if refused:
            assert refusal(made, client, pod(hostNetwork=True), "a").code == 403
        else:
            made(client, pod(hostNetwork=True), "a")

    def test_a_service_account_counts_too_and_templates_are_warned_about(self, client: Client) -> None:
        clusters.ensure_main("docker")
        made(client, namespace("a"))
        account_grants.give("system:serviceaccount:default:robot", "student", cluster="main", namespace="a")
        assert refusal(made, client, pod(hostNetwork=True), "a").code == 403
        job = {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": {"name": "j"},
            "spec": {"template": {"spec": {**one(), "hostNetwork": True, "restartPolicy": "Never"}}},
        }
        written = client.create("jobs.batch", job, namespace="a")
        assert [text for text in written.warnings if "would violate" in text]
