"""What the hooks of one session know of each other: each is a process of its own, and several run at once.

session.json    under which name it writes to which registry, with which settings; made when it begins
said            when its status was told last, which, and when the next sign of life is due
plan.json       its things to do
wakes           when it was woken since the person last asked it something
asking/         one file for each request that waits at this moment; whoever takes the file away ends the wait
over            the session ended: what comes later is nothing of it
"""

from __future__ import annotations

import json
import os
import time

from collab_tui.hooks import places
from collab_tui.registry.append import hold

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any, Self

    from collab_tui.hooks.happening import Happening

LOCK_TIMEOUT = 3.0
"""Seconds to wait for the other hooks of the session."""
_TRIES = 20
_PAUSE = 0.01
"""Seconds between tries to replace a file."""
_SAFE = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")
_LONGEST = 80


class Said:
    """What was told last."""

    __slots__ = ("at", "due", "status", "turn")

    def __init__(self, at: float = 0.0, due: float = 0.0, status: str = "", turn: str = "") -> None:
        self.at = at
        """When that happened, in epoch seconds."""
        self.due = due
        """When the next sign of life is to be recorded."""
        self.status = status
        self.turn = turn
        """In which turn that was."""


class Session:
    """One session of one agent's program."""

    def __init__(self, agent: str, session: str) -> None:
        """`agent` is what the program is called in `collab-tui hook`; `session` its own name of the session."""
        is_plain = len(session) <= _LONGEST and _SAFE.issuperset(session)
        self.agent = agent
        self.id = session
        self.key = f"{agent}-{session if is_plain else 'x' + session.encode('utf-8', 'replace').hex()[:_LONGEST]}"
        self.folder = os.path.join(places.folder(), self.key)

    def make(self) -> None:
        """Make its folder. Raises `OSError`."""
        os.makedirs(self.folder, mode=0o700, exist_ok=True)

    def path(self, name: str) -> str:
        """One of its files."""
        return os.path.join(self.folder, name)

    def lock(self, timeout: float = LOCK_TIMEOUT, name: str = "session") -> Locked:
        """Keep the other hooks of the session out for a moment. Entering raises `RegistryError`."""
        return Locked(self.path(name), timeout)

    def snapshot(self) -> dict[str, Any] | None:
        """Under which `name` it writes to which `registry`, and its `settings`; None where no hook found out yet."""
        known = self.read("session.json")
        return known if isinstance(known, dict) and "registry" in known else None

    @property
    def is_over(self) -> bool:
        """It ended."""
        return os.path.exists(self.path("over"))

    def read(self, name: str) -> Any:
        """What a file of it holds; None where it holds nothing that can be read."""
        try:
            with open(self.path(name), encoding="utf-8") as file:
                return json.load(file)
        except (OSError, ValueError, RecursionError):
            return None

    def write(self, name: str, value: object) -> None:
        """Put a value into a file of it: whoever reads it meanwhile sees the old one or the new one."""
        fresh = self.path(f"{name}.{os.getpid()}")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(value, file)
        for _ in range(_TRIES):
            try:
                os.replace(fresh, self.path(name))
            except PermissionError:  # on Windows, while another hook reads it
                time.sleep(_PAUSE)
            else:
                return
        places.log(self.agent, f"{name} of its session was not written: others read it all the time")
        _remove(fresh)

    def said(self) -> Said:
        """What was told last, nothing where that cannot be read."""
        known = self.read("said")
        match known:
            case [float() | int() as at, float() | int() as due, str() as status, str() as turn]:
                return Said(at, due, status, turn)
            case _:
                return Said()

    def note(self, said: Said) -> None:
        """Remember what was told; the lock is held."""
        self.write("said", [said.at, said.due, said.status, said.turn])

    def end(self) -> None:
        """What comes later is nothing of it."""
        os.close(os.open(self.path("over"), os.O_WRONLY | os.O_CREAT, 0o600))

    def begin(self) -> None:
        """It is there, perhaps again."""
        self.make()
        for name in ("session.json", "over", "said", "plan.json", "wakes"):
            _remove(self.path(name))

    def prompted(self) -> None:
        """The person asked it something."""
        _remove(self.path("wakes"))

    # Requests that wait

    def asking(self, happening: Happening, request: str) -> str:
        """Note which request is about to be asked; gives the file, which is there until it was answered elsewhere."""
        folder = self.path("asking")
        os.makedirs(folder, mode=0o700, exist_ok=True)
        path = os.path.join(folder, f"{bool(happening.helper):d}-{digest(happening)}-{os.getpid()}")
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            os.write(descriptor, request.encode())
        finally:
            os.close(descriptor)
        return path

    @staticmethod
    def waits(mark: str) -> bool:
        """It was not answered elsewhere."""
        return os.path.exists(mark)

    def answered(self, happening: Happening | None = None, *, is_turn: bool = False) -> list[str]:
        """End the wait for this use of a tool, the oldest; with `is_turn` those of the agent itself; else all of them.

        Gives the requests that are to be withdrawn for it: their hooks may be ended without a word.
        """
        folder = self.path("asking")
        try:
            names = os.listdir(folder)
        except OSError:
            return []  # as good as always: nothing waits
        wanted = "0-" if is_turn else f"{bool(happening.helper):d}-{digest(happening)}-" if happening else ""
        marks = [os.path.join(folder, name) for name in names if name.startswith(wanted)]
        if not marks:
            return []
        with self.lock():
            if happening is not None:
                marks = sorted(marks, key=_age, reverse=True)[:1]
            return [request for mark in marks if (request := _taken(mark))]

    def count_waiting(self) -> int:
        """How many requests wait."""
        try:
            return len(os.listdir(self.path("asking")))
        except OSError:
            return 0


class Locked:
    """Holds a lock of a session."""

    def __init__(self, path: str, timeout: float) -> None:
        self._path, self._timeout = path, timeout
        self._descriptor = -1

    def __enter__(self) -> Self:
        self._descriptor = hold(self._path, self._timeout)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._descriptor)


def digest(happening: Happening) -> str:
    """The same for the request of an agent to use a tool and for its use: nothing else says that they belong together.

    What a person chose among is asked without their answers, and used with them.
    """
    from hashlib import sha256

    given = happening.tool_input
    if isinstance(given, dict):
        given = {name: value for name, value in given.items() if name not in ("answers", "annotations")}
    used = json.dumps([happening.helper_id, happening.tool, given], sort_keys=True)
    return sha256(used.encode()).hexdigest()[:24]


def _age(mark: str) -> float:
    """Seconds since a wait began; 0 for one that ended meanwhile."""
    try:
        return time.time() - os.stat(mark).st_mtime
    except OSError:
        return 0.0


def _taken(mark: str) -> str:
    """Take the file of a wait away; gives its request, if it had one."""
    try:
        with open(mark, encoding="utf-8") as file:
            request = file.read()
    except FileNotFoundError:
        return ""
    _remove(mark)
    return request


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except FileNotFoundError:
        return
