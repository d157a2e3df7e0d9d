"""The lock that all our writers share."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from collab_tui.registry import append as appending
from collab_tui.registry.append import LockedError, NotWrittenError, append

ROOT = Path(appending.__file__).parents[2]
EVENT = {"agent": "sena", "event": "message"}
HOLDER = """
import sys
sys.path.insert(0, sys.argv[2])
from collab_tui.registry.append import append

def hold():
    print("held", flush=True)
    sys.stdin.read()

sys.argv[0] = "holder.py"
append(sys.argv[1], {"agent": "lubit", "event": "message"}, unless=hold)
"""


@contextmanager
def held(path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Another process that holds the lock until its input ends, and then writes its line."""
    command = [sys.executable, "-I", "-c", HOLDER, str(path), str(ROOT)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        yield process
    assert process.returncode == 0


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "registry.jsonl"


def test_the_time_limit_names_the_holder(path: Path) -> None:
    with held(path) as holder:
        with pytest.raises(LockedError) as caught:
            append(str(path), EVENT, timeout=0.02)
        assert not path.exists()
    assert f"process {holder.pid} (holder.py)" in str(caught.value)
    assert str(path) in str(caught.value)
    assert "0.02 s" in str(caught.value)
    assert caught.value.exit_code == 75
    append(str(path), EVENT, timeout=0)
    assert path.read_bytes().count(b"\n") == 2


@pytest.mark.parametrize(
    ("note", "told"),
    [
        (b"process 1 (emit.py)" + b" " * 43 + b"\n", "process 1 (emit.py)"),
        (b"process 1 (my (own) writer)\n", "process 1 (my (own) writer)"),
        (b"process 1 (" + b"n" * 40 + b")\n", "process 1 (" + "n" * 40 + ")"),
        (b"process 1\x1b]0;pwn\x07\x1b[2J", "another writer"),
        (b"process 1 (\x1b[2J)", "another writer"),
        (b"process 1 (\x9b2J)", "another writer"),
        (b"nobody at all", "another writer"),
        (b"", "another writer"),
    ],
)
def test_the_holder_is_named_only_as_our_writers_note_it(path: Path, note: bytes, told: str) -> None:
    """Whoever may append can write into the sidecar too."""
    with held(path) as holder:
        Path(f"{path}.lock").write_bytes(note)
        with pytest.raises(LockedError) as caught:
            append(str(path), EVENT, timeout=0)
        assert holder.poll() is None
    assert str(caught.value) == f"{path} is locked by {told} since over 0 s; try again"


def test_a_killed_holder_leaves_no_lock(path: Path) -> None:
    command = [sys.executable, "-I", "-c", HOLDER, str(path), str(ROOT)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        process.kill()
    append(str(path), EVENT, timeout=0)
    assert path.read_bytes().count(b"\n") == 1


@pytest.mark.skipif(os.name == "nt", reason="processes cannot be stopped")
def test_a_stopped_holder_is_named_and_nothing_is_lost_when_it_goes_on(path: Path) -> None:
    with held(path) as holder:
        holder.send_signal(signal.SIGSTOP)
        for _ in range(2):
            with pytest.raises(LockedError, match=f"locked by process {holder.pid} "):
                append(str(path), EVENT, timeout=0.02)
        assert not path.exists()
        holder.send_signal(signal.SIGCONT)
    append(str(path), EVENT, timeout=0)
    agents = [json.loads(line)["agent"] for line in path.read_bytes().splitlines()]
    assert agents == ["lubit", "sena"]


def test_a_writer_waits_for_the_lock(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with held(path) as holder:
        waits: list[float] = []

        def release(seconds: float) -> None:
            if not waits:
                assert holder.stdin is not None
                holder.stdin.close()
                holder.wait()
            waits.append(seconds)

        monkeypatch.setattr(appending.time, "sleep", release)
        append(str(path), EVENT)
    assert len(waits) == 1
    agents = [line.split(b'"agent":"')[1][:5] for line in path.read_bytes().splitlines()]
    assert agents == [b"lubit", b'sena"']


@pytest.mark.skipif(os.name == "nt", reason="Windows deletes no open file")
def test_a_sidecar_deleted_while_waiting_lets_no_second_writer_in(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A writer that waited on a deleted sidecar has to lock the one that took its place."""
    sidecar = Path(f"{path}.lock")
    genuine = appending._try_lock
    replaced: list[bool] = []

    def delete_then_lock(descriptor: int) -> bool:
        if not replaced:
            replaced.append(True)
            sidecar.unlink()
            sidecar.touch()
        return genuine(descriptor)

    monkeypatch.setattr(appending, "_try_lock", delete_then_lock)

    def another_cannot_write() -> str | None:
        with pytest.raises(LockedError):
            append(str(path), EVENT, timeout=0)
        return None

    append(str(path), EVENT, unless=another_cannot_write)
    assert replaced
    assert path.read_bytes().count(b"\n") == 1


@pytest.mark.skipif(os.name == "nt", reason="Windows deletes no open file")
def test_a_sidecar_that_is_gone_when_locked_is_made_again(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sidecar = Path(f"{path}.lock")
    genuine = appending._try_lock
    locked: list[bool] = []

    def lock_then_delete(descriptor: int) -> bool:
        locked.append(genuine(descriptor))
        if len(locked) == 1:
            sidecar.unlink()
        return locked[-1]

    monkeypatch.setattr(appending, "_try_lock", lock_then_delete)
    append(str(path), EVENT)
    assert locked == [True, True]
    assert sidecar.exists()


@pytest.mark.skipif(os.name == "nt", reason="flock")
@pytest.mark.parametrize("code", [errno.EAGAIN, errno.EACCES])
def test_smb_says_eacces_for_a_held_lock(path: Path, monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    def busy(descriptor: int, operation: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(appending.fcntl, "flock", busy)
    with pytest.raises(LockedError, match="locked by another writer"):
        append(str(path), EVENT, timeout=0)
    assert not path.exists()


@pytest.mark.skipif(os.name == "nt", reason="flock")
def test_a_file_system_without_locks_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unsupported(descriptor: int, operation: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(appending.fcntl, "flock", unsupported)
    with pytest.raises(NotWrittenError, match="cannot lock files"):
        append(str(path), EVENT)
    assert not path.exists()
