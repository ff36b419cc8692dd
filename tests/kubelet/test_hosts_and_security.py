"""/etc/hosts, /etc/resolv.conf, Service variables, and what a container may do."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from kubelet_world import World, container, pod

from podlab.apis.types import Manifest
from podlab.kubelet import container_config, hosts, pod_sandbox, security, service_links
from podlab.kubelet.environment import ConfigError
from podlab.runtime.images import ImageInfo
from podlab.runtime.interface import PidNamespace

HEAD = """# Kubernetes-managed hosts file.
127.0.0.1\tlocalhost
::1\tlocalhost ip6-localhost ip6-loopback
fe00::0\tip6-localnet
fe00::0\tip6-mcastprefix
fe00::1\tip6-allnodes
fe00::2\tip6-allrouters
"""
ALIASES = [{"ip": "10.1.2.3", "hostnames": ["foo.local", "bar.local"]}, {"ip": "10.1.2.4", "hostnames": ["baz"]}]
HOSTS: dict[str, tuple[dict[str, Any], str]] = {
    "a plain pod": ({}, f"{HEAD}10.0.0.9\tp\n"),
    "a pod in a subdomain has a full name": (
        {"hostname": "web-1", "subdomain": "sub"},
        f"{HEAD}10.0.0.9\tweb-1.sub.default.svc.cluster.local\tweb-1\n",
    ),
    "a name that overrides the hostname stands alone": (
        {"hostnameOverride": "other", "subdomain": "sub"},
        f"{HEAD}10.0.0.9\tother\n",
    ),
    "aliases follow": (
        {"hostAliases": ALIASES},
        f"{HEAD}10.0.0.9\tp\n\n# Entries added by HostAliases.\n10.1.2.3\tfoo.local\tbar.local\n10.1.2.4\tbaz\n",
    ),
    "on the host network it is the node's file": (
        {"hostNetwork": True},
        "# Kubernetes-managed hosts file (host network).\n127.0.0.1 node\n",
    ),
}


@pytest.mark.parametrize("sentence", HOSTS)
def test_hosts_file(sentence: str) -> None:
    spec, expected = HOSTS[sentence]
    assert hosts.hosts_file(pod(**spec), "10.0.0.9", "127.0.0.1 node\n") == expected


NODE = hosts.parse("# made by hand\nnameserver 192.0.2.53\nsearch example.org\noptions timeout:1\n")
CLUSTER = "default.svc.cluster.local svc.cluster.local cluster.local"
RESOLV: dict[str, tuple[dict[str, Any], str]] = {
    "ClusterFirst searches the cluster first": (
        {}, f"search {CLUSTER} example.org\nnameserver 192.0.2.53\noptions ndots:5\n",
    ),
    "dnsConfig adds to it and wins": (
        {"dnsConfig": {"searches": ["extra.example"], "options": [{"name": "ndots", "value": "3"}]}},
        f"search {CLUSTER} example.org extra.example\nnameserver 192.0.2.53\noptions ndots:3\n",
    ),
    "None is dnsConfig and nothing else": (
        {"dnsPolicy": "None", "dnsConfig": {"nameservers": ["1.2.3.4"], "options": [{"name": "edns0"}]}},
        "nameserver 1.2.3.4\noptions edns0\n",
    ),
    "Default is the node's own": (
        {"dnsPolicy": "Default"}, "search example.org\nnameserver 192.0.2.53\noptions timeout:1\n",
    ),
    "ClusterFirst on the host network is Default": (
        {"hostNetwork": True}, "search example.org\nnameserver 192.0.2.53\noptions timeout:1\n",
    ),
    "unless it says that it knows": (
        {"hostNetwork": True, "dnsPolicy": "ClusterFirstWithHostNet"},
        f"search {CLUSTER} example.org\nnameserver 192.0.2.53\noptions ndots:5\n",
    ),
    "three servers are the most": (
        {"dnsPolicy": "None", "dnsConfig": {"nameservers": ["192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"]}},
        "nameserver 192.0.2.1\nnameserver 192.0.2.2\nnameserver 192.0.2.3\n",
    ),
}  # fmt: skip


@pytest.mark.parametrize("sentence", RESOLV)
def test_resolv_conf(sentence: str) -> None:
    spec, expected = RESOLV[sentence]
    assert hosts.resolver(pod(**spec), NODE).text() == expected


def test_a_server_on_the_loopback_of_the_node_is_out_of_reach_for_a_pod() -> None:
    assert hosts.resolver(pod(), hosts.parse("nameserver 127.0.0.53\n")).servers == ("8.8.8.8", "8.8.4.4")


def test_the_cluster_s_server_is_the_only_one_where_the_cluster_comes_first() -> None:
    def servers(**spec: Any) -> tuple[str, ...]:
        return hosts.resolver(pod(**spec), NODE, "10.96.0.10").servers

    assert servers() == ("10.96.0.10",)
    assert servers(hostNetwork=True, dnsPolicy="ClusterFirstWithHostNet") == ("10.96.0.10",)
    assert servers(dnsConfig={"nameservers": ["192.0.2.9"]}) == ("10.96.0.10", "192.0.2.9")
    assert servers(hostNetwork=True) == servers(dnsPolicy="Default") == NODE.servers


def test_the_full_name_may_be_the_hostname_if_it_fits() -> None:
    full = {"setHostnameAsFQDN": True, "subdomain": "s"}
    assert hosts.node_name(pod(hostname="h", **full)) == "h.s.default.svc.cluster.local"
    with pytest.raises(ConfigError, match=r"is too long \(64 characters is the max, 91 characters requested\)"):
        hosts.node_name(pod(hostname="h" * 63, **full))


def service(name: str, namespace: str = "default", ip: str = "10.96.0.7", **spec: Any) -> Manifest:
    ports = [{"name": "sql", "port": 5432}, {"name": "mon", "port": 9000, "protocol": "UDP"}]
    return {"metadata": {"name": name, "namespace": namespace}, "spec": {"clusterIP": ip, "ports": ports, **spec}}


def test_a_service_becomes_variables() -> None:
    assert service_links.variables(pod(), [service("my-db")]) == {
        "MY_DB_SERVICE_HOST": "10.96.0.7",
        "MY_DB_SERVICE_PORT": "5432",
        "MY_DB_SERVICE_PORT_SQL": "5432",
        "MY_DB_SERVICE_PORT_MON": "9000",
        "MY_DB_PORT": "tcp://10.96.0.7:5432",
        "MY_DB_PORT_5432_TCP": "tcp://10.96.0.7:5432",
        "MY_DB_PORT_5432_TCP_PROTO": "tcp",
        "MY_DB_PORT_5432_TCP_PORT": "5432",
        "MY_DB_PORT_5432_TCP_ADDR": "10.96.0.7",
        "MY_DB_PORT_9000_UDP": "udp://10.96.0.7:9000",
        "MY_DB_PORT_9000_UDP_PROTO": "udp",
        "MY_DB_PORT_9000_UDP_PORT": "9000",
        "MY_DB_PORT_9000_UDP_ADDR": "10.96.0.7",
    }


def test_without_service_links_only_the_api_is_told() -> None:
    found = service_links.variables(
        pod(enableServiceLinks=False), [service("my-db"), service("kubernetes"), service("none", ip="None")]
    )
    assert {name.partition("_")[0] for name in found} == {"KUBERNETES"}


def config_of(manifest: Manifest) -> Any:
    spec = container_config.pods.app_specs(manifest)[0]
    image = ImageInfo("sha256:1", "busybox:1.36", 1)
    return container_config.container_config(
        manifest, spec, attempt=0, image=image, env={}, mounts=(), machine_memory=2**32
    )


SECURITY: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = {
    "capabilities are added and dropped": (
        {}, {"capabilities": {"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]}},
        {"drop_capabilities": ("ALL",), "add_capabilities": ("NET_BIND_SERVICE",)},
    ),
    "no escalation means no new privileges": (
        {}, {"allowPrivilegeEscalation": False}, {"no_new_privileges": True},
    ),
    "the pod's groups are those of every process": (
        {"supplementalGroups": [5, 6], "fsGroup": 7}, {}, {"groups": (5, 6, 7)},
    ),
    "the container's user wins over the pod's": (
        {"runAsUser": 1, "runAsGroup": 2}, {"runAsUser": 3}, {"run_as_user": 3, "run_as_group": 2},
    ),
    "unconfined is taken at its word": (
        {"seccompProfile": {"type": "Unconfined"}}, {}, {"seccomp_unconfined": True},
    ),
    "SELinux options are passed on": (
        {"seLinuxOptions": {"level": "s0", "type": "t"}}, {}, {"selinux": ("type:t", "level:s0")},
    ),
}  # fmt: skip


@pytest.mark.parametrize("sentence", SECURITY)
def test_security_context(sentence: str) -> None:
    of_pod, of_container, expected = SECURITY[sentence]
    config = config_of(pod(container(securityContext=of_container), securityContext=of_pod))
    assert {name: getattr(config, name) for name in expected} == expected


@pytest.mark.parametrize(
    ("quality", "asked", "expected"),
    [("Guaranteed", "1Gi", -997), ("BestEffort", None, 1000), ("Burstable", "1Gi", 750), ("Burstable", "4Gi", 3)],
)
def test_who_asked_for_little_is_killed_first(quality: str, asked: str | None, expected: int) -> None:
    one = container(resources={"requests": {"memory": asked}} if asked else {})
    manifest = pod(one)
    manifest["status"]["qosClass"] = quality
    assert config_of(manifest).oom_score_adj == expected


def test_processes_are_shared_as_the_pod_says(world: World) -> None:
    world.apply(pod(shareProcessNamespace=True))
    assert world.runtime.configs["p-main-0"].pid_namespace is PidNamespace.POD


def test_a_debugger_sees_the_processes_of_its_target(world: World) -> None:
    world.apply(pod())
    world.edit(lambda pod: pod["spec"].update(ephemeralContainers=[container("dbg", targetContainerName="main")]))
    config = world.runtime.configs["p-dbg-0"]
    assert (config.pid_namespace, config.pid_target) == (PidNamespace.TARGET, "p-main-0")


REFUSED: dict[str, tuple[dict[str, Any], str, str]] = {
    "a sysctl that harms the neighbours": (
        {"securityContext": {"sysctls": [{"name": "kernel.msgmax", "value": "1"}]}},
        "SysctlForbidden",
        'forbidden sysctl: "kernel.msgmax" not allowlisted',
    ),
    "more processors than there are": (
        {"containers": [container(resources={"requests": {"cpu": "500"}})]},
        "OutOfcpu",
        "Node didn't have enough resource: cpu, requested: 500000, used: 0, capacity: 2000",
    ),
    "a label that the node has not": (
        {"nodeSelector": {"disk": "ssd"}},
        "NodeAffinity",
        "Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector",
    ),
}


@pytest.mark.parametrize("sentence", REFUSED)
def test_the_node_does_not_let_in(world: World, sentence: str) -> None:
    spec, reason, message = REFUSED[sentence]
    manifest = pod()
    manifest["spec"].update(spec)
    world.apply(manifest)
    assert (world.status["phase"], world.status["reason"], world.status["observedGeneration"]) == ("Failed", reason, 1)
    assert world.status["message"] == f"Pod was rejected: {message}"
    assert world.told.events == [("Warning", reason, message)]
    assert not world.runtime.sandboxes


def test_two_pods_cannot_have_one_port_of_the_node(world: World) -> None:
    first = pod(container(ports=[{"containerPort": 80, "hostPort": 8080}]), name="first")
    world.apply(first)
    world.apply(pod(container(ports=[{"containerPort": 81, "hostPort": 8080}])))
    assert world.status["reason"] == "NodePorts"


@pytest.mark.parametrize("field", ["hostPID", "hostIPC"])
def test_the_node_s_processes_need_its_owner_s_word(field: str) -> None:
    manifest = pod(**{field: True})
    assert security.refusals(manifest, frozenset()) == [f"spec.{field}"]
    assert security.refusals(manifest, frozenset({field})) == []


UNABLE: dict[str, tuple[dict[str, Any], dict[str, Any], list[str]]] = {
    "a seccomp profile of the node": (
        {}, {"seccompProfile": {"type": "Localhost"}}, ["spec.containers{main}.securityContext.seccompProfile Localhost"],
    ),
    "an AppArmor profile of the node": (
        {}, {"appArmorProfile": {"type": "Localhost"}}, ["spec.containers{main}.securityContext.appArmorProfile Localhost"],
    ),
    "an unmasked /proc": ({}, {"procMount": "Unmasked"}, ["spec.containers{main}.securityContext.procMount Unmasked"]),
}  # fmt: skip


@pytest.mark.parametrize("sentence", UNABLE)
def test_what_this_node_cannot_honour_is_named(sentence: str) -> None:
    spec, context, expected = UNABLE[sentence]
    manifest = pod(container(securityContext=context), **spec)
    assert security.refusals(manifest, frozenset()) == expected
    assert expected[0] in container_config.refusal(manifest, frozenset())


def test_users_of_their_own_are_refused() -> None:
    assert container_config.refusal(pod(hostUsers=False), frozenset()).endswith("because it sets spec.hostUsers")


@pytest.mark.parametrize(
    ("config", "texts"),
    [
        ({"nameservers": ["1.1.1.1", "1.1.1.2"]}, []),
        (
            {"nameservers": ["1.1.1.1", "1.1.1.2", "1.1.1.3"]},
            [
                "Nameserver limits were exceeded, some nameservers have been omitted, the applied nameserver line is: "
                "10.96.0.10 1.1.1.1 1.1.1.2"
            ],
        ),
        (
            {"searches": [f"s{n}.example" for n in range(31)]},
            [
                "Search Line limits were exceeded, some search paths have been omitted, the applied search line is: "
                + " ".join(["default.svc.cluster.local", "svc.cluster.local", "cluster.local"])
                + "".join(f" s{n}.example" for n in range(29))
            ],
        ),
        (
            {"searches": ["a" * 254, "b.example"]},
            [
                "Search Line limits were exceeded, some search paths have been omitted, the applied search line is: "
                "default.svc.cluster.local svc.cluster.local cluster.local b.example"
            ],
        ),
    ],
    ids=["fits", "servers", "searches", "a long one"],
)
def test_what_a_resolv_conf_cannot_hold_is_told(
    config: dict[str, Any], texts: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hosts, "_read", lambda path: "nameserver 9.9.9.9\n")
    assert hosts.left_out(pod(dnsConfig=config), "10.96.0.10") == texts


def test_the_limits_of_dns_are_told_with_the_sandbox(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hosts, "_read", lambda path: "nameserver 9.9.9.9\n")
    ctx = world.kubelet._ctx
    assert ctx is not None
    pod_sandbox.tell_dns_limits(ctx, pod(dnsConfig={"nameservers": ["1.1.1.1", "1.1.1.2", "1.1.1.3"]}))
    assert world.told.messages("DNSConfigForming") == []  # a simulated node has no resolv.conf
    real = replace(ctx, machine=replace(ctx.machine, simulated=False), cluster_dns=lambda: "10.96.0.10")
    pod_sandbox.tell_dns_limits(real, pod(dnsConfig={"nameservers": ["1.1.1.1", "1.1.1.2", "1.1.1.3"]}))
    assert len(world.told.messages("DNSConfigForming")) == 1
