"""Export a namespace's run, import one as a cluster to look at. Pages call it; files are `run_files`, rows
`storage.recordings`.

Exported is what the asker may read anyway; the values of Secrets never leave the lab. Imported runs are clusters of
runtime `replay`, which nobody plays and nobody can write to.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

import msgspec
from django.db import DataError, IntegrityError

from podlab.apis import names, scheme, status_errors
from podlab.apis.types import Manifest
from podlab.logs import layout
from podlab.registry import authorizer, run_files
from podlab.registry.identity import Identity
from podlab.registry.run_files import LogName, RunFile, Unreadable
from podlab.storage import history, recordings
from podlab.storage.clusters import ClusterRow
from podlab.storage.errors import ClusterExists
from podlab.storage.log import LogEntry

_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_LARGEST_LOG = 16 * 1024 * 1024  # bytes of one run of a container: its end


@dataclass(frozen=True, slots=True)
class _Pod:
    namespace: str
    name: str
    uid: str


def export(cluster: ClusterRow, namespace: str, target: IO[bytes], *, identity: Identity, logs: Path) -> None:
    """Write the run file of a namespace. `logs` is the folder of the cluster's logs. ApiError 403 for who may not read
    its pods, 404 if nothing was ever in it."""
    _require(identity, "list", "pods", cluster.name, namespace)
    readable = [one.key for one in scheme.STORED if _may_read(identity, one, cluster.name, namespace)]
    changes = recordings.read_changes(cluster.name, namespace, readable, most=run_files.MAX_CHANGES)
    pods = _pods(changes)
    if not any(entry.key.namespace for entry in changes):
        raise status_errors.ApiError(404, "NotFound", f'nothing was recorded in namespace "{namespace}"', details={})
    runs: list[history.Run] = []
    probes: list[history.ProbeRow] = []
    for of_pod in recordings.read_history(cluster.name, list(pods)):
        runs += of_pod[0]
        probes += of_pod[1]
    may_logs = authorizer.allowed(identity, "get", "pods", cluster=cluster.name, namespace=namespace, subresource="log")
    run_files.pack(
        RunFile(
            about={"cluster": cluster.name, "namespace": namespace, "runtime": cluster.runtime, "seed": cluster.seed},
            changes=[_without_secrets(entry) for entry in changes],
            runs=runs,
            probes=probes[-run_files.MAX_ROWS :],
            logs=read_logs(logs, pods.values(), runs) if may_logs else {},
        ),
        target,
    )


def import_run(name: str, source: IO[bytes], *, identity: Identity, logs: Path) -> ClusterRow:
    """Make a recording of a run file. `logs` is the folder under which clusters keep their logs. ApiError 400 with what is
    wrong with the file, 403, 409."""
    if not authorizer.may_make_clusters(identity):
        text = f'User "{identity.name}" cannot create cluster "{name}"'
        raise status_errors.ApiError(403, "Forbidden", text)
    if wrong := names.dns_label(name):
        raise status_errors.bad_request(f'cluster name "{name}": {wrong[0]}')
    try:
        run = run_files.unpack(source)
    except Unreadable as error:
        raise status_errors.bad_request(str(error)) from error
    pods = _pods(run.changes)
    kept = recordings.Recording(
        changes=run.changes,
        runs=[one for one in run.runs if one.pod_uid in pods],
        probes=[one for one in run.probes if one.pod_uid in pods],
    )
    try:
        row = recordings.create(name, kept, origin=str(run.about.get("cluster") or "")[:63])
    except ClusterExists as error:
        raise status_errors.ApiError(409, "AlreadyExists", f'cluster "{name}" already exists') from error
    except (DataError, IntegrityError, OverflowError) as error:  # nothing of it was stored
        raise status_errors.bad_request(f"the file holds a value that the lab cannot keep: {error}") from error
    write_logs(logs / name, pods, run.logs)
    return row


def _require(identity: Identity, verb: str, resource: str, cluster: str, namespace: str) -> None:
    wanted = authorizer.Attributes(verb=verb, resource=resource, cluster=cluster, namespace=namespace)
    authorizer.require(identity, wanted)


def _may_read(identity: Identity, resource: scheme.Resource, cluster: str, namespace: str) -> bool:
    place = namespace if resource.namespaced else ""
    return authorizer.allowed(identity, "list", resource.key, cluster=cluster, namespace=place)


def _pods(changes: Iterable[LogEntry]) -> dict[str, _Pod]:
    return {
        entry.uid: _Pod(entry.key.namespace, entry.key.name, entry.uid)
        for entry in changes
        if entry.key.resource == "pods"
    }


def _without_secrets(entry: LogEntry) -> LogEntry:
    """Keys of Secrets stay, so that the story can be told; values do not."""
    if entry.key.resource != "secrets":
        return entry
    obj: Manifest = dict(entry.obj)
    for field in ("data", "stringData"):
        if obj.get(field):
            obj[field] = dict.fromkeys(obj[field], "")
    notes = dict(obj["metadata"].get("annotations") or {})
    notes.pop(_LAST_APPLIED, None)
    obj["metadata"] = {**obj["metadata"], "annotations": notes}
    return replace(entry, body=msgspec.json.encode(obj).decode())


def read_logs(root: Path, pods: Iterable[layout.Pod], runs: Iterable[history.Run]) -> dict[LogName, bytes]:
    """What these runs of these pods have written, as it lies below `root`; of a large log the end."""
    known = {pod.uid: pod for pod in pods}
    found = {}
    for run in runs:
        path = layout.container_log(root, known[run.pod_uid], run.container, run.attempt)
        text = b"".join(part.read_bytes() for part in (*layout.rotated(path), path) if part.exists())
        if text:
            # A cut begins with a whole record.
            end = text[-_LARGEST_LOG:]
            found[(run.pod_uid, run.container, run.attempt)] = end if end == text else end.partition(b"\n")[2]
    return found


def write_logs(root: Path, pods: Mapping[str, layout.Pod], logs: Mapping[LogName, bytes]) -> None:
    """Put logs where those of another cluster lie. `pods` by uid."""
    for (uid, container, attempt), text in logs.items():
        if uid in pods:
            path = layout.container_log(root, pods[uid], container, attempt)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text)
