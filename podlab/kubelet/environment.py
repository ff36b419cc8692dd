"""The environment, command and arguments of a container: env, envFrom, valueFrom, $(VAR). `start` calls it.

pkg/kubelet/kubelet_pods.go makeEnvironmentVariables and third_party/forked/golang/expansion. Pure but for `Lookup`,
which answers from the API; what Services add is `service_links`.
"""

from __future__ import annotations

import base64
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from podlab.apis import quantity
from podlab.apis.types import Manifest
from podlab.kubelet import pods, service_links


class Lookup(Protocol):
    """Reads ConfigMaps and Secrets of the pod's namespace; None if there is no such object."""

    def config_map(self, namespace: str, name: str) -> Manifest | None: ...

    def secret(self, namespace: str, name: str) -> Manifest | None: ...

    def claim(self, namespace: str, name: str) -> Manifest | None: ...

    def persistent_volume(self, name: str) -> Manifest | None: ...

    def services(self, namespace: str) -> list[Manifest]:
        """Those of a namespace, and `kubernetes` of the namespace default."""
        ...

    def token(self, pod: Manifest, audience: str, seconds: int) -> str:
        """A token of the pod's service account, bound to the pod. Raises ApiError."""
        ...

    def forget(self, uid: str) -> None:
        """The pod is gone: nothing is kept for it."""
        ...


class ConfigError(Exception):
    """The container cannot be configured (waiting reason CreateContainerConfigError); the message is shown as it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What fieldRef and resourceFieldRef may tell beside the manifest."""

    pod_ip: str
    node_ip: str
    allocatable_cpu_milli: int
    allocatable_memory: int


_REFERENCE = re.compile(r"\$(\$|\(([^()]*)\)|)")
_FIELD = re.compile(r"metadata\.(labels|annotations)\['(.+)'\]")


def environment(pod: Manifest, container: Manifest, lookup: Lookup, facts: Facts) -> dict[str, str]:
    """Names and values in the order in which Kubernetes defines them."""
    found: dict[str, str] = {}
    for source in container.get("envFrom") or []:
        found |= _from_source(pod, source, lookup)
    services = service_links.variables(pod, lookup.services(pod["metadata"]["namespace"]))
    defined: dict[str, str] = {}
    for entry in container.get("env") or []:
        value = _value(pod, container, entry, lookup, facts, {**services, **found, **defined})
        if value is not None:
            defined[entry["name"]] = value
    return {**services, **found, **defined}


def command_line(container: Manifest, env: Mapping[str, str]) -> tuple[tuple[str, ...] | None, tuple[str, ...] | None]:
    """(command, args) with $(VAR) replaced; None where the manifest gives none."""
    made = [
        tuple(expand(word, env) for word in container[name]) if container.get(name) else None
        for name in ("command", "args")
    ]
    return made[0], made[1]


def expand(text: str, env: Mapping[str, str]) -> str:
    """$(NAME) becomes its value; $$ is a literal $; an unknown name stays as it is written."""

    def replacement(match: re.Match[str]) -> str:
        if match[1] == "$":
            return "$"
        name = match[2]
        return env[name] if name is not None and name in env else match[0]

    return _REFERENCE.sub(replacement, text)


def field_value(pod: Manifest, path: str, facts: Facts) -> str:
    """A downward API field (pkg/fieldpath, and podFieldSelectorRuntimeValue for the status fields)."""
    meta, spec = pod["metadata"], pod["spec"]
    keyed = _FIELD.fullmatch(path)
    if keyed:
        held = _annotations(pod) if keyed[1] == "annotations" else meta.get("labels") or {}
        return str(held.get(keyed[2], ""))
    if path in ("metadata.labels", "metadata.annotations"):
        entries = _annotations(pod) if path == "metadata.annotations" else meta.get("labels") or {}
        return "\n".join(f'{name}="{_escaped(value)}"' for name, value in sorted(entries.items()))
    plain = {
        "metadata.name": meta["name"],
        "metadata.namespace": meta["namespace"],
        "metadata.uid": meta["uid"],
        "spec.nodeName": spec.get("nodeName", ""),
        "spec.serviceAccountName": spec.get("serviceAccountName", ""),
        "status.hostIP": facts.node_ip,
        "status.hostIPs": facts.node_ip,
        "status.podIP": facts.pod_ip,
        "status.podIPs": facts.pod_ip,
    }
    if path not in plain:
        raise ConfigError(f"unsupported fieldPath: {path}")
    return str(plain[path])


