"""A graph of tasks as lines of text: layers from left to right, and between them the edges that there are.

Between two layers only tasks that lead to the very same ones share a line. Lines of others do not touch where they
cross, and meet in an arrow where they lead to the same task. Where lines would still join that belong to different
edges, nothing is drawn: each task stands there with what it needs. What follows from other edges is not told: of
a -> b -> c, the edge a -> c. Nodes that do not fit stand together as one, and layers that do not fit are counted.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

from rich.cells import cell_len

from collab_tui.model.summary import Span
from collab_tui.tui.graph_routes import (
    HEAVY,
    LEAST_GAP,
    LIGHT,
    Node,
    Place,
    TangledError,
    aim,
    ascii_lines,
    join,
    passes,
)
from collab_tui.tui.safe import Line, cut_middle, fit

_LABELS: Final = (24, 20, 16, 14, 12, 10, 8, 7, 6)
"""Cells of the longest label, tried in turn."""
_IN_A_PART: Final = 12
"""Cells of the longest label where not all layers fit."""
_NEEDS: Final = "<-"
_SIGN: Final = 2
"""Cells of a sign and the blank after it."""


class _Cut(NamedTuple):
    first: int
    last: int


def draw(
    nodes: Sequence[Node],
    width: int,
    height: int,
    critical: Sequence[str] = (),
    *,
    is_ascii: bool = False,
    ellipsis: str = "…",
) -> list[Line]:
    """Nodes in an order in which each comes after what it needs, in at most so many cells and about so many lines.

    `critical` are the keys of the critical path, whose edges are heavy.
    """
    layer_of = _layers(nodes)
    shown = _folded(nodes, layer_of, max(2, height), ellipsis, frozenset(critical))
    pairs = frozenset(pairwise(critical))
    try:
        return _drawn(nodes, shown, layer_of, width, pairs, is_ascii, ellipsis)
    except TangledError:
        return _listed(shown, width, max(2, height), pairs, ellipsis)


def _listed(
    nodes: Sequence[Node], width: int, height: int, critical: frozenset[tuple[str, str]], ellipsis: str
) -> list[Line]:
    """Each node on a line, with what it needs; of many the most important."""
    label_of = {node.key: node.label for node in nodes}
    most = len(nodes) if len(nodes) <= height else height - 1
    kept = sorted(range(len(nodes)), key=lambda place: (not nodes[place].is_chosen, nodes[place].weight))[:most]
    lines = []
    for node in (nodes[place] for place in sorted(kept)):
        line = [Span(f"{node.sign} ", node.role), Span(node.label, _label_role(node))]
        for number, need in enumerate(node.needs):
            line.append(Span(", " if number else f" {_NEEDS} ", "muted"))
            line.append(Span(label_of[need], "accent" if (need, node.key) in critical else "muted"))
        lines.append(fit(line, width, ellipsis=ellipsis))
    if more := len(nodes) - most:
        lines.append((Span(f"{more} {'task' if more == 1 else 'tasks'} more", "muted"),))
    return lines


def _drawn(
    nodes: Sequence[Node],
    shown: Sequence[Node],
    layer_of: Mapping[str, int],
    width: int,
    pairs: frozenset[tuple[str, str]],
    is_ascii: bool,
    ellipsis: str,
) -> list[Line]:
    """The layers that fit. Raises `TangledError`."""
    count = max(layer_of.values(), default=-1) + 1
    whole = _Cut(0, count - 1)
    for label in _LABELS:
        if count * (_SIGN + 1 + LEAST_GAP) > width:
            break
        lines = _lines(shown, layer_of, whole, label, pairs, is_ascii, ellipsis)
        if max(map(_width, lines), default=0) <= width:
            return lines
    front = min((layer_of[node.key] for node in shown if not node.is_over), default=count - 1)
    part, lines = _Cut(0, -1), list[Line]()
    for size in range(1, count):
        first = max(0, min(front - 1, count - size))
        wider = _Cut(first, first + size - 1)
        drawn = _lines(shown, layer_of, wider, _IN_A_PART, pairs, is_ascii, ellipsis)
        if lines and max(map(_width, drawn), default=0) > width:
            break
        part, lines = wider, drawn
    return [*lines, _left_out(nodes, layer_of, part, count)]


def _width(line: Line) -> int:
    return sum(cell_len(span.text) for span in line)


def _left_out(nodes: Sequence[Node], layer_of: Mapping[str, int], part: _Cut, count: int) -> Line:
    before = sum(layer_of[node.key] < part.first for node in nodes)
    after = sum(layer_of[node.key] > part.last for node in nodes)
    told = f"layers {part.first + 1} to {part.last + 1} of {count}"
    told += f", {before} {'task' if before == 1 else 'tasks'} before" if before else ""
    told += f", {after} {'task' if after == 1 else 'tasks'} after" if after else ""
    return (Span(told, "muted"),)


def _layers(nodes: Sequence[Node]) -> dict[str, int]:
    """Key -> how many others come before it in a row."""
    layer_of: dict[str, int] = {}
    for node in nodes:
        layer_of[node.key] = 1 + max((layer_of[need] for need in node.needs if need in layer_of), default=-1)
    return layer_of


def _folded(
    nodes: Sequence[Node], layer_of: dict[str, int], most: int, ellipsis: str, critical: frozenset[str]
) -> list[Node]:
    """Of each layer the most important nodes, the others of it as one; without edges that follow from others."""
    layers: defaultdict[int, list[Node]] = defaultdict(list)
    for node in nodes:
        layers[layer_of[node.key]].append(node)
    stands_for: dict[str, str] = {}
    kept: list[Node] = []
    for layer in sorted(layers):
        mine = layers[layer]
        if len(mine) > most:
            first = sorted(mine, key=lambda node: (node.key not in critical, not node.is_chosen, node.weight))
            shown = {node.key for node in first[: most - 1]}
            rest = [node for node in mine if node.key not in shown]
            name = f"\n{layer}"  # no key of a task
            layer_of[name] = layer
            stands_for |= dict.fromkeys((node.key for node in rest), name)
            needs = list(dict.fromkeys(need for node in rest for need in node.needs))
            label = f"{len(rest):,} more".replace(",", " ")
            mine = [node for node in mine if node.key in shown]
            mine.append(Node(name, label, ellipsis, "muted", needs, is_over=all(node.is_over for node in rest)))
        kept += mine
    return _reduced([
        node._replace(needs=tuple(dict.fromkeys(stands_for.get(n, n) for n in node.needs if n in layer_of)))
        for node in kept
    ])  # fmt: skip


def _reduced(nodes: Sequence[Node]) -> list[Node]:
    """Without needs that another need has already."""
    bit = {node.key: 1 << place for place, node in enumerate(nodes)}
    reach: dict[str, int] = {}
    found: list[Node] = []
    for node in nodes:
        needs = [need for need in node.needs if need in reach]
        above = 0
        for need in needs:
            above |= reach[need]
        kept = tuple(need for need in needs if not above & bit[need])
        reach[node.key] = above | sum(bit[need] for need in kept)
        found.append(node._replace(needs=kept))
    return found


def _lines(
    nodes: Sequence[Node],
    layer_of: Mapping[str, int],
    part: _Cut,
    label: int,
    critical: frozenset[tuple[str, str]],
    is_ascii: bool,
    ellipsis: str,
) -> list[Line]:
    layers = _placed(nodes, layer_of, part)
    rows = 1 + max((place.row for layer in layers for place in layer), default=-1)
    lines: list[list[Span]] = [[] for _ in range(rows)]
    chars = (ascii_lines("="), ascii_lines("-")) if is_ascii else (HEAVY, LIGHT)
    for number, layer in enumerate(layers):
        onward = layers[number + 1] if number + 1 < len(layers) else []
        has_next = {id(before) for place in onward for before in place.before}
        heavy = {id(b) for place in onward for b in place.before if (b.source, aim(place)) in critical or (
            place.node is None and passes(place, layers[number + 1 :], critical))}  # fmt: skip
        texts = {p.row: cut_middle(p.node.label, label, ellipsis) for p in layer if p.node is not None}
        column = max((_SIGN + cell_len(text) + bool(onward) for text in texts.values()), default=0)
        by_row = {place.row: place for place in layer}
        for row, line in enumerate(lines):
            place = by_row.get(row)
            dash = _dash(place is not None and id(place) in heavy, is_ascii)
            role = "accent" if place is not None and id(place) in heavy else "muted"
            if place is None:
                line.append(Span(" " * column))
            elif place.node is None:
                line.append(Span(dash * column, role))
            else:
                node, text = place.node, texts[row]
                line += [Span(f"{node.sign} ", node.role), Span(text, _label_role(node))]
                rest = column - _SIGN - cell_len(text)
                line.append(Span(" " + dash * (rest - 1) if rest and id(place) in has_next else " " * rest, role))
        if onward:
            join(lines, onward, heavy, layers[number + 1 :], critical, chars)
    return [tuple(line) for line in lines]


def _label_role(node: Node) -> str:
    return "strong" if node.is_chosen else "muted" if node.role == "muted" else "text"


def _dash(is_heavy: bool, is_ascii: bool) -> str:
    return ("=" if is_heavy else "-") if is_ascii else "━" if is_heavy else "─"


def _placed(nodes: Sequence[Node], layer_of: Mapping[str, int], part: _Cut) -> list[list[Place]]:
    """The layers, with lines that pass through them, each in its row."""
    inside = [node for node in nodes if part.first <= layer_of[node.key] <= part.last]
    layers: list[list[Place]] = [[] for _ in range(part.last - part.first + 1)]
    at: dict[tuple[str, int], Place] = {}
    for node in inside:
        layer = layer_of[node.key] - part.first
        at[node.key, layer] = place = Place(node.key, node.key, node)
        layers[layer].append(place)
    for node in inside:
        target = layer_of[node.key] - part.first
        for need in node.needs:
            start = layer_of[need] - part.first
            if start < 0:
                continue
            for layer in range(start + 1, target):
                if (need, layer) not in at:
                    at[need, layer] = passing = Place(f"{need}\n{layer}", need, None, [at[need, layer - 1]])
                    layers[layer].append(passing)
            at[node.key, target].before.append(at[need, target - 1])
    _arrange(layers)
    return layers


def _arrange(layers: Sequence[list[Place]]) -> None:
    """Rows such that lines are short and cross seldom."""
    for layer in layers:
        for row, place in enumerate(layer):
            place.row = row
    after: defaultdict[int, list[Place]] = defaultdict(list)
    for layer in layers:
        for place in layer:
            for before in place.before:
                after[id(before)].append(place)
    for forth in (True, False, True):
        for layer in layers if forth else reversed(layers):
            near = {id(p): p.before if forth else after[id(p)] for p in layer}
            wish = {id(p): _mean(near[id(p)], p.row) for p in layer}
            layer.sort(key=lambda place: wish[id(place)])
            for row, place in enumerate(layer):
                place.row = row
    most = max(map(len, layers), default=0)
    for layer in layers:
        row = -1
        for number, place in enumerate(layer):
            wish_row = round(_mean(place.before, place.row)) if place.before else row + 1
            left = len(layer) - number  # rows that those below need
            row = place.row = max(row + 1, min(wish_row, most - left))


def _mean(places: Iterable[Place], otherwise: float) -> float:
    rows = [place.row for place in places]
    return sum(rows) / len(rows) if rows else otherwise
