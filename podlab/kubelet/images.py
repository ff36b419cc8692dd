"""Which image a container runs, whether it must be pulled, and the words for it. Pure; `image_step` acts on it.

pkg/kubelet/images/image_manager.go, pkg/util/parsers (default tag) and distribution/reference (names). Pulling takes
cluster time: `Pull` remembers one between syncs.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime

from podlab.apis import reasons
from podlab.kubelet.backoff import Entry
from podlab.runtime.images import ImageInfo, PullResult

_DOMAIN = r"(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*(?::[0-9]+)?)"
_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_REFERENCE = re.compile(
    rf"(?P<name>(?:{_DOMAIN}/)?{_COMPONENT}(?:/{_COMPONENT})*)"
    r"(?::(?P<tag>\w[\w.-]{0,127}))?"
    r"(?:@(?P<digest>[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}))?",
    re.ASCII,
)


class InvalidImageName(ValueError):
    """The text stands as message of the InspectFailed event and of the waiting state."""


@dataclass(slots=True)
class Pull:
    """One pull for one container: under way (`result` None), or over and not consumed yet. `told`: the back-off that
    follows a failure has been announced; `told_to`: also to these other containers of the pod, which want the same image."""

    image: str
    started: datetime
    result: PullResult | None = None
    finished: datetime | None = None
    reason: str = ""  # of the waiting state after a failure, with its message
    message: str = ""
    told: bool = False
    told_to: set[str] = field(default_factory=set)
    backoff: Entry | None = None

    @property
    def failed(self) -> bool:
        return self.result is not None and self.result.image is None


def default_tag(image: str) -> str:
    """The image with `:latest` where neither tag nor digest is given."""
    match = _REFERENCE.fullmatch(image)
    if match is None:
        raise InvalidImageName(
            f'Failed to apply default image tag "{image}": couldn\'t parse image name "{image}": '
            f"invalid reference format{_lowercase_hint(image)}"
        )
    return image if match["tag"] or match["digest"] else f"{image}:latest"


def canonical(image: str) -> str:
    """The full name that runtimes list: Docker Hub's host and folder where the short form leaves them out."""
    if image.startswith("sha256:"):
        return image  # an image without a name, by its id
    head, slash, rest = image.partition("/")
    if slash and ("." in head or ":" in head or head == "localhost"):
        host, path = ("docker.io", rest) if head == "index.docker.io" else (head, rest)
    else:
        host, path = "docker.io", image
    return f"{host}/library/{path}" if host == "docker.io" and "/" not in path else f"{host}/{path}"


def repository(image: str) -> str:
    """The full name without tag and digest."""
    name = canonical(image).partition("@")[0]
    head, slash, last = name.rpartition("/")
    return f"{head}{slash}{last.partition(':')[0]}"


def default_policy(image: str) -> str:
    """imagePullPolicy, should the API's default be missing."""
    return "Always" if default_tag(image).endswith(":latest") and "@" not in image else "IfNotPresent"


def status_id(info: ImageInfo, ref: str) -> str:
    """imageID: the name with a digest under which a registry has it, the requested one first; an image that comes from
    no registry has its own id there."""
    name = repository(ref)
    names = [canonical(digest) for digest in info.digests]
    return next((one for one in names if repository(one) == name), names[0] if names else info.id)


def must_pull(policy: str, *, present: bool) -> bool:
    return policy == "Always" or (policy == "IfNotPresent" and not present)


def present_message(image: str) -> str:
    """1.36 has checked that the pod may use it (KubeletEnsureSecretPulledImages)."""
    return f'Container image "{image}" already present on machine and can be accessed by the pod'


def never_message(image: str) -> str:
    return f'Container image "{image}" is not present with pull policy of Never'


def pulled_message(image: str, pulling: str, waiting: str, size: int) -> str:
    """`pulling`: how long the pull itself took, `waiting`: with the time in the queue of pulls, both as Go prints them."""
    return f'Successfully pulled image "{image}" in {pulling} ({waiting} including waiting). Image size: {size} bytes.'


# What a runtime begins an error with when it knows more than "it did not work" (cri-api/pkg/errors).
_KNOWN_ERRORS = {
    reasons.REGISTRY_UNAVAILABLE: "the registry is unavailable",
    reasons.SIGNATURE_VALIDATION_FAILED: "the signature validation failed",
}


def pull_problem(image: str, error: str) -> tuple[str, str]:
    """Reason and message of the waiting state after a failed pull (evalCRIPullErr)."""
    for reason, text in _KNOWN_ERRORS.items():
        if error.startswith(reason):
            return reason, f"image pull failed for {image} because {text}{error.removeprefix(reason)}"
    return reasons.ERR_IMAGE_PULL, error


def _lowercase_hint(image: str) -> str:
    """distribution/reference checks the case of the repository before anything else and says which part is wrong."""
    head, slash, rest = image.partition("/")
    has_domain = slash and ("." in head or ":" in head or head == "localhost" or head != head.lower())
    name = (rest if has_domain else image).partition(":")[0]
    return f": repository name ({name}) must be lowercase" if name != name.lower() else ""
