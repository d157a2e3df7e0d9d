"""Configuration files: read and written whole, with what stood there before kept for the user alone."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from collab_tui.hooks.wiring.files import forget_kept, keep, kept
from collab_tui.protocol.whole_files import Found, look, put
from collab_tui.registry.append import NotWrittenError, RefusedError, UnusableError

is_unix = pytest.mark.skipif(os.name == "nt", reason="modes and links of Unix")
is_no_root = pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everything")


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("XDG_STATE_HOME", "WIN_PD_OVERRIDE_LOCAL_APPDATA"):
        monkeypatch.setenv(name, str(tmp_path / "state"))
    return tmp_path / "state"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / ".claude" / "settings.local.json"


@pytest.fixture
def there(path: Path) -> Path:
    path.parent.mkdir()
    path.write_bytes(b'{\r\n"a": 1}')
    return path


def test_a_file_is_written_byte_for_byte(there: Path) -> None:
    put(look(there), '\ufeff{\r\n"ä": 1}\n')
    assert there.read_bytes() == b'\xef\xbb\xbf{\r\n"\xc3\xa4": 1}\n'
    assert [each.name for each in there.parent.iterdir()] == [there.name]


def test_a_new_file_comes_with_its_folder(path: Path) -> None:
    found = look(path)
    assert found.text is None
    put(found, "{}\n")
    assert path.read_text("utf-8") == "{}\n"


def test_a_file_is_removed(there: Path) -> None:
    put(look(there), None)
    assert not there.exists()


@pytest.mark.parametrize("how", ["changed", "removed", "replaced by a folder"])
def test_what_was_changed_since_it_was_shown_is_not_written(there: Path, how: str) -> None:
    found = look(there)
    there.unlink()
    if how == "changed":
        there.write_bytes(b"{}")
    elif how == "replaced by a folder":
        there.mkdir()
    for text in ("{}", None):
        with pytest.raises((RefusedError, UnusableError)):
            put(found, text)
    assert how != "changed" or there.read_bytes() == b"{}"


def test_what_came_since_it_was_not_there_is_not_written_over(path: Path) -> None:
    found = look(path)
    path.parent.mkdir()
    path.write_bytes(b"mine")
    with pytest.raises(RefusedError, match="was changed meanwhile, so nothing was written"):
        put(found, "{}")
    assert path.read_bytes() == b"mine"


@is_unix
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664])
def test_mode_and_owner_stay(there: Path, mode: int) -> None:
    there.chmod(mode)
    before = there.stat()
    found = look(there)
    put(found, "{}")
    now = there.stat()
    assert (now.st_mode, now.st_uid, now.st_gid) == (before.st_mode, before.st_uid, before.st_gid)


@is_unix
@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root gives files away")
def test_a_file_of_another_stays_the_other_s(there: Path) -> None:
    os.chown(there, 12345, 54321)
    put(look(there), "{}")
    assert (there.stat().st_uid, there.stat().st_gid) == (12345, 54321)


@is_unix
def test_a_link_stays_a_link(tmp_path: Path, path: Path) -> None:
    target = tmp_path / "dotfiles" / "claude.json"
    target.parent.mkdir()
    target.write_bytes(b"{}")
    path.parent.mkdir()
    path.symlink_to("../dotfiles/claude.json")
    found = look(path)
    copy = keep(found)
    put(found, '{"a": 1}')
    assert path.is_symlink()
    assert target.read_bytes() == b'{"a": 1}'
    assert [each.name for each in target.parent.iterdir()] == ["claude.json"]
    assert list(path.parent.iterdir()) == [path]
    assert copy is not None
    assert copy.read_bytes() == b"{}"


@is_unix
def test_a_link_to_nothing_yet_is_followed(tmp_path: Path, path: Path) -> None:
    path.parent.mkdir()
    path.symlink_to(tmp_path / "dotfiles" / "claude.json")
    put(look(path), "{}")
    assert (tmp_path / "dotfiles" / "claude.json").read_bytes() == b"{}"


@is_unix
def test_links_in_a_circle_and_folders_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(UnusableError, match=r"cannot read .*a: "):
        look(tmp_path / "a")
    with pytest.raises(UnusableError, match="it is no file"):
        look(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UnusableError, match="it is no file"):
        look(tmp_path / "pipe")


def test_text_that_is_not_utf_8_is_refused_with_its_line(there: Path) -> None:
    there.write_bytes(b'{\n"a": "\xe9"}')
    with pytest.raises(UnusableError, match=":2: it is not UTF-8"):
        _ = look(there).text


@is_unix
@is_no_root
def test_a_folder_that_cannot_be_written_is_told(there: Path) -> None:
    found = look(there)
    there.parent.chmod(0o500)
    try:
        with pytest.raises(NotWrittenError, match=f"cannot write {there}: "):
            put(found, "{}")
    finally:
        there.parent.chmod(0o700)
    assert look(there) == found


def test_where_nothing_can_be_kept_it_is_told(there: Path, state: Path) -> None:
    state.touch()
    with pytest.raises(NotWrittenError, match=r"cannot keep .*json as "):
        keep(look(there))


def test_a_folder_that_is_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / ".claude").touch()
    path = tmp_path / ".claude" / "settings.json"
    with pytest.raises((NotWrittenError, UnusableError), match=r"settings\.json"):
        put(Found(path, path, None), "{}")


@pytest.mark.skipif(os.name == "nt" or not Path("/dev/full").exists(), reason="a disk that is full")
def test_nothing_is_left_of_a_file_that_could_not_be_written(there: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fsync(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fsync)
    found = look(there)
    with pytest.raises(NotWrittenError, match="No space left on device"):
        put(found, "{}")
    with pytest.raises(NotWrittenError, match="No space left on device"):
        keep(found)
    assert look(there) == found
    assert [each.name for each in there.parent.iterdir()] == [there.name]


# What is kept


@is_unix
def test_only_the_user_reads_what_is_kept_and_no_git_finds_it(there: Path, state: Path) -> None:
    there.chmod(0o644)
    copy = keep(look(there))
    assert copy is not None
    assert [stat.S_IMODE(each.stat().st_mode) for each in (copy, copy.parent)] == [0o600, 0o700]
    assert state in copy.parents
    assert list(there.parent.iterdir()) == [there]


def test_two_files_of_one_name_are_kept_apart(there: Path, tmp_path: Path) -> None:
    other = tmp_path / "other" / ".claude" / there.name
    other.parent.mkdir(parents=True)
    other.write_bytes(b"{}")
    assert (keep(look(there)), keep(look(other))) == (kept(there), kept(other))
    assert kept(there) != kept(other)


def test_what_was_kept_is_never_replaced(there: Path) -> None:
    first = keep(look(there))
    there.write_bytes(b"second")
    second = keep(look(there))
    assert first is not None
    assert second is not None
    assert second.name == f"{first.name}.2"
    assert (first.read_bytes(), second.read_bytes()) == (b'{\r\n"a": 1}', b"second")
    assert kept(there) == second


def test_the_same_is_kept_once(there: Path) -> None:
    assert keep(look(there)) == keep(look(there))


def test_of_nothing_nothing_is_kept(path: Path) -> None:
    assert keep(look(path)) is None
    assert kept(path) is None
    assert forget_kept(path) is None


def test_what_stands_there_again_need_not_be_kept(there: Path) -> None:
    keep(look(there))
    assert forget_kept(there) is None
    assert kept(there) is None
    copy = keep(look(there))
    there.write_bytes(b"other")
    assert forget_kept(there) == copy
    assert copy is not None
    assert copy.exists()
