"""What a decision worker found, read from its reply: data, bounded, and nothing that could start anything by itself.

    {"next": [{"task": "T-12", "title": "...", "priority": "high", "order": 1, "why": "..."}], "why": "..."}

The last fenced block of the reply, or the whole of it. What is wrong is said so that the worker can mend it; a verdict
that asks for what is not its to say is refused, and not asked for again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from collab_tui.config.values import shown
from collab_tui.config.workers import Priority
from collab_tui.model.text import clean, one_line
from collab_tui.protocol.asked_for import asked_for
from collab_tui.protocol.fenced import FencedError, fenced_json
from collab_tui.workers.screening import LONGEST_TASK, why_no_task

MAX_NEXT: Final = 10
"""Tasks that one verdict names."""
LONGEST_WHY: Final = 1000
LONGEST_TITLE: Final = 300
_LONGEST: Final = 1 << 16
"""Characters of a verdict."""
_LAST_ORDER: Final = 1000
_OF_TASK: Final = ("task", "title", "order", "priority", "why")


class VerdictError(Exception):
    """It is no verdict; the text says what is wrong, for whoever wrote it."""


class RefusedVerdictError(Exception):
    """It asks for what no verdict may."""


@dataclass(frozen=True, slots=True)
class NextTask:
    """A task that is to be done next."""

    task: str
    why: str
    title: str | None = None
    order: int = 0
    priority: str = Priority.NORMAL.value


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is to be done next, in order, and why; no tasks: nothing."""

    next: tuple[NextTask, ...]
    why: str

    def document(self) -> dict[str, Any]:
        """As JSON values."""
        tasks = [{key: value for key, value in asdict(task).items() if value is not None} for task in self.next]
        return {"next": tasks, "why": self.why}


def read_verdict(reply: str) -> Verdict:
    """The verdict in a reply. Raises `VerdictError`, `RefusedVerdictError`."""
    try:
        value = fenced_json(reply, _LONGEST, has_fractions=False)
    except FencedError as error:
        raise VerdictError(str(error)) from error
    return understood(value)


def understood(value: Any) -> Verdict:
    """The verdict that JSON says. Raises `VerdictError`, `RefusedVerdictError`."""
    _check_keys(value, ("next", "why"), "the verdict")
    tasks = value.get("next")
    if not isinstance(tasks, list):
        raise VerdictError("next is a list of tasks, empty where nothing is to be done")
    if len(tasks) > MAX_NEXT:
        raise VerdictError(f"next has {len(tasks)} tasks, and may have {MAX_NEXT}")
    found = [_task(task, place) for place, task in enumerate(tasks, 1)]
    names = [task.task for task in found]
    if twice := next((name for place, name in enumerate(names) if name in names[:place]), None):
        raise VerdictError(f"the task {twice} is there twice")
    return Verdict(tuple(sorted(found, key=lambda task: task.order)), _text(value, "why", LONGEST_WHY, "the verdict"))


def _task(value: Any, place: int) -> NextTask:
    where = f"task {place} of next"
    _check_keys(value, _OF_TASK, where)
    task = _text(value, "task", LONGEST_TASK, where)
    if (why := why_no_task(task)) is not None:
        raise RefusedVerdictError(f"{where} is called {shown(task)}: {why}")
    order = value.get("order", place)
    if isinstance(order, bool) or not isinstance(order, int) or not 0 <= order <= _LAST_ORDER:
        raise VerdictError(f"order of {where} is a whole number from 0 to {_LAST_ORDER}")
    priority = value.get("priority", Priority.NORMAL.value)
    if not isinstance(priority, str) or priority not in set(Priority):
        raise VerdictError(f"priority of {where} is one of {', '.join(Priority)}")
    title = _text(value, "title", LONGEST_TITLE, where) if value.get("title") is not None else None
    return NextTask(task, _text(value, "why", LONGEST_WHY, where), title, order, priority)


def _check_keys(value: Any, known: tuple[str, ...], where: str) -> None:
    if not isinstance(value, dict):
        raise VerdictError(f"{where} is an object with {', '.join(known)}")
    if named := asked_for(value):
        raise RefusedVerdictError(f"{where} names {', '.join(named)}: what is started is not a verdict's to say")
    if unknown := [key for key in value if key not in known]:
        raise VerdictError(f"{where} has {shown(unknown[0])}, and may have {', '.join(known)} only")


def _text(value: Mapping[str, Any], key: str, longest: int, where: str) -> str:
    text = value.get(key)
    if not isinstance(text, str) or not (said := one_line(clean(text))):
        raise VerdictError(f"{key} of {where} is a text that says something")
    if len(said) > longest:
        raise VerdictError(f"{key} of {where} has {len(said):,} characters, and may have {longest:,}")
    return said
