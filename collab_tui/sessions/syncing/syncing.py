"""Putting a definition's files into a worktree, and taking out what is ours.

Text that is somebody else's stays byte for byte as it is; a file without our mark is never written over, and no link is
followed.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import Final

from collab_tui.protocol.whole_files import Found, look, put
from collab_tui.registry.append import RegistryError
from collab_tui.sessions.definitions import Definition
from collab_tui.sessions.repository import WorktreeError
from collab_tui.sessions.syncing.blocks import Block, DamagedError, Style, blocks, with_block, without
from collab_tui.sessions.syncing.excluding import exclude
from collab_tui.sessions.syncing.files import AGENTS_FOLDER, SHARED_FILES, Wanted, mark, wanted

_NAME: Final = "definition"
"""Of our block."""


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


def is_only_ours(before: bytes, now: bytes) -> bool:
    """Two states of a file differ by our block alone."""
    try:
        return _others(before) == _others(now)
    except (UnicodeDecodeError, DamagedError):
        return False


def _others(data: bytes) -> str:
    return without(data.decode("utf-8"), Style.MARKDOWN)


def _bring_about(what: Wanted, folder: Path) -> list[Path]:
    ours, made = [], []
    for name in SHARED_FILES:
        if (standing := _with_block(folder, name, what.shared.get(name))) is not None:
            ours.append(folder / name)
            made += [name] if standing.is_made else []
    for name in sorted({*_own_files(folder), *what.own}):
        if _own_file(folder, name, what.own.get(name)):
            ours.append(folder / name)
            made.append(name)
    _told(folder / ".git", lambda: exclude(folder, made))
    return ours


def _with_block(folder: Path, name: str, body: str | None) -> Block | None:
    """Bring our block in a shared file up to date, or take it out; gives what then stands there."""
    found = _look(folder, name, is_needed=body is not None)
    if found is None or (found.data is None and body is None):
        return None
    block: Block | None = None

    def change() -> None:
        nonlocal block
        text = found.text or ""
        is_made = found.data is None or any(standing.is_made for standing in blocks(text, Style.MARKDOWN))
        if body is not None:
            block = Block(_NAME, is_made, body)
            after: str | None = with_block(text, Style.MARKDOWN, block)
        else:
            after = without(text, Style.MARKDOWN) or (None if is_made else "")
        if after != found.text:
            put(found, after)

    _told(found.path, change)
    return block


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
