import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collab_tui.model.event import MAX_LINE, Event, Unreadable, as_text, as_texts, decode, parse_time
from tests.events import event, hostile_text, items, json_values, line, lines, wild_objects

_SCRAPS = (
    b"\n",
    b"\r\n",
    b"{}",
    b'{"a":1}',
    b"{",
    b"]",
    b"null",
    b"\0",
    b"\xef\xbb\xbf",
    b"\xff",
    b'"\\ud83d"',
    b"NaN",
)
any_bytes = st.binary(max_size=60) | st.lists(st.sampled_from(_SCRAPS) | st.binary(max_size=8)).map(b"".join)


@given(any_bytes, st.integers(0, 10**6))
def test_reading_never_fails_and_loses_no_line(chunk, first):
    expected = chunk.split(b"\n")
    if not expected[-1]:
        expected.pop()
    found = list(decode(chunk, first))
    assert [item.line for item in found] == expected
    assert [item.position for item in found] == list(range(first, first + len(expected)))
    assert all(isinstance(item, Event | Unreadable) for item in found)


@given(st.lists(any_bytes.map(lambda chunk: chunk + b"\n"), min_size=1, max_size=4))
def test_reading_in_pieces_of_whole_lines_gives_what_reading_at_once_gives(pieces):
    found, first = [], 0
    for piece in pieces:
        found += decode(piece, first)
        first += piece.count(b"\n")
    assert found == list(decode(b"".join(pieces), 0))


@given(st.lists(wild_objects, max_size=5), st.booleans())
def test_every_json_object_becomes_an_event(objects, ascii_only):
    chunk = b"".join(line(obj, ascii_only=ascii_only) for obj in objects)
    assert [type(item) for item in decode(chunk, 0)] == [Event] * len(objects)


@given(hostile_text, hostile_text)
def test_text_is_cleaned_once_where_an_event_becomes_an_event(one, two):
    for item in decode(line({"agent": one, "x": [two]}, ascii_only=True), 0):
        assert not set("\x00\x1b\x7f\x9b\u202e\ud83d") & set(as_text(item.data))


def test_one_line_to_be_cleaned_leaves_the_others_as_they_are():
    hostile, clean = items({"agent": "\x1b[2J"}, {"agent": "세나"})
    assert (hostile.agent, clean.agent) == ("␛[2J", "세나")


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (b"", "an empty line"),
        (b"   ", "an empty line"),
        (b"\0" * 100, "NUL bytes"),
        (b"[1]", "a JSON array, not an object"),
        (b"null", "a JSON null, not an object"),
        (b"true", "a JSON boolean, not an object"),
        (b"7", "a JSON number, not an object"),
        (b'"x"', "a JSON string, not an object"),
        (b"NaN", "a JSON string, not an object"),
        (b'{"agent": "sena", "ev', "not JSON"),
        (b'{"agent": "sena"}{"agent": "lubit"}', "not JSON"),
        (b'{"agent": "\xff"}', "not UTF-8 at byte 11"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"x": "' + b"y" * MAX_LINE + b'"}', "too long"),
    ],
)
def test_a_line_that_is_no_json_object_is_unreadable_with_its_reason_and_its_neighbours_are_read(bad, reason):
    before, found, after = decode(b'{"n": 1}\n' + bad + b'\n{"n": 2}\n', 10)
    assert isinstance(found, Unreadable)
    assert (found.position, found.reason.startswith(reason)) == (11, True), found.reason
    assert (before.data, after.data) == ({"n": 1}, {"n": 2})


def test_a_line_may_have_one_mebibyte_with_its_newline():
    longest = b'{"x":"' + b"y" * (MAX_LINE - 9) + b'"}\n'
    assert len(longest) == MAX_LINE
    assert [type(item) for item in decode(longest, 0)] == [Event]
    (longer,) = decode(longest.replace(b"y", b"yy", 1), 0)
    assert isinstance(longer, Unreadable)
    assert len(longer.line) < MAX_LINE


@pytest.mark.parametrize(
    "odd",
    [
        b'{"agent": "sena"}\r',
        b'\xef\xbb\xbf{"agent": "sena"}',
        b'{"agent": "sena", "x": NaN}',
        b'{"agent": "sena", "x": "\\ud83d"}',
        b'{"agent": "sena", "x": 1' + b"0" * 400 + b"}",
        b'{"agent": "lubit", "agent": "sena"}',
    ],
)
def test_objects_written_in_odd_ways_are_read(odd):
    (found,) = decode(odd + b"\n", 0)
    assert found.agent == "sena"


def test_a_line_separator_inside_a_line_does_not_split_it():
    (found,) = decode('{"x": "a\u2028b\x85c"}\n'.encode(), 0)
    assert found.data == {"x": "a b c"}


def test_unknown_fields_are_kept():
    assert event(metrics={"bits": 3}, 기분="좋음").data == {"metrics": {"bits": 3}, "기분": "좋음"}


