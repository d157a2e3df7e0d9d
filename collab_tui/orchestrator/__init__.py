"""Teams of agents that work on one goal at the same time: roles, tasks, a blackboard, and runs that survive a crash.

    from collab_tui.orchestrator import Orchestrator, Pipeline, Pool, Role, Task

    def fetch(assignment):
        return len(assignment.task.key)

    def add_up(assignment):
        return sum(assignment.inputs.values())

    orchestrator = Orchestrator(registry, {"reader": Pool(fetch, size=2), "writer": add_up})
    tasks = [Task("one", "reader"), Task("three", "reader"), Task("sum", "writer", needs=("one", "three"))]
    result = orchestrator.run_all(Pipeline("adding", tasks))
    result.results["sum"]  # 8

What is named here is loaded when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collab_tui.orchestrator.agent import Agent, Assignment, CannotWorkError, Given, Worker, WorkError
    from collab_tui.orchestrator.agents.commands import Command
    from collab_tui.orchestrator.agents.sessions import Session
    from collab_tui.orchestrator.blackboard import ConflictError, ReleasedError
    from collab_tui.orchestrator.board import TaskBoard
    from collab_tui.orchestrator.kept import RunError
    from collab_tui.orchestrator.orchestrator import Orchestrator, Pool
    from collab_tui.orchestrator.plan import OnError, Pipeline, PipelineError, Policy, ReplyKind, Role, Task
    from collab_tui.orchestrator.result import Failure, RunResult

__all__ = [
    "Agent",
    "Assignment",
    "CannotWorkError",
    "Command",
    "ConflictError",
    "Failure",
    "Given",
    "OnError",
    "Orchestrator",
    "Pipeline",
    "PipelineError",
    "Policy",
    "Pool",
    "ReleasedError",
    "ReplyKind",
    "Role",
    "RunError",
    "RunResult",
    "Session",
    "Task",
    "TaskBoard",
    "WorkError",
    "Worker",
]

_WHERE: Final = {
    "Agent": "agent",
    "Assignment": "agent",
    "CannotWorkError": "agent",
    "Command": "agents.commands",
    "ConflictError": "blackboard",
    "Failure": "result",
    "Given": "agent",
    "OnError": "plan",
    "Orchestrator": "orchestrator",
    "Pipeline": "plan",
    "PipelineError": "plan",
    "Policy": "plan",
    "Pool": "orchestrator",
    "ReleasedError": "blackboard",
    "ReplyKind": "plan",
    "Role": "plan",
    "RunError": "kept",
    "RunResult": "result",
    "Session": "agents.sessions",
    "Task": "plan",
    "TaskBoard": "board",
    "WorkError": "agent",
    "Worker": "agent",
}


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)
