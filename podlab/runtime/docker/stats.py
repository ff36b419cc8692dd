"""CPU and memory of a container now. The engine gives CPU as a sum since the start, so a rate needs the sample before."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from podlab.runtime.docker.client import Engine, engine_errors
from podlab.runtime.errors import NotFound
from podlab.runtime.interface import ContainerStats


class StatsReader:
    """Keeps the last sample per container. The first answer counts from the container's start of measuring: 0."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._samples: dict[str, tuple[datetime, int]] = {}

    def read(self, container_id: str) -> ContainerStats | None:
        """None for a container that is gone or does not run."""
        try:
            with engine_errors():
                found = self._engine.api.stats(container_id, stream=False, one_shot=True)
        except NotFound:
            self._samples.pop(container_id, None)
            return None
        memory = found.get("memory_stats") or {}
        if "usage" not in memory:
            self._samples.pop(container_id, None)
            return None
        return ContainerStats(
            cpu_nano_cores=self._rate(container_id, found),
            memory_bytes=_working_set(memory),
            pids=int((found.get("pids_stats") or {}).get("current") or 0),
        )

    def written(self, container_id: str) -> int:
        """The size of its own layer, which the engine counts file by file: 0 when it is gone."""
        with engine_errors():
            found = self._engine.api.containers(all=True, size=True, filters={"id": container_id})
        return int(found[0].get("SizeRw") or 0) if found else 0

    def forget(self, container_id: str) -> None:
        self._samples.pop(container_id, None)

    def _rate(self, container_id: str, found: Mapping[str, Any]) -> int:
        at = datetime.fromisoformat(found["read"])
        total = int(found["cpu_stats"]["cpu_usage"]["total_usage"])
        before = self._samples.get(container_id)
        self._samples[container_id] = (at, total)
        if before is None or at <= before[0]:
            return 0
        return max(int((total - before[1]) / (at - before[0]).total_seconds()), 0)


def _working_set(memory: Mapping[str, Any]) -> int:
    """Usage without the page cache that could be dropped at once, as cAdvisor has it (cgroup v1, v2)."""
    details = memory.get("stats") or {}
    inactive = int(details.get("total_inactive_file", details.get("inactive_file", 0)))
    return max(int(memory["usage"]) - inactive, 0)