@pytest.mark.parametrize(
    ("name", "spelling"),
    [
        ("current_task", "task"),
        ("current_task", "working_on"),
        ("current_task", "current_focus"),
        ("current_task", "current_decision"),
        ("comment", "comments"),
        ("resolved_blockers", "resolved_blocker"),
        ("resolved_blockers", "blockers_resolved"),
        ("details", "description"),
        ("request", "request_type"),
        ("evidence", "documents"),
    ],
)
def test_aliases_are_read_under_our_name_and_ours_comes_first(name, spelling):
    assert event(**{spelling: "x"}).text(name) == "x"
    assert event(**{spelling: "x", name: "ours"}).text(name) == "ours"
    assert event(**{spelling: "x", name: None}).text(name) == "x"


@pytest.mark.parametrize("spelling", ["timestamp", "ts", "time"])
@pytest.mark.parametrize(
    "stated",
    [
        "2025-10-19T16:30:00Z",
        "2025-10-20T01:30:00+09:00",
        "2025-10-19T16:30:00",
        "2025-10-19 16:30:00.000",
        1_760_891_400,
        1_760_891_400.0,
        1_760_891_400_000,
    ],
)
def test_times_are_iso_or_epoch_under_three_names(spelling, stated):
    assert event(**{spelling: stated}).time == datetime(2025, 10, 19, 16, 30, tzinfo=UTC)


@given(json_values)
def test_any_value_is_a_time_in_utc_or_none(value):
    time = parse_time(value)
    assert time is None or time.tzinfo is UTC


@pytest.mark.parametrize("far", ["0001-01-01T00:00:00Z", "1969-12-31T23:59:59Z", "9999-12-31T23:59:59Z"])
def test_a_time_that_not_every_system_can_show_in_its_zone_is_none(far):
    assert parse_time(far) is None
    assert parse_time("1970-01-01T00:00:00Z") == datetime(1970, 1, 1, tzinfo=UTC)
    assert parse_time("2999-12-31T23:59:59Z") is not None


@pytest.mark.parametrize("odd", ["yesterday", "", True, [], {}, 1e300, 10**400, -1, "0001-01-01T00:00:00+23:00"])
def test_what_is_no_time_is_none(odd):
    assert parse_time(odd) is None


def test_an_id_is_the_lines_own():
    assert event(id="00112233aabbccdd").id == "00112233aabbccdd"


def test_a_missing_id_is_derived_from_the_lines_bytes_and_position():
    one = event(3, agent="sena")
    assert one.id == event(3, agent="sena").id
    assert len({one.id, event(4, agent="sena").id, event(3, agent="lubit").id}) == 3
    assert (len(one.id), int(one.id, 16) >= 0) == (16, True)


@pytest.mark.parametrize(("own", "read"), [(7, "7"), (0, "0"), (" r1 ", "r1")])
def test_an_id_may_be_a_number_and_is_read_as_text(own, read):
    assert event(id=own).id == read


@pytest.mark.parametrize("odd", [None, "", " ", True, [], ["x"], {}])
def test_an_id_that_is_neither_text_nor_number_counts_as_missing(odd):
    assert len(event(id=odd).id) == 16


@pytest.mark.parametrize(("agent", "name"), [("sena", "sena"), (" sena ", "sena"), ("", None), (" ", None), (7, None)])
def test_the_writer_is_a_text_that_is_not_blank(agent, name):
    assert event(agent=agent).agent == name


def test_a_lone_value_counts_as_a_list_of_one_and_objects_by_their_label():
    assert as_texts("db") == ("db",)
    assert as_texts(["db", "", None, {"name": "net", "x": 1}, 3]) == ("db", "net", "3")
    assert as_texts(None) == as_texts([]) == as_texts("") == as_texts({}) == as_texts([{}, []]) == ()


@given(json_values)
def test_any_value_has_a_text(value):
    (item,) = decode(lines({"x": value}), 0)
    assert isinstance(as_text(item.data["x"]), str)
    assert all(text for text in item.texts("x"))


@pytest.mark.parametrize("depth", [10, 900, 1000, 1020])
def test_a_value_of_any_depth_has_a_text(depth):
    (item,) = decode(b'{"x": ' + b"[" * depth + b"]" * depth + b"}\n", 0)
    assert isinstance(item, Unreadable) or as_text(item.data["x"])


def test_text_keeps_the_scripts_it_is_written_in():
    assert as_text({"상태": "완료"}) == json.dumps({"상태": "완료"}, ensure_ascii=False)


@pytest.mark.parametrize("number", ["1e999", "-1e999", "NaN", "Infinity", "-Infinity"])
def test_a_number_that_json_cannot_write_stays_its_own_text(number):
    (read,) = decode(f'{{"agent":"sena","progress":{number},"small":1e-5}}'.encode(), 0)
    assert read.data == {"agent": "sena", "progress": number, "small": 1e-5}
