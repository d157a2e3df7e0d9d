"""What one append writes, and what it refuses."""

from __future__ import annotations

import json
import os
import re
import stat
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collab_tui.model.event import parse_time
from collab_tui.registry import append as appending
from collab_tui.registry.append import (
    MAX_LINE,
    NotWrittenError,
    RefusedError,
    RegistryError,
    UnusableError,
    append,
    append_all,
    encode,
)
from collab_tui.registry.timestamps import is_time

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
EVENT = {"agent": "sena", "event": "message"}
NOW = 1_760_000_000.25
STAMP = "2025-10-09T08:53:20.250Z"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "registry.jsonl"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(appending.time, "time", lambda: NOW)


def lines(path: Path) -> list[bytes]:
    content = path.read_bytes()
    assert content.endswith(b"\n")
    return content.split(b"\n")[:-1]


def test_gives_the_event_back_as_written(path: Path) -> None:
    written = append(str(path), {**EVENT, "progress": 40})
    assert [json.loads(line) for line in lines(path)] == [written]
    assert list(written) == ["id", "timestamp", "agent", "event", "progress"]
    assert re.fullmatch(r"[0-9a-f]{16}", written["id"])
    assert TIME.fullmatch(written["timestamp"])


def test_ids_differ(path: Path) -> None:
    assert len({append(str(path), EVENT, durable=False)["id"] for _ in range(50)}) == 50


def test_keeps_an_id_and_a_timestamp_of_the_caller(path: Path) -> None:
    given_event = {**EVENT, "id": "a" * 16, "timestamp": "2020-01-01T00:00:00.000Z"}
    assert append(str(path), given_event) == given_event


@pytest.mark.parametrize("bad", [None, 5, "", " ", ["a"], {"a": "b"}, True])
def test_an_id_that_is_no_text_is_refused(path: Path, bad: object) -> None:
    with pytest.raises(UnusableError, match="the id of an event is a text"):
        append(str(path), {**EVENT, "id": bad})
    assert list(path.parent.iterdir()) == []


@pytest.mark.parametrize(
    "bad",
    [
        *(None, 1_760_000_000, "", "yesterday", "2026-01-05", "2026-01-05T08:00:00", "2026-01-05 08:00:00Z"),
        *("2026-13-05T08:00:00Z", "2026-00-05T08:00:00Z", "2026-02-29T08:00:00Z", "2100-02-29T08:00:00Z"),
        *("2026-04-31T08:00:00Z", "2026-01-05T24:00:00Z", "2026-01-05T08:60:00Z", "2026-01-05T08:00:60Z"),
        *("2026-01-05T08:00:00+24:00", "2026-01-05T08:00:00.Z", "2026-01-05T08:00:00Z\n", "٢026-01-05T08:00:00Z"),
        *("0000-00-00T00:00:00.000Z", "1969-12-31T23:59:59Z", "9999-01-01T00:00:00Z"),
    ],
)
def test_a_time_that_cannot_be_read_is_refused(path: Path, bad: object) -> None:
    with pytest.raises(UnusableError, match="the timestamp of an event is an RFC 3339 time"):
        append(str(path), {**EVENT, "timestamp": bad})
    assert list(path.parent.iterdir()) == []


@given(st.integers(86_400, 32_000_000_000), st.integers(-1439, 1439), st.sampled_from(["seconds", "milliseconds"]))
def test_every_time_that_python_writes_is_taken(seconds: int, offset: int, precision: str) -> None:
    moment = datetime.fromtimestamp(seconds, timezone(timedelta(minutes=offset)))
    assert is_time(moment.isoformat(timespec=precision))


@given(st.from_regex(r"(19[67]|2[01269])\d-[0-1]\d-[0-3]\dT[0-2]\d:[0-6]\d:[0-6]\d(\.\d{1,9})?(Z|[+-][0-2]\d:[0-6]\d)"))
def test_no_time_is_taken_that_the_board_cannot_read(text: str) -> None:
    assert not is_time(text) or parse_time(text) is not None


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize(
    "event",
    [
        {"id": appending._NO_TIME},
        {"id": f'","timestamp":"{appending._NO_TIME}"'},
        {"id": f'x\\","timestamp":"{appending._NO_TIME}'},
        {"message": f'","timestamp":"{appending._NO_TIME}"'},
        {f'a","timestamp":"{appending._NO_TIME}"': appending._NO_TIME},
        {"inner": {"id": "a", "timestamp": appending._NO_TIME}},
    ],
    ids=str,
)
def test_only_the_time_is_stamped(path: Path, event: dict[str, Any]) -> None:
    written = append(str(path), {**event, **EVENT})
    assert written == {"id": written["id"], **event, **EVENT, "timestamp": STAMP}
    assert [json.loads(line) for line in lines(path)] == [written]


