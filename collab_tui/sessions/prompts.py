"""The prompts of one session: one at a time, in order, each with its own reply, and never more than wait well.

Whoever gives a prompt up, because it took too long or for any other reason, ends its turn; the next one begins only
once that turn is over, so that no reply is ever taken for another prompt's.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any, Final

from collab_tui.sessions.driver import Delivery, DriverError, Reply, ReplyStatus

MOST: Final = 32
"""Prompts that wait for the one before; more are refused."""
LONGEST: Final = 1 << 20
"""Bytes of one prompt."""
_REMEMBERED: Final = 50
"""Prompts that the history has, the latest, each with its reply."""
_SHOWN: Final = 8000
"""Characters of a prompt, and of a reply, in the history."""
_PATIENCE: Final = 10.0
"""Seconds from an interrupt until the turn is given up."""


class PromptRefusedError(DriverError):
    """A prompt that is not taken: too many wait, it is empty or too long, or the session is over."""


@dataclass(eq=False, slots=True)
class Prompt:
    """One prompt on its way."""

    text: str
    ahead: int
    """How many were before it when it came."""
    sent_at: float
    """By the monotonic clock."""
    is_given: asyncio.Event = field(default_factory=asyncio.Event)
    """It is the agent's turn."""
    is_submitted: asyncio.Event = field(default_factory=asyncio.Event)
    """The agent surely has it."""
    reply: asyncio.Future[Reply] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    """What came of it; never an error. Whoever waits for it shields it."""

    async def given(self) -> bool:
        """Wait until the agent is given it; False when it came to its end without."""
        await self._reaches(self.is_given)
        return self.is_given.is_set()

    async def delivery(self) -> Delivery:
        """Wait until the agent has it, or it came to its end; gives whether the agent has it."""
        await self._reaches(self.is_submitted)
        return Delivery.SUBMITTED if self.is_submitted.is_set() else self.reply.result().delivery

    async def _reaches(self, stage: asyncio.Event) -> None:
        waiting = asyncio.ensure_future(stage.wait())
        ends: set[asyncio.Future[Any]] = {waiting, self.reply}
        try:
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiting.cancel()


def check_prompt(text: str) -> None:
    """Raises `PromptRefusedError` for one that no agent is given."""
    if not text.strip():
        raise PromptRefusedError("an empty prompt says nothing")
    if (size := len(text.encode("utf-8", "replace"))) > LONGEST:
        raise PromptRefusedError(f"this prompt has {size:,} bytes, and one may have {LONGEST:,}: put it in a file")


