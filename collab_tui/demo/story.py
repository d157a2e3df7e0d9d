"""The story of eight minutes: nobody carries a message.

Sena starts; the monitor wakes Lubit, who validates while she goes on. At 80 % it tells him so; he approves, and she
begins her next task at once. The work is only waiting, so much for each by the script below: who has done it waits, and
says so. Who is told what and when is real, and whatever comes late makes the story longer.
"""

from __future__ import annotations

import asyncio
import tomllib
from collections.abc import Callable
from contextlib import aclosing, suppress
from datetime import UTC, datetime, timedelta
from typing import ClassVar, Final

from collab_tui.config.rules import Rule, read_rule
from collab_tui.demo.actor import Actor, Fields, Pace, is_yes, told
from collab_tui.demo.script import METRICS, PARSER, find_request
from collab_tui.model.board import Board
from collab_tui.model.event import Event
from collab_tui.model.words import Status
from collab_tui.protocol import Participant
from collab_tui.registry.append import RefusedError

MINUTES: Final = 8
"""How long the story is."""
SECONDS: Final = 80.0
"""How long it takes at the speed at which it is watched."""
AT_START: Final = "sena starts a task"
AT_80: Final = "sena is at 80 %"
RULES: Final = f"""\
[[rule]]
name = "{AT_START}"
on = true
when = {{ from = "sena", status = "in_progress" }}
then = {{ message = "lubit", text = "Sena started {{task}}. Validate while she works." }}
cool_down = "10m"

[[rule]]
name = "{AT_80}"
on = true
when = {{ from = "sena", progress_crosses = 80 }}
then = {{ message = "lubit", text = "Sena is at {{progress}} %. She waits for your word: {METRICS}" }}
cool_down = "10m"

[[rule]]
name = "lubit is there"
on = true
when = {{ from = "lubit", event = "session_start" }}
then = {{ notify = "Nobody called Lubit: the rule “{AT_START}” did. He validates while she works." }}

[[rule]]
name = "lubit approves"
on = true
when = {{ from = "lubit", verdict = "approved" }}
then = {{ notify = "Sena has her answer and begins her next task at once." }}

[[rule]]
name = "the end"
on = true
when = {{ from = "sena", event = "session_end" }}
then = {{ notify = "Nobody carried a message. Quit with q, and see the numbers." }}
"""
"""What the monitor of the story does by itself; a config file."""


def rules() -> tuple[Rule, ...]:
    """The same for the board, which shows what they tell."""
    return tuple(map(read_rule, tomllib.loads(RULES)["rule"]))


_PATIENCE: Final = timedelta(minutes=1)
"""For which Sena waits for an answer: also a story in which nobody is woken comes to its end."""
_STEP: Final = {"low": 3.4, "high": 4.2}
"""Seconds between two signs of progress."""
_SHORT: Final = {"low": 2.0, "high": 2.4}


class StorySena(Actor):
    """She writes the metrics, asks for approval on the way, and goes on to the parser when she has it."""

    opening: ClassVar[Fields] = {
        "role": "implement",
        "status": "idle",
        "next_action": "begin with the metrics",
        "branch": "feature/metrics",
    }

    async def play(self, tasks: asyncio.TaskGroup) -> None:
        """Metrics, approval, parser."""
        await self.pause(2.5, 3.0)
        first = "Shannon entropy 섀넌 엔트로피"
        await self.update(status="in_progress", current_task="information metrics", progress=0, next_action=first)
        await self.steps(
            (8, "joint entropy"),
            (16, "mutual information 상호 정보량"),
            (24, "bounds: nothing below zero"),
            (32, "empty input, one symbol, a million"),
            (40, "tests on real logs"),
            (48, "tests on Korean logs 한국어 로그"),
            (56, "what the tests found"),
            (64, "faster on long lines"),
            (71, "write the notes"),
            (77, "ask Lubit, and go on meanwhile"),
            **_STEP,
        )
        asked = await self.me.request(
            METRICS,
            target="lubit",
            kind="approval",
            status=self.status,
            expires=(datetime.now(UTC) + _PATIENCE).isoformat(timespec="milliseconds"),
            details="Entropy and mutual information, with bounds and 41 tests.",
            evidence=["metrics/entropy.py", "notes/metrics-v2.md"],
        )
        await self.steps((83, "polish while Lubit has the last word"), (90, "names that say it"), **_STEP)
        await self.steps((95, "polished: the rest is Lubit's"), **_SHORT)
        if (request := self.me.board.request(asked)) is not None and request.is_open:
            await self.update(status="waiting", next_action="wait for Lubit's word")
        answer = await self.me.closed(asked)
        await self.me.emit("completion", result=f"metrics v2: {told(answer, self.me.person)}")
        await self.update(
            status="in_progress", current_task=PARSER, progress=0, next_action=_first_step(is_yes(answer))
        )
        await self.steps(
            (12, "time stamps of three makers"),
            (25, "fields without names"),
            (38, "lines that end too early"),
            (50, "names, dates, numbers 이름, 날짜, 숫자"),
            (63, "errors with line numbers"),
            (75, "half an emoji"),
            (88, "the last test"),
            (100, "done"),
            **_STEP,
        )
        await self.me.emit(
            "completion", result="metrics v2 and the parser, 87 tests", next_action="rest my eyes 잠깐 휴식"
        )
        await self.say("all", "Metrics and parser are done. 수고하셨습니다, Lubit.")


