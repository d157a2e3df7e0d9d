"""An agent's inbox: everything that concerns it, in file order, until it acknowledged that; at least once.

What was acknowledged does not come again, also when the registry was replaced or cut: see `acknowledged`. An agent that
has no place yet, or whose place was deleted, gets what came since it was last there before its present session (all
that there is, if it never began one) and, from before, what it is still asked.

A decision in the name of somebody who signs comes only if they signed it and the agent did not act on it yet; of
several on one request, the first that counts. One on what the agent's own program asked is acted on by its hook: the
words beside an approval come all the same, which the program has no place for.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from collab_tui.model.board import Board, RequestState
from collab_tui.model.event import Event, Item
from collab_tui.model.signature import Standing, registry_id
from collab_tui.model.words import name_key
from collab_tui.protocol.acknowledged import Acknowledged, listener
from collab_tui.protocol.addressed import Addressed, Addressing, Concern
from collab_tui.protocol.released import Releases
from collab_tui.protocol.trust import Trust
from collab_tui.protocol.used import UsedDecisions
from collab_tui.registry.append import LockedError, NotWrittenError, hold
from collab_tui.registry.jsonl import JsonlRegistry
from collab_tui.registry.lock_state import lock_state


class Delivery(NamedTuple):
    """One event that concerns the agent."""

    event: Event
    concern: Concern
    standing: Standing | None
    """Who wrote a decision in the name of somebody who signs: `signed`; None for all else."""
    still_open: bool | None
    """A request can still be answered; None for all else."""
    request: Event | None
    """The agent's own that a decision names."""


