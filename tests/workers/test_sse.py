"""Server-sent events as the standard means them, however the bytes are cut."""

from __future__ import annotations

import json
import tracemalloc
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collab_tui.workers import sse
from collab_tui.workers.sse import Parser, ServerEvent


def read(*chunks: bytes) -> list[ServerEvent]:
    parser = Parser()
    return [event for chunk in chunks for event in parser.feed(chunk)]


def data_of(*chunks: bytes) -> list[str]:
    return [event.data for event in read(*chunks)]


@pytest.mark.parametrize(
    ("stream", "events"),
    [
        (b"data: YHOO\ndata: +2\ndata: 10\n\n", [("message", "YHOO\n+2\n10", "")]),
        (
            b": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n",
            [("message", "first event", "1"), ("message", "second event", ""), ("message", " third event", "")],
        ),
        (b"data\n\ndata\ndata\n\ndata:", [("message", "", ""), ("message", "\n", "")]),
        (b"data:test\n\ndata: test\n\n", [("message", "test", ""), ("message", "test", "")]),
        (b"event: task_updated\ndata: {}\n\ndata: x\n\n", [("task_updated", "{}", ""), ("message", "x", "")]),
        (b"event: nothing\nid: 7\n\ndata: x\n\n", [("message", "x", "7")]),
        (b"id: 1\ndata: x\nid: a\0b\n\n", [("message", "x", "1")]),
        (b"DATA: no\nfoo: no\n: data: no\ndata: yes\n\n", [("message", "yes", "")]),
        (b"data: unfinished\n", []),
        (b"\xef\xbb\xbfdata: x\n\n", [("message", "x", "")]),
        (b"\xef\xbb\xbf\xef\xbb\xbfdata: x\n\n", []),
        (b"data: a\xe2\x80\xa8b\xc2\x85c\x0b\x0c\n\n", [("message", "a\u2028b\u0085c\x0b\x0c", "")]),
        (b"data: \xff\n\n", [("message", "\ufffd", "")]),
        (b"data: a\rdata: b\r\rdata: c\r\n\r\n", [("message", "a\nb", ""), ("message", "c", "")]),
    ],
)
def test_a_stream_gives_the_events_that_the_standard_says(stream: bytes, events: list[tuple[str, str, str]]) -> None:
    assert [tuple(event) for event in read(stream)] == events
    assert [tuple(event) for event in read(*(bytes([byte]) for byte in stream))] == events
    assert [tuple(event) for event in read(b"", stream, b"")] == events


@pytest.mark.parametrize(
    ("line", "retry"),
    [(b"1500", 1500), (b"0000000010000", 10000), (b"00", 0), (b"15a", None), ("١٥".encode(), None), (b"", None)],
)
def test_the_server_says_when_to_come_back_in_plain_digits_only(line: bytes, retry: int | None) -> None:
    parser = Parser()
    assert [*parser.feed(b"retry: " + line + b"\n\n")] == []
    assert parser.retry == retry


def test_a_time_that_nobody_waits_is_still_a_long_one() -> None:
    parser = Parser()
    assert [*parser.feed(b"retry: " + b"9" * 10_000 + b"\n\n")] == []
    assert (parser.retry or 0) > 86_400_000


def test_the_last_id_is_kept_for_the_next_connection_once_its_event_ended() -> None:
    parser = Parser("5")
    assert [event.id for event in parser.feed(b"data: x\n\nid: 6\ndata: y\n")] == ["5"]
    assert parser.last_event_id == "5"
    assert [event.id for event in parser.feed(b"\n")] == ["6"]
    assert parser.last_event_id == "6"


def test_an_event_of_ten_megabytes_comes_whole() -> None:
    text = json.dumps({"notes": "x" * 10_000_000})
    stream = f"data: {text}\n\n".encode()
    assert data_of(*(stream[at : at + 65_536] for at in range(0, len(stream), 65_536))) == [text]


def test_an_event_that_is_too_long_is_dropped_whole_and_the_next_one_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "MAX_EVENT", 100)
    parser = Parser()
    long_line = b"event: e\ndata: " + b"x" * 200 + b"\ndata: tail\n\n"
    many_lines = b"data: 1234567890\n" * 20 + b"\n"
    found = [event for byte in long_line + many_lines + b"data: fine\n\n" for event in parser.feed(bytes([byte]))]
    assert found == [("message", "fine", "")]
    assert parser.dropped == 2


def test_heartbeats_do_not_count_towards_the_length_of_an_event(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "MAX_EVENT", 100)
    assert data_of(b": still here\n" * 100 + b"data: x\n\n") == ["x"]


def test_a_comment_however_long_does_not_take_the_event_behind_it_along(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "MAX_EVENT", 100)
    comment = b":" + b"x" * 500 + b"\n"
    assert data_of(comment + b"data: a\n" + comment + b"\n", comment[:70], comment[70:], b"data: b\n\n") == ["a", "b"]


def test_an_event_of_many_short_lines_takes_no_more_memory_than_its_bytes() -> None:
    parser, lines = Parser(), b"data:xy\n" * 1000
    tracemalloc.start()
    try:
        for _ in range(100):
            assert [*parser.feed(lines)] == []
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept < 100 * len(lines)
    (event,) = parser.feed(b"\n")
    assert event.data == "\n".join(["xy"] * 100_000)


_LINES = st.sampled_from(
    ("data: a", "data:b", "data", "id: 1", "id", "event: e", ": beat", "", "", "retry: 5", "x: y", "data: 안녕 \u2028é")
)


@given(st.lists(_LINES, max_size=30), st.lists(st.integers(0, 400)), st.data())
def test_however_lines_end_and_chunks_are_cut_the_events_are_the_same(
    lines: list[str], cuts: list[int], data: st.DataObject
) -> None:
    expected = read("".join(f"{line}\n" for line in lines).encode())
    ends = [data.draw(st.sampled_from(("\n", "\r\n", "\r"))) for _ in lines]
    # A return at the end of one line and a line feed at the end of an empty one would be one line end.
    ends = ["\n" if end == "\r" and after == "" else end for end, after in zip(ends, [*lines[1:], "x"], strict=False)]
    stream = "".join(line + end for line, end in zip(lines, ends, strict=True)).encode()
    places = sorted({0, *(cut for cut in cuts if cut < len(stream)), len(stream)})
    assert read(*(stream[a:b] for a, b in pairwise(places))) == expected


@given(st.binary(max_size=300))
def test_no_bytes_make_it_fail(stream: bytes) -> None:
    assert read(stream) == read(*(bytes([byte]) for byte in stream))
