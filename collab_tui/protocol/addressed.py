"""Which events concern one agent: what is said to it, asked of it, decided for it, and what no longer blocks it.

Pure, but for what it remembers of the lines before: the agent's own requests and blockers, and what it was asked. Who
really wrote a decision is not checked here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import NamedTuple

from collab_tui.model.board import Request
from collab_tui.model.event import Event, Item, as_id
from collab_tui.model.requests import closes, is_person, is_to_person, request_of
from collab_tui.model.words import NOTHING_BLOCKS, leading_names, name_key

_ALL = "all"
_BOOKKEEPING = frozenset(
    {"activation", "command", "command_result", "session_observed", "stream_event", "stream_state", "worker"}
    | {"run_started", "run_tasks", "run_task", "run_value", "run_resumed", "run_ended"}
)
"""Events of the monitor, which tells an agent what it has to know by messages, and of runs, whose seats get prompts."""


class Concern(StrEnum):
    """How an event concerns an agent."""

    MESSAGE = "message"
    REQUEST = "request"
    """It is asked."""
    WITHDRAWN = "withdrawn"
    """What it was asked is not asked any more."""
    DECISION = "decision"
    """On a request of it, or on nothing that it asked."""
    UNBLOCKED = "unblocked"
    OTHER = "other"
    """An event of another name that is addressed to it."""


class Addressed(NamedTuple):
    """An event that concerns the agent."""

    event: Event
    concern: Concern
    request: Request | None = None
    """The agent's own that a decision names, as it was asked."""


class Addressing:
    """Takes every line of one registry in file order; gives those that concern one agent."""

    def __init__(self, name: str, person: str) -> None:
        self._key = name_key(name)
        self._person = person
        self._is_person = is_person(name, person)
        self._own: dict[str, Request] = {}
        self._asked: dict[str, str] = {}
        """Requests to the agent -> the key of who asked."""
        self._blockers: set[str] = set()
        self._met: set[str] = set()
        """Ids of what was given: a line that repeats one does not count."""

    def extend(self, items: Iterable[Item]) -> Iterator[Addressed]:
        """Take the next lines; gives what concerns the agent as it goes."""
        for item in items:
            if not isinstance(item, Event) or (writer := item.agent) is None:
                continue
            if name_key(writer) == self._key:
                self._note_own(item, writer)
            elif (found := self._of_another(item, name_key(writer))) is not None and item.id not in self._met:
                self._met.add(item.id)
                yield found

    def _note_own(self, event: Event, name: str) -> None:
        if event.kind == "decision_request":
            self._own.setdefault(event.id, request_of(event, name, self._person))
        if event.data.get("blockers") is not None:
            self._blockers = set(event.texts("blockers"))
        for text in event.texts("blocker"):
            if name_key(text) in NOTHING_BLOCKS:
                self._blockers.clear()
            else:
                self._blockers.add(text)

    def _of_another(self, event: Event, writer: str) -> Addressed | None:
        match event.kind:
            case "decision":
                return self._decision(event)
            case "decision_request":
                if not self._is_asked(event):
                    return None
                self._asked.setdefault(event.id, writer)
                return Addressed(event, Concern.REQUEST)
            case "request_withdrawn":
                is_askers = self._asked.get(as_id(event.data.get("request_id"))) == writer
                return Addressed(event, Concern.WITHDRAWN) if is_askers else None
            case "blocker_resolved":
                return self._resolution(event)
            case "message":
                return Addressed(event, Concern.MESSAGE) if self._is_target(event) else None
            case kind:
                is_mine = kind not in _BOOKKEEPING and self._is_target(event)
                return Addressed(event, Concern.OTHER) if is_mine else None

    def _is_target(self, event: Event) -> bool:
        """It is addressed to the agent, or to all."""
        return any(
            name_key(target) in (self._key, _ALL) or (self._is_person and is_person(target, self._person))
            for target in event.texts("target")
        )

    def _is_asked(self, request: Event) -> bool:
        return self._is_target(request) or (self._is_person and is_to_person(request.texts("target"), self._person))

    def _decision(self, event: Event) -> Addressed | None:
        request_id = as_id(event.data.get("request_id"))
        request = self._own.get(request_id)
        is_unblocked = self._is_unblocked(event.texts("resolved_blockers"))
        if request is not None:
            is_answer = closes(event, request.id, request.asker, request.to_person, self._person)
            return Addressed(event, Concern.DECISION, request) if is_answer else None
        if not request_id and (self._is_target(event) or self._is_about_me(event)):
            return Addressed(event, Concern.DECISION)
        return Addressed(event, Concern.UNBLOCKED) if is_unblocked else None

    def _is_about_me(self, decision: Event) -> bool:
        """It says for whom it is in another way than by its target."""
        return not decision.texts("target") and self._key in leading_names(decision.text("decision_for") or "")

    def _resolution(self, event: Event) -> Addressed | None:
        texts = event.texts("blocker") or event.texts("resolved_blockers") or event.texts("blockers")
        is_mine = self._is_unblocked(texts) if not event.texts("target") else self._is_target(event)
        self._blockers.difference_update(texts if is_mine else ())
        return Addressed(event, Concern.UNBLOCKED) if is_mine else None

    def _is_unblocked(self, texts: Iterable[str]) -> bool:
        """The agent has one of these blockers, and now has it no more."""
        resolved = self._blockers.intersection(texts)
        self._blockers -= resolved
        return bool(resolved)
