"""What the fold remembers of one agent, and how that becomes an `Agent`.

Per field only the event that set it last is kept. The value itself, under whichever spelling, is taken from that
event when a board is made, so folding a backlog costs two dictionary updates an event.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from collab_tui.model.board import Agent, Blocker
from collab_tui.model.event import Event, as_text, as_texts
from collab_tui.model.words import ALIASES, NOTHING_BLOCKS, Status, name_key, status_of

SHOWN_FIELDS: Final = (
    "status",
    "progress",
    "current_task",
    "next_action",
    "message",
    "role",
    "dependencies",
    "estimated_completion",
)
STILL_WAITING: Final = frozenset({Status.WAITING, Status.BLOCKED})
_SPELLINGS: Final = {name: ALIASES.get(name, (name,)) for name in SHOWN_FIELDS}
_MAX_FIELDS: Final = 256
"""Distinct field names kept per agent: a writer that invents a name per line must not fill the memory."""


class AgentState:
    """Mutable; one per agent of a fold."""

    __slots__ = (
        "blockers",
        "decided_at",
        "frozen",
        "gone",
        "has_waited",
        "key",
        "last",
        "name",
        "perhaps_answered",
        "raw_status",
        "resolved_at",
        "set_by",
        "snapshot",
        "status_since",
        "task",
        "task_since",
    )

    def __init__(self, name: str, key: str, first: Event) -> None:
        self.name = name
        self.key = key
        self.last = first
        self.set_by: dict[str, Event] = {}
        """Field as spelled -> the event that set it last."""
        self.raw_status: object = None
        self.status_since: int | None = None
        self.task: object = None
        self.task_since: int | None = None
        self.blockers: dict[str, Blocker] = {}
        self.snapshot: object = None
        """The last `blockers` value as written, to see at once that nothing changed."""
        self.resolved_at: int | None = None
        self.decided_at: int | None = None
        self.perhaps_answered = False
        self.has_waited = False
        """It was waiting or blocked when a request of it was perhaps answered, or since."""
        self.gone = False
        self.frozen: Agent | None = None
        """The value made from this state; out of date when the agent wrote since, None when another changed it."""

    def set_fields(self, event: Event, fields: dict[str, object]) -> None:
        """Take over the given fields, each by itself."""
        self.set_by.update(dict.fromkeys(fields, event))
        status, task = fields.get("status"), fields.get("current_task")
        try:
            if status is not None and status != self.raw_status:
                self.raw_status, self.status_since = status, event[0]
            if task is not None and task != self.task:
                self.task, self.task_since = task, event[0]
        except RecursionError:  # lists nested too deeply to compare: as good as another value
            self.raw_status, self.status_since = status, event[0]
            self.task, self.task_since = task, event[0]

    def set_status(self, event: Event, status: object) -> None:
        """Take over the status only."""
        self.set_fields(event, {"status": status})

    def imply(self, event: Event, **fields: object) -> None:
        """Set what an event means without saying it, e.g. a `blocker` makes its writer blocked."""
        self.set_fields(Event(event.position, fields, b""), fields)

    def replace_blockers(self, value: object, event: Event) -> None:
        """Take a snapshot of the list: those already known keep the line they came with."""
        try:
            if value == self.snapshot:
                return
            if value == list(self.blockers):
                self.snapshot = value
                return
        except RecursionError:  # lists nested too deeply to compare
            pass
        self.snapshot = value
        texts = [text for text in as_texts(value) if name_key(text) not in NOTHING_BLOCKS]
        self.blockers = {text: self.blockers.get(text) or Blocker(text, event.position) for text in texts}
        if not self.blockers:
            self.resolved_at = event.position

    def add_blocker(self, text: str, event: Event) -> None:
        """Add one; a repeated one keeps the line it came with."""
        self.snapshot = None
        if text not in self.blockers:
            self.blockers[text] = Blocker(text, event.position, event.text("reason"))

    def name_blockers(self, event: Event) -> None:
        """Add what the event names; a word such as "resolved" removes what there is."""
        for text in event.texts("blocker") or event.texts("blockers"):
            if name_key(text) not in NOTHING_BLOCKS:
                self.add_blocker(text, event)
            else:
                for known in list(self.blockers):
                    self.resolve(known, event)

    def note_waiting(self) -> None:
        """Whether it waits, by what it said last."""
        self.has_waited = self.has_waited or status_of(as_text(self.raw_status)) in STILL_WAITING

    def resolve(self, text: str, event: Event) -> None:
        """Remove one if the agent has exactly it."""
        if self.blockers.pop(text, None) is not None:
            self.snapshot = None
            self.resolved_at = event.position
            self.frozen = None

    @property
    def status(self) -> Status | None:
        """As the board shows it, without making the whole agent."""
        said = self.set_by.get("status")
        raw_status = as_text(said.data["status"]) if said is not None else ""
        return status_of(raw_status) if raw_status else None

    def freeze(self) -> Agent:
        """The agent as the board shows it."""
        if self.frozen is None or self.frozen.last_position != self.last.position:
            self._forget_surplus()
            self.frozen = self._freeze()
        return self.frozen

    def copy(self) -> AgentState:
        """An independent copy; events and frozen values are shared."""
        twin = AgentState(self.name, self.key, self.last)
        for name in self.__slots__:
            setattr(twin, name, getattr(self, name))
        twin.set_by = self.set_by.copy()
        twin.blockers = self.blockers.copy()
        return twin

    def _freeze(self) -> Agent:
        values: dict[str, object] = {}
        set_at: dict[str, int] = {}
        for name, spellings in _SPELLINGS.items():
            setters = [(event.position, event.data[s]) for s in spellings if (event := self.set_by.get(s)) is not None]
            if setters:
                position, value = max(setters, key=lambda setter: (setter[0], setter[1] is not None))
                if value is not None:
                    set_at[name], values[name] = position, value
        raw_status = as_text(values.get("status")) or None
        status = status_of(raw_status) if raw_status else None
        said_at = set_at.get("status", -1)
        progress = progress_of(values.get("progress"))
        if progress is None:
            set_at.pop("progress", None)
        unblocked = status is Status.BLOCKED and not self.blockers and (self.resolved_at or -1) > said_at
        if unblocked and self.resolved_at is not None:
            set_at["unblocked"] = self.resolved_at
        set_at.update({f"blocker:{blocker.text}": blocker.position for blocker in self.blockers.values()})
        return Agent(
            name=self.name,
            status=status,
            raw_status=raw_status,
            status_since=self.status_since,
            progress=progress,
            current_task=as_text(values.get("current_task")) or None,
            task_since=self.task_since
            if _is_same(values.get("current_task"), self.task)
            else set_at.get("current_task"),
            next_action=as_text(values.get("next_action")) or None,
            message=as_text(values.get("message")) or None,
            role=as_text(values.get("role")) or None,
            blockers=tuple(self.blockers.values()),
            dependencies=as_texts(values.get("dependencies")),
            estimated_completion=as_text(values.get("estimated_completion")) or None,
            gone=self.gone,
            unblocked=unblocked,
            last_event=self.last.kind,
            last_event_at=self.last.time,
            last_position=self.last.position,
            last_decision=self.decided_at,
            set_at=MappingProxyType(set_at),
        )

    def _forget_surplus(self) -> None:
        if len(self.set_by) > _MAX_FIELDS:
            known = {spelling for spellings in _SPELLINGS.values() for spelling in spellings}
            self.set_by = {name: event for name, event in self.set_by.items() if name in known}


def _is_same(one: object, other: object) -> bool:
    try:
        return one == other
    except RecursionError:
        return False


def progress_of(value: object) -> float | None:
    """Per cent from what agents write: 80, "80%", 0.8 (a share if a float below 1), clamped to 0..100.

    None when it is no number.
    """
    match value:
        case bool():
            return None
        case float() if 0 < value < 1:
            number = value * 100
        case int():
            number = float(min(100, max(0, value)))
        case float():
            number = value
        case str():
            try:
                number = float(value.strip().removesuffix("%").strip())
            except ValueError:
                return None
        case _:
            return None
    return None if number != number else min(100.0, max(0.0, number))
