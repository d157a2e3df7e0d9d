"""What others address to an agent, brought to it by its own program: while it is idle, or when its turn ends.

At least once: what was given is acknowledged afterwards. What came meanwhile is given in one piece. What waited before
the session began wakes nobody; it is given once the person has asked something of the agent.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from collab_tui.hooks import happening as told
from collab_tui.hooks import places
from collab_tui.hooks.alive import is_alive
from collab_tui.hooks.happening import Happening
from collab_tui.hooks.session import Session
from collab_tui.hooks.status import tell
from collab_tui.hooks.wakes import SAID, Wakes
from collab_tui.model.board import Board
from collab_tui.model.fold import Fold
from collab_tui.model.signature import Standing
from collab_tui.protocol import Participant
from collab_tui.protocol.inbox import Delivery
from collab_tui.protocol.mailbox import Mailbox
from collab_tui.protocol.telling import text_for
from collab_tui.registry.append import LockedError, RegistryError
from collab_tui.registry.base import read_to_end
from collab_tui.registry.jsonl import JsonlRegistry

WAKE: Final = 2
"""The exit code with which a hook that runs beside Claude Code wakes it."""
_LOOK: Final = 1.0
"""Seconds between looks whether the session is still there."""
_OPENING: Final = 20.0
"""Seconds in which the session's first hook is done."""
_LONGEST: Final = 86_000.0
"""Seconds for which one process waits: a day, and less than the time limit with which it is wired."""
_SETTLE: Final = 0.3
"""Seconds in which more of the same may come, and in which who waits for a decision takes it."""


def wait(session: Session, happening: Happening, program: ModuleType, at: float) -> int:
    """Wait until something comes, and wake the agent with it; gives the exit code. One process a session does.

    `at` is when this hook was started, in epoch seconds.
    """
    snapshot = _snapshot(session, happening)
    if snapshot is None:
        return 0
    try:
        with session.lock(0, "inbox"):
            begun = at if happening.kind in told.STARTS else 0.0
            return asyncio.run(_Waiter(session, snapshot, program, begun).run())
    except LockedError:
        return 0  # another one waits already


def _mailbox(snapshot: dict[str, Any]) -> Mailbox:
    return Mailbox(Path(snapshot["registry"]), snapshot["name"])


def _snapshot(session: Session, happening: Happening) -> dict[str, Any] | None:
    """The one that the session's first hook makes, perhaps at this very moment; None where it made none."""
    deadline = time.monotonic() + _OPENING
    while True:
        snapshot = session.snapshot()
        is_fresh = snapshot is not None and snapshot["process"] == happening.process and not session.is_over
        if is_fresh or happening.kind not in told.STARTS:
            return snapshot
        if time.monotonic() >= deadline:
            return None
        time.sleep(_SETTLE)


class _Waiter:
    def __init__(self, session: Session, snapshot: dict[str, Any], program: ModuleType, begun: float) -> None:
        self._session, self._snapshot, self._program = session, snapshot, program
        self._begun = begun
        self._until = time.monotonic() + _LONGEST
        self._wakes = Wakes(session)
        self._is_due = False
        self._idle_looks = 0

    async def run(self) -> int:
        """Gives the exit code."""
        waiting = _mailbox(self._snapshot)
        me = Participant(waiting.name, waiting.registry, announces=False, trust=waiting.trust)
        async with me:
            board = await me.until(lambda board: True)
            self._is_due = await asyncio.to_thread(waiting.take, board, self._begun)
            while self._is_there():
                with suppress(LockedError), waiting.inbox.held():
                    code = await self._listen(me, waiting)
                    if code is not None:
                        return code
                await self._look(me, me.board)  # the agent itself listens at the moment
        return 0

    async def _listen(self, me: Participant, waiting: Mailbox) -> int | None:
        """Wait until something was handed over that ends this process; gives the exit code."""
        await asyncio.to_thread(waiting.refresh)
        while self._is_there():
            seen = me.board
            is_new = await asyncio.to_thread(waiting.take, seen)
            self._is_due = self._is_due or is_new or self._session.said().status == "in_progress"
            if self._is_due and await self._may_wake(me, waiting.now(seen)):
                code = await self._give(me, waiting)
                if code is not None:
                    return code
            await self._look(me, seen)
        return 0

    async def _may_wake(self, me: Participant, given: Sequence[Delivery]) -> bool:
        """There is something to give, and it was not woken too often; what the person signed comes whatever was."""
        is_the_persons = any(one.standing is Standing.SIGNED for one in given)
        if not given or is_the_persons or self._wakes.is_one_more_allowed(time.time()):
            return bool(given)
        if self._wakes.say_once():
            await me.emit("status_update", message=SAID, session=self._session.id)
        return False

    async def _give(self, me: Participant, waiting: Mailbox) -> int | None:
        await asyncio.sleep(_SETTLE)
        board = await me.until(lambda board: True)
        await asyncio.to_thread(waiting.take, board)
        given = waiting.now(board)
        if not given:
            return None
        text, count = text_for(waiting.name, given, board)
        send = getattr(self._program, "send", None)
        if send is None:
            sys.stderr.buffer.write(f"{text}\n".encode("utf-8", "replace"))  # whatever the locale is, it reads UTF-8
            sys.stderr.buffer.flush()
        elif not await asyncio.to_thread(send, text, self._session.id, self._snapshot["process"]):
            return 0  # its next prompt gives it
        self._wakes.note(time.time())
        await asyncio.to_thread(waiting.acknowledge, given[:count])
        return WAKE if send is None else None

    async def _look(self, me: Participant, seen: Board) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(_LOOK):
                await me.until(lambda board: board is not seen)
        await asyncio.to_thread(self._reconcile)

    def _is_there(self) -> bool:
        """The session goes on. One whose program is gone without a word is ended here: nobody else would tell."""
        process = self._snapshot["process"]
        if self._session.is_over or time.monotonic() > self._until:
            return False
        if process and not is_alive(process):
            self._tell(told.ENDED, "its program is gone")
            return False
        return True

    def _reconcile(self) -> None:
        """An interrupt runs no hook: two looks in a row at which its program says that it is idle, and it said nothing
        of it.
        """
        state = getattr(self._program, "state_of", None)
        is_idle = state is not None and state(self._snapshot["process"]) == "idle"
        is_said = self._session.said().status in ("in_progress", "waiting")
        self._idle_looks = self._idle_looks + 1 if is_idle and is_said else 0
        if self._idle_looks == 2:
            self._tell(told.INTERRUPTED, "")

    def _tell(self, kind: str, text: str) -> None:
        happening = Happening(kind, {"session_id": self._session.id}, text=text)
        try:
            tell(self._session, happening, self._snapshot, time.time())
        except (OSError, RegistryError) as error:
            places.log(self._session.agent, f"{kind} was not recorded: {error}")


def give(snapshot: dict[str, Any]) -> tuple[str, Callable[[], None]] | None:
    """What waits at this moment, and what to call once it was given; None when nothing does."""
    waiting = _mailbox(snapshot)
    try:
        with waiting.inbox.held(_SETTLE):
            fold, registry = Fold(waiting.trust.person), JsonlRegistry(waiting.registry)
            read_to_end(registry, fold)
            board = fold.board()
            waiting.take(board)
            given = waiting.now(board)
    except LockedError:
        return None  # it is given what comes in another way
    if not given:
        return None
    text, count = text_for(waiting.name, given, board)
    return text, lambda: waiting.acknowledge(given[:count])
