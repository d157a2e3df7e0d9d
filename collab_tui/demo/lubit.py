"""Lubit validates while Sena works. He decides what she asks of him, until both wait for each other."""

from __future__ import annotations

import asyncio
from typing import ClassVar, Final

from collab_tui.demo.actor import Actor, Fields, capital, creeping, is_yes, told, waiting
from collab_tui.demo.rounds import after_release, quiet_rounds
from collab_tui.demo.script import CONTRACT, METRICS, REVIEW, SAMPLES, find_request, is_blocked, is_parsed
from collab_tui.model.board import Board, Request
from collab_tui.registry.append import RefusedError

_ROUNDS: Final = (
    ("weekly report 주간 보고", ("collect the decisions", "read them again", "write one page")),
    ("golden logs", ("take 100 lines", "judge them by hand", "file the doubtful ones")),
    ("metrics in the wild", ("draw the curve", "compare with last week", "ask about the bump")),
)


class Lubit(Actor):
    """The one who checks."""

    opening: ClassVar[Fields] = {
        "role": "validate",
        "status": "in_progress",
        "current_task": "validate metrics",
        "progress": 10,
        "next_action": "read Sena's draft while she works",
    }

    async def play(self, tasks: asyncio.TaskGroup) -> None:
        """Metrics, parser with a deadlock in it, then quieter work."""
        await self._metrics()
        await self._parser()
        await after_release(self)
        tasks.create_task(self._review())
        await quiet_rounds(self, _ROUNDS)

    async def _metrics(self) -> None:
        request = await self.meanwhile(
            self._asked(METRICS),
            creeping(10, 40, "follow Sena's commits", "recompute entropy by hand", "collect odd logs 이상한 로그"),
            1.2,
            2.4,
        )
        await self.update(progress=45, next_action="check the entropy bounds")
        await self.pause(1.8, 2.6)
        await self.update(progress=55, next_action="say what I think of metrics v2")
        await self.pause(1.2, 2.0)
        await self._decide(request, "Shannon entropy is right, go on. 좋아요!")
        await self.steps(
            (70, "mutual information on Korean lines"), (85, "compare with the paper"), (100, "golden logs")
        )

    async def _parser(self) -> None:
        await self.pause()
        await self.update(current_task="validate parser", progress=5, next_action="prepare golden logs")
        request = await self.meanwhile(
            self._asked(CONTRACT),
            creeping(5, 35, "prepare golden logs", "sort them by maker", "mark what must not get lost"),
            1.2,
            2.4,
        )
        await self.update(progress=38, next_action="read the parser contract")
        await self.pause(1.0, 1.5)
        if request_is_open(self.me.board, request):
            await self._deadlock(request)
        await self.update(status="in_progress", progress=50, next_action="run the golden logs")
        await self.steps(
            (58, "read the samples line by line"),
            (66, "one odd line 이상한 줄 하나"),
            (75, "count what got lost: nothing"),
        )
        await self.meanwhile(
            self.me.until(is_parsed), creeping(75, 92, "run the golden logs again", "try last week's logs")
        )
        await self.pause()
        await self.update(status="ready", progress=100, next_action="GitCode may go")
        await self.say("all", "Metrics and parser are right. 수고했어요, Sena.")

    async def _deadlock(self, request: Request) -> None:
        """He judges nothing that he has not seen; she shows nothing that is not signed."""
        await self.update(
            status="waiting_for_sena", blockers=[SAMPLES], next_action="sign when I have seen sample output"
        )
        board = await self.meanwhile(
            self.me.until(lambda board: not is_blocked(board, self.me.name) or not request_is_open(board, request)),
            waiting("no signature on paper alone", "sign when I have seen sample output 샘플 먼저"),
            5.0,
            8.0,
        )
        if request_is_open(board, request):  # then it was not Sena who removed the blocker
            await self.update(status="in_progress", next_action="you cleared the way: judge the contract on paper")
            await self.say(self.me.person, f'You cleared "{SAMPLES}", so I judge on paper, and sign.')
            await self._decide(request, "Signed without samples, as we were told. Show me some soon.")
            return
        closed = next(r for r in board.requests if r.id == request.id)
        said = told(closed, self.me.person)
        await self.update(status="in_progress", next_action=f"{said}, not I: wait for the samples")
        word = "I take your word for the contract" if is_yes(closed) else "then I read the next draft"
        await self.say(self.me.person, f"{capital(said)}: {word}. 고맙습니다.")
        await self.meanwhile(
            self.me.until(lambda board: not is_blocked(board, self.me.name)),
            creeping(38, 46, "open the samples as they come"),
        )

    async def _review(self) -> None:
        """In quieter times: Sena's small requests, one after the other."""
        seen = -1
        while True:
            request = await self._asked(REVIEW, after=seen)
            seen = request.position
            await self.pause(2.0, 4.0)
            await self._decide(request, "Looks good. 좋아요.")

    async def _asked(self, text: str, after: int = -1) -> Request:
        """Wait until Sena has asked this."""

        def find(board: Board) -> Request | None:
            found = find_request(board, "sena", text)
            return found if found is not None and found.position > after else None

        found = find(await self.me.until(lambda board: find(board) is not None))
        assert found is not None  # noqa: S101 - awaited just now
        return found

    async def _decide(self, request: Request, comment: str) -> None:
        """Say yes, unless somebody was faster."""
        try:
            await self.me.decide(request, "approved", comment)
        except RefusedError as error:
            await self.say(self.me.person, f'On "{request.request}": {error}. Fine with me.')


def request_is_open(board: Board, request: Request) -> bool:
    """Nobody has closed it on this board."""
    return any(r.id == request.id for r in board.open_requests)
