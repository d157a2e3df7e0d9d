"""What others address to a session's agent, brought to it as a prompt when it is idle.

For agents whose program does not hear of it by itself: messages, requests to it, decisions on what it asked without
waiting, what no longer blocks it. At least once: what was submitted is acknowledged, what was not is tried again, and
until then it is counted, for all to see. Where another process listens as the agent, its own hooks say, it is theirs.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from collab_tui.model.board import Board
from collab_tui.model.signature import Standing
from collab_tui.protocol import Participant
from collab_tui.protocol.inbox import Delivery as Delivered
from collab_tui.protocol.mailbox import Mailbox
from collab_tui.protocol.telling import text_for
from collab_tui.protocol.trust import Trust
from collab_tui.registry.append import LockedError, RegistryError
from collab_tui.sessions.driver import Delivery, ReplyStatus
from collab_tui.sessions.prompts import Prompt, PromptQueue, PromptRefusedError

MOST: Final = 20
"""Prompts of this kind within an hour without a word of the person: agents that answer each other would never end."""
WITHIN: Final = 3600.0
"""Seconds."""
STOPPED: Final = (
    f"prompted {MOST} times within an hour by what others write: it gets no more of that until the person says "
    "something to it, or the hour is over"
)
_SETTLE: Final = 0.3
"""Seconds in which more of the same may come, and in which who waits for a decision takes it."""
_LATER: Final = 5.0
"""Seconds until it is looked again whether another process listens, and what waited is tried again."""
_LONGEST_PAUSE: Final = 60.0


class HandingOver:
    """Brings one agent what waits for it."""

    def __init__(
        self,
        me: Participant,
        registry: Path,
        trust: Trust,
        *,
        is_idle: Callable[[], bool],
        prompts: PromptQueue,
        tell: Callable[[int], None],
        notice: Callable[[str], None],
        patience: float = 0.0,
    ) -> None:
        """`tell` is told how much waits.

        With `patience`, in seconds, the agent's own program may listen: only what waits so long is brought to it.
        """
        self._me = me
        self._mailbox = Mailbox(registry, me.name, trust)
        self._is_idle = is_idle
        self._prompts = prompts
        self._tell = tell
        self._notice = notice
        self._patience = patience
        self._given_at: deque[float] = deque(maxlen=MOST)
        self._is_stop_told = False
        self._may_have_changed = asyncio.Event()
        self._pause = _LATER
        self._not_before = 0.0

    def look(self) -> None:
        """The agent became idle, or may have."""
        self._may_have_changed.set()

    def person_spoke(self) -> None:
        """The person prompted it: it may be woken by others anew."""
        self._given_at.clear()
        self._is_stop_told = False
        self.look()

    async def run(self) -> None:
        """Bring it what comes, until this is cancelled."""
        following = asyncio.ensure_future(self._follow())
        try:
            while True:
                try:
                    if self._patience:
                        await self._until_it_waited()
                    with self._mailbox.inbox.held():
                        await asyncio.to_thread(self._mailbox.refresh)
                        await self._listen()
                except LockedError:
                    self._tell(0)  # another process brings it that
                except RegistryError as error:
                    self._notice(f"what others write to it waits: {error}")
                await asyncio.sleep(_LATER)
        finally:
            following.cancel()

    async def _follow(self) -> None:
        seen = await self._me.until(lambda board: True)
        while True:
            with suppress(RegistryError):
                seen = await self._me.until(lambda board, seen=seen: board is not seen)  # type: ignore[misc]
                self.look()
                continue
            await asyncio.sleep(_LATER)  # the registry is away

    async def _until_it_waited(self) -> None:
        while not await self._waiting(self._me.board):
            await self._next_change(None)
        await asyncio.sleep(self._patience)

    async def _listen(self) -> None:
        """Bring what comes. Where its own program may listen, only what waits now."""
        while True:
            board = self._me.board
            given = await self._waiting(board)
            self._tell(len(given))
            if self._patience and not given:
                return
            is_due = time.monotonic() >= self._not_before
            if given and is_due and self._is_idle() and await self._may_prompt(given):
                await self._bring()
                continue
            left = _LONGEST_PAUSE if is_due else self._not_before - time.monotonic()
            await self._next_change(left if given else None)

    async def _waiting(self, board: Board) -> list[Delivered]:
        await asyncio.to_thread(self._mailbox.take, board)
        return await asyncio.to_thread(self._mailbox.now, board)

    async def _bring(self) -> None:
        await asyncio.sleep(_SETTLE)
        board = await self._me.until(lambda board: True)
        given = await self._waiting(board)
        if not given or not self._is_idle():
            return
        text, count = text_for(self._me.name, given, board)
        try:
            prompt = self._prompts.put(text)
        except PromptRefusedError:
            self._try_later()
            return
        try:
            if await prompt.delivery() is not Delivery.NOT_SUBMITTED:  # that of a turn may take its time
                await self._given(given[:count])
            await self._prompts.reply_to(prompt, None)
        except asyncio.CancelledError:
            self._prompts.give_up(prompt, ReplyStatus.INTERRUPTED, "nobody waits for it any more")
            if not prompt.is_submitted.is_set() and not _is_not_submitted(prompt):
                await self._given(given[:count])  # it had it perhaps: nobody knows how far it came
            raise
        if _is_not_submitted(prompt):
            self._try_later()
        else:
            self._pause = _LATER

    async def _given(self, given: Sequence[Delivered]) -> None:
        """It has that: it is not brought again, also not after a crash."""
        self._given_at.append(time.monotonic())
        await asyncio.shield(asyncio.to_thread(self._mailbox.acknowledge, given))

    def _try_later(self) -> None:
        self._not_before = time.monotonic() + self._pause
        self._pause = min(self._pause * 2, _LONGEST_PAUSE)

    async def _may_prompt(self, given: Sequence[Delivered]) -> bool:
        """It was not prompted too often; what the person signed comes whatever was."""
        if any(one.standing is Standing.SIGNED for one in given):
            return True
        now = time.monotonic()
        if sum(now - at < WITHIN for at in self._given_at) < MOST:
            self._is_stop_told = False
            return True
        if not self._is_stop_told:
            self._is_stop_told = True
            await self._me.update(message=STOPPED)
        return False

    async def _next_change(self, seconds: float | None) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._may_have_changed.wait()
        self._may_have_changed.clear()


def _is_not_submitted(prompt: Prompt) -> bool:
    return prompt.reply.done() and prompt.reply.result().delivery is Delivery.NOT_SUBMITTED
