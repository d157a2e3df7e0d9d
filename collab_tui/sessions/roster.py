"""Which sessions a manager has, and which it is starting, by name."""

from __future__ import annotations

import asyncio
from typing import Final

from collab_tui.config import Config
from collab_tui.model.words import MONITOR, name_key
from collab_tui.sessions.driver import DriverError
from collab_tui.sessions.names import BadNameError, checked
from collab_tui.sessions.session import LiveSession

MOST: Final = 50
"""Sessions at one time."""


class SessionError(DriverError):
    """A session cannot be started, found or gone on with; the text says why, and what to do about it."""


class Roster:
    """The sessions of one manager. One name is one session's, however it is spelled."""

    def __init__(self) -> None:
        self.sessions: dict[str, LiveSession] = {}
        """Those that have a program now, by name."""
        self.starting: dict[str, asyncio.Task[LiveSession] | None] = {}
        """By key of the name; None for one that is taken up."""
        self.is_closed = False
        """Nothing is started any more."""

    def take(self, name: str, config: Config) -> str:
        """The key of a name that no session has. Raises `SessionError`."""
        if self.is_closed:
            raise SessionError("this monitor is about to end: nothing is started any more")
        try:
            key = name_key(checked(name, "name of a session"))
        except BadNameError as error:
            raise SessionError(str(error)) from error
        if config.is_a_persons(name) or key in (MONITOR, "all"):
            raise SessionError(f"{name} is not an agent's name: give the session another")
        if key in self.starting or key in map(name_key, self.sessions):
            raise SessionError(f"there is a session {name} already: stop it, or give the new one another name")
        if len(self.sessions) + len(self.starting) >= MOST:
            raise SessionError(f"{MOST} sessions run already: stop one first")
        return key

    def find(self, name: str) -> LiveSession:
        """The session of that name. Raises `SessionError`."""
        key = name_key(name)
        found = next((session for known, session in self.sessions.items() if name_key(known) == key), None)
        if found is None:
            raise SessionError(f"no session {name} runs here")
        return found

    async def found(self, name: str) -> LiveSession:
        """The same, once it was started, if it is being started. Raises `SessionError`."""
        starting = self.starting.get(name_key(name))
        if starting is not None:
            await asyncio.wait({starting})
        return self.find(name)

    def forget(self, session: LiveSession) -> None:
        """It ended."""
        if self.sessions.get(session.name) is session:
            del self.sessions[session.name]
