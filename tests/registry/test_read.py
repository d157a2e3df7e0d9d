"""Reading never fails and never stops: whatever stands in the file, each line gives one item."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collab_tui.model.event import MAX_LINE, Event, Item, Unreadable
from collab_tui.registry.append import NotWrittenError
from collab_tui.registry.base import News, State
from collab_tui.registry.jsonl import SETTLED_AFTER, JsonlRegistry

GOOD = b'{"agent":"sena","event":"message"}'


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "registry.jsonl"


def read_all(registry: JsonlRegistry, final: bool = False) -> tuple[list[Item], News]:
    """All items that are there now, and the last look."""
    items: list[Item] = []
    while True:
        news = registry.read_next(final=final)
        items += news.items
        if not news.remaining:
            return items, news


def read(path: Path, content: bytes, final: bool = False) -> list[Item]:
    path.write_bytes(content)
    os.utime(path, (0, 0))  # NUL bytes of long ago are not waited at
    items, news = read_all(JsonlRegistry(path), final)
    assert news.state is State.READY
    assert [item.position for item in items] == list(range(len(items)))
    return items


def test_every_line_is_an_event(path: Path) -> None:
    items = read(path, GOOD + b"\n" + b'{"agent":"lubit"}\n')
    assert items == [
        Event(0, {"agent": "sena", "event": "message"}, GOOD),
        Event(1, {"agent": "lubit"}, b'{"agent":"lubit"}'),
    ]


def test_an_empty_file_is_ready(path: Path) -> None:
    assert read(path, b"") == []


def test_carriage_returns_at_the_ends(path: Path) -> None:
    items = read(path, GOOD + b"\r\n" + GOOD + b"\r\n")
    assert [item.data["agent"] for item in items if isinstance(item, Event)] == ["sena", "sena"]


def test_a_byte_order_mark(path: Path) -> None:
    (item,) = read(path, b"\xef\xbb\xbf" + GOOD + b"\n")
    assert isinstance(item, Event)
    assert item.data["agent"] == "sena"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"", "empty"),
        (b" \r", "empty"),
        (b"\0\0\0", "NUL"),
        ('{"agent":"sén"}'.encode("latin-1"), "not UTF-8 at byte 11"),
        (b'{"agent":"sena"', "not JSON"),
        (b'{"agent":"le{"agent":"sena"}', "not JSON"),
        (b"42", "number"),
        (b'["agent"]', "array"),
        (b"null", "null"),
        (b"\x89PNG\x1a", "not UTF-8"),
        (b"[" * 200_000, "nested too deeply"),
        (b'{"a":' * 5000 + b"1" + b"}" * 5000, "nested too deeply"),
        (b'{"agent":"sena","progress":%s}' % (b"9" * 4301), "not JSON: Exceeds the limit"),
        (GOOD + GOOD, "not JSON: Extra data"),
        (b"<<<<<<< HEAD", "not JSON"),
        (GOOD.decode().encode("utf-16"), "not UTF-8 at byte 0"),
        (b'{"message":"' + b"m" * MAX_LINE + b'"}', "too long: 1,048,591 bytes, the limit is 1,048,576"),
    ],
)
def test_a_line_that_is_no_event_says_why_and_stops_nothing(path: Path, line: bytes, reason: str) -> None:
    before, odd, after = read(path, GOOD + b"\n" + line + b"\n" + GOOD + b"\n")
    assert isinstance(before, Event)
    assert isinstance(after, Event)
    assert isinstance(odd, Unreadable)
    assert reason in odd.reason
    assert odd.line == line[: len(odd.line)]


@pytest.mark.parametrize("separator", ["\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\x1c", "\r"])
def test_only_a_newline_ends_a_line(path: Path, separator: str) -> None:
    escaped = separator if separator > "\x1f" else json.dumps(separator)[1:-1]
    items = read(path, f'{{"message":"a{escaped}b"}}\n{{}}\n'.encode())
    assert [type(item) for item in items] == [Event, Event]


@pytest.mark.parametrize("size", [MAX_LINE, MAX_LINE + (1 << 16) + 1, 3 << 19, 5 << 20])
@pytest.mark.parametrize("final", [False, True])
def test_too_long_lines_in_the_middle(path: Path, size: int, final: bool) -> None:
    long = b'{"message":"' + b"m" * size + b'"}'
    content = b"\n".join([GOOD, long, GOOD, long, long, GOOD, b""])
    path.write_bytes(content)
    registry = JsonlRegistry(path)
    items, _ = read_all(registry, final)
    kinds = [Event, Unreadable, Event, Unreadable, Unreadable, Event]
    assert [type(item) for item in items] == kinds
    for position in (1, 3, 4):
        odd = items[position]
        assert isinstance(odd, Unreadable)
        assert odd.reason == f"too long: {len(long) + 1:,} bytes, the limit is 1,048,576"
        assert odd.line == long[:4096]
    assert list(registry.items(0, 6)) == items
    for position in range(6):
        assert list(registry.items(position, position + 1)) == [items[position]]
    starts = [0]
    for line in content.split(b"\n"):
        starts.append(starts[-1] + len(line) + 1)
    assert [registry.position_of(index).offset for index in range(6)] == starts[:6]


def test_the_longest_line_is_read(path: Path) -> None:
    line = b'{"message":"' + b"m" * (MAX_LINE - 15) + b'"}\n'
    assert len(line) == MAX_LINE
    items = read(path, GOOD + b"\n" + line + GOOD + b"\n")
    assert [type(item) for item in items] == [Event, Event, Event]


@pytest.mark.parametrize("tail", [GOOD, GOOD[:9], b"m" * (MAX_LINE + 9), b" "])
def test_an_unterminated_tail_is_no_event_while_following(path: Path, tail: bytes) -> None:
    path.write_bytes(GOOD + b"\n" + tail)
    registry = JsonlRegistry(path)
    items, news = read_all(registry)
    assert len(items) == 1
    assert not news.unterminated
    with path.open("ab") as file:
        file.write(b"\n" + GOOD + b"\n")
    items, _ = read_all(registry)
    assert [item.position for item in items] == [1, 2]
    assert items[0].line == tail[: len(items[0].line)]
    assert isinstance(items[1], Event)


def test_nul_bytes_that_become_data_later(path: Path) -> None:
    """What a reader on NFS sees before the bytes arrive."""
    path.write_bytes(GOOD + b"\n" + b"\0" * len(GOOD))
    registry = JsonlRegistry(path)
    assert len(read_all(registry)[0]) == 1
    with path.open("r+b") as file:
        file.seek(len(GOOD) + 1)
        file.write(GOOD + b"\n")
    items, news = read_all(registry)
    assert [type(item) for item in items] == [Event]
    assert news.restarted is None


class Clock:
    """A monotonic clock that stands until it is moved."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_nul_bytes_with_a_newline_behind_them_that_become_data_later(path: Path) -> None:
    """Another machine's line came before the bytes of the first: no event of either is lost."""
    path.write_bytes(GOOD + b"\n" + b"\0" * (len(GOOD) + 1) + GOOD + b"\n")
    clock = Clock()
    registry = JsonlRegistry(path, monotonic=clock)
    assert len(read_all(registry)[0]) == 1
    clock.now += SETTLED_AFTER - 0.1
    assert read_all(registry)[0] == []
    with path.open("r+b") as file:
        file.seek(len(GOOD) + 1)
        file.write(GOOD + b"\n")
    items, news = read_all(registry)
    assert [type(item) for item in items] == [Event, Event]
    assert [item.position for item in items] == [1, 2]
    assert news.restarted is None


