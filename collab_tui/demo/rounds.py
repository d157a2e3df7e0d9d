"""After the release: quieter work in rounds, until the person has seen enough."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from itertools import count
from typing import TYPE_CHECKING

from collab_tui.demo.actor import Actor, capital, is_yes, told, waiting
from collab_tui.demo.script import REVIEW, is_released

if TYPE_CHECKING:
    from collections.abc import Iterable

Round = tuple[str, Sequence[str]]
"""A task and its steps."""


async def after_release(actor: Actor) -> None:
    """Rest until the release is out, and a moment longer."""
    await actor.meanwhile(
        actor.me.until(is_released), waiting("tea 차 한 잔, until GitCode is through", "read what the others wrote")
    )
    await actor.pause(4.0, 7.0)


async def quiet_rounds(
    actor: Actor, rounds: Sequence[Round], *, review_by: str | None = None, questions: Sequence[str] = ()
) -> None:
    """Small tasks, one after the other, for ever.

    `review_by` is asked to look at each; `questions` are asked of the person now and then, one at a time.
    """
    asked: asyncio.Task[None] | None = None
    async with asyncio.TaskGroup() as tasks:
        for number in count():
            task, steps = rounds[number % len(rounds)]
            if questions and number % 3 == 1 and (asked is None or asked.done()):
                asked = tasks.create_task(_question(actor, questions[number // 3 % len(questions)]))
            await _work(actor, task, steps)
            if review_by is not None:
                await _reviewed(actor, task, review_by)
            await actor.me.emit("completion", next_action="a short break 잠깐 쉬어요")
            actor.status = "completed"
            await actor.pause(4.0, 8.0)


async def _work(actor: Actor, task: str, steps: Iterable[str]) -> None:
    await actor.update(status="in_progress", current_task=task, progress=0, next_action="look at what is there")
    names = list(steps)
    for number, name in enumerate(names, 1):
        for half in (0.5, 1.0):
            await actor.pause(2.0, 4.5)
            await actor.update(progress=round(90 * (number - 1 + half) / len(names)), next_action=name)


async def _reviewed(actor: Actor, task: str, reviewer: str) -> None:
    answer = await actor.meanwhile(
        actor.ask(f"{REVIEW}{task}", target=reviewer, kind="approval", status=f"waiting_for_{reviewer}"),
        waiting("go on when it is read", "tidy up"),
    )
    said = told(answer, actor.me.person)
    await actor.update(status="in_progress", next_action=f"{said}: {'merge it' if is_yes(answer) else 'do it again'}")
    await actor.pause(2.0, 3.0)


async def _question(actor: Actor, question: str) -> None:
    """Ask the person something small; nothing waits for it."""
    answer = await actor.ask(
        question, target=actor.me.person, kind="approval", details="Nothing is in a hurry here. A no is fine, too."
    )
    said = told(answer, actor.me.person)
    then = "it is done" if is_yes(answer) else "it stays as it is"
    await actor.say(actor.me.person, f"{capital(said)}: {then}. 고맙습니다.")
    await actor.update(next_action=f"{said}: {then}")
