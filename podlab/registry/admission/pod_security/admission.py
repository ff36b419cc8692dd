"""The plugin: pods are refused or warned about, templates of workloads are warned about, and a namespace that becomes
stricter tells which of its pods would not be let in today.

Source: k8s.io/pod-security-admission/admission/admission.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from podlab.apis import status_errors
from podlab.apis.types import Manifest
from podlab.registry import metadata
from podlab.registry.admission.plugin import CREATE, UPDATE, Plugin, Request
from podlab.registry.admission.pod_security import evaluate, tenants
from podlab.registry.admission.pod_security.checks import Subject
from podlab.registry.admission.pod_security.levels import BASELINE, PRIVILEGED, Policy, Rule, is_enforced, policy_of
from podlab.registry.admission.pod_security.templates import TEMPLATES, template_of

_MOST_PODS = 3000  # as many are looked at when a namespace gets stricter
_SECCOMP = "container.seccomp.security.alpha.kubernetes.io/"


class PodSecurity(Plugin):
    def check(self, request: Request) -> None:
        if request.operation not in (CREATE, UPDATE):
            return
        subresource = request.ctx.subresource
        if request.resource == "pods" and subresource in ("", "ephemeralcontainers"):
            _check_pod(request)
        elif request.resource in TEMPLATES and not subresource:
            _check_template(request)
        elif request.resource == "namespaces" and not subresource:
            _check_namespace(request)


def _policy(request: Request, subject: Subject) -> Policy:
    """What holds for `subject`. Whose namespace it is takes a look at the grants, so that is asked only where no label says
    what is enforced and there would be something to find."""
    ctx = request.ctx
    policy, _ = policy_of(ctx.namespace_labels)
    if is_enforced(ctx.namespace_labels) or not evaluate.violations(Rule(BASELINE, policy.enforce.minor), subject):
        return policy
    return policy_of(ctx.namespace_labels, tenants.unlabelled(ctx.client.cluster, ctx.namespace))[0]


def _check_pod(request: Request) -> None:
    subject = Subject(metadata.of(request.obj), request.obj.get("spec") or {})
    policy = _policy(request, subject)
    if policy.enforce.level == policy.warn.level == PRIVILEGED:
        return
    if request.old is not None and not _matters(request.obj, request.old):
        return
    found = evaluate.violations(policy.enforce, subject)
    if found:
        raise request.refusal(f'violates PodSecurity "{policy.enforce}": {evaluate.details(found)}')
    _warn(request, policy.warn, subject)


def _check_template(request: Request) -> None:
    template = template_of(request.resource, request.obj)
    if template:
        subject = Subject(template.get("metadata") or {}, template.get("spec") or {})
        _warn(request, _policy(request, subject).warn, subject)


def _warn(request: Request, rule: Rule, subject: Subject) -> None:
    found = evaluate.violations(rule, subject)
    if found:
        request.warnings.append(f'would violate PodSecurity "{rule}": {evaluate.details(found)}')


def _matters(new: Manifest, old: Manifest) -> bool:
    """Whether an update touches what the checks look at (isSignificantPodUpdate)."""
    before, after = Subject(metadata.of(old), old.get("spec") or {}), Subject(metadata.of(new), new.get("spec") or {})
    return _images(before) != _images(after)


def _images(subject: Subject) -> list[tuple[str, str, str]]:
    return [
        (str(item.get("name")), str(item.get("image")), subject.annotations.get(f"{_SECCOMP}{item.get('name')}", ""))
        for item in subject.containers()
    ]


def _check_namespace(request: Request) -> None:
    new, errors = policy_of(_labels(request.obj))
    if request.old is None:
        if errors:
            raise status_errors.invalid(request.ctx.resource, request.name, errors)
        return
    old, old_errors = policy_of(_labels(request.old))
    if errors and errors != old_errors:
        raise status_errors.invalid(request.ctx.resource, request.name, errors)
    if new.enforce.level == PRIVILEGED or new.enforce == old.enforce:
        return
    if new.enforce.minor == old.enforce.minor and new.enforce.strictness <= old.enforce.strictness:
        return
    request.warnings.extend(_about_pods(request, new.enforce))


def _labels(obj: Manifest) -> dict[str, str]:
    return metadata.of(obj).get("labels") or {}


def _about_pods(request: Request, rule: Rule) -> list[str]:
    pods = request.ctx.client.as_system().list("pods", request.name).items
    found = _by_reasons((pod.obj for pod in pods[:_MOST_PODS]), rule)
    told = [f"{_names(names)}: {reasons}" for reasons, names in found.items()]
    out = []
    if len(pods) > _MOST_PODS:
        text = "new PodSecurity enforce level only checked against the first"
        out.append(f"{text} {_MOST_PODS} of {len(pods)} existing pods")
    if told:
        text = f'existing pods in namespace "{request.name}" violate the new PodSecurity enforce level "{rule}"'
        out += [text, *sorted(told)]
    return out


def _by_reasons(pods: Iterable[Manifest], rule: Rule) -> dict[str, list[str]]:
    """The names of the pods by what is wrong with them. Of the pods of one controller only the first is told."""
    found: dict[str, list[str]] = {}
    controllers = set()
    for pod in pods:
        meta = metadata.of(pod)
        owner = next((ref.get("uid") for ref in meta.get("ownerReferences") or [] if ref.get("controller")), None)
        if owner is not None and owner in controllers:
            continue
        controllers.add(owner)
        wrong = evaluate.violations(rule, Subject(meta, pod.get("spec") or {}))
        if wrong:
            found.setdefault(evaluate.reasons(wrong), []).append(str(meta.get("name")))
    return found


def _names(names: Sequence[str]) -> str:
    others = len(names) - 1
    if not others:
        return names[0]
    return f"{names[0]} (and {others} other {'pod' if others == 1 else 'pods'})"
