"""Taking part: one agent's side of a registry, as a small async library.

    async with participant("sena", role="implement") as me:
        await me.update(current_task="metrics", progress=40)
        request = await me.ask("Which tagger first?", options=["rules", "model"], key="tagger")
        async for event in me.inbox():
            print(event.agent, event.kind, event.text("message"))

Several participants in one process, on one registry, hear each other at once; other processes hear of it through the
registry, within milliseconds where its folder can be watched, else with the next look (`poll` in the settings).
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from collab_tui.config import load_config
from collab_tui.model.board import Board, Request
from collab_tui.model.event import Event
from collab_tui.protocol import answers
from collab_tui.protocol.asking import Asking, Deliver
from collab_tui.protocol.following import Following
from collab_tui.protocol.inbox import Inbox
from collab_tui.protocol.nearby import announce
from collab_tui.protocol.trust import Trust
from collab_tui.protocol.used import UsedDecisions
from collab_tui.registry.find import find_registry
from collab_tui.registry.jsonl import JsonlRegistry


def participant(name: str, registry: Path | None = None, *, announces: bool = True, **session: Any) -> Participant:
    """An agent's side of a registry: the given one, else `$COLLAB_REGISTRY`, else the one found upward from here.

    See `Participant`. Raises `UnusableError` where there is none, `ConfigError` for settings that cannot be used.
    """
    path = registry if registry is not None else Path(find_registry(".", os.environ))
    return Participant(name, path, announces=announces, **session)


class Participant:
    """An agent that writes its events and follows those of the others.

    Entering starts its session, with what else is given as the fields of the `session_start`, and leaving ends it;
    with `announces=False` neither is told. Everything here may be awaited by several tasks at once.

    `person` is who answers for the person. What waits for the person or for an approver ends with a decision that they
    signed, as `trust` sees it, and that nobody acted on before, as `used` knows; what waits for an agent, with any
    other agent's word too. Without `person` and `trust` it is as the settings of the user say in whose name this
    process runs, who also say by `poll` (seconds) whether to look every so often instead of watching the folder.
    With `following`, which the caller enters and leaves, several participants share one board.
    """

    def __init__(
        self,
        name: str,
        registry: Path,
        *,
        announces: bool = True,
        person: str | None = None,
        trust: Trust | None = None,
        used: UsedDecisions | None = None,
        poll: float | None = None,
        following: Following | None = None,
        **session: Any,
    ) -> None:
        self.name = name
        if trust is None:
            config = load_config(registry)
            person, poll = person or config.person, config.poll if poll is None else poll
            trust = Trust(person, config.approvers)
        self.person = person or trust.person
        self._trust = trust
        self._used = used or UsedDecisions()
        self._registry = JsonlRegistry(registry)
        self._announces = announces
        self._session = session
        self._writing = asyncio.Lock()
        self._is_following_shared = following is not None
        self._following = following or Following(self._registry, self.person, trust, poll=poll)
        self._asking = Asking(name, self._following, trust, self._used, self._append)
        self._held = ExitStack()
        """Keeps other processes out of the inbox."""
        self._hearing: Inbox | None = None
        """The inbox that was opened last."""

    @property
    def board(self) -> Board:
        """The board as last read."""
        return self._following.board

    async def __aenter__(self) -> Self:
        if self._announces:
            await self.emit("session_start", pid=os.getpid(), host=socket.gethostname(), **self._session)
        if not self._is_following_shared:
            await self._following.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._hearing = None
        self._held.close()
        if not self._is_following_shared:
            await self._following.__aexit__(kind, error, trace)
        if self._announces:
            reason = "stopped" if isinstance(error, asyncio.CancelledError) else type(error).__name__ if error else None
            await self.emit("session_end", **({"reason": reason} if reason else {}))

    # Telling

    async def emit(self, event: str, **fields: Any) -> dict[str, Any]:
        """Append one event of this agent; gives it back as written. Raises what `append` raises."""
        return await self._append({"event": event, **fields})

    async def _append(self, event: Mapping[str, Any], unless: Callable[[], str | None] | None = None) -> dict[str, Any]:
        def write() -> dict[str, Any]:
            written = self._registry.append({"agent": self.name, **event}, unless=unless)
            announce(self._registry.path)
            return written

        async with self._writing:  # its own events stand in the order in which it meant them
            return await asyncio.to_thread(write)

    async def update(self, **fields: Any) -> None:
        """Declare any of status, current_task, progress, blockers, dependencies, next_action, message."""
        await self.emit("status_update", **fields)

    async def message(self, target: str, text: str) -> None:
        """Say something to an agent, to the person, or to `all`."""
        await self._append(answers.message(self.name, target, text))

    async def block(self, text: str, reason: str | None = None) -> None:
        """Name what keeps this agent from going on."""
        await self.emit("blocker", blocker=text, **({"reason": reason} if reason else {}))

    async def resolve(self, text: str, target: str | None = None) -> None:
        """Remove a blocker by its whole text: from one agent, or from all that have it."""
        await self._append(answers.resolution(self.name, target, text))

    async def decide(self, request: Request, given: str, comment: str | None = None) -> None:
        """Answer a request as this agent, once: raises `RefusedError` if it was closed meanwhile."""

        def write() -> None:
            answers.answer(
                self._registry,
                request,
                self.name,
                given,
                comment,
                known=request.position + 1,
                person=self.person,
                clock=lambda: datetime.now(UTC),
            )
            announce(self._registry.path)

        await asyncio.to_thread(write)

    # Asking

    async def request(self, text: str, *, key: str | None = None, **fields: Any) -> str:
        """Open a request; gives its id.

        `fields` are those of a `decision_request`: target, options, details, evidence, urgency, kind, ... With a `key`
        this agent's request of that key is found that is still open, or whose answer was not taken yet: so asking again
        after a time-out or a crash, or in two processes at once, is one request. Raises `UnusableError` when that one
        asks something else: other words, details, options, kind, default, evidence or target.
        """
        return await self._asking.request(text, key, fields)

    async def ask(self, text: str, *, key: str | None = None, **fields: Any) -> Request:
        """Open a request, or find it by its key, and wait until it is closed: `request` and `closed`."""
        return await self.closed(await self.request(text, key=key, **fields))

    async def closed(self, request_id: str, *, within: float | None = None, deliver: Deliver | None = None) -> Request:
        """Wait until a request is closed or has expired; gives it as it then stands, with its answer.

        One that expired comes back open (`is_open`), without an answer, and so does one that nobody answered `within`
        so many seconds: no answer is taken and then lost to that limit. Nobody who signs is taken at their word without
        a signature: whatever was written in the name of the person or of an approver, it comes back without an answer
        when it was withdrawn or expired. Raises `UsedUpError` when that very decision was taken before, `GoneError`
        when there is no such request, or it went away with its registry.

        Returning it delivers the answer. A program that hands it on gives `deliver`, which gets the request: the answer
        is used up once that returned, and if it raises, or this process dies, whoever waits next as this agent gets it.
        """
        return await self._asking.closed(request_id, within, deliver)

    async def withdraw(self, request_id: str, reason: str | None = None) -> bool:
        """Close a request of this agent unanswered; False when it was closed already, or had expired.

        Raises `RefusedError` when another asked it, `GoneError` when it is not there.
        """
        return await self._asking.withdraw(request_id, reason)

    # Hearing

    async def until(self, condition: Callable[[Board], bool]) -> Board:
        """Wait for a board on which the condition holds; at once if it does already, own events included.

        Raises `GoneError` when the registry cannot be read any more.
        """
        return await self._following.until(condition)

    async def inbox(self) -> AsyncGenerator[Event, None]:
        """Everything that concerns this agent, at least once: it counts as taken when the next one is asked for.

        Messages to it or to all, requests to it, decisions for it that it may act on, what no longer blocks it. Where
        it begins, and what comes again when, stands in `collab_tui.protocol.inbox`. Raises `LockedError` while another
        process listens as this agent, `GoneError` when the registry cannot be read any more. Of several of one
        participant the one that was opened last goes on, and the others end: so after a `break` one begins anew.
        """
        inbox = Inbox(self._registry.path, self.name, self.person, self._trust, self._used)
        if self._hearing is None:
            self._held.enter_context(inbox.held())
        self._hearing = inbox
        try:
            while self._hearing is inbox:
                seen = self.board
                for delivery in await asyncio.to_thread(inbox.take, seen):
                    yield delivery.event
                    await asyncio.to_thread(inbox.acknowledge, delivery.event)
                    if self._hearing is not inbox:
                        return
                await self._following.until(lambda board, seen=seen: board is not seen)  # type: ignore[misc]
        finally:
            if self._hearing is inbox:
                self._hearing = None
                self._held.close()
