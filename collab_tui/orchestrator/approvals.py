"""What the person is asked in a run: once for each question, found again by the next process.

Only an answer that the person signed counts, to the very words that they were asked, in time, and once. Whatever else
is written as an answer is told, with what is wrong with it, and the run waits on.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from collab_tui.model.board import Board, Request, RequestState
from collab_tui.model.event import Event
from collab_tui.model.text import clean
from collab_tui.model.words import name_key
from collab_tui.protocol.asking import UsedUpError
from collab_tui.protocol.following import GoneError
from collab_tui.protocol.participation import Participant
from collab_tui.protocol.trust import Trust
from collab_tui.protocol.wording import cut, named
from collab_tui.registry.append import RegistryError, UnusableError

_FIRST_PAUSE: Final = 0.1
_LONGEST_PAUSE: Final = 30.0
"""Seconds between two tries to ask, or to note an answer."""
_LONGEST: Final = 200
"""Characters of a question, which is one line, and of a reason."""
_LONGEST_EXPIRY: Final = timedelta(days=3650)


@dataclass(frozen=True, slots=True)
class Approval:
    """What came of a question."""

    is_approved: bool
    comment: str | None
    """What the person said with it."""
    why: str
    """In words: who decided, or why nobody did."""
    request: str
    """The id of the request."""


class Approvals:
    """The questions of one run, asked as its own agent."""

    def __init__(self, run: str, me: Participant, trust: Trust, notice: Callable[[str], None]) -> None:
        """`me` is entered and left by the caller; `notice` is told of answers that do not count, and of trouble."""
        self._run = run
        self._me = me
        self._trust = trust
        self._notice = notice
        self._open: set[str] = set()
        """Ids of requests that wait."""
        self._withdrawn: set[str] = set()
        self._writing: set[asyncio.Task[str]] = set()
        """Requests whose ids are not known yet; they are written also where nobody waits for that any more."""

    async def ask(
        self,
        task: str,
        text: str,
        *,
        details: str | None = None,
        evidence: Sequence[str] = (),
        expires: float | None = None,
        opened: Callable[[str], Awaitable[object]] | None = None,
        deliver: Callable[[Approval], Awaitable[object]] | None = None,
    ) -> Approval:
        """Ask the person about a task, and wait for their signed answer however long it takes.

        `expires` is in seconds from when it is first asked. A question of before that is the same is found again; one
        in other words, or that lasts longer, is withdrawn, whatever was answered to it. `opened` gets the id of the
        request. `deliver` gets what came of it, before that counts as used: when it raises `RegistryError`, or this
        process dies meanwhile, it comes again. Raises `UnusableError` for what cannot be asked.
        """
        about = f"run {self._run} {_digest(task)} "
        fields = self._fields(details, evidence)
        first_key = key = about + _digest(text, fields)
        until = None
        if expires is not None:
            until = datetime.now(UTC) + min(timedelta(seconds=expires), _LONGEST_EXPIRY)
            fields["expires"] = until.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        pause = _FIRST_PAUSE
        told = ""
        while True:
            heard: list[Approval] = []
            try:
                await self._withdraw_others(about, key, until)
                request = await self._request(text, key, fields)
                if not self._lasts(self._me.board.request(request), until):
                    key = f"{first_key} {_digest(request)}"  # another opened that one, and it is not withdrawn
                    continue
                if opened is not None:
                    await opened(request)
                trouble = await self._answered(task, request, heard, deliver)
            except UnusableError:
                raise
            except RegistryError as error:
                trouble = str(error)
            if heard:  # also where only that it was used could not be noted
                self._open.discard(heard[0].request)
                return heard[0]
            if trouble != told:
                told = trouble
                self._notice(f"{task}: {trouble}; the person is asked again")
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    async def withdraw_all(self, reason: str) -> None:
        """Close what still waits, so that nobody answers for nothing. Called once nobody asks any more."""
        if self._writing:
            await asyncio.wait(self._writing)
        for request in tuple(self._open):
            self._open.discard(request)
            self._withdrawn.add(request)
            try:
                await self._me.withdraw(request, reason)
            except RegistryError as error:
                self._notice(f"the request {request} could not be withdrawn: {error}")

    async def _request(self, text: str, key: str, fields: dict[str, Any]) -> str:
        """Open it. Where this is cancelled it is written all the same, and known to `withdraw_all`."""
        writing = asyncio.create_task(self._me.request(cut(clean(text), _LONGEST), key=key, **fields))
        self._writing.add(writing)
        writing.add_done_callback(self._written)
        return await asyncio.shield(writing)

    def _written(self, writing: asyncio.Task[str]) -> None:
        self._writing.discard(writing)
        if not writing.cancelled() and writing.exception() is None:
            self._open.add(writing.result())

    def _fields(self, details: str | None, evidence: Sequence[str]) -> dict[str, Any]:
        fields: dict[str, Any] = {"target": self._me.person, "kind": "approval"}
        fields |= {"details": details} if details else {}
        return fields | ({"evidence": list(evidence)} if evidence else {})

    def _lasts(self, request: Request | None, until: datetime | None) -> bool:
        """It can be answered for no longer than it is asked, however often somebody asks it in the name of the run."""
        if request is None or until is None:
            return request is None or request.expires is None
        return request.expires is not None and request.expires <= until

    async def _withdraw_others(self, about: str, key: str, until: datetime | None) -> None:
        """The same was asked otherwise before: what is answered to those is no answer any more."""
        board = await self._me.until(lambda board: True)
        for request in board.requests:
            asked = request.event.text("key") or ""
            is_mine = name_key(request.asker) == name_key(self._me.name)
            is_other = asked.startswith(about) and (asked != key or not self._lasts(request, until))
            if is_mine and request.is_open and is_other:
                await self._me.withdraw(request.id, "it is asked anew, in other words or for another time")

    async def _answered(
        self, task: str, request: str, heard: list[Approval], deliver: Callable[[Approval], Awaitable[object]] | None
    ) -> str:
        """Wait for what comes of a request, and hear it; else gives why it has to be asked again."""

        async def hear(closed: Request) -> None:
            if (approval := self._approval(closed)) is not None:
                if deliver is not None:
                    await deliver(approval)
                heard.append(approval)

        telling = asyncio.create_task(self._tell_odd(task, request))
        try:
            closed = await self._me.closed(request, deliver=hear)
        except UsedUpError as error:
            return str(error)
        finally:
            telling.cancel()
            with suppress(asyncio.CancelledError, GoneError):
                await telling
        how = "withdrawn in its name" if closed.state is RequestState.WITHDRAWN else "closed by what is no answer"
        return f"the request {request} was {how}"

    def _approval(self, closed: Request) -> Approval | None:
        """What came of a request; None where it was closed by others, who cannot."""
        answer = closed.answer
        if answer is not None:
            is_approved = answer.verdict == "approved"
            said = "approved it" if is_approved else "said no"
            comment = f": {cut(answer.comment, _LONGEST)}" if answer.comment else ""
            return Approval(is_approved, answer.comment, f"{named(answer.by)} {said}{comment}", closed.id)
        if closed.id in self._withdrawn:
            return Approval(False, None, "it was withdrawn before anybody answered", closed.id)
        if not closed.is_open:
            return None
        until = f"until {closed.expires:%Y-%m-%d %H:%M:%S} UTC" if closed.expires is not None else "in time"
        odd = "".join(f"; {why}" for why in dict(self._odd(self._me.board, closed.id)).values())
        return Approval(False, None, f"nobody answered {until}{odd}", closed.id)

    async def _tell_odd(self, task: str, request: str) -> None:
        """Tell of each answer that does not count, once."""
        told: set[int] = set()
        while True:
            board = await self._me.until(lambda board: any(where not in told for where, _ in self._odd(board, request)))
            for where, why in self._odd(board, request):
                if where not in told:
                    told.add(where)
                    self._notice(f"{task}: {why}")

    def _odd(self, board: Board, request_id: str) -> Iterator[tuple[int, str]]:
        """The answers to a request that do not count: where each stands, and why."""
        request = board.request(request_id)
        if request is None:
            return
        perhaps = (request.answer.event,) if request.answer is not None else ()
        for decision in {decision.position: decision for decision in (*request.decisions, *perhaps)}.values():
            if (why := self._why_not(decision, request, board.registry_id)) is not None:
                who = named(decision.agent or "nobody")
                yield decision.position, f"the answer of {who} in line {decision.position + 1} {why}"

    def _why_not(self, decision: Event, request: Request, registry_id: str | None) -> str | None:
        if self._trust.may_be_acted_on(decision, request, registry_id) and decision in request.decisions:
            return None
        if not self._trust.concerns(decision):
            return f"does not count: {named(self._me.person)} is asked"
        why = self._trust.judge(decision, request.event, registry_id).reason
        return f"does not count: {cut(why, _LONGEST)}"


def _digest(*parts: Any) -> str:
    return hashlib.sha256(json.dumps(parts).encode("ascii")).hexdigest()[:16]
