"""Containers that cannot be made or started: configuration, volumes, rights, the sandbox. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from podlab.apis.types import Manifest
from podlab.glance.explain.case import (
    Case,
    Container,
    Evidence,
    Finding,
    Situation,
    Try,
    finding,
    of_event,
    of_run,
    of_status,
    of_yaml,
)
from podlab.glance.sentences import gettext_noop

_DESCRIBE = ("describe", "pod", "{pod}")

SITUATIONS = (
    Situation(
        "config-map-missing",
        gettext_noop("A config map is missing"),
        gettext_noop("{container} is not started: it takes variables from the config map {name}, and there is none in {namespace}."),
        gettext_noop("References without optional: true must exist before the container starts."),
        Try(gettext_noop("Look which config maps exist."), ("get", "configmaps")),
        (
            Try(gettext_noop("Create it; the kubelet looks again by itself within seconds."), ("create", "configmap", "{name}", "--from-literal=KEY=VALUE")),
            Try(gettext_noop("Or correct the name in the pod."), path="{path}"),
        ),
    ),
    Situation(
        "secret-missing",
        gettext_noop("A secret is missing"),
        gettext_noop("{container} is not started: it takes variables from the secret {name}, and there is none in {namespace}."),
        gettext_noop("Secrets belong to a namespace; one of another namespace does not count."),
        Try(gettext_noop("Look which secrets exist."), ("get", "secrets")),
        (
            Try(gettext_noop("Create it; the kubelet looks again by itself within seconds."), ("create", "secret", "generic", "{name}", "--from-literal=KEY=VALUE")),
            Try(gettext_noop("Or correct the name in the pod."), path="{path}"),
        ),
    ),
    Situation(
        "key-missing",
        gettext_noop("A key is missing"),
        gettext_noop("{container} is not started: {message}."),
        gettext_noop("The object is there, but not the key that the variable names."),
        Try(gettext_noop("Look at the keys."), ("describe", "configmaps,secrets")),
        (Try(gettext_noop("Correct the key in the pod, or add it to the object."), path="{path}.env"),),
    ),
    Situation(
        "non-root-refused",
        gettext_noop("The image would run as root"),
        gettext_noop("{container} is not started, because runAsNonRoot forbids what the image would do: {message}."),
        gettext_noop("The kubelet checks the user before the start. Without runAsUser that of the image counts, and that is root here or only a name."),
        Try(gettext_noop("Read the message."), _DESCRIBE),
        (Try(gettext_noop("Set a numeric runAsUser other than 0."), path="{path}.securityContext"),),
    ),
    Situation(
        "config-error",
        gettext_noop("The container's configuration cannot be made"),
        gettext_noop("{container} is not started: {message}."),
        gettext_noop("Something that the container refers to is missing or wrong. The kubelet tries again by itself."),
        Try(gettext_noop("Read the message."), _DESCRIBE),
        (Try(gettext_noop("Correct the container."), path="{path}"),),
    ),
    Situation(
        "command-not-found",
        gettext_noop("The command does not exist in the image"),
        gettext_noop("{container} could not be started: there is no program {program} in the image."),
        gettext_noop("command replaces the image's entrypoint. It is run without a shell: one word a list item, and a path or a name on PATH."),
        Try(gettext_noop("Look at command and args."), ("get", "pod", "{pod}", "-o", "yaml")),
        (
            Try(gettext_noop("Correct the command; for pipes, && and variables use [sh, -c, …]."), path="{path}.command"),
            Try(gettext_noop("Look what the image has."), ("debug", "{pod}", "-it", "--image=busybox:1.36", "--copy-to={pod}-look", "--container={container}", "--", "sh")),
        ),
    ),
    Situation(
        "command-not-executable",
        gettext_noop("The command may not be run"),
        gettext_noop("{container} could not be started: its file is there but may not be executed."),
        gettext_noop("The file has no x bit, is a folder, or was built for another machine. Config map files have mode 0644 unless defaultMode says otherwise."),
        Try(gettext_noop("Read the runtime's words."), _DESCRIBE),
        (Try(gettext_noop("Give the file mode 0755, or run it by its interpreter: [sh, FILE]."), path="{path}.command"),),
    ),
    Situation(
        "not-permitted",
        gettext_noop("The machine does not permit it"),
        gettext_noop("{container} could not be started: the machine under the lab refuses the rights that it asks for."),
        gettext_noop("Privileged containers and some capabilities need rights that this machine does not give to its containers."),
        Try(gettext_noop("Read the runtime's words."), _DESCRIBE),
        (Try(gettext_noop("Leave privileged away and add only the capability that is needed."), path="{path}.securityContext"),),
    ),
    Situation(
        "create-error",
        gettext_noop("The runtime could not make the container"),
        gettext_noop("{container} could not be made or started: {message}"),
        gettext_noop("The words come from the container runtime."),
        Try(gettext_noop("Read the whole message."), _DESCRIBE),
        (Try(gettext_noop("Compare it with the container's fields."), path="{path}"),),
    ),
    Situation(
        "post-start-failed",
        gettext_noop("The postStart hook failed"),
        gettext_noop("{container} was started and stopped again, because its postStart hook failed."),
        gettext_noop("The hook runs right after the start, beside the main process; when it fails, the container is killed and its restart policy decides."),
        Try(gettext_noop("Read what the hook said."), _DESCRIBE),
        (Try(gettext_noop("Correct the hook. It may run before the program is up, so let it wait or retry."), path="{path}.lifecycle.postStart"),),
    ),
    Situation(
        "volume-source-missing",
        gettext_noop("A volume's source is missing"),
        gettext_noop("The volume {volume} cannot be set up: {message}"),
        gettext_noop("Containers start only when every volume that they mount is there; the kubelet tries again, after longer and longer waits."),
        Try(gettext_noop("Look which objects exist."), ("get", "configmaps,secrets,pvc")),
        (
            Try(gettext_noop("Create what is missing."), ("get", "events", "--watch")),
            Try(gettext_noop("Or make it optional, or correct the name."), path="spec.volumes"),
        ),
    ),
    Situation(
        "volume-failed",
        gettext_noop("A volume cannot be set up"),
        gettext_noop("The kubelet cannot set up a volume: {message}"),
        gettext_noop("Containers start only when every volume that they mount is there; the kubelet tries again, after longer and longer waits."),
        Try(gettext_noop("Read the event."), _DESCRIBE),
        (Try(gettext_noop("Use a kind of volume that this lab has; the documentation lists them."), path="spec.volumes"),),
    ),
    Situation(
        "sandbox-failed",
        gettext_noop("The pod's sandbox cannot be made"),
        gettext_noop("Before any container the node makes the pod's network and namespaces, and that failed: {message}"),
        gettext_noop("No container of the pod can start without it. Runtime class, host ports and sysctls belong to the sandbox."),
        Try(gettext_noop("Read the event."), _DESCRIBE),
        (Try(gettext_noop("Check runtimeClassName, hostPort and the pod's securityContext."), path="spec"),),
    ),
    Situation(
        "sandbox-changed",
        gettext_noop("The pod was made anew on its node"),
        gettext_noop("The sandbox of the pod was lost, so the kubelet made a new one and started all containers again, init containers too."),
        gettext_noop("That happens when the runtime or the machine was restarted, or somebody removed the pause container. The pod's address may be another one now."),
        Try(gettext_noop("Look at the events."), _DESCRIBE),
        (Try(gettext_noop("Nothing is to be done if the pod runs again."), ("get", "pod", "{pod}", "-o", "wide")),),
        level="note",
    ),
)  # fmt: skip

_MISSING = re.compile(r'(configmap|secret) "([^"]+)" not found')
_VOLUME = re.compile(r'volume "([^"]+)"')
_EXECUTED = re.compile(r'exec: "([^"]+)"')
_NOT_FOUND = ("executable file not found", "no such file or directory", "not found in $PATH", "command not found")
_NOT_EXECUTABLE = ("permission denied", "exec format error", "is a directory")
_NOT_PERMITTED = ("operation not permitted", "not permitted", "CAP_", "Privileged mode")
_START_ERRORS = {"CreateContainerError", "RunContainerError", "StartError", "ContainerCannotRun"}


def find(case: Case) -> Iterator[Finding]:
    if case.gone or case.deleting or case.status.get("phase") == "Succeeded":
        return
    yield from _sandbox(case)
    yield from _volumes(case)
    for container in case.containers():
        yield from _container(case, container)


def _container(case: Case, container: Container) -> Iterator[Finding]:
    reason = str(container.waiting.get("reason") or "")
    if reason == "CreateContainerConfigError":
        yield _config(case, container)
        return
    ended = str(container.ended.get("reason") or "")
    if reason in _START_ERRORS or ended in _START_ERRORS:
        yield _start(case, container)
        return
    hook = case.event("FailedPostStartHook", container=container.name)
    if hook is not None and (reason in {"PostStartHookError", "CrashLoopBackOff"} or container.ended):
        path = of_yaml(f"{container.path}.lifecycle.postStart")
        yield finding("post-start-failed", case, of_event(hook, path), path, container=container)


def _config(case: Case, container: Container) -> Finding:
    message = str(container.waiting.get("message") or "")
    told = of_event(case.event("Failed", container=container.name, text=message), of_status(message))
    missing = _MISSING.search(message)
    if missing is not None:
        id = "config-map-missing" if missing[1] == "configmap" else "secret-missing"
        place = _reference(container, missing[1], missing[2])
        return finding(id, case, told, place, container=container, name=missing[2])
    if "couldn't find key" in message:
        return finding(
            "key-missing", case, told, of_yaml(f"{container.path}.env"), container=container, message=message
        )
    if "non-root" in message or "runAsNonRoot" in message:
        path = _security(case, container)
        return finding("non-root-refused", case, told, path, container=container, message=message)
    return finding("config-error", case, told, of_yaml(container.path), container=container, message=message)


def _reference(container: Container, kind: str, name: str) -> Evidence:
    """The field of the container that names the missing object."""
    whole, single = {"configmap": ("configMapRef", "configMapKeyRef"), "secret": ("secretRef", "secretKeyRef")}[kind]
    spec: Manifest = container.spec.spec
    for index, source in enumerate(spec.get("envFrom") or ()):
        if (source.get(whole) or {}).get("name") == name:
            return of_yaml(f"{container.path}.envFrom[{index}]")
    for index, variable in enumerate(spec.get("env") or ()):
        if ((variable.get("valueFrom") or {}).get(single) or {}).get("name") == name:
            return of_yaml(f"{container.path}.env[{index}]")
    return of_yaml(container.path)


def _security(case: Case, container: Container) -> Evidence:
    if container.spec.spec.get("securityContext"):
        return of_yaml(f"{container.path}.securityContext")
    return of_yaml("spec.securityContext" if case.spec.get("securityContext") else container.path)


def _start(case: Case, container: Container) -> Finding:
    # While it waits for the next try, the words of the runtime are those of the end before.
    message = str(container.ended.get("message") or container.waiting.get("message") or "")
    event = case.event("Failed", container=container.name)
    whole = f"{message} {container.waiting.get('message') or ''} {(event or {}).get('message') or ''}"
    told = of_event(event, of_run(container) if container.ended else of_status(message))
    command = of_yaml(f"{container.path}.{'command' if container.spec.spec.get('command') else 'image'}")
    if any(word in whole for word in _NOT_FOUND):
        return finding(
            "command-not-found", case, told, command, container=container, program=_program(container, whole)
        )
    if any(word in whole for word in _NOT_PERMITTED):
        return finding("not-permitted", case, told, _security(case, container), container=container)
    if any(word in whole for word in _NOT_EXECUTABLE):
        return finding("command-not-executable", case, told, command, container=container)
    return finding("create-error", case, told, of_yaml(container.path), container=container, message=message)


def _program(container: Container, words: str) -> str:
    """What could not be executed: the engine's message ends with it, behind much that only its makers read."""
    named = _EXECUTED.search(words)
    spec: Manifest = container.spec.spec
    return named[1] if named is not None else str([*(spec.get("command") or spec.get("args") or ()), "?"][0])


