"""Sentences that go out as Warning headers with an accepted pod (pkg/api/pod/warnings.go, pkg/api/node/util.go)."""

from __future__ import annotations

from collections.abc import Iterator

from podlab.apis import names, quantity
from podlab.apis.field_errors import go_quote
from podlab.apis.types import Manifest
from podlab.apis.validation import addresses, volume_warnings

_APP_ARMOR = "container.apparmor.security.beta.kubernetes.io/"
_SECCOMP_POD = "seccomp.security.alpha.kubernetes.io/pod"
_SECCOMP = "container.seccomp.security.alpha.kubernetes.io/"
_SECCOMP_TEXT = 'non-functional in v1.27+; use the "seccompProfile" field instead'
_ANNOTATIONS = {
    "scheduler.alpha.kubernetes.io/critical-pod": (
        'non-functional in v1.16+; use the "priorityClassName" field instead'
    ),
    "security.alpha.kubernetes.io/sysctls": 'non-functional in v1.11+; use the "sysctls" field instead',
    "security.alpha.kubernetes.io/unsafe-sysctls": 'non-functional in v1.11+; use the "sysctls" field instead',
}
_NODE_LABELS = {
    "beta.kubernetes.io/arch": 'deprecated since v1.14; use "kubernetes.io/arch" instead',
    "beta.kubernetes.io/os": 'deprecated since v1.14; use "kubernetes.io/os" instead',
    "failure-domain.beta.kubernetes.io/region": 'deprecated since v1.17; use "topology.kubernetes.io/region" instead',
    "failure-domain.beta.kubernetes.io/zone": 'deprecated since v1.17; use "topology.kubernetes.io/zone" instead',
    "beta.kubernetes.io/instance-type": 'deprecated since v1.17; use "node.kubernetes.io/instance-type" instead',
    "app.kubernetes.io/created-by": "deprecated since v1.9",
    "scheduler.alpha.kubernetes.io/preferAvoidPods": "deprecated since v1.22; use Taints and Tolerations instead",
    "node-role.kubernetes.io/master": 'use "node-role.kubernetes.io/control-plane" instead',
}
_LISTS = ("initContainers", "containers", "ephemeralContainers")
_BYTE_RESOURCES = ("memory", "ephemeral-storage")
_MATCHES_NOTHING = "a null labelSelector results in matching no pod"
_REQUIRED, _PREFERRED = (
    "requiredDuringSchedulingIgnoredDuringExecution",
    "preferredDuringSchedulingIgnoredDuringExecution",
)


def of_pod(pod: Manifest) -> list[str]:
    return [*of_name(pod, "the Pod's hostname"), *of_template("", pod)]


_NEGATIVE_GRACE = "must be >= 0; negative values are invalid and will be treated as 1"


def of_template(prefix: str, template: Manifest) -> list[str]:
    """A pod, or a template of pods; `prefix` is its path with a dot at the end."""
    path, spec = f"{prefix}spec", template.get("spec") or {}
    annotations = (template.get("metadata") or {}).get("annotations") or {}
    return [
        *_of_placement(path, spec),
        *(f"{prefix}metadata.annotations[{key}]: {_ANNOTATIONS[key]}" for key in _ANNOTATIONS if key in annotations),
        *volume_warnings.of_volumes(f"{path}.volumes", spec.get("volumes") or []),
        *_of_repeated(f"{path}.hostAliases", spec.get("hostAliases") or [], "ip"),
        *_of_pull_secrets(f"{path}.imagePullSecrets", spec.get("imagePullSecrets") or []),
        *fractional_bytes(f"{path}.overhead", spec.get("overhead") or {}),
        *_of_profiles(f"{prefix}metadata", annotations, spec),
        *_of_containers(path, spec),
        *_of_grace(path, spec),
        *_of_affinity_terms(f"{path}.affinity", spec.get("affinity") or {}),
        *_of_addresses(path, spec),
    ]


def _of_grace(path: str, spec: Manifest) -> Iterator[str]:
    """Templates keep a negative time; pods have had it made one second already."""
    if (spec.get("terminationGracePeriodSeconds") or 0) < 0:
        yield f"{path}.terminationGracePeriodSeconds: {_NEGATIVE_GRACE}"


