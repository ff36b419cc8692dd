"""The pods that one kubelet knows, by uid: which there are, and who is at one of them (pkg/kubelet/pod/pod_manager.go).

`agent` makes one and asks it; `static_pods` adds the pods of files to `states`. It holds memory only: it reads neither the
API nor the runtime, and syncs nothing. Safe for threads; what is in a `PodState` belongs to whoever syncs it.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping

from podlab.apis.types import Manifest
from podlab.kubelet import housekeeping, pods
from podlab.kubelet.context import PodState, Stage
from podlab.runtime.interface import PodRef, PodStatus
from podlab.storage.objects import Stored


class PodManager:
    """`states` by uid. Static pods are put there by whoever reads their files; all else goes through the methods."""

    def __init__(self) -> None:
        self.states: dict[str, PodState] = {}
        self._lock = threading.Lock()

    def __contains__(self, uid: str) -> bool:
        return uid in self.states

    def get(self, uid: str) -> PodState | None:
        """None when the pod is not known, or no longer."""
        with self._lock:
            return self.states.get(uid)

    def uids(self) -> list[str]:
        """In the order in which the pods came."""
        with self._lock:
            return list(self.states)

    def all(self) -> list[PodState]:
        """As of now, in the order in which the pods came."""
        with self._lock:
            return list(self.states.values())

    def granted(self) -> list[Manifest]:
        """The pods that have been let in and are not over, with the resources they were granted."""
        held = [s.granted for s in self.all() if s.admitted and s.stage is not Stage.TERMINATED]
        return [pod for pod in held if pod is not None]

    def wanting_room(self) -> list[PodState]:
        """Critical pods that made room for themselves, and pods whose resize did not fit: the more important ones first."""
        waiting = [s for s in self.all() if s.pod is not None and (s.resize_pending is not None or s.makes_room)]
        return sorted(waiting, key=lambda s: -int((s.pod or {}).get("spec", {}).get("priority") or 0))

    def listed(self, listed: Mapping[str, Stored]) -> None:
        """All pods of the API that are bound to this node, read anew, without mirrors: those that are not among them are
        gone."""
        with self._lock:
            for uid, stored in listed.items():
                state = self.states.setdefault(uid, PodState(ref=pods.ref(stored.obj)))
                if state.take(stored.obj, stored.revision) and state.written is None:
                    state.written = stored.obj.get("status")
            for uid, state in self.states.items():
                state.gone = state.gone or (state.pod is not None and uid not in listed and not state.static)

    def meet(self, uid: str, pod: Manifest, *, ours: bool) -> PodState | None:
        """The state of a pod that has changed. One that is not known yet is taken in if it is `ours`, otherwise None."""
        with self._lock:
            state = self.states.get(uid)
            if state is None and ours:
                state = self.states[uid] = PodState(ref=pods.ref(pod))
            return state

    def take_orphans(self, listing: Mapping[str, PodStatus]) -> list[PodRef]:
        """Take in what the runtime shows and nobody knows, as pods without an object."""
        with self._lock:
            found = housekeeping.orphans(listing, self.states)
            for ref in found:
                self.states[ref.uid] = PodState(ref=ref)
        return found

    def begin(self, uid: str) -> PodState | None:
        """The pod, to be synced by the caller alone until `finish`. None when it is not known, and when somebody is at it:
        he does it once more."""
        with self._lock:
            state = self.states.get(uid)
            if state is None:
                return None
            if state.working:
                state.dirty = True
                return None
            state.working = True
            return state

    def finish(self, state: PodState, *, again: bool) -> bool:
        """Whether the caller of `begin` is done with it; False: it was asked for meanwhile and, if `again`, goes on."""
        with self._lock:
            if state.dirty and again:
                return False
            state.working = False
            return True

    def remind(self, uid: str) -> bool:
        """Have whoever is at the pod look again; False when nobody is."""
        with self._lock:
            state = self.states.get(uid)
            if state is None or not state.working:
                return False
            state.dirty = True
            return True

    def pop(self, uid: str) -> PodState | None:
        """Forget a pod that is over and gone; returns what was known of it."""
        with self._lock:
            return self.states.pop(uid, None)
