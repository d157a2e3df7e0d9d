from datetime import UTC, timedelta, timezone

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from collab_tui.model.event import decode
from collab_tui.model.query import doubts, parse_query
from collab_tui.model.text import clean
from tests.events import KNOWN_FIELDS, event, hostile_text, items, lines, wild_objects

EVENTS = items(
    {
        "agent": "sena",
        "event": "status_update",
        "status": "in_progress",
        "progress": 50,
        "timestamp": "2025-10-19T16:30:20Z",
    },
    {
        "agent": "Lubit",
        "event": "decision",
        "verdict": "approved",
        "timestamp": "2025-10-20T10:00:00Z",
        "note": "two words",
    },
    {"agent": "gitcode", "event": "blocker", "status": "stuck", "progress": "80%", "n": 7, "ok": True},
    ["no object"],
    {"agent": "세나", "event": "status_update", "current_task": "메트릭 검증", "description": "Ｓｅｎａ"},
)


def found(query, zone=UTC):
    test = parse_query(query, zone)
    return [number for number, item in enumerate(EVENTS) if test(item)]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", [0, 1, 2, 3, 4]),
        ("sena", [0, 4]),
        ("SENA decision", []),
        ("lubit approved", [1]),
        ('"two words"', [1]),
        ('"words two"', []),
        ("메트릭", [4]),
        ("object", [3]),
        ("agent:sena", [0]),
        ("agent:LUBIT", [1]),
        ("agent:sen", []),
        ("agent:세나", [4]),
        ("event:status_update", [0, 4]),
        ("verdict:approved", [1]),
        ("details:sena", [4]),
        ('note:"two words"', [1]),
        ("note:two", []),
        ("status:stuck", [2]),
        ("status:blocked", [2]),
        ("status:in_progress", [0]),
        ("status:waiting", []),
        ("progress>50", [2]),
        ("progress>=50%", [0, 2]),
        ("progress<80", [0]),
        ("progress=80", [2]),
        ("n>6", [2]),
        ("n>7", []),
        ("n:7", [2]),
        ("line>3", [3, 4]),
        ("line:4", [3]),
        ("-event:status_update", [1, 2, 3]),
        ("!sena", [1, 2, 3]),
        ("event:status_update -agent:sena", [4]),
        ("progress>much", []),
        ("nosuch:x", []),
    ],
)
def test_terms_find_what_they_say_and_are_joined_by_and(query, expected):
    assert found(query) == expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("time>14:00", [0]),
        ("time<14:00", [1]),
        ("time=16:30", [0]),
        ("time:16:30:20", [0]),
        ("time:16:30:21", []),
        ("time>16:30", []),
        ("ts:2025-10-19", [0]),
        ("timestamp>2025-10-19", [1]),
        ("time>=2025-10-19", [0, 1]),
        ("time>2025-10-19T16:30:20", [1]),
        ("time<=2025-10-19T16:30:20", [0]),
        ("time:2025-10-19T16:30:20Z", [0]),
        ("time:2025-10-20T01:30:20+09:00", [0]),
        ("time:25:99", []),
    ],
)
def test_times_compare_as_precisely_as_they_are_given(query, expected):
    assert found(query) == expected


def test_times_without_a_zone_are_in_the_readers_zone():
    korea = timezone(timedelta(hours=9))
    assert found("time:01:30", korea) == found("time:2025-10-20T01:30:20", korea) == [0]
    assert found("time:2025-10-20", korea) == [0, 1]


def test_a_time_of_day_may_have_its_own_zone():
    assert found("time:01:30+09:00") == [0]
    assert found("time>=16:30Z") == [0]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("agent:", []),
        ("-", [0, 1]),
        ("!", []),
        ('"', [0, 1, 2, 3, 4]),
        ('""', [0, 1, 2, 3, 4]),
        (":", [0, 1, 2, 4]),
        ("16:30:20z", [0]),
        (">5", []),
        ("(", []),
        ("[", [3]),
        ("agent::sena", []),
        ("time:soon", []),
    ],
)
def test_what_is_no_comparison_is_searched_as_text(query, expected):
    assert found(query) == expected


_terms = st.builds(
    "{}{}{}{}".format,
    st.sampled_from(("", "-")),
    st.sampled_from((*KNOWN_FIELDS, "line", "kind", "x")),
    st.sampled_from((":", ">", ">=", "<", "<=", "=")),
    hostile_text
    | st.sampled_from(("14:00", "14:00Z", "2025-10-19", "0001-01-01T00:00", "9999-12-31T23:59", "1e999", "50%")),
)


@given(st.lists(_terms | hostile_text, max_size=4).map(" ".join), st.lists(wild_objects, max_size=3), st.booleans())
@example("time>14:00Z", [{"timestamp": "2025-10-19T16:30:00Z"}], True)
@example("time>0001-01-01T00:00", [{"timestamp": "0001-01-01T00:00:00Z"}], True)
@example("time>14:00", [{"timestamp": "0001-01-01T00:00:00Z"}], True)
def test_any_query_on_any_line_has_an_answer(query, objects, here):
    test = parse_query(query, None if here else timezone(timedelta(hours=-12)))
    assert {test(item) for item in decode(lines(*objects) + b"\xff\n", 0)} <= {True, False}


@given(st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=8))
def test_a_word_is_found_where_it_stands_and_its_negation_is_not(word):
    assume(clean(word) == word)
    assert parse_query(word)(event(x=f"before {word} after"))
    assert not parse_query(f"-{word}")(event(x=f"before {word} after"))


def test_a_field_may_be_one_of_several():
    matches = parse_query("event:blocker,decision")
    assert [matches(event(event=kind)) for kind in ("blocker", "decision", "message")] == [True, True, False]
    assert not parse_query("-event:blocker,decision")(event(event="decision"))


def test_an_address_is_text_and_no_field():
    assert parse_query("https://example.org/x")(event(message="see https://example.org/x"))


def test_a_status_may_be_named_as_the_screen_names_it():
    working = event(status="in_progress")
    assert parse_query("status:working")(working)
    assert parse_query("status:in_progress")(event(status="validating"))
    assert not parse_query("status:done")(working)
    assert not parse_query("status:whatever")(event(status="something_else"))


@pytest.mark.parametrize(
    ("query", "doubt"),
    [
        ("agnt:sena", "unknown field agnt: did you mean agent:?"),
        ("-Evnt:message deploy", "unknown field Evnt: did you mean event:?"),
        ("time>25:99", "25:99 is no time: write 14:00, 2025-10-19 or 2025-10-19T16:30"),
        ("time:14:00,noon", "noon is no time: write 14:00, 2025-10-19 or 2025-10-19T16:30"),
        ("progress>half", "half is no number"),
        ("line:x", "x is no number"),
    ],
)
def test_what_was_hardly_meant_is_doubted(query, doubt):
    assert doubts(query) == [doubt]


@pytest.mark.parametrize(
    "query",
    [
        "",
        "agent:sena task:x -event:progress deploy",
        "progress>50%",
        "time>14:00 time<2025-10-19T16:30",
        "my_own_field:5",
        "https://example.org",
        '"agnt:sena"',
        "ts>2025-10-19",
        "line>=6",
    ],
)
def test_what_can_be_meant_is_not_doubted(query):
    assert doubts(query) == []


@given(st.text(max_size=40))
def test_any_query_can_be_doubted(query):
    assert all(isinstance(doubt, str) for doubt in doubts(query))
