"""apps/v1: Deployment, ReplicaSet, StatefulSet, DaemonSet, ControllerRevision (pkg/apis/apps/validation/validation.go).

Their rollout strategies are in rollouts.py, their status in workload_status.py.
"""

from __future__ import annotations

from podlab.apis import names, selectors
from podlab.apis.field_errors import forbidden, invalid, not_supported, required
from podlab.apis.selectors import LabelSelector, SelectorError
from podlab.apis.types import Manifest
from podlab.apis.validation import claim_specs, metadata, rollouts, template
from podlab.apis.validation.rules import NOT_NEGATIVE, Errors, by_rule, label_selector, not_negative

_MISMATCH = "`selector` does not match template `labels`"
_ALWAYS = ("Always",)


def spec_of(obj: Manifest) -> Manifest:
    return obj.get("spec") or {}


def immutable(path: str, new: Manifest, old: Manifest, field: str) -> Errors:
    if new.get(field) != old.get(field):
        value = shown_selector(new.get(field)) if field == "selector" else new.get(field)
        yield invalid(f"{path}.{field}", value, metadata.IMMUTABLE)


def shown_labels(labels: Manifest | None) -> Manifest | None:
    """As Go prints a map: by key."""
    return dict(sorted(labels.items())) if labels else None


def shown_selector(selector: Manifest | None) -> Manifest | None:
    if selector is None:
        return None
    out: Manifest = {}
    if selector.get("matchLabels"):
        out["matchLabels"] = shown_labels(selector["matchLabels"])
    if selector.get("matchExpressions"):
        fields = ("key", "operator", "values")
        out["matchExpressions"] = [
            {name: item[name] for name in fields if item.get(name) or name != "values"}
            for item in ({"key": "", "operator": "", **item} for item in selector["matchExpressions"])
        ]
    return out


def selection(path: str, selector: Manifest | None, kind: str) -> Errors:
    """A selector that must be there and must restrict something."""
    if selector is None:
        yield required(path)
        return
    yield from label_selector(path, selector)
    yield from not_everything(path, selector, kind)


def not_everything(path: str, selector: Manifest | None, kind: str) -> Errors:
    if selector is not None and not selector.get("matchLabels") and not selector.get("matchExpressions"):
        yield invalid(path, {}, f"empty selector is invalid for {kind}")


def compiled(selector: Manifest | None) -> LabelSelector | None:
    """None for a selector with mistakes, which were told already."""
    try:
        return selectors.from_label_selector(selector, checked=True)
    except SelectorError:
        return None


def selected(path: str, selector: LabelSelector, holder: Manifest) -> Errors:
    """The pods of this template are those that the selector means."""
    labels = ((holder.get("template") or {}).get("metadata") or {}).get("labels")
    if not selector.matches(labels):
        yield invalid(f"{path}.template.metadata.labels", shown_labels(labels), _MISMATCH)


def always_running(path: str, holder: Manifest, kind: str) -> Errors:
    """Workloads whose pods are started again for ever."""
    spec = (holder.get("template") or {}).get("spec") or {}
    if spec.get("restartPolicy") != "Always":
        yield not_supported(f"{path}.template.spec.restartPolicy", spec.get("restartPolicy") or "", _ALWAYS)
    if spec.get("activeDeadlineSeconds") is not None:
        detail = f"activeDeadlineSeconds in {kind} is not Supported"
        yield forbidden(f"{path}.template.spec.activeDeadlineSeconds", detail)


def _replicated_template(path: str, spec: Manifest) -> Errors:
    """ValidatePodTemplateSpecForReplicaSet, with what is said of a selector that cannot be read."""
    selector = compiled(spec.get("selector"))
    if selector is None:
        yield invalid(f"{path}.selector", shown_selector(spec.get("selector")), "invalid label selector")
        return
    yield from selected(path, selector, spec)
    yield from template.validate(f"{path}.template", spec.get("template") or {})
    yield from always_running(path, spec, "ReplicaSet")


def deployment(obj: Manifest) -> Errors:
    path, spec = "spec", spec_of(obj)
    yield from not_negative(path, spec, "replicas")
    yield from selection(f"{path}.selector", spec.get("selector"), "deployment")
    yield from _replicated_template(path, spec)
    yield from rollouts.deployment(f"{path}.strategy", spec.get("strategy") or {})
    yield from not_negative(path, spec, "minReadySeconds")
    yield from not_negative(path, spec, "revisionHistoryLimit")
    deadline = spec.get("progressDeadlineSeconds")
    if deadline is not None:
        yield from not_negative(path, spec, "progressDeadlineSeconds")
        if deadline <= (spec.get("minReadySeconds") or 0):
            yield invalid(f"{path}.progressDeadlineSeconds", deadline, "must be greater than minReadySeconds")


def deployment_update(new: Manifest, old: Manifest) -> Errors:
    yield from deployment(new)
    yield from immutable("spec", spec_of(new), spec_of(old), "selector")


def replica_set(obj: Manifest) -> Errors:
    path, spec = "spec", spec_of(obj)
    yield from not_negative(path, spec, "replicas")
    yield from not_negative(path, spec, "minReadySeconds")
    yield from selection(f"{path}.selector", spec.get("selector"), "deployment")  # sic
    yield from _replicated_template(path, spec)


def replica_set_update(new: Manifest, old: Manifest) -> Errors:
    yield from replica_set(new)
    yield from immutable("spec", spec_of(new), spec_of(old), "selector")


