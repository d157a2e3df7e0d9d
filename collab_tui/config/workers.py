"""What the settings say of workers: `[workers]`, and `[[decide]]`, which events of a stream need a decision.

    [workers]
    decision_agent = "claude"
    start = "ask"

    [[decide]]
    status = "review"
    project = "api"
    title = ["security", "auth"]
    template = "high_priority"

What stands in one `[[decide]]` has to hold together; the first that holds decides, also that nothing is done (`skip`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from collab_tui.config import values
from collab_tui.config.source import Source
from collab_tui.config.values import WrongError

_TEMPLATE: Final = re.compile(r"[a-z][a-z0-9_]{0,39}", re.ASCII)


class Priority(StrEnum):
    """How soon a task is to be done, the most urgent first."""

    URGENT = "urgent"
    HIGH = "high"
    NORMAL = "normal"
    LOW = "low"

    @property
    def rank(self) -> int:
        """Its place in the order."""
        return list(Priority).index(self)


class Start(StrEnum):
    """Who says that an execution worker starts."""

    ASK = "ask"
    """The person, for each."""
    AUTO = "auto"
    """Nobody, up to a number a day; the person beyond that."""


@dataclass(frozen=True, slots=True)
class WorkerSettings:
    """What workers are and how many. All of it is the user's own to set: it starts programs."""

    decision_agent: str = "claude"
    execution_agent: str = "claude"
    """The names of their definitions."""
    start: str = Start.ASK.value
    auto_limit: int = 5
    """Execution workers that start unasked within any 24 hours."""
    max_decisions: int = 2
    max_executions: int = 3
    """How many work at once."""
    per_hour: int = 20
    """Decision workers that start within any hour."""
    cool_down: float = 300.0
    """Seconds between two decisions on one task."""
    decision_limit: float = 600.0
    execution_limit: float = 14_400.0
    """Seconds that one may take."""
    queue: int = 50
    """Decisions on events that wait; of more, the least urgent are dropped."""
    report: tuple[str, ...] | None = None
    """The user's own program that hears on standard input what became of each worker."""


@dataclass(frozen=True, slots=True)
class DecideRule:
    """Which events need a decision, or none; None: it does not matter."""

    status: str | None = None
    priority: Priority | None = None
    project: str | None = None
    stream: str | None = None
    title: tuple[str, ...] = ()
    """One of these stands in the title, in any case."""
    template: str | None = None
    """What the decision worker is told; None: the default for such an event."""
    is_skipped: bool = False
    """No decision is needed."""
    source: Source | None = None

    def __str__(self) -> str:
        given = (self.status, self.priority, self.project, self.stream, " or ".join(self.title))
        does = "none" if self.is_skipped else self.template or "a decision"
        return f"{', '.join(filter(None, given))} -> {does}"


def whole(least: int, most: int) -> Any:
    """Reads a whole number."""

    def read(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise WrongError(f"it takes a whole number, {least} to {most}")
        return value

    return read


def read_decide(value: Any) -> DecideRule:
    """A `[[decide]]`."""
    given = _FIELDS(value)
    is_skipped = given.pop("skip", False)
    template = given.pop("template", None)
    if not given:
        raise WrongError("it looks for nothing: give status, priority, project, stream or title")
    if is_skipped and template is not None:
        raise WrongError("skip needs no template: leave one of them out", "template")
    return DecideRule(**given, template=template, is_skipped=is_skipped)


def template_name(value: Any) -> str:
    """The name of a template, which is that of its file without `.md`."""
    name = values.name(value)
    if not _TEMPLATE.fullmatch(name):
        raise WrongError("it takes the name of a template: small letters, digits and _, as task_completed")
    return name


def _words(value: Any) -> tuple[str, ...]:
    words = value if isinstance(value, list) else [value]
    if not words or not all(isinstance(word, str) and word.strip() for word in words):
        raise WrongError('it takes what the title has, as "security", or a list of such texts')
    return tuple(word.strip() for word in words)


def _priority(value: Any) -> Priority:
    return Priority(values.one_of(Priority)(value))


_FIELDS: Final = values.record(
    status=values.name,
    priority=_priority,
    project=values.name,
    stream=values.name,
    title=_words,
    template=template_name,
    skip=values.flag,
)
