"""A whole pod, in the order in which Kubernetes complains (ValidatePodCreate, ValidatePodSpec in core validation)."""

from __future__ import annotations

from podlab.apis import names
from podlab.apis.field_errors import forbidden, invalid, required, too_long
from podlab.apis.types import Manifest
from podlab.apis.validation import (
    containers,
    environment,
    metadata,
    placement,
    pod_annotations,
    resources,
    security,
    volumes,
)
from podlab.apis.validation.rules import MAX_INT32, Errors, by_rule, ip, labels, one_of

RESTART_POLICIES = ("Always", "OnFailure", "Never")
DNS_POLICIES = ("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None")
_PREEMPTION = ("PreemptLowerPriority", "Never")
_NAMESERVERS, _SEARCHES, _SEARCH_CHARACTERS = 3, 32, 2048
_HOSTNAME_MAX = 64


def validate_create(pod: Manifest) -> Errors:
    yield from validate(pod)
    spec = pod.get("spec") or {}
    if spec.get("ephemeralContainers"):
        yield forbidden("spec.ephemeralContainers", "cannot be set on create")
    if spec.get("nodeName") and spec.get("schedulingGates"):
        yield forbidden("spec.nodeName", "cannot be set until all schedulingGates have been cleared")
    yield from pod_annotations.agree("spec", (pod.get("metadata") or {}).get("annotations") or {}, spec)


def validate(pod: Manifest) -> Errors:
    """Metadata and spec: what creates and updates share."""
    meta, spec = pod.get("metadata") or {}, pod.get("spec") or {}
    yield from metadata.validate(meta, namespaced=True, name_rule=names.dns_subdomain)
    yield from pod_annotations.validate("metadata.annotations", meta.get("annotations") or {}, spec)
    yield from validate_spec("spec", pod)
    if not spec.get("serviceAccountName"):
        yield from _tokens_of_nobody(spec)
    for field in ("containers", "initContainers"):
        for index, item in enumerate(spec.get(field) or []):
            yield from containers.only_for_pods(f"spec.{field}[{index}]", item)


def _tokens_of_nobody(spec: Manifest) -> Errors:
    for index, volume in enumerate(spec.get("volumes") or []):
        for at, source in enumerate((volume.get("projected") or {}).get("sources") or []):
            if source.get("serviceAccountToken") is not None:
                here = f"spec.volumes[{index}].projected.sources[{at}].serviceAccountToken"
                yield forbidden(here, "must not be specified when serviceAccountName is not set")


def validate_spec(path: str, pod: Manifest, *, of_pod: bool = True) -> Errors:
    """ValidatePodSpec: of a pod, or of a template (which has metadata and spec as a pod has, and may leave more open)."""
    spec = pod.get("spec") or {}
    name = (pod.get("metadata") or {}).get("name") or ""
    found, errors = volumes.validate(f"{path}.volumes", spec.get("volumes") or [], name, of_pod=of_pod)
    yield from errors
    claims = spec.get("resourceClaims") or []
    yield from resources.pod_claims(f"{path}.resourceClaims", claims)
    around = containers.Surroundings(
        volumes=found,
        claims=[item.get("name") or "" for item in claims],
        grace=spec.get("terminationGracePeriodSeconds") or 0,
        pod_restart=spec.get("restartPolicy") or "",
        host_users=spec.get("hostUsers") is not False,
    )
    apps, inits = spec.get("containers") or [], spec.get("initContainers") or []
    yield from containers.app(f"{path}.containers", apps, around)
    taken = {item.get("name") or "" for item in apps}
    yield from containers.init(f"{path}.initContainers", inits, taken, around)
    taken |= {item.get("name") or "" for item in inits}
    later = spec.get("ephemeralContainers") or []
    yield from containers.ephemeral(f"{path}.ephemeralContainers", later, taken, around)
    yield from resources.pod_level(f"{path}.resources", pod, around.claims)
    yield from _host_network(f"{path}.containers", spec, of_pod=of_pod)
    yield from _choice(f"{path}.restartPolicy", spec.get("restartPolicy"), RESTART_POLICIES)
    yield from _choice(f"{path}.dnsPolicy", spec.get("dnsPolicy"), DNS_POLICIES)
    yield from labels(f"{path}.nodeSelector", spec.get("nodeSelector"))
    yield from security.pod(f"{path}.securityContext", spec)
    yield from placement.affinity(f"{path}.affinity", spec.get("affinity"))
    yield from _dns_config(f"{path}.dnsConfig", spec)
    yield from placement.readiness_gates(f"{path}.readinessGates", spec.get("readinessGates") or [])
    yield from placement.gates(f"{path}.schedulingGates", spec.get("schedulingGates") or [])
    spread = spec.get("topologySpreadConstraints") or []
    yield from placement.spread(f"{path}.topologySpreadConstraints", spread)
    yield from security.host_process(path, spec)
    yield from security.host_users(path, spec)
    yield from _host_name(f"{path}.hostnameOverride", spec)
    yield from _names(path, spec)
    yield from _rest(path, spec)
    yield from security.operating_system(path, spec)
    yield from environment.files_in_volumes(path, spec)


