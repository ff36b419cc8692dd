"""Gives every lab of a machine a network of its own for Services, so that rules for one never meet packets of another.

The supervisor claims one before it starts anything, and holds a lock on it as long as it lives. It imports no Django. A lab
keeps its network in its data folder: Services have addresses from it.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator
from ipaddress import IPv4Network
from pathlib import Path
from typing import IO

from podlab import env

# 10.96.0.0/12, as Kubernetes' default, in sixteen pieces.
CANDIDATES = tuple(IPv4Network("10.96.0.0/12").subnets(new_prefix=16))


class Claim:
    """`held` False: another lab that runs has this network, and rules for Services would meet its packets."""

    def __init__(self, network: str, lock: IO[str] | None) -> None:
        self.network = network
        self._lock = lock  # open as long as the claim lives

    @property
    def held(self) -> bool:
        return self._lock is not None


def unclaimed(data: Path) -> Claim:
    """For a lab without containers: its Services are reached by nobody else, whatever their network."""
    return Claim(env.service_network("PODLAB_SERVICE_NETWORK", data), None)


def claim(data: Path, *, folder: Path | None = None) -> Claim:
    """The network that is given or kept (a lab from before there were claims has the usual one), or else the first one that
    nobody has. `folder`: where labs meet."""
    folder = folder if folder is not None else _meeting_place()
    kept = data / env.SERVICE_NETWORK_FILE
    if env.text("PODLAB_SERVICE_NETWORK", "") or kept.exists() or (data / "podlab.sqlite3").exists():
        network = env.service_network("PODLAB_SERVICE_NETWORK", data)
        return Claim(network, _lock(folder, network, data))
    for network in _in_order(folder, data):
        lock = _lock(folder, network, data)
        if lock is not None:
            kept.write_text(f"{network}\n")
            return Claim(network, lock)
    kept.write_text(f"{env.SERVICE_NETWORK}\n")
    return Claim(env.SERVICE_NETWORK, None)


def _in_order(folder: Path, data: Path) -> Iterator[str]:
    """Those of labs that do not run, but will want theirs again, come last: the longest forgotten one first."""
    names = [str(network) for network in CANDIDATES]
    wanted = [name for name in names if _is_wanted(folder, name, data)]
    yield from (name for name in names if name not in wanted)
    yield from sorted(wanted, key=lambda name: _file(folder, name).stat().st_mtime)


def _is_wanted(folder: Path, network: str, data: Path) -> bool:
    try:
        owner = Path(_file(folder, network).read_text().strip())
        return owner != data and (owner / env.SERVICE_NETWORK_FILE).read_text().strip() == network
    except OSError:
        return False


def _lock(folder: Path, network: str, data: Path) -> IO[str] | None:
    """None when a lab that runs has it, or when this user may not know."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if folder.stat().st_uid != os.getuid():  # somebody else's, in a folder that all may write
            return None
        file = _file(folder, network).open("a+")
    except OSError:
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        return None
    file.truncate(0)
    file.write(f"{data}\n")
    file.flush()
    return file


def _file(folder: Path, network: str) -> Path:
    return folder / f"{network.replace('/', '-')}.lock"


def _meeting_place() -> Path:
    return Path(tempfile.gettempdir()) / f"podlab-service-networks-{os.getuid()}"
