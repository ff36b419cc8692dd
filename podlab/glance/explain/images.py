"""Images that do not come. Pure. Texts of runtimes differ, so what a pull failed for is read from several wordings."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from podlab.apis import times
from podlab.glance import sentences
from podlab.glance.explain.case import (
    Case,
    Container,
    Evidence,
    Finding,
    Situation,
    Try,
    finding,
    of_event,
    of_status,
    of_yaml,
    seen,
)
from podlab.glance.sentences import gettext_noop

_DESCRIBE = ("describe", "pod", "{pod}")
_IMAGE = "{path}.image"
SLOW_PULL = timedelta(seconds=20)

SITUATIONS = (
    Situation(
        "image-not-found",
        gettext_noop("The image does not exist"),
        gettext_noop("The image {image} of {container} is not on the node, and no registry gives it."),
        gettext_noop("The name or the tag is wrong, or the image is private: a registry answers both in the same way."),
        Try(gettext_noop("Read the answer of the registry."), _DESCRIBE),
        (
            Try(gettext_noop("Correct the image; it is the one field of a running pod that may always be changed."), ("set", "image", "pod/{pod}", "{container}=IMAGE"), _IMAGE),
            Try(gettext_noop("For an image that only exists on this machine: build it, and set imagePullPolicy: IfNotPresent."), path=_IMAGE),
        ),
    ),
    Situation(
        "image-registry",
        gettext_noop("The registry cannot be reached"),
        gettext_noop("The node does not get through to the registry of {image}."),
        gettext_noop("Its name has no address, or nobody answers there. That is a matter of the network, not of the image."),
        Try(gettext_noop("Read where the connection failed."), _DESCRIBE),
        (
            Try(gettext_noop("Check the host name in the image."), path=_IMAGE),
            Try(gettext_noop("Without a network use an image that is already on the node."), path=_IMAGE),
        ),
    ),
    Situation(
        "image-auth",
        gettext_noop("The registry wants a log-in"),
        gettext_noop("The registry of {image} refuses the node: it is not logged in or may not read this image."),
        gettext_noop("Private images need a pull secret that the pod or its service account names."),
        Try(gettext_noop("Look which secrets the pod names."), ("get", "pod", "{pod}", "-o", "jsonpath={{.spec.imagePullSecrets}}")),
        (Try(gettext_noop("Make a secret and name it in imagePullSecrets."), ("create", "secret", "docker-registry", "NAME", "--docker-server=SERVER", "--docker-username=USER", "--docker-password=PASSWORD"), "spec.imagePullSecrets"),),
    ),
    Situation(
        "image-never-pull",
        gettext_noop("The image may not be pulled"),
        gettext_noop("{image} is not on the node, and imagePullPolicy of {container} is Never."),
        gettext_noop("With Never the kubelet uses what is there and asks no registry."),
        Try(gettext_noop("Look at the policy."), _DESCRIBE),
        (
            Try(gettext_noop("Allow pulling: IfNotPresent."), path="{path}.imagePullPolicy"),
            Try(gettext_noop("Or bring the image to the node first."), path=_IMAGE),
        ),
    ),
    Situation(
        "image-name",
        gettext_noop("The image name cannot be read"),
        gettext_noop("{image} is no valid image name."),
        gettext_noop("A name is [host[:port]/]path[:tag]; the path is in lower case."),
        Try(gettext_noop("Read what is wrong with it."), _DESCRIBE),
        (Try(gettext_noop("Correct the name."), ("set", "image", "pod/{pod}", "{container}=IMAGE"), _IMAGE),),
    ),
    Situation(
        "image-pull-failed",
        gettext_noop("The image cannot be pulled"),
        gettext_noop("Pulling {image} for {container} failed; the kubelet tries again, after longer and longer waits up to five minutes."),
        gettext_noop("{message}"),
        Try(gettext_noop("Read the whole message."), _DESCRIBE),
        (Try(gettext_noop("Try the same pull on the node by hand."), path=_IMAGE),),
    ),
    Situation(
        "image-pulling",
        gettext_noop("The image is still being pulled"),
        gettext_noop("The node has been pulling {image} for {since}."),
        gettext_noop("A large image or a slow line. The container starts when the last layer is there."),
        Try(gettext_noop("Watch the events."), ("get", "events", "--watch")),
        (Try(gettext_noop("Use a smaller image or one that the node already has."), path=_IMAGE),),
        level="waiting",
    ),
)  # fmt: skip

_REASONS = {"ErrImagePull", "ImagePullBackOff", "RegistryUnavailable", "ImageInspectError"}
_AUTH = ("unauthorized", "authentication required", "no basic auth", "denied: requested access", "401", "403 Forbidden")
_REGISTRY = ("no such host", "connection refused", "i/o timeout", "network is unreachable", "server misbehaving", "TLS handshake", "Client.Timeout", "dial tcp", "name resolution")  # fmt: skip
_ABSENT = ("not found", "manifest unknown", "pull access denied", "does not exist", "No such image", "repository name not known")  # fmt: skip


def find(case: Case) -> Iterator[Finding]:
    if case.gone or case.deleting or case.over:
        return
    for container in case.containers():
        reason = str(container.waiting.get("reason") or "")
        if reason == "ErrImageNeverPull":
            told = of_event(case.event(reason, container=container.name), _waiting(container))
            policy = of_yaml(f"{container.path}.imagePullPolicy")
            yield finding("image-never-pull", case, told, policy, container=container)
        elif reason == "InvalidImageName":
            told = of_event(case.event("InspectFailed", "Failed", container=container.name), _waiting(container))
            yield finding("image-name", case, told, of_yaml(f"{container.path}.image"), container=container)
        elif reason in _REASONS:
            yield _pull(case, container)
        elif reason in {"ContainerCreating", "PodInitializing"}:
            yield from _pulling(case, container)


def _waiting(container: Container) -> Evidence:
    return of_status(f"{container.waiting.get('reason')}: {container.waiting.get('message') or ''}".rstrip(": "))


def _pull(case: Case, container: Container) -> Finding:
    event = case.event("Failed", container=container.name, text="ull")
    message = " ".join((str((event or {}).get("message") or ""), str(container.waiting.get("message") or "")))
    # A refused log-in also says that nothing was found, and an unreachable registry may say both: the cause comes first.
    id = "image-pull-failed"
    for candidate, words in (("image-registry", _REGISTRY), ("image-auth", _AUTH), ("image-not-found", _ABSENT)):
        if any(word in message for word in words):
            id = candidate
            break
    told = of_event(event, _waiting(container))
    image = of_yaml(f"{container.path}.image", f"image: {container.spec.spec.get('image')}")
    return finding(id, case, told, image, container=container, message=message.strip())


def _pulling(case: Case, container: Container) -> Iterator[Finding]:
    begun = case.event("Pulling", container=container.name)
    done = case.event("Pulled", "Failed", container=container.name)
    if begun is None or (done is not None and seen(done) >= seen(begun)):
        return
    since = case.now - times.parse(seen(begun))
    if since >= SLOW_PULL:
        told, image = of_event(begun, _waiting(container)), of_yaml(f"{container.path}.image")
        yield finding("image-pulling", case, told, image, container=container, since=sentences.seconds_text(since))