def daemon_set(obj: Manifest) -> Errors:
    path, spec = "spec", spec_of(obj)
    yield from label_selector(f"{path}.selector", spec.get("selector"))
    selector = compiled(spec.get("selector"))
    if selector is not None:
        yield from selected(path, selector, spec)
    yield from not_everything(f"{path}.selector", spec.get("selector"), "daemonset")
    yield from template.validate(f"{path}.template", spec.get("template") or {})
    yield from always_running(path, spec, "DaemonSet")
    yield from not_negative(path, spec, "minReadySeconds")
    yield from rollouts.daemon_set(f"{path}.updateStrategy", spec.get("updateStrategy") or {})
    yield from not_negative(path, spec, "revisionHistoryLimit")


def daemon_set_update(new: Manifest, old: Manifest) -> Errors:
    yield from immutable("spec", spec_of(new), spec_of(old), "selector")
    yield from daemon_set(new)


_MANAGEMENT = ("OrderedReady", "Parallel")
_RETENTION = ("Retain", "Delete")
_STATEFUL_ONLY = (
    "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', "
    "'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden"
)
_STATEFUL_MUTABLE = (
    "replicas", "ordinals", "template", "updateStrategy", "revisionHistoryLimit",
    "persistentVolumeClaimRetentionPolicy", "minReadySeconds",
)  # fmt: skip


def stateful_set(obj: Manifest) -> Errors:
    yield from _stateful_spec(spec_of(obj), new=True, template_too=True)


def _stateful_spec(spec: Manifest, *, new: bool, template_too: bool) -> Errors:
    """`new`: the fields that cannot be changed are looked at only then."""
    path = "spec"
    management = spec.get("podManagementPolicy") or ""
    if management not in _MANAGEMENT:
        yield invalid(f"{path}.podManagementPolicy", management, "must be 'OrderedReady' or 'Parallel'")
    yield from rollouts.stateful_set(f"{path}.updateStrategy", spec.get("updateStrategy") or {})
    retention = spec.get("persistentVolumeClaimRetentionPolicy") or {}
    for field in ("whenDeleted", "whenScaled"):
        value = retention.get(field) or ""
        if retention and value not in _RETENTION:
            yield not_supported(f"{path}.persistentVolumeClaimRetentionPolicy.{field}", value, _RETENTION)
    for index, claim in enumerate((spec.get("volumeClaimTemplates") or []) if new else ()):
        yield from claim_specs.claim_spec(f"{path}.volumeClaimTemplates[{index}].spec", claim.get("spec") or {})
    yield from not_negative(path, spec, "replicas")
    yield from not_negative(path, spec, "minReadySeconds")
    yield from not_negative(f"{path}.ordinals", spec.get("ordinals") or {}, "start")
    if new and spec.get("serviceName"):
        yield from by_rule(f"{path}.serviceName", spec["serviceName"], names.dns_label)
    yield from selection(f"{path}.selector", spec.get("selector"), "statefulset")
    yield from _stateful_template(path, spec, template_too=template_too)
    yield from always_running(path, spec, "StatefulSet")


def _stateful_template(path: str, spec: Manifest, *, template_too: bool) -> Errors:
    """The containers may mount the volumes that the claim templates will become; hostname and subdomain are the
    controller's. Labels and annotations are looked at twice, under a wrong path."""
    selector = compiled(spec.get("selector"))
    if selector is None:
        yield invalid(f"{path}.selector", shown_selector(spec.get("selector")))
        return
    yield from selected(path, selector, spec)
    given, here = spec.get("template") or {}, f"{path}.template"
    inside = {name: value for name, value in (given.get("spec") or {}).items() if name not in ("subdomain", "hostname")}
    claims = {
        name: {"name": name, "persistentVolumeClaim": {"claimName": name}}
        for name in (
            (claim.get("metadata") or {}).get("name") or "" for claim in spec.get("volumeClaimTemplates") or []
        )
    }
    if claims:
        others = [volume for volume in inside.get("volumes") or [] if volume.get("name") not in claims]
        inside["volumes"] = [*claims.values(), *others]
    if template_too:
        yield from template.validate(here, {**given, "spec": inside})
    yield from template.validate_head(here, given)


def stateful_set_update(new: Manifest, old: Manifest) -> Errors:
    """An old template that newer rules refuse may stay."""
    before = spec_of(old)
    good = not any(_stateful_spec(before, new=False, template_too=True))
    yield from _stateful_spec(spec_of(new), new=False, template_too=good)
    compared = {name: value for name, value in spec_of(new).items() if name not in _STATEFUL_MUTABLE}
    if compared != {name: value for name, value in before.items() if name not in _STATEFUL_MUTABLE}:
        yield forbidden("spec", _STATEFUL_ONLY)


def controller_revision(obj: Manifest) -> Errors:
    yield from _revision_number(obj)
    data = obj.get("data")
    if data is None:
        yield required("data", "data is mandatory")
    elif not isinstance(data, dict):
        yield required("data", "data must be a valid JSON object")


def _revision_number(obj: Manifest) -> Errors:
    if (obj.get("revision") or 0) < 0:
        yield invalid("revision", obj["revision"], NOT_NEGATIVE)


def controller_revision_update(new: Manifest, old: Manifest) -> Errors:
    yield from _revision_number(new)
    if new.get("data") != old.get("data"):
        yield invalid("data", new.get("data"), metadata.IMMUTABLE)