def test_nul_bytes_that_stay_are_one_damaged_line_and_stop_nothing(path: Path) -> None:
    """As after a loss of power; what is appended meanwhile does not start the waiting anew."""
    path.write_bytes(GOOD + b"\n" + b"\0" * 5000 + b"\n" + GOOD + b"\n")
    clock = Clock()
    registry = JsonlRegistry(path, monotonic=clock)
    assert [type(item) for item in read_all(registry)[0]] == [Event]
    clock.now += SETTLED_AFTER - 0.1
    with path.open("ab") as file:
        file.write(GOOD + b"\n")
    assert read_all(registry)[0] == []
    clock.now += 0.1
    items, _ = read_all(registry)
    assert [type(item) for item in items] == [Unreadable, Event, Event]
    assert items[0].reason == "NUL bytes"


def test_every_run_of_nul_bytes_waits_for_itself(path: Path) -> None:
    path.write_bytes(b"\0\0\n")
    clock = Clock()
    registry = JsonlRegistry(path, monotonic=clock)
    for _ in range(2):
        assert read_all(registry)[0] == []
        clock.now += SETTLED_AFTER
        assert [item.line for item in read_all(registry)[0]] == [b"\0\0"]
        with path.open("ab") as file:
            file.write(b"\0\0\n")


