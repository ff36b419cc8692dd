"""Where a pod may go: affinity, tolerations, spreading, gates (core validation: validateAffinity and following)."""

from __future__ import annotations

from podlab.apis import names
from podlab.apis.field_errors import duplicate, forbidden, invalid, not_supported, required
from podlab.apis.types import Manifest
from podlab.apis.validation.rules import Errors, by_rule, label_selector, node_selector_requirement, one_of

_REQUIRED, _PREFERRED = (
    "requiredDuringSchedulingIgnoredDuringExecution",
    "preferredDuringSchedulingIgnoredDuringExecution",
)
_WEIGHT = "must be in the range 1-100"
_NO_SELECTOR = "must not be specified when labelSelector is not set"
EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
OPERATORS = ("Equal", "Exists")
_COMPARING = ("Lt", "Gt")


def affinity(path: str, value: Manifest | None) -> Errors:
    if not value:
        return
    if value.get("nodeAffinity"):
        yield from _node_affinity(f"{path}.nodeAffinity", value["nodeAffinity"])
    for kind in ("podAffinity", "podAntiAffinity"):
        if value.get(kind):
            yield from _pod_affinity(f"{path}.{kind}", value[kind])


def _node_affinity(path: str, value: Manifest) -> Errors:
    if value.get(_REQUIRED) is not None:
        yield from node_selector(f"{path}.{_REQUIRED}", value[_REQUIRED])
    for index, item in enumerate(value.get(_PREFERRED) or []):
        here = f"{path}.{_PREFERRED}[{index}]"
        yield from _weight(here, item)
        yield from _node_term(f"{here}.preference", item.get("preference") or {}, values=False)


def node_selector(path: str, selector: Manifest) -> Errors:
    """Of a pod's affinity and of a PersistentVolume."""
    terms = selector.get("nodeSelectorTerms") or []
    if not terms:
        yield required(f"{path}.nodeSelectorTerms", "must have at least one node selector term")
    for index, term in enumerate(terms):
        yield from _node_term(f"{path}.nodeSelectorTerms[{index}]", term, values=True)


def _weight(path: str, item: Manifest) -> Errors:
    weight = item.get("weight") or 0
    if not 1 <= weight <= 100:
        yield invalid(f"{path}.weight", weight, _WEIGHT)


def _node_term(path: str, term: Manifest, *, values: bool) -> Errors:
    """`values`: whether they must be label values. A preference may ask for what no node can have."""
    for index, item in enumerate(term.get("matchExpressions") or []):
        here = f"{path}.matchExpressions[{index}]"
        yield from node_selector_requirement(here, item)
        if values:
            for at, value in enumerate(item.get("values") or []):
                yield from by_rule(f"{here}.values[{at}]", value, names.label_value)
    for index, item in enumerate(term.get("matchFields") or []):
        yield from _match_field(f"{path}.matchFields[{index}]", item)


def _match_field(path: str, item: Manifest) -> Errors:
    values = item.get("values") or []
    if item.get("operator") not in ("In", "NotIn"):
        yield invalid(f"{path}.operator", item.get("operator") or "", "not a valid selector operator")
    elif len(values) != 1:
        yield required(
            f"{path}.values", "must be only one value when `operator` is 'In' or 'NotIn' for node field selector"
        )
    if item.get("key") != "metadata.name":
        yield invalid(f"{path}.key", item.get("key") or "", "not a valid field selector key")
    else:
        for index, value in enumerate(values):
            yield from by_rule(f"{path}.values[{index}]", value, names.dns_subdomain)


def _pod_affinity(path: str, value: Manifest) -> Errors:
    for index, term in enumerate(value.get(_REQUIRED) or []):
        yield from _pod_term(f"{path}.{_REQUIRED}[{index}]", term)
    for index, item in enumerate(value.get(_PREFERRED) or []):
        here = f"{path}.{_PREFERRED}[{index}]"
        yield from _weight(here, item)
        yield from _pod_term(f"{here}.podAffinityTerm", item.get("podAffinityTerm") or {})


def _pod_term(path: str, term: Manifest) -> Errors:
    yield from label_selector(f"{path}.labelSelector", term.get("labelSelector"))
    yield from label_selector(f"{path}.namespaceSelector", term.get("namespaceSelector"))
    for name in term.get("namespaces") or []:
        yield from by_rule(f"{path}.namespace", name, names.dns_label)
    matching, others = term.get("matchLabelKeys") or [], term.get("mismatchLabelKeys") or []
    for field, keys in (("matchLabelKeys", matching), ("mismatchLabelKeys", others)):
        if keys and term.get("labelSelector") is None:
            yield forbidden(f"{path}.{field}", _NO_SELECTOR)
            continue
        for index, key in enumerate(keys):
            yield from by_rule(f"{path}.{field}[{index}]", key, names.qualified_name)
    yield from _named_twice(path, matching, term.get("labelSelector") or {})
    for index, key in enumerate(matching):
        if key in others:
            detail = "exists in both matchLabelKeys and mismatchLabelKeys"
            yield invalid(f"{path}.matchLabelKeys[{index}]", key, detail)
    key = term.get("topologyKey") or ""
    yield from _topology_key(f"{path}.topologyKey", key)
    yield from by_rule(f"{path}.topologyKey", key, names.qualified_name)


