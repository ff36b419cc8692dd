"""Questions about a pod that more than one part of podlab asks: requests, QoS, conditions, containers.

Pure. The scheduler sums effective_requests, the registry sets status.qosClass, the kubelet edits conditions.
Sources: k8s.io/component-helpers/resource/helpers.go, pkg/apis/core/v1/helper/qos/qos.go, pkg/api/v1/pod/util.go.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from podlab.apis import quantity, times
from podlab.apis.types import Manifest

Sort = Literal["init", "app", "ephemeral"]
_LISTS: tuple[tuple[Sort, str, str], ...] = (
    ("init", "initContainers", "initContainerStatuses"),
    ("app", "containers", "containerStatuses"),
    ("ephemeral", "ephemeralContainers", "ephemeralContainerStatuses"),
)


@dataclass(frozen=True, slots=True)
class Requests:
    """What a pod asks of a node. `others` holds everything but cpu and memory, in whole units."""

    cpu_milli: int
    memory_bytes: int
    others: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Placed:
    """A container with the list it stands in."""

    sort: Sort
    index: int
    spec: Manifest

    @property
    def name(self) -> str:
        return str(self.spec.get("name", ""))

    @property
    def sidecar(self) -> bool:
        return self.sort == "init" and self.spec.get("restartPolicy") == "Always"

    @property
    def field_path(self) -> str:
        """As events point at it: spec.containers{web}."""
        return f"spec.{_field_of(self.sort)}{{{self.name}}}"


def _field_of(sort: Sort) -> str:
    return next(field for name, field, _ in _LISTS if name == sort)


def containers(pod: Manifest) -> Iterator[Placed]:
    """Init, app, then ephemeral containers, each in the order of the spec."""
    spec = pod.get("spec") or {}
    for sort, field, _ in _LISTS:
        for index, item in enumerate(spec.get(field) or []):
            yield Placed(sort, index, item)


def container_named(pod: Manifest, name: str) -> Placed | None:
    return next((item for item in containers(pod) if item.name == name), None)


def container_statuses(pod: Manifest) -> Iterator[Manifest]:
    status = pod.get("status") or {}
    for _, _, field in _LISTS:
        yield from status.get(field) or []


def container_status(pod: Manifest, name: str) -> Manifest | None:
    return next((item for item in container_statuses(pod) if item.get("name") == name), None)


def is_terminal(pod: Manifest) -> bool:
    return (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed")


def priority(pod: Manifest) -> int:
    return int((pod.get("spec") or {}).get("priority") or 0)


def is_static(pod: Manifest) -> bool:
    annotations = (pod.get("metadata") or {}).get("annotations") or {}
    return str(annotations.get("kubernetes.io/config.source", "api")) != "api"


def is_mirror(pod: Manifest) -> bool:
    return "kubernetes.io/config.mirror" in ((pod.get("metadata") or {}).get("annotations") or {})


def is_ready(pod: Manifest) -> bool:
    condition = get_condition((pod.get("status") or {}).get("conditions"), "Ready")
    return condition is not None and condition.get("status") == "True"


def matching_restart_rule(container: Manifest, exit_code: int | None) -> Manifest | None:
    """The first of a container's own restartPolicyRules that is about this end; without a policy of its own it has none."""
    if not container.get("restartPolicy"):
        return None
    rules: list[Manifest] = container.get("restartPolicyRules") or []
    return next((rule for rule in rules if _is_about(rule, exit_code)), None)


def _is_about(rule: Manifest, exit_code: int | None) -> bool:
    codes = rule.get("exitCodes") or {}
    listed = exit_code in (codes.get("values") or [])
    return listed if codes.get("operator") == "In" else not listed


def container_restarts(pod_policy: str, container: Manifest, exit_code: int | None) -> bool:
    """Whether a container that ended so is started again: its own rules first, then its own policy, then the pod's
    (ContainerShouldRestart). A rule of RestartAllContainers restarts more than this one, and is looked at elsewhere."""
    rule = matching_restart_rule(container, exit_code)
    if rule is not None:
        return bool(rule.get("action") == "Restart")
    policy = str(container.get("restartPolicy") or pod_policy)
    return policy == "Always" or (policy == "OnFailure" and exit_code != 0)


