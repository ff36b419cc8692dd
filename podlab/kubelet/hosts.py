"""The files /etc/hosts and /etc/resolv.conf of a pod's containers. The texts are pure; `mounts` keeps them on the node.

pkg/kubelet/kubelet_pods.go (managedHostsFileContent, GeneratePodHostNameAndDomain) and pkg/kubelet/network/dns/dns.go.
Where the cluster has no DNS (`cluster_dns`), a pod with ClusterFirst asks the node's servers, with a cluster's search list.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from podlab.apis.types import Manifest
from podlab.kubelet import pods
from podlab.kubelet.environment import ConfigError
from podlab.runtime.interface import Mount

CLUSTER_DOMAIN = "cluster.local"
HOSTS, RESOLV = PATHS = "/etc/hosts", "/etc/resolv.conf"
MAX_FQDN = 64
_FALLBACK_SERVERS = ("8.8.8.8", "8.8.4.4")  # the engine's own choice when the node's servers are local to it
_MAX_SERVERS, _MAX_SEARCHES, _MAX_SEARCH_CHARS, _LONGEST_SEARCH = 3, 32, 2048, 253
_HEAD = """# Kubernetes-managed hosts file.
127.0.0.1\tlocalhost
::1\tlocalhost ip6-localhost ip6-loopback
fe00::0\tip6-localnet
fe00::0\tip6-mcastprefix
fe00::1\tip6-allnodes
fe00::2\tip6-allrouters
"""


def host_name(pod: Manifest) -> str:
    spec = pod["spec"]
    name = spec.get("hostnameOverride") or spec.get("hostname") or pod["metadata"]["name"]
    return str(name)[:63].rstrip("-.")


def domain(pod: Manifest) -> str:
    """A name that overrides the hostname stands alone (kubelet_pods.go GeneratePodHostNameAndDomain)."""
    subdomain = None if pod["spec"].get("hostnameOverride") else pod["spec"].get("subdomain")
    return f"{subdomain}.{pod['metadata']['namespace']}.svc.{CLUSTER_DOMAIN}" if subdomain else ""


def node_name(pod: Manifest) -> str:
    """What `hostname` says in the pod. ConfigError when the full name does not fit into the kernel's field."""
    name, above = host_name(pod), domain(pod)
    if not above or not pod["spec"].get("setHostnameAsFQDN"):
        return name
    full = f"{name}.{above}"
    if len(full) > MAX_FQDN:
        raise ConfigError(
            f"failed to construct FQDN from pod hostname and cluster domain, FQDN {full} is too long "
            f"({MAX_FQDN} characters is the max, {len(full)} characters requested)"
        )
    return full


def hosts_file(pod: Manifest, pod_ip: str, node_file: str = "") -> str:
    """`node_file`: the node's own, which a pod on the host network sees."""
    name, above = host_name(pod), domain(pod)
    if pods.host_network(pod):
        text = f"# Kubernetes-managed hosts file (host network).\n{node_file}"
    else:
        text = f"{_HEAD}{pod_ip}\t{name}.{above}\t{name}\n" if above else f"{_HEAD}{pod_ip}\t{name}\n"
    aliases = pod["spec"].get("hostAliases") or []
    if aliases:
        text += "\n# Entries added by HostAliases.\n"
        text += "".join("\t".join([alias["ip"], *(alias.get("hostnames") or [])]) + "\n" for alias in aliases)
    return text


@dataclass(frozen=True, slots=True)
class Resolver:
    servers: tuple[str, ...] = ()
    searches: tuple[str, ...] = ()
    options: tuple[str, ...] = ()

    def text(self) -> str:
        lines = [f"search {' '.join(self.searches)}"] if self.searches else []
        lines += [f"nameserver {server}" for server in self.servers]
        lines += [f"options {' '.join(self.options)}"] if self.options else []
        return "".join(f"{line}\n" for line in lines)


def parse(text: str) -> Resolver:
    """The node's resolv.conf."""
    found: dict[str, list[str]] = {"nameserver": [], "search": [], "options": []}
    for line in text.splitlines():
        word, *rest = line.split("#")[0].split(";")[0].split() or [""]
        if word == "nameserver" and rest:
            found[word].append(rest[0])
        elif word in ("search", "options"):
            found[word] = rest  # the last line counts
    return Resolver(tuple(found["nameserver"]), tuple(found["search"]), tuple(found["options"]))


