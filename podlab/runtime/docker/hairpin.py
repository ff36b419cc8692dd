"""Lets a pod reach itself through a Service.

Such a packet leaves the bridge by the port on which it came in, and a bridge sends nothing back there unless it is told to
(the kubelet's hairpin mode). Only root on the engine's machine can tell it; elsewhere that one connection does not work.
"""

from __future__ import annotations

import logging
from pathlib import Path

from podlab.runtime.docker.client import Engine, engine_errors
from podlab.runtime.errors import RuntimeFailure

log = logging.getLogger(__name__)

_INTERFACES = Path("/sys/class/net")


def allow(engine: Engine, sandbox_id: str) -> None:
    """Quiet about what cannot be done."""
    if not engine.base_url.startswith("unix:"):
        return
    try:
        with engine_errors():
            pid = int(engine.api.inspect_container(sandbox_id)["State"]["Pid"])
        index = Path(f"/proc/{pid}/root/sys/class/net/eth0/iflink").read_text().strip()
        for port in _INTERFACES.glob("*/brport/hairpin_mode"):
            if (port.parent.parent / "ifindex").read_text().strip() == index:
                port.write_text("1")
                return
    except (OSError, RuntimeFailure) as error:
        log.debug("sandbox %s: no hairpin mode: %s", sandbox_id[:12], error)
