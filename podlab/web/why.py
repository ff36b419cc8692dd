"""Why a pod is as it is, for its page: gathers what is known of the pod and asks `glance.explain`.

What the person may not see (nodes, logs) is left out of what the rules read, so that nothing of it comes out again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.utils.translation import gettext

from podlab.apis import static_pods
from podlab.apis.types import Manifest
from podlab.glance import anatomy, kubectl
from podlab.glance.explain import explanations
from podlab.glance.explain.case import Case, Evidence
from podlab.glance.explain.explanations import Advice, Explanation
from podlab.logs import layout, reader
from podlab.storage import history, log, moments
from podlab.web import manifest_lines, nodes, revisions
from podlab.web.place import Place
from podlab.web.pod_logs import Folder

_PROBES = 400  # the latest results; older ones explain nothing that is going on
_LOG_LINES = 8
# Words of commands that are about no namespace.
_CLUSTER_WIDE = {"--all-namespaces", "node", "nodes", "uncordon", "taint", "priorityclasses"}


def panel(place: Place, pod: Manifest, *, gone: bool, in_file: bool = False) -> dict[str, Any]:
    """What the template `parts/pod_why.html` shows; `in_file`: with links to places of the same page."""
    read = case(place, pod, gone=gone)
    links = Links(pod, in_file=in_file)
    return {
        "explanations": [_shown(one, place, links) for one in explanations.explain(read, gettext)],
        "verdicts": [nodes.Verdict(node, tuple(reasons)) for node, reasons in read.rejections.items()],
    }


def case(place: Place, pod: Manifest, *, gone: bool) -> Case:
    # The node tells of a static pod under another uid than that of its mirror.
    uid, namespace = static_pods.runtime_uid(pod), pod["metadata"]["namespace"]
    events = place.list("events", namespace, field_selector=f"involvedObject.uid={uid}").items
    probes, runs = history.latest_probes(place.cluster, uid, _PROBES), history.runs_of(place.cluster, uid)
    if place.moment is not None:
        at = place.moment.at
        probes, runs = [one for one in probes if one.at <= at], moments.known_at(runs, at)
    return Case(
        pod,
        place.now(),
        events=[item.obj for item in events],
        probes=probes,
        runs=runs,
        nodes=_nodes(place),
        rejections={verdict.node: verdict.reasons for verdict in pending(place.cluster, pod)},
        logs=_logs(place, pod),
        gone=gone,
    )


def pending(cluster: str, pod: Manifest) -> list[nodes.Verdict]:
    """What the scheduler found on each node when it last looked for one; nothing of a pod that has its node."""
    if (pod.get("spec") or {}).get("nodeName"):
        return []
    whys = [entry.why for entry in log.history_of(cluster, pod["metadata"]["uid"])]
    return next((told for why in reversed(whys) if (told := nodes.verdicts(why))), [])


def _nodes(place: Place) -> Mapping[str, Manifest] | None:
    if not place.may("list", "nodes"):
        return None
    return {item.key.name: item.obj for item in place.client.list("nodes", None).items}


def _logs(place: Place, pod: Manifest) -> dict[str, str]:
    """The last lines of every container whose last run ended with an error."""
    meta = pod["metadata"]
    if not place.may("get", "pods", name=meta["name"], subresource="log"):
        return {}
    root = Path(settings.PODLAB_DATA) / "logs" / place.cluster
    folder = Folder(meta["namespace"], meta["name"], static_pods.runtime_uid(pod))
    found = {}
    for status in anatomy.container_statuses(pod):
        now = (status.get("state") or {}).get("terminated")
        end = now or (status.get("lastState") or {}).get("terminated")
        if not end or not end.get("exitCode"):
            continue
        attempt = int(status.get("restartCount") or 0) - (0 if now else 1)
        path = layout.container_log(root, folder, status["name"], max(attempt, 0))
        text = b"".join(reader.read(path, tail=_LOG_LINES, since=None, timestamps=False))
        found[status["name"]] = text.decode("utf-8", "replace")
    return found


class Links:
    """Where the evidence of a sentence is found on the pages of this pod, or in the one page of a file."""

    def __init__(self, pod: Manifest, *, in_file: bool = False) -> None:
        self._uid = pod["metadata"]["uid"]
        self._lines = manifest_lines.lines(revisions.shown(pod))
        self._in_file = in_file

    def yaml(self, path: str) -> str:
        """The line at which the field begins; of a field that is not there, of the nearest one around it."""
        while path:
            for number, line in enumerate(self._lines, 1):
                if line["path"] == path or line["path"].startswith((f"{path}.", f"{path}[")):
                    return f"{'' if self._in_file else self._tab('yaml')}#L{number}"
            path = re.sub(r"(\.[^.\[\]]+|\[\d+\]|^[^.]+)$", "", path)
        return self._tab("yaml")

    def _tab(self, name: str, mark: str = "") -> str:
        if self._in_file:
            return f"#{name if name in {'yaml', 'events', 'logs'} else 'timeline'}"
        chosen = (
            {"mark": mark} if mark and not name else {}
        )  # the timeline begins with it, whatever was there at the click
        return f"?{urlencode(({'tab': name} if name else {}) | {'uid': self._uid} | chosen)}"

    def of(self, evidence: Evidence) -> dict[str, str]:
        tab = {"event": "events", "log": "logs", "node": "details"}.get(evidence.kind, "")
        href = self.yaml(evidence.path) if evidence.path else self._tab(tab, evidence.mark)
        return {"text": evidence.text, "href": href, "mark": evidence.mark, "kind": evidence.kind}


def _shown(one: Explanation, place: Place, links: Links) -> dict[str, Any]:
    return {
        "told": one,
        "tone": {"problem": "failed", "waiting": "waiting"}.get(one.level, "done"),
        "happens": links.of(one.happens.evidence),
        "why": links.of(one.why.evidence),
        "look": _advice(one.look, place, links),
        "tries": [_advice(advice, place, links) for advice in one.tries],
    }


def _advice(advice: Advice, place: Place, links: Links) -> dict[str, str]:
    command = ""
    if advice.words:
        namespace = "" if _CLUSTER_WIDE.intersection(advice.words) else place.namespace
        command = kubectl.line(*advice.words, cluster=place.cluster, namespace=namespace)
    href = links.yaml(advice.path) if advice.path else ""
    return {"text": advice.text, "command": command, "path": advice.path, "href": href}