def resource_value(container: Manifest, selector: Manifest, facts: Facts) -> str:
    """A resourceFieldRef: rounded up to the divisor; a missing limit means what the node can give."""
    where, _, what = str(selector["resource"]).partition(".")
    amount = ((container.get("resources") or {}).get(where) or {}).get(what)
    divisor = str(selector.get("divisor") or "0")
    divisor = "1" if divisor == "0" else divisor
    if what == "cpu":
        fallback = facts.allocatable_cpu_milli if where == "limits" else 0
        milli = quantity.milli(str(amount)) if amount is not None else fallback
        return str(math.ceil(milli / quantity.milli(divisor)))
    fallback = facts.allocatable_memory if where == "limits" and what == "memory" else 0
    value = quantity.value(str(amount)) if amount is not None else fallback
    return str(math.ceil(value / quantity.value(divisor)))


def secret_data(secret: Manifest) -> dict[str, bytes]:
    return {name: base64.b64decode(value) for name, value in (secret.get("data") or {}).items()}


def _annotations(pod: Manifest) -> dict[str, str]:
    """With those that a kubelet adds to its own copy of a pod (pkg/kubelet/config/config.go, kubetypes.ConfigSourceAnnotation)."""
    seen = str(pod["metadata"].get("creationTimestamp") or "")
    own = {"kubernetes.io/config.seen": seen.replace("Z", ".000000000Z"), "kubernetes.io/config.source": "api"}
    return {**own, **(pod["metadata"].get("annotations") or {})}


def _escaped(value: str) -> str:
    return str(value).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _from_source(pod: Manifest, source: Manifest, lookup: Lookup) -> dict[str, str]:
    namespace, prefix = pod["metadata"]["namespace"], source.get("prefix") or ""
    if source.get("configMapRef"):
        ref = source["configMapRef"]
        found = lookup.config_map(namespace, ref["name"])
        if found is None and not ref.get("optional"):
            raise ConfigError(f'configmap "{ref["name"]}" not found')
        data = dict((found or {}).get("data") or {})
    else:
        ref = source.get("secretRef") or {}
        found = lookup.secret(namespace, ref["name"])
        if found is None and not ref.get("optional"):
            raise ConfigError(f'secret "{ref["name"]}" not found')
        data = {name: value.decode("utf-8", "surrogateescape") for name, value in secret_data(found or {}).items()}
    return {f"{prefix}{name}": data[name] for name in sorted(data)}


def _value(
    pod: Manifest, container: Manifest, entry: Manifest, lookup: Lookup, facts: Facts, known: Mapping[str, str]
) -> str | None:
    """The value of one env entry, or None when an optional source does not exist."""
    source = entry.get("valueFrom")
    if not source:
        return expand(str(entry.get("value") or ""), known)
    if source.get("fieldRef"):
        return field_value(pod, source["fieldRef"]["fieldPath"], facts)
    if source.get("resourceFieldRef"):
        return resource_value(_named(pod, container, source["resourceFieldRef"]), source["resourceFieldRef"], facts)
    namespace = pod["metadata"]["namespace"]
    if source.get("configMapKeyRef"):
        ref = source["configMapKeyRef"]
        found = lookup.config_map(namespace, ref["name"])
        text = ((found or {}).get("data") or {}).get(ref["key"])
        return _key("ConfigMap", namespace, ref, found, text)
    if source.get("secretKeyRef"):
        ref = source["secretKeyRef"]
        found = lookup.secret(namespace, ref["name"])
        raw = secret_data(found or {}).get(ref["key"])
        return _key("Secret", namespace, ref, found, None if raw is None else raw.decode("utf-8", "surrogateescape"))
    raise ConfigError(f"podlab cannot take the value of {entry['name']} from {', '.join(source)} yet")


def _key(kind: str, namespace: str, ref: Manifest, found: Manifest | None, value: str | None) -> str | None:
    if value is not None or ref.get("optional"):
        return value
    if found is None:
        raise ConfigError(f'{kind.lower()} "{ref["name"]}" not found')
    raise ConfigError(f"couldn't find key {ref['key']} in {kind} {namespace}/{ref['name']}")


def _named(pod: Manifest, container: Manifest, selector: Manifest) -> Manifest:
    name = selector.get("containerName")
    spec = pods.find_spec(pod, name) if name else None
    return spec.manifest if spec is not None else container