def of_name(obj: Manifest, used_in: str) -> Iterator[str]:
    """A name that will be, or begin, the name of a host."""
    problems = names.dns_label((obj.get("metadata") or {}).get("name") or "a")
    if problems:
        yield (
            f"metadata.name: this is used in {used_in}, which can result in surprising behavior; "
            f"a DNS label is recommended: [{' '.join(problems)}]"
        )


def of_node_selector(path: str, selector: Manifest) -> Iterator[str]:
    """Node labels that were renamed long ago; `path` is that of the map."""
    for key in selector:
        if key in _NODE_LABELS:
            yield f"{path}[{key}]: {_NODE_LABELS[key]}"


def of_node(node: Manifest) -> list[str]:
    spec = node.get("spec") or {}
    found = []
    if spec.get("externalID"):
        found.append("spec.externalID: this field is deprecated, and is unused by Kubernetes")
    return found


def of_runtime_class(obj: Manifest) -> list[str]:
    selector = (obj.get("scheduling") or {}).get("nodeSelector") or {}
    return [f"scheduling.nodeSelector: {_NODE_LABELS[key]}" for key in selector if key in _NODE_LABELS]


def _of_placement(path: str, spec: Manifest) -> Iterator[str]:
    yield from of_node_selector(f"{path}.nodeSelector", spec.get("nodeSelector") or {})
    affinity = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    here = f"{path}.affinity.nodeAffinity"
    for index, term in enumerate((affinity.get(_REQUIRED) or {}).get("nodeSelectorTerms") or []):
        yield from _of_node_term(f"{here}.{_REQUIRED}.nodeSelectorTerms[{index}]", term, values=False)
    for index, item in enumerate(affinity.get(_PREFERRED) or []):
        term = item.get("preference") or {}
        yield from _of_node_term(f"{here}.{_PREFERRED}[{index}].preference", term, values=True)
    for index, item in enumerate(spec.get("topologySpreadConstraints") or []):
        there, key = f"{path}.topologySpreadConstraints[{index}]", item.get("topologyKey") or ""
        if key in _NODE_LABELS:
            yield f"{there}.topologyKey: {key} is {_NODE_LABELS[key]}"
        if item.get("labelSelector") is None:
            yield f"{there}.labelSelector: {_MATCHES_NOTHING}"


def _of_node_term(path: str, term: Manifest, *, values: bool) -> Iterator[str]:
    """`values`: say which are no label values; of what is required they are errors already."""
    for index, item in enumerate(term.get("matchExpressions") or []):
        here, key = f"{path}.matchExpressions[{index}]", item.get("key") or ""
        if key in _NODE_LABELS:
            yield f"{here}.key: {key} is {_NODE_LABELS[key]}"
        for at, value in enumerate((item.get("values") or []) if values else []):
            for problem in names.label_value(value):
                yield f"{here}.values[{at}]: {value} is invalid, {problem}"


def _of_repeated(path: str, items: list[Manifest], field: str) -> Iterator[str]:
    seen: set[str] = set()
    for index, item in enumerate(items):
        value = item.get(field) or ""
        if value in seen:
            yield f"{path}[{index}].{field}: duplicate {field} {go_quote(value)}"
        seen.add(value)


def _of_pull_secrets(path: str, secrets: list[Manifest]) -> Iterator[str]:
    yield from _of_repeated(path, secrets, "name")
    for index, item in enumerate(secrets):
        if not item.get("name"):
            yield f'{path}[{index}].name: invalid empty name ""'


def fractional_bytes(path: str, amounts: Manifest, resources: tuple[str, ...] = _BYTE_RESOURCES) -> Iterator[str]:
    for name in resources:
        parsed = quantity.parse(amounts[name]) if name in amounts else quantity.Quantity(0)
        if parsed.milli % 1000:
            yield f'{path}[{name}]: fractional byte value "{amounts[name]}" is invalid, must be an integer'


def _of_profiles(path: str, annotations: Manifest, spec: Manifest) -> Iterator[str]:
    """Annotations of the time before the fields, where the field is not set."""
    if not annotations:
        return
    if _SECCOMP_POD in annotations and not (spec.get("securityContext") or {}).get("seccompProfile"):
        yield f"{path}.annotations[{_SECCOMP_POD}]: {_SECCOMP_TEXT}"
    for field in _LISTS:
        for item in spec.get(field) or []:
            key = f"{_SECCOMP}{item.get('name', '')}"
            if key in annotations and not (item.get("securityContext") or {}).get("seccompProfile"):
                yield f"{path}.annotations[{key}]: {_SECCOMP_TEXT}"
    for key in annotations:
        if key.startswith(_APP_ARMOR):
            yield f'{path}.annotations[{key}]: deprecated since v1.30; use the "appArmorProfile" field instead'


