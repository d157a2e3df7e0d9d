"""Output in a file: the latest, never more than its bounds, for the user's eyes only."""

from __future__ import annotations

import asyncio
import os
import tempfile
import threading
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collab_tui.processes.output import OutputLog, OutputWriter


@given(st.lists(st.binary(max_size=40), max_size=40))
def test_what_is_kept_is_the_end_of_what_was_written_within_bounds(pieces: list[bytes]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        logs = [OutputLog(Path(folder) / "new" / "1.log", 30) for _ in range(2)]
        for number, piece in enumerate(pieces):
            assert logs[number % 2].append(piece)
        parts = [path.read_bytes() for path in (logs[0].before, logs[0].path) if path.exists()]
    assert all(len(part) <= 30 for part in parts)
    kept = b"".join(parts)
    written = b"".join(piece[-30:] for piece in pieces)
    assert written.endswith(kept)
    assert len(kept) == len(written) or kept


@pytest.mark.skipif(os.name == "nt", reason="modes of Unix")
def test_it_is_for_the_user_alone_and_no_link_is_followed(tmp_path: Path) -> None:
    log = OutputLog(tmp_path / "logs" / "1.log")
    assert log.append(b"hello")
    assert log.path.stat().st_mode & 0o777 == 0o600
    assert log.path.parent.stat().st_mode & 0o777 == 0o700
    (tmp_path / "target").touch()
    (tmp_path / "link").symlink_to(tmp_path / "target")
    assert not OutputLog(tmp_path / "link").append(b"hello")
    assert (tmp_path / "target").read_bytes() == b""


def test_what_cannot_be_kept_is_said_and_raises_nothing(tmp_path: Path) -> None:
    (tmp_path / "in the way").touch()
    assert not OutputLog(tmp_path / "in the way" / "1.log").append(b"hello")


@pytest.mark.skipif(os.name == "nt", reason="pipes with names")
def test_nothing_waits_for_a_reader_of_a_pipe_or_is_written_to_one(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "1.log")
    assert not OutputLog(tmp_path / "1.log").append(b"hello")
    reader = os.open(tmp_path / "1.log", os.O_RDONLY | os.O_NONBLOCK)
    assert not OutputLog(tmp_path / "1.log").append(b"hello")
    assert os.read(reader, 10) == b""
    os.close(reader)


def test_of_several_that_find_the_file_full_one_puts_it_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    several, most = 8, 100
    log = OutputLog(tmp_path / "1.log", most)
    log.append(b"a" * most)
    genuine, looked = os.replace, threading.Barrier(several)

    def replace_when_all_had_the_time_to_look(*arguments: Path) -> None:
        with suppress(threading.BrokenBarrierError):
            looked.wait(0.1)
        genuine(*arguments)

    monkeypatch.setattr(os, "replace", replace_when_all_had_the_time_to_look)
    writing = [threading.Thread(target=OutputLog(log.path, most).append, args=(b"b",)) for _ in range(several)]
    for thread in writing:
        thread.start()
    for thread in writing:
        thread.join()
    assert log.before.read_bytes() == b"a" * most
    assert log.path.read_bytes() == b"b" * several


async def test_a_loop_does_not_wait_for_the_disk_and_nothing_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    goes_on, genuine = threading.Event(), os.write
    writes: list[bytes] = []

    def write_slowly(descriptor: int, data: bytes) -> int:
        goes_on.wait()
        writes.append(data)
        return genuine(descriptor, data)

    writer = OutputWriter(tmp_path / "1.log")
    with monkeypatch.context() as slow:
        slow.setattr("collab_tui.processes.output.os.write", write_slowly)
        for number in range(1000):
            writer.append(b"%d\n" % number)
            await asyncio.sleep(0)
        goes_on.set()
        await writer.written()
    assert (tmp_path / "1.log").read_bytes() == b"".join(b"%d\n" % number for number in range(1000))
    assert len(writes) == 2, "what came while the disk was busy was written together"