def _first_step(is_approved: bool) -> str:
    return "split lines, keep the order" if is_approved else "note what was missed, then split lines"


class StoryLubit(Actor):
    """He sleeps until the monitor wakes him; then he validates what Sena does while she does it."""

    opening: ClassVar[Fields] = {
        "role": "validate",
        "status": "in_progress",
        "current_task": "validate metrics",
        "progress": 0,
        "next_action": "woken by the monitor: read what Sena writes",
    }
    woken_by: ClassVar[str | None] = AT_START

    def __init__(self, me: Participant, pace: Pace) -> None:
        super().__init__(me, pace)
        self._is_called = asyncio.Event()

    async def hear(self, event: Event) -> None:
        """The monitor says that it is time for a last look."""
        await super().hear(event)
        if event.text("rule") == AT_80:
            self._is_called.set()

    async def play(self, tasks: asyncio.TaskGroup) -> None:
        """Read along, have a last look when called, approve, and validate what there is of the parser."""
        await self.steps(
            (8, "follow Sena's commits"),
            (16, "recompute entropy by hand"),
            (24, "odd logs 이상한 로그"),
            (32, "compare with the paper"),
            (40, "bounds, from both sides"),
            (48, "her tests, with other numbers"),
            (56, "Korean logs 한국어 로그"),
            (64, "a million symbols"),
            (70, "what her notes leave out"),
            (76, "read all that there is so far"),
            **_STEP,
        )
        if not self._is_called.is_set():
            await self.update(status="waiting", next_action="wait for the call at 80 %")
            await self._is_called.wait()
        await self.update(status="in_progress", progress=80, next_action="the monitor called: the last look")
        await self.steps((90, "run her 41 tests"), (98, "say what I think"), **_STEP)
        await self._approve()
        await self.update(current_task="validate parser", progress=0, next_action="collect golden logs")
        await self.steps(
            (12, "sort them by maker"),
            (24, "run them through what is there"),
            (36, "count what got lost"),
            (48, "lines that end too early"),
            (60, "names and dates 이름, 날짜"),
            (72, "compare with the old parser"),
            (84, "half an emoji"),
            **_STEP,
        )
        if not _is_parsed(self.me.board):
            await self.update(status="waiting", next_action="wait for the last of the parser")
            await self.me.until(_is_parsed)
        await self.me.emit("completion", result="metrics v2 and the parser are right", next_action="tea 차 한 잔")

    async def _approve(self) -> None:
        request = find_request(self.me.board, "sena", METRICS)
        if request is not None and request.is_open:
            with suppress(RefusedError):  # the person was faster
                await self.me.decide(request, "approved", "Entropy and bounds are right, go on. 좋아요!")


def _is_parsed(board: Board) -> bool:
    sena = board.agent("sena")
    return sena is not None and (sena.gone or (sena.current_task == PARSER and sena.status is Status.COMPLETED))


async def sleep(me: Participant, woken_by: str, listening: Callable[[], None]) -> None:
    """Be nowhere to be seen until the monitor says something because of that rule."""
    async with aclosing(me.inbox()) as inbox:
        listening()
        async for event in inbox:
            if event.text("rule") == woken_by:
                return
