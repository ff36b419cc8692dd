"""Times on the wire and in tables.

metav1.Time is RFC 3339 in seconds, MicroTime has six decimals; ages are duration.HumanDuration of
apimachinery/pkg/util/duration, which kubectl and the server's tables use.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

_RFC3339 = re.compile(r"(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?([Zz]|[+-]\d\d:\d\d)")


def rfc3339(moment: datetime) -> str:
    return _iso(moment, "seconds") + "Z"


def rfc3339_micro(moment: datetime) -> str:
    return _iso(moment, "microseconds") + "Z"


def rfc3339_nano(moment: datetime) -> str:
    """Nine decimals as container logs carry them; Python knows six of them."""
    return _iso(moment, "microseconds") + "000Z"


def _iso(moment: datetime, timespec: str) -> str:
    """Unlike strftime, with four digits for every year."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec=timespec)


def parse(text: str) -> datetime:
    """RFC 3339 -> aware datetime in UTC. ValueError when it is something else."""
    match = _RFC3339.fullmatch(text)
    if match is None:
        raise ValueError(f'"{text}" is not an RFC 3339 time such as 2026-11-21T02:00:00Z')
    zone = match[8].upper().replace("Z", "+00:00")
    micro = (match[7] or "").ljust(6, "0")[:6]
    try:
        return datetime.fromisoformat(f"{text[:10]}T{text[11:19]}.{micro}{zone}").astimezone(UTC)
    except OverflowError:
        raise ValueError(f'"{text}" lies outside of the years 1 to 9999 in UTC') from None


_LONGEST = 9 * 10**9  # seconds, 285 years: as good as for ever, and no more than a thread can wait


def span(seconds: int) -> timedelta:
    """Of a number that somebody wrote into a field, where 64 bits fit: cut to what can be added to any moment."""
    return timedelta(seconds=max(-_LONGEST, min(seconds, _LONGEST)))


def human_duration(span: timedelta) -> str:
    """kubectl's age: about two or three significant units, "<invalid>" for the future."""
    total = int(span.total_seconds())
    if span.total_seconds() <= -2:
        return "<invalid>"
    if span.total_seconds() < 0:
        return "0s"
    minutes, hours, days = total // 60, total // 3600, total // 86400
    if total < 120:
        return f"{total}s"
    if minutes < 10:
        return _pair(minutes, "m", total % 60, "s")
    if minutes < 180:
        return f"{minutes}m"
    if hours < 8:
        return _pair(hours, "h", minutes % 60, "m")
    if hours < 48:
        return f"{hours}h"
    if hours < 192:
        return _pair(days, "d", hours % 24, "h")
    if days < 365 * 2:
        return f"{days}d"
    if days < 365 * 8:
        return _pair(days // 365, "y", days % 365, "d")
    return f"{days // 365}y"


def _pair(big: int, big_unit: str, small: int, small_unit: str) -> str:
    return f"{big}{big_unit}{small}{small_unit}" if small else f"{big}{big_unit}"


def age(timestamp: str | None, now: datetime) -> str:
    """The Age cell for a metav1.Time; "<unknown>" when there is none."""
    if not timestamp:
        return "<unknown>"
    return human_duration(now - parse(timestamp))


def go_duration(seconds: float) -> str:
    """Seconds as Go prints a time.Duration in messages: 10s, 1m20s, 5m0s, 1.234s, 250ms."""
    if seconds < 1:
        return f"{_trimmed(seconds * 1000)}ms" if seconds else "0s"
    hours, rest = divmod(seconds, 3600)
    minutes, rest = divmod(rest, 60)
    text = f"{_trimmed(rest)}s"
    if seconds >= 60:
        text = f"{int(minutes)}m{text}"
    return f"{int(hours)}h{text}" if hours else text


def _trimmed(value: float) -> str:
    return f"{value:.3f}".rstrip("0").rstrip(".")