def all_containers_could_restart(pod: Manifest) -> bool:
    """Some container has a rule with RestartAllContainers (AllContainersCouldRestart)."""
    rules = (rule for item in containers(pod) for rule in item.spec.get("restartPolicyRules") or [])
    return any(rule.get("action") == "RestartAllContainers" for rule in rules)


Amounts = dict[str, int]  # nanos by resource name


def _amounts(values: Mapping[str, Any] | None) -> Amounts:
    return {name: quantity.parse(text).nano for name, text in (values or {}).items()}


def _add(into: Amounts, more: Amounts) -> None:
    for name, amount in more.items():
        into[name] = into.get(name, 0) + amount


def _largest(into: Amounts, other: Amounts) -> None:
    for name, amount in other.items():
        into[name] = max(into.get(name, 0), amount)


def total_requests(pod: Manifest, *, kind: str = "requests") -> Amounts:
    """Nanos by resource: app containers together with sidecars, or the hungriest init step, whichever is more; pod-level
    values replace them; overhead comes on top. `kind` is "requests" or "limits"."""
    spec = pod.get("spec") or {}
    running: Amounts = {}
    sidecars: Amounts = {}
    starting: Amounts = {}
    for item in containers(pod):
        amounts = _amounts((item.spec.get("resources") or {}).get(kind))
        if item.sort == "app":
            _add(running, amounts)
        elif item.sidecar:
            _add(running, amounts)
            _add(sidecars, amounts)
            _largest(starting, sidecars)
        elif item.sort == "init":
            step = dict(sidecars)
            _add(step, amounts)
            _largest(starting, step)
    _largest(running, starting)
    running.update(_amounts((spec.get("resources") or {}).get(kind)))
    overhead = _amounts(spec.get("overhead"))
    if kind == "requests":
        _add(running, overhead)
    else:
        _add(running, {name: amount for name, amount in overhead.items() if name in running})
    return running


def total_quantities(pod: Manifest, *, kind: str = "requests") -> dict[str, quantity.Quantity]:
    """`total_requests`, each amount in the notation in which the pod writes it first."""
    spec = pod.get("spec") or {}
    blocks = [spec.get("resources") or {}, *(item.spec.get("resources") or {} for item in containers(pod))]
    formats: dict[str, quantity.Format] = {}
    for block in (*(block.get(kind) or {} for block in blocks), spec.get("overhead") or {}):
        for name, text in block.items():
            written = quantity.parse(text)
            if written.nano:
                formats.setdefault(name, written.format)
    return {
        name: quantity.Quantity(nano, formats.get(name, "DecimalSI"))
        for name, nano in total_requests(pod, kind=kind).items()
    }


def held_requests(pod: Manifest) -> Requests:
    """What a pod on a node counts for in the scheduler while it may be being resized: of spec, allocation and what its
    containers have, whichever is more; without the spec when the resize can never be (determineContainerReqs of
    component-helpers/resource/helpers.go with UseStatusResources)."""
    conditions = (pod.get("status") or {}).get("conditions")
    pending = get_condition(conditions, "PodResizePending")
    if pending is None and get_condition(conditions, "PodResizeInProgress") is None:
        return effective_requests(pod)
    statuses = {item.get("name"): item for item in container_statuses(pod)}
    infeasible = pending is not None and pending.get("reason") == "Infeasible"
    spec = dict(pod.get("spec") or {})
    for field in ("initContainers", "containers"):
        if spec.get(field):
            spec[field] = [_as_held(item, statuses.get(item.get("name")) or {}, infeasible) for item in spec[field]]
    return effective_requests({**pod, "spec": spec})


def _as_held(container: Manifest, status: Manifest, infeasible: bool) -> Manifest:
    resources = container.get("resources") or {}
    known = [status.get("allocatedResources") or {}, (status.get("resources") or {}).get("requests") or {}]
    most = {} if infeasible and any(known) else dict(resources.get("requests") or {})
    for block in known:
        for name, text in block.items():
            if name not in most or quantity.compare(text, most[name]) > 0:
                most[name] = text
    return {**container, "resources": {**resources, "requests": most}}