def test_commands_that_read_to_the_end_do_not_wait_at_nul_bytes(path: Path) -> None:
    path.write_bytes(b"\0\0\n" + GOOD + b"\n")
    assert [type(item) for item in JsonlRegistry(path).read_next(final=True).items] == [Unreadable, Event]
    assert [type(item) for item in JsonlRegistry(path).since(0)] == [Unreadable, Event]


@pytest.mark.parametrize("age", ["long after the last change", "far before the end"])
def test_old_nul_bytes_are_not_waited_at(path: Path, age: str) -> None:
    path.write_bytes(b"\0\0\n" + GOOD + b"\n")
    if age.startswith("long"):
        os.utime(path, (0, 0))
    else:
        with path.open("ab") as file:
            file.write((GOOD + b"\n") * (200_000 // len(GOOD)))
    items = [*JsonlRegistry(path, monotonic=Clock()).read_next().items]
    assert isinstance(items[0], Unreadable)
    assert isinstance(items[1], Event)


def test_a_saved_file_counts_its_unterminated_object(path: Path) -> None:
    path.write_bytes(GOOD + b"\n" + GOOD)
    registry = JsonlRegistry(path)
    items, news = read_all(registry, final=True)
    assert [type(item) for item in items] == [Event, Event]
    assert news.unterminated
    assert list(registry.items(0, 9)) == items
    items, news = read_all(registry, final=True)
    assert (items, news.unterminated) == ([], False)


@pytest.mark.parametrize("tail", [GOOD[:9], b"42", b"\0\0", b"\n", b" "])
def test_a_saved_file_does_not_count_a_torn_tail(path: Path, tail: bytes) -> None:
    path.write_bytes(GOOD + b"\n" + tail)
    items, news = read_all(JsonlRegistry(path), final=True)
    assert len(items) == 1 + tail.count(b"\n")
    assert not news.unterminated


def test_a_long_unterminated_object_of_a_saved_file_counts(path: Path) -> None:
    path.write_bytes((GOOD + b"\n") * 5000 + b'{"message":"' + b"m" * 200_000 + b'"}')
    items, news = read_all(JsonlRegistry(path), final=True)
    assert len(items) == 5001
    assert news.unterminated


LINES = st.lists(
    st.tuples(
        st.sampled_from([b"{}", b"", b'{"a":"b"}', b"\xff", b"[1]", b'{"m":"%s"}', b"%s", b"\r"]),
        st.sampled_from([0, 1, 100, 9_000, 70_000, 131_072, MAX_LINE - 1, MAX_LINE + 70_000]),
    ),
    max_size=12,
)


@settings(deadline=None, max_examples=60)
@given(lines=LINES, final=st.booleans(), newline=st.booleans())
def test_looking_up_equals_reading(
    tmp_path_factory: pytest.TempPathFactory, lines: list[tuple[bytes, int]], final: bool, newline: bool
) -> None:
    path = tmp_path_factory.mktemp("lookup") / "registry.jsonl"
    content = b"\n".join(line.replace(b"%s", b"m" * size) for line, size in lines) + b"\n" * newline
    path.write_bytes(content)
    registry = JsonlRegistry(path)
    items, news = read_all(registry, final)
    whole = content.split(b"\n")
    tail = whole.pop()
    if news.unterminated:
        whole.append(tail)
    assert [item.line for item in items] == [line[: len(item.line)] for item, line in zip(items, whole, strict=True)]
    assert all(len(item.line) in (len(line), 4096) for item, line in zip(items, whole, strict=True))
    offset = 0
    for index, line in enumerate(whole):
        assert registry.position_of(index).offset == offset
        offset += len(line) + 1
        assert list(registry.items(index, index + 1)) == [items[index]]
        assert list(registry.items(index, len(items))) == items[index:]
    assert list(registry.items(-5, len(items) + 5)) == items
    assert list(registry.items(3, 2)) == []


@pytest.mark.parametrize("position", [0, 5, 10, 11, 9009, 9010])
def test_all_lines_since_a_position(path: Path, position: int) -> None:
    """Also those that were not read yet; where reading goes on stays as it was."""
    path.write_bytes((GOOD + b"\n") * 10)
    registry = JsonlRegistry(path)
    read_all(registry)
    with path.open("ab") as file:
        file.write((GOOD + b"\n") * 9000 + GOOD)
    found = registry.since(position)
    assert [item.position for item in found] == list(range(position, 9010))
    items, _ = read_all(registry)
    assert [item.position for item in items] == list(range(10, 9010))
    assert list(registry.items(position, 9010)) == list(found)


def test_looking_up_in_a_file_that_changed_since_ends(path: Path) -> None:
    path.write_bytes((GOOD + b"\n") * 9000)
    registry = JsonlRegistry(path)
    read_all(registry)
    path.write_bytes(GOOD + b"\n")
    assert len(registry.items(0, 9000)) == 1
    assert list(registry.items(5, 9000)) == []
    path.unlink()
    assert list(registry.items(0, 9000)) == []
    assert registry.position_of(0).offset == 0


def test_a_missing_file(path: Path) -> None:
    registry = JsonlRegistry(path)
    assert registry.read_next() == News(state=State.MISSING)
    assert list(registry.items(0, 5)) == []
    path.write_bytes(GOOD + b"\n")
    items, news = read_all(registry)
    assert len(items) == 1
    assert news.restarted is None


def test_a_folder(path: Path) -> None:
    path.mkdir()
    news = JsonlRegistry(path).read_next()
    assert (news.state, news.detail) == (State.UNREADABLE, "it is a folder")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no FIFOs here")
def test_a_fifo_is_not_waited_for(path: Path) -> None:
    os.mkfifo(path)
    news = JsonlRegistry(path).read_next()
    assert (news.state, news.detail) == (State.UNREADABLE, "it is not a regular file")


@pytest.mark.parametrize("name", ["open", "fstat", "lseek", "read"])
def test_a_failing_look_loses_nothing(path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Network drives fail in the middle; the look after that gives what this one would have given."""
    genuine = getattr(os, name)
    first = (GOOD + b"\n") * 3000
    path.write_bytes(first)
    failures = 0
    for nth in range(1, 30):
        path.write_bytes(first)
        registry = JsonlRegistry(path)
        read_all(registry)
        path.write_bytes(b"{}\n" * 40_000)
        seen = 0

        def faulty(*arguments: int, nth: int = nth) -> object:
            nonlocal seen
            seen += 1
            if seen == nth:
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            return genuine(*arguments)

        with monkeypatch.context() as patch:
            patch.setattr(os, name, faulty)
            looks = [registry.read_next()]
        if seen < nth:
            break
        failures += 1
        assert looks[0].state is State.UNREADABLE
        assert looks[0].detail == "Input/output error"
        assert list(looks[0].items) == []
        looks.append(registry.read_next())
        assert looks[1].restarted == "rewritten"
        items = list(looks[1].items) + read_all(registry)[0]
        assert [item.position for item in items] == list(range(40_000))
        assert list(registry.items(0, 40_000)) == items
    assert failures
    assert seen < nth, "every call was tried"


def test_a_lookup_that_fails_gives_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.write_bytes(GOOD + b"\n")
    registry = JsonlRegistry(path)
    read_all(registry)

    def fail(*_: object) -> bytes:
        raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))

    monkeypatch.setattr(os, "read", fail)
    assert list(registry.items(0, 1)) == []


def test_what_is_appended_is_read(path: Path) -> None:
    registry = JsonlRegistry(path)
    written = registry.append({"agent": "sena", "event": "message", "message": "검증"})
    items, _ = read_all(registry)
    assert [item.data for item in items if isinstance(item, Event)] == [written]
    assert registry.name == str(path)


def test_all_lines_since_a_position_of_another_file(path: Path) -> None:
    """Positions of the old one say nothing there: all of the new one came since."""
    path.write_bytes((GOOD + b"\n") * 10)
    registry = JsonlRegistry(path)
    read_all(registry)
    path.write_bytes(b"{}\n" * 3)
    assert [item.line for item in registry.since(9)] == [b"{}"] * 3
    path.unlink()
    assert list(registry.since(9)) == []


def test_lines_since_a_position_that_cannot_be_read_are_not_taken_for_none(path: Path) -> None:
    path.mkdir()
    with pytest.raises(NotWrittenError, match="cannot be read now"):
        JsonlRegistry(path).since(0)
