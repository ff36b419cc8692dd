"""What the rules read (Case), what they find (Finding, Evidence), and what is known of a situation (Situation). Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from podlab.apis import times
from podlab.apis.types import Manifest
from podlab.glance import anatomy
from podlab.glance.anatomy import SpecContainer

PROBE_FIELDS = dict(anatomy.PROBE_FIELDS)  # startup → startupProbe


class Probe(Protocol):
    """What the rules need of a `storage.history.ProbeRow`."""

    @property
    def seq(self) -> int: ...
    @property
    def container(self) -> str: ...
    @property
    def attempt(self) -> int: ...
    @property
    def probe(self) -> str: ...
    @property
    def at(self) -> datetime: ...
    @property
    def outcome(self) -> str: ...
    @property
    def message(self) -> str: ...
    @property
    def threshold(self) -> int: ...
    @property
    def caused(self) -> str: ...


class Run(Protocol):
    """What the rules need of a `storage.history.Run`."""

    @property
    def container(self) -> str: ...
    @property
    def attempt(self) -> int: ...
    @property
    def started_at(self) -> datetime | None: ...
    @property
    def finished_at(self) -> datetime | None: ...
    @property
    def exit_code(self) -> int | None: ...
    @property
    def reason(self) -> str: ...
    @property
    def message(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Evidence:
    """Where a sentence comes from. `path` is a field of the pod's YAML, `mark` a mark of the timeline; either may be ""."""

    kind: str  # yaml | status | event | probe | run | log | node
    text: str
    path: str = ""
    mark: str = ""


@dataclass(frozen=True, slots=True)
class Try:
    """Something to do about it. `words` are those of a kubectl command, with the fields of the finding in them; `path`
    names, as a field of the finding, the line of the YAML that one would change."""

    text: str
    words: tuple[str, ...] = ()
    path: str = ""


@dataclass(frozen=True, slots=True)
class Situation:
    """What is known of one kind of trouble, as data. All texts are templates over the fields of a finding."""

    id: str
    title: str
    happens: str
    why: str
    look: Try
    tries: tuple[Try, ...]
    level: str = "problem"  # problem | waiting | note


@dataclass(frozen=True, slots=True)
class Finding:
    """A situation that is there. `happens` and `why` are what its two first sentences rest on."""

    situation: str
    fields: Mapping[str, str]
    happens: Evidence
    why: Evidence
    container: str = ""


@dataclass(frozen=True, slots=True)
class Container:
    """A container of the case with its status; an empty status when the kubelet has not told one."""

    spec: SpecContainer
    status: Manifest

    @property
    def name(self) -> str:
        return self.spec.name

    @property
    def path(self) -> str:
        return self.spec.path

    @property
    def waiting(self) -> Manifest:
        return (self.status.get("state") or {}).get("waiting") or {}

    @property
    def running(self) -> Manifest | None:
        found: Manifest | None = (self.status.get("state") or {}).get("running")
        return found

    @property
    def ended(self) -> Manifest:
        """The end that the present state or, while it waits or runs again, the last one tells."""
        state, last = self.status.get("state") or {}, self.status.get("lastState") or {}
        found: Manifest = state.get("terminated") or last.get("terminated") or {}
        return found

    @property
    def ended_now(self) -> Manifest:
        return (self.status.get("state") or {}).get("terminated") or {}

    @property
    def restarts(self) -> int:
        return int(self.status.get("restartCount") or 0)

    @property
    def last_attempt(self) -> int:
        """The restart number of the run that `ended` is about."""
        return self.restarts if self.ended_now else max(self.restarts - 1, 0)


