"""Static pods of one node: what its folder holds becomes pods to sync, what the API says of their mirrors is noted.

`agent` owns one and calls `look` every second (simulated nodes: in every turn) and `heard` for each change of a mirror. The
files are read by `static_files`, mirrors are written by `mirror`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, MutableMapping
from pathlib import Path

from podlab.apis import reasons, static_pods
from podlab.apis.types import Manifest
from podlab.kubelet import mirror, pods
from podlab.kubelet.context import Context, PodState
from podlab.kubelet.static_files import StaticFiles
from podlab.runtime.interface import PodRef
from podlab.storage.objects import Stored

logger = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
_BAD_FILE = "the pod of this file is not run, or no longer; the other files are"


class StaticPods:
    def __init__(
        self,
        ctx: Context,
        folder: Path,
        states: MutableMapping[str, PodState],
        dispatch: Callable[[str], None],
    ) -> None:
        """`states` are the agent's, by uid; this adds to them and never takes away."""
        self._ctx, self._states, self._dispatch = ctx, states, dispatch
        self._files = StaticFiles(folder, ctx.node, ctx.clock)

    def look(self) -> None:
        """Bring the states in step with the folder. A file that comes back while its pod still ends waits for that end."""
        for name, problem in self._files.look().items():
            self._tell(name, problem)
        wanted = self._files.pods
        changed: list[str] = []
        for uid, pod in wanted.items():
            if uid not in self._states:
                self._states[uid] = PodState(ref=pods.ref(pod), pod=pod, static=True)
                changed.append(uid)
        for uid, state in list(self._states.items()):
            if state.static and not state.removed and uid not in wanted:
                state.removed = True
                changed.append(uid)
        for uid in changed:
            self._dispatch(uid)

    def heard(self, obj: Manifest, revision: int, *, deleted: bool) -> None:
        """A mirror of this node was written or is gone."""
        uid = static_pods.mirrored_uid(obj)
        state = self._states.get(uid)
        if state is None or not state.static:
            if not deleted:
                mirror.remove_orphan(self._ctx, obj)
            return
        if revision <= state.revision:
            return
        known = state.mirror
        state.revision = revision
        if deleted:
            if known is None or known["metadata"]["uid"] != obj["metadata"]["uid"]:
                return
            state.mirror = None
        else:
            state.mirror = obj
            if state.pod is not None and "status" not in state.pod:
                # This agent took over: it goes on from what the last one wrote.
                state.pod = {**state.pod, "status": obj.get("status") or {}}
        if deleted or obj["metadata"].get("deletionTimestamp"):
            self._dispatch(uid)

    def listed(self, mirrors: list[Stored]) -> None:
        """All mirrors of this node, read anew."""
        present = {stored.uid for stored in mirrors}
        for state in list(self._states.values()):
            if state.mirror is not None and state.mirror["metadata"]["uid"] not in present:
                state.mirror = None
        for stored in mirrors:
            self.heard(stored.obj, stored.revision, deleted=False)

    def ended(self, ref: PodRef) -> None:
        """A pod is over and gone: what its file holds now, or again, may begin."""
        self.look()
        for state in list(self._states.values()):
            if state.static and (state.ref.namespace, state.ref.name) == (ref.namespace, ref.name):
                self._dispatch(state.ref.uid)

    def waits(self, uid: str) -> bool:
        """Whether another pod of the same name must end first: the one that the file held before."""
        state = self._states.get(uid)
        return state is not None and any(
            other.ref.uid != uid and (other.ref.namespace, other.ref.name) == (state.ref.namespace, state.ref.name)
            for other in list(self._states.values())
        )

    def _tell(self, name: str, problem: str) -> None:
        text = f"Static pod file {name}: {problem}"
        logger.warning("node %s: %s", self._ctx.node, text)
        node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": self._ctx.node, "uid": self._ctx.node}}
        self._ctx.recorder.event(node, reasons.WARNING, reasons.FAILED_VALIDATION, text, why=_BAD_FILE)


def is_mirror(pod: Manifest) -> bool:
    return static_pods.MIRROR in (pod["metadata"].get("annotations") or {})
