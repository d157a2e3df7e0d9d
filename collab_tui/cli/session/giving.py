"""Giving commands to sessions as the person, and hearing what becomes of them."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from pathlib import Path
from typing import Any, Final

from collab_tui.cli.reading import NotThereError, Reading, read
from collab_tui.cli.settings import load_settings, load_to_brake
from collab_tui.model.sessions import CommandState, Session
from collab_tui.model.text import one_line
from collab_tui.model.words import name_key
from collab_tui.monitor.acting import who_acts
from collab_tui.monitor.detached import ensure_monitor
from collab_tui.monitor.watching import carrier_of, known, own_carrier
from collab_tui.protocol.commands import GOOD_FOR, Carrier, CommandType, Result, is_same_host, result_of, send
from collab_tui.protocol.conditions import near_name
from collab_tui.protocol.kept_results import KeptResults
from collab_tui.protocol.keys import NoKeyError
from collab_tui.protocol.presence import why_not_the_person
from collab_tui.registry.append import RegistryError, UnusableError
from collab_tui.registry.kept import kept_for

FAILED: Final = 1
TIMED_OUT: Final = 4
_TAKEN_WITHIN: Final = 20.0
"""Seconds until the monitor has to say that it heard."""
_IS_ID: Final = re.compile(r"[0-9a-f]{12}").fullmatch
"""Of a monitor."""
_LOOK: Final = 1.0
"""Seconds between two looks whether the monitor is still there."""

EXITS: Final = """\
exit: 0 done; 1 it failed, or you said no; 2 usage, none of that name, no key, or not at a terminal; 3 nobody carries it
out, or nobody knows what became of it; 4 not done in time, and it goes on; 74 not surely on the disk; 75 others hold
the lock"""


class NobodyError(RegistryError):
    """No monitor carries it out."""

    exit_code = 3


class Line:
    """The person's line to the sessions of a registry."""

    def __init__(self, given: str | None, *, is_piped: bool = False, is_brake: bool = False) -> None:
        """`is_piped` says that standard input holds a text, so that the terminal has to be elsewhere; `is_brake` that
        something is to be ended, whatever the settings say.

        Raises `UnusableError` where nobody can tell that the person is at work here, `NoKeyError` without a key.
        """
        self.reading: Reading = read(given, settings=load_to_brake if is_brake else load_settings)
        self.path = Path(self.reading.registry.name)
        self.own = own_carrier(self.path)
        """The monitor of this machine."""
        self._is_piped = is_piped

    def check_person(self) -> None:
        """Raise `UnusableError` where nobody can tell that the person is at work here, or where they have no key."""
        why = why_not_the_person(os.environ, sys.stderr if self._is_piped else sys.stdin)
        if why is not None:
            told = why.replace("standard input", "standard error") if self._is_piped else why
            raise UnusableError(f"only {one_line(self.reading.config.person)} gives commands: {told}")
        try:
            self.reading.trust.keyring.signing_key()
        except NoKeyError as error:
            raise NoKeyError(f"{error}: what you want done is signed with it") from error

    def session(self, name: str) -> Session:
        """The session of that name, running or not. Raises `NotThereError` as one that helps."""
        return find_session(self.reading, name)

    def carrier(self, session: Session) -> Carrier:
        """Who carries out commands to a session. Raises `NobodyError` where no line tells."""
        carrier = carrier_of(self.path, session)
        if not carrier.monitor:
            raise NobodyError(one_line(f"the registry does not tell which monitor has {session.name}"))
        return carrier

    def carrier_on(self, where: str | None) -> Carrier:
        """Who starts a session on a machine; also given the id of a monitor. Raises `NotThereError`."""
        if where is None or where == self.own.monitor or is_same_host(where, self.own.host):
            return self.own
        sessions = self.reading.moment.board.sessions
        known_there = {each.monitor: Carrier(each.monitor, each.host) for each in sessions if each.monitor}
        if where in known_there or _IS_ID(where):
            return known_there.get(where, Carrier(where, ""))
        found = [carrier for carrier in known_there.values() if is_same_host(where, carrier.host)]
        if len(found) == 1:
            return found[0]
        why = (
            f"{len(found)} monitors of {where} have sessions here"
            if found
            else f"nothing tells of a monitor on {where}"
        )
        raise NotThereError(one_line(f"{why}: give its id, which `collab-tui monitor --status` tells there"))

    def is_own(self, carrier: Carrier) -> bool:
        """It is the monitor of this machine."""
        return carrier.monitor == self.own.monitor

    def give(self, type_: CommandType, target: str, payload: Mapping[str, Any], carrier: Carrier) -> str:
        """Send a command to a monitor; that of this machine is started if it does not act. Gives its id."""
        self.check_person()
        if self.is_own(carrier):
            ensure_monitor(self.path)
        return str(send(self.reading.registry, self.reading.trust, type_, target, payload, carrier)["id"])

    def heard(
        self, command_id: str, carrier: Carrier, *, within: float | None = None, once_taken: float | None = None
    ) -> Result | None:
        """What became of a command, once it is over; else what was said last, after so many seconds.

        `once_taken` is how long to wait once its monitor took it and did not begin. Raises `NobodyError` where no
        monitor takes it, or where that ended meanwhile.
        """
        return asyncio.run(self._heard(command_id, carrier, within, once_taken))

    async def _heard(
        self, command_id: str, carrier: Carrier, within: float | None, once_taken: float | None
    ) -> Result | None:
        truth = KeptResults(self.path).load if self.is_own(carrier) else None
        results_of_it = result_of(self.reading.registry, command_id, carrier.monitor, self.reading.config.poll, truth)
        loop = asyncio.get_running_loop()
        began, last = loop.time(), None
        deadline = None if within is None else began + within
        async with aclosing(results_of_it) as results:
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
                        self._check_monitor(carrier, last, loop.time() - began)
            finally:
                coming.cancel()
                await asyncio.wait({coming})

    def _check_monitor(self, carrier: Carrier, last: Result | None, waited: float) -> None:
        is_here = self.is_own(carrier)
        if is_here and who_acts(kept_for(self.path)) is None:
            raise NobodyError("the monitor ended meanwhile: `collab-tui session list` shows what is left")
        if last is None and waited > _TAKEN_WITHIN:
            if is_here:
                where = "here"
            elif is_same_host(carrier.host, self.own.host):
                where = "here: it is for that of another user, or of another state folder"
            else:
                where = f"on {one_line(carrier.host) or carrier.monitor}: run `collab-tui monitor` there"
            minutes = GOOD_FOR.total_seconds() / 60
            raise NobodyError(f"no monitor took it {where}; it is good for {minutes:g} minutes, if one does")


def find_session(reading: Reading, name: str) -> Session:
    """The session of that name, running or not. Raises `NotThereError` with what there is."""
    sessions = known(Path(reading.registry.name), reading.moment.board.sessions)
    for session in sessions:
        if name_key(session.name) == name_key(name):
            return session
    names = [each.name for each in sessions]
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
