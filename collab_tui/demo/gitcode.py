"""GitCode waits to deploy: for Sena, for Lubit, for a token that only the person can renew, and for the person's GO."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import ClassVar, Final

from collab_tui.demo.actor import Actor, Fields, capital, creeping, is_yes, told
from collab_tui.demo.rounds import after_release, quiet_rounds
from collab_tui.demo.script import RELEASE, TOKEN, is_blocked
from collab_tui.model.board import Board
from collab_tui.model.waits import is_met

_NEEDS: Final = ("sena_done", "lubit_ready")
_ROUNDS: Final = (
    ("watch the canary", ("error rate", "latency", "compare with yesterday")),
    ("old images", ("list them", "check who uses them", "mark 12 for removal")),
    ("rollback rehearsal 복구 연습", ("pull the plug on staging", "count the seconds", "write it down")),
)
_QUESTIONS: Final = (
    "Remove 12 images that nobody used for 30 days?",
    "Rehearse the rollback every Monday?",
    "Send the release notes to everybody?",
)


class GitCode(Actor):
    """The one who brings it to the users."""

    opening: ClassVar[Fields] = {
        "role": "deploy",
        "status": "in_progress",
        "current_task": RELEASE,
        "progress": 35,
        "next_action": "build the release image",
        "dependencies": list(_NEEDS),
        "branch": "release/4",
    }

    async def play(self, tasks: asyncio.TaskGroup) -> None:
        """Prepare, get stuck, deploy, then quieter work."""
        await self.steps(
            (37, "build the release image"),
            (39, "scan the image"),
            (41, "sign the image"),
            (44, "measure the rollback: 40 seconds"),
            (46, "ask for a GO"),
        )
        self._way = tasks.create_task(self._find_way())
        await self.steps(
            (48, "warm the staging cache"),
            (50, "copy the settings"),
            (52, "write the release notes"),
            (54, "translate the release notes 번역"),
            (56, "log in to staging"),
            low=1.5,
            high=2.5,
        )
        await self._blocked()
        await self.steps((70, "smoke test, 12 of 40"), (76, "smoke test, 31 of 40"), (82, "smoke test passed"))
        way = await self._go()
        await (self._hold() if way is None else self._deploy(way))
        await after_release(self)
        await quiet_rounds(self, _ROUNDS, questions=_QUESTIONS)

    async def _find_way(self) -> str | None:
        """How to deploy, as the person wants it; None if they do not want it at all."""
        window = _next_window()
        answer = await self.ask(
            f"GO for canary 5 % at {window.astimezone():%H:%M}?",
            target=self.me.person,
            kind="approval",
            urgency="high",
            next_action="prepare staging while you think",
            deadline=window.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
            details="5 % of the users for ten minutes, then 25 %, then all. Rolling back takes 40 seconds; rehearsed "
            "twice this week.",
            evidence=["deploy/plan-phase-4.md", "deploy/rollback.log"],
        )
        said = told(answer, self.me.person)
        if is_yes(answer):
            await self.say(self.me.person, f"{capital(said)}: canary 5 % goes out when all are ready.")
            await self.update(next_action=f"{said}: prepare the canary")
            return "canary"
        await self.say(self.me.person, f"{capital(said)}: no canary. I redesign it, 다시 생각할게요.")
        await self.update(next_action=f"{said}: redesign without risk for users")
        await self.pause(3.0, 4.0)
        answer = await self.ask(
            "GO for a dark launch instead?",
            target=self.me.person,
            kind="approval",
            details="Redesigned after your no: a copy of the traffic, no user sees anything, off again with one key.",
            evidence=["deploy/dark-launch.md"],
        )
        said = told(answer, self.me.person)
        yes = is_yes(answer)
        await self.say(
            self.me.person,
            f"{capital(said)}: {'the dark launch it is.' if yes else 'I hold the release. Next week.'}",
        )
        await self.update(next_action=f"{said}: {'prepare the dark launch' if yes else 'hold the release'}")
        return "dark launch" if yes else None

    async def _blocked(self) -> None:
        """Stuck on something that only the person can mend."""
        await self.pause(0.7, 1.2)
        self.status = "blocked"
        await self.me.emit(
            "blocker",
            blocker=TOKEN,
            reason="Only a person can renew it. Renew it (let us say you did), then unblock me.",
            status=self.status,
            next_action="smoke test, as soon as the token works",
        )
        await self.meanwhile(
            self.me.until(lambda board: not is_blocked(board, self.me.name)),
            creeping(
                56,
                64,
                "read the rollback plan again",
                "try the token: still expired",
                "smoke test, as soon as the token works",
            ),
        )
        await self.update(status="in_progress", progress=65, next_action="you unblocked me: smoke test on staging")
        await self.say(self.me.person, f'You cleared "{TOKEN}": it works again, the smoke test runs. 감사합니다.')

    async def _go(self) -> str | None:
        if not self._way.done():
            await self.update(status="waiting_for_human", next_action="deploy, once you say GO")
        way = await self.meanwhile(
            self._way,
            creeping(82, 90, "rehearse the rollback 복구 연습", "warm the cache again", "deploy, once you say GO"),
        )
        await self.update(status="in_progress", next_action=f"prepare the {way}" if way else "hold the release")
        return way

    async def _dependencies(self) -> None:
        if not _all_met(self.me.board):
            await self.update(status="waiting", next_action="deploy when Sena is done and Lubit ready")
        await self.meanwhile(
            self.me.until(_all_met),
            creeping(88, 95, "watch staging", "rehearse the rollback", "deploy when Sena is done and Lubit ready"),
        )

    async def _hold(self) -> None:
        await self.steps((96, "keep the image for next week"))
        await self.pause()
        await self.me.emit("completion", result="held back, as you decided", next_action="nothing in a hurry")

    async def _deploy(self, way: str) -> None:
        await self._dependencies()
        await self.update(status="in_progress", progress=95, next_action=f"{way}, 5 %")
        await self.say("all", f"All ready. The {way} goes out now, 5 %.")
        await self.steps((97, f"{way}, 25 %"), (98, f"{way}, 50 %"), (99, f"{way}, 100 %"), low=1.8, high=2.5)
        await self.pause()
        await self.me.emit("completion", result=f"{way} at 100 %, no error", next_action="watch the curves")
        await self.say("all", "Phase 4 is out, no errors. 모두 수고하셨습니다: well done, everybody.")


def _all_met(board: Board) -> bool:
    return all(is_met(need, board.agent(need.partition("_")[0])) for need in _NEEDS)


def _next_window() -> datetime:
    """The next full five minutes that leave time to think, in local time."""
    soon = datetime.now().astimezone() + timedelta(minutes=10)
    return soon.replace(minute=soon.minute // 5 * 5, second=0, microsecond=0)
