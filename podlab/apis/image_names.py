"""What an image reference says (pkg/util/parsers, distribution/reference). Used by defaulting and by the kubelet."""

from __future__ import annotations

import re

_PART = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?"
_REGISTRY = rf"(?:{_PART}(?:\.{_PART})*|\[[a-fA-F0-9:]+\])(?::\d+)?"
_COMPONENT = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
# A port belongs to a registry, so that "busybox:1" is a name and a tag.
_REFERENCE = re.compile(
    rf"(?P<name>(?:{_REGISTRY}/)?{_COMPONENT}(?:/{_COMPONENT})*)"
    r"(?::(?P<tag>\w[\w.-]{0,127}))?(?:@(?P<digest>[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}))?",
    re.ASCII,
)
_IDENTIFIER = re.compile(r"[a-f0-9]{64}")  # an image's own id, which is no name


_NAME_MAX = 255


def _normalised(image: str) -> str:
    """With the registry and the folder that are meant when none are said (splitDockerDomain)."""
    first, slash, rest = image.partition("/")
    registry = bool(slash) and ("." in first or ":" in first or first == "localhost" or first.lower() != first)
    if registry and first != "docker.io" and first != "index.docker.io":
        return image
    rest = rest if registry else image
    return f"docker.io/{rest}" if "/" in rest else f"docker.io/library/{rest}"


def pull_policy(image: str) -> str:
    """Always for :latest, spoken or not; IfNotPresent for every other tag, for a digest, and for what is no image."""
    match = None if _IDENTIFIER.fullmatch(image) else _REFERENCE.fullmatch(_normalised(image))
    if match is None or len(match["name"]) > _NAME_MAX:
        return "IfNotPresent"
    if match["tag"] is None and match["digest"] is None:
        return "Always"
    return "Always" if match["tag"] == "latest" else "IfNotPresent"
