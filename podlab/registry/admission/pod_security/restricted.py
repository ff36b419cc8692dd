"""The checks that the level "restricted" adds: a pod says itself that it needs nothing special.

Source: k8s.io/pod-security-admission/policy/check_*.go. Ordered by id, as findings are told.
"""

from __future__ import annotations

from podlab.apis.types import Manifest
from podlab.registry.admission.pod_security import baseline
from podlab.registry.admission.pod_security.checks import (
    Check,
    Subject,
    Test,
    Violation,
    containers_text,
    name_of,
    named,
    plural,
    quoted,
    security,
    setters,
)

_VOLUMES = frozenset(
    {
        "configMap",
        "csi",
        "downwardAPI",
        "emptyDir",
        "ephemeral",
        "image",
        "persistentVolumeClaim",
        "projected",
        "secret",
    }
)
_OTHER_VOLUMES = frozenset(
    {
        "hostPath", "gcePersistentDisk", "awsElasticBlockStore", "gitRepo", "nfs", "iscsi", "glusterfs", "rbd",
        "flexVolume", "cinder", "cephfs", "flocker", "fc", "azureFile", "vsphereVolume", "quobyte", "azureDisk",
        "portworxVolume", "photonPersistentDisk", "scaleIO", "storageos",
    }
)  # fmt: skip


def _escalation(subject: Subject) -> Violation | None:
    bad = named(subject, lambda item: security(item).get("allowPrivilegeEscalation") is not False)
    text = f"{containers_text(bad)} must set securityContext.allowPrivilegeEscalation=false"
    return Violation("allowPrivilegeEscalation != false", text) if bad else None


def _capabilities(subject: Subject) -> Violation | None:
    def given(container: Manifest, field: str) -> set[str]:
        return set((security(container).get("capabilities") or {}).get(field) or ())

    def extra(container: Manifest) -> set[str]:
        return given(container, "add") - {"NET_BIND_SERVICE"}

    keeping = named(subject, lambda item: "ALL" not in given(item, "drop"))
    adding = named(subject, extra)
    told = []
    if keeping:
        told.append(f'{containers_text(keeping)} must set securityContext.capabilities.drop=["ALL"]')
    if adding:
        wrong = sorted(set().union(*(extra(item) for item in subject.containers())))
        told.append(f"{containers_text(adding)} must not include {quoted(wrong)} in securityContext.capabilities.add")
    return Violation("unrestricted capabilities", "; ".join(told)) if told else None


def _volume_type(volume: Manifest) -> str | None:
    """The type when it is not among the allowed ones."""
    given = {field for field, source in volume.items() if source is not None} - {"name"}
    if given & _VOLUMES:
        return None
    return next(iter(sorted(given & _OTHER_VOLUMES)), "unknown")


def _volumes(subject: Subject) -> Violation | None:
    found = [(name_of(volume), _volume_type(volume)) for volume in subject.spec.get("volumes") or []]
    bad = [name for name, wrong in found if wrong]
    if not bad:
        return None
    types = sorted({wrong for _, wrong in found if wrong})
    what = plural("restricted volume type", "restricted volume types", types)
    return Violation(
        "restricted volume types",
        f"{plural('volume', 'volumes', bad)} {quoted(bad)} {plural('uses', 'use', bad)} {what} {quoted(types)}",
    )


def _non_root(subject: Subject) -> Violation | None:
    reason, pod = "runAsNonRoot != true", subject.context.get("runAsNonRoot")
    who = setters(pod is False, named(subject, lambda item: security(item).get("runAsNonRoot") is False))
    if who:
        return Violation(reason, f"{who} must not set securityContext.runAsNonRoot=false")
    silent = [] if pod else named(subject, lambda item: security(item).get("runAsNonRoot") is None)
    text = f"pod or {containers_text(silent)} must set securityContext.runAsNonRoot=true"
    return Violation(reason, text) if silent else None


def _user(subject: Subject) -> Violation | None:
    who = setters(
        subject.context.get("runAsUser") == 0, named(subject, lambda item: security(item).get("runAsUser") == 0)
    )
    return Violation("runAsUser=0", f"{who} must not set runAsUser=0") if who else None


def _seccomp(subject: Subject) -> Violation | None:
    wrong = baseline.seccomp(subject)
    if wrong is not None or subject.context.get("seccompProfile"):
        return wrong
    silent = named(subject, lambda item: not security(item).get("seccompProfile"))
    text = 'must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"'
    return Violation("seccompProfile", f"pod or {containers_text(silent)} {text}") if silent else None


def _not_on_windows(test: Test) -> Test:
    return lambda subject: None if subject.on_windows else test(subject)


def _not_with_own_users(test: Test) -> Test:
    return lambda subject: None if subject.has_own_users else test(subject)


CHECKS = (
    Check("allowPrivilegeEscalation", ((8, _escalation), (25, _not_on_windows(_escalation)))),
    Check(
        "capabilities_restricted",
        ((22, _capabilities), (25, _not_on_windows(_capabilities))),
        overrides=("capabilities_baseline",),
    ),
    Check("procMount_restricted", ((35, baseline.proc_mount),), overrides=("procMount",)),
    Check("restrictedVolumes", ((0, _volumes),), overrides=("hostPathVolumes",)),
    Check("runAsNonRoot", ((0, _non_root), (35, _not_with_own_users(_non_root)))),
    Check("runAsUser", ((23, _user), (35, _not_with_own_users(_user)))),
    Check(
        "seccompProfile_restricted",
        ((19, _seccomp), (25, _not_on_windows(_seccomp))),
        overrides=("seccompProfile_baseline",),
    ),
)
