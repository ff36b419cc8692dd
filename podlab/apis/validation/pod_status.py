"""What a node or a client may say in a pod's status (ValidatePodStatusUpdate in core validation)."""

from __future__ import annotations

from podlab.apis import names, pods
from podlab.apis.field_errors import INTERNAL, FieldError, duplicate, forbidden, invalid
from podlab.apis.types import Manifest
from podlab.apis.validation import metadata, pod_annotations
from podlab.apis.validation.rules import MAX_INT32, Errors, by_rule, ip, one_of

_SYSTEM_CONDITIONS = ("PodScheduled", "Ready", "Initialized")
_NOT_BACK = "may not be transitioned to non-terminated state"
_NOT_NEGATIVE = "must be a non-negative integer"
_HEALTH = ("Healthy", "Unhealthy", "Unknown")
_LISTS = {
    "containerStatuses": "containers", "initContainerStatuses": "initContainers",
    "ephemeralContainerStatuses": "ephemeralContainers",
}  # fmt: skip
_CLAIM_FORM = (
    "must match one of the container's resource claims in a format 'claim:<claimName>/<request>' or 'claim:<claimName>' "
    "if request is empty"
)


def validate(new: Manifest, old: Manifest) -> Errors:
    meta, old_meta = new.get("metadata") or {}, old.get("metadata") or {}
    yield from metadata.validate_update(meta, old_meta)
    status, before, spec = new.get("status") or {}, old.get("status") or {}, new.get("spec") or {}
    annotations, former = meta.get("annotations") or {}, old_meta.get("annotations") or {}
    yield from pod_annotations.update("metadata.annotations", annotations, former, spec)
    old_spec = old.get("spec") or {}
    yield from _conditions("status.conditions", status.get("conditions") or [])
    yield from _places(new, old)
    if (status.get("observedGeneration") or 0) < 0:
        yield invalid("status.observedGeneration", status["observedGeneration"], _NOT_NEGATIVE)
    quality = before.get("qosClass")
    if quality and status.get("qosClass") != quality:
        yield invalid("status.qosClass", status.get("qosClass") or "", metadata.IMMUTABLE)
    for field, containers in ({} if pods.all_containers_could_restart(new) else _LISTS).items():
        yield from _transitions(field, status, before, old_spec, old_spec.get(containers) or [])
    yield from _claims("status.resourceClaimStatuses", status, spec)
    yield from _addresses("status.podIPs", status.get("podIPs") or [])
    yield from _host_addresses("status.hostIPs", status)
    for field in _LISTS:
        yield from _users(f"status.{field}", status.get(field) or [], spec)
    for field, containers in _LISTS.items():
        yield from _allocated(f"status.{field}", status.get(field) or [], spec.get(containers) or [])


def _conditions(path: str, conditions: list[Manifest]) -> Errors:
    for index, condition in enumerate(conditions):
        generation, kind = condition.get("observedGeneration") or 0, condition.get("type") or ""
        if generation < 0:
            yield invalid(f"{path}[{index}].observedGeneration", generation, _NOT_NEGATIVE)
        if kind not in _SYSTEM_CONDITIONS:
            yield from by_rule(f"{path}[{index}].Type", kind, names.qualified_name)  # sic


def _places(new: Manifest, old: Manifest) -> Errors:
    node, old_node = ((each.get("spec") or {}).get("nodeName") or "" for each in (new, old))
    if node != old_node:
        yield forbidden("status.nodeName", "may not be changed directly")
    nominated, before = ((each.get("status") or {}).get("nominatedNodeName") or "" for each in (new, old))
    if nominated and nominated != before:
        yield from by_rule("status.nominatedNodeName", nominated, names.dns_subdomain)
        if old_node:
            yield forbidden("status.nominatedNodeName", "may not be set on pods that are already bound to a node")


def _transitions(field: str, status: Manifest, before: Manifest, spec: Manifest, containers: list[Manifest]) -> Errors:
    """A container that ended stays ended when nothing restarts it."""
    now = {item.get("name"): item for item in reversed(status.get(field) or [])}
    known = {item.get("name"): item for item in containers}
    for index, item in enumerate(before.get(field) or []):
        ended, after = (item.get("state") or {}).get("terminated"), now.get(item.get("name"))
        if ended is None or after is None or (after.get("state") or {}).get("terminated") is not None:
            continue
        if not _may_restart(field, known.get(item.get("name")), spec, ended.get("exitCode") or 0):
            yield forbidden(f"status.{field}[{index}].state", _NOT_BACK)


