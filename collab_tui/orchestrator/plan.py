"""What a run is to do: tasks, the roles that do them, and the policy. Values only: nothing here checks or starts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from collab_tui.config.source import Source

if TYPE_CHECKING:
    from collab_tui.orchestrator.agent import Agent


class PipelineError(Exception):
    """A pipeline that cannot be run: every mistake in it, one on each line, with file and line where they are known."""

    exit_code = 2

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class OnError(StrEnum):
    """What follows for the others when a task does not get done."""

    STOP = "stop"
    """The rest is cancelled."""
    GO_ON = "go on"
    """What needs it is skipped, and all else goes on."""


class ReplyKind(StrEnum):
    """What is read out of what an agent gives."""

    TEXT = "text"
    """Its words as they are."""
    JSON = "json"
    """The JSON in them, which has to be there."""
    PLAN = "plan"
    """JSON with `plan`, and `tasks` that are added to the run."""
    VERDICT = "verdict"
    """JSON with `verdict` (`approved` or `rejected`) and `reasons`."""


@dataclass(frozen=True, slots=True)
class Task:
    """One thing to do."""

    key: str
    role: str | None = None
    """None: nobody works on it, the person's yes is all that it needs."""
    title: str | None = None
    prompt: str | None = None
    """What is to be done, in words; the role's template has a place for it."""
    needs: tuple[str, ...] = ()
    """Keys of tasks or of the blackboard; `KEY/*`: a task and all that it, and what it added, added to the run."""
    gives: str | None = None
    """The key of the blackboard for its result; None: its own key."""
    priority: int = 0
    """Of tasks that are ready the highest goes first."""
    timeout: float | None = None
    """Seconds for one attempt; None: that of its role."""
    retries: int | None = None
    """Further attempts after one that failed or timed out; None: as the policy says."""
    backoff: float = 1.0
    """Seconds until the first further attempt; the pause doubles each time up to a minute, a longer one stays."""
    on_error: OnError | None = None
    """None: as the policy says."""
    review: str | None = None
    """The role whose verdict its result needs."""
    rounds: int | None = None
    """How often that may send it back before the person is asked; None: as the policy says."""
    needs_approval: bool = False
    """The person is asked before it starts."""
    expires: float | None = None
    """Seconds for which the person may answer."""
    data: Mapping[str, Any] = field(default_factory=dict)
    """More for the agent, as JSON values."""
    source: Source | None = None
    """Where it stands in a file."""

    @property
    def result_key(self) -> str:
        """Under which its result stands on the blackboard."""
        return self.gives if self.gives is not None else self.key


@dataclass(frozen=True, slots=True)
class Role:
    """Who does a kind of task, how many at once, and what they are told."""

    name: str
    agent: Agent | None = None
    """None: it is given where the orchestrator is made."""
    size: int = 1
    """How many of it work at the same time."""
    prompt: str | None = None
    """The template of what it is told; None: the built-in one of that name, else a plain one."""
    reply: ReplyKind = ReplyKind.TEXT
    timeout: float | None = None
    """Seconds for one attempt."""
    may_add: bool = False
    """Its results may add tasks to the run."""
    review: str | None = None
    """The role whose verdict is needed by what agents add for this one, whatever they say of that themselves."""
    source: Source | None = None


@dataclass(frozen=True, slots=True)
class Policy:
    """How a run deals with what goes wrong, and its bounds."""

    on_error: OnError = OnError.STOP
    retries: int = 0
    rounds: int = 2
    timeout: float | None = None
    """Seconds for the whole run, not counting what it waits for the person; each process has all of it anew."""
    grace: float = 5.0
    """Seconds from being asked to end until being made to."""
    most_tasks: int = 2000
    most_depth: int = 5
    """How many times a task may have been added by one that was itself added."""


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A whole run, before it starts."""

    name: str
    tasks: Sequence[Task]
    roles: Mapping[str, Role] = field(default_factory=dict)
    """By name; an agent that is given where the orchestrator is made brings its role along."""
    goal: str | None = None
    policy: Policy | None = None
    """None: that of the orchestrator."""
    values: Mapping[str, Any] = field(default_factory=dict)
    """What stands on the blackboard from the beginning, beside `goal`."""
    path: str | None = None
    """The file that it was read from."""
    digest: str | None = None
    """SHA-256 of what that file says, and the prompt files that it names: see `pipeline_file`."""
