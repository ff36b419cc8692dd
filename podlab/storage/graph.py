from __future__ import annotations

from podlab.storage.objects import Stored


def apply(before: Stored | None, after: Stored | None) -> None:
    pass
