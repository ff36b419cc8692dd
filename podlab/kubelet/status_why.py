"""Why a status is written, for people: what differs between two statuses of a pod, in short sentences. Pure; `pod_workers` uses
it where no action of its own explains the change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from podlab.apis.types import Manifest
from podlab.kubelet.plan import Verdicts

_LISTS = ("initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses")


def changes(before: Manifest, after: Manifest, verdicts: Verdicts) -> str:
    """`verdicts`: what the probes say, for changes of readiness."""
    return "; ".join(text for name in _LISTS for text in _of_list(before.get(name), after.get(name), verdicts))


def end_text(exit_code: object, reason: str = "") -> str:
    """`exit code 137 (OOMKilled)`: how a run ended."""
    return f"exit code {exit_code}" + (f" ({reason})" if reason else "")


def _of_list(before: list[Manifest] | None, after: list[Manifest] | None, verdicts: Verdicts) -> Iterator[str]:
    known = {entry["name"]: entry for entry in before or []}
    for entry in after or []:
        yield from _of_container(known.get(entry["name"]) or {}, entry, verdicts)


def _of_container(old: Manifest, new: Manifest, verdicts: Verdicts) -> Iterator[str]:
    name, state = new["name"], new.get("state") or {}
    ended = state.get("terminated")
    if ended and ended != (old.get("state") or {}).get("terminated"):
        yield f"{name} ended with {end_text(ended.get('exitCode'), ended.get('reason', ''))}"
    if "running" not in state:
        return
    if "running" not in (old.get("state") or {}) or old.get("containerID") != new.get("containerID"):
        yield f"{name} runs"
    for part, kind in (("started", "startup"), ("ready", "readiness")):
        if bool(old.get(part)) is not bool(new.get(part)):
            said = _verdict(new, kind, verdicts)
            if said:
                yield f"{name} is {'' if new.get(part) else 'not '}{part}: {said}"


def _verdict(entry: Mapping[str, object], kind: str, verdicts: Verdicts) -> str:
    found = verdicts.get((str(entry.get("containerID") or "").partition("://")[2], kind))
    return found.why if found is not None else ""