@pytest.mark.usefixtures("clock")
def test_time_is_utc_with_milliseconds(path: Path) -> None:
    assert append(str(path), EVENT)["timestamp"] == STAMP


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize(
    ("previous", "expected"),
    [
        ("2025-10-09T08:53:20.100Z", STAMP),
        ("2025-10-09T08:53:20.900Z", "2025-10-09T08:53:20.900Z"),
        ("2025-10-09T08:53:21Z", "2025-10-09T08:53:21.000Z"),
        ("2025-10-09T08:53:20.9Z", "2025-10-09T08:53:20.900Z"),
        ("2025-10-09T08:53:20.250001Z", "2025-10-09T08:53:20.251Z"),
        ("2025-10-09T08:53:20.900500+00:00", "2025-10-09T08:53:20.901Z"),
        ("2025-10-09T08:53:22.000Z", STAMP),  # in our future
        ("2099-01-01T00:00:00.000Z", STAMP),
        ("yesterday", STAMP),
    ],
)
def test_time_is_not_before_the_previous_line(path: Path, previous: str, expected: str) -> None:
    path.write_text(json.dumps({"agent": "x", "timestamp": previous}) + "\n", encoding="utf-8")
    assert append(str(path), EVENT)["timestamp"] == expected


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize("size", [9_000, 900_000])
def test_time_of_a_long_previous_line_counts(path: Path, size: int) -> None:
    long = {"timestamp": "2025-10-09T08:53:20.900Z", "agent": "x", "message": "m" * size}
    path.write_text('{"agent":"y"}\n' + json.dumps(long) + "\n", encoding="utf-8")
    assert append(str(path), EVENT)["timestamp"] == "2025-10-09T08:53:20.900Z"


@pytest.mark.usefixtures("clock")
def test_time_of_an_earlier_line_does_not_count(path: Path) -> None:
    path.write_text('{"timestamp":"2025-10-09T08:53:20.900Z"}\n{"agent":"x"}\n', encoding="utf-8")
    assert append(str(path), EVENT)["timestamp"] == STAMP


def test_korean_stays_readable(path: Path) -> None:
    append(str(path), {**EVENT, "message": "검증을 기다립니다 🚀 é"})
    assert "검증을 기다립니다 🚀 é".encode() in path.read_bytes()


@pytest.mark.parametrize(
    "character",
    [
        *("\0", "\x1b", "\r", "\n", "\x7f", "\x85", "\x9b"),  # control
        *("\u2028", "\u2029"),  # lines
        *("\u061c", "\u200e", "\u202e", "\u2066", "\u2069"),  # bidi
        *("\u200b", "\ufeff", "\xad"),  # invisible
        *("\ud83d", "\udc00"),  # half characters
    ],
)
def test_characters_that_steer_are_escaped(path: Path, character: str) -> None:
    append(str(path), {**EVENT, "message": f"a{character}b", f"k{character}": 1})
    (line,) = lines(path)
    assert line.decode("utf-8").isprintable()
    read = json.loads(line)
    assert read["message"] == f"a{character}b"
    assert read[f"k{character}"] == 1


@given(st.dictionaries(st.text(), st.text(st.characters(exclude_categories=())) | st.integers() | st.none()))
def test_any_event_is_one_line_that_reads_back(event: dict[str, Any]) -> None:
    line = encode(event)
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")
    assert json.loads(line) == event
    text = line.decode("utf-8")  # no half characters
    assert len(text.splitlines()) == 1


@pytest.mark.parametrize("tail", [b'{"agent":"le', b'{"agent":"lena"}', b"\xed\x95", b"\0\0\0", b"{}\r"])
def test_a_torn_tail_is_ended_first(path: Path, tail: bytes) -> None:
    before = b'{"agent":"x"}\n' + tail
    path.write_bytes(before)
    written = append(str(path), EVENT)
    content = path.read_bytes()
    assert content.startswith(before + b"\n{")
    assert json.loads(lines(path)[-1]) == written
    assert len(lines(path)) == 3


