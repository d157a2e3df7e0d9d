"""What happened to a line that cannot be read."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collab_tui.model.damage import TOLD, Damage, damage_of
from collab_tui.model.event import MAX_LINE, Event, Unreadable, decode

RECORD = (
    '{"id": "00ff", "timestamp": "2026-11-20T13:12:00Z", "agent": "세나", "event": "status_update", '
    '"evidence": [{"name": "a {brace}", "ok": true}], "message": "say \\"hi\\" \\u00ea", "progress": -12.5e3}'
).encode()
OTHER = b'{"timestamp": "2026-11-20T13:12:01Z", "agent": "lubit", "event": "heartbeat"}'


def damages(data: bytes) -> list[Damage | None]:
    """What is said of every line; None for one that can be read."""
    return [damage_of(item) if isinstance(item, Unreadable) else None for item in decode(data, 0)]


def damage(line: bytes) -> Damage | None:
    (found,) = damages(line + b"\n")
    return found


@pytest.mark.parametrize("size", range(1, len(RECORD)))
def test_a_record_cut_at_any_byte_is_torn(size):
    assert damage(RECORD[:size]) is Damage.TORN


@pytest.mark.parametrize("size", range(1, len(RECORD) + 1))
def test_a_record_that_another_one_cuts_at_any_byte_is_spliced(size):
    assert damage(RECORD[:size] + OTHER) is Damage.SPLICED
    assert damage(RECORD[:size] + OTHER + RECORD[size:]) is Damage.SPLICED


def test_two_beginnings_on_one_line_are_spliced():
    assert damage(RECORD[:40] + OTHER[:30]) is Damage.SPLICED


@pytest.mark.parametrize("fragment", [b'ing", "progress": 40}', b'"x"}', b'0, "event": "completion"}\r'])
def test_the_end_of_a_record_without_its_beginning_is_torn(fragment):
    assert damage(fragment) is Damage.TORN


@pytest.mark.parametrize(
    "line",
    [
        b'{"agent": "sena", "event": "y", "of": {"a": 1}',
        b'{"agent": "sena", "message": "{\\"agent\\": \\"lubit\\", \\"event\\": \\"x\\"}", "event": "y',
    ],
)
def test_objects_and_texts_within_a_torn_record_do_not_make_it_spliced(line):
    assert damage(line) is Damage.TORN


@pytest.mark.parametrize("line", [b"<<<<<<< HEAD", b"=======", b">>>>>>> feature/x", b"||||||| 3f2a", b"=======\r"])
def test_marks_of_a_merge(line):
    assert damage(line) is Damage.CONFLICT


@pytest.mark.parametrize("line", [b"\0" * 40, b"\0" * 4000 + RECORD, RECORD + b"\0\0", b'{"a": "\0"}'])
def test_nul_bytes(line):
    assert damage(line) is Damage.NULS


def test_what_powershell_appends_is_told_as_utf16():
    data = b"".join(line.decode().encode("utf-16-le") + "\r\n".encode("utf-16-le") for line in (OTHER, RECORD))
    found = damages(b"\xff\xfe" + data)
    assert found[:2] == [Damage.UTF16, Damage.UTF16]


@pytest.mark.parametrize("encoding", ["cp949", "shift-jis", "latin-1"])
def test_a_whole_record_in_another_encoding(encoding):
    words = {"cp949": "세나가 끝냈다", "shift-jis": "終わりました", "latin-1": "café fermé"}[encoding]
    line = json.dumps({"agent": "x", "event": "y", "message": words}, ensure_ascii=False)
    assert damage(line.encode(encoding)) is Damage.OTHER_ENCODING
    assert damage(words.encode(encoding)) is Damage.OTHER_ENCODING


@pytest.mark.parametrize("line", [b"null", b"[1, 2]", b'"words"', b"42", b"true"])
def test_json_that_is_no_object(line):
    assert damage(line) is Damage.NO_OBJECT


@pytest.mark.parametrize(
    "line",
    [
        b"{'agent': 'sena', 'event': 'x'}",
        b'{"agent": "sena",}',
        b'{"message": "he said "no", twice"}',
        b'{"message": "a \\d b"}',
        b"Traceback (most recent call last):",
        b"```json",
        b"// a remark",
        b"+1",
    ],
)
def test_what_programs_and_models_write_by_hand_is_no_json(line):
    assert damage(line) is Damage.NO_JSON


@pytest.mark.parametrize("line", [b"", b"  \t", b"\r", b"\xef\xbb\xbf"])
def test_empty_lines(line):
    assert damage(line) is Damage.EMPTY


def test_too_long_and_too_deep():
    assert damage(b'{"a": "' + b"x" * MAX_LINE + b'"}') is Damage.TOO_LONG
    assert damage(b'{"a":' * 5000 + b"1" + b"}" * 5000) is Damage.TOO_DEEP


def test_a_line_of_nothing_but_openings_is_judged_in_no_time_worth_telling():
    assert damage(b'{"a":{"' * 100_000) in (Damage.TORN, Damage.TOO_DEEP, Damage.NO_JSON)


@given(st.binary(max_size=200) | st.text(max_size=80).map(str.encode))
def test_every_unreadable_line_is_of_some_kind_and_every_kind_is_told(data):
    for item in decode(data, 0):
        if not isinstance(item, Event):
            assert damage_of(item) in TOLD
