"""What an image reference says (pkg/util/parsers, distribution/reference). Used by defaulting and by the kubelet."""

from __future__ import annotations

import re

_REFERENCE = re.compile(
    r"(?P<name>[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?::\d+)?(?:/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*)"
    r"(?::(?P<tag>\w[\w.-]{0,127}))?(?:@(?P<digest>[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}))?"
)


_NAME_MAX = 255


def _whole_name(name: str) -> str:
    """With the registry and the folder that are meant when none are said."""
    first, slash, _ = name.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost"):
        return name
    return f"docker.io/{name}" if slash else f"docker.io/library/{name}"


def pull_policy(image: str) -> str:
    """Always for :latest, spoken or not; IfNotPresent for every other tag, for a digest, and for what is no image."""
    match = _REFERENCE.fullmatch(image.lower() if "/" in image and "." in image.partition("/")[0] else image)
    if match is None or len(_whole_name(match["name"])) > _NAME_MAX:
        return "IfNotPresent"
    if match["tag"] is None and match["digest"] is None:
        return "Always"
    return "Always" if match["tag"] == "latest" else "IfNotPresent"