def _may_restart(field: str, container: Manifest | None, spec: Manifest, code: int) -> bool:
    if field == "ephemeralContainerStatuses" or (container is None and field == "containerStatuses"):
        return False
    return pods.container_restarts(str(spec.get("restartPolicy") or ""), container or {}, code)


def _claims(path: str, status: Manifest, spec: Manifest) -> Errors:
    known = {claim.get("name") for claim in spec.get("resourceClaims") or []}
    seen: set[str] = set()
    for index, item in enumerate(status.get("resourceClaimStatuses") or []):
        here, name = f"{path}[{index}].name", item.get("name") or ""
        if name not in known:
            yield invalid(here, name, "must match the name of an entry in `spec.resourceClaims`")
        if name in seen:
            yield duplicate(here, name)
        seen.add(name)
        if item.get("resourceClaimName") is not None:
            yield from by_rule(here, item["resourceClaimName"], names.dns_subdomain)


def _addresses(path: str, addresses: list[Manifest]) -> Errors:
    values = [item.get("ip") or "" for item in addresses]
    wrong = -1
    for index, value in enumerate(values):
        for error in ip(f"{path}[{index}]", value):
            wrong = index if wrong < 0 else wrong
            yield error
    if len(values) < 2:
        return
    if wrong >= 0:
        detail = f"failed to check for dual stack with error:invalid IP[{wrong}]: {values[wrong]}"
        yield FieldError(INTERNAL, path, "", detail)
    if wrong >= 0 or len(values) > 2 or len({":" in value for value in values}) == 1:
        shown = [{"IP": value} for value in values]
        yield invalid(path, shown, "may specify no more than one IP for each IP family")


def _host_addresses(path: str, status: Manifest) -> Errors:
    addresses = status.get("hostIPs") or []
    if addresses and (status.get("hostIP") or "") != (addresses[0].get("ip") or ""):
        yield invalid(f"{path}[0].ip", addresses[0].get("ip") or "", "must be equal to `hostIP`")
    yield from _addresses(path, addresses)


def _users(path: str, statuses: list[Manifest], spec: Manifest) -> Errors:
    system = (spec.get("os") or {}).get("name") or "linux"
    for index, item in enumerate(statuses):
        user, here = (item.get("user") or {}).get("linux"), f"{path}[{index}].user.linux"
        if user is None:
            continue
        if system == "windows":
            yield forbidden(here, "cannot be set for a windows pod")
            continue
        groups = enumerate(user.get("supplementalGroups") or [])
        numbers = [("uid", user.get("uid") or 0), ("gid", user.get("gid") or 0)]
        for field, number in (*numbers, *((f"supplementalGroups[{at}]", group) for at, group in groups)):
            if not 0 <= number <= MAX_INT32:
                yield invalid(f"{here}.{field}", number, names.between(0, MAX_INT32))


def _allocated(path: str, statuses: list[Manifest], containers: list[Manifest]) -> Errors:
    """The health of devices that a container was given."""
    known = {item.get("name"): item for item in reversed(containers)}
    for index, item in enumerate(statuses):
        given = item.get("allocatedResourcesStatus") or []
        if given and path.endswith("ephemeralContainerStatuses"):
            yield forbidden(f"{path}[{index}].allocatedResourcesStatus", "must not be specified in container status")
            continue
        for at, resource in enumerate(given):
            here = f"{path}[{index}].allocatedResourcesStatus[{at}]"
            if item.get("name") in known:
                yield from _named(here, resource.get("name") or "", known[item.get("name")].get("resources") or {})
            yield from _healths(f"{here}.resources", resource.get("resources") or [])


def _named(path: str, name: str, resources: Manifest) -> Errors:
    if not name.startswith("claim:"):
        if name not in (resources.get("requests") or {}):
            yield invalid(f"{path}.name", name, "must match one of the container's resource requests")
        return
    claims = ("/".join(filter(None, (it.get("name"), it.get("request")))) for it in resources.get("claims") or [])
    if name.removeprefix("claim:") not in claims:
        yield invalid(f"{path}.name", name, _CLAIM_FORM)


def _healths(path: str, resources: list[Manifest]) -> Errors:
    seen: set[str] = set()
    for index, item in enumerate(resources):
        yield from one_of(f"{path}[{index}].health", item.get("health") or "", _HEALTH)
        name = item.get("resourceID") or ""
        if name in seen:
            yield duplicate(f"{path}[{index}].resourceID", name)
        seen.add(name)
