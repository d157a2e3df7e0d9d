"""Putting a definition's files into a worktree, and taking out what is ours.

Text that is somebody else's stays byte for byte as it is; a file without our mark is never written over, and no link is
followed.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path, PurePosixPath

from collab_tui.protocol.whole_files import Found, look, put
from collab_tui.registry.append import RegistryError
from collab_tui.sessions.definitions import Definition
from collab_tui.sessions.git import GitError
from collab_tui.sessions.repository import WorktreeError
from collab_tui.sessions.syncing.blocks import Block, DamagedError, block_in, with_block, without
from collab_tui.sessions.syncing.excluding import excluding
from collab_tui.sessions.syncing.files import AGENTS_FOLDER, SHARED_FILES, Wanted, mark, wanted


class SyncError(WorktreeError):
    """A file cannot be written or changed; the text says which, why, and what to do about it."""


def sync(definition: Definition, folder: Path) -> list[Path]:
    """Make the files in a worktree what the definition says; gives those that now hold what is ours.

    What stood there of another definition is taken out. Called again, it changes nothing. Raises `SyncError`.
    """
    return _bring_about(wanted(definition), folder)


def clear(folder: Path) -> None:
    """Take out of a worktree all that is ours. Raises `SyncError`."""
    _bring_about(Wanted({}, {}), folder)


async def keep_out(folder: Path, private: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """What a session needs in its environment so that its agent commits nothing of a worktree that is ours alone.

    What that needs of files is put into the session's `private` folder. Raises `SyncError`.
    """
    made = [name for name in names_in(folder) if is_only_ours(name, None, read(folder, name))]
    try:
        return await excluding(folder, made, private, environment)
    except (GitError, RegistryError) as error:
        raise SyncError(f"{folder}: {error}") from error


def names_in(folder: Path) -> Sequence[str]:
    """Files of a worktree in which there may be something of ours."""
    return (*SHARED_FILES, *_own_files(folder))


def read(folder: Path, name: str) -> bytes | None:
    """Such a file; None where it is not there, or is none that we would have written."""
    found = _look(folder, name, is_needed=False)
    return found.data if found is not None else None


def is_only_ours(name: str, before: bytes | None, now: bytes | None) -> bool:
    """Two states of such a file differ, by what is ours alone; None: it is not there."""
    try:
        return before != now and _others(name, before) == _others(name, now)
    except (UnicodeDecodeError, DamagedError):
        return False


def _others(name: str, data: bytes | None) -> str | None:
    """What is not ours in a file; None: it would not be there without us."""
    if data is None or (name.startswith(f"{AGENTS_FOLDER}/") and _is_marked(data, name)):
        return None
    text = data.decode("utf-8")
    ours = block_in(text)
    return without(text) or (None if ours is not None and ours.is_made else "")


def _bring_about(what: Wanted, folder: Path) -> list[Path]:
    ours = [name for name in SHARED_FILES if _with_block(folder, name, what.shared.get(name))]
    ours += [name for name in sorted({*_own_files(folder), *what.own}) if _own_file(folder, name, what.own.get(name))]
    return [folder / name for name in ours]


def _with_block(folder: Path, name: str, body: str | None) -> bool:
    """Bring our block in a shared file up to date, or take it out, and say whether it is there then."""
    found = _look(folder, name, is_needed=body is not None)
    if found is None or (found.data is None and body is None):
        return False

    def change() -> None:
        text = found.text or ""
        standing = block_in(text)
        is_made = found.data is None or (standing is not None and standing.is_made)
        if body is not None:
            after: str | None = with_block(text, Block(is_made, body))
        else:
            after = without(text) or (None if is_made else "")
        if after != found.text:
            put(found, after)

    _told(found.path, change)
    return body is not None


def _own_file(folder: Path, name: str, text: str | None) -> bool:
    """Write or remove a file that is ours alone, and say whether it is there then.

    One without our mark is somebody else's and stays.
    """
    found = _look(folder, name, is_needed=text is not None)
    if found is None or (found.data is not None and not _is_marked(found.data, name)):
        return False
    if (text.encode() if text is not None else None) != found.data:
        _told(found.path, lambda: put(found, text))
    return text is not None


def _own_files(folder: Path) -> Iterator[str]:
    """Files of agents that there are, as seen from the folder."""
    place = folder / AGENTS_FOLDER
    with suppress(OSError):  # there are none
        if not _has_link(folder, AGENTS_FOLDER):
            yield from (f"{AGENTS_FOLDER}/{file.name}" for file in sorted(place.glob("*.md")) if not file.is_symlink())


def _is_marked(data: bytes, name: str) -> bool:
    return mark(PurePosixPath(name).stem).encode() in data.splitlines()


def _look(folder: Path, name: str, *, is_needed: bool) -> Found | None:
    """The file as it is. Raises `SyncError` for one that cannot be used; None where that does not matter."""
    try:
        if link := _has_link(folder, name):
            raise SyncError(f"{link} is a symbolic link, and nothing is written through one: put the file itself there")
        return look(folder / name)
    except RegistryError as error:
        if is_needed:
            raise SyncError(str(error)) from error
    except SyncError:
        if is_needed:
            raise
    return None


def _has_link(folder: Path, name: str) -> Path | None:
    """The first link on the way to a file below a folder."""
    place = folder
    for part in Path(name).parts:
        place /= part
        if place.is_symlink():
            return place
    return None


def _told(path: Path, change: Callable[[], None]) -> None:
    try:
        change()
    except (RegistryError, DamagedError) as error:
        text = str(error)
        raise SyncError(text if os.fspath(path) in text else f"{path}: {text}") from error
    except OSError as error:
        raise SyncError(f"cannot write {path}: {error.strerror}") from error
