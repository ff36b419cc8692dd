"""The object graph of a namespace as a drawing: which box stands where, which line leads from which to which. Pure.

Columns from left to right: what selects pods, owners (an owner left of what it owns), pods, what they mount, nodes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

Name = tuple[str, str]  # resource, name

COLUMN, ROW, WIDTH, HEIGHT, MARGIN = 250, 56, 200, 40, 16
_FIRST = {"services": 0, "poddisruptionbudgets.policy": 0}
MOUNTED = {"configmaps", "secrets", "persistentvolumeclaims"}
_ROUNDS = 4  # of the ordering; more change nothing that one would see


@dataclass(frozen=True, slots=True)
class Edge:
    type: str  # owner | selects | mounts | scheduled-on
    start: Name
    end: Name


@dataclass(frozen=True, slots=True)
class Box:
    name: Name
    x: int
    y: int
    missing: bool  # named by an edge, but not there

    @property
    def text_y(self) -> int:
        return self.y + 17

    @property
    def name_y(self) -> int:
        return self.y + 32


@dataclass(frozen=True, slots=True)
class Line:
    edge: Edge
    path: str  # of an SVG path


@dataclass(frozen=True, slots=True)
class Drawing:
    width: int
    height: int
    boxes: Sequence[Box]
    lines: Sequence[Line]


def draw(objects: Iterable[Name], edges: Sequence[Edge]) -> Drawing:
    """Every object and every end of an edge is one box. Ends that are not among the objects count as missing, nodes never."""
    there = set(objects)
    names = list(dict.fromkeys([*there, *(end for edge in edges for end in (edge.start, edge.end))]))
    columns = _columns(sorted(names), edges)
    ordered = _ordered(columns, edges)
    boxes = [
        Box(name, MARGIN + column * COLUMN, MARGIN + row * ROW, name not in there and name[0] != "nodes")
        for column, rows in enumerate(ordered)
        for row, name in enumerate(rows)
    ]
    place = {box.name: box for box in boxes}
    lines = [Line(edge, _path(place[edge.start], place[edge.end])) for edge in edges]
    tallest = max((len(rows) for rows in ordered), default=0)
    return Drawing(
        2 * MARGIN + max(len(ordered) - 1, 0) * COLUMN + WIDTH,
        2 * MARGIN + max(tallest - 1, 0) * ROW + HEIGHT,
        boxes,
        lines,
    )


def _columns(names: Sequence[Name], edges: Sequence[Edge]) -> list[list[Name]]:
    owner: Mapping[Name, Name] = {edge.start: edge.end for edge in edges if edge.type == "owner"}
    owns = set(owner.values())

    def depth(name: Name) -> int:
        count, seen = 0, {name}
        while name in owner and owner[name] not in seen:
            name = owner[name]
            seen.add(name)
            count += 1
        return count

    workloads = [name for name in names if _sort(name, owns) == "owner"]
    levels = 1 + max((depth(name) for name in workloads), default=-1)
    found: dict[int, list[Name]] = defaultdict(list)
    for name in names:
        sort = _sort(name, owns)
        column = {"selects": 0, "pod": levels + 1, "mounted": levels + 2, "node": levels + 3}.get(sort, 1 + depth(name))
        found[column].append(name)
    return [found[column] for column in sorted(found)]


def _sort(name: Name, owns: set[Name]) -> str:
    resource = name[0]
    if resource in _FIRST:
        return "selects"
    if resource == "pods":
        return "pod"
    if resource == "nodes":
        return "node"
    return "mounted" if resource in MOUNTED and name not in owns else "owner"


def _ordered(columns: Sequence[Sequence[Name]], edges: Sequence[Edge]) -> list[list[Name]]:
    """Boxes near those that they are tied to: each one by the mean row of its neighbours, a few rounds."""
    near: dict[Name, list[Name]] = defaultdict(list)
    for edge in edges:
        near[edge.start].append(edge.end)
        near[edge.end].append(edge.start)
    ordered = [list(column) for column in columns]
    for _ in range(_ROUNDS):
        row = {name: index for column in ordered for index, name in enumerate(column)}
        for column in ordered:
            means = {name: _mean([row[other] for other in near[name]], row[name]) for name in column}
            column.sort(key=lambda name: (means[name], name))
            row.update({name: index for index, name in enumerate(column)})
    return ordered


def _mean(rows: Sequence[int], otherwise: int) -> float:
    return sum(rows) / len(rows) if rows else float(otherwise)


def _path(start: Box, end: Box) -> str:
    """A curve from the side of one box to the facing side of the other; past the columns between them it runs in the gap
    below the first one's row, where nothing stands."""
    y1, y2 = start.y + HEIGHT // 2, end.y + HEIGHT // 2
    if start.x == end.x:
        x = start.x + WIDTH
        return f"M{x} {y1}C{x + 40} {y1} {x + 40} {y2} {x} {y2}"
    x1, x2 = (start.x + WIDTH, end.x) if start.x < end.x else (start.x, end.x + WIDTH)
    if abs(x2 - x1) > COLUMN:
        gap, turn = y1 + ROW // 2, (COLUMN - WIDTH) * (1 if x1 < x2 else -1)
        half = turn // 2
        there = f"C{x1 + half} {y1} {x1 + half} {gap} {x1 + turn} {gap}"
        return f"M{x1} {y1}{there}H{x2 - turn}C{x2 - half} {gap} {x2 - half} {y2} {x2} {y2}"
    middle = (x1 + x2) // 2
    return f"M{x1} {y1}C{middle} {y1} {middle} {y2} {x2} {y2}"