def _of_containers(path: str, spec: Manifest) -> Iterator[str]:
    placed = [
        (f"{path}.{field}[{index}]", item) for field in _LISTS for index, item in enumerate(spec.get(field) or [])
    ]
    for here, item in placed:
        resources = item.get("resources") or {}
        for name in _BYTE_RESOURCES:
            for kind in ("limits", "requests"):
                yield from fractional_bytes(f"{here}.resources.{kind}", resources.get(kind) or {}, (name,))
        yield from _of_env(f"{here}.env", item.get("env") or [])
    ports = [
        (f"{here}.ports[{index}]", port) for here, item in placed for index, port in enumerate(item.get("ports") or [])
    ]
    yield from _of_ports(ports)
    yield from _of_port_names(ports)


def _of_env(path: str, variables: list[Manifest]) -> Iterator[str]:
    """A variable that is set twice without building on what it was."""
    seen: set[str] = set()
    for index, item in enumerate(variables):
        name, value = item.get("name") or "", item.get("value") or ""
        before = f"$({name})"
        builds_on = before in value and value != before and item.get("valueFrom") is None
        if name in seen and not builds_on:
            yield f"{path}[{index}]: hides previous definition of {go_quote(name)}, which may be dropped when using apply"
        seen.add(name)


def _of_ports(ports: list[tuple[str, Manifest]]) -> Iterator[str]:
    known: dict[tuple[int, str], list[tuple[str, int, str]]] = {}
    for here, item in ports:
        host, address = item.get("hostPort") or 0, item.get("hostIP") or ""
        number, protocol = item.get("containerPort") or 0, item.get("protocol") or ""
        if address and not host:
            name = item.get("name") or ""
            shown = f"Name:{name} HostPort:0 ContainerPort:{number} Protocol:{protocol} HostIP:{address}"
            yield f"{here}: hostIP set without hostPort: {{{shown}}}"
        others = known.setdefault((number, protocol), [])
        for there, other_host, other_address in others:
            if (address, host) == (other_address, other_host):
                yield f"{here}: duplicate port definition with {there}"
            elif not host or not other_host:
                yield f"{here}: overlapping port definition with {there}"
            elif host == other_host and bool(address) is not bool(other_address):
                yield f"{here}: dangerously ambiguous port definition with {there}"
        others.append((here, host, address))


def _of_port_names(ports: list[tuple[str, Manifest]]) -> Iterator[str]:
    known: dict[str, str] = {}
    for here, item in ports:
        name = item.get("name") or ""
        if name and name in known:
            yield (
                f"{here}: duplicate port name {go_quote(name)} with {known[name]}, "
                f"services and probes that select ports by name will use {known[name]}"
            )
        elif name:
            known[name] = here


def _of_affinity_terms(path: str, affinity: Manifest) -> Iterator[str]:
    for kind in ("podAffinity", "podAntiAffinity"):
        rules = affinity.get(kind) or {}
        for index, term in enumerate(rules.get(_REQUIRED) or []):
            if term.get("labelSelector") is None:
                yield f"{path}.{kind}.{_REQUIRED}[{index}].labelSelector: {_MATCHES_NOTHING}"
        for index, item in enumerate(rules.get(_PREFERRED) or []):
            if (item.get("podAffinityTerm") or {}).get("labelSelector") is None:
                yield f"{path}.{kind}.{_PREFERRED}[{index}].podAffinityTerm.labelSelector: {_MATCHES_NOTHING}"


def _of_addresses(path: str, spec: Manifest) -> Iterator[str]:
    for index, server in enumerate((spec.get("dnsConfig") or {}).get("nameservers") or []):
        yield from addresses.warnings(f"{path}.dnsConfig.nameservers[{index}]", server)
    for index, alias in enumerate(spec.get("hostAliases") or []):
        yield from addresses.warnings(f"{path}.hostAliases[{index}].ip", alias.get("ip") or "")
