"""Is there a Docker engine? Asked when a lab chooses its runtime; everything else goes through `client`."""

from __future__ import annotations

from podlab.runtime.docker.client import Engine
from podlab.runtime.errors import RuntimeFailure

_PATIENCE = 3.0


def answers(base_url: str) -> bool:
    """Whether an engine answers a ping there within a few seconds."""
    engine = Engine(base_url, timeout=_PATIENCE)
    try:
        engine.ping()
    except RuntimeFailure:
        return False
    finally:
        engine.close()
    return True
