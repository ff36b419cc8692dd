"""What every page knows."""

from __future__ import annotations

from django.http import HttpRequest


def lab(request: HttpRequest) -> dict[str, object]:
    return {}
