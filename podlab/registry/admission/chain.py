"""The chain of admission plugins. Called by `registry.creating`, `updating` and `deleting`.

`admit` lets every plugin change the object, `check` lets every plugin refuse the finished one, `commit` has the last word
under the lock of the write. A new plugin joins by one
line in PLUGINS. The order is that of pkg/kubeapiserver/options/plugins.go.
"""

from __future__ import annotations

from podlab.registry.admission import resource_quota
from podlab.registry.admission.default_tolerations import DefaultTolerationSeconds
from podlab.registry.admission.limit_ranger import LimitRanger
from podlab.registry.admission.namespace_lifecycle import NamespaceLifecycle
from podlab.registry.admission.plugin import CREATE, DELETE, UPDATE, Plugin, Request
from podlab.registry.admission.pod_preset import PodPreset
from podlab.registry.admission.pod_security.admission import PodSecurity
from podlab.registry.admission.priority import Priority
from podlab.registry.admission.privileged import Privileged
from podlab.registry.admission.resource_quota import ResourceQuota
from podlab.registry.admission.runtime_class import RuntimeClass
from podlab.registry.admission.service_account import ServiceAccount
from podlab.registry.admission.storage import DefaultStorageClass, PersistentVolumeClaimResize
from podlab.registry.nearby import Held

__all__ = ["CREATE", "DELETE", "PLUGINS", "UPDATE", "Request", "admit", "check", "commit", "is_booked"]

PLUGINS: tuple[Plugin, ...] = (
    NamespaceLifecycle(),
    PodPreset(),
    LimitRanger(),
    ServiceAccount(),
    Privileged(),
    PodSecurity(),
    Priority(),
    DefaultTolerationSeconds(),
    DefaultStorageClass(),
    PersistentVolumeClaimResize(),
    RuntimeClass(),
    ResourceQuota(),
)


def _with_own(step: str) -> tuple[Plugin, ...]:
    """Those that do something at this step, in their order."""
    return tuple(plugin for plugin in PLUGINS if getattr(type(plugin), step) is not getattr(Plugin, step))


_ADMITTING, _CHECKING, _COMMITTING = _with_own("admit"), _with_own("check"), _with_own("commit")


def is_booked(request: Request) -> bool:
    """Whether the request is one for `commit`: of updates few may take more of a quota."""
    return request.operation == CREATE or resource_quota.counts(request)


def admit(request: Request) -> None:
    for plugin in _ADMITTING:
        plugin.admit(request)


def check(request: Request) -> None:
    for plugin in _CHECKING:
        plugin.check(request)


def commit(request: Request) -> None:
    held = Held(request.ctx.client.cluster, request.ctx.namespace)
    for plugin in _COMMITTING:
        plugin.commit(request, held)
