"""application/apply-patch+yaml: state the fields that one cares for, and own them.

`registry.applying` calls `apply` with the live object and the configuration; nothing is stored here. Pure.
Sources: structured-merge-diff/v6/merge/update.go (Apply), apimachinery/pkg/util/managedfields/internal
(structuredmerge.go, lastappliedmanager.go, lastappliedupdater.go, managedfieldsupdater.go).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from podlab.apis import status_errors
from podlab.apis.types import Manifest
from podlab.registry.apply import check, compare, conflicts, fieldset, managers, merge, tracking
from podlab.registry.apply.fieldset import FieldSet
from podlab.registry.apply.managers import APPLY, Entry, Manager, Managers
from podlab.registry.apply.shapes import Shape
from podlab.registry.apply.tracking import Writer

KUBECTL = "kubectl"
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_LAST_APPLIED_LIMIT = 256 * 1024


@dataclass(frozen=True, slots=True)
class Applied:
    """`entries` are the managedFields of `obj`."""

    obj: Manifest
    entries: list[Manifest]


def check_configuration(shape: Shape, config: Manifest) -> None:
    """Refuse what does not fit the schema; a bare Go error is a 500 there."""
    wrong = check.problems(shape, config)
    if wrong:
        raise status_errors.plain_failure(f"failed to create typed patch object ({_described(config)}): {wrong}")


def _described(config: Manifest) -> str:
    """`default/web; apps/v1, Kind=Deployment`, with what the configuration itself says."""
    meta = config.get("metadata")
    namespace, name = ((meta.get(field) if isinstance(meta, dict) else "") or "" for field in ("namespace", "name"))
    return f"{namespace}/{name}; {gvk(config)}"


def gvk(config: Manifest) -> str:
    """`/v1, Kind=Pod`, as Go prints a group, version and kind."""
    api_version, kind = str(config.get("apiVersion") or ""), str(config.get("kind") or "")
    return f"{api_version if '/' in api_version else f'/{api_version}'}, Kind={kind}"


def apply(shape: Shape, live: Manifest, config: Manifest, who: Writer, *, force: bool) -> Applied:
    """The object that comes of `config` on top of `live`. 409 when others own what would change, unless `force`."""
    known = managers.read((live.get("metadata") or {}).get(tracking.FIELD)) or {}
    me = who.manager(APPLY)
    stated = tracking.somebodys(compare.field_set(shape, config))
    before = known.get(me)
    known = {**known, me: Entry(stated, who.version, who.time)}
    base = tracking.plain(live)
    obj = merge.merged(shape, base, tracking.plain(config))
    obj = merge.pruned(shape, obj, before.fields if before else {}, _all(known))
    changes = compare.difference(shape, base, obj)
    wanted = {
        manager: both
        for manager, entry in known.items()
        if manager != me and (both := fieldset.intersection(entry.fields, changes.changed))
    }
    if wanted and not force:
        wanted = _not_mine_by_annotation(shape, live, wanted) if who.name == KUBECTL else wanted
        if wanted:
            raise conflicts.refusal(wanted)
    left = managers.take(known, fieldset.union(changes.changed, changes.removed), but=me)
    if not stated:
        left.pop(me, None)
    out = _whole(live, config, obj)
    if who.name == KUBECTL:
        _follow_annotation(out, config)
    return Applied(out, managers.write(managers.capped(left)))


def _all(known: Managers) -> FieldSet:
    out: FieldSet = {}
    for entry in known.values():
        out = fieldset.union(out, entry.fields)
    return out


def _whole(live: Manifest, config: Manifest, obj: Manifest) -> Manifest:
    """With kind and with the server's own metadata, which nobody applies."""
    kept = {name: value for name, value in (live.get("metadata") or {}).items() if name in tracking.META}
    kept.pop(tracking.FIELD, None)
    kept.setdefault("name", (config.get("metadata") or {}).get("name"))
    named = (config.get("metadata") or {}).get("namespace")
    if named:
        kept["namespace"] = named
    head = {"apiVersion": config["apiVersion"], "kind": config["kind"]}
    return {**head, **obj, "metadata": {**kept, **obj.get("metadata", {})}}


def _not_mine_by_annotation(shape: Shape, live: Manifest, wanted: dict[Manager, FieldSet]) -> dict[Manager, FieldSet]:
    """kubectl may take over what it applied from the client's side before and nobody changed since."""
    text = _annotations(live).get(LAST_APPLIED)
    try:
        last = json.loads(text) if text else None
    except ValueError:
        last = None
    if not isinstance(last, dict) or check.problems(shape, last):
        return wanted
    stated = compare.field_set(shape, last)
    changes = compare.difference(shape, tracking.plain(last), tracking.plain(live))
    mine = fieldset.difference(stated, fieldset.union(changes.changed, changes.removed))
    left = {manager: fieldset.difference(fields, mine) for manager, fields in wanted.items()}
    return {manager: fields for manager, fields in left.items() if fields}


def _follow_annotation(obj: Manifest, config: Manifest) -> None:
    """Where kubectl's annotation is, it keeps telling the last applied state, so that client-side apply goes on to work."""
    annotations = _annotations(obj)
    if LAST_APPLIED not in annotations:
        return
    meta = {**config["metadata"], "annotations": {**_annotations(config)}}
    meta["annotations"].pop(LAST_APPLIED, None)
    if not meta["annotations"]:
        del meta["annotations"]
    text = json.dumps({**config, "metadata": meta}, separators=(",", ":"), sort_keys=True, ensure_ascii=False) + "\n"
    size = sum(len(name.encode()) + len(value.encode()) for name, value in annotations.items() if name != LAST_APPLIED)
    fits = size + len(text.encode()) + len(LAST_APPLIED) <= _LAST_APPLIED_LIMIT
    obj["metadata"]["annotations"] = {**annotations, LAST_APPLIED: text if fits else ""}


def _annotations(obj: Manifest) -> dict[str, Any]:
    found = (obj.get("metadata") or {}).get("annotations")
    return found if isinstance(found, dict) else {}
