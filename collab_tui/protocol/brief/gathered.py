"""What one agent has to be told, kept while a registry is read: pure, and bounded however long that is."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

from collab_tui.model.event import Event, Item, as_id
from collab_tui.model.words import Status, name_key, status_of
from collab_tui.protocol.addressed import Addressed, Addressing, Concern

_KEPT: Final = 100
"""Messages, and decisions that nobody asked for, that are kept: the newest."""
_MAX_SPELLINGS: Final = 10_000
_DECLARED: Final = ("status", "progress", "current_task", "next_action", "blockers")
"""Fields by which the start of a session tells more than that it starts."""


class Change(NamedTuple):
    """What another agent wrote since."""

    events: int
    last: Event


class Gathered:
    """Takes the lines in file order; keeps what one agent has to be told.

    What others wrote is news from the agent's last own word on. What is said to it is news from the last start of a
    session on, because a session may be busy and not look; to an agent that starts none, from its last word on. Until
    it says something in a session, what it was told at its start is news still: whoever forgot that starts again.
    """

    def __init__(self, name: str, person: str) -> None:
        self._name = name
        self._person = person
        self._key = name_key(name)
        self.restart()

    def restart(self) -> None:
        """Forget everything: the registry is another."""
        self._addressing = Addressing(self._name, self._person)
        self._keys: dict[str, str] = {}
        self._starts_sessions = False
        self._started: int | None = None
        """The line with which the last session started, until the agent tells something in it."""
        self._count_then = 0
        """How many messages there were at that line."""
        self.since = 0
        """The line after the agent's last own word: from it on, what others wrote is news."""
        self.moved = 0
        """The line after the agent's last word by which it moves: a status that is no waiting, or what it works on."""
        self.changes: dict[str, Change] = {}
        """By the key of the agent that wrote."""
        self.messages: deque[Event] = deque(maxlen=_KEPT)
        """What was said to the agent or to all, also by events of a name that has no meaning to us."""
        self.message_count = 0
        self.unasked: deque[Event] = deque(maxlen=_KEPT)
        """Decisions for the agent that name no request."""
        self.resolved: deque[Event] = deque(maxlen=_KEPT)
        """Events by which others resolved blockers of the agent."""
        self.aimed: set[int] = set()
        """The lines of blockers that were aimed at the agent by their `target`."""

    def extend(self, items: Iterable[Item]) -> None:
        """Take the next lines."""
        for item in items:
            if not isinstance(item, Event) or (writer := self._writer(item)) is None:
                continue
            for addressed in self._addressing.extend((item,)):
                self._keep(addressed)
            if writer == self._key:
                self._own(item)
            else:
                known = self.changes.get(writer)
                self.changes[writer] = Change(known.events + 1 if known is not None else 1, item)
                if "target" in item.data and ("blocker" in item.data or "blockers" in item.data):
                    self._note_aimed(item)

    def _writer(self, event: Event) -> str | None:
        spelled = event.data.get("agent")
        if not isinstance(spelled, str):
            return None
        key = self._keys.get(spelled)
        if key is None:
            key = name_key(event.agent or "")
            if len(self._keys) < _MAX_SPELLINGS:
                self._keys[spelled] = key
        return key or None

    def forget(self, is_known: Callable[[str], bool]) -> None:
        """Leave out messages of these ids: the agent acknowledged them."""
        kept = [event for event in self.messages if not is_known(event.id)]
        self.message_count -= len(self.messages) - len(kept)
        self.messages = deque(kept, maxlen=_KEPT)

    def _own(self, event: Event) -> None:
        """A start or an end of a session that tells no more than that is no word of the agent's."""
        is_start = event.kind == "session_start"
        if event.kind == "session_end":
            return
        if is_start and all(event.field(name) is None for name in _DECLARED):
            self._started, self._count_then = event.position, self.message_count
            self._starts_sessions = True
            return
        self._starts_sessions = self._starts_sessions or is_start
        self.since = event.position + 1
        if self._moves(event):
            self.moved = self.since
        self.changes.clear()
        if is_start or not self._starts_sessions:
            self._forget_before(event.position, self.message_count)
        elif self._started is not None:
            self._forget_before(self._started, self._count_then)
        self._started = None

    @staticmethod
    def _moves(event: Event) -> bool:
        if event.kind == "completion" or (event.kind != "decision_request" and event.field("current_task") is not None):
            return True
        status = event.text("status")
        return status is not None and status_of(status) not in (Status.WAITING, Status.BLOCKED)

    def _forget_before(self, position: int, count: int) -> None:
        """What was said before the agent started was told to it then; so many messages."""
        self.message_count -= count
        self.messages = deque((event for event in self.messages if event.position > position), maxlen=_KEPT)
        self.resolved = deque((event for event in self.resolved if event.position > position), maxlen=_KEPT)

    def _keep(self, addressed: Addressed) -> None:
        event = addressed.event
        match addressed.concern:
            case Concern.OTHER if event.kind == "blocker":
                return  # it stands among the blockers while its writer has it
            case Concern.MESSAGE | Concern.OTHER:
                self.messages.append(event)
                self.message_count += 1
            case Concern.DECISION:
                if not as_id(event.data.get("request_id")):
                    self.unasked.append(event)
                if event.field("resolved_blockers") is not None:
                    self.resolved.append(event)
            case Concern.UNBLOCKED:
                self.resolved.append(event)

    def _note_aimed(self, event: Event) -> None:
        if event.kind != "blocker_resolved" and self._key in map(name_key, event.texts("target")):
            self.aimed.add(event.position)
