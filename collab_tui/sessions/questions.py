"""What a session's agent asks: each question is a request in the session's own name, and its answer goes back to it.

Only a decision that the person signed counts, and each once: see `Participant`. A request waits for as long as the
program does; when that does not want to know any more, the request is withdrawn.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections import Counter
from collections.abc import Callable
from typing import Any, Final

from collab_tui.model.board import Request, RequestKind
from collab_tui.model.text import clean, one_line
from collab_tui.protocol import Participant
from collab_tui.protocol.asking import UsedUpError
from collab_tui.protocol.following import GoneError
from collab_tui.registry.append import RegistryError
from collab_tui.sessions.driver import Question, QuestionAnswer

LONGEST: Final = 100_000
"""Characters that a person may be asked to judge at once."""
_LONGEST_LINE: Final = 500
_NOT_THEIRS: Final = frozenset(
    ("id", "timestamp", "agent", "event", "request", "target", "kind", "details", "options", "key", "driver", "session")
)
"""Fields of a request that no program sets by what it says of its question."""


class Questions:
    """The open questions of one session."""

    def __init__(
        self, me: Participant, run: str, driver: str, changed: Callable[[], None], notice: Callable[[str], None]
    ) -> None:
        """`changed` is called when one is opened or closed; `notice` is told why one could not be asked."""
        self._me = me
        self._run = run
        self._driver = driver
        self._changed = changed
        self._notice = notice
        self._keys: Counter[str] = Counter()
        """Of what is open; the same may be asked twice at once."""
        self._kinds: list[RequestKind] = []
        self._is_left = False

    @property
    def kinds(self) -> list[RequestKind]:
        """Of those that are open, the latest last."""
        return self._kinds

    def leave(self) -> None:
        """What is open stays open from now on: whoever takes up the session asks the same and finds it."""
        self._is_left = True

    async def ask(self, question: Question) -> QuestionAnswer | None:
        """See `Listener.ask`. None also where it is too long to be judged, or nothing can be written or read."""
        fields = _fields(question)
        if len(question.text) + len(str(fields)) > LONGEST:
            self._notice("it asked something too long to be judged: nobody was asked")
            return None
        key = self._key(question)
        number = self._keys[key]
        self._keys[key] += 1
        self._kinds.append(question.kind)
        self._changed()
        try:
            return await self._asked(question, fields, f"{key} {number}" if number else key)
        except UsedUpError:
            self._notice("an answer was taken by another process of it")
            return None
        except RegistryError as error:
            self._notice(f"its question could not be asked: {error}")
            return None
        finally:
            self._keys[key] -= 1
            self._kinds.remove(question.kind)
            self._changed()

    async def _asked(self, question: Question, fields: dict[str, Any], key: str) -> QuestionAnswer | None:
        text = _line(question) or f"{self._me.name} asks"
        ours = {"target": self._me.person, "driver": self._driver, "session": self._run}
        opening = asyncio.ensure_future(self._me.request(text, key=key, **fields, **ours))
        try:
            request_id = await asyncio.shield(opening)
            return _answer(question, await self._me.closed(request_id))
        except asyncio.CancelledError:
            if not self._is_left:
                await asyncio.shield(self._withdraw(opening))
            raise

    async def _withdraw(self, opening: asyncio.Future[str]) -> None:
        try:
            await self._me.withdraw(await opening, "the agent does not wait for it any more")
        except (RegistryError, GoneError) as error:
            self._notice(f"a request of it could not be withdrawn: {error}")

    def _key(self, question: Question) -> str:
        """The same for the same question of the same run, also after a restart of ours."""
        about = [question.kind, question.text, question.details, list(question.options), dict(question.about)]
        text = json.dumps(about, sort_keys=True, default=str)
        return f"{self._run} {hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}"


def _line(question: Question) -> str:
    return one_line(clean(question.text))[:_LONGEST_LINE]


def _fields(question: Question) -> dict[str, Any]:
    fields = {name: value for name, value in question.about.items() if name not in _NOT_THEIRS}
    fields["kind"] = question.kind.value
    is_whole = len(_line(question)) < _LONGEST_LINE  # what is judged is shown, all of it
    if details := "\n\n".join(filter(None, ("" if is_whole else question.text, question.details))):
        fields["details"] = details
    if question.options:
        fields["options"] = list(question.options)
    return fields


def _answer(question: Question, request: Request) -> QuestionAnswer | None:
    answer = request.answer
    if answer is None:
        return None
    if question.kind is RequestKind.APPROVAL and answer.verdict is not None:
        return QuestionAnswer(answer.verdict == "approved", None, answer.comment)
    return QuestionAnswer(True, answer.text, answer.comment)


async def withdraw_left(me: Participant, run: str, reason: str) -> None:
    """Withdraw what that run asked and nobody waits for any more. Raises what `Participant.withdraw` raises."""
    for request in (await me.until(lambda board: True)).requests:
        if request.is_open and request.asker == me.name and request.event.text("session") == run:
            await me.withdraw(request.id, reason)
