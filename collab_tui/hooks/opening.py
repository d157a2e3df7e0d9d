"""The first hook of a session finds out what the others need not: registry, settings, under which name to write.

Not lean: it runs once a session.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import shutil
import socket
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from collab_tui.config import Config, ConfigError, load_config
from collab_tui.config.settings import HookSettings
from collab_tui.hooks import happening as told
from collab_tui.hooks import places
from collab_tui.hooks.alive import is_alive
from collab_tui.hooks.happening import Happening
from collab_tui.hooks.session import Session
from collab_tui.model.words import name_key
from collab_tui.registry.append import LockedError, hold
from collab_tui.registry.find import NotFoundError, find_registry

QUIET: Final = HookSettings(tool_input="off", prompts=False, permissions=False, brief=False)
"""While the settings cannot be read, nothing is recorded that they may forbid."""
_LOCK_TIMEOUT: Final = 3.0
_MOST: Final = 1000
_FORGOTTEN_AFTER: Final = 14 * 86_400.0
"""Seconds after which what is left of a session is deleted."""
_SILENT_AFTER: Final = 6 * 3600.0
"""Seconds without a sign of life after which another session may take the name: programs of several sessions live on
when one of them crashed.
"""


def open_session(
    session: Session, happening: Happening, driver: str, given: str | None, environment: Mapping[str, str]
) -> dict[str, Any] | None:
    """Make the session's snapshot; None when the agent works where no registry is. Raises `OSError`, `RegistryError`.

    `given` is the name that the hook was wired with.
    """
    try:
        registry = os.path.abspath(find_registry(happening.cwd or ".", environment))
    except NotFoundError:
        return None
    if not os.path.isfile(registry):
        return None
    config, why = _config(Path(registry))
    if why:
        places.log(session.agent, f"the settings cannot be read, so little is recorded: {why}")
    before = session.snapshot()
    if happening.kind in told.STARTS or session.is_over:
        session.begin()
    else:
        session.make()
    wanted = _wanted(session, given, environment, config)
    had = before["name"] if before is not None and before["registry"] == registry else None
    known = [had] if had is not None and had.startswith(wanted) else []
    names = (name for name in itertools.chain(known, _names(wanted)) if not config.is_a_persons(name))
    snapshot = {
        "name": _name(session, registry, names, happening),
        "registry": registry,
        "driver": driver,
        "process": happening.process,
        "host": socket.gethostname(),
        "settings": asdict(config.hooks),
    }
    if not why:  # else the next hook looks again: somebody may have mended them
        session.write("session.json", snapshot)
    if happening.kind in told.STARTS:
        _forget_old()
    return snapshot


def _config(registry: Path) -> tuple[Config, str]:
    """The settings in force, and why they are not the user's."""
    try:
        return load_config(registry), ""
    except ConfigError as error:
        return Config(hooks=QUIET), str(error)


def _wanted(session: Session, given: str | None, environment: Mapping[str, str], config: Config) -> str:
    """The name to write under: what is wanted, unless that is a person's. Then an agent would be taken for them."""
    for name in (environment.get("COLLAB_AGENT", "").strip(), (given or "").strip()):
        if name and not config.is_a_persons(name):
            return name
        if name:
            places.log(session.agent, f"not as {name}, which is a person's name: give the agent one of its own")
    return session.agent


def _names(wanted: str) -> Iterator[str]:
    yield wanted
    for number in range(2, _MOST):
        yield f"{wanted}-{number}"


def _name(session: Session, registry: str, names: Iterable[str], happening: Happening) -> str:
    """The first of these names under which no other session that still runs writes to this registry.

    Two sessions under one name would be one agent that does two things at once, and ends while it works.
    """
    folder = os.path.join(places.folder(), "names")
    os.makedirs(folder, mode=0o700, exist_ok=True)
    place = hashlib.sha256(os.path.realpath(registry).encode("utf-8", "surrogateescape")).hexdigest()[:16]
    lock = hold(os.path.join(folder, place), _LOCK_TIMEOUT)
    try:
        for name in names:
            key = hashlib.sha256(name_key(name).encode("utf-8", "replace")).hexdigest()[:16]
            path = Path(folder, f"{place}-{key}")
            if _may_take(path, session, happening):
                _end_holder(path, session)
                path.touch(0o600)
                path.write_text(f"{session.key} {happening.process}", encoding="utf-8")
                return name
    finally:
        os.close(lock)
    raise LockedError(f"over {_MOST:,} sessions run under this name")


def _may_take(path: Path, session: Session, happening: Happening) -> bool:
    """Nobody else writes under the name of this file.

    Where nothing tells whether the holder is still there, a session that begins takes the name from one that rests:
    Codex closes its screen without a word. If that one is asked something again, it finds another name.
    """
    holder, number = _holder(path)
    folder = Path(places.folder(), holder)
    if holder in ("", session.key) or not (folder / "session.json").exists() or (folder / "over").exists():
        return True
    if number not in (0, happening.process):
        return not is_alive(number) or _is_silent(folder)
    return (happening.kind in told.STARTS and _rests(folder)) or _is_silent(folder)


def _holder(path: Path) -> tuple[str, int]:
    """The key of the session that has the name of this file, and its process; empty where nobody has it."""
    try:
        holder, _, process = path.read_text(encoding="utf-8").partition(" ")
    except (OSError, UnicodeDecodeError):
        return "", 0
    return os.path.basename(holder), told.number_of(process)


def _end_holder(path: Path, session: Session) -> None:
    """Whoever had the name speaks under it no more."""
    holder, _ = _holder(path)
    folder = Path(places.folder(), holder)
    if holder not in ("", session.key) and folder.is_dir():
        (folder / "over").touch(0o600)


def _rests(folder: Path) -> bool:
    """What it said last is that its turn is over."""
    try:
        said = json.loads((folder / "said").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(said, list) and len(said) > 2 and said[2] in ("idle", "failed")


def _is_silent(folder: Path) -> bool:
    try:
        return time.time() - max((folder / name).stat().st_mtime for name in ("said", "session.json")) > _SILENT_AFTER
    except OSError:
        return False


def _forget_old() -> None:
    """Delete what is left of sessions of long ago."""
    for folder in Path(places.folder()).iterdir():
        known = folder / "session.json"
        if known.exists() and time.time() - max(known.stat().st_mtime, folder.stat().st_mtime) > _FORGOTTEN_AFTER:
            shutil.rmtree(folder, ignore_errors=True)
