"""An agent's memory file: what it wants to know next time, in sections with dates. It is only ever added to.

It lies beside the registry as `<agent>_session_memory.md`; a name and a folder of its own stand in the settings, under
`[agents.NAME]`. Through us only its owner adds to it. Writers share the lock of `registry.append`, so that no section
is lost or split; whoever edits the file by hand meanwhile is not locked out.
"""

from __future__ import annotations

import errno
import os
import stat
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from collab_tui.config import Config, user_config_file
from collab_tui.config.values import WrongError, memory_name
from collab_tui.model.text import clean, one_line
from collab_tui.model.words import name_key
from collab_tui.registry.append import RefusedError, UnusableError, append_line

MAX_SECTION: Final = 1 << 16
"""Bytes that may be added at once."""
_MAX_SHOWN: Final = 1 << 20
_LAST: Final = 1 << 14
"""Bytes from the end in which the last section is looked for."""
_SUFFIX: Final = "_session_memory.md"
_FLAGS: Final = (
    os.O_RDONLY
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_BINARY", 0)
)


@dataclass(frozen=True, slots=True)
class Section:
    """The end of a memory file."""

    text: str
    """Cleaned."""
    is_cut: bool
    """There is more before it that was not read."""


def memory_file(name: str, registry: Path, config: Config) -> Path:
    """Where the memory of an agent is, whether or not it is there.

    Raises `UnusableError` for a name that makes no file name, for a folder outside the project that a project's file
    sets, and for a file that is another's too.
    """
    file = _file(name, registry, config)
    for other in _others(name, file, config):
        if _has(other, file, registry, config):
            raise UnusableError(
                f"{file} would be the memory of {one_line(name)} and of {one_line(other)}, and only its owner writes "
                f"it: give one of them another{_place(name, config) or _place(other, config)}"
            )
    return file


def add(name: str, by: str, text: str, registry: Path, config: Config, now: datetime) -> Path:
    """Add a dated section to the memory of an agent; gives its file.

    Raises `RefusedError` when `by` is another, `UnusableError` for what cannot be added or added to, and what `append`
    raises: then nothing that was there is lost.
    """
    if name_key(by) != name_key(name):
        raise RefusedError(
            f"the memory of {one_line(name)} is written by {one_line(name)} alone, and this is {one_line(by)}; send it "
            "a message instead. Nothing was written"
        )
    body = "\n".join(line.rstrip() for line in clean(text).strip().splitlines())
    if not body:
        raise UnusableError("what is to be kept? Give a TEXT, or - to read it from standard input")
    file = memory_file(name, registry, config)
    section = f"## {now.astimezone(UTC):%Y-%m-%d %H:%M} UTC\n\n{body}\n"
    if len(section.encode()) > MAX_SECTION:
        raise UnusableError(f"a section may have {MAX_SECTION:,} bytes: put the long part in a file and name it")

    def line(_: str | None) -> bytes:
        end = _end(file)
        title = "" if end else f"# Session memory of {one_line(name)}\n"
        whole = f"{title}\n{section}"
        return whole.replace("\n", "\r\n" if b"\r\n" in end else "\n").encode()

    append_line(str(file), line)
    return file


def last_section(file: Path) -> Section | None:
    """The last section, or as much of its end as is read; None when there is no file, or nothing in it.

    A file without headings is one section. Raises `UnusableError` for what is no file of its own.
    """
    try:
        data, is_cut = _read(file, _LAST)
    except FileNotFoundError:
        return None
    text = _decoded(data, is_cut)
    lines = text.splitlines()
    start = next((n for n in range(len(lines) - 1, -1, -1) if lines[n].startswith(("# ", "## "))), None)
    if start is not None:
        lines, is_cut = lines[start:], False
    found = "\n".join(lines).strip()
    return Section(found, is_cut) if found else None


def whole(file: Path) -> Section | None:
    """All that is in it, or the last mebibyte; None when there is no file. Raises as `last_section`."""
    try:
        data, is_cut = _read(file, _MAX_SHOWN)
    except FileNotFoundError:
        return None
    return Section(_decoded(data, is_cut), is_cut)