def test_nothing_is_ever_rewritten(path: Path) -> None:
    path.write_bytes(b"\xff\xfe rubbish\n\n\0\0\n" + b'{"agent":"x"}')
    for number in range(20):
        before = path.read_bytes()
        append(str(path), {**EVENT, "number": number}, durable=False)
        assert path.read_bytes().startswith(before)
    assert len(lines(path)) == 4 + 20


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
def test_registry_and_lock_are_private(path: Path) -> None:
    before = os.umask(0)
    try:
        append(str(path), EVENT)
    finally:
        os.umask(before)
    for made in (path, Path(f"{path}.lock")):
        assert stat.S_IMODE(made.stat().st_mode) == 0o600


def test_the_mode_of_a_file_that_is_there_stays(path: Path) -> None:
    path.touch(0o644)
    path.chmod(0o644)
    append(str(path), EVENT)
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


@pytest.mark.parametrize("dangling", [False, True])
def test_a_symbolic_link_is_refused(path: Path, tmp_path: Path, dangling: bool) -> None:
    target = tmp_path / "target"
    if not dangling:
        target.write_bytes(b"{}\n")
    path.symlink_to(target)
    with pytest.raises(UnusableError, match="symbolic link"):
        append(str(path), EVENT)
    assert target.exists() is not dangling
    assert dangling or target.read_bytes() == b"{}\n"


def test_a_lock_that_is_a_symbolic_link_is_refused(path: Path, tmp_path: Path) -> None:
    target = tmp_path / "precious"
    target.write_bytes(b"precious")
    Path(f"{path}.lock").symlink_to(target)
    with pytest.raises(UnusableError, match="cannot open the lock"):
        append(str(path), EVENT)
    assert target.read_bytes() == b"precious"
    assert not path.exists()


@pytest.mark.parametrize("suffix", ["", ".lock"])
def test_a_hard_link_is_refused(path: Path, tmp_path: Path, suffix: str) -> None:
    """Of the lock too: the holder's name would be written over what is there."""
    target = tmp_path / "precious"
    target.write_bytes(b"precious\n")
    Path(f"{path}{suffix}").hardlink_to(target)
    with pytest.raises(UnusableError, match=r"a hard link|no file of its own"):
        append(str(path), EVENT)
    assert target.read_bytes() == b"precious\n"
    assert suffix == "" or not path.exists()


def test_a_folder_is_refused(path: Path) -> None:
    path.mkdir()
    with pytest.raises(UnusableError, match="no file that can be appended to"):
        append(str(path), EVENT)
    assert list(path.iterdir()) == []


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no FIFOs here")
def test_a_fifo_is_refused_without_waiting_for_its_reader(path: Path) -> None:
    os.mkfifo(path)
    with pytest.raises(UnusableError, match="not a regular file"):
        append(str(path), EVENT)
    os.mkfifo(f"{path}.other.lock")
    with pytest.raises(UnusableError, match="no file of its own"):
        append(f"{path}.other", EVENT)


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnusableError, match="No such file"):
        append(str(tmp_path / "not" / "there.jsonl"), EVENT)
    assert list(tmp_path.iterdir()) == []


def test_the_longest_line_fits_and_one_byte_more_does_not(path: Path) -> None:
    event = {**EVENT, "id": "0" * 16, "timestamp": STAMP, "message": ""}
    room = MAX_LINE - len(encode(event))
    append(str(path), {**event, "message": "m" * room})
    assert path.stat().st_size == MAX_LINE
    with pytest.raises(UnusableError, match=r"1,048,577 bytes.*1,048,576"):
        append(str(path), {**event, "message": "m" * (room + 1)})
    assert path.stat().st_size == MAX_LINE


@pytest.mark.parametrize("value", [float("nan"), float("inf"), object(), b"bytes", {1, 2}, {(1, 2): 3}])
def test_what_is_no_json_is_refused(path: Path, value: object) -> None:
    with pytest.raises(UnusableError, match="cannot be written as JSON"):
        append(str(path), {**EVENT, "value": value})
    assert list(path.parent.iterdir()) == []


def test_what_is_nested_too_deeply_is_refused(path: Path) -> None:
    value: list[Any] = []
    for _ in range(100_000):
        value = [value]
    with pytest.raises(UnusableError, match="cannot be written as JSON"):
        append(str(path), {**EVENT, "value": value})


def test_unless_refuses_and_writes_nothing(path: Path) -> None:
    path.write_bytes(b'{"torn')
    with pytest.raises(RefusedError, match="answered meanwhile") as caught:
        append(str(path), EVENT, unless=lambda: "answered meanwhile")
    assert caught.value.exit_code == 1
    assert path.read_bytes() == b'{"torn'


def test_unless_that_has_no_objection_lets_it_through(path: Path) -> None:
    append(str(path), EVENT, unless=lambda: None)
    assert len(lines(path)) == 1


