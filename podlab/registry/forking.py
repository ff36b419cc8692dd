"""Fork a cluster: from any moment of it a new simulated one that goes on differently. Pages call it; what goes along is
`fork_plan`, rows are `storage.forks`.

Everything is read at one revision and written in one transaction: whoever is interrupted leaves no cluster or a whole one.
The pods' containers are begun anew by the fork's kubelets, as after the loss of a machine (docs/decisions/0006).
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import NoReturn

from podlab.apis import scheme, status_errors
from podlab.registry import authorizer, clusters, fork_plan, recordings
from podlab.registry.identity import Identity
from podlab.storage import forks, log, moments
from podlab.storage.clusters import ClusterRow
from podlab.storage.errors import ClusterExists, Compacted, FutureRevision, UnknownCluster
from podlab.storage.history import Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What somebody wants. `revision` None is now; `at` is a lab time between that revision and the change after it;
    `own_seed`: by chance instead of the source's."""

    source: str
    name: str
    revision: int | None = None
    at: datetime | None = None
    paused: bool = False
    own_seed: bool = False


def fork(wish: Wish, *, identity: Identity, logs: Path | None = None) -> ClusterRow:
    """`logs` is the folder under which clusters keep their logs; None leaves them behind. ApiError 400 for a name that cannot be or a revision that is still to come, 403, 404 for the source, 409 for a name
    that is taken, 410 for a revision that is no longer in the log."""
    source = clusters.get(wish.source)
    if not may_fork(identity, source.name):
        refuse(identity, source.name)
    clusters.check_name(wish.name)
    revision = log.head() if wish.revision is None else wish.revision
    try:
        objects = forks.all_at(source.name, revision)
    except Compacted as error:
        raise status_errors.expired(str(error)) from error
    except FutureRevision as error:
        raise status_errors.bad_request(str(error)) from error
    wanted = forks.Fork(
        name=wish.name,
        source=source.name,
        revision=revision,
        at=_moment(source, wish, revision),
        seed=secrets.randbelow(2**31) if wish.own_seed else source.seed,
        paused=wish.paused,
        actor=identity.name,
        why=f"Forked from cluster {source.name} at revision {revision}.",
    )
    nodes = fork_plan.nodes_wanted(objects)
    pods = {one.uid for one in objects if one.key.resource == "pods"}
    runs = fork_plan.ended(forks.runs_until(source.name, pods, wanted.at), wanted.at)
    try:
        kept = fork_plan.carried(objects, recorded=source.runtime == clusters.REPLAY)
        row = forks.create(wanted, kept, runs, lambda: clusters.furnish_fork(wish.name, nodes))
    except ClusterExists as error:
        raise status_errors.ApiError(409, "AlreadyExists", f'cluster "{wish.name}" already exists') from error
    except UnknownCluster as error:
        raise status_errors.ApiError(404, "NotFound", f'cluster "{source.name}" not found', details={}) from error
    if logs is not None:
        _carry_logs(logs, wanted, runs)
    return row


def may_fork(identity: Identity, source: str) -> bool:
    """Whoever may make clusters, and may read all of this one."""
    if not authorizer.may_make_clusters(identity):
        return False
    return all(authorizer.allowed(identity, "list", one.key, cluster=source) for one in scheme.STORED)


def refuse(identity: Identity, source: str) -> NoReturn:
    why = "that takes the right to make clusters and to read all of this one"
    text = f'User "{identity.name}" cannot fork cluster "{source}": {why}'
    raise status_errors.ApiError(403, "Forbidden", text)


@dataclass(frozen=True, slots=True)
class _Pod:
    namespace: str
    name: str
    uid: str


def _carry_logs(logs: Path, made: forks.Fork, runs: Iterable[Run]) -> None:
    """What the runs before the fork had written by then. Whoever is interrupted here has a fork without some of it."""
    for run in runs:
        pods = {run.pod_uid: _Pod(run.namespace, run.pod, run.pod_uid)}
        found = recordings.read_logs(logs / made.source, pods.values(), [run])
        written = {name: fork_plan.written_until(text, made.at) for name, text in found.items()}
        recordings.write_logs(logs / made.name, pods, written)


def _moment(source: ClusterRow, wish: Wish, revision: int) -> datetime:
    """The lab time at which the fork begins: that of the revision, or a later one before the next change."""
    entry = moments.moment_of(source.name, revision)
    if entry is None:
        text = f'cluster "{source.name}" was not there yet at revision {revision}'
        raise status_errors.bad_request(text)
    if wish.revision is None:
        return max(entry.at, clusters.now_of(source.name))
    if wish.at is None:
        return entry.at
    later = moments.neighbours(source.name, revision)[1]
    following = moments.moment_of(source.name, later) if later is not None else None
    end = following.at if following is not None else clusters.now_of(source.name)
    return max(entry.at, min(wish.at, end))
