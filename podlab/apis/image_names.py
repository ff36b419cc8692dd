"""What an image reference says (pkg/util/parsers, distribution/reference). Used by defaulting and by the kubelet."""

from __future__ import annotations

import re

_REFERENCE = re.compile(
    r"(?P<name>[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?::\d+)?(?:/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*)"
    r"(?::(?P<tag>\w[\w.-]{0,127}))?(?:@(?P<digest>[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}))?"
)


def pull_policy(image: str) -> str:
    """Always for :latest, spoken or not; IfNotPresent for every other tag, for a digest, and for what is no image."""
    match = _REFERENCE.fullmatch(image.lower() if "/" in image and "." in image.partition("/")[0] else image)
    if match is None or len(image) > 1024:
        return "IfNotPresent"
    if match["tag"] is None and match["digest"] is None:
        return "Always"
    return "Always" if match["tag"] == "latest" else "IfNotPresent"
