"""The lines between two layers of a graph, cell by cell: each leads where its edge leads, and nowhere else."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Final, NamedTuple

_LEFT, _RIGHT, _UP, _DOWN = 1, 2, 4, 8
_ACROSS, _ALONG = _LEFT | _RIGHT, _UP | _DOWN
_STEPS: Final = {_RIGHT: (0, 1), _UP: (-1, 0), _DOWN: (1, 0)}
_BACK: Final = {_RIGHT: _LEFT, _UP: _DOWN, _DOWN: _UP}
_SIGNS: Final = " ╴╸╶─╾╺╼━╵╯┙╰┴┵┕┶┷╹┚┛┖┸┹┗┺┻╷╮┑╭┬┭┍┮┯│┤┥├┼┽┝┾┿╿┦┩┞╀╃┡╄╇╻┒┓┎┰┱┏┲┳╽┧┪┟╁╅┢╆╈┃┨┫┠╂╉┣╊╋"
"""By what leads to the left, times 1, right 3, up 9, down 27: 0 for nothing, 1 for a light line, 2 for a heavy one."""
_LEAST_GAP: Final = 3
_MOST_LANES: Final = 8
"""Upright lines beside each other; nobody follows one among more."""


class Node(NamedTuple):
    """One task."""

    key: str
    label: str
    sign: str
    role: str
    """Of the sign."""
    needs: Sequence[str] = ()
    """Keys of nodes that come before it; others are passed over."""
    weight: int = 0
    """Where not all fit, the lowest are shown."""
    is_over: bool = False
    """Where not all layers fit, the first that has more to come is shown."""
    is_chosen: bool = False


@dataclass(slots=True, eq=False)
class Place:
    """What has a row in a layer: a node, or a line that passes to a later layer."""

    node: Node | None
    before: list[Place] = field(default_factory=list)
    critical: Place | None = None
    """The one before it from which the critical path comes."""
    row: int = 0


class Cell(NamedTuple):
    """What is drawn in one cell."""

    arms: int = 0
    """The sides to which its line leads."""
    heavy: int = 0
    """Those of them that are part of the critical path."""
    is_arrow: bool = False
    """Lines of different sources meet: whoever comes there goes on to the right."""

    def sign(self, is_ascii: bool) -> str:
        """Its character. In ASCII corners and branches are no sign of a state."""
        if self.is_arrow:
            return ">" if is_ascii else "▶"
        if is_ascii:
            upright = self.arms & _ALONG
            if self.arms in (_ALONG, 0):
                return "|" if upright else " "
            return {_DOWN: ",", _UP: "'", _ALONG: ":", 0: dash(bool(self.heavy), is_ascii=True)}[upright]
        arms = enumerate((_LEFT, _RIGHT, _UP, _DOWN))
        return _SIGNS[sum(3**place * (bool(self.arms & arm) + bool(self.heavy & arm)) for place, arm in arms)]


def dash(is_heavy: bool, is_ascii: bool) -> str:
    """A line from left to right."""
    return ("=" if is_heavy else "-") if is_ascii else "━" if is_heavy else "─"


class Gap(NamedTuple):
    """The lines between two layers."""

    width: int
    cells: Mapping[tuple[int, int], Cell]
    """By row and column."""


class TangledError(Exception):
    """Lines of different edges join."""


class _Bundle(NamedTuple):
    """Each of some leads to each of others, all by one upright line."""

    sources: tuple[Place, ...]
    targets: tuple[Place, ...]

    @property
    def is_bent(self) -> bool:
        """It is more than a straight line."""
        return len({place.row for place in (*self.sources, *self.targets)}) > 1

    def edges(self) -> list[_Bundle]:
        """Each of its edges by a line of its own."""
        return [_Bundle((source,), (target,)) for source, target in product(*self)]


def route(onward: Sequence[Place], *, is_ascii: bool) -> Gap:
    """The lines to the places of a layer from those before it. Raises `TangledError`."""
    leads: defaultdict[Place, list[Place]] = defaultdict(list)
    for place in onward:
        for before in place.before:
            leads[before].append(place)
    alike: defaultdict[tuple[Place, ...], list[Place]] = defaultdict(list)
    for source, targets in leads.items():
        alike[tuple(targets)].append(source)
    whole = [_Bundle(tuple(sources), targets) for targets, sources in alike.items()]
    for split in _ways_to_split(whole):
        gap = _drawn([part for bundle in whole for part in (bundle.edges() if bundle in split else [bundle])], is_ascii)
        if gap is not None and all(
            _reached(gap, source.row) == {place.row for place in targets} for source, targets in leads.items()
        ):
            return gap
    raise TangledError


def _ways_to_split(bundles: Sequence[_Bundle]) -> Iterator[Sequence[_Bundle]]:
    """Which of them get a line for each edge, the fewest first: none, one, all but one, all."""
    yield ()
    yield from ((one,) for one in bundles)
    yield from ([other for other in bundles if other is not one] for one in bundles)
    yield bundles


def _drawn(bundles: Sequence[_Bundle], is_ascii: bool) -> Gap | None:
    """Lines with their upright parts in lanes beside each other; ones of different sources may join. None: too many."""
    stride = 1 + is_ascii  # its corners look the same to both sides: what stands beside them tells them apart
    bent = [bundle for bundle in bundles if bundle.is_bent]
    if len(bent) > _MOST_LANES:
        return None
    lanes = _lanes(bent)
    width = max(_LEAST_GAP, stride * (len(lanes) - 1) + 3) + is_ascii
    cells: defaultdict[tuple[int, int], dict[Place, Cell]] = defaultdict(dict)

    def mark(row: int, columns: Iterable[int], arms: int, owner: Place, is_heavy: bool) -> None:
        for column in columns:
            had = cells[row, column].get(owner, Cell())
            cells[row, column][owner] = Cell(had.arms | arms, had.heavy | arms * is_heavy)

    for bundle in bundles:
        owner, lane = bundle.sources[0], 1 + stride * lanes.get(bundle, 0)
        for source, target in product(*bundle):
            is_heavy = target.critical is source
            end = width - 1 if target.node is not None else width
            if target.row == source.row:
                mark(source.row, range(end), _ACROSS, owner, is_heavy)
                continue
            down, step = (_DOWN, 1) if target.row > source.row else (_UP, -1)
            mark(source.row, range(lane), _ACROSS, owner, is_heavy)
            mark(source.row, [lane], _LEFT | down, owner, is_heavy)
            mark(target.row, [lane], (_ALONG - down) | _RIGHT, owner, is_heavy)
            mark(target.row, range(lane + 1, end), _ACROSS, owner, is_heavy)
            for row in range(source.row + step, target.row, step):
                mark(row, [lane], _ALONG, owner, is_heavy)
    return Gap(width, {place: _merged(list(owners.values())) for place, owners in cells.items()})


def _merged(lines: Sequence[Cell]) -> Cell:
    """One cell: lines of different sources that cross do not touch, the upright one is in front."""
    upright = [line for line in lines if line.arms & _ALONG]
    if upright and upright[0].arms == _ALONG:
        return upright[0]
    arms = heavy = 0
    for line in lines:
        arms, heavy = arms | line.arms, heavy | line.heavy
    meets = len(lines) > 1 and any(line.arms & _ACROSS == _RIGHT and line.arms & _ALONG != _ALONG for line in upright)
    return Cell(arms, heavy, meets)


def _reached(gap: Gap, row: int) -> set[int]:
    """The rows to which one comes who follows the line that begins in a row: never back, straight on at crossings."""
    found, done, pending = set[int](), set[tuple[int, int, int]](), [(row, 0, _RIGHT)]
    while pending:
        row, column, way = here = pending.pop()
        if here in done:
            continue
        done.add(here)
        if column == gap.width - 1:
            found.add(row)
            continue
        cell = gap.cells.get((row, column), Cell())
        arms = cell.arms
        if cell.is_arrow:
            arms, way = _ACROSS, _RIGHT
        elif arms == _ALONG and way == _RIGHT:
            arms = _ACROSS  # it crosses behind
        if arms & _BACK[way]:
            pending += [(row + _STEPS[to][0], column + _STEPS[to][1], to) for to in _STEPS if arms & to & ~_BACK[way]]
    return found


def _lanes(bent: Sequence[_Bundle]) -> dict[_Bundle, int]:
    """Bundle -> its lane, such that no two run along each other in one row where that can be."""
    at_row: defaultdict[int, set[_Bundle]] = defaultdict(set)
    for bundle in bent:
        for source in bundle.sources:
            at_row[source.row].add(bundle)
    blocks = {bundle: {one for place in bundle.targets for one in at_row[place.row]} for bundle in bent}
    """Bundle -> those whose lanes have to be left of its."""

    def turn(bundle: _Bundle) -> tuple[int, int, int]:
        first, rows = bundle.sources[0].row, [target.row for target in bundle.targets]
        return (0, -first, -max(rows)) if max(rows) > first else (1, first, min(rows))

    waiting = sorted(bent, key=turn)
    lanes: dict[_Bundle, int] = {}
    while waiting:
        free = next((one for one in waiting if blocks[one].isdisjoint({*waiting} - {one})), waiting[0])
        waiting.remove(free)
        lanes[free] = len(lanes)
    return lanes
