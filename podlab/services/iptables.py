"""Puts rules into the kernel and takes them away again, with the machine's own iptables.

Only chains and jumps named in `rules` are ever touched. Commands are argument lists; the rules go to iptables-restore in
one transaction, so that no connection meets half of them.
"""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
from pathlib import Path

from podlab.services.rules import PROTOCOLS, Abilities, Chains, Jump, jumps, nothing, trial

logger = logging.getLogger(__name__)

COMMAND, RESTORE = "iptables", "iptables-restore"
SECONDS = 20.0
_WAIT = ("-w", "5")  # for others who hold the lock of legacy iptables
_BRIDGE_FILTER = Path("/proc/sys/net/bridge/bridge-nf-call-iptables")


class CannotProxy(Exception):
    """There can be no service proxy here; the message says why."""


class Tables:
    """The chains of one lab. Not thread-safe."""

    def __init__(self, chains: Chains, bridge: str) -> None:
        self._chains = chains
        self._jumps = jumps(chains, bridge)

    def check(self) -> None:
        """Raises CannotProxy when this process cannot write rules."""
        if os.geteuid() != 0:
            raise CannotProxy("rules for Services need root")
        missing = next((name for name in (COMMAND, RESTORE) if shutil.which(name) is None), None)
        if missing:
            raise CannotProxy(f"{missing} is not installed")

    def abilities(self) -> Abilities:
        """What this kernel has modules for. One rule that it does not understand would keep all the others out."""
        known = frozenset(name for name in PROTOCOLS if self._takes("-p", PROTOCOLS[name], "-m", PROTOCOLS[name]))
        return Abilities(
            protocols=known,
            affinity=self._takes("-m", "recent", "--name", "PODLAB-TRY", "--rcheck", "--seconds", "1", "--reap"),
            bridge_is_filtered=_bridge_is_filtered(),
        )

    def _takes(self, *words: str) -> bool:
        try:
            self.replace(trial(self._chains, words))
        except CannotProxy as problem:
            logger.warning("rules with %s cannot be had: %s", " ".join(words), problem)
            return False
        return True

    def replace(self, text: str) -> None:
        """All chains at once. Raises CannotProxy with the command's own words."""
        _run([RESTORE, "--noflush", *_WAIT], given=text)

    def enter(self) -> None:
        """Make sure that traffic comes by. Refusals must stand before what lets everything out of the pods' network."""
        for jump in self._jumps:
            if not self._stands_first(jump):
                self._remove(jump)
                _run([COMMAND, *_WAIT, "-t", jump.table, "-I", jump.chain, "1", *jump.rule[1:]])

    def leave(self) -> None:
        """Take everything away. What is gone already is fine."""
        for jump in self._jumps:
            self._remove(jump)
        try:
            self.replace(nothing(self._chains))
        except CannotProxy as problem:
            logger.warning("the rules of Services could not be taken away: %s", problem)

    def _stands_first(self, jump: Jump) -> bool:
        """Among the rules of labs, before all others."""
        listed = _run([COMMAND, *_WAIT, "-t", jump.table, "-S", jump.chain]).splitlines()
        for line in listed:
            words = line.split()
            if words[:1] != ["-A"]:
                continue
            if words[-1] == jump.target and _same(words, jump):
                return True
            if not words[-1].startswith("PODLAB-"):
                return False
        return False

    def _remove(self, jump: Jump) -> None:
        for _ in range(8):  # as often as it is there
            try:
                _run([COMMAND, *_WAIT, "-t", jump.table, "-D", *jump.rule])
            except CannotProxy:
                return


def _bridge_is_filtered() -> bool:
    try:
        return _BRIDGE_FILTER.read_text().strip() == "1"
    except OSError:
        return False


def _same(words: list[str], jump: Jump) -> bool:
    """iptables lists a rule with the words that it was given, in an order of its own."""
    return sorted(words[2:]) == sorted((*jump.match, "-j", jump.target))


def _run(command: list[str], *, given: str = "") -> str:
    try:
        done = subprocess.run(command, input=given, capture_output=True, text=True, timeout=SECONDS, check=False)
    except (OSError, subprocess.SubprocessError) as error:
        raise CannotProxy(f"{command[0]}: {error}") from None
    if done.returncode != 0:
        said = " ".join(done.stderr.split())
        raise CannotProxy(f"{command[0]}: {said or f'exit code {done.returncode}'}")
    return done.stdout
