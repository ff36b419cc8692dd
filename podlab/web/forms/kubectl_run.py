"""A pod as one `kubectl run` command, and such a command as a pod. Pure.

What the flags can say they say, the rest goes into --overrides, so the line makes the same pod as the manifest. Where not
even that can say it (a null, a pod without name or image), there is no line but `kubectl create -f`.
Source: kubectl/pkg/cmd/run (flags, generator and how overrides are merged).
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from typing import Any

from podlab.apis.types import Manifest
from podlab.web.forms import edits

_SHAPE = {"apiVersion": "v1", "kind": "Pod"}
_VALUED = {
    "--image": "image",
    "--restart": "restart",
    "--image-pull-policy": "pull",
    "--port": "port",
    "--labels": "labels",
    "-l": "labels",
    "--annotations": "annotations",
    "--env": "env",
    "--overrides": "overrides",
    "--override-type": "type",
}
_PLACE = {"-n": "", "--namespace": "", "--context": ""}  # where, not what
_SWITCHES = {"--privileged": "privileged", "--command": "command"}


class Unreadable(ValueError):
    """The line is no `kubectl run` that can be followed here; the text says why."""


def line_of(pod: Any) -> list[str] | None:
    """The words of the command, without namespace and context; None when no command says all of it."""
    try:
        words = _words(pod)
        return words if edits.same(manifest_of(words), pod) else None
    except (AttributeError, KeyError, TypeError, IndexError, Unreadable):
        return None


def _words(pod: Manifest) -> list[str]:
    if {key: pod.get(key) for key in _SHAPE} != _SHAPE:
        raise Unreadable(pod.get("kind"))
    name, spec = pod["metadata"]["name"], pod["spec"]
    first = spec["containers"][0]
    words = ["kubectl", "run", name, f"--image={first['image']}"]
    own = first["name"] == name
    tail: list[str] = []
    if own:
        flags, tail = _container_flags(first)
        words += flags
    labels = pod["metadata"].get("labels")
    if labels and all(_flat(key, value) for key, value in labels.items()):
        words.append("--labels=" + ",".join(f"{key}={value}" for key, value in labels.items()))
    if spec.get("restartPolicy"):
        words.append(f"--restart={spec['restartPolicy']}")
    said = manifest_of([*words, *tail])
    patch = _overrides(said, pod, own=own)
    if patch:
        words += ["--override-type=strategic"] if own and "containers" in (patch.get("spec") or {}) else []
        words.append("--overrides=" + json.dumps(patch, ensure_ascii=False, separators=(",", ":")))
    return [*words, *tail]


def _flat(key: str, value: Any) -> bool:
    return isinstance(value, str) and not set(key + value) & set(',="\n')


def _container_flags(container: Manifest) -> tuple[list[str], list[str]]:
    flags = []
    if "imagePullPolicy" in container:
        flags.append(f"--image-pull-policy={container['imagePullPolicy']}")
    env = container.get("env")
    if env and all(
        set(one) == {"name", "value"} and isinstance(one["value"], str) and "=" not in one["name"] for one in env
    ):
        flags += [f"--env={one['name']}={one['value']}" for one in env]
    ports = container.get("ports")
    if ports and len(ports) == 1 and set(ports[0]) == {"containerPort"}:
        flags.append(f"--port={ports[0]['containerPort']}")
    if container.get("securityContext") == {"privileged": True}:
        flags.append("--privileged")
    for field in ("command", "args"):
        value = container.get(field)
        if value and all(isinstance(one, str) for one in value):
            return flags, [*(["--command"] if field == "command" else []), "--", *value]
    return flags, []


def _overrides(said: Manifest, pod: Manifest, *, own: bool) -> Manifest:
    """What the flags left out, as a merge patch; with `own`, containers are merged by name."""
    patch: Manifest = edits.merge_patch(said, pod)
    if own and "containers" in (patch.get("spec") or {}):
        mine, others = pod["spec"]["containers"][0], pod["spec"]["containers"][1:]
        more = edits.merge_patch(said["spec"]["containers"][0], mine)
        patch["spec"]["containers"] = [{"name": mine["name"], **more}, *others]
    return patch


def manifest_of(words: list[str]) -> Manifest:
    """The pod that such a command makes, without what is only defaulted. Unreadable for any other command."""
    if words[:2] != ["kubectl", "run"]:
        raise Unreadable("kubectl run")
    given, rest = _parse(words[2:])
    if "image" not in given or len(rest) != 1:
        raise Unreadable("kubectl run NAME --image=IMAGE")
    pod = _generated(rest[0], given)
    raw = given.get("overrides")
    if raw is None:
        return pod
    try:
        patch = json.loads(raw[-1])
    except ValueError as error:
        raise Unreadable(f"--overrides: {error}") from None
    if not isinstance(patch, dict):
        raise Unreadable("--overrides")
    kind = given.get("type", ["merge"])[-1]
    if kind not in ("merge", "strategic"):
        raise Unreadable(f"--override-type={kind}")
    return _merged(pod, patch) if kind == "strategic" else edits.patched(pod, patch)


def image_of(words: list[str]) -> str:
    """What the flag says, whatever the overrides say."""
    return _parse(words[2:])[0].get("image", [""])[-1]


def _parse(words: list[str]) -> tuple[dict[str, list[str]], list[str]]:
    given: dict[str, list[str]] = {}
    rest: list[str] = []
    queue = list(words)
    while queue:
        word = queue.pop(0)
        if word == "--":
            given["tail"] = queue
            break
        flag, joined, value = word.partition("=")
        if flag in _SWITCHES and value in ("", "true"):
            given[_SWITCHES[flag]] = []
        elif flag in _VALUED or flag in _PLACE:
            if not joined and not queue:
                raise Unreadable(flag)
            given.setdefault(_VALUED.get(flag, "place"), []).append(value if joined else queue.pop(0))
        elif word.startswith("-"):
            raise Unreadable(flag)
        else:
            rest.append(word)
    return given, rest


def _generated(name: str, given: Mapping[str, list[str]]) -> Manifest:
    container: Manifest = {"name": name, "image": given["image"][-1]}
    if "pull" in given:
        container["imagePullPolicy"] = given["pull"][-1]
    if "env" in given:
        container["env"] = [dict(zip(("name", "value"), _pair(one), strict=True)) for one in given["env"]]
    if "port" in given:
        port = given["port"][-1]
        container["ports"] = [{"containerPort": int(port) if port.isdecimal() else port}]
    if "privileged" in given:
        container["securityContext"] = {"privileged": True}
    if given.get("tail"):
        container["command" if "command" in given else "args"] = given["tail"]
    meta: Manifest = {"name": name}
    meta["labels"] = dict(_pair(one) for one in given["labels"][-1].split(",")) if "labels" in given else {"run": name}
    if "annotations" in given:
        meta["annotations"] = dict(_pair(one) for one in given["annotations"])
    spec: Manifest = {"containers": [container]}
    if "restart" in given:
        spec["restartPolicy"] = given["restart"][-1]
    return {**_SHAPE, "metadata": meta, "spec": spec}


def _pair(text: str) -> tuple[str, str]:
    key, joined, value = text.partition("=")
    if not joined or not key:
        raise Unreadable(text)
    return key, value


def _merged(pod: Manifest, patch: Manifest) -> Manifest:
    """A strategic merge as far as these lines need it: containers by name."""
    listed = (patch.get("spec") or {}).get("containers")
    out: Manifest = edits.patched(pod, patch)
    if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
        return out
    first = pod["spec"]["containers"][0]
    mine: Manifest = next((one for one in listed if one.get("name") == first["name"]), {})
    others = [one for one in listed if one.get("name") != first["name"]]
    out["spec"]["containers"] = [edits.patched(first, mine), *others]
    return out


def parse(text: str) -> list[str]:
    """The words of a line as a shell would split it, line ends after a backslash included."""
    try:
        words = shlex.split(text.replace("\\\r\n", " ").replace("\\\n", " "))
    except ValueError as error:
        raise Unreadable(str(error)) from None
    return words[1:] if words[:1] == ["$"] else words


def display(words: list[str], place: list[str] | None = None) -> str:
    """The line as people write it: flags below each other when it gets long. `place` says where, after the name."""
    head, rest = ([_quoted(word) for word in part] for part in ([*words[:3], *(place or ())], words[3:]))
    line = " ".join([*head, *rest])
    if len(line) <= 100 and "\n" not in line:
        return line
    cut = next((n for n, word in enumerate(rest) if word in ("--command", "--")), len(rest))
    parts = [" ".join(head), *rest[:cut]]
    if rest[cut:]:
        parts.append(" ".join(rest[cut:]))
    return " \\\n  ".join(parts)


def _quoted(word: str) -> str:
    """--flag='a b' rather than '--flag=a b'."""
    flag, joined, value = word.partition("=")
    if joined and flag.startswith("--") and shlex.quote(flag) == flag:
        return f"{flag}={shlex.quote(value)}" if value else word
    return shlex.quote(word)
