"""The person's desk: the registry, whose name answers, what is on its way, and words that were not sent yet.

Screens and dialogs write through it. A key never changes the picture: what is sent is appended in a thread, and the
board changes when the event is read back. Every decision is signed with the person's key.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import TYPE_CHECKING, Any

from collab_tui.model.board import Blocker, Board, Request
from collab_tui.protocol import answers
from collab_tui.protocol.trust import Trust
from collab_tui.registry.append import RefusedError, RegistryError
from collab_tui.registry.jsonl import JsonlRegistry

if TYPE_CHECKING:
    from collab_tui.tui.commander import Commander
    from collab_tui.tui.machine import Machine

Told = Callable[[str | None], None]
"""Gets None when the event was written, else why it was not."""


class Desk:
    """Where the person writes.

    `start` runs a coroutine beside the screen, `changed` is called when something is on its way or failed.
    `not_the_person` is why nothing can be decided here in the person's name.
    """

    def __init__(
        self,
        registry: JsonlRegistry,
        person: str,
        clock: Callable[[], datetime],
        start: Callable[[Coroutine[Any, Any, None]], object],
        changed: Callable[[], None],
        trust: Trust | None = None,
        not_the_person: str | None = None,
    ) -> None:
        self.registry = registry
        self.person = person
        self.trust = trust or Trust(person)
        self._not_the_person = not_the_person
        self.clock = clock
        self.drafts: dict[str, str] = {}
        """Words typed in a dialog that was closed, by what they were for."""
        self.sending: set[str] = set()
        """Ids of requests, and agents with their blockers, whose answer is on its way."""
        self._written: dict[str, str] = {}
        """What is on its way -> the id of its event, once it is written."""
        self._read_back: set[str] = set()
        """Ids that were read while something was on its way: an event is often read before its disk acknowledges it."""
        self.start = start
        self.changed = changed
        self._machine: Machine | None = None
        self._commander: Commander | None = None

    def answer(self, request: Request, given: str, comment: str | None, known: int, told: Told) -> None:
        """Answer a request that was open on the board at position `known`; at most once, also when pressed twice."""
        if request.id in self.sending:
            return

        def append() -> dict[str, Any]:
            self.check_presence()
            return answers.answer(
                self.registry,
                request,
                self.person,
                given,
                comment,
                known=known,
                person=self.person,
                clock=self.clock,
                trust=self.trust,
            )

        self._send(request.id, append, told)

    def unblock(self, agent: str, blocker: Blocker, known: int, told: Told) -> None:
        """Remove a blocker that an agent had on the board at position `known`."""

        def append() -> dict[str, Any]:
            self.check_presence()
            return self.registry.append(
                answers.resolution(self.person, agent, blocker.text),
                unless=lambda: self._why_not() or answers.why_not_blocked(self.registry, agent, blocker, known=known),
                seal=answers.seal_of_release(self.registry, self.trust, self.person, blocker),
            )

        self._send(sending_key(agent, blocker.text), append, told)

    def write(self, event: dict[str, Any], told: Told) -> None:
        """Append any other event; a decision that nobody asked for is signed as well."""
        append = self._append_signed if event["event"] == "decision" else self._append
        self._send(f"event {id(event)}", lambda: append(event), told)

    def arrived(self, board: Board, waiting: set[str], ids: set[str]) -> None:
        """Something was read: `waiting` still stands on the board, `ids` are the newest events.

        What was on its way and is read back, or does not stand there any more, has arrived.
        """
        if self._commander is not None:
            self._commander.read(board)
        self._read_back |= ids
        self.sending = {key for key in self.sending & waiting if self._written.get(key) not in self._read_back}
        self._written = {key: event_id for key, event_id in self._written.items() if key in self.sending}
        if not self.sending:
            self._read_back.clear()

    def _append(self, event: dict[str, Any]) -> dict[str, Any]:
        return self.registry.append(event, unless=self._why_not)

    def _append_signed(self, event: dict[str, Any]) -> dict[str, Any]:
        self.check_presence()
        return self.registry.append(
            event, unless=self._why_not, seal=answers.seal_of(self.registry, self.trust, request=None)
        )

    def check_presence(self) -> None:
        """Raise `RefusedError` where nothing can be written in the person's name."""
        if self._not_the_person is not None:
            raise RefusedError(self._not_the_person)

    @property
    def machine(self) -> Machine:
        """What this machine knows of the registry's sessions."""
        if self._machine is None:
            from collab_tui.tui.machine import Machine  # the first paint need not wait for it

            self._machine = Machine(self.registry)
        return self._machine

    @property
    def commander(self) -> Commander:
        """Gives the person's commands to sessions."""
        if self._commander is None:
            from collab_tui.tui.commander import Commander

            self._commander = Commander(self, self.machine)
        return self._commander

    @property
    def needs_key(self) -> bool:
        """The person could decide here, and has no key to sign with yet."""
        return self._not_the_person is None and not self.trust.has_key

    def is_awaited(self, blocker: Blocker) -> bool:
        """The blocker waits for a word that is signed."""
        return answers.is_awaited(self.trust, blocker)

    def _why_not(self) -> str | None:
        """A registry that was deleted is not made anew by a key that was meant for it."""
        return None if self.registry.is_there() else "the registry is gone"

    def _send(self, key: str, append: Callable[[], dict[str, Any]], told: Told) -> None:
        self.sending.add(key)
        self.changed()
        self.start(self._sent(key, append, told))

    async def _sent(self, key: str, append: Callable[[], dict[str, Any]], told: Told) -> None:
        error: str | None = None
        try:
            written = await asyncio.to_thread(append)
            self._written[key] = str(written["id"])
            if self._written[key] in self._read_back:
                self.sending.discard(key)
                self.changed()
        except (RegistryError, OSError) as problem:
            error = str(problem)
            self.sending.discard(key)
            self.changed()
        told(error)


def sending_key(agent: str, blocker: str) -> str:
    """Under which an unblocking is on its way."""
    return f"{agent}\n{blocker}"
