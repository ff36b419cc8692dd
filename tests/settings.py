"""Settings for tests: a data folder of their own, chosen before podlab's settings are read."""

from __future__ import annotations

import os
import tempfile

os.environ.setdefault("PODLAB_DATA", tempfile.mkdtemp(prefix="podlab-test-"))
os.environ.setdefault("PODLAB_RUNTIME", "sim")

from podlab.settings import *  # noqa: E402, F403
