"""Containers of every sort (core validation: validateContainers, validateInitContainers, validateEphemeralContainers)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from podlab.apis import names
from podlab.apis.field_errors import duplicate, forbidden, invalid, not_found, not_supported, required, too_many
from podlab.apis.types import Manifest
from podlab.apis.validation import environment, mounts, probes, resources, security
from podlab.apis.validation.rules import Errors, by_rule, one_of
from podlab.apis.validation.volumes import Volumes

PULL_POLICIES = ("Always", "IfNotPresent", "Never")
_MESSAGE_POLICIES = ("File", "FallbackToLogsOnError")
_RESTART = ("Always", "Never", "OnFailure")
PROTOCOLS = ("SCTP", "TCP", "UDP")
_NOT_INIT = "may not be set for init containers without restartPolicy=Always"
_NO_POLICY = "must specify restartPolicy when restart rules are used"
_NOT_EPHEMERAL = "cannot be set for an Ephemeral Container"
_FORBIDDEN_EPHEMERAL = (
    "ports", "resources", "resizePolicy", "restartPolicy", "restartPolicyRules", "livenessProbe", "readinessProbe",
    "startupProbe", "lifecycle",
)  # fmt: skip
_POINTERS = {"restartPolicy", "livenessProbe", "readinessProbe", "startupProbe", "lifecycle"}
_MAX_RULES, _MAX_CODES = 20, 255


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a container is checked against."""

    volumes: Volumes
    claims: Collection[str]
    grace: int
    pod_restart: str
    host_users: bool


def app(path: str, containers: list[Manifest], around: Surroundings) -> Errors:
    if not containers:
        yield required(path)
        return
    seen: set[str] = set()
    for index, item in enumerate(containers):
        here = f"{path}[{index}]"
        yield from _common(here, item, around)
        name = item.get("name") or ""
        if name in seen:
            yield duplicate(f"{here}.name", name)
        seen.add(name)
        yield from _service(here, item, around)
        yield from _restart(here, item)
    yield from _host_ports(path, containers)


def _service(path: str, item: Manifest, around: Surroundings) -> Errors:
    """What only long-running containers have: hooks and probes."""
    yield from probes.lifecycle(f"{path}.lifecycle", item.get("lifecycle"), around.grace)
    yield from probes.liveness(f"{path}.livenessProbe", item.get("livenessProbe"), around.grace)
    yield from probes.readiness(f"{path}.readinessProbe", item.get("readinessProbe"), around.grace)
    yield from probes.liveness(f"{path}.startupProbe", item.get("startupProbe"), around.grace)


def init(path: str, containers: list[Manifest], taken: Collection[str], around: Surroundings) -> Errors:
    seen = set(taken)
    for index, item in enumerate(containers):
        here = f"{path}[{index}]"
        yield from _common(here, item, around)
        yield from _init_restart(here, item)
        name = item.get("name") or ""
        if name in seen:
            yield duplicate(f"{here}.name", name)
        elif name:
            seen.add(name)
        yield from _host_ports(path, [item])
        if item.get("restartPolicy") == "Always":
            yield from _service(here, item, around)
            continue
        for field in ("lifecycle", "livenessProbe", "readinessProbe", "startupProbe"):
            if item.get(field) is not None:
                yield forbidden(f"{here}.{field}", _NOT_INIT)
        for at, resize in enumerate(item.get("resizePolicy") or []):
            if resize.get("restartPolicy") == "RestartContainer":
                detail = "must not be set to 'RestartContainer' for non-sidecar initContainers"
                yield invalid(f"{here}.resizePolicy[{at}].restartPolicy", "RestartContainer", detail)


def ephemeral(path: str, containers: list[Manifest], taken: Collection[str], around: Surroundings) -> Errors:
    seen = set(taken)
    for index, item in enumerate(containers):
        here = f"{path}[{index}]"
        yield from _common(here, item, around)
        yield from only_for_pods(here, item)
        name = item.get("name") or ""
        if name in seen:
            yield duplicate(f"{here}.name", name)
        seen.add(name)
        target = item.get("targetContainerName") or ""
        if target and target not in taken:
            yield not_found(f"{here}.targetContainerName", target)
        for field in _FORBIDDEN_EPHEMERAL:
            if item.get(field) or (field in _POINTERS and item.get(field) is not None):
                yield forbidden(f"{here}.{field}", _NOT_EPHEMERAL)
        for at, mount in enumerate(item.get("volumeMounts") or []):
            for field in ("subPath", "subPathExpr"):
                if mount.get(field):
                    yield forbidden(f"{here}.volumeMounts[{at}].{field}", _NOT_EPHEMERAL)


