"""What the parts of one running run share."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from collab_tui.model.run_graph import ALL_BELOW
from collab_tui.orchestrator.agent import Agent, Surroundings, Worker
from collab_tui.orchestrator.blackboard import Blackboard
from collab_tui.orchestrator.declaring import Declaring
from collab_tui.orchestrator.journal import Journal
from collab_tui.orchestrator.person import Person
from collab_tui.orchestrator.plan import Pipeline, Policy
from collab_tui.orchestrator.schedule import Schedule
from collab_tui.orchestrator.values import Json

LEAST: Final = 0.5
"""Seconds that everything gets that belongs to the end of a run, however late that is."""


@dataclass(slots=True)
class Known:
    """What is known of the tasks of a run beside how far they are. All by the key of the task."""

    results: dict[str, Json] = field(default_factory=dict)
    """Of those that are done."""
    candidates: dict[str, Json] = field(default_factory=dict)
    """What was given last, to be judged."""
    branches: dict[str, str] = field(default_factory=dict)
    """The branch on which its work stands."""
    answers: dict[str, str] = field(default_factory=dict)
    """What the person said when they approved of it."""
    requests: dict[str, str] = field(default_factory=dict)
    """The id of the request that it waits for, as far as the registry tells of that."""
    exceptions: dict[str, BaseException] = field(default_factory=dict)
    """What its agent raised last."""


@dataclass(slots=True)
class Parts:
    """One run in this process."""

    id: str
    agent: str
    """As whom the run itself writes."""
    goal: str
    pipeline: Pipeline
    policy: Policy
    agents: Mapping[str, Agent]
    """Role -> what sits in its seats."""
    seats: Mapping[str, tuple[str, ...]]
    """Role -> the names of its seats."""
    schedule: Schedule
    journal: Journal
    blackboard: Blackboard
    person: Person
    declaring: Declaring
    surroundings: Surroundings
    notice: Callable[[str], None]
    known: Known = field(default_factory=Known)
    workers: dict[str, Worker] = field(default_factory=dict)
    """Seat -> who sits there."""
    deadline: float | None = None
    """When all of it is to be over, by the clock of the loop; None: it is not to end yet."""
    left_behind: list[Worker] = field(default_factory=list)
    """Those that were to end their work, and did not."""

    def patience(self, most: float) -> float:
        """Seconds for which something is waited for, of a run that is to end as far as it has them."""
        if self.deadline is None:
            return most
        return min(most, max(LEAST, self.deadline - asyncio.get_running_loop().time()))

    def worker(self, role: str, seat: str) -> Worker:
        """Who sits there, from the first time on that there is something to do."""
        if seat not in self.workers:
            self.workers[seat] = self.agents[role].seated(seat, self.surroundings)
        return self.workers[seat]

    def leave_behind(self, seat: str) -> None:
        """Somebody else sits there from now on."""
        if (worker := self.workers.pop(seat, None)) is not None:
            self.left_behind.append(worker)

    def below(self, key: str) -> Iterator[str]:
        """The keys of the tasks below a task, in the order in which they were added."""
        return (other for other in self.schedule.jobs if other.startswith(f"{key}/"))

    def needed(self, needs: Sequence[str]) -> Sequence[str]:
        """The keys of the tasks that are needed."""
        found: list[str] = []
        for need in needs:
            found += self.below(need.removesuffix(ALL_BELOW)) if need.endswith(ALL_BELOW) else (need,)
        return found

    def value_of(self, need: str) -> Any:
        """What a task gets for one of its needs, which is met: a copy of its own."""
        if need in self.known.results:
            return self.known.results[need].value
        if need.endswith(ALL_BELOW):
            return {key: self.known.results[key].value for key in self.below(need.removesuffix(ALL_BELOW))}
        return self.blackboard.get(need)