def _choice(path: str, value: str | None, supported: tuple[str, ...]) -> Errors:
    if not value:
        yield required(path)
    else:
        yield from one_of(path, value, supported)


def _host_network(path: str, spec: Manifest, *, of_pod: bool) -> Errors:
    """The host ports of a template are filled in when the pod is made."""
    if not spec.get("hostNetwork"):
        return
    for index, item in enumerate(spec.get("containers") or []):
        for at, port in enumerate(item.get("ports") or []):
            host = port.get("hostPort") or 0
            if (of_pod or host) and host != (port.get("containerPort") or 0):
                here = f"{path}[{index}].ports[{at}].hostPort"
                yield invalid(here, host, "must match `containerPort` when `hostNetwork` is true")


def _dns_config(path: str, spec: Manifest) -> Errors:
    config = spec.get("dnsConfig")
    if spec.get("dnsPolicy") == "None":
        if config is None:
            yield required(path, "must provide `dnsConfig` when `dnsPolicy` is None")
            return
        if not config.get("nameservers"):
            yield required(f"{path}.nameservers", "must provide at least one DNS nameserver when `dnsPolicy` is None")
            return
    if config is None:
        return
    servers, searches = config.get("nameservers") or [], config.get("searches") or []
    if len(servers) > _NAMESERVERS:
        yield invalid(f"{path}.nameservers", servers, f"must not have more than {_NAMESERVERS} nameservers")
    for index, address in enumerate(servers):
        yield from ip(f"{path}.nameservers[{index}]", address)
    if len(searches) > _SEARCHES:
        yield invalid(f"{path}.searches", searches, f"must not have more than {_SEARCHES} search paths")
    if len(" ".join(searches)) > _SEARCH_CHARACTERS:
        detail = f"must not have more than {_SEARCH_CHARACTERS} characters (including spaces) in the search list"
        yield invalid(f"{path}.searches", searches, detail)
    for index, domain in enumerate(searches):
        for problem in _search_domain(domain):
            yield invalid(f"{path}.searches[{index}]", domain, problem)
    for index, option in enumerate(config.get("options") or []):
        if not option.get("name"):
            yield required(f"{path}.options[{index}]", "must not be empty")


def _search_domain(domain: str) -> list[str]:
    """A single dot, or a subdomain whose labels may hold underscores (RelaxedDNSSearchValidation)."""
    return [] if domain == "." else names.relaxed_subdomain(domain.removesuffix("."))


def _names(path: str, spec: Manifest) -> Errors:
    for field in ("serviceAccountName", "nodeName"):
        if spec.get(field):
            yield from by_rule(f"{path}.{field}", spec[field], names.dns_subdomain)
    deadline = spec.get("activeDeadlineSeconds")
    if deadline is not None and not 1 <= deadline <= MAX_INT32:
        yield invalid(f"{path}.activeDeadlineSeconds", deadline, names.between(1, MAX_INT32))
    for field in ("hostname", "subdomain"):
        if spec.get(field):
            yield from by_rule(f"{path}.{field}", spec[field], names.dns_label)


def _host_name(here: str, spec: Manifest) -> Errors:
    override = spec.get("hostnameOverride")
    if override is None:
        return
    if spec.get("setHostnameAsFQDN"):
        yield forbidden(here, "may not be specified when setHostnameAsFQDN is true")
    if spec.get("hostNetwork"):
        yield forbidden(here, "may not be specified when hostNetwork is true")
    if len(override) > _HOSTNAME_MAX:
        yield too_long(here, _HOSTNAME_MAX)
    yield from by_rule(here, override, names.dns_subdomain)


def _rest(path: str, spec: Manifest) -> Errors:
    yield from placement.tolerations(f"{path}.tolerations", spec.get("tolerations") or [])
    for index, alias in enumerate(spec.get("hostAliases") or []):
        here = f"{path}.hostAliases[{index}]"
        yield from ip(f"{here}.ip", alias.get("ip") or "")
        for at, name in enumerate(alias.get("hostnames") or []):
            yield from by_rule(f"{here}.hostnames[{at}]", name, names.dns_subdomain)
    if spec.get("priorityClassName"):
        yield from by_rule(f"{path}.priorityClassName", spec["priorityClassName"], names.dns_subdomain)
    if spec.get("runtimeClassName") is not None:
        yield from by_rule(f"{path}.runtimeClassName", spec["runtimeClassName"], names.dns_subdomain)
    if spec.get("preemptionPolicy") is not None:
        yield from _choice(f"{path}.preemptionPolicy", spec["preemptionPolicy"], _PREEMPTION)
    if spec.get("overhead"):
        yield from resources.overhead(f"{path}.overhead", spec["overhead"])