def _file(name: str, registry: Path, config: Config) -> Path:
    spelled = _spelling(name, config)
    settings = config.agents[spelled] if spelled is not None else None
    folder = registry.parent
    if settings is not None and settings.folder is not None:
        folder = folder / settings.folder
        _check_folder(folder, registry, _place(name, config), is_projects=_is_projects(name, config))
    given = settings.memory if settings is not None and settings.memory is not None else None
    if given is not None:
        return folder / given
    try:
        return folder / memory_name(unicodedata.normalize("NFC", name_key(name)) + _SUFFIX)
    except WrongError as wrong:
        raise UnusableError(
            f"{name[:60]!r} makes no name of a memory file: {wrong}. Set one under [agents.NAME] in "
            f'{user_config_file()}: memory = "another.md"'
        ) from wrong


def _spelling(name: str, config: Config) -> str | None:
    """The agent as the settings spell it, the project's last; None where they have nothing of it."""
    return next((known for known in reversed(list(config.agents)) if name_key(known) == name_key(name)), None)


def _place(name: str, config: Config) -> str:
    source = config.sources.get(f"agents.{_spelling(name, config)}")
    return f" ({source})" if source is not None else ""


def _is_projects(name: str, config: Config) -> bool:
    source = config.sources.get(f"agents.{_spelling(name, config)}")
    return source is not None and source.path != user_config_file()


def _check_folder(folder: Path, registry: Path, place: str, *, is_projects: bool) -> None:
    """A project's file names folders of the project only, wherever links lead; the user's may name any."""
    home = registry.parent.parent if registry.parent.name == ".collab" else registry.parent
    if is_projects and not folder.resolve().is_relative_to(home.resolve()):
        raise UnusableError(
            f"the folder {folder} is outside the project, and only your own settings may set such a one{place}"
        )
    if not folder.is_dir():
        raise UnusableError(f"there is no folder {folder}: make it, or set another{place}")


def _others(name: str, file: Path, config: Config) -> list[str]:
    """Other agents whose file this might be."""
    found = [other for other in config.agents if name_key(other) != name_key(name)]
    stem = name_key(file.name)
    if stem.endswith(_SUFFIX) and (owner := stem.removesuffix(_SUFFIX)) != name_key(name):
        found.append(owner)
    return found


def _has(other: str, file: Path, registry: Path, config: Config) -> bool:
    """It is that agent's file; the same also where capitals make no difference."""
    try:
        its = _file(other, registry, config)
    except UnusableError:  # it has none until its settings are mended
        return False
    return name_key(its.name) == name_key(file.name) and os.path.realpath(its.parent) == os.path.realpath(file.parent)


def _end(file: Path) -> bytes:
    """The last bytes, by which is seen how its lines end; none of a new file."""
    try:
        return _read(file, 4096)[0]
    except FileNotFoundError:
        return b""


def _read(file: Path, count: int) -> tuple[bytes, bool]:
    """So many bytes from its end, and whether there are more before them. Raises `FileNotFoundError`."""
    try:
        if not hasattr(os, "O_NOFOLLOW") and file.is_symlink():
            raise OSError(errno.ELOOP, "")
        descriptor = os.open(file, _FLAGS)
        try:
            about = os.fstat(descriptor)
            if not stat.S_ISREG(about.st_mode):
                raise UnusableError(f"{file} is not a regular file")
            if about.st_nlink > 1:
                raise UnusableError(f"{file} is a hard link: it stands in another place too; use a copy")
            os.lseek(descriptor, max(0, about.st_size - count), os.SEEK_SET)
            return os.read(descriptor, count), about.st_size > count
        finally:
            os.close(descriptor)
    except FileNotFoundError:
        raise
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise UnusableError(f"{file} is a symbolic link; put the file itself there") from error
        raise UnusableError(f"cannot read {file}: {error.strerror}") from error


def _decoded(data: bytes, is_cut: bool) -> str:
    """Text of what was read, from the first whole line on."""
    if is_cut:
        data = data[data.find(b"\n") + 1 :]
    return clean(data.decode("utf-8-sig", "replace"))