def only_for_pods(path: str, item: Manifest) -> Errors:
    """Not asked of pod templates, for the sake of old ones (validateContainerOnlyForPod)."""
    image = item.get("image") or ""
    if image != image.strip():
        from_field = f"{path}.image"
        yield from by_rule(from_field, image, lambda _: ["must not have leading or trailing whitespace"])


def _common(path: str, item: Manifest, around: Surroundings) -> Errors:
    if not item.get("name"):
        yield required(f"{path}.name")
    else:
        yield from by_rule(f"{path}.name", item["name"], names.dns_label)
    if not item.get("image"):
        yield required(f"{path}.image")
    policy = item.get("terminationMessagePolicy") or ""
    if not policy:
        yield required(f"{path}.terminationMessagePolicy")
    else:
        yield from one_of(f"{path}.terminationMessagePolicy", policy, _MESSAGE_POLICIES)
    yield from _ports(f"{path}.ports", item.get("ports") or [])
    yield from environment.env(f"{path}.env", item.get("env") or [])
    yield from environment.env_from(f"{path}.envFrom", item.get("envFrom") or [])
    yield from mounts.mounts(f"{path}.volumeMounts", item, around.volumes)
    yield from mounts.devices(f"{path}.volumeDevices", item, around.volumes)
    pull = item.get("imagePullPolicy") or ""
    if not pull:
        yield required(f"{path}.imagePullPolicy")
    else:
        yield from one_of(f"{path}.imagePullPolicy", pull, PULL_POLICIES)
    yield from resources.container(f"{path}.resources", item.get("resources") or {}, around.claims)
    yield from resources.resize_policy(f"{path}.resizePolicy", item.get("resizePolicy") or [], around.pod_restart)
    context = item.get("securityContext")
    yield from security.container(f"{path}.securityContext", context, host_users=around.host_users)


def _ports(path: str, ports: list[Manifest]) -> Errors:
    seen: set[str] = set()
    for index, item in enumerate(ports):
        here, name = f"{path}[{index}]", item.get("name") or ""
        if name:
            if names.port_name(name):
                yield from by_rule(f"{here}.name", name, names.port_name)
            elif name in seen:
                yield duplicate(f"{here}.name", name)
            else:
                seen.add(name)
        if not item.get("containerPort"):
            yield required(f"{here}.containerPort")
        for field in ("containerPort", "hostPort"):
            if item.get(field):
                yield from mounts.number(f"{here}.{field}", item[field])
        if not item.get("protocol"):
            yield required(f"{here}.protocol")
        else:
            yield from one_of(f"{here}.protocol", item["protocol"], PROTOCOLS)


def _host_ports(path: str, containers: list[Manifest]) -> Errors:
    seen: set[str] = set()
    for index, item in enumerate(containers):
        for at, port in enumerate(item.get("ports") or []):
            if not port.get("hostPort"):
                continue
            claim = f"{port.get('protocol', '')}/{port.get('hostIP') or ''}/{port['hostPort']}"
            if claim in seen:
                yield duplicate(f"{path}[{index}].ports[{at}].hostPort", claim)
            seen.add(claim)


def _init_restart(path: str, item: Manifest) -> Errors:
    """Rules without a policy are not looked at any further."""
    if item.get("restartPolicy") is not None:
        yield from _restart(path, item)
    elif item.get("restartPolicyRules"):
        yield required(f"{path}.restartPolicy", _NO_POLICY)


def _restart(path: str, item: Manifest) -> Errors:
    policy, rules = item.get("restartPolicy"), item.get("restartPolicyRules") or []
    if policy is not None:
        yield from one_of(f"{path}.restartPolicy", policy, _RESTART)
    if not rules:
        return
    if policy is None:
        yield required(f"{path}.restartPolicy", _NO_POLICY)
    if len(rules) > _MAX_RULES:
        yield too_many(f"{path}.restartPolicyRules", len(rules), _MAX_RULES)
    for index, rule in enumerate(rules):
        here, codes = f"{path}.restartPolicyRules[{index}]", rule.get("exitCodes")
        action = rule.get("action") or ""
        if action not in ("Restart", "RestartAllContainers"):
            yield not_supported(f"{here}.action", action, ("Restart", "RestartAllContainers"))
        if codes is None:
            yield required(f"{here}.exitCodes", "must be specified")
            continue
        yield from one_of(f"{here}.exitCodes.operator", codes.get("operator") or "", ("In", "NotIn"))
        if len(codes.get("values") or []) > _MAX_CODES:
            yield too_many(f"{here}.exitCodes.values", len(codes["values"]), _MAX_CODES)
