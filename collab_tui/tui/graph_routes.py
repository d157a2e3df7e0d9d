"""The lines between two layers of a graph, as text: who follows one comes where its edge leads, and nowhere else."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Final, NamedTuple

from collab_tui.model.summary import Span

_LEFT, _RIGHT, _UP, _DOWN = 1, 2, 4, 8
_ACROSS, _ALONG = _LEFT | _RIGHT, _UP | _DOWN
_STEPS: Final = {_RIGHT: (0, 1), _UP: (-1, 0), _DOWN: (1, 0)}
_BACK: Final = {_RIGHT: _LEFT, _UP: _DOWN, _DOWN: _UP}
LIGHT: Final = dict(zip((1, 2, 3, 4, 8, 12, 10, 9, 6, 5, 14, 13, 11, 7, 15, 0, 16), "───│││╭╮╰╯├┤┬┴┼ ▶", strict=True))
HEAVY: Final = dict(zip((1, 2, 3, 4, 8, 12, 10, 9, 6, 5, 14, 13, 11, 7, 15, 0, 16), "━━━┃┃┃┏┓┗┛┣┫┳┻╋ ▶", strict=True))
_ARROW: Final = 16
"""Where lines of different sources meet: whoever comes there goes on to the right."""
LEAST_GAP: Final = 3
_MOST_LANES: Final = 24
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
    is_chosen: bool = False


@dataclass(slots=True)
class Place:
    """What has a row in a layer: a node, or a line that passes to a later layer."""

    key: str
    source: str
    """The node, or the one from which the line comes."""
    node: Node | None
    before: list[Place] = field(default_factory=list)
    row: int = 0


class _Bundle(NamedTuple):
    """Each of some leads to each of others."""

    sources: Sequence[Place]
    targets: Sequence[Place]

    @property
    def is_bent(self) -> bool:
        """It is more than a straight line."""
        return len({place.row for place in (*self.sources, *self.targets)}) > 1


class TangledError(Exception):
    """Lines of different edges join."""


def aim(place: Place) -> str:
    """The key of a node; nothing of a line that passes."""
    return place.key if place.node is not None else ""


def passes(line: Place, later: Sequence[Sequence[Place]], critical: frozenset[tuple[str, str]]) -> bool:
    """A line to later layers is part of the critical path."""
    ends = (place.key for layer in later for place in layer if place.node is not None and any(
        before.source == line.source for before in place.before))  # fmt: skip
    return any((line.source, end) in critical for end in ends)


def ascii_lines(dash: str) -> dict[int, str]:
    """How lines are drawn where all signs are ASCII: corners and branches are no sign of a state."""
    turns = {_DOWN: ",", _UP: "'", _ALONG: ":"}
    found = {bits: turns.get(bits & _ALONG, dash) for bits in range(1, 16)}
    return found | {_ALONG: "|", _UP: "|", _DOWN: "|", 0: " ", _ARROW: ">"}


def join(
    lines: Sequence[list[Span]],
    onward: Sequence[Place],
    heavy: set[int],
    later: Sequence[Sequence[Place]],
    critical: frozenset[tuple[str, str]],
    chars: tuple[Mapping[int, str], Mapping[int, str]],
) -> None:
    """The lines between two layers, appended to their rows. Raises `TangledError`."""
    leads: defaultdict[int, list[Place]] = defaultdict(list)
    sources: dict[int, Place] = {}
    for place in onward:
        for before in place.before:
            sources[id(before)] = before
            leads[id(before)].append(place)
    bundles: defaultdict[tuple[int, ...], list[Place]] = defaultdict(list)
    for key, source in sources.items():
        bundles[tuple(map(id, leads[key]))].append(source)
    found = [_Bundle(mine, leads[id(mine[0])]) for mine in bundles.values()]
    bent = [bundle for bundle in found if bundle.is_bent]
    if len(bent) > _MOST_LANES:
        raise TangledError
    lanes = _lanes(bent)
    width = max(LEAST_GAP, len(lanes) + 2)
    cells: defaultdict[tuple[int, int], dict[int, tuple[int, bool]]] = defaultdict(dict)

    def mark(row: int, columns: Iterable[int], bits: int, owner: int, is_heavy: bool) -> None:
        for column in columns:
            had, was_heavy = cells[row, column].get(owner, (0, False))
            cells[row, column][owner] = (had | bits, was_heavy or is_heavy)

    for bundle in found:
        lane, owner = 1 + lanes.get(id(bundle), 0), id(bundle)
        for source, target in product(bundle.sources, bundle.targets):
            is_heavy = (source.source, target.key) in critical or (
                target.node is None and id(source) in heavy and passes(target, later, critical)
            )
            end = width - 1 if target.node is not None else width
            if target.row == source.row:
                mark(source.row, range(end), _ACROSS, owner, is_heavy)
                continue
            down, step = (_DOWN, 1) if target.row > source.row else (_UP, -1)
            mark(source.row, range(lane), _ACROSS, owner, is_heavy)
            mark(source.row, [lane], _LEFT | down, owner, is_heavy)
            for row in range(source.row + step, target.row, step):
                mark(row, [lane], _ALONG, owner, is_heavy)
            mark(target.row, [lane], (_ALONG - down) | _RIGHT, owner, is_heavy)
            mark(target.row, range(lane + 1, end), _ACROSS, owner, is_heavy)
    seen = {place: _merged(owners) for place, owners in cells.items()}
    for bundle in found:
        rows = {target.row for target in bundle.targets}
        if any(_reached(seen, source.row, width - 1) != rows for source in bundle.sources):
            raise TangledError
    heavy_chars, light_chars = chars
    for row, line in enumerate(lines):
        for column in range(width):
            bits, is_heavy = seen.get((row, column), (0, False))
            line.append(Span((heavy_chars if is_heavy else light_chars)[bits], "accent" if is_heavy else "muted"))


def _reached(seen: Mapping[tuple[int, int], tuple[int, bool]], row: int, end: int) -> set[int]:
    """The rows to which one comes who follows the line that begins in a row: never back, straight on at crossings."""
    found, done, pending = set[int](), set[tuple[int, int, int]](), [(row, 0, _RIGHT)]
    while pending:
        row, column, way = here = pending.pop()
        if here in done:
            continue
        done.add(here)
        if column == end:
            found.add(row)
            continue
        bits = seen.get((row, column), (0, False))[0]
        if bits == _ARROW:
            bits, way = _ACROSS, _RIGHT
        elif bits == _ALONG and way == _RIGHT:
            bits = _ACROSS  # it crosses behind
        if bits & _BACK[way]:
            pending += [(row + _STEPS[to][0], column + _STEPS[to][1], to) for to in _STEPS if bits & to & ~_BACK[way]]
    return found


def _merged(owners: Mapping[int, tuple[int, bool]]) -> tuple[int, bool]:
    """One cell: lines of different sources that cross do not touch, the upright one is in front."""
    drawn = list(owners.values())
    upright = [one for one in drawn if one[0] == _ALONG]
    if upright and len(upright) < len(drawn):
        drawn = upright
    meets = len(drawn) > 1 and not any(one & _ALONG == _ALONG or (one & _LEFT and one & _ALONG) for one, _ in drawn)
    bits = 0
    for one, _ in drawn:
        bits |= one
    return _ARROW if meets else bits, any(heavy for _, heavy in drawn)


def _lanes(bent: Sequence[_Bundle]) -> dict[int, int]:
    """Id of a bundle -> its lane, such that no two run along each other in one row where that can be."""
    at_row = {source.row: bundle for bundle in bent for source in bundle.sources}
    blocks: dict[int, set[int]] = {}
    """Bundle -> those whose lanes have to be left of its."""
    for bundle in bent:
        beside = (at_row.get(target.row) for target in bundle.targets)
        blocks[id(bundle)] = {id(other) for other in beside if other is not None and other is not bundle}

    def turn(bundle: _Bundle) -> tuple[int, int]:
        first = bundle.sources[0].row
        return (0, -first) if any(target.row > first for target in bundle.targets) else (1, first)

    waiting = sorted(bent, key=turn)
    lanes: dict[int, int] = {}
    while waiting:
        left = {id(bundle) for bundle in waiting}
        free = next((bundle for bundle in waiting if not blocks[id(bundle)] & left), waiting[0])
        waiting.remove(free)
        lanes[id(free)] = len(lanes)
    return lanes
