"""Making marks: one function a kind of mark, from plain values. Pure; `story` decides when, this says how it looks."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from podlab.glance import kubectl
from podlab.glance.anatomy import instant
from podlab.timeline.messages import Evidence, Mark, MarkKind

Blank = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Place:
    """Whose story it is; makes the kubectl lines."""

    namespace: str
    name: str
    cluster: str = "main"

    @property
    def _where(self) -> str:
        return shlex.join(kubectl.where(cluster=self.cluster, namespace=self.namespace))

    def describe(self) -> str:
        return f"kubectl describe pod {self.name} {self._where}"

    def logs(self, container: str, *, previous: bool) -> str:
        tail = " --previous" if previous else ""
        return f"kubectl logs {self.name} -c {container} {self._where}{tail}"

    def events(self) -> str:
        return f"kubectl get events {self._where} --field-selector involvedObject.name={self.name}"

    def endpoints(self, service: str) -> str:
        return f"kubectl get endpointslices {self._where} -l kubernetes.io/service-name={service}"

    def field(self, path: str) -> str:
        return f"kubectl get pod {self.name} {self._where} -o jsonpath='{{{path}}}'"

    def watch(self) -> str:
        return f"kubectl get pod {self.name} {self._where} --watch"


def mark(
    *, id: str, kind: MarkKind, lane: str, start: datetime, rev: int, sentence: str, path: str = "", command: str = ""
) -> Mark:
    """A mark with nothing special about it; the callers fill in what their kind has."""
    evidence: Evidence = {"path": path, "event": None, "command": command}
    return {
        "id": id,
        "kind": kind,
        "lane": lane,
        "start": instant(start),
        "end": None,
        "state": "",
        "reason": "",
        "text": "",
        "sentence": sentence,
        "why": "",
        "container": "",
        "attempt": None,
        "probe": "",
        "outcome": "",
        "exit_code": None,
        "run": 0,
        "threshold": 0,
        "latency_ms": None,
        "caused": "",
        "target": "",
        "until": None,
        "term": None,
        "share": None,
        "source": "",
        "rev": rev,
        "seq": 0,
        "evidence": evidence,
    }