def _starting(case: Case) -> bool:
    """Whether the pod waits for what comes before its containers."""
    reasons = {str(container.waiting.get("reason") or "") for container in case.containers()}
    return case.status.get("phase") == "Pending" and bool(reasons & {"ContainerCreating", "PodInitializing"})


def _volumes(case: Case) -> Iterator[Finding]:
    event = case.event("FailedMount")
    if event is None or not _starting(case):
        return
    message = str(event.get("message") or "")
    named = _VOLUME.search(message)
    volume = named[1] if named is not None else ""
    place = of_yaml("spec.volumes")
    for index, one in enumerate(case.spec.get("volumes") or ()):
        if one.get("name") == volume:
            place = of_yaml(f"spec.volumes[{index}]")
    absent = "not found" in message or "references non-existent" in message
    id = "volume-source-missing" if absent else "volume-failed"
    yield finding(id, case, of_event(event, place), place, volume=volume, message=message)


def _sandbox(case: Case) -> Iterator[Finding]:
    failed = case.event("FailedCreatePodSandBox")
    if failed is not None and _starting(case):
        told = of_event(failed, of_status("FailedCreatePodSandBox"))
        yield finding("sandbox-failed", case, told, of_yaml("spec"), message=failed.get("message") or "")
        return
    changed = case.event("SandboxChanged")
    if changed is not None and not case.over:
        told = of_event(changed, of_status("SandboxChanged"))
        yield finding("sandbox-changed", case, told, told)
