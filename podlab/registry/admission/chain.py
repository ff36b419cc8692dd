"""The chain of admission plugins. Called by `registry.creating`, `updating` and `deleting`.

`admit` lets every plugin change the object, `check` lets every plugin refuse the finished one. A new plugin joins by one
line in PLUGINS. The order is that of pkg/kubeapiserver/options/plugins.go.
"""

from __future__ import annotations

from podlab.registry.admission.default_tolerations import DefaultTolerationSeconds
from podlab.registry.admission.namespace_lifecycle import NamespaceLifecycle
from podlab.registry.admission.plugin import CREATE, DELETE, UPDATE, Plugin, Request
from podlab.registry.admission.priority import Priority
from podlab.registry.admission.runtime_class import RuntimeClass
from podlab.registry.admission.service_account import ServiceAccount

__all__ = ["CREATE", "DELETE", "PLUGINS", "UPDATE", "Request", "admit", "check"]

PLUGINS: tuple[Plugin, ...] = (
    NamespaceLifecycle(),
    ServiceAccount(),
    Priority(),
    DefaultTolerationSeconds(),
    RuntimeClass(),
)


def admit(request: Request) -> None:
    for plugin in PLUGINS:
        plugin.admit(request)


def check(request: Request) -> None:
    for plugin in PLUGINS:
        plugin.check(request)
