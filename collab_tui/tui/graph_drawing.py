"""A graph of tasks as lines of text: layers from left to right, and between them the edges that there are.

Tasks that lead to the very same ones may share a line. Lines of others do not touch where they cross, and meet in an
arrow where they lead to the same task. Where that cannot be, no line is drawn: each task stands with what it needs, or,
of many, each step with its tasks. What follows from other edges is not told: of a -> b -> c, the edge a -> c. Nodes
that do not fit stand together as one, and layers that do not fit are counted.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

from rich.cells import cell_len

from collab_tui.model.glyphs import ASCII, UNICODE, Glyphs
from collab_tui.model.summary import Span
from collab_tui.tui.graph_routes import Cell, Gap, Node, Place, TangledError, dash, route
from collab_tui.tui.safe import Line, cut_middle, fit, width_of

_LABELS: Final = (24, 20, 16, 14, 12, 10, 8, 7, 6)
"""Cells of the longest label, tried in turn."""
_IN_A_PART: Final = 12
"""Cells of the longest label where not all layers fit."""
_NEEDS: Final = "<-"
_SIGN: Final = 2
"""Cells of a sign and the blank after it."""
_MOST_WIDE: Final = 6
"""Cells that a layer needs at least, with the lines after it."""


class _Part(NamedTuple):
    """Some layers of a graph as they are laid out, and the lines after each of them but the last."""

    layers: Sequence[Sequence[Place]]
    gaps: Sequence[Gap]


def draw(
    nodes: Sequence[Node], width: int, height: int, critical: Sequence[str] = (), glyphs: Glyphs = UNICODE
) -> list[Line]:
    """Nodes in an order in which each comes after what it needs, in at most so many cells and about so many lines.

    `critical` are the keys of the critical path, whose edges are heavy.
    """
    layer_of = _layers(nodes)
    height = max(2, height)
    shown = _folded(nodes, layer_of, height, glyphs.ellipsis, frozenset(critical))
    edges = frozenset(pairwise(critical))
    try:
        return _drawn(nodes, shown, layer_of, width, height, edges, glyphs)
    except TangledError:
        if len(nodes) <= height:
            return _listed(shown, width, edges, glyphs.ellipsis)
        return _steps(nodes, layer_of, width, height, glyphs.ellipsis)


# Where no lines are drawn


def _listed(nodes: Sequence[Node], width: int, critical: frozenset[tuple[str, str]], ellipsis: str) -> list[Line]:
    """Each node on a line, with what it needs."""
    label_of = {node.key: node.label for node in nodes}
    lines = []
    for node in nodes:
        line = [Span(f"{node.sign} ", node.role), Span(node.label, _label_role(node))]
        for number, need in enumerate(node.needs):
            line.append(Span(", " if number else f" {_NEEDS} ", "muted"))
            line.append(Span(label_of[need], "accent" if (need, node.key) in critical else "muted"))
        lines.append(fit(line, width, ellipsis=ellipsis))
    return lines


def _steps(nodes: Sequence[Node], layer_of: Mapping[str, int], width: int, height: int, ellipsis: str) -> list[Line]:
    """Each layer on a line: how many nodes with each sign, the important ones by name."""
    layers: defaultdict[int, defaultdict[tuple[str, str], list[Node]]] = defaultdict(lambda: defaultdict(list))
    for node in sorted(nodes, key=lambda node: (not node.is_chosen, node.weight)):
        layers[layer_of[node.key]][node.sign, node.role].append(node)
    least = max(node.weight for node in nodes)
    first = max(0, min(_front(nodes, layer_of) - 1, len(layers) - height + 1)) if len(layers) > height else 0
    shown = range(first, len(layers) if len(layers) <= height else first + height - 1)
    lines = []
    for layer in shown:
        line = [Span(f"step {layer + 1:>{len(str(len(layers)))}} ", "muted")]
        for (sign, role), mine in layers[layer].items():
            named = [node for node in mine if node.is_chosen or node.weight < least]
            line.append(Span(f"  {sign} ", role))
            line += [Span(f"{node.label} ", _label_role(node)) for node in named]
            if more := len(mine) - len(named):
                line.append(Span(f"+{more}" if named else str(more), "muted"))
        lines.append(fit(line, width, ellipsis=ellipsis))
    if len(shown) < len(layers):
        lines += _left_out(nodes, layer_of, shown, width, ellipsis)
    return lines


def _front(nodes: Sequence[Node], layer_of: Mapping[str, int]) -> int:
    """The layer to look at: that of the chosen node, else the first that is not over."""
    chosen = (layer_of[node.key] for node in nodes if node.is_chosen)
    first = min((layer_of[node.key] for node in nodes if not node.is_over), default=max(layer_of.values(), default=0))
    return next(chosen, first)


def _left_out(
    nodes: Iterable[Node], layer_of: Mapping[str, int], shown: range, width: int, ellipsis: str
) -> list[Line]:
    """Which steps are shown, and how many tasks are not; on a line each where they do not fit on one."""
    steps = f"step {shown.stop}" if len(shown) == 1 else f"steps {shown.start + 1} to {shown.stop}"
    told = [f"{steps} of {max(layer_of.values()) + 1}"]
    places = [layer_of[node.key] for node in nodes]
    before, after = sum(place < shown.start for place in places), sum(place >= shown.stop for place in places)
    told += [f"{n} {'task' if n == 1 else 'tasks'} {where}" for n, where in ((before, "before"), (after, "after")) if n]
    lines = [", ".join(told)] if cell_len(", ".join(told)) <= width else told
    return [fit([Span(line, "muted")], width, ellipsis=ellipsis) for line in lines]


# Which nodes


def _layers(nodes: Iterable[Node]) -> dict[str, int]:
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


# Lines


def _drawn(
    nodes: Sequence[Node],
    shown: Sequence[Node],
    layer_of: Mapping[str, int],
    width: int,
    height: int,
    critical: frozenset[tuple[str, str]],
    glyphs: Glyphs,
) -> list[Line]:
    """The layers that fit. Raises `TangledError`."""
    count = 1 + max(layer_of.values(), default=-1)
    is_ascii = glyphs is ASCII

    def laid_out(first: int, size: int) -> _Part:
        layers = _placed(shown, layer_of, first, size, critical)
        try:
            return _Part(layers, [route(layer, is_ascii=is_ascii) for layer in layers[1:]])
        except TangledError:
            if 2 * max(map(len, layers)) > height:
                raise
        for number, layer in enumerate(layers):  # in rows of its own no line meets one that begins there
            for place in layer:
                place.row = 2 * place.row + number % 2
        return _Part(layers, [route(layer, is_ascii=is_ascii) for layer in layers[1:]])

    if count * _MOST_WIDE <= width:
        whole = laid_out(0, count)
        for label in _LABELS:
            lines = _lines(whole, label, glyphs)
            if max(map(width_of, lines), default=0) <= width:
                return lines
    front, lines, part = _front(shown, layer_of), list[Line](), range(0)
    for size in range(1, count):
        first = max(0, min(front - 1, count - size))
        try:
            wider = _lines(laid_out(first, size), _IN_A_PART, glyphs)
        except TangledError:
            if size < 3:
                raise
            break
        if lines and max(map(width_of, wider), default=0) > width:
            break
        part, lines = range(first, first + size), wider
    return [*lines, *_left_out(nodes, layer_of, part, width, glyphs.ellipsis)]


def _lines(part: _Part, label: int, glyphs: Glyphs) -> list[Line]:
    is_ascii = glyphs is ASCII
    rows = 1 + max((place.row for layer in part.layers for place in layer), default=-1)
    lines: list[list[Span]] = [[] for _ in range(rows)]
    for number, layer in enumerate(part.layers):
        onward = part.layers[number + 1] if number + 1 < len(part.layers) else ()
        leads = {before for place in onward for before in place.before}
        heavy = {place.critical for place in onward}
        texts = {p: cut_middle(p.node.label, label, glyphs.ellipsis) for p in layer if p.node is not None}
        column = max((_SIGN + cell_len(text) + bool(onward) for text in texts.values()), default=0)
        by_row = {place.row: place for place in layer}
        for row, line in enumerate(lines):
            place = by_row.get(row)
            stroke, role = dash(place in heavy, is_ascii), "accent" if place in heavy else "muted"
            if place is None:
                line.append(Span(" " * column))
            elif place.node is None:
                line.append(Span(stroke * column, role))
            else:
                line += [Span(f"{place.node.sign} ", place.node.role), Span(texts[place], _label_role(place.node))]
                rest = column - _SIGN - cell_len(texts[place])
                line.append(Span(" " + stroke * (rest - 1) if rest and place in leads else " " * rest, role))
            if onward:
                gap = part.gaps[number]
                for cell in (gap.cells.get((row, at), Cell()) for at in range(gap.width)):
                    line.append(Span(cell.sign(is_ascii), "accent" if cell.heavy else "muted"))
    return [tuple(line) for line in lines]


def _label_role(node: Node) -> str:
    return "strong" if node.is_chosen else "muted" if node.role == "muted" else "text"


def _placed(
    nodes: Iterable[Node],
    layer_of: Mapping[str, int],
    first: int,
    size: int,
    critical: frozenset[tuple[str, str]],
) -> list[list[Place]]:
    """Some layers, with lines that pass through them, each in its row."""
    inside = [node for node in nodes if first <= layer_of[node.key] < first + size]
    layers: list[list[Place]] = [[] for _ in range(size)]
    at: dict[tuple[str, int], Place] = {}
    for node in inside:
        layer = layer_of[node.key] - first
        at[node.key, layer] = place = Place(node)
        layers[layer].append(place)
    for node in inside:
        target = layer_of[node.key] - first
        for need in node.needs:
            start = layer_of[need] - first
            if start < 0:
                continue
            for layer in range(start + 1, target):
                if (need, layer) not in at:
                    at[need, layer] = passing = Place(None, [at[need, layer - 1]])
                    layers[layer].append(passing)
            at[node.key, target].before.append(at[need, target - 1])
            if (need, node.key) in critical:
                for layer in range(start, target - 1):
                    at[need, layer + 1].critical = at[need, layer]
                at[node.key, target].critical = at[need, target - 1]
    _arrange(layers)
    return layers


def _arrange(layers: Sequence[list[Place]]) -> None:
    """Rows such that lines are short and cross seldom."""
    after: defaultdict[Place, list[Place]] = defaultdict(list)
    for layer in layers:
        for row, place in enumerate(layer):
            place.row = row
            for before in place.before:
                after[before].append(place)
    for forth in (True, False, True):
        for layer in layers if forth else reversed(layers):
            layer.sort(key=lambda place: _mean(place.before if forth else after[place], place.row))
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
