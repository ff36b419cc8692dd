"""Lab time against the time of the world: the few points between which a straight line is right. Pure."""

from __future__ import annotations

from datetime import datetime

from podlab.timeline.batches import milliseconds

_CLOSE = 50  # ms that a line may be off
_MOST = 300


class TimeLine:
    """Fed with moments in order, of which both times are known (a change of the log has both)."""

    def __init__(self) -> None:
        self._points: list[list[int]] = []

    def put(self, lab: datetime, wall: datetime) -> None:
        point = [milliseconds(lab), milliseconds(wall)]
        points = self._points
        if points and point[0] <= points[-1][0]:
            return
        if len(points) > 1 and _on_line(points[-2], points[-1], point):
            points[-1] = point
        else:
            points.append(point)
            del points[:-_MOST]

    def points(self) -> list[list[int]]:
        """[lab, wall] in ms since 1970; empty when the two are the same all along."""
        apart = max((abs(lab - wall) for lab, wall in self._points), default=0)
        return [] if apart <= _CLOSE else [list(point) for point in self._points]


def _on_line(first: list[int], middle: list[int], last: list[int]) -> bool:
    """Whether the middle one lies on the line between the others."""
    share = (middle[0] - first[0]) / (last[0] - first[0])
    return abs(first[1] + share * (last[1] - first[1]) - middle[1]) <= _CLOSE
