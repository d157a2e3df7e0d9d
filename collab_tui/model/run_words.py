"""How the states of runs and their tasks are called, coloured and marked: the same on the screen and in lines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from collab_tui.model.glyphs import Glyphs
from collab_tui.model.runs import RunState, TaskState
from collab_tui.model.words import Status

TASK_WORDS: Final = {
    TaskState.PENDING: "pending",
    TaskState.RUNNING: "running",
    TaskState.RETRYING: "again soon",
    TaskState.WORKED: "to review",
    TaskState.REVIEWING: "in review",
    TaskState.REJECTED: "sent back",
    TaskState.ASKED: "waits for you",
    TaskState.DONE: "done",
    TaskState.FAILED: "failed",
    TaskState.TIMED_OUT: "timed out",
    TaskState.CANCELLED: "cancelled",
    TaskState.SKIPPED: "skipped",
}
"""A state of a task in a word or two."""
TASK_ROLES: Final = {
    TaskState.PENDING: "muted",
    TaskState.RUNNING: "accent",
    TaskState.RETRYING: "warning",
    TaskState.WORKED: "accent",
    TaskState.REVIEWING: "accent",
    TaskState.REJECTED: "warning",
    TaskState.ASKED: "warning",
    TaskState.DONE: "success",
    TaskState.FAILED: "error",
    TaskState.TIMED_OUT: "error",
    TaskState.CANCELLED: "muted",
    TaskState.SKIPPED: "muted",
}
RUN_ROLES: Final = {
    RunState.RUNNING: "accent",
    RunState.DONE: "success",
    RunState.FAILED: "error",
    RunState.CANCELLED: "muted",
}
_LONGEST_CHAIN: Final = 12
"""Tasks of a chain that are named."""
_STATUSES: Final = {
    TaskState.PENDING: Status.IDLE,
    TaskState.RUNNING: Status.IN_PROGRESS,
    TaskState.RETRYING: Status.WAITING,
    TaskState.WORKED: Status.WAITING,
    TaskState.REVIEWING: Status.IN_PROGRESS,
    TaskState.REJECTED: Status.BLOCKED,
    TaskState.DONE: Status.COMPLETED,
    TaskState.FAILED: Status.FAILED,
    TaskState.TIMED_OUT: Status.FAILED,
    TaskState.SKIPPED: None,
}
_RUN_STATUSES: Final = {
    RunState.RUNNING: Status.IN_PROGRESS,
    RunState.DONE: Status.COMPLETED,
    RunState.FAILED: Status.FAILED,
}


def task_sign(state: TaskState, glyphs: Glyphs) -> str:
    """The sign of a task's state."""
    if state is TaskState.ASKED:
        return glyphs.needs_you
    return glyphs.gone if state is TaskState.CANCELLED else glyphs.statuses[_STATUSES[state]]


def run_sign(state: RunState, glyphs: Glyphs) -> str:
    """The sign of a run's state."""
    return glyphs.gone if state is RunState.CANCELLED else glyphs.statuses[_RUN_STATUSES[state]]


def readable(command: str) -> str:
    """A command for people, who need not copy it: a quote in what is quoted is just that."""
    return command.replace("'\"'\"'", "'")


def chain(keys: Sequence[str], glyphs: Glyphs) -> str:
    """Tasks one after the other; of a long chain the middle is left out."""
    shown = list(keys)
    if len(shown) > _LONGEST_CHAIN:
        shown[_LONGEST_CHAIN - 2 : -1] = [f"{len(shown) - _LONGEST_CHAIN + 1:,} more"]
    return f" {glyphs.arrow} ".join(shown)
