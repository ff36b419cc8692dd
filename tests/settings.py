"""Settings for tests: a data folder of their own, chosen before podlab's settings are read."""

from __future__ import annotations

import os
import tempfile

os.environ.setdefault("PODLAB_DATA", tempfile.mkdtemp(prefix="podlab-test-"))
os.environ.setdefault("PODLAB_RUNTIME", "sim")

from podlab.settings import *  # noqa: E402, F403

# Hundreds of tests make a person; what a real hash costs is the point of it, and not theirs.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