@dataclass(frozen=True)
class Case:
    """All that is known. `nodes` is None when the asker may not see nodes; `logs` has the last lines of containers whose
    last run ended badly; `rejections` is what the scheduler found on each node."""

    pod: Manifest
    now: datetime
    events: Sequence[Manifest] = ()
    probes: Sequence[Probe] = ()
    runs: Sequence[Run] = ()
    nodes: Mapping[str, Manifest] | None = None
    rejections: Mapping[str, Sequence[str]] = field(default_factory=dict)
    logs: Mapping[str, str] = field(default_factory=dict)
    gone: bool = False

    @property
    def spec(self) -> Manifest:
        return self.pod.get("spec") or {}

    @property
    def status(self) -> Manifest:
        return self.pod.get("status") or {}

    @property
    def meta(self) -> Manifest:
        found: Manifest = self.pod["metadata"]
        return found

    @property
    def deleting(self) -> bool:
        return bool(self.meta.get("deletionTimestamp")) and not self.gone

    @property
    def over(self) -> bool:
        return self.status.get("phase") in {"Succeeded", "Failed"}

    @property
    def age(self) -> timedelta:
        return self.now - times.parse(self.meta["creationTimestamp"])

    def containers(self) -> Iterator[Container]:
        statuses = {status["name"]: status for status in anatomy.container_statuses(self.pod)}
        for spec in anatomy.spec_containers(self.pod):
            yield Container(spec, statuses.get(spec.name, {}))

    def condition(self, type: str) -> Manifest:
        conditions: Sequence[Manifest] = self.status.get("conditions") or ()
        none: Manifest = {}
        return next((one for one in conditions if one["type"] == type), none)

    def event(self, *reasons: str, container: str = "", text: str = "") -> Manifest | None:
        """The latest Event with one of these reasons; of that container, and with that text, if given."""
        found = [
            event
            for event in self.events
            if event.get("reason") in reasons
            and (not container or f"{{{container}}}" in ((event.get("involvedObject") or {}).get("fieldPath") or ""))
            and text in (event.get("message") or "")
        ]
        return max(found, key=seen) if found else None

    def probes_of(self, container: str, probe: str, attempt: int | None = None) -> list[Probe]:
        return [
            one
            for one in self.probes
            if one.container == container and one.probe == probe and attempt in {None, one.attempt}
        ]


def seen(event: Manifest) -> str:
    """When an Event was last seen; RFC 3339, sortable."""
    return str(event.get("lastTimestamp") or event.get("eventTime") or event["metadata"].get("creationTimestamp") or "")


def of_yaml(path: str, text: str = "") -> Evidence:
    return Evidence("yaml", text or path, path=path)


def of_status(text: str, path: str = "status") -> Evidence:
    return Evidence("status", text, path=path)


def of_event(event: Manifest | None, otherwise: Evidence) -> Evidence:
    if event is None:
        return otherwise
    mark = f"event:{event['metadata']['name']}:{int(event.get('count') or 1)}"
    return Evidence("event", f"{event.get('reason')}: {event.get('message')}", mark=mark)


def of_probe(probe: Probe | None, otherwise: Evidence) -> Evidence:
    if probe is None:
        return otherwise
    text = probe.message.strip() or probe.outcome
    return Evidence("probe", f"{probe.probe}: {text}", mark=f"probe:{probe.seq}")


def of_run(container: Container) -> Evidence:
    """How a container's last run ended."""
    end = container.ended
    text = f"{container.name} #{container.last_attempt}: exit {end.get('exitCode')} {end.get('reason') or ''}".rstrip()
    return Evidence("run", text, mark=f"run:{container.name}:{container.last_attempt}")


SPLICED = "{command}"  # a word of a command that stands for several: the field is split as a shell would


def finding(
    situation: str,
    case: Case,
    happens: Evidence,
    why: Evidence,
    *,
    container: Container | None = None,
    **fields: object,
) -> Finding:
    """With the fields that every text may use: pod, namespace, and container, path, image of a container, and the option
    `previous` that leads to the log of its last end."""
    known: dict[str, str] = {"pod": case.meta["name"], "namespace": case.meta.get("namespace", "")}
    if container is not None:
        known |= {
            "container": container.name,
            "path": container.path,
            "image": str(container.spec.spec.get("image") or ""),
            # While nothing runs, the log without --previous is that of the last run; the one before it is gone.
            "previous": "--previous" if container.running is not None else "",
        }
    known |= {name: str(value) for name, value in fields.items()}
    return Finding(situation, known, happens, why, container.name if container is not None else "")
