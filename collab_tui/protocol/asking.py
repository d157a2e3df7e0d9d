"""An agent's requests: each opened once, waited for, and answered only by a decision that the agent may act on."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from inspect import isawaitable
from typing import Any, Final

from collab_tui.model.board import Request, RequestState
from collab_tui.model.event import Event, decode
from collab_tui.model.requests import answer_of, request_of
from collab_tui.model.text import clean, one_line
from collab_tui.model.words import name_key
from collab_tui.protocol.following import Following, GoneError
from collab_tui.protocol.persistence import wholly
from collab_tui.protocol.trust import Trust
from collab_tui.protocol.used import Reservation, UsedDecisions
from collab_tui.registry.append import (
    LOCK_TIMEOUT,
    LockedError,
    NotWrittenError,
    RefusedError,
    UnusableError,
    encode,
)
from collab_tui.registry.base import State

MAX_KEY: Final = 200
"""Characters of a key."""
_SHOWN: Final = 60
_PAUSE: Final = 0.02
"""Seconds between looks whether another process delivered a decision."""

Append = Callable[[Mapping[str, Any], Callable[[], str | None] | None], Awaitable[dict[str, Any]]]
"""Appends an event of the agent, unless the condition under the lock gives a reason; gives it back as written."""


Deliver = Callable[[Request], Awaitable[object] | object]
"""Gives a request as it stands to whoever acts on it, at once or once it was awaited; what it raises, it did not
deliver. What it began it ends, also when nobody waits for it any more.
"""


class UsedUpError(RefusedError):
    """The decision was taken before: somebody acts on it, or did."""

    exit_code = 3

    def __init__(self, text: str, request: Request) -> None:
        super().__init__(text)
        self.request = request
        """As it stands, without its answer."""


class Asking:
    """The requests of one agent. See `Participant` for what each method promises."""

    def __init__(self, name: str, following: Following, trust: Trust, used: UsedDecisions, append: Append) -> None:
        self.name = name
        self._following = following
        self._trust = trust
        self._used = used
        self._append = append
        self._using = asyncio.Lock()
        self._taken: list[Event] = []
        """Decisions that this agent acts on here; several of its tasks may wait for the same."""

    # Opening

    async def request(self, text: str, key: str | None, fields: Mapping[str, Any]) -> str:
        """Open a request, or find the one of that key that is still good for an answer; gives its id."""
        if not one_line(clean(text)):
            raise UnusableError("what is asked? A request needs words")
        event = {"event": "decision_request", "request": text, **fields}
        if key is None:
            return str((await self._append(event, None))["id"])
        event["key"] = _checked(key)
        wanted = self._as_read(event)
        found: list[str] = []

        def is_found() -> str | None:
            found.extend(self._ids_for(wanted))
            return "it was asked already" if found else None

        try:
            return str((await self._append(event, is_found))["id"])
        except RefusedError:
            if not found:
                raise
            return found[0]

    def _as_read(self, event: Mapping[str, Any]) -> Request:
        """The request as everybody will read it. Raises `UnusableError`."""
        item = next(iter(decode(encode(event), 0)))
        assert isinstance(item, Event)  # noqa: S101 - an object was encoded
        return request_of(item, self.name, self._trust.person)

    def _ids_for(self, wanted: Request) -> list[str]:
        """The newest request of that key that can still give an answer. Called under the lock of all writers."""
        news = self._following.read()
        if news.state is State.UNREADABLE:  # what is not known must not be taken for nothing
            raise NotWrittenError(f"{self._following.path} cannot be read now: {news.detail}")
        if news.state is State.MISSING:
            return []
        for request in reversed(self._following.board.requests):
            if not self._is_mine(request) or _key_of(request) != _key_of(wanted) or not self._is_unused(request):
                continue
            if _question(request) != _question(wanted):
                raise UnusableError(
                    f"a key names one question until its answer was taken, and {_key_of(request)!r} is "
                    f"{request.id}: {one_line(request.request)[:_SHOWN]!r}, {_difference(request, wanted)}. Ask with "
                    f"another key, or take that answer first: `collab-tui wait decision {request.id}`"
                )
            return [request.id]
        return []

    def _is_mine(self, request: Request) -> bool:
        return name_key(request.asker) == name_key(self.name)

    def _is_unused(self, request: Request) -> bool:
        """It waits for its answer still, or has one that this agent did not act on yet."""
        decision = self._settling(request)
        if decision is not None:
            return bool(self._uses_of(decision).unused([decision], self.name))
        return request.state in (RequestState.OPEN, RequestState.ANSWERED) and not _has_expired(request)

    # Waiting

    async def closed(self, request_id: str, within: float | None, deliver: Deliver | None = None) -> Request:
        """Wait until it is settled, is gone, has expired, or so many seconds are over, and deliver it as it stands.

        Its answer is used up once `deliver` returned; without, by this returning.
        """
        await self._following.look()
        expires = self._known(request_id).expires
        left = None if expires is None else (expires - datetime.now(UTC)).total_seconds()
        patience = min((seconds for seconds in (left, within) if seconds is not None), default=None)
        try:
            async with asyncio.timeout(patience) as limit:
                await self._following.wait_for(lambda: self._is_over(request_id))
        except TimeoutError:
            if not limit.expired():
                raise
        return await self._with_what_counts(self._known(request_id), deliver)

    def _known(self, request_id: str) -> Request:
        """The request as last read. Raises `GoneError`."""
        if self._following.lost is not None:
            raise GoneError(f"nobody can answer the request {request_id} any more: {self._following.lost}")
        request = self._following.board.request(request_id)
        if request is None:
            raise GoneError(f"the request {request_id} is not in {self._following.path}")
        return request

    def _is_over(self, request_id: str) -> bool:
        """Nothing is to be waited for any more."""
        request = self._following.board.request(request_id)
        if self._following.lost is not None or request is None:
            return True
        return not request.is_open if request.state is not RequestState.ANSWERED else bool(self._settling(request))

    def _settling(self, request: Request) -> Event | None:
        return self._trust.settling(request, self._following.board.registry_id)

    async def _with_what_counts(self, request: Request, deliver: Deliver | None) -> Request:
        """The request with the answer that counts, or with none; the answer is used up by this."""
        decision = self._settling(request)
        if decision is None:
            state = RequestState.OPEN if request.state is RequestState.ANSWERED else request.state
            unanswered = replace(request, state=state, answer=None)
            await _given(deliver, unanswered)
            return unanswered
        answered = replace(request, answer=answer_of(decision))
        async with self._using:
            if decision in self._taken:
                is_first = True
            elif (reservation := await self._reserved(decision)) is None:
                is_first = False
            else:
                with reservation:
                    delivering = deliver(answered) if deliver is not None else None
                    if isawaitable(delivering):
                        await wholly(_used_up(delivering, reservation))
                    else:
                        reservation.commit()  # nobody can cancel it between these two
                self._taken.append(decision)
                return answered
        if not is_first and self._trust.concerns(decision):
            why = f"the decision on {request.id} was taken before, by another process of {one_line(self.name)}"
            raise UsedUpError(why, replace(request, answer=None))
        await _given(deliver, answered)
        return answered

    async def _reserved(self, decision: Event) -> Reservation | None:
        """Keep it from other processes of this agent, as soon as none of them has it; None when one took it."""
        deadline = time.monotonic() + LOCK_TIMEOUT
        while True:
            reserving = asyncio.ensure_future(asyncio.to_thread(self._uses_of(decision).reserve, decision, self.name))
            try:
                return await asyncio.shield(reserving)
            except asyncio.CancelledError:
                reserving.add_done_callback(_let_go)
                raise
            except LockedError:
                if time.monotonic() > deadline:
                    raise
            await asyncio.sleep(_PAUSE)

    def _uses_of(self, decision: Event) -> UsedDecisions:
        return self._used if self._trust.concerns(decision) else self._used.of_agents

    # Withdrawing

    async def withdraw(self, request_id: str, reason: str | None) -> bool:
        """Close it unanswered; False when it was closed before."""
        closed: list[str] = []

        def is_closed() -> str | None:
            if self._following.read().state is not State.READY:
                raise GoneError(f"{self._following.path} cannot be read now")
            request = self._known(request_id)
            if not self._is_mine(request):
                raise RefusedError(f"{one_line(request.asker)} asked it, and only who asked can withdraw")
            if self._is_over(request_id) or _has_expired(request):
                closed.append(request_id)
            return "it is closed" if closed else None

        event = {"event": "request_withdrawn", "request_id": request_id} | ({"reason": reason} if reason else {})
        try:
            await self._append(event, is_closed)
        except RefusedError:
            if not closed:
                raise
            return False
        return True


async def _given(deliver: Deliver | None, request: Request) -> None:
    if deliver is not None and isawaitable(delivering := deliver(request)):
        await delivering


async def _used_up(delivering: Awaitable[object], reservation: Reservation) -> None:
    await delivering
    reservation.commit()


def _let_go(reserving: asyncio.Future[Reservation | None]) -> None:
    """Nobody waits for it any more."""
    if not reserving.cancelled() and reserving.exception() is None and (reservation := reserving.result()) is not None:
        reservation.release()


def _checked(key: str) -> str:
    """The key as it is written and read. Raises `UnusableError`."""
    plain = one_line(clean(key))
    if not plain or len(plain) > MAX_KEY:
        raise UnusableError(f"a key is a name of 1 to {MAX_KEY} characters, not {plain[:_SHOWN]!r}")
    return plain


def _key_of(request: Request) -> str | None:
    return request.event.text("key")


def _question(request: Request) -> tuple[object, ...]:
    """What makes two requests the same question: whom it asks, and everything that its answer is about."""
    about = request.request, request.details, request.options, request.kind, request.default, request.evidence
    return *about, frozenset(map(name_key, request.targets))


def _difference(one: Request, other: Request) -> str:
    """What sets two questions apart, where it is not their words."""
    names = ("details", "options", "kind", "default", "evidence", "targets")
    others = [name for name in names if getattr(one, name) != getattr(other, name)]
    if one.request != other.request or not others:
        return "in other words"
    return f"with other {', '.join(others)}"


def _has_expired(request: Request) -> bool:
    return request.expires is not None and request.expires <= datetime.now(UTC)
