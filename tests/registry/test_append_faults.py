"""Full disks and failing system calls: a clear error, never a false acknowledgement, and the next append is clean."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from collab_tui.registry import append as appending
from collab_tui.registry.append import NotDurableError, NotWrittenError, append

ROOT = Path(appending.__file__).parents[2]
EVENT = {"agent": "sena", "event": "message"}
FIRST = b'{"agent":"x"}\n'

pytestmark = pytest.mark.skipif(os.name == "nt", reason="POSIX faults")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "registry.jsonl"
    path.write_bytes(FIRST)
    return path


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)]
    try:
        mounted = subprocess.run(command, capture_output=True).returncode == 0
    except OSError:
        mounted = False
    if not mounted:
        pytest.skip("mounting is not allowed here; the file size limit stands in")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def open_descriptors() -> set[str]:
    return set(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else set()


def fill(folder: Path, leave: int = 0) -> Path:
    """Use up a disk but for so many bytes."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while file.write(b"f" * 512):
                pass
        except OSError:
            pass
        file.truncate(file.tell() - leave)
    return filler


def test_disk_full(small_disk: Path) -> None:
    path = small_disk / "registry.jsonl"
    append(str(path), EVENT)
    before = path.read_bytes()
    filler = fill(small_disk)
    with pytest.raises(NotWrittenError, match="disk full"):
        append(str(path), {**EVENT, "message": "m" * 10_000})
    with pytest.raises(NotWrittenError, match="No space left"):  # not even the rest of the file's last page is left
        append(str(path), {**EVENT, "message": "m" * 10_000})
    assert path.read_bytes().startswith(before)
    filler.unlink()
    written = append(str(path), EVENT)
    assert json.loads(path.read_bytes().split(b"\n")[-2]) == written


def test_disk_full_before_the_first_append(small_disk: Path) -> None:
    filler = fill(small_disk)
    path = small_disk / "registry.jsonl"
    with pytest.raises(NotWrittenError, match="No space left"):
        append(str(path), EVENT)
    filler.unlink()
    written = append(str(path), EVENT)
    assert [json.loads(line) for line in path.read_bytes().splitlines()] == [written]


def test_disk_full_in_the_middle_of_a_line(small_disk: Path) -> None:
    path = small_disk / "registry.jsonl"
    kept = append(str(path), EVENT)
    filler = fill(small_disk, leave=8192)
    with pytest.raises(NotWrittenError, match=r"only .* fitted into .* is the disk full"):
        append(str(path), {**EVENT, "message": "m" * 30_000})
    filler.unlink()
    written = append(str(path), EVENT)
    first, torn, last = path.read_bytes().splitlines()
    assert json.loads(first) == kept
    assert torn.endswith(b"mmm")
    assert json.loads(last) == written


def test_file_size_limit(path: Path) -> None:
    """The whole thing in a process of its own, because the limit is the process's."""
    script = """
import resource, signal, sys
sys.path.insert(0, sys.argv[2])
from collab_tui.registry.append import NotWrittenError, append
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (5000, resource.RLIM_INFINITY))
event = {"agent": "sena", "event": "message", "message": "m" * 10_000}
for _ in range(2):
    try:
        append(sys.argv[1], event)
    except NotWrittenError as error:
        print(error)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
append(sys.argv[1], event)
"""
    command = [sys.executable, "-I", "-B", "-c", script, str(path), str(ROOT)]
    done = subprocess.run(command, capture_output=True, check=True, encoding="utf-8")
    partial, nothing = done.stdout.splitlines()
    assert "fitted into" in partial
    assert "nothing was written" in nothing
    lines = path.read_bytes().splitlines()
    assert lines[0] + b"\n" == FIRST
    assert len(lines) == 3
    assert json.loads(lines[2])["message"] == "m" * 10_000


