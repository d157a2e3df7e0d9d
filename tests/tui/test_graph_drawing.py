"""The graph of a run as it is drawn: its lines lead where its edges lead, and nowhere else."""

from __future__ import annotations

import re
import unicodedata
from itertools import pairwise
from typing import Final

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rich.cells import cell_len

from collab_tui.model.glyphs import ASCII, UNICODE, Glyphs
from collab_tui.tui.graph_drawing import draw
from collab_tui.tui.graph_routes import Node
from collab_tui.tui.safe import Line

_SIDES: Final = {"LEFT": "l", "RIGHT": "r", "HORIZONTAL": "lr", "UP": "u", "DOWN": "d", "VERTICAL": "ud"}
_AS_ASCII: Final = {"-": "lr", "=": "LR", "|": "ud", ",": "lrd", "'": "lru", ":": "lrud"}
"""To where each could lead: which of them it does, its neighbours tell."""
_STEPS: Final = {"r": (0, 1), "u": (-1, 0), "d": (1, 0)}
_BACK: Final = {"r": "l", "u": "d", "d": "u"}

Edges = set[tuple[str, str]]


def arms(char: str) -> str:
    """The sides to which a character leads, the heavy ones in capitals, as its name tells."""
    if char in _AS_ASCII:
        return _AS_ASCII[char]
    name = unicodedata.name(char, "").removeprefix("BOX DRAWINGS ").replace("LIGHT ARC", "LIGHT")
    if name == unicodedata.name(char, ""):
        return ""
    found, sides = "", ""
    first, *rest = name.split()
    if first in ("LIGHT", "HEAVY") and not {"LIGHT", "HEAVY"} & set(rest):
        sides = "".join(_SIDES.get(word, "") for word in rest)
        return sides.upper() if first == "HEAVY" else sides
    for part in name.split(" AND "):
        sides = "".join(_SIDES.get(word, "") for word in part.split())
        found += sides.upper() if "HEAVY" in part else sides
    return found


def nodes(spec: str) -> list[Node]:
    """`a; b a; c a b`: each task with what it needs."""
    parts = [part.split() for part in spec.split(";")]
    return [Node(key, key, "●", "text", needs) for key, *needs in parts]


def told(lines: list[str]) -> Edges:
    """The edges that a reader comes to know: those that are drawn, or those that are listed."""
    if not any(" <- " in line for line in lines):
        return edges(lines)
    parts = [line.removeprefix("● ").partition(" <- ") for line in lines]
    return {(need, key) for key, _, needs in parts for need in needs.split(", ") if need}


def text(lines: list[Line]) -> list[str]:
    return ["".join(span.text for span in line).rstrip() for line in lines]


def edges(lines: list[str], *, heavy: bool = False) -> Edges:
    """Follow every line from the right of each task: never back, straight on where lines cross. `heavy`: only those."""
    places = {}
    for row, line in enumerate(lines):
        for column, char in enumerate(line):
            if char == "●":
                places[row, column] = line[column + 2 :].split(" ")[0]
    found = set()
    for (row, column), key in places.items():
        pending, seen = [(row, column + 2 + len(key) + 1, "r")], set[tuple[int, int, str]]()
        while pending:
            row_now, now, way = here = pending.pop()
            if here in seen or not (0 <= row_now < len(lines)) or now >= len(lines[row_now]):
                continue
            seen.add(here)
            char = lines[row_now][now]
            if way == "r" and char == " " and (row_now, now + 1) in places:
                found.add((key, places[row_now, now + 1]))
                continue
            ways = arms(char)
            if char in "▶>" or (way == "r" and ways.lower() == "ud"):
                ways, way = "LR", "r"  # it goes on to the right, or crosses behind
            ways = "".join(filter(str.isupper, ways)).lower() if heavy else ways.lower()
            if _BACK[way] in ways:
                pending += [
                    (row_now + _STEPS[next_][0], now + _STEPS[next_][1], next_)
                    for next_ in ways
                    if next_ in _STEPS and next_ != _BACK[way]
                ]
    return found


