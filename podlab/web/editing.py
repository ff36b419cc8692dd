"""An object that exists, in the editor: what of it is shown, tried, written, and merged when it moved on meanwhile."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext

from podlab.apis.decode import Document, decode_yaml
from podlab.apis.decode_errors import DecodeError
from podlab.apis.scheme import Resource
from podlab.apis.status_errors import ApiError
from podlab.apis.types import Manifest
from podlab.registry.client import Client
from podlab.registry.operations import WriteOptions, Written
from podlab.storage import log
from podlab.web import authoring, manifest_lines, revisions
from podlab.web.authoring import Item, Problem, Report
from podlab.web.forms import edits, merge, paths, yaml_edit
from podlab.web.forms.edits import REMOVED, Edit
from podlab.web.forms.merge import Merge

# What the server keeps about an object: hidden while one edits, and put back before the write.
OWNED = (
    *("managedFields", "uid", "resourceVersion", "creationTimestamp", "generation", "selfLink"),
    *("deletionTimestamp", "deletionGracePeriodSeconds"),
)
MANAGER = "podlab-web"


@dataclass(frozen=True, slots=True)
class Seen:
    """An object at one revision."""

    obj: Manifest
    uid: str
    revision: int


@dataclass(frozen=True, slots=True)
class Subject:
    """Which object is edited, and the revision that the person began with."""

    client: Client
    resource: Resource
    namespace: str
    name: str
    base: int

    def present(self) -> Seen:
        """ApiError 404 when it is gone."""
        stored = self.client.get(self.resource.key, self.namespace, self.name)
        return Seen(stored.obj, stored.uid, stored.revision)

    def begun_with(self, present: Seen) -> Manifest:
        """The object as the person saw it; the present one where the log has forgotten that."""
        entries = [one for one in log.history_of(self.client.cluster, present.uid) if one.revision == self.base]
        return entries[0].obj if entries else present.obj


@dataclass(slots=True)
class Trial:
    """What an apply would do. `lines` is its diff; `patch` the kubectl words that do the same."""

    report: Report
    lines: list[revisions.Line] = field(default_factory=list)
    patch: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Applied:
    """`text` and `base` are what the person goes on with when the object had moved on: `merged` says how."""

    written: Written | None
    report: Report
    text: str = ""
    base: int = 0
    merged: Merge | None = None
    actors: list[str] = field(default_factory=list)


def editable(obj: Manifest) -> Manifest:
    """Without status and what the server keeps."""
    shown = {key: value for key, value in obj.items() if key != "status"}
    return {**shown, "metadata": {key: value for key, value in obj["metadata"].items() if key not in OWNED}}


def text_of(obj: Manifest) -> str:
    return manifest_lines.dump(editable(obj))


def _whole(mine: Manifest, known: Manifest, revision: str) -> Manifest:
    meta = mine.get("metadata")
    kept = {key: value for key, value in known["metadata"].items() if key in OWNED and key != "resourceVersion"}
    out = {**mine, "metadata": {**(meta if isinstance(meta, dict) else {}), **kept}}
    if revision:
        out["metadata"]["resourceVersion"] = revision
    return {**out, "status": known["status"]} if "status" in known else out


def _read(subject: Subject, text: str) -> tuple[Document | None, Report]:
    """The one document of the text, or why it is not the object that is edited."""
    try:
        documents = [one for one in decode_yaml(text) if one.obj is not None]
    except DecodeError as error:
        return None, Report([authoring.of_decoding(error)], [])
    items, problems = authoring.items(documents, subject.namespace)
    if not problems and (len(items) != 1 or items[0].resource.kind != subject.resource.kind):
        wrong: Problem = authoring.problem(documents[0] if documents else Document(None), "kind", _only(subject))
        problems = [wrong]
    return (documents[0] if not problems else None), Report(problems, [item.text for item in items])


def _only(subject: Subject) -> str:
    return gettext("The text must be one object, the {kind} {name}.").format(
        kind=subject.resource.kind, name=subject.name
    )


def attempt(subject: Subject, text: str) -> Trial:
    """Try the text on the object as it is now, writing nothing."""
    document, report = _read(subject, text)
    present = subject.present()
    if document is None:
        return Trial(report)
    try:
        written = _update(subject, document, present.obj, "", dry_run=True)
    except ApiError as error:
        return Trial(Report(authoring.of_refusal(_item(subject, document), error), []))
    problems = [authoring.problem(document, "", words, severity="warning") for words in written.warnings]
    patch = edits.merge_patch(editable(present.obj), document.obj)
    return Trial(
        Report(problems, report.objects),
        revisions.diff(editable(present.obj), editable(written.obj)),
        _patch(subject, patch),
    )


def _patch(subject: Subject, patch: Any) -> list[str]:
    words = ["kubectl", "patch", subject.resource.singular, subject.name, "--type=merge", "-p"]
    return [*words, json.dumps(patch, ensure_ascii=False, separators=(",", ":"))] if patch else []


def _item(subject: Subject, document: Document) -> Item:
    return Item(document, subject.resource, subject.namespace)


def _update(subject: Subject, document: Document, known: Manifest, revision: str, *, dry_run: bool) -> Written:
    options = WriteOptions(dry_run=dry_run, duplicates=tuple(document.strict_texts()), field_manager=MANAGER)
    whole = _whole(document.obj, known, revision)
    why = f"{subject.client.actor.actor} edited it on its page."
    return subject.client.update(
        subject.resource.key, subject.namespace, subject.name, whole, options=options, why="" if dry_run else why
    )


def apply(subject: Subject, text: str) -> Applied:
    """Write the text over the revision that the person began with. When the object moved on, nothing is written where
    others changed what is shown here: their changes are put into the text, and the person decides."""
    document, report = _read(subject, text)
    if document is None:
        return Applied(None, report)
    present = subject.present()
    base = subject.begun_with(present)
    if present.revision != subject.base and not edits.same(editable(base), editable(present.obj)):
        return _merged(subject, text, document, base, present, report)
    try:
        # Only the server's own part moved, if any: a write over the newest revision loses nothing.
        written = _update(subject, document, present.obj, str(present.revision), dry_run=False)
    except ApiError as error:
        if error.reason == "Conflict" and subject.present().revision != present.revision:
            return apply(subject, text)
        return Applied(None, Report(authoring.of_refusal(_item(subject, document), error), report.objects))
    return Applied(written, report)


def _merged(subject: Subject, text: str, document: Document, base: Manifest, present: Seen, report: Report) -> Applied:
    found = merge.merge(editable(base), document.obj, editable(present.obj))
    history = log.history_of(subject.client.cluster, present.uid)
    actors = sorted({one.actor for one in history if one.revision > subject.base})
    joined = yaml_edit.apply(text, 0, found.taken)
    return Applied(None, report, joined, present.revision, found, actors)


def take_theirs(subject: Subject, text: str, path: str) -> str:
    """The text with what the object has at the path now."""
    where = paths.parse(path)
    value = paths.get(editable(subject.present().obj), where)
    return yaml_edit.apply(text, 0, [Edit(where, REMOVED if value is None else value)])