def resolver(pod: Manifest, node: Resolver, cluster_dns: str = "") -> Resolver:
    """Servers, search list and options by dnsPolicy, then what dnsConfig adds. `cluster_dns`: the cluster's own server."""
    return _limited(_wanted(pod, node, cluster_dns))


def _wanted(pod: Manifest, node: Resolver, cluster_dns: str) -> Resolver:
    policy = pod["spec"].get("dnsPolicy") or "ClusterFirst"
    own_network = not pods.host_network(pod)
    if own_network:
        reachable = tuple(server for server in node.servers if not server.startswith(("127.", "::1")))
        node = Resolver(reachable or _FALLBACK_SERVERS, node.searches, node.options)
    if policy == "None":
        base = Resolver()
    elif policy == "ClusterFirstWithHostNet" or (policy == "ClusterFirst" and own_network):
        namespace = pod["metadata"]["namespace"]
        cluster = (f"{namespace}.svc.{CLUSTER_DOMAIN}", f"svc.{CLUSTER_DOMAIN}", CLUSTER_DOMAIN)
        servers = (cluster_dns,) if cluster_dns else node.servers
        base = Resolver(servers, (*cluster, *node.searches), ("ndots:5",))
    else:
        base = node
    return _with_config(base, pod["spec"].get("dnsConfig") or {})


def _with_config(base: Resolver, config: Manifest) -> Resolver:
    options = dict(_split(option) for option in base.options)
    options |= {str(one["name"]): str(one.get("value") or "") for one in config.get("options") or []}
    return Resolver(
        _unique(base.servers, config.get("nameservers")),
        _unique(base.searches, config.get("searches")),
        tuple(f"{name}:{value}" if value else name for name, value in options.items()),
    )


def _limited(one: Resolver) -> Resolver:
    """What a resolv.conf may hold (formDNSConfigFitsLimits); a search path that is too long would end glibc's resolver."""
    searches = [search for search in one.searches[:_MAX_SEARCHES] if len(search) <= _LONGEST_SEARCH]
    while len(" ".join(searches)) > _MAX_SEARCH_CHARS:
        searches.pop()
    return Resolver(one.servers[:_MAX_SERVERS], tuple(searches), one.options)


def left_out(pod: Manifest, cluster_dns: str) -> list[str]:
    """What the resolv.conf of a pod cannot hold, in the words of the DNSConfigForming events."""
    wanted = _wanted(pod, parse(_read(RESOLV)), cluster_dns)
    got = _limited(wanted)
    texts: list[str] = []
    if got.servers != wanted.servers:
        line = " ".join(got.servers)
        texts.append(
            "Nameserver limits were exceeded, some nameservers have been omitted, the applied nameserver line is: "
            + line
        )
    if got.searches != wanted.searches:
        line = " ".join(got.searches)
        texts.append(
            "Search Line limits were exceeded, some search paths have been omitted, the applied search line is: " + line
        )
    return texts


def _split(option: str) -> tuple[str, str]:
    name, _, value = option.partition(":")
    return name, value


def _unique(first: Iterable[str], more: Iterable[str] | None) -> tuple[str, ...]:
    return tuple(dict.fromkeys([*first, *(more or ())]))


def texts(pod: Manifest, pod_ip: str, cluster_dns: str, *, node_hosts: str, node_resolver: str) -> dict[str, str]:
    """The files by path. `node_hosts`, `node_resolver`: those of the node."""
    return {
        HOSTS: hosts_file(pod, pod_ip, node_hosts),
        RESOLV: resolver(pod, parse(node_resolver), cluster_dns).text(),
    }


def mounts(pod: Manifest, container: Manifest, folder: Path, pod_ip: str, cluster_dns: str = "") -> tuple[Mount, ...]:
    """Write the files of a pod and say how a container sees them; paths that it mounts itself are left alone."""
    own = {str(mount["mountPath"]).rstrip("/") for mount in container.get("volumeMounts") or []}
    node_hosts = _read(HOSTS) if pods.host_network(pod) else ""
    found = texts(pod, pod_ip, cluster_dns, node_hosts=node_hosts, node_resolver=_read(RESOLV))
    made: list[Mount] = []
    for path, text in found.items():
        if path not in own:
            file = folder / Path(path).name
            _keep(file, text)
            made.append(Mount(host_path=str(file), container_path=path))
    return tuple(made)


def _keep(file: Path, text: str) -> None:
    if _read(file) == text:
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)  # in place: running containers have this very file mounted
    file.chmod(0o644)


def _read(path: str | Path) -> str:
    try:
        return Path(path).read_text(errors="replace")
    except OSError:
        return ""
