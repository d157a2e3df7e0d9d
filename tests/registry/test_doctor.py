"""What is wrong with the file of a registry. Looking changes nothing."""

from __future__ import annotations

import os
import sys
from collections import namedtuple
from pathlib import Path

import pytest

from collab_tui.model.findings import Finding, Severity
from collab_tui.registry import doctor
from collab_tui.registry.append import append
from collab_tui.registry.doctor import check_file
from collab_tui.registry.filesystem import Mount
from tests.events import lines, updates
from tests.registry.test_append_lock import EVENT, held

unix = pytest.mark.skipif(sys.platform == "win32", reason="modes, owners and links are of Unix")


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A healthy registry on a plain local disk."""
    on(monkeypatch, None)
    path = tmp_path / "registry.jsonl"
    path.write_bytes(lines(updates("sena"), updates("lubit")))
    os.chmod(path, 0o600)
    return path


def on(monkeypatch: pytest.MonkeyPatch, kind: str | None, *options: str) -> None:
    """Pretend to be on some mount."""
    monkeypatch.setattr(doctor, "silent_file_system", lambda folder: kind)
    monkeypatch.setattr(doctor, "mount_of", lambda folder: Mount(kind or "ext4", frozenset({"rw", *options})))


def told(path: Path) -> list[tuple[str, Severity]]:
    return [(finding.kind, finding.severity) for finding in check_file(path)]


def only(path: Path) -> Finding:
    (finding,) = check_file(path)
    return finding


def test_a_healthy_file_shows_nothing(path: Path) -> None:
    assert check_file(path) == []
    append(str(path), EVENT)
    assert check_file(path) == []


def test_looking_changes_nothing(path: Path) -> None:
    before = (os.listdir(path.parent), path.read_bytes(), os.stat(path).st_mtime_ns, os.stat(path.parent).st_mtime_ns)
    check_file(path)
    assert before == (
        os.listdir(path.parent),
        path.read_bytes(),
        os.stat(path).st_mtime_ns,
        os.stat(path.parent).st_mtime_ns,
    )


def test_nothing_to_look_at(path: Path) -> None:
    path.unlink()
    with pytest.raises(FileNotFoundError):
        check_file(path)


@unix
@pytest.mark.parametrize(
    ("mode", "severity"),
    [(0o640, None), (0o644, Severity.NOTE), (0o666, Severity.WARNING), (0o602, Severity.WARNING)],
)
def test_who_else_may_read_and_write(path: Path, mode: int, severity: Severity | None) -> None:
    path.chmod(mode)
    assert told(path) == ([("mode", severity)] if severity else [])


@unix
def test_a_group_of_others_that_may_write_is_told_the_users_own_group_is_not(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path.chmod(0o660)
    monkeypatch.setattr(doctor, "_group_name", lambda number: "staff")
    assert told(path) == [("mode", Severity.WARNING)]
    assert "group staff" in only(path).text
    monkeypatch.setattr(doctor, "_group_name", doctor._user_name)
    assert told(path) == []


@unix
def test_a_folder_in_which_everybody_may_replace_the_file(path: Path) -> None:
    path.parent.chmod(0o777)
    assert told(path) == [("folder_mode", Severity.WARNING)]
    path.parent.chmod(0o1777)
    assert told(path) == []


@unix
def test_a_file_of_somebody_else(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: os.stat(path).st_uid + 12345)
    if os.stat(path).st_uid == 0:
        assert told(path) == []
        os.chown(path, 54321, -1)
    assert told(path) == [("owner", Severity.WARNING)]


@unix
def test_links(path: Path, tmp_path: Path) -> None:
    os.symlink(path, tmp_path / "link.jsonl")
    assert only(tmp_path / "link.jsonl").kind == "symbolic_link"
    assert str(path) in only(tmp_path / "link.jsonl").mend
    os.link(path, tmp_path / "second")
    assert told(path) == [("hard_link", Severity.WARNING)]


def test_a_network_drive_is_a_note_with_advice(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.chmod(0o666)
    on(monkeypatch, "nfs4")
    assert told(path) == [("network", Severity.NOTE)]


@pytest.mark.parametrize("option", ["nobrl", "nolock", "local_lock=all", "local_lock=flock"])
def test_locks_that_are_no_locks_are_a_warning(path: Path, monkeypatch: pytest.MonkeyPatch, option: str) -> None:
    on(monkeypatch, "cifs", option, "vers=3.1.1")
    assert told(path) == [("local_locks", Severity.WARNING)]
    assert option in only(path).text


def test_a_drive_that_is_nearly_full(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", ["total", "used", "free"])
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda folder: usage(1 << 40, 1 << 40, 5 << 20))
    assert told(path) == [("disk_full", Severity.WARNING)]
    assert only(path).text.startswith("5 MiB")


def test_a_held_lock_is_a_note_until_writers_give_up(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with held(path) as holder:
        assert told(path) == [("lock_held", Severity.NOTE)]
        assert f"process {holder.pid} (holder.py)" in only(path).text
        os.utime(f"{path}.lock", (0, os.stat(f"{path}.lock").st_mtime - 100))
        assert told(path) == [("lock_held", Severity.ERROR)]
        assert "locked for 1 min" in only(path).text


def test_a_lock_that_cannot_be_used(path: Path) -> None:
    os.mkdir(f"{path}.lock")
    assert told(path) == [("lock_unusable", Severity.WARNING)]


def test_an_unfinished_last_line_is_a_note_while_its_writer_may_be_at_it(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b'{"agent": "se')
    assert told(path) == [("unfinished_line", Severity.NOTE)]
    os.utime(path, (0, 0))
    assert told(path) == [("unfinished_line", Severity.WARNING)]
    assert "13 bytes" in only(path).text


@pytest.mark.parametrize("tail", [b'{"agent": "sena", "event": "x"}', b"  ", b"\n"])
def test_a_whole_event_at_the_end_is_no_unfinished_line(path: Path, tail: bytes) -> None:
    with path.open("ab") as file:
        file.write(tail)
    os.utime(path, (0, 0))
    assert check_file(path) == []


def test_an_empty_file_shows_nothing(path: Path) -> None:
    path.write_bytes(b"")
    assert check_file(path) == []


@pytest.mark.parametrize("may_append", [False, True])
def test_a_file_that_can_only_be_read_is_a_note(path: Path, monkeypatch: pytest.MonkeyPatch, may_append: bool) -> None:
    monkeypatch.setattr(os, "access", lambda place, how: may_append and place != path.parent)
    found = told(path)
    assert found == [("lock_missing", Severity.WARNING) if may_append else ("read_only", Severity.NOTE)]
