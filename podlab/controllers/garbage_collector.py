"""The garbage collector: objects go when their last owner is gone, owners wait for their dependents where they were told
to, and orphans are set free.

A key is "resource/namespace/name/uid". What to do is decided in `garbage_plan`; who depends on whom is in the graph.
Source: pkg/controller/garbagecollector/{garbagecollector,graph_builder}.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from podlab.apis import scheme
from podlab.apis.status_errors import ApiError
from podlab.apis.types import Manifest
from podlab.controllers import garbage_plan
from podlab.controllers.controller import Controller
from podlab.controllers.garbage_plan import Dependents, Owner, State
from podlab.registry.deleting import FOREGROUND_FINALIZER, ORPHAN_FINALIZER
from podlab.registry.events import WARNING
from podlab.storage import owners, reads
from podlab.storage.log import LogEntry
from podlab.storage.objects import Stored
from podlab.storage.owners import Member

_MARKS = (ORPHAN_FINALIZER, FOREGROUND_FINALIZER)
_MERGE = "application/merge-patch+json"


class GarbageCollector(Controller):
    name = "garbagecollector"
    component = "garbage-collector-controller"

    def load(self) -> Iterable[str]:
        for member in owners.dangling(self.cluster):
            yield _key(member)
        for member in owners.mentioning(self.cluster, _MARKS):
            yield _key(member)
            yield from self._dependents(member)

    def affected(self, entry: LogEntry) -> Iterable[str]:
        """An object with new owners; one that goes, for the sake of its dependents and its owners; one that waits."""
        new = entry.obj["metadata"]
        own = _key(Member(entry.key, entry.uid))
        if entry.type == "DELETED":
            yield from self._dependents(Member(entry.key, entry.uid))
            yield from self._owners(entry, new)
            return
        old = (entry.prev or {}).get("metadata") or {}
        if new.get("ownerReferences") != old.get("ownerReferences"):
            yield own
            yield from self._owners(entry, old)
        if _marks(new) and (_marks(new), new["deletionTimestamp"]) != (_marks(old), old.get("deletionTimestamp")):
            yield own
            yield from self._dependents(Member(entry.key, entry.uid))

    def sync(self, key: str) -> None:
        resource, namespace, name, uid = key.split("/")
        found = self.client.find(resource, namespace, name)
        if found is None or found.uid != uid:
            return
        known = [self._owner(found, ref) for ref in found.obj["metadata"].get("ownerReferences") or []]
        wanted = garbage_plan.plan(found.obj, known, self._look_at_dependents(found, known))
        match wanted:
            case garbage_plan.Orphan():
                self._orphan(found)
            case garbage_plan.Release():
                self._release(found, FOREGROUND_FINALIZER, "No dependent keeps it any more.")
            case garbage_plan.DropOwners(uids, why):
                self._drop_owners(found, uids, why)
            case garbage_plan.Delete():
                self._delete(found, wanted)

    # What is known

    def _dependents(self, owner: Member) -> Iterator[str]:
        for member in owners.dependents(owner):
            yield _key(member)

    def _owners(self, entry: LogEntry, meta: Manifest) -> Iterator[str]:
        """The keys of owners that may have waited for this one."""
        for ref in meta.get("ownerReferences") or []:
            resource = scheme.by_kind(str(ref.get("apiVersion")), str(ref.get("kind")))
            if resource is not None and ref.get("blockOwnerDeletion"):
                namespace = entry.key.namespace if resource.namespaced else ""
                yield f"{resource.key}/{namespace}/{ref.get('name')}/{ref.get('uid')}"

    def _owner(self, item: Stored, ref: Manifest) -> Owner:
        """classifyReferences of one reference."""
        uid, text = str(ref.get("uid")), f"{ref.get('kind')} {ref.get('name')}"
        resource = scheme.by_kind(str(ref.get("apiVersion")), str(ref.get("kind")))
        if resource is None:
            return Owner(uid, text, State.SOLID)
        if resource.namespaced and not item.key.namespace:
            self._tell_wrong_namespace(item, ref)
            return Owner(uid, text, State.IMPOSSIBLE)
        found = self.client.find(resource.key, item.key.namespace if resource.namespaced else "", str(ref.get("name")))
        if found is None or found.uid != uid:
            if resource.namespaced:
                self._tell_wrong_namespace(item, ref)
            return Owner(uid, text, State.ABSENT)
        waits = _marks(found.obj["metadata"]) == (FOREGROUND_FINALIZER,)
        return Owner(uid, text, State.WAITING if waits else State.SOLID)

    def _look_at_dependents(self, item: Stored, known: Sequence[Owner]) -> Dependents:
        """No closer than the plan will need it."""
        waits = FOREGROUND_FINALIZER in _marks(item.obj["metadata"])
        if not waits and not any(owner.state is State.WAITING for owner in known):
            return Dependents()
        members = owners.dependents(Member(item.key, item.uid))
        living = (self._living(member) for member in members)
        if waits:
            return Dependents(any=bool(members), blocking=any(one and _blocks(one.obj, item.uid) for one in living))
        cyclic = any(one and FOREGROUND_FINALIZER in _marks(one.obj["metadata"]) for one in living)
        return Dependents(any=bool(members), cyclic=cyclic)

    def _living(self, member: Member) -> Stored | None:
        found = self.client.find(member.key.resource, member.key.namespace, member.key.name)
        return found if found is not None and found.uid == member.uid else None

    def _tell_wrong_namespace(self, item: Stored, ref: Manifest) -> None:
        """Only where the owner does exist: in a namespace that is not the dependent's (reportInvalidNamespaceOwnerRef)."""
        if reads.get_by_uid(self.cluster, str(ref.get("uid"))) is None:
            return
        namespace = item.key.namespace
        owner = (
            f"[{ref.get('apiVersion')}/{ref.get('kind')}, namespace: {namespace}, name: {ref.get('name')}, "
            f"uid: {ref.get('uid')}]"
        )
        text = f'ownerRef {owner} does not exist in namespace "{namespace}"'
        self.kit.recorder.event(item.obj, WARNING, "OwnerRefInvalidNamespace", text)

    # What is done

    def _orphan(self, item: Stored) -> None:
        why = f"Its owner {item.obj['kind']} {item.key.name} is deleted and leaves its dependents behind."
        for member in owners.dependents(Member(item.key, item.uid)):
            dependent = self._living(member)
            if dependent is not None:
                self._drop_owners(dependent, (item.uid,), why)
        self._release(item, ORPHAN_FINALIZER, "Its dependents are left behind.")

    def _release(self, item: Stored, finalizer: str, why: str) -> None:
        left = [one for one in item.obj["metadata"].get("finalizers") or [] if one != finalizer]
        self._patch(item, {"finalizers": left or None}, why)

    def _drop_owners(self, item: Stored, uids: Sequence[str], why: str) -> None:
        left = [ref for ref in item.obj["metadata"].get("ownerReferences") or [] if ref.get("uid") not in uids]
        self._patch(item, {"ownerReferences": left or None}, why)

    def _delete(self, item: Stored, wanted: garbage_plan.Delete) -> None:
        revision = item.revision
        if wanted.unblock:
            refs = [{**ref, "blockOwnerDeletion": False} for ref in item.obj["metadata"]["ownerReferences"]]
            self._patch(item, {"ownerReferences": refs}, "It is part of a circle of owners.")
            found = self._living(Member(item.key, item.uid))
            revision = found.revision if found is not None else revision
        key = item.key
        try:
            self.client.delete(
                key.resource,
                key.namespace,
                key.name,
                uid=item.uid,
                resource_version=str(revision),
                propagation=wanted.policy,
                why=wanted.why,
            )
        except ApiError as error:
            if error.code != 404:
                raise

    def _patch(self, item: Stored, meta: Manifest, why: str) -> None:
        """Only the object as it was looked at: a newer one is looked at again."""
        key = item.key
        patch = {"metadata": {**meta, "resourceVersion": str(item.revision)}}
        try:
            self.client.patch(key.resource, key.namespace, key.name, _MERGE, patch, why=why)
        except ApiError as error:
            if error.code != 404:
                raise


def _key(member: Member) -> str:
    key = member.key
    return f"{key.resource}/{key.namespace}/{key.name}/{member.uid}"


def _marks(meta: Manifest) -> tuple[str, ...]:
    """The collector's finalizers on an object that is being deleted."""
    if not meta.get("deletionTimestamp"):
        return ()
    return tuple(one for one in meta.get("finalizers") or [] if one in _MARKS)


def _blocks(dependent: Manifest, uid: str) -> bool:
    refs = dependent["metadata"].get("ownerReferences") or []
    return any(ref.get("uid") == uid and ref.get("blockOwnerDeletion") for ref in refs)