class PromptQueue:
    """What one agent is to be prompted with."""

    def __init__(
        self,
        give: Callable[[str], Awaitable[Reply]],
        interrupt: Callable[[], Awaitable[None]],
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        """`give` and `interrupt` are the driver's; `changed` is called when a prompt comes, begins or ends."""
        self._give = give
        self._interrupt = interrupt
        self._changed = changed
        self._waiting: deque[Prompt] = deque()
        self._has_more = asyncio.Event()
        self._current: Prompt | None = None
        self._turn: asyncio.Task[Reply] | None = None
        self._closed: str | None = None
        self.history: deque[tuple[str, Reply]] = deque(maxlen=_REMEMBERED)
        """The latest, shortened."""

    def __len__(self) -> int:
        """How many wait."""
        return len(self._waiting)

    @property
    def is_busy(self) -> bool:
        """A prompt is with the agent, or waits to be."""
        return self._current is not None or self._turn is not None or bool(self._waiting)

    def put(self, text: str) -> Prompt:
        """Add a prompt. Raises `PromptRefusedError`."""
        if self._closed is not None:
            raise PromptRefusedError(f"it takes no prompts any more: {self._closed}")
        check_prompt(text)
        if len(self._waiting) >= MOST:
            raise PromptRefusedError(f"{MOST} prompts wait already for the one before: try again later")
        prompt = Prompt(text, len(self._waiting) + (self._current is not None), time.monotonic())
        self._waiting.append(prompt)
        self._has_more.set()
        self._changed()
        return prompt

    def submitted(self) -> None:
        """The agent has the prompt whose turn runs."""
        if self._current is not None:
            self._current.is_submitted.set()

    async def reply_to(self, prompt: Prompt, timeout: float | None) -> Reply:  # noqa: ASYNC109
        """Wait for what comes of it, at most so many seconds. Given up or cancelled, its turn is ended."""
        try:
            await asyncio.wait({prompt.reply}, timeout=timeout)
        except asyncio.CancelledError:
            self.give_up(prompt, ReplyStatus.INTERRUPTED, "nobody waits for it any more")
            raise
        if not prompt.reply.done():
            self.give_up(prompt, ReplyStatus.TIMED_OUT, f"no reply within {timeout:g} s")
        return prompt.reply.result()

    def give_up(self, prompt: Prompt, status: ReplyStatus, reason: str) -> None:
        """Want no reply to it any more: take it back if it waits, else end its turn."""
        if prompt.reply.done():
            return
        if prompt is self._current:
            self._settle(prompt, _without_words(prompt, status, reason, Delivery.UNVERIFIED))
            if self._turn is not None:
                self._turn.cancel()
            return
        self._waiting.remove(prompt)
        self._settle(prompt, _without_words(prompt, status, reason, Delivery.NOT_SUBMITTED))

    async def interrupt(self) -> bool:
        """End the turn that runs; False where none does. What waits comes next."""
        turn = self._turn
        if turn is None:
            await self._interrupt()  # it may be busy with what a person typed
            return False
        await self._interrupt()
        await asyncio.wait({turn}, timeout=_PATIENCE)
        if not turn.done():
            turn.cancel()
        return True

    async def run(self) -> None:
        """Give one after the other, until this is cancelled."""
        while True:
            while not self._waiting:
                self._has_more.clear()
                await self._has_more.wait()
            await self._one(self._waiting.popleft())

    async def _one(self, prompt: Prompt) -> None:
        self._current = prompt
        self._turn = asyncio.ensure_future(self._reply(prompt))
        prompt.is_given.set()
        self._changed()
        try:
            await asyncio.wait({self._turn})
            if not self._turn.cancelled():
                self._settle(prompt, self._turn.result())
        finally:
            turn = self._turn
            turn.cancel()
            self._settle(prompt, _without_words(prompt, ReplyStatus.INTERRUPTED, "it was given up"))
            await asyncio.wait({turn}, timeout=_PATIENCE)
            self._turn = self._current = None
            self._changed()

    async def _reply(self, prompt: Prompt) -> Reply:
        try:
            return await self._give(prompt.text)
        except DriverError as error:
            return _without_words(prompt, ReplyStatus.FAILED, str(error))
        except Exception as error:  # whatever a driver does wrong, the other sessions go on
            return _without_words(prompt, ReplyStatus.FAILED, f"{type(error).__name__}: {error}")

    def close(self, reason: str) -> None:
        """Take no more prompts; what waits is not given."""
        self._closed = reason
        while self._waiting:
            prompt = self._waiting.popleft()
            self._settle(prompt, _without_words(prompt, ReplyStatus.NOT_SUBMITTED, reason, Delivery.NOT_SUBMITTED))

    def lose(self, reason: str) -> None:
        """The program is gone: so is the turn that ran."""
        self.close(reason)
        if self._current is not None:
            self.give_up(self._current, ReplyStatus.LOST, reason)

    def _settle(self, prompt: Prompt, reply: Reply) -> None:
        if prompt.reply.done():
            return
        prompt.reply.set_result(reply)
        self.history.append((prompt.text[:_SHOWN], replace(reply, text=reply.text[-_SHOWN:])))
        self._changed()


def _without_words(prompt: Prompt, status: ReplyStatus, reason: str, delivery: Delivery = Delivery.UNVERIFIED) -> Reply:
    return Reply("", status, time.monotonic() - prompt.sent_at, delivery, reason)