def test_a_short_write_is_not_acknowledged_and_ended(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    genuine = os.write

    def half(descriptor: int, data: bytes) -> int:
        is_line = data.startswith(b'{"id"')
        return genuine(descriptor, data[: len(data) // 2] if is_line else data)

    monkeypatch.setattr(os, "write", half)
    with pytest.raises(NotWrittenError, match=r"only \d+ of \d+ bytes"):
        append(str(path), EVENT)
    monkeypatch.undo()
    assert path.read_bytes().endswith(b"\n")
    written = append(str(path), EVENT)
    lines = path.read_bytes().split(b"\n")
    assert len(lines) == 4
    assert lines[1].startswith(b'{"id"')
    assert json.loads(lines[2]) == written


def failing(code: int) -> Callable[..., Any]:
    def fail(*_: object) -> Any:
        raise OSError(code, os.strerror(code))

    return fail


@pytest.mark.parametrize("code", [errno.EIO, errno.ENOSPC])
def test_a_failed_sync_says_that_the_line_may_not_last(path: Path, monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    monkeypatch.setattr(os, "fdatasync", failing(code))
    before = open_descriptors()
    with pytest.raises(NotDurableError, match="perhaps not to the disk") as caught:
        append(str(path), EVENT)
    assert caught.value.exit_code == 74
    assert open_descriptors() <= before  # what an earlier test left may be closed by now
    assert path.read_bytes().count(b"\n") == 2
    append(str(path), EVENT, durable=False)


def test_a_sync_is_not_tried_twice(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    monkeypatch.setattr(os, "fdatasync", lambda descriptor: calls.append(descriptor) or failing(errno.EIO)())
    with pytest.raises(NotDurableError):
        append(str(path), EVENT)
    assert len(calls) == 1


def test_a_failed_close_says_so(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    genuine = os.close
    written: list[int] = []
    genuine_write = os.write

    def note(descriptor: int, data: bytes) -> int:
        if data.startswith(b'{"id"'):
            written.append(descriptor)
        return genuine_write(descriptor, data)

    def close(descriptor: int) -> None:
        genuine(descriptor)
        if descriptor in written:
            raise OSError(errno.EDQUOT, os.strerror(errno.EDQUOT))

    monkeypatch.setattr(os, "write", note)
    monkeypatch.setattr(os, "close", close)
    with pytest.raises(NotDurableError, match="could not be closed"):
        append(str(path), EVENT)
    monkeypatch.undo()
    append(str(path), EVENT, timeout=0)


CALLS = ("open", "fstat", "lseek", "read", "write", "fdatasync", "close")


@pytest.mark.parametrize("exists", [True, False])
@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("code", [errno.EIO, errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.ESTALE])
def test_a_fault_at_every_system_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, name: str, exists: bool
) -> None:
    """Whatever fails, at whichever call: an error of ours or the line is there; never a raw error, a leak, a lock."""
    genuine = getattr(os, name)
    faults = 0
    for nth in range(1, 12):
        path = tmp_path / f"{nth}.jsonl"
        if exists:
            path.write_bytes(FIRST)
        seen = 0

        def faulty(*arguments: Any, nth: int = nth, **keywords: Any) -> Any:
            nonlocal seen
            seen += 1
            if seen == nth:
                if name == "close":
                    genuine(*arguments)
                raise OSError(code, os.strerror(code))
            return genuine(*arguments, **keywords)

        acknowledged = None
        before = open_descriptors()
        with monkeypatch.context() as patch:
            patch.setattr(os, name, faulty)
            try:
                acknowledged = append(str(path), EVENT)
            except (NotWrittenError, NotDurableError) as error:
                told = str(error)
            else:
                told = ""
        if seen < nth:
            break
        faults += 1
        assert acknowledged is not None or os.strerror(code) in told
        assert open_descriptors() <= before
        last = append(str(path), EVENT, timeout=0)
        events = [json.loads(line) for line in path.read_bytes().splitlines()]
        assert events[-1] == last
        assert acknowledged is None or events[-2] == acknowledged
    assert faults
    assert seen < nth, "every call was tried"
