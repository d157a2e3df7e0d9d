"""One event of a stream: what a task hub says of one of its tasks. All of it is others' words."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from collab_tui.config.workers import Priority
from collab_tui.model.event import as_id
from collab_tui.model.text import clean, one_line

_LONGEST_ID: Final = 200
_LONGEST_WORD: Final = 40
_LONGEST_TITLE: Final = 300
_PRIORITIES: Final = {"critical": Priority.URGENT, "highest": Priority.URGENT, "medium": Priority.NORMAL}


@dataclass(frozen=True, slots=True)
class StreamEvent:
    """A task as an event of a stream tells of it. Every text is made one clean line of bounded length."""

    stream: str
    event_id: str
    """The stream's own: each is taken once."""
    task: str
    status: str | None = None
    """In small letters."""
    priority: str = Priority.NORMAL.value
    """One of `Priority`, whatever word was given."""
    project: str | None = None
    title: str | None = None
    data: Mapping[str, Any] = field(default_factory=dict, compare=False)
    """All that the event said."""

    def __post_init__(self) -> None:
        status = _line(self.status, _LONGEST_WORD)
        for name, value in (
            ("stream", _line(self.stream, _LONGEST_ID) or ""),
            ("event_id", _line(self.event_id, _LONGEST_ID) or ""),
            ("task", _line(self.task, _LONGEST_ID) or ""),
            ("status", status.casefold() if status else None),
            ("priority", priority_of(self.priority).value),
            ("project", _line(self.project, _LONGEST_ID)),
            ("title", _line(self.title, _LONGEST_TITLE)),
        ):
            object.__setattr__(self, name, value)

    @property
    def key(self) -> str:
        """By which the registry knows that it was taken: the same for the same event of the same stream."""
        return hashlib.sha256(f"{self.stream}\0{self.event_id}".encode()).hexdigest()[:32]

    @property
    def rank(self) -> Priority:
        """Its priority."""
        return Priority(self.priority)


def event_of(stream: str, event_id: str, data: Any, fields: Mapping[str, str]) -> StreamEvent | None:
    """The event that the JSON of a stream tells, `fields` saying where each thing stands; None: it names no task."""
    found = {ours: _at(data, place) for ours, place in fields.items()}
    task = as_id(found.get("task"))
    if not isinstance(data, dict) or not task:
        return None
    status, priority, project, title = (as_id(found.get(n)) or None for n in ("status", "priority", "project", "title"))
    return StreamEvent(stream, event_id, task, status, priority or Priority.NORMAL.value, project, title, data)


def _at(data: Any, place: str) -> Any:
    """What stands under a dotted name; None where nothing does."""
    for name in place.split("."):
        data = data.get(name) if isinstance(data, dict) else None
    return data


def priority_of(word: object) -> Priority:
    """The priority that a word means; one that means none is normal."""
    text = one_line(clean(str(word)[:_LONGEST_WORD])).casefold()
    return Priority(text) if text in set(Priority) else _PRIORITIES.get(text, Priority.NORMAL)


def _line(text: object, longest: int) -> str | None:
    if text is None:
        return None
    return one_line(clean(str(text)[: 4 * longest]))[:longest].strip() or None