def _named_twice(path: str, keys: list[str], selector: Manifest) -> Errors:
    """A key stands once in the selector, where its label was merged in (apis.label_keys); a second one is the user's."""
    last = {key: index for index, key in enumerate(keys)}
    named = set(selector.get("matchLabels") or {})
    for item in selector.get("matchExpressions") or []:
        key = item.get("key") or ""
        if key in last and key in named:
            yield invalid(f"{path}[{last[key]}]", key, "exists in both matchLabelKeys and labelSelector")
        named.add(key)


def _topology_key(path: str, key: str) -> Errors:
    if not key:
        yield required(path, "can not be empty")


_WHEN = ("DoNotSchedule", "ScheduleAnyway")
_POLICIES = ("Honor", "Ignore")


def spread(path: str, constraints: list[Manifest]) -> Errors:
    pairs = [(item.get("topologyKey") or "", item.get("whenUnsatisfiable") or "") for item in constraints]
    for index, item in enumerate(constraints):
        here = f"{path}[{index}]"
        key, when = pairs[index]
        if (item.get("maxSkew") or 0) <= 0:
            yield invalid(f"{here}.maxSkew", item.get("maxSkew") or 0, "must be greater than zero")
        yield from _topology_key(f"{here}.topologyKey", key)
        yield from one_of(f"{here}.whenUnsatisfiable", when, _WHEN)
        if (key, when) in pairs[index + 1 :]:
            yield duplicate(f"{here}.{{topologyKey, whenUnsatisfiable}}", f"{{{key}, {when}}}")
        yield from _min_domains(here, item, when)
        for field in ("nodeAffinityPolicy", "nodeTaintsPolicy"):
            if item.get(field) is not None:
                yield from one_of(f"{here}.{field}", item[field], _POLICIES)
        yield from _match_keys(here, item)
        yield from label_selector(f"{here}.labelSelector", item.get("labelSelector"))


def _min_domains(path: str, item: Manifest, when: str) -> Errors:
    least = item.get("minDomains")
    if least is None:
        return
    if least <= 0:
        yield invalid(f"{path}.minDomains", least, "must be greater than zero")
    if when != "DoNotSchedule":
        detail = f"can only use minDomains if whenUnsatisfiable=DoNotSchedule, not {when}"
        yield invalid(f"{path}.minDomains", least, detail)


def _match_keys(path: str, item: Manifest) -> Errors:
    keys = item.get("matchLabelKeys") or []
    if keys and item.get("labelSelector") is None:
        yield forbidden(f"{path}.matchLabelKeys", _NO_SELECTOR)
        return
    for index, key in enumerate(keys):
        yield from by_rule(f"{path}.matchLabelKeys[{index}]", key, names.qualified_name)
    yield from _named_twice(path, keys, item.get("labelSelector") or {})


def tolerations(path: str, values: list[Manifest]) -> Errors:
    for index, item in enumerate(values):
        here = f"{path}[{index}]"
        key, operator, value = item.get("key") or "", item.get("operator") or "", item.get("value") or ""
        effect, seconds = item.get("effect") or "", item.get("tolerationSeconds")
        if key:
            yield from by_rule(f"{here}.key", key, names.qualified_name)
        elif operator != "Exists":
            detail = 'operator must be Exists when `key` is empty, which means "match all values and all keys"'
            yield invalid(f"{here}.operator", operator, detail)
        if seconds is not None and effect != "NoExecute":
            yield invalid(f"{here}.effect", effect, "effect must be 'NoExecute' when `tolerationSeconds` is set")
        if operator in ("", "Equal"):
            problems = names.label_value(value)
            if problems:
                yield invalid(f"{here}.operator", value, ";".join(problems))
        elif operator == "Exists":
            if value:
                yield invalid(f"{here}.operator", value, "value must be empty when `operator` is 'Exists'")
        else:
            # The feature gate of Lt and Gt is off, yet who asks for one of them is told of both.
            known = (*OPERATORS, *_COMPARING) if operator in _COMPARING else OPERATORS
            yield not_supported(f"{here}.operator", operator, known)
        if effect:
            yield from one_of(f"{here}.effect", effect, EFFECTS)


def gates(path: str, values: list[Manifest]) -> Errors:
    seen: set[str] = set()
    for index, gate in enumerate(values):
        here, name = f"{path}[{index}]", gate.get("name") or ""
        yield from by_rule(here, name, names.qualified_name)
        if name in seen:
            yield duplicate(here, name)
        seen.add(name)


def readiness_gates(path: str, values: list[Manifest]) -> Errors:
    for index, gate in enumerate(values):
        yield from by_rule(f"{path}[{index}].conditionType", gate.get("conditionType") or "", names.qualified_name)
