"""The lab's settings with the API as the only pages."""

from __future__ import annotations

from podlab.settings import *  # noqa: F403

ROOT_URLCONF = "api_urls"