class Inbox:
    """What concerns one agent. One thread at a time."""

    def __init__(
        self,
        registry: Path,
        name: str,
        person: str,
        trust: Trust,
        used: UsedDecisions,
    ) -> None:
        self._registry = JsonlRegistry(registry)
        self._name = name
        self._key = name_key(name)
        self._person = person
        self._trust = trust
        self._used = used
        self._acknowledged: Acknowledged | None = None
        self._before: list[Acknowledged] = []
        """What was acknowledged in the registries that stood here before this one."""
        self._restart()

    def _restart(self) -> None:
        self._addressing = Addressing(self._name, self._person)
        self._releases = Releases(self._trust)
        self._registry_id: str | None = None
        self._decided: set[str] = set()
        self._done: list[str] = []
        self._last_own = self._since = 0
        """The line after the agent's last one; the same at the time of its last start of a session."""

    @contextmanager
    def held(self, timeout: float = 0) -> Iterator[None]:
        """While this lasts no other inbox of this agent and registry can be held by anybody of this user.

        Raises `LockedError`, which says who holds it, after `timeout` seconds.
        """
        path = listener(Path(self._registry.path), self._name, self._used.folder)
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise NotWrittenError(f"cannot make {path.parent}: {error.strerror}") from error
        try:
            descriptor = hold(str(path), timeout)
        except LockedError as error:
            holder = lock_state(f"{path}.lock").holder or "another process"
            raise LockedError(f"{self._name} is listening already, in {holder}; two would share what comes") from error
        try:
            yield
        finally:
            os.close(descriptor)

    def take(self, board: Board) -> list[Delivery]:
        """What came since the last call, the first time all that waits. `board` says what is still open."""
        found = self._read()
        if self._registry_id is None:
            return []
        here = self._acknowledged
        if here is None:
            here = self._acknowledged = Acknowledged(self._registry_id, self._name, self._used.folder)
            if not here.load() and not self._before:  # one that came while it listened is all news
                here.add(one.event.id for one in found if self._is_history(one, board))
        here.add(one.event.id for one in found if self._has_answered(one, board))
        waiting = []
        for one in found:
            if any(one.event.id in place for place in (here, *self._before)):
                self._done.append(one.event.id)
            else:
                waiting.append(one)
        unused = self._unused([one.event for one in waiting if one.concern is Concern.DECISION])
        return [
            Delivery(one.event, one.concern, self._standing(one), _is_still_open(one, board), _asked(one))
            for one in waiting
            if one.concern is not Concern.DECISION or one.event.id in unused or has_words_beside(one.event, _asked(one))
        ]

    def still_waiting(self, taken: Iterable[Delivery]) -> list[Delivery]:
        """Those that no other process of the agent acknowledged meanwhile. Call it first while `held` lasts."""
        here = self._acknowledged
        if here is None:
            return list(taken)
        here.load()
        return [one for one in taken if one.event.id not in here]

    def _unused(self, decisions: Sequence[Event]) -> set[str]:
        """The ids of those that the agent did not act on yet."""
        signed = [decision for decision in decisions if self._trust.concerns(decision)]
        others = [decision for decision in decisions if not self._trust.concerns(decision)]
        unused = self._used.unused(signed, self._name) + self._used.of_agents.unused(others, self._name)
        return {decision.id for decision in unused}

    def _read(self) -> list[Addressed]:
        """Everything new that counts."""
        found: list[Addressed] = []
        while True:
            news = self._registry.read_next()
            if news.restarted is not None:
                found = []
                self._restart()
                self._before += [self._acknowledged] if self._acknowledged is not None else []
                self._acknowledged = None
            items = list(map(self._releases.see, news.items))
            for item in items:
                self._note(item)
            found += (one for one in self._addressing.extend(items) if self._counts(one))
            if not news.remaining:
                return found

    def _note(self, item: Item) -> None:
        """What the start needs to know of a line."""
        if item.position == 0:
            self._registry_id = registry_id(item)
        if isinstance(item, Event) and name_key(item.agent or "") == self._key:
            if item.kind == "session_start":
                self._since = self._last_own
            self._last_own = item.position + 1

    def _is_history(self, one: Addressed, board: Board) -> bool:
        """An agent that has no place yet need not be told."""
        return one.event.position < self._since and not _is_still_open(one, board)

    def _has_answered(self, one: Addressed, board: Board) -> bool:
        """It was asked this, and answered already."""
        request = board.request(one.event.id) if one.concern is Concern.REQUEST else None
        answer = request.answer if request is not None and not request.is_open else None
        return answer is not None and name_key(answer.by) == self._key

    def _counts(self, one: Addressed) -> bool:
        """Whoever signs did sign it, and it is the first that answers; asked of every decision, in file order."""
        if one.event.kind != "decision":
            return True
        request = one.request
        if request is None:
            return self._standing(one) in (None, Standing.SIGNED)
        if request.id in self._decided or not self._trust.may_be_acted_on(one.event, request, self._registry_id):
            return False
        self._decided.add(request.id)
        return True

    def _standing(self, one: Addressed) -> Standing | None:
        if not self._trust.concerns(one.event):
            return None
        return self._trust.standing(one.event, _asked(one), self._registry_id)

    def is_acknowledged(self, beginning: str) -> bool:
        """An event whose id begins so was acknowledged before it could be taken."""
        return any(event_id.startswith(beginning) for event_id in self._done)

    def acknowledge(self, event: Event) -> None:
        """It was taken, and need not come again; a decision that nobody asked for is used up by this."""
        if event.kind == "decision" and self._trust.concerns(event) and event.field("request_id") is None:
            self._used.use_once(event, self._name)
        place = self._acknowledged or (self._before[-1] if self._before else None)
        if place is not None:
            place.add([event.id])


def has_words_beside(decision: Event, request: Event | None) -> bool:
    """It approves what the agent's own program asked, with words that the program has no place for."""
    is_a_hooks = request is not None and request.text("driver") is not None
    return is_a_hooks and decision.text("verdict") != "rejected" and decision.text("comment") is not None


def _asked(one: Addressed) -> Event | None:
    return one.request.event if one.request is not None else None


def _is_still_open(one: Addressed, board: Board) -> bool | None:
    if one.concern is not Concern.REQUEST:
        return None
    request = board.request(one.event.id)
    if request is None:
        return one.event.position >= board.position  # not on the board yet, or closed so long ago that it is forgotten
    is_expired = request.expires is not None and request.expires <= datetime.now(UTC)
    return request.state is RequestState.OPEN and not is_expired