def test_unless_runs_under_the_lock(path: Path) -> None:
    def another_cannot_write() -> str | None:
        with pytest.raises(appending.LockedError):
            append(str(path), EVENT, timeout=0)
        return None

    append(str(path), EVENT, unless=another_cannot_write)
    assert len(lines(path)) == 1


def test_an_exception_of_unless_releases_the_lock(path: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        append(str(path), EVENT, unless=lambda: str(1 / 0))
    append(str(path), EVENT, timeout=0)
    assert len(lines(path)) == 1


def test_every_error_is_a_registry_error_with_its_exit_code() -> None:
    codes = {
        kind.__name__: kind.exit_code for kind in RegistryError.__subclasses__() if kind.__module__ == append.__module__
    }
    assert codes == {
        "NotWrittenError": 74,
        "NotDurableError": 74,
        "LockedError": 75,
        "RefusedError": 1,
        "UnusableError": 2,
    }


def test_what_a_rules_program_writes_names_its_cause(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However it writes: by a command, a hook or the library."""
    monkeypatch.setenv("COLLAB_CAUSE", "0123456789abcdef")
    assert append(str(path), EVENT)["caused_by"] == "0123456789abcdef"
    assert append(str(path), {**EVENT, "caused_by": "another"})["caused_by"] == "another"
    assert json.loads(path.read_bytes().splitlines()[-2])["caused_by"] == "0123456789abcdef"
    monkeypatch.setenv("COLLAB_CAUSE", "")
    assert "caused_by" not in append(str(path), EVENT)


def test_several_are_lines_of_one_write_with_one_sync_in_their_order(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []
    for name in ("write", "fsync", "fdatasync"):
        if hasattr(os, name):
            call = getattr(os, name)
            monkeypatch.setattr(
                appending.os, name, lambda *given, call=call, name=name: calls.append(name) or call(*given)
            )
    append(str(path), EVENT)
    calls.clear()
    written = append_all(str(path), [{**EVENT, "n": n, "x": "y" * n * 1000} for n in range(5)])
    assert [json.loads(line) for line in lines(path)[1:]] == written
    assert [line["n"] for line in written] == list(range(5))
    assert sorted(calls) in (["fdatasync", "write"], ["fsync", "write"])


def test_times_of_several_do_not_run_backwards_and_each_is_sealed_whole(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    times = iter((NOW, NOW - 0.5, NOW + 1))
    monkeypatch.setattr(appending.time, "time", lambda: next(times))
    sealed: list[dict[str, Any]] = []
    written = append_all(
        str(path), [{**EVENT, "n": n} for n in range(3)], seal=lambda event: sealed.append(dict(event)) or {"seal": "x"}
    )
    assert [line["timestamp"] for line in written] == [STAMP, STAMP, "2025-10-09T08:53:21.250Z"]
    assert [{**event, "seal": "x"} for event in sealed] == written


def test_of_several_none_is_written_when_one_cannot_be(path: Path) -> None:
    with pytest.raises(UnusableError):
        append_all(str(path), [EVENT, {**EVENT, "n": float("nan")}])
    with pytest.raises(RefusedError):
        append_all(str(path), [EVENT, EVENT], unless=lambda: "no")
    assert not path.exists()


@pytest.mark.parametrize("is_torn", [False, True])
def test_of_several_on_a_full_disk_those_that_fitted_are_given_and_none_is_torn(
    path: Path, monkeypatch: pytest.MonkeyPatch, is_torn: bool
) -> None:
    append(str(path), EVENT)
    if is_torn:
        with path.open("ab") as file:
            file.write(b'{"torn')
    room: list[int] = []
    write = os.write

    def fitting(descriptor: int, data: bytes) -> int:
        return write(descriptor, data[: room.pop()] if room else data)

    monkeypatch.setattr(appending.os, "write", fitting)
    events = [{**EVENT, "id": f"{n:016x}"} for n in range(4)]
    length = len(encode({**events[0], "timestamp": STAMP}))
    room.append(2 * length + length // 2 + is_torn)
    written = append_all(str(path), events)
    assert [line["id"] for line in written] == [f"{n:016x}" for n in range(2)]
    room.append(length // 2)
    with pytest.raises(NotWrittenError, match="is the disk full"):
        append_all(str(path), events[2:])
    append_all(str(path), events[2:])
    whole = [json.loads(line)["id"] for line in lines(path)[1:] if line.endswith(b"}")]
    assert whole == [f"{n:016x}" for n in range(4)]
