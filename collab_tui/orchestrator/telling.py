"""The first and the last lines of a run in a process: by whom it is carried, who sits where, how it ended."""

from __future__ import annotations

import asyncio
import functools
import os
import socket
from collections.abc import Awaitable, Callable
from typing import Any

from collab_tui.model.run_graph import GOAL
from collab_tui.model.runs import RunState, TaskState
from collab_tui.model.text import one_line
from collab_tui.orchestrator.adding import tell_tasks
from collab_tui.orchestrator.assembling import Assembled
from collab_tui.orchestrator.kept import Part
from collab_tui.protocol.persistence import wholly
from collab_tui.registry.append import RegistryError


class Telling:
    """What one run says of itself as a whole."""

    def __init__(self, assembled: Assembled, carrier: str, keep_begun: Callable[[Part], object]) -> None:
        """`carrier` is to whom its commands go. `keep_begun` keeps that it began, before anything follows from that."""
        self._assembled = assembled
        self._parts = assembled.parts
        self._carrier = carrier
        self._keep_begun = keep_begun
        self.has_begun = False
        """Its first line here stands in the registry."""

    async def begin(self) -> None:
        """Write that it begins, or goes on. Of a new one raises `RegistryError` where that cannot be written now."""
        parts, journal = self._parts, self._parts.journal
        about = {**_here(), "carrier": self._carrier, "role": "orchestrator", "status": "in_progress"}
        about |= {"current_task": one_line(parts.goal)}
        if (again := self._assembled.again) is None:
            first = functools.partial(journal.write_now, parts.agent, "run_started", **self._plan(), **about)
            await wholly(self._tell_first(asyncio.to_thread(first)))  # once: who starts it hears why it cannot be
        else:
            await self._tell_first(journal.write(parts.agent, "run_resumed", again=list(again), **about))
        part = Part(journal.part, journal.after)
        await journal.keep(lambda: self._keep_begun(part))
        tell_tasks(parts, [task for task in parts.pipeline.tasks if task.key in self._assembled.untold], None)
        for key, value in {GOAL: parts.goal, **parts.pipeline.values}.items():
            if key not in parts.blackboard:
                await parts.blackboard.put(key, value, by=parts.agent)
        for role, seat in self._announced():
            journal.send(seat, "session_start", {"role": role, "status": "idle", **_here()})

    async def end(self, state: RunState, reason: str | None, patience: float | None) -> None:
        """Write how it ended; `patience` is for how many seconds that is waited for, None: until it stands."""
        parts = self._parts
        status = {RunState.DONE: "completed", RunState.FAILED: "failed"}.get(state, "idle")
        told = {"state": state, "status": status, "progress": parts.schedule.progress}
        told |= {"reason": reason} if reason is not None else {}
        try:
            for key in self._assembled.orphans:
                if key not in parts.schedule.jobs:
                    why = "what added it began anew, and left it out"
                    gone = {"task": key, "state": TaskState.CANCELLED, "why": why}
                    parts.journal.send(parts.agent, "run_task", gone)
            for _, seat in self._announced():
                parts.journal.send(seat, "session_end", {"reason": "the run is over"})
            await asyncio.wait((parts.journal.send(parts.agent, "run_ended", told),), timeout=patience)
        except RegistryError as error:
            parts.notice(f"the end of the run {parts.id} could not be written: {error}")

    async def _tell_first(self, writing: Awaitable[object]) -> None:
        await writing
        self.has_begun = True

    def _plan(self) -> dict[str, Any]:
        """What is to be done, by whom and how."""
        parts, policy = self._parts, self._parts.policy
        told: dict[str, Any] = {"on_error": policy.on_error.value, "grace": policy.grace}
        told |= {"retries": policy.retries, "rounds": policy.rounds}
        told |= {"timeout": policy.timeout} if policy.timeout is not None else {}
        return {
            "name": parts.pipeline.name,
            "goal": parts.goal,
            "pipeline": parts.pipeline.path,
            "digest": parts.pipeline.digest,
            "policy": told,
            "pools": [
                {"role": role, "agent": parts.agents[role].told, "seats": list(seats)}
                for role, seats in parts.seats.items()
            ],
            "progress": 0,
        }

    def _announced(self) -> list[tuple[str, str]]:
        """Role and name of the seats whose agents do not tell of themselves."""
        parts = self._parts
        return [
            (role, seat) for role, seats in parts.seats.items() if not parts.agents[role].announces for seat in seats
        ]


def _here() -> dict[str, Any]:
    return {"host": socket.gethostname(), "pid": os.getpid()}
