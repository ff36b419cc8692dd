"""Pages about the past. `?rev=N` on any page of a cluster shows what was at that revision; `last` is the newest one, and
`?at=<moment of lab time>` the revision of that moment.

`place.open_place` asks `moment` once; views read lists through `Place.list`, which then reads that revision, and
`Place.now` is the lab time of it. Templates have it as `place.moment`; base.html shows the banner with the scrub bar.
Scripts find the number in `data-rev` and open their feeds with it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.utils.translation import gettext

from podlab.apis import times
from podlab.apis.status_errors import ApiError
from podlab.apis.types import Key, Manifest
from podlab.glance import anatomy, whys
from podlab.storage import log, moments
from podlab.storage.errors import Compacted, FutureRevision
from podlab.web import manifest_lines, revisions

_MOST = 200  # revisions that are offered
_NOT_KEPT = {"rev", "at", "from", "to", "range", "mark"}  # parameters that belong to another moment
LAST = "last"


@dataclass(frozen=True, slots=True)
class Moment:
    """A revision that a page shows, and the change that made it. `first` … `last`: those that the scrub bar goes through,
    `earlier` and `later` its neighbours among them (None at the ends)."""

    rev: int
    at: datetime  # lab time; the one that the address asks for, if it is later than the change
    actor: str
    why: str
    what: str  # "pods/web"
    first: int
    last: int
    earlier: int | None
    later: int | None
    later_at: datetime | None  # when that one happened, for the clock of the replay
    others: tuple[tuple[str, str], ...]  # the page's other parameters

    @property
    def query(self) -> str:
        """For links to other pages of this moment; begins with &."""
        return f"&rev={self.rev}"

    @property
    def fork_query(self) -> str:
        """For the form that forks the cluster at this moment."""
        return urlencode({"rev": str(self.rev), "at": anatomy.instant(self.at)})

    @property
    def times(self) -> tuple[str, str]:
        """The moment and that of the change after it ("" at the end), as scripts read them."""
        return anatomy.instant(self.at), anatomy.instant(self.later_at) if self.later_at is not None else ""

    @property
    def present(self) -> str:
        """The address of the same page now."""
        return "?" + urlencode(self.others)

    def link(self, rev: int | None) -> str:
        return "?" + urlencode([*self.others, ("rev", str(rev))])

    @property
    def to_earlier(self) -> str:
        return self.link(self.earlier)

    @property
    def to_later(self) -> str:
        return self.link(self.later)


def moment(query: Mapping[str, str], cluster: str, namespace: str, may_see: Callable[[Key], bool]) -> Moment | None:
    """The moment that the address asks for; None is now. ApiError 400 for a revision that is still to come, 410 for one that
    is no longer in the log. Of a change that the person may not see only its time is told."""
    wanted = _wanted(query, cluster)
    if wanted is None:
        return None
    floor, head = log.floor(cluster), log.head()
    if wanted < floor:
        raise ApiError(410, "Expired", str(Compacted(wanted, floor)))
    if wanted > head:
        raise ApiError(400, "BadRequest", str(FutureRevision(wanted, head)))
    span = moments.span_of(cluster, namespace)
    if span is None:
        return None
    first, last = span
    rev = max(wanted, first)
    entry = moments.moment_of(cluster, rev, namespace)
    if entry is None:
        return None
    earlier, later = moments.neighbours(cluster, entry.revision, namespace)
    following = moments.moment_of(cluster, later, namespace) if later is not None else None
    seen = may_see(entry.key)
    return Moment(
        rev=rev,
        at=entry.at if query.get("rev") else moments.later_of(entry.at, query.get("at")),
        actor=entry.actor if seen else "",
        why=whys.told(gettext, entry.why) if seen else "",
        what=f"{entry.key.resource.partition('.')[0]}/{entry.key.name}" if seen else "",
        first=first,
        last=last,
        earlier=earlier if earlier is not None and earlier >= first else None,
        later=later,
        later_at=following.at if following is not None else None,
        others=tuple((name, value) for name, value in query.items() if name not in _NOT_KEPT),
    )


def _wanted(query: Mapping[str, str], cluster: str) -> int | None:
    rev, at = query.get("rev", ""), query.get("at", "")
    if rev == LAST:
        return log.head()
    if rev or not at:
        return _number(rev)
    try:
        return moments.revision_at(cluster, times.parse(at))
    except ValueError:
        return None


def yaml_tab(query: Mapping[str, str], cluster: str, uid: str, present: Manifest) -> dict[str, Any]:
    """`rev` chooses the revision that is shown, `to` a second one to compare it with."""
    entries = log.history_of(cluster, uid)
    told: dict[str, Any] = {"revisions": entries[-_MOST:][::-1], "rev": None, "to": None, "diff": None}
    rev, to = _wanted(query, cluster), _number(query.get("to", ""))
    if not entries or rev is None:
        return told | {"lines": manifest_lines.lines(revisions.shown(present))}
    first = revisions.at(entries, rev)
    told |= {"rev": first.revision, "entry": first, "entry_why": whys.told(gettext, first.why)}
    told |= {"lines": manifest_lines.lines(revisions.shown(first.obj))}
    if to is not None:
        second = revisions.at(entries, to)
        told |= {"to": second.revision, "diff": revisions.diff(first.obj, second.obj)}
    return told


def _number(text: str) -> int | None:
    return int(text) if text.isdecimal() and len(text) < 19 else None
