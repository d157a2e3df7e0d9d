"""What the lines of a registry themselves show."""

from datetime import timedelta

import pytest

from collab_tui.model.board import ProblemKind
from collab_tui.model.event import decode
from collab_tui.model.findings import Finding, Severity
from collab_tui.model.fold import Fold
from collab_tui.model.problems import MAX_KEPT, ProblemTally
from collab_tui.model.survey import Survey, problem_findings
from tests.events import START, at, decides, lines, says, updates

NOW = START + timedelta(hours=1)


def surveyed(data: bytes) -> list[Finding]:
    problems = ProblemTally()
    fold, survey, items = Fold(problems=problems), Survey(NOW), list(decode(data, 0))
    fold.extend(items)
    survey.extend(items)
    return survey.findings(problems.lines())


def told(data: bytes) -> dict[str, tuple[str, str]]:
    """Kind -> text and lines."""
    return {finding.kind: (finding.text, finding.lines.text) for finding in surveyed(data)}


def takes_turns(off: dict[str, float], rounds: int = 6, names: tuple[str, ...] = ("sena", "lubit", "gitcode")) -> bytes:
    """Agents that write one after the other, ten seconds apart; some have clocks that are off by so many seconds."""
    events = [
        updates(name, timestamp=at(10 * (turn * len(names) + place) + off.get(name, 0)))
        for turn in range(rounds)
        for place, name in enumerate(names)
    ]
    return lines(*events)


def test_a_healthy_registry_shows_nothing():
    assert surveyed(takes_turns({})) == []


def test_damaged_lines_are_told_by_kind_with_their_lines():
    data = b'{"agent": "sena", "ev\n' + lines(updates("sena")) + b'{"a": 1, "b\n\n<<<<<<< HEAD\n'
    assert told(data) == {
        "torn": ("2 lines are only parts of records", "lines 1, 3"),
        "conflict_marker": ("1 mark of an unfinished merge", "line 5"),
        "empty_line": ("1 line is empty", "line 4"),
    }


@pytest.mark.parametrize(
    "line",
    [
        b'{"agent":"lubit","agent":"sena","event":"x"}',
        b'{"agent":"lubit","agent" :"sena","event":"x"}',
        b'{"agent":"lubit","\\u0061gent":"sena","event":"x"}',
        b'{"event":"x","agent":"sena","n":NaN,"event":"y"}',
        b'\xef\xbb\xbf{"event":"x","agent":"sena","event":"y"}',
        b'{"agent":"sena","event":"x","metrics":{"loss":1,"loss":2}}',
        b'{"agent":"sena","event":"x","all":[{"a":1},{"b":1,"b":1}]}',
    ],
)
def test_a_field_that_a_line_gives_twice_is_told(line: bytes):
    data = lines(updates("sena")) + line + b"\n" + lines(updates("sena"))
    assert told(data) == {"repeated_field": ("1 line gives a field twice; the last one counts here", "line 2")}


@pytest.mark.parametrize(
    "line",
    [
        b'{"agent":"sena","event":"x","message":"\\"agent\\":\\"lubit\\""}',
        b'{"agent" : "sena", "event" : "x"}',
        b'{"agent":"sena","event":"x","metrics":{"agent":"lubit","event":"y"},"all":[{"a":1},{"a":2}]}',
        b'{"agent":"sena","event":"x","agent ":"lubit"}',
    ],
)
def test_a_field_that_a_line_gives_once_is_not(line: bytes):
    assert told(line + b"\n") == {}


def test_what_gives_a_field_twice_is_counted():
    twice = b'{"agent":"lubit","agent":"sena","event":"x"}\n'
    assert told(twice * 2)["repeated_field"] == ("2 lines give a field twice; the last one counts here", "lines 1-2")


def test_more_damaged_lines_than_the_board_keeps_are_all_counted():
    data = b"[]\n" * (MAX_KEPT + 500) + lines(decides("human", "nobody"))
    assert told(data) == {
        "no_object": ("1500 lines are JSON, but not objects", "lines 1-1500"),
        "no_such_request": ("1 answer is for a request that is not there", "line 1501"),
    }


def test_every_problem_of_the_board_is_told_one_way_or_the_other():
    kinds = {finding.kind for finding in problem_findings(dict.fromkeys(ProblemKind, surveyed(b"[]\n")[0].lines))}
    assert kinds == {kind.value for kind in ProblemKind}


def test_a_line_without_an_id_that_stands_twice_is_told():
    double = updates("sena", timestamp=at(1))
    assert told(lines(double, updates("lubit", timestamp=at(2)), double))["repeated_line"][1] == "line 3"


def test_lines_without_a_time_may_be_the_same():
    assert surveyed(lines(says("sena", "heartbeat"), says("sena", "heartbeat"))) == []


def test_a_line_with_an_id_that_stands_twice_is_told_once():
    double = updates("sena", id="x", timestamp=at(1))
    assert list(told(lines(double, double))) == ["repeated_id"]


# Clocks


def test_times_in_the_future_are_told_with_how_far():
    found = told(lines(updates("sena", timestamp=at(0)), updates("sena", timestamp=at(3 * 3600))))
    assert found["future_time"] == (
        "1 line has a time in the future, up to 2 h ahead of this machine's clock",
        "line 2",
    )


def test_clocks_may_differ_a_little():
    assert surveyed(lines(updates("sena", timestamp=at(3600 + 60)), updates("lubit", timestamp=at(3600)))) == [
        Finding(
            Severity.NOTE,
            surveyed(b"[]\n")[0].subject,
            "out_of_order",
            "1 time goes back, and with it ages and silences",
            problem_findings({ProblemKind.OUT_OF_ORDER: surveyed(b"[]\n")[0].lines})[0].mend,
            surveyed(b"\n[]\n")[0].lines,
        )
    ]


@pytest.mark.parametrize(
    ("off", "text"),
    [
        ({"sena": 600}, "the clock of sena is always about 9 min ahead of the others'"),
        ({"lubit": -600}, "the clock of lubit is always about 9 min behind the others'"),
    ],
)
def test_a_clock_that_is_always_off_is_told_and_whose(off, text):
    assert told(takes_turns(off))["clock_off"][0] == text
    assert [finding.kind for finding in surveyed(takes_turns(off))].count("clock_off") == 1


def test_of_two_agents_one_is_told_to_be_off():
    found = [f.text for f in surveyed(takes_turns({"sena": 600}, names=("sena", "lubit"))) if f.kind == "clock_off"]
    assert found == ["the clock of sena is always about 9 min ahead of the others'"]


def test_times_that_were_made_up_are_no_clock_that_is_off():
    odd = [0, 5000, 20, 900, 30, 9000, 40, 50, 3000, 60, 70, 80]
    events = [updates(("sena", "lubit")[n % 2], timestamp=at(seconds - 9000)) for n, seconds in enumerate(odd)]
    assert list(told(lines(*events))) == ["out_of_order"]