def reduced(drawn: list[Node]) -> Edges:
    """The edges that do not follow from others."""
    above: dict[str, set[str]] = {}
    for node in drawn:
        above[node.key] = {other for need in node.needs for other in {need, *above[need]}}
    return {
        (need, node.key)
        for node in drawn
        for need in node.needs
        if not any(need in above[other] for other in node.needs if other != need)
    }


@st.composite
def graphs(make: st.DrawFn, most: int = 12) -> list[Node]:
    count = make(st.integers(1, most))
    found = []
    for number in range(count):
        needs = make(st.sets(st.integers(0, number - 1), max_size=3)) if number else set()
        found.append(Node(f"t{number}", f"t{number}", "●", "text", [f"t{need}" for need in sorted(needs)]))
    return found


def chain(drawn: list[Node], choose: int) -> list[str]:
    """A way through the graph to one of its tasks, as a critical path is one."""
    by_need, way = reduced(drawn), [drawn[choose % len(drawn)].key]
    while before := sorted(need for need, key in by_need if key == way[0]):
        way.insert(0, before[choose % len(before)])
    return way


@pytest.mark.parametrize("glyphs", [UNICODE, ASCII], ids=["unicode", "ascii"])
@given(drawn=graphs(), choose=st.integers(0, 11))
@example(drawn=nodes("a; b; c a; d a b; e b; f c e"), choose=0)
@example(drawn=nodes("a; b; c; d; w a b; x a b; y a c; z a d"), choose=3)
@example(drawn=nodes("plan; api plan; form plan; draft plan; check api form; guide check draft"), choose=1)
@example(drawn=nodes("a; b; c; x b; y a; z a b c"), choose=5)
def test_every_edge_can_be_followed_and_leads_nowhere_else(glyphs: Glyphs, drawn: list[Node], choose: int) -> None:
    """Also the heavy ones: just those of the critical path."""
    critical = chain(drawn, choose)
    lines = text(draw(drawn, 200, 30, critical, glyphs))
    assert told(lines) == reduced(drawn), "\n".join(lines)
    if glyphs is UNICODE and not any(" <- " in line for line in lines):
        assert edges(lines, heavy=True) == set(pairwise(critical)), "\n".join(lines)


def tangled(size: int) -> list[Node]:
    """Twice so many tasks, each of the second half with needs of its own among the first."""
    needs = [[f"a{other}" for other in range(size) if (number * 7 + other * other) % 3] for number in range(size)]
    first = [Node(f"a{number}", f"a{number}", "●", "text") for number in range(size)]
    return [*first, *(Node(f"b{n}", f"b{n}", "●", "text", needs[n]) for n in range(size))]


def test_edges_of_which_lines_would_join_have_lines_of_their_own() -> None:
    assert text(draw(nodes("a; b; c; x c; y b c; z a b"), 80, 10)) == ["● a ─▶─ ● z", "● b ─┴▶ ● y", "● c ──┴ ● x"]
    assert "● a ───┬╮" in text(draw(nodes("a; b; c; d; x b c d; y a d; z a b c"), 80, 10)), "in rows of their own"


def test_where_too_many_would_join_each_task_stands_with_what_it_needs() -> None:
    assert text(draw(tangled(8), 80, 16))[7:10] == [
        "● a7",
        "● b0 <- a1, a2, a4, a5, a7",
        "● b1 <- a0, a1, a2, a3, a4, a5, a6, a7",
    ]


def test_of_many_that_join_each_step_stands_with_its_important_tasks() -> None:
    drawn = [node._replace(weight=3) for node in tangled(20)]
    drawn[23] = drawn[23]._replace(sign="!", weight=0)
    drawn[7] = drawn[7]._replace(is_chosen=True)
    assert text(draw(drawn, 80, 12)) == ["step 1   ● a7 +19", "step 2   ! b3   ● 19"]
    deep = [*drawn, *(Node(f"c{n}", f"c{n}", "●", "text", [f"c{n - 1}" if n else "b0"], 3) for n in range(30))]
    lines = text(draw(deep, 80, 6))
    assert (len(lines), lines[0], lines[-1]) == (6, "step  1   ● a7 +19", "steps 1 to 5 of 32, 27 tasks after")


