"""A request for permission, asked on the board while the agent's own dialog is open, or before it opens.

Whatever goes wrong, the agent asks at its own terminal, and the board says that it waits there.

The first answer wins. One given at the agent's own terminal is noticed, and the request withdrawn: by the hook that
tells that the tool was used (it takes the session's `asking` file away), by what the agent's program says of itself, by
a signal, or by its end.
Only a decision that the person signed counts, and once: see `Participant`.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from collab_tui.hooks import places
from collab_tui.hooks.alive import is_alive
from collab_tui.hooks.happening import DENIED, ELSEWHERE, INTERRUPTED, USES, Happening
from collab_tui.hooks.question import Asked, TooLongError, asked
from collab_tui.hooks.session import Said, Session
from collab_tui.hooks.status import tell
from collab_tui.model.board import Request
from collab_tui.protocol import Participant, participant
from collab_tui.protocol.asking import UsedUpError
from collab_tui.protocol.following import GoneError
from collab_tui.registry.append import append

_LOOK: Final = 0.1
"""Seconds between looks whether it was answered elsewhere."""
_OTHERS: Final = 3.0
"""Seconds in which another hook withdraws the request that it found answered."""
_LOCK: Final = 2.0
"""Seconds to wait for other writers of the registry: meanwhile nobody is asked anything."""
_GRACE: Final = 5.0
"""Seconds after the end of the wait at which a request expires whose hook was killed and could not withdraw it."""


def ask(
    session: Session,
    happening: Happening,
    snapshot: dict[str, Any],
    program: ModuleType,
    at: float,
    say: Callable[[dict[str, Any]], None],
) -> None:
    """Ask, and `say` the answer as the agent's program wants it; nothing where the program is to ask as usual."""
    who = f"{program.DRIVER}, sub-agent {happening.helper}" if happening.helper else ""
    try:
        question = asked(happening, who, snapshot["settings"])
        wait = _Wait(session, happening, snapshot, program, question) if question is not None else None
        answer = asyncio.run(wait.answer(at)) if wait is not None else None
    except TooLongError as error:
        wait, answer, happening.text = None, None, str(error)
    except Exception as error:  # whatever it is, the agent asks at its terminal, and that has to be seen
        places.log(session.agent, f"not asked on the board: {type(error).__name__}: {error}")
        wait, answer, happening.text = None, None, "it could not be asked on the board"
    if wait is None or wait.is_left:
        tell(session, happening, snapshot, at)
    elif answer is not None:
        say(answer)
        happening.kind = USES if wait.is_allowed else DENIED
        tell(session, happening, snapshot, time.time())
    elif wait.was_interrupted and not happening.helper:
        tell(session, Happening(INTERRUPTED, {"session_id": session.id}), snapshot, time.time())


