"""Giving commands to sessions as the person, and hearing what becomes of them."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from pathlib import Path
from typing import Any, Final

from collab_tui.cli.reading import NotThereError, Reading, read
from collab_tui.model.sessions import CommandState, Session
from collab_tui.model.text import one_line
from collab_tui.monitor.acting import who_acts
from collab_tui.monitor.detached import ensure_monitor
from collab_tui.protocol.commands import GOOD_FOR, CommandType, Result, is_same_host, result_of, send
from collab_tui.protocol.conditions import near_name
from collab_tui.protocol.keys import NoKeyError
from collab_tui.protocol.presence import why_not_the_person
from collab_tui.registry.append import RegistryError, UnusableError
from collab_tui.registry.kept import kept_for

FAILED: Final = 1
TIMED_OUT: Final = 4
_TAKEN_WITHIN: Final = 20.0
"""Seconds until the monitor has to say that it heard."""
_LOOK: Final = 1.0
"""Seconds between two looks whether the monitor is still there."""

EXITS: Final = """\
exit: 0 done; 1 it failed, or you said no; 2 usage, no such session, no key, or not at a terminal; 3 nobody carries it
out, or nobody knows what became of it; 4 not done in time, and it goes on; 74 not surely on the disk; 75 others hold
the lock"""


class NobodyError(RegistryError):
    """No monitor carries it out."""

    exit_code = 3


class Line:
    """The person's line to the sessions of a registry."""

    def __init__(self, given: str | None, *, is_piped: bool = False) -> None:
        """`is_piped` says that standard input holds a text, so that the terminal has to be elsewhere.

        Raises `UnusableError` where nobody can tell that the person is at work here, `NoKeyError` without a key.
        """
        self.reading: Reading = read(given)
        self.path = Path(self.reading.registry.name)
        self.host = socket.gethostname()
        self._is_piped = is_piped

    def check_person(self) -> None:
        """Raise `UnusableError` where nobody can tell that the person is at work here, or where they have no key."""
        why = why_not_the_person(os.environ, sys.stderr if self._is_piped else sys.stdin)
        if why is not None:
            told = why.replace("standard input", "standard error") if self._is_piped else why
            raise UnusableError(f"only {one_line(self.reading.config.person)} gives commands to sessions: {told}")
        try:
            self.reading.trust.keyring.signing_key()
        except NoKeyError as error:
            raise NoKeyError(f"{error}: what you want of a session is signed with it") from error

    def session(self, name: str) -> Session:
        """The session of that name, running or not. Raises `NotThereError` as one that helps."""
        return find_session(self.reading, name)

    def give(self, type_: CommandType, target: str, payload: Mapping[str, Any], host: str) -> str:
        """Send a command to the monitor of a machine; on this one it is started if there is none. Gives its id."""
        self.check_person()
        if is_same_host(host, self.host):
            ensure_monitor(self.path)
        return str(send(self.reading.registry, self.reading.trust, type_, target, payload, host)["id"])

    def heard(
        self, command_id: str, host: str, *, within: float | None = None, once_taken: float | None = None
    ) -> Result | None:
        """What became of a command, once it is over; else what was said last, after so many seconds.

        `once_taken` is how long to wait once its monitor took it and did not begin. Raises `NobodyError` where no
        monitor takes it, or where that ended meanwhile.
        """
        return asyncio.run(self._heard(command_id, host, within, once_taken))

    async def _heard(self, command_id: str, host: str, within: float | None, once_taken: float | None) -> Result | None:
        loop = asyncio.get_running_loop()
        began, last = loop.time(), None
        deadline = None if within is None else began + within
        async with aclosing(result_of(self.reading.registry, command_id, self.reading.config.poll)) as results:
            coming = _next(results)
            try:
                while True:
                    left = _LOOK if deadline is None else min(_LOOK, deadline - loop.time())
                    await asyncio.wait({coming}, timeout=max(0.0, left))
                    if coming.done():
                        last = coming.result()
                        if last.state.is_over or (once_taken is not None and last.state is CommandState.RUNNING):
                            return last
                        if once_taken is not None:
                            deadline = loop.time() + once_taken
                        coming = _next(results)
                    elif deadline is not None and loop.time() >= deadline:
                        return last
                    else:
                        self._check_monitor(host, last, loop.time() - began)
            finally:
                coming.cancel()
                await asyncio.wait({coming})

    def _check_monitor(self, host: str, last: Result | None, waited: float) -> None:
        is_here = is_same_host(host, self.host)
        if is_here and who_acts(kept_for(self.path)) is None:
            raise NobodyError("the monitor ended meanwhile: `collab-tui session list` shows what is left")
        if last is None and waited > _TAKEN_WITHIN:
            where = "here" if is_here else f"on {one_line(host)}: run `collab-tui monitor` there"
            minutes = GOOD_FOR.total_seconds() / 60
            raise NobodyError(f"no monitor took it {where}; it is good for {minutes:g} minutes, if one does")


def find_session(reading: Reading, name: str) -> Session:
    """The session of that name, running or not. Raises `NotThereError` with what there is."""
    board = reading.moment.board
    session = board.session(name)
    if session is not None:
        return session
    names = [each.name for each in board.sessions]
    near = near_name(name, names)
    meant = f"did you mean {near}?" if near is not None else f"there are {', '.join(names[-8:])}" if names else ""
    none = "; `collab-tui session start AGENT` starts one"
    raise NotThereError(f"there is no session {name[:60]!r}{f'; {meant}' if meant else none}")


def document(command_id: str, target: str, result: Result | None) -> dict[str, Any]:
    """What became of a command, as one JSON object."""
    return {
        "id": command_id,
        "session": target,
        "state": result.state.value if result is not None else None,
        "reason": result.reason if result is not None else None,
        **(result.result if result is not None else {}),
    }


def failed(result: Result) -> bool:
    """It was not carried out."""
    return result.state is CommandState.FAILED


def _next(results: AsyncGenerator[Result, None]) -> asyncio.Future[Result]:
    return asyncio.ensure_future(anext(results))
