"""The grace period of one container, from its Killing event to its end: a countdown on its lane. Pure; part of `story`.

The kubelet says Killing when the grace period begins (kuberuntime_container.go killContainer), before the preStop hook.
"""

from __future__ import annotations

from datetime import timedelta

from podlab.apis import times
from podlab.apis.types import Manifest
from podlab.glance import anatomy, sentences
from podlab.glance.sentences import say
from podlab.timeline import marks
from podlab.timeline.messages import EventFacts, Mark
from podlab.timeline.story_book import Book, Change

_DEFAULT_GRACE = 30


def period(pod: Manifest, container: Manifest, message: str) -> timedelta:
    """The one of the probe that asked for it, else the pod's (kubelet: killContainer's gracePeriod)."""
    for type, field in anatomy.PROBE_FIELDS:
        own = (container.get(field) or {}).get("terminationGracePeriodSeconds")
        if own is not None and f"{type} probe" in message:
            return times.span(own)
    given = (pod.get("spec") or {}).get("terminationGracePeriodSeconds")
    return times.span(_DEFAULT_GRACE if given is None else given)


def asked_by(path: str, message: str) -> str:
    """The field of the container at `path` that asked for its end, by the message of the Killing event: its probe."""
    named = next((field for type, field in anatomy.PROBE_FIELDS if f"{type} probe" in message), "")
    return f"{path}.{named}" if path and named else path


def begin(book: Book, run: Mark, facts: EventFacts, entry: Change) -> Mark | None:
    """The countdown of `run`, or None when there is nothing to count down."""
    name = run["container"]
    spec = next((one.spec for one in anatomy.spec_containers(book.pod) if one.name == name), None)
    if spec is None:
        return None
    handler = (spec.get("lifecycle") or {}).get("preStop") or {}
    deletion = book.pod["metadata"].get("deletionTimestamp")
    if deletion:
        until, path = times.parse(deletion), "spec.terminationGracePeriodSeconds"
    else:
        until = entry.at + period(book.pod, spec, facts["message"])
        path = asked_by(book.paths.get(name, ""), facts["message"])
        if handler and path == book.paths.get(name, ""):
            path += ".lifecycle.preStop"
    if until <= entry.at:
        return None
    hook = bool(handler)
    text = sentences.STOPPING_HOOK if hook else sentences.STOPPING
    grace = sentences.seconds_text(until - entry.at)
    mark = marks.mark(
        id=f"grace:{name}:{run['attempt']}",
        kind="grace",
        lane=run["lane"],
        start=entry.at,
        rev=entry.revision,
        sentence=say(book.say, text, container=name, grace=grace),
        path=path,
        command=book.place.describe(),
    )
    short = sentences.DELETING_SHORT_HOOK if hook else sentences.DELETING_SHORT
    mark.update({"container": name, "attempt": run["attempt"], "state": "terminating", "reason": "Killing", "text": book.say(short), "why": entry.why, "outcome": "terminating", "until": anatomy.instant(until)})  # fmt: skip
    if "sleep" in handler:
        # How long other hooks take is known when they are over, and then nobody says so.
        slept = entry.at + timedelta(seconds=int(handler["sleep"].get("seconds") or 0))
        mark["term"] = anatomy.instant(min(slept, until))
    mark["evidence"]["event"] = facts
    return mark