class _Wait:
    """One request, from its opening to its end."""

    def __init__(
        self, session: Session, happening: Happening, snapshot: dict[str, Any], program: ModuleType, question: Asked
    ) -> None:
        self._session, self._happening, self._snapshot = session, happening, snapshot
        self._program, self._question = program, question
        self._seconds = min(program.longest_wait(os.environ), snapshot["settings"]["permission_wait"] * 60)
        self._signalled = asyncio.Event()
        self.is_allowed = False
        """The person did not reject it."""
        self.is_left = False
        """Nobody answered: its program asks as usual."""

    @property
    def was_interrupted(self) -> bool:
        """Its program ended the wait, and lives: what it was about to do was not done."""
        return self._signalled.is_set() and self._is_there()

    async def answer(self, at: float) -> Any:
        expires = datetime.now(UTC) + timedelta(seconds=self._seconds + _GRACE)
        fields = {**self._question.fields, "session": self._session.id, "driver": self._program.DRIVER}
        fields["expires"] = expires.isoformat(timespec="seconds").replace("+00:00", "Z")
        if self._happening.tool_use:
            fields["tool_use"] = self._happening.tool_use
        registry = Path(self._snapshot["registry"])
        async with self._signals(), participant(self._snapshot["name"], registry, announces=False) as me:
            request = os.urandom(8).hex()
            mark = self._session.asking(self._happening, request)  # first: this process may be ended at any moment
            try:
                event = {"agent": me.name, "event": "decision_request", "request": self._question.text, "id": request}
                event |= {"target": me.person, **fields}
                await asyncio.to_thread(append, str(registry), event, timeout=_LOCK)
                self._note(at)
                return await self._first(me, request, mark)
            finally:
                self._void(mark)

    def _note(self, at: float) -> None:
        """For the other hooks: the agent waits."""
        with self._session.lock():
            said = self._session.said()
            if said.at <= at:
                self._session.note(Said(at, 0.0, "waiting", said.turn))

    @staticmethod
    def _void(mark: str) -> None:
        with suppress(FileNotFoundError):
            os.unlink(mark)

    async def _first(self, me: Participant, request: str, mark: str) -> Any:
        """Wait for whatever comes first."""
        closed = asyncio.create_task(me.closed(request))
        elsewhere = asyncio.create_task(self._answered_elsewhere(mark))
        try:
            async with asyncio.timeout(self._seconds):
                await asyncio.wait({closed, elsewhere}, return_when=asyncio.FIRST_COMPLETED)
        except TimeoutError:
            self._void(mark)
            return await self._late(me, request, closed)
        finally:
            elsewhere.cancel()
        if closed.done():
            return self._decision(await _taken(closed))
        if not self._session.waits(mark):  # whoever took it away withdraws the request
            await asyncio.wait({closed}, timeout=_OTHERS)
        self._void(mark)
        if not closed.done():
            closed.cancel()
            await me.withdraw(request, elsewhere.result())
        return None

    async def _late(self, me: Participant, request: str, closed: asyncio.Task[Request]) -> Any:
        """Nobody answered in time, unless somebody does at this very moment."""
        if await me.withdraw(request, f"no answer within {_told(self._seconds)}: {self._program.DRIVER} asks as usual"):
            closed.cancel()
            self.is_left = True
            return None
        return self._decision(await _taken(closed))

    def _decision(self, request: Request | None) -> Any:
        answer = request.answer if request is not None else None
        if answer is None:
            self.is_left = request is None
            return None
        self.is_allowed = answer.verdict != "rejected"
        told = self._question.answer(self._program.decision, answer.verdict, answer.text, answer.comment)
        self.is_left = told is None
        return told

    async def _answered_elsewhere(self, mark: str) -> str:
        """Wait until the request is void; gives why."""
        state_of: Callable[[int], str] = getattr(self._program, "state_of", lambda process: "")
        was_at_dialog, busy_looks = False, 0
        while True:
            if self._signalled.is_set():
                return "the agent stopped waiting for it"
            if not self._session.waits(mark):
                return ELSEWHERE
            if self._session.is_over or not self._is_there():
                return "the agent is gone"
            state = state_of(self._happening.process) if self._session.count_waiting() == 1 else ""
            was_at_dialog = state == "waiting" or (
                was_at_dialog and state != ""
            )  # of several it is not told whose it is
            busy_looks = busy_looks + 1 if was_at_dialog and state in ("busy", "idle") else 0
            if busy_looks == 2:  # its dialog was open and is closed, also while a long command runs that was allowed
                return ELSEWHERE
            with suppress(TimeoutError):
                async with asyncio.timeout(_LOOK):
                    await self._signalled.wait()

    def _is_there(self) -> bool:
        return not self._happening.process or is_alive(self._happening.process)

    @asynccontextmanager
    async def _signals(self) -> AsyncGenerator[None, None]:
        """What would end this process ends the wait first."""
        loop = asyncio.get_running_loop()
        if sys.platform == "win32":  # there a program that is ended is not told
            yield
            return
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            loop.add_signal_handler(number, self._signalled.set)
        yield


async def _taken(closed: Awaitable[Request]) -> Request | None:
    try:
        return await closed
    except (UsedUpError, GoneError) as error:
        places.log("hook", f"no decision: {error}")
        return None


def _told(seconds: float) -> str:
    return f"{seconds / 60:g} min" if seconds >= 60 else f"{seconds:g} s"
