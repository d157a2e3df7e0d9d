"""The graph of a run as it is drawn: its lines lead where its edges lead, and nowhere else."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rich.cells import cell_len

from collab_tui.tui.graph_drawing import draw
from collab_tui.tui.graph_routes import Node
from collab_tui.tui.safe import Line

_TURNS = {
    "─━": "lr", "│┃": "ud", "╭┏": "rd", "╮┓": "ld", "╰┗": "ru", "╯┛": "lu",
    "├┣": "rud", "┤┫": "lud", "┬┳": "lrd", "┴┻": "lru", "┼╋": "lrud",
}  # fmt: skip
_OPEN = {char: ways for chars, ways in _TURNS.items() for char in chars}
_STEPS = {"r": (0, 1), "u": (-1, 0), "d": (1, 0)}
_BACK = {"r": "l", "u": "d", "d": "u"}


def nodes(spec: str) -> list[Node]:
    """`a; b a; c a b`: each task with what it needs."""
    parts = [part.split() for part in spec.split(";")]
    return [Node(key, key, "●", "text", needs) for key, *needs in parts]


def told(lines: list[str]) -> set[tuple[str, str]]:
    """The edges that a reader comes to know: those that are drawn, or those that are listed."""
    if not any(" <- " in line for line in lines):
        return edges(lines)
    parts = [line.removeprefix("● ").partition(" <- ") for line in lines]
    return {(need, key) for key, _, needs in parts for need in needs.split(", ") if need}


def text(lines: list[Line]) -> list[str]:
    return ["".join(span.text for span in line).rstrip() for line in lines]


def edges(lines: list[str]) -> set[tuple[str, str]]:
    """Follow every line from the right of each task: never back, straight on where lines cross."""
    places = {}
    for row, line in enumerate(lines):
        for column, char in enumerate(line):
            if char == "●":
                places[row, column] = line[column + 2 :].split(" ")[0]
    found = set()
    for (row, column), key in places.items():
        after = column + 2 + len(key)
        while after < len(lines[row]) and lines[row][after] == " " and (row, after) not in places:
            after += 1
        pending, seen = [(row, after, "r")], set[tuple[int, int, str]]()
        while pending:
            row_now, now, way = here = pending.pop()
            if here in seen or not (0 <= row_now < len(lines)) or now >= len(lines[row_now]):
                continue
            seen.add(here)
            char = lines[row_now][now]
            if way == "r" and char == " " and (row_now, now + 1) in places:
                found.add((key, places[row_now, now + 1]))
                continue
            ways = _OPEN.get(char, "")
            if way == "r" and ways == "ud":
                ways = "lr"  # it crosses behind
            if char == "▶":
                pending.append((row_now, now + 1, "r"))
            elif _BACK[way] in ways:
                pending += [
                    (row_now + _STEPS[next_][0], now + _STEPS[next_][1], next_)
                    for next_ in ways
                    if next_ in _STEPS and next_ != _BACK[way]
                ]
    return found


def reduced(drawn: list[Node]) -> set[tuple[str, str]]:
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
def graphs(make: st.DrawFn) -> list[Node]:
    count = make(st.integers(1, 8))
    found = []
    for number in range(count):
        needs = make(st.sets(st.integers(0, number - 1), max_size=3)) if number else set()
        found.append(Node(f"t{number}", f"t{number}", "●", "text", [f"t{need}" for need in sorted(needs)]))
    return found


@given(graphs())
@example(nodes("a; b; c a; d a b; e b; f c e"))
@example(nodes("a; b; c; d; w a b; x a b; y a c; z a d"))
@example(nodes("plan; api plan; form plan; draft plan; check api form; guide check draft"))
def test_every_edge_can_be_followed_and_leads_nowhere_else(drawn: list[Node]) -> None:
    lines = text(draw(drawn, 200, 30))
    assert told(lines) == reduced(drawn), "\n".join(lines)


def test_where_lines_of_different_edges_would_join_each_task_stands_with_what_it_needs() -> None:
    drawn = nodes("a; b; c; d; w a b; x a b; y a c; z a d")
    assert text(draw(drawn, 80, 10)) == [
        "● a", "● b", "● c", "● d", "● w <- a, b", "● x <- a, b", "● y <- a, c", "● z <- a, d",
    ]  # fmt: skip
    few = [node._replace(weight=node.key not in "xz") for node in drawn]
    assert text(draw(few, 80, 4)) == ["● a", "● x <- a, b", "● z <- a, d", "5 tasks more"]


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
def test_it_fits_and_every_task_is_shown_or_counted(drawn: list[Node], width: int, height: int) -> None:
    lines = text(draw(drawn, width, height))
    *graph, last = lines
    assert all(cell_len(line) <= width for line in graph)
    counted = sum(int(word) for word, after in zip(last.split(), last.split()[1:], strict=False) if "task" in after)
    shown = "\n".join(lines)
    folded = sum(int(part.split()[-1]) for part in shown.split(" more")[:-1] if not part.endswith(("task", "tasks")))
    rest = sum(int(line.split()[0]) for line in lines if line.endswith((" tasks more", " task more")))
    assert shown.count("●") + counted + folded + rest == len(drawn)


def test_what_follows_from_others_is_not_drawn() -> None:
    assert text(draw(nodes("a; b a; c a b"), 80, 10)) == ["● a ── ● b ── ● c"]


def test_the_critical_path_is_heavy() -> None:
    lines = text(draw(nodes("plan; api plan; form plan; check api form"), 80, 10, ["plan", "form", "check"]))
    assert lines == ["● plan ━┳ ● api ──┳ ● check", "        ┗ ● form ━┛"]


def test_it_is_drawn_in_ascii() -> None:
    drawn = draw(nodes("plan; api plan; form plan; check api form"), 80, 10, ["plan", "form", "check"], is_ascii=True)
    lines = [line.replace("●", "*") for line in text(drawn)]
    assert lines == ["* plan =, * api --, * check", "        ' * form ='"], "no line has the sign of a state"


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
    assert last == "layers 20 to 26 of 40, 19 tasks before, 14 tasks after"


@pytest.mark.parametrize("spec", ["a a", "a b; b a", "a nobody"])
def test_needs_that_are_no_tasks_before_it_are_passed_over(spec: str) -> None:
    assert "● a" in text(draw(nodes(spec), 40, 5))[0]


def test_nothing_is_drawn_of_nothing() -> None:
    assert draw([], 40, 5) == []
