"""What agents wait for on the blackboard while they work: the board shows it, and it ends when it is in vain.

Nobody but tasks of the run writes there: where all that work wait for values, and nothing else may begin, none comes.
But an agent may have more going than its wait, of which nobody knows: so they are let go only when that has lasted.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Final

from collab_tui.model.runs import TaskState
from collab_tui.model.text import one_line
from collab_tui.model.words import Status, status_of
from collab_tui.orchestrator.board import TaskBoard
from collab_tui.orchestrator.jobs import Job
from collab_tui.orchestrator.parts import Parts
from collab_tui.registry.append import RegistryError

SHOWN_AFTER: Final = 1.0
"""Seconds for which an agent has waited before it is shown as waiting."""
BLOCKED_FOR: Final = 5.0
"""Seconds for which the run says that it is blocked, once nobody waits any more: so that it can be seen."""


class Waits:
    """The waits without a limit of one run."""

    def __init__(self, parts: Parts, changed: Callable[[], object]) -> None:
        """`changed` is called whenever one begins or ends."""
        self._parts = parts
        self._schedule = parts.schedule
        self._changed = changed
        self._waiting: dict[TaskBoard, asyncio.TimerHandle] = {}
        """The blackboard as an agent has it that waits there -> when that is to be shown."""
        self._shown: dict[TaskBoard, Mapping[str, str]] = {}
        """Of those that have waited for long, what was declared last."""
        self._blocked: asyncio.TimerHandle | None = None
        """The run says that it is, until then."""

    @contextmanager
    def board(self, job: Job, seat: str) -> Iterator[TaskBoard]:
        """The blackboard for an attempt at a task, until that is over."""
        board = TaskBoard(self._parts.blackboard, seat, job.key, changed=lambda: self._look_at(board))
        try:
            yield board
        finally:
            board.close()
            self._forget(board)

    def look(self) -> None:
        """Whoever waits for what came to nothing gets to know that; who has waited for long says for whom it is now."""
        for board in self._waiting:
            for key in board.waited_for:
                if (why := self._why_lost(key)) is not None:
                    board.release(f"it waits on the blackboard for what never comes: {why}", key)
        for board in self._shown:
            self._declare(board)

    @property
    def are_in_vain(self) -> bool:
        """All that something could be heard of wait for values, nobody for the person, and nothing else may begin."""
        schedule = self._schedule
        is_all = bool(self._waiting) and schedule.expected.issubset(board.task for board in self._waiting)
        return is_all and not schedule.asked and schedule.stopped is None and not schedule.may_begin

    def release_all(self) -> None:
        """Say who waits for what, and let none of them wait any more."""
        why = one_line(self._told({board.task: board.waited_for for board in self._waiting}))
        self.unblock()
        self._parts.journal.send(self._parts.agent, "blocker", {"blocker": why})
        self._blocked = asyncio.get_running_loop().call_later(BLOCKED_FOR, self.unblock)
        for board in self._waiting:
            board.release(why)

    def unblock(self) -> None:
        """The run is not blocked any more, whatever it said."""
        if self._blocked is not None:
            self._blocked.cancel()
            self._blocked = None
            with suppress(RegistryError):  # nothing is written any more
                goes_on = {"status": "in_progress", "blockers": []}
                self._parts.journal.send(self._parts.agent, "status_update", goes_on)

    def _look_at(self, board: TaskBoard) -> None:
        if not board.waited_for:
            if self._forget(board):
                self._parts.declaring.tell(board.seat, status="in_progress", next_action="")
        elif board not in self._waiting:
            self._waiting[board] = asyncio.get_running_loop().call_later(SHOWN_AFTER, self._show, board)
        self._changed()

    def _forget(self, board: TaskBoard) -> bool:
        """It does not wait any more; gives whether it was shown that it does."""
        if (due := self._waiting.pop(board, None)) is not None:
            due.cancel()
        return self._shown.pop(board, None) is not None

    def _show(self, board: TaskBoard) -> None:
        self._shown[board] = {}
        self._declare(board)

    def _declare(self, board: TaskBoard) -> None:
        """Have its seat say for whom it waits, and for what; once, until that is another."""
        key, *others = board.waited_for
        seat = self._seat_of(key)
        status = f"waiting_for_{seat}"
        is_read = seat is not None and status_of(status) is Status.WAITING  # else its name is too long for that
        more = f", and for {len(others):,} more" if others else ""
        next_action = f"waits on the blackboard for {key}{self._whence(key)}{more}"
        told = {"status": status if is_read else Status.WAITING.value, "next_action": next_action}
        if told != self._shown[board]:
            self._shown[board] = told
            self._parts.declaring.tell(board.seat, **told)

    def _why_lost(self, key: str) -> str | None:
        """Why there never is a value of that key: the task of that key, or all that give it, came to nothing."""
        job = self._schedule.jobs.get(key)
        if job is not None and job.state.is_over and job.state is not TaskState.DONE:
            return job.told_need(key)
        return self._schedule.needs.why_lost(key)

    def _told(self, keys: Mapping[str, Sequence[str]]) -> str:
        """Who waits for what, and for whom that is, from one to the next; `keys` are those for which a task waits."""
        told: dict[str, str] = {}
        task: str | None = next(iter(keys))
        while task is not None and task not in told:
            key = keys[task][0]
            told[task] = f"{task} waits for {key}{self._whence(key)}"
            giver = self._giver(key)
            task = giver.key if giver is not None and giver.key in keys else None
        return f"nobody is left to write what agents wait for on the blackboard: {'; '.join(told.values())}"

    def _whence(self, key: str) -> str:
        """Which task gives it, in words, and what that waits for where nobody is at it."""
        giver = self._giver(key)
        if giver is None:
            return ", which no task gives"
        if giver.key in self._schedule.expected or giver.state.is_over:
            return f" of {giver.key}" if giver.key != key else ""
        missing = self._schedule.needs.missing(giver)
        return f", and {giver.key} " + (f"needs {missing[0]}" if missing else f"waits for a seat of {giver.role}")

    def _seat_of(self, key: str) -> str | None:
        """Who works on what gives it; where nobody can yet, on what that needs first, and so on."""
        giver = self._giver(key)
        while giver is not None and giver.seat is None:
            missing = self._schedule.needs.missing(giver)
            giver = self._giver(missing[0]) if missing else None
        return giver.seat if giver is not None else None

    def _giver(self, key: str) -> Job | None:
        jobs = self._schedule.jobs
        return jobs.get(key) or next((job for job in jobs.values() if key == job.task.result_key), None)