@pytest.mark.parametrize(
    "spec",
    [
        "plan; api plan; form plan; draft plan; check api form; guide check draft",
        "split; a split; b split; c split; join a b c",
        "plan; build plan; checks plan; draft plan; validate build checks; docs validate draft",
        "a; b; c a; d b; e c d",
    ],
)
def test_the_graphs_that_teams_have_are_drawn(spec: str) -> None:
    assert not any("<-" in line for line in text(draw(nodes(spec), 120, 14)))


@given(graphs(), st.integers(20, 60), st.integers(2, 6))
@example(nodes("a; b; c a; d a b; e a b"), 20, 3)
@example(nodes("a; b; c; d; e a; f a b; g a b"), 20, 3)
def test_it_fits_and_every_task_is_shown_or_counted(drawn: list[Node], width: int, height: int) -> None:
    lines = text(draw(drawn, width, height))
    assert all(cell_len(line) <= width for line in lines)
    shown = "\n".join(lines)
    counted = sum(int(number) for number in re.findall(r"(\d+) (?:tasks? )?(?:more|before|after)", shown))
    if not lines[0].startswith("step "):
        assert shown.count("●") + counted == len(drawn)
    else:
        assert sum(map(int, re.findall(r"● (\d+)", shown))) + counted == len(drawn)


def test_what_follows_from_others_is_not_drawn() -> None:
    assert text(draw(nodes("a; b a; c a b"), 80, 10)) == ["● a ── ● b ── ● c"]


def test_the_critical_path_is_heavy() -> None:
    lines = text(draw(nodes("plan; api plan; form plan; check api form"), 80, 10, ["plan", "form", "check"]))
    assert lines == ["● plan ━┱ ● api ──┲ ● check", "        ┗ ● form ━┛"]


def test_it_is_drawn_in_ascii() -> None:
    drawn = draw(nodes("plan; api plan; form plan; check api form"), 80, 10, ["plan", "form", "check"], ASCII)
    lines = [line.replace("●", "*") for line in text(drawn)]
    assert lines == ["* plan =,- * api --,= * check", "        '= * form ='"], "no line has the sign of a state"


def test_of_a_thousand_tasks_the_important_are_shown_and_the_others_counted() -> None:
    parts = [Node(f"part-{n}", f"part-{n}", "●", "text", ["split"], weight=0 if n == 700 else 3) for n in range(998)]
    everything = [Node("split", "split", "●", "text"), *parts]
    everything.append(Node("join", "join", "●", "text", [node.key for node in parts]))
    lines = text(draw(everything, 78, 8))
    assert len(lines) == 8
    assert "part-700" in "\n".join(lines)
    assert "991 more" in "\n".join(lines)


def test_of_many_layers_those_at_work_are_shown_and_the_others_counted() -> None:
    chain = [Node(f"t{n}", f"t{n}", "●", "text", [f"t{n - 1}"] if n else [], is_over=n < 20) for n in range(40)]
    *graph, last = text(draw(chain, 60, 8))
    assert "● t19 ── ● t20 ── ● t21" in graph[0]
    assert last == "steps 20 to 26 of 40, 19 tasks before, 14 tasks after"
    assert text(draw(chain, 36, 8))[-3:] == ["steps 20 to 23 of 40", "19 tasks before", "17 tasks after"]
    assert text(draw(chain, 8, 8))[1] == "step 20…"
    chain[30] = chain[30]._replace(is_chosen=True)
    assert "● t29 ── ● t30 ── ● t31" in text(draw(chain, 60, 8))[0]


@pytest.mark.parametrize("spec", ["a a", "a b; b a", "a nobody"])
def test_needs_that_are_no_tasks_before_it_are_passed_over(spec: str) -> None:
    assert "● a" in text(draw(nodes(spec), 40, 5))[0]


def test_nothing_is_drawn_of_nothing() -> None:
    assert draw([], 40, 5) == []
