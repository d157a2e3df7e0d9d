"""What the three agents have in common: a pace, a voice, and going on with small things while they wait."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Iterable, Iterator
from contextlib import aclosing
from itertools import cycle
from typing import Any, ClassVar, TypeVar

from collab_tui.model.board import Request
from collab_tui.model.event import Event
from collab_tui.model.requests import is_person
from collab_tui.protocol import Participant

_Result = TypeVar("_Result")
Fields = dict[str, Any]
"""What a status update says."""


class Pace:
    """How long the steps of the story take: a little uneven, as work is."""

    def __init__(self, speed: float, seed: str) -> None:
        self._speed = speed
        self._random = random.Random(seed)  # noqa: S311 - a story, no secret

    def seconds(self, low: float, high: float) -> float:
        """A duration between the two, shortened by the speed."""
        return self._random.uniform(low, high) / self._speed


class Actor:
    """An agent that plays a part. `play` is the part; while it goes on, the agent listens to what it is told."""

    opening: ClassVar[Fields]
    """How its session starts."""
    woken_by: ClassVar[str | None] = None
    """The rule by which the monitor wakes it; until then it is nowhere to be seen."""

    def __init__(self, me: Participant, pace: Pace) -> None:
        self.me = me
        self.pace = pace
        self.status: str = self.opening["status"]
        """As last declared; a request made in the midst of work says it again."""

    async def live(self) -> None:
        """Play and listen; ends with the part."""
        async with asyncio.TaskGroup() as tasks:
            listening = tasks.create_task(self._listen())
            await self.play(tasks)
            listening.cancel()

    async def play(self, tasks: asyncio.TaskGroup) -> None:
        """The part. What goes on beside it are `tasks`."""
        raise NotImplementedError

    async def pause(self, low: float = 1.2, high: float = 2.5) -> None:
        """Let some time pass between two acts."""
        await asyncio.sleep(self.pace.seconds(low, high))

    async def update(self, **fields: Any) -> None:
        """Declare what changed."""
        self.status = fields.get("status", self.status)
        await self.me.update(**fields)

    async def say(self, target: str, text: str) -> None:
        """Send a message."""
        await self.me.emit("message", target=target, message=text)

    async def ask(self, request: str, **fields: Any) -> Request:
        """Ask and wait for the answer; without a `status` of its own the request changes nothing about this agent."""
        self.status = fields.setdefault("status", self.status)
        return await self.me.ask(request, **fields)

    async def steps(self, *steps: tuple[int, str], low: float = 1.2, high: float = 2.5) -> None:
        """Work: each step is how far it is then, and what comes next."""
        for progress, following in steps:
            await self.pause(low, high)
            await self.update(progress=progress, next_action=following)

    async def meanwhile(
        self, awaited: Awaitable[_Result], changes: Iterable[Fields], low: float = 2.0, high: float = 4.0
    ) -> _Result:
        """Go on with small things until something has happened, and be back at once when it has."""
        task = asyncio.ensure_future(awaited)
        try:
            for change in changes:
                if (await asyncio.wait([task], timeout=self.pace.seconds(low, high)))[0]:
                    break
                await self.update(**change)
            return await task
        finally:
            task.cancel()

    async def _listen(self) -> None:
        async with aclosing(self.me.inbox()) as inbox:
            async for event in inbox:
                await self.hear(event)

    async def hear(self, event: Event) -> None:
        """Somebody addressed this agent, or all. The person gets an answer, so that nobody talks to a wall."""
        if not is_person(event.agent or "", self.me.person):
            return
        if event.kind == "message":
            await self.say(self.me.person, f'I heard you: "{event.text("message") or ""}". I keep it in mind.')
        elif event.kind == "decision" and event.text("request_id") is None:
            decided = event.text("verdict") or event.text("answer") or ""
            about = event.text("decision_for")
            await self.say(
                self.me.person, f'Noted, your decision: "{decided}"{f" on {about}" if about else ""}. I follow it.'
            )


def creeping(start: int, end: int, *texts: str) -> Iterator[Fields]:
    """Small progress towards an end that is not passed, with what comes next; without end."""
    progress = float(start)
    for text in cycle(texts):
        progress += (end - progress) * 0.12
        yield {"progress": round(progress), "next_action": text}


def waiting(*texts: str) -> Iterator[Fields]:
    """Signs of life of one that cannot go on; without end."""
    return ({"next_action": text} for text in cycle(texts))


def told(request: Request, person: str) -> str:
    """What was answered and by whom, in the words of a reply: `you said yes ("go on")`."""
    answer = request.answer
    if answer is None:
        return "the question is off the table"
    who = "you" if is_person(answer.by, person) else answer.by
    words = {"approved": "said yes", "rejected": "said no"}.get(answer.verdict or "", f'chose "{answer.text}"')
    return f"{who} {words}" + (f' ("{answer.comment}")' if answer.comment else "")


def capital(text: str) -> str:
    """The beginning of a sentence."""
    return text[:1].upper() + text[1:]


def is_yes(request: Request) -> bool:
    """It was answered, and not with a no."""
    return request.answer is not None and request.answer.verdict != "rejected"
