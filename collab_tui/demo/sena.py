"""Sena implements: first the metrics, then the parser. She asks the person which tagger, and Lubit for his approval."""

from __future__ import annotations

import asyncio
from itertools import islice
from typing import ClassVar, Final

from collab_tui.demo.actor import Actor, Fields, capital, creeping, is_yes, told, waiting
from collab_tui.demo.rounds import after_release, quiet_rounds
from collab_tui.demo.script import CONTRACT, METRICS, PARSER, SAMPLES, is_blocked
from collab_tui.model.board import Request

_TAGGERS: Final = ["rules", "model", "both"]
_ROUNDS: Final = (
    ("Korean tags 한국어 태그", ("read the new logs", "sort the doubtful ones", "write the tests")),
    ("faster entropy", ("measure first", "cache the counts", "measure again")),
    ("parser fuzzing", ("make broken lines", "feed them", "mend what broke")),
)


class Sena(Actor):
    """The one who writes the code."""

    opening: ClassVar[Fields] = {
        "role": "implement",
        "status": "in_progress",
        "current_task": "information metrics",
        "progress": 8,
        "next_action": "Shannon entropy 섀넌 엔트로피",
        "branch": "feature/metrics",
    }
    _tagger: str | None = None

    async def play(self, tasks: asyncio.TaskGroup) -> None:
        """Metrics, parser, then quieter work."""
        chosen = tasks.create_task(self._choose_tagger())
        await self._metrics()
        await self._parser(chosen)
        await after_release(self)
        await quiet_rounds(self, _ROUNDS, review_by="lubit")

    async def _choose_tagger(self) -> None:
        """Her question to the person; the work goes on while it is open."""
        await self.pause(0.5, 0.8)
        answer = await self.ask(
            "Which tagger first?",
            target=self.me.person,
            kind="choice",
            options=_TAGGERS,
            default="rules",
            details="Our logs mix Korean and English. Rules are ready today. The model reads 한국어 better and needs "
            "a day of training. Both take two days, and we learn most.",
            evidence=["notes/taggers.md", "logs/2026-11/sample.log"],
        )
        before = self._tagger
        self._tagger = answer.answer.text if answer.answer is not None and is_yes(answer) else "rules"
        switch = f" I drop {before} and switch." if before not in (None, self._tagger) else ""
        said = told(answer, self.me.person)
        await self.say(self.me.person, f"고마워요, {said}: {self._tagger} it is.{switch}")
        await self.update(next_action=f"{said}: build the tagger that way, {self._tagger} first")

    async def _metrics(self) -> None:
        await self.steps(
            (13, "joint entropy"),
            (18, "mutual information 상호 정보량"),
            (24, "bounds: nothing below zero"),
            (29, "empty input, one symbol, a million"),
            (35, "tests on real logs"),
            (40, "tests on Korean logs 한국어 로그"),
            (45, "hand the draft to Lubit"),
        )
        answer = await self.meanwhile(
            self.ask(
                METRICS,
                target="lubit",
                kind="approval",
                status="waiting_for_lubit",
                details="Entropy and mutual information, with bounds and 41 tests. Lubit, please look at the edges.",
                evidence=["metrics/entropy.py", "notes/metrics-v2.md"],
            ),
            waiting("tidy up while Lubit reads", "go on when Lubit has read it"),
        )
        said = told(answer, self.me.person)
        if not is_yes(answer):
            await self.update(status="in_progress", progress=30, next_action=f"{said}: redesign the bounds")
            await self.steps((38, "new bounds, smaller steps"), (48, "tests again"))
        await self.update(status="in_progress", progress=58, next_action=f"{said}: wire the metrics in")
        await self.steps(
            (66, "wire the metrics in"),
            (75, "mend what Lubit circled in red"),
            (84, "write the notes"),
            (92, "the last two tests"),
            (100, "on to the parser"),
        )
        await self.say("all", "The metrics are in. 다음은 파서예요: now the parser.")

    async def _parser(self, chosen: asyncio.Task[None]) -> None:
        await self.pause()
        await self.update(current_task=PARSER, progress=4, next_action="split lines, keep the order")
        await self.steps(
            (8, "time stamps of three makers"),
            (12, "fields without names"),
            (17, "lines that end too early"),
            (21, "the tagger"),
        )
        if not chosen.done():
            await self._wait_for_choice(chosen)
        await self.steps(
            (30, f"the {self._tagger} tagger"),
            (36, f"the {self._tagger} tagger on Korean lines"),
            (42, "names, dates, numbers 이름, 날짜, 숫자"),
            (47, "what nobody can tag"),
            (52, "the contract"),
        )
        answer = await self._contract()
        said = told(answer, self.me.person)
        if is_yes(answer):
            await self.update(status="in_progress", progress=60, next_action=f"{said}: make the sample output")
        else:
            await self.update(status="in_progress", progress=40, next_action=f"{said}: redesign the contract")
            await self.say("lubit", f"{capital(said)}. I make the contract smaller, and show samples first.")
            await self.steps((47, "a smaller contract"), (55, "samples of what it promises"))
        await self.pause(0.7, 1.2)
        if is_blocked(self.me.board, "lubit"):  # the person may have been faster
            await self.me.emit("blocker_resolved", target="lubit", blocker=SAMPLES, comment="200 lines, in samples/")
        await self.say("lubit", "Here are the samples, 200 lines. 봐 주세요: please look.")
        await self.steps(
            (66, "errors with line numbers"),
            (72, "a line that never ends"),
            (78, "two lines in one"),
            (84, "half an emoji"),
            (90, "read it all once more"),
            (95, "the last test"),
        )
        await self.pause()
        await self.me.emit("completion", result="parser and metrics, 87 tests", next_action="rest my eyes 잠깐 휴식")

    async def _wait_for_choice(self, chosen: asyncio.Task[None]) -> None:
        """Some patience, then the default: a person may be at lunch, and the answer still counts later."""
        changes = islice(creeping(21, 29, "tokens first, the tagger is your choice", "tests that fit any tagger"), 7)
        for change in changes:
            if (await asyncio.wait([chosen], timeout=self.pace.seconds(2.0, 3.0)))[0]:
                return
            await self.update(**change)
        self._tagger = self._tagger or "rules"
        await self.say(self.me.person, "No hurry: I begin with rules, the default. Choose and I switch.")

    async def _contract(self) -> Request:
        """Here the deadlock begins: she wants a signature before samples, Lubit wants samples before a signature."""
        return await self.meanwhile(
            self.ask(
                CONTRACT,
                target="lubit",
                kind="approval",
                status="waiting_for_lubit",
                next_action="sample output, as soon as the contract is signed",
                details="What the parser promises: one event per line, order kept, nothing dropped. I make the sample "
                "output when this is signed.",
                evidence=["parser/CONTRACT.md"],
            ),
            waiting("samples only after the signature 서명 먼저", "sample output, as soon as the contract is signed"),
            5.0,
            8.0,
        )
