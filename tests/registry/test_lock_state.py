"""Who holds the lock, without taking it from anybody."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

if sys.platform != "win32":
    import fcntl

from collab_tui.registry.append import append
from collab_tui.registry.lock_state import LockState, lock_state
from collab_tui.registry.turn import Turn
from tests.program import eventually
from tests.registry.test_append_lock import EVENT, held


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "registry.jsonl"


def sidecar(path: Path) -> str:
    return f"{path}.lock"


def test_a_lock_that_was_never_made_is_free_and_is_not_made(path: Path) -> None:
    assert lock_state(sidecar(path)).state is LockState.FREE
    assert os.listdir(path.parent) == []


def test_a_lock_that_nobody_holds_is_free_and_stays_free(path: Path) -> None:
    append(str(path), EVENT)
    note = Path(sidecar(path)).read_bytes()
    assert lock_state(sidecar(path)).state is LockState.FREE
    append(str(path), EVENT, timeout=0)
    assert Path(sidecar(path)).read_bytes() == note


def test_a_held_lock_names_its_holder_and_stays_held(path: Path) -> None:
    with held(path) as holder:
        found = lock_state(sidecar(path))
        assert (found.state, found.holder) == (LockState.HELD, f"process {holder.pid} (holder.py)")
        assert found.seconds < 60
        assert lock_state(sidecar(path)).state is LockState.HELD
    assert lock_state(sidecar(path)).state is LockState.FREE


def test_of_a_lock_that_is_held_for_long_one_look_tells_as_much(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with held(path):
        monkeypatch.setattr("time.sleep", lambda _: pytest.fail("it waits"))
        assert lock_state(sidecar(path), 1).state is LockState.HELD


@pytest.mark.skipif(sys.platform == "win32", reason="there a look is a lock of its own")
def test_who_looks_whether_a_turn_is_held_keeps_nobody_from_taking_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    turn = Turn(tmp_path)
    assert turn.take()
    turn.end()
    with (tmp_path / "turn.lock").open("rb") as looking:
        fcntl.flock(looking, fcntl.LOCK_SH)
        looks_no_more = iter([lambda: fcntl.flock(looking, fcntl.LOCK_UN)])
        monkeypatch.setattr("time.sleep", lambda _: next(looks_no_more, lambda: None)())
        assert turn.take()
    assert turn.holder()
    turn.end()


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="only Linux tells the state of a process in a file")
def test_a_stopped_holder_is_told(path: Path) -> None:
    with held(path) as holder:
        os.kill(holder.pid, signal.SIGSTOP)
        try:
            eventually(lambda: lock_state(sidecar(path)).state is LockState.STOPPED)
        finally:
            os.kill(holder.pid, signal.SIGCONT)


def test_what_is_no_file_cannot_be_used(path: Path) -> None:
    os.mkdir(sidecar(path))
    assert lock_state(sidecar(path)).state is LockState.UNUSABLE


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_a_link_in_place_of_the_lock_cannot_be_used(path: Path, tmp_path: Path) -> None:
    (tmp_path / "else").touch()
    os.symlink(tmp_path / "else", sidecar(path))
    assert lock_state(sidecar(path)).state is LockState.UNUSABLE


def test_a_note_that_means_harm_is_one_clean_line(path: Path) -> None:
    with held(path):
        with open(sidecar(path), "r+b") as file:
            file.write(b"process \x1b[2J\n\x9b31m" + b" " * 60)
        assert lock_state(sidecar(path)).holder.isprintable()