def effective_requests(pod: Manifest) -> Requests:
    totals = {name: quantity.Quantity(nano) for name, nano in total_requests(pod).items()}
    cpu = totals.pop("cpu", quantity.Quantity(0))
    memory = totals.pop("memory", quantity.Quantity(0))
    return Requests(cpu.milli, memory.value, tuple((name, item.value) for name, item in sorted(totals.items())))


QosClass = Literal["Guaranteed", "Burstable", "BestEffort"]
_QOS_RESOURCES = ("cpu", "memory")


def qos_class(pod: Manifest) -> QosClass:
    """Computed from the spec: cpu and memory only, zero counts as absent, ephemeral containers do not count."""
    spec = pod.get("spec") or {}
    requests: Amounts = {}
    limits: Amounts = {}
    guaranteed = True
    if spec.get("resources") is not None:
        blocks: Sequence[Manifest] = [spec["resources"]]
    else:
        blocks = [item.spec.get("resources") or {} for item in containers(pod) if item.sort != "ephemeral"]
    for block in blocks:
        asked, capped = _compute(block.get("requests")), _compute(block.get("limits"))
        _add(requests, asked)
        _add(limits, capped)
        guaranteed = guaranteed and len(capped) == len(_QOS_RESOURCES)
    if not requests and not limits:
        return "BestEffort"
    if guaranteed and len(limits) == len(requests) and all(limits.get(name) == nano for name, nano in requests.items()):
        return "Guaranteed"
    return "Burstable"


def _compute(values: Mapping[str, Any] | None) -> Amounts:
    return {name: nano for name, nano in _amounts(values).items() if name in _QOS_RESOURCES and nano > 0}


def get_condition(conditions: Sequence[Manifest] | None, type_: str) -> Manifest | None:
    return next((item for item in conditions or [] if item.get("type") == type_), None)


def set_condition(
    conditions: list[Manifest],
    type_: str,
    status: str,
    reason: str = "",
    message: str = "",
    *,
    now: datetime,
    probed: bool = False,
    observed_generation: int | None = None,
) -> bool:
    """Puts the condition into the list in place; its transition time moves only when `status` changes. `probed` keeps
    the explicit `lastProbeTime: null` that Kubernetes writes into pod conditions. True when something changed."""
    old = get_condition(conditions, type_)
    fresh: Manifest = {"type": type_, "status": status}
    if observed_generation is not None:
        fresh["observedGeneration"] = observed_generation
    if probed:
        fresh["lastProbeTime"] = None
    same = old is not None and old.get("status") == status
    fresh["lastTransitionTime"] = old["lastTransitionTime"] if old and same else times.rfc3339(now)
    if reason:
        fresh["reason"] = reason
    if message:
        fresh["message"] = message
    if old is None:
        conditions.append(fresh)
        return True
    if old == fresh:
        return False
    conditions[conditions.index(old)] = fresh
    return True


def mark_disrupted(pod: Manifest, reason: str, message: str, *, now: datetime) -> None:
    """Puts the condition DisruptionTarget into the status in place: somebody is about to end the pod."""
    pod_conditions = pod.setdefault("status", {}).setdefault("conditions", [])
    generation = pod["metadata"].get("generation")
    set_condition(
        pod_conditions,
        "DisruptionTarget",
        "True",
        reason,
        message,
        now=now,
        probed=True,
        observed_generation=generation,
    )


def tolerates(toleration: Mapping[str, Any], taint: Mapping[str, Any]) -> bool:
    """An empty effect or key of a toleration means any (api/core/v1/toleration.go)."""
    if toleration.get("effect") and toleration["effect"] != taint.get("effect"):
        return False
    if toleration.get("key") and toleration["key"] != taint.get("key"):
        return False
    operator = toleration.get("operator") or "Equal"
    if operator == "Exists":
        return True
    if operator != "Equal" or not toleration.get("key"):
        return False
    return (toleration.get("value") or "") == (taint.get("value") or "")
