"""Fixtures for every test: a data folder of its own, no Redis, no network."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

# Before Django reads its settings.
_data = Path(tempfile.mkdtemp(prefix="podlab-test-"))
os.environ.setdefault("PODLAB_DATA", str(_data))
os.environ.setdefault("PODLAB_RUNTIME", "sim")
