"""Any program that stays and speaks lines of JSON: `{"id", "prompt"}` to it, `{"id", "reply", "status"?}` from it.

A reply names the prompt that it is for. So one that was given up holds nothing up, and what is said to it later is
nobody's reply.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, Final

from collab_tui.model.text import clean, one_line
from collab_tui.sessions.driver import Launch, Listener, Reply, ReplyStatus
from collab_tui.sessions.drivers.command import arguments
from collab_tui.sessions.drivers.json_lines import GoneError, JsonLines, text_of
from collab_tui.sessions.drivers.turns import TurnDriver

_STATUS: Final = {
    "done": ReplyStatus.DONE,
    "failed": ReplyStatus.FAILED,
    "interrupted": ReplyStatus.INTERRUPTED,
}


class LinesDriver(TurnDriver):
    """One program, one prompt at a time."""

    def __init__(self, launch: Launch, listener: Listener) -> None:
        super().__init__(launch, listener)
        self._lines: JsonLines | None = None
        self._reading: asyncio.Task[None] | None = None
        self._awaited: tuple[str, asyncio.Future[Mapping[str, Any] | None]] | None = None
        """The prompt that waits, and its reply; None instead of one: it was interrupted."""

    def _arguments(self) -> Sequence[str]:
        return arguments(self._launch)

    async def _begin(self, lines: JsonLines) -> None:
        self._lines = lines
        self._reading = asyncio.create_task(lines.hand_on(self._told, self._closed))

    async def _carry_out(self, text: str) -> Reply:
        if self._lines is None:
            raise GoneError("it was not started")
        name, replied = uuid.uuid4().hex, asyncio.get_running_loop().create_future()
        self._awaited = name, replied
        try:
            await self._lines.send({"id": name, "prompt": text})
            self._listener.submitted()
            said = await replied
        finally:
            self._awaited = None
        if said is None:
            return Reply("", ReplyStatus.INTERRUPTED, 0.0, reason="it was not waited for any longer")
        reply, told = text_of(said, "reply"), text_of(said, "status") or "done"
        self._say(f"{reply}\n")
        status = _STATUS.get(told, ReplyStatus.FAILED)
        why = text_of(said, "reason") or (f"its status is {told}" if told not in ("failed", "interrupted") else told)
        return Reply(reply, status, 0.0, reason="" if status is ReplyStatus.DONE else one_line(clean(why)))

    async def _interrupt(self) -> None:
        if self._awaited is not None and not self._awaited[1].done():
            self._awaited[1].set_result(None)

    async def _close(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.wait({self._reading})

    def _told(self, message: Mapping[str, Any]) -> None:
        name, awaited = message.get("id"), self._awaited
        if awaited is not None and name == awaited[0] and not awaited[1].done():
            awaited[1].set_result(message)

    def _closed(self) -> None:
        if self._awaited is not None and not self._awaited[1].done():
            self._awaited[1].set_exception(GoneError("it is gone"))
