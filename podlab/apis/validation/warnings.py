"""Sentences that go out as Warning headers with an accepted pod (pkg/api/pod/warnings.go)."""

from __future__ import annotations

from collections.abc import Iterator

from podlab.apis import names, quantity
from podlab.apis.types import Manifest

_APP_ARMOR = "container.apparmor.security.beta.kubernetes.io/"
_LISTS = ("initContainers", "containers")
_BYTE_RESOURCES = ("memory", "ephemeral-storage")


def of_pod(pod: Manifest) -> list[str]:
    return [*of_name(pod, "the Pod's hostname"), *of_template("", pod)]


def of_template(prefix: str, template: Manifest) -> list[str]:
    """A pod, or a template of pods; `prefix` is its path with a dot at the end."""
    return [
        *_of_annotations(f"{prefix}metadata", template),
        *_of_volumes(template),
        *_of_containers(f"{prefix}spec", template),
    ]


def of_name(obj: Manifest, used_in: str) -> Iterator[str]:
    """A name that will be, or begin, the name of a host."""
    problems = names.dns_label((obj.get("metadata") or {}).get("name") or "a")
    if problems:
        yield (
            f"metadata.name: this is used in {used_in}, which can result in surprising behavior; "
            f"a DNS label is recommended: [{' '.join(problems)}]"
        )


def _of_annotations(path: str, pod: Manifest) -> Iterator[str]:
    for key in (pod.get("metadata") or {}).get("annotations") or {}:
        if key.startswith(_APP_ARMOR):
            yield f'{path}.annotations[{key}]: deprecated since v1.30; use the "appArmorProfile" field instead'


def _of_volumes(pod: Manifest) -> Iterator[str]:
    for volume in (pod.get("spec") or {}).get("volumes") or []:
        projected = volume.get("projected")
        if projected is not None and not any(source for source in projected.get("sources") or []):
            yield f'volume "{volume.get("name", "")}" (Projected) has no sources provided'


def _of_containers(path: str, pod: Manifest) -> Iterator[str]:
    ports: dict[tuple[object, ...], str] = {}
    for field in _LISTS:
        for index, item in enumerate((pod.get("spec") or {}).get(field) or []):
            here = f"{path}.{field}[{index}]"
            yield from _of_amounts(f"{here}.resources", item.get("resources") or {})
            yield from _of_env(f"{here}.env", item.get("env") or [])
            yield from _of_ports(f"{here}.ports", item.get("ports") or [], ports)


def _of_amounts(path: str, resources: Manifest) -> Iterator[str]:
    for kind in ("limits", "requests"):
        for name, text in (resources.get(kind) or {}).items():
            parsed = quantity.parse(text)
            if name in _BYTE_RESOURCES and parsed.nano % quantity.NANO:
                yield f'{path}.{kind}[{name}]: fractional byte value "{parsed}" is invalid, must be an integer'


def _of_env(path: str, variables: list[Manifest]) -> Iterator[str]:
    seen: set[str] = set()
    for index, item in enumerate(variables):
        name = item.get("name", "")
        if name in seen:
            yield f'{path}[{index}]: hides previous definition of "{name}", which may be dropped when using apply'
        seen.add(name)


def _of_ports(path: str, ports: list[Manifest], seen: dict[tuple[object, ...], str]) -> Iterator[str]:
    for index, item in enumerate(ports):
        here = f"{path}[{index}]"
        host, host_ip = item.get("hostPort") or 0, item.get("hostIP") or ""
        number, protocol = item.get("containerPort") or 0, item.get("protocol") or ""
        if host_ip and not host:
            shown = (
                f"Name:{item.get('name') or ''} HostPort:0 ContainerPort:{number} Protocol:{protocol} HostIP:{host_ip}"
            )
            yield f"{here}: hostIP set without hostPort: {{{shown}}}"
        claim = (number, protocol, host, host_ip)
        if claim in seen:
            yield f"{here}: duplicate port definition with {seen[claim]}"
        seen.setdefault(claim, here)
