"""NetworkPolicies and StorageClasses (pkg/apis/{networking,storage}/validation).

They are kept for manifests that bring them along; nothing in the lab acts on them.
"""

from __future__ import annotations

from podlab.apis import names
from podlab.apis.field_errors import duplicate, forbidden, invalid, required
from podlab.apis.types import Manifest
from podlab.apis.validation import addresses, metadata
from podlab.apis.validation.rules import Errors, by_rule, label_selector, one_of, port

_POLICY_TYPES = ("Ingress", "Egress")
_PROTOCOLS = ("TCP", "UDP", "SCTP")
_BINDING_MODES = ("Immediate", "WaitForFirstConsumer")
_RECLAIM = ("Delete", "Retain")


def network_policy(obj: Manifest) -> Errors:
    spec = obj.get("spec") or {}
    yield from label_selector("spec.podSelector", spec.get("podSelector"))
    for field, peers in (("ingress", "from"), ("egress", "to")):
        for index, rule in enumerate(spec.get(field) or []):
            here = f"spec.{field}[{index}]"
            for at, item in enumerate(rule.get("ports") or []):
                yield from _policy_port(f"{here}.ports[{at}]", item)
            for at, item in enumerate(rule.get(peers) or []):
                yield from _peer(f"{here}.{peers}[{at}]", item)
    types = spec.get("policyTypes") or []
    if len(types) > len(_POLICY_TYPES):
        yield invalid("spec.policyTypes", types, "may not specify more than two policyTypes")
        return
    for index, kind in enumerate(types):
        yield from one_of(f"spec.policyTypes[{index}]", kind, _POLICY_TYPES)


def _policy_port(path: str, item: Manifest) -> Errors:
    if item.get("protocol") is not None:
        yield from one_of(f"{path}.protocol", item["protocol"], _PROTOCOLS)
    number, end = item.get("port"), item.get("endPort")
    if number is not None:
        yield from port(f"{path}.port", number)
        if end is not None:
            if isinstance(number, str):
                yield invalid(f"{path}.endPort", end, "may not be specified when `port` is non-numeric")
            elif end < number:
                yield invalid(f"{path}.endPort", number, "must be greater than or equal to `port`")  # sic
            elif end > 65535:
                yield from port(f"{path}.endPort", end)
    elif end is not None:
        yield invalid(f"{path}.endPort", end, "may not be specified when `port` is not specified")


def _peer(path: str, item: Manifest) -> Errors:
    for field in ("podSelector", "namespaceSelector"):
        yield from label_selector(f"{path}.{field}", item.get(field))
    block = item.get("ipBlock")
    selected = item.get("podSelector") is not None or item.get("namespaceSelector") is not None
    if block is not None:
        if not block.get("cidr"):
            yield required(f"{path}.ipBlock.cidr")
        else:
            yield from _block(f"{path}.ipBlock", block)
    if block is not None and selected:
        yield forbidden(path, "may not specify both ipBlock and another peer")
    elif block is None and not selected:
        yield required(path, "must specify a peer")


def _block(path: str, block: Manifest) -> Errors:
    yield from addresses.cidr(f"{path}.cidr", block["cidr"])
    whole = addresses.sloppy_block(block["cidr"])
    for index, value in enumerate(block.get("except") or []) if whole else ():
        here = f"{path}.except[{index}]"
        yield from addresses.cidr(here, value)
        part = addresses.sloppy_block(value)
        if part is not None and whole is not None and not addresses.inside(part, whole):
            yield invalid(here, value, "must be a strict subset of `cidr`")


def storage_class(obj: Manifest) -> Errors:
    if not obj.get("provisioner"):
        yield required("provisioner")
    else:
        yield from by_rule("provisioner", obj["provisioner"].lower(), names.qualified_name)
    for key in obj.get("parameters") or {}:
        if not key:
            yield invalid("parameters", key, "field can not be empty.")
    if obj.get("reclaimPolicy"):
        yield from one_of("reclaimPolicy", obj["reclaimPolicy"], _RECLAIM)
    if obj.get("volumeBindingMode") is not None:
        yield from one_of("volumeBindingMode", obj["volumeBindingMode"], _BINDING_MODES)
    yield from _topologies(obj.get("allowedTopologies") or [])


def _topologies(terms: list[Manifest]) -> Errors:
    """Every term is compared with as many empty ones as there are terms, and with those before it."""
    seen: list[dict[str, set[str]]] = [{} for _ in terms]
    for index, term in enumerate(terms):
        here, found = f"allowedTopologies[{index}].matchLabelExpressions", dict[str, set[str]]()
        for at, item in enumerate(term.get("matchLabelExpressions") or []):
            key, values = item.get("key") or "", item.get("values") or []
            if not values:
                yield required(f"{here}[{at}].values")
            for place, value in enumerate(values):
                if value in values[:place]:
                    yield duplicate(f"{here}[{at}].values[{place}]", value)
            yield from by_rule(f"{here}[{at}].key", key, names.qualified_name)
            if key in found:
                yield duplicate(f"{here}[{at}].key", key)
            found[key] = set(values)
        yield from (duplicate(here, "") for other in seen if other == found)
        seen.append(found)


def storage_class_update(new: Manifest, old: Manifest) -> Errors:
    for field in ("parameters", "provisioner", "reclaimPolicy", "volumeBindingMode"):
        mine, before = new.get(field) or None, old.get(field) or None
        if mine != before:
            empty = "" if field == "provisioner" else None
            yield invalid(
                field, dict(sorted(mine.items())) if isinstance(mine, dict) else mine or empty, metadata.IMMUTABLE
            )
