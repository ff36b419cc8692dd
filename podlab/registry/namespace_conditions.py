"""The conditions of a namespace that is being deleted. Pure; called by `namespaces`.

Source: pkg/controller/namespace/deletion/status_condition_utils.go.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from podlab.apis import pods, scheme
from podlab.apis.types import Manifest


class Progress(Protocol):
    """The part of `namespaces.Progress` that is read here."""

    @property
    def remaining(self) -> Mapping[str, int]: ...
    @property
    def finalizers(self) -> Mapping[str, int]: ...
    @property
    def errors(self) -> Sequence[str]: ...


def update(conditions: list[Manifest], progress: Progress, *, now: datetime) -> None:
    """All five are told as soon as one of them has something to say."""
    wrong = {type_: (reason, message) for type_, reason, message in _wrong(progress)}
    for type_, *fine in _fine():
        status, (reason, message) = ("True", wrong[type_]) if type_ in wrong else ("False", fine)
        pods.set_condition(conditions, type_, status, reason, message, now=now)


def _fine() -> list[tuple[str, str, str]]:
    return [
        ("NamespaceDeletionDiscoveryFailure", "ResourcesDiscovered", "All resources successfully discovered"),
        (
            "NamespaceDeletionGroupVersionParsingFailure",
            "ParsedGroupVersions",
            "All legacy kube types successfully parsed",
        ),
        (
            "NamespaceDeletionContentFailure",
            "ContentDeleted",
            "All content successfully deleted, may be waiting on finalization",
        ),
        ("NamespaceContentRemaining", "ContentRemoved", "All content successfully removed"),
        ("NamespaceFinalizersRemaining", "ContentHasNoFinalizers", "All content-preserving finalizers finished"),
    ]


def _wrong(progress: Progress) -> list[tuple[str, str, str]]:
    found = []
    if progress.errors:
        text = f"Failed to delete all resource types, {len(progress.errors)} remaining: {', '.join(progress.errors)}"
        found.append(("NamespaceDeletionContentFailure", "ContentDeletionFailed", text))
    if progress.remaining:
        parts = sorted(f"{_dotted(key)} has {count} resource instances" for key, count in progress.remaining.items())
        text = f"Some resources are remaining: {', '.join(parts)}"
        found.append(("NamespaceContentRemaining", "SomeResourcesRemain", text))
    if progress.finalizers:
        parts = sorted(f"{name} in {count} resource instances" for name, count in progress.finalizers.items())
        text = f"Some content in the namespace has finalizers remaining: {', '.join(parts)}"
        found.append(("NamespaceFinalizersRemaining", "SomeFinalizersRemain", text))
    return found


def _dotted(key: str) -> str:
    """ "pods.", "deployments.apps": resource and group with a dot between them, even where the group is empty."""
    plural, group = scheme.split_key(key)
    return f"{plural}.{group}"
