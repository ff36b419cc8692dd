"""The kinds of apps/v1 and batch/v1. `apis.scheme` joins the tables; see kinds_core.py."""

from __future__ import annotations

from podlab.apis.resource import Resource

APPS: tuple[Resource, ...] = ()
BATCH: tuple[Resource, ...] = ()
