"""Which image a container runs and whether it must be pulled. `start` asks; the rules are pure.

pkg/kubelet/images/image_manager.go, pkg/util/parsers (default tag) and distribution/reference (names). Pulling takes
cluster time: `Pull` remembers one between syncs.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from podlab.apis.types import Manifest
from podlab.kubelet.backoff import Entry
from podlab.runtime.interface import PullResult

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
    follows a failure has been announced."""

    image: str
    started: datetime
    result: PullResult | None = None
    finished: datetime | None = None
    told: bool = False
    backoff: Entry | None = None


def default_tag(image: str) -> str:
    """The image with `:latest` where neither tag nor digest is given."""
    match = _REFERENCE.fullmatch(image)
    if match is None:
        raise InvalidImageName(
            f'Failed to apply default image tag "{image}": couldn\'t parse image name "{image}": '
            f"invalid reference format{_lowercase_hint(image)}"
        )
    return image if match["tag"] or match["digest"] else f"{image}:latest"


def pull_policy(container: Manifest) -> str:
    """imagePullPolicy, with the API's default should it be missing."""
    given = container.get("imagePullPolicy")
    if given:
        return str(given)
    image = str(container.get("image") or "")
    return "Always" if default_tag(image).endswith(":latest") and "@" not in image else "IfNotPresent"


def must_pull(policy: str, *, present: bool) -> bool:
    return policy == "Always" or (policy == "IfNotPresent" and not present)


def present_message(image: str) -> str:
    """1.36 has checked that the pod may use it (KubeletEnsureSecretPulledImages)."""
    return f'Container image "{image}" already present on machine and can be accessed by the pod'


def never_message(image: str) -> str:
    return f'Container image "{image}" is not present with pull policy of Never'


def pulled_message(image: str, seconds: str, size: int) -> str:
    return f'Successfully pulled image "{image}" in {seconds} ({seconds} including waiting). Image size: {size} bytes.'


def _lowercase_hint(image: str) -> str:
    """distribution/reference checks the case of the repository before anything else and says which part is wrong."""
    head, slash, rest = image.partition("/")
    has_domain = slash and ("." in head or ":" in head or head == "localhost" or head != head.lower())
    name = (rest if has_domain else image).partition(":")[0]
    return f": repository name ({name}) must be lowercase" if name != name.lower() else ""
