"""Requests, and which decision answers which.

A decision that names a request by `request_id` closes it. One without may be an answer; that is shown as "perhaps
answered by ..." and nothing acts on it: the request stays open until its asker goes on or the person decides.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Container, Iterable, Iterator, Mapping
from operator import attrgetter
from typing import Final

from collab_tui.model.agent_state import AgentState
from collab_tui.model.board import Answer, Request, RequestKind, RequestState
from collab_tui.model.event import Event, as_id, as_text, parse_time
from collab_tui.model.words import PERSON_WORDS, Status, leading_names, name_key, status_of

MAX_CLOSED: Final = 1000
"""Closed requests that are remembered, beside those whose answer may still be awaited; older ones are found in the
log.
"""
MAX_DECISIONS: Final = 1000
"""Decisions that are kept of one request: the first ones and the newest. So many that none gets lost by chance."""

_Key = tuple[str, str]
"""What a request is found by, e.g. `("asker", "sena")`."""
_Index = dict[_Key, dict[str, None]]
"""What is looked for -> ids of open requests, oldest first."""

_POSITIVE: Final = frozenset({"approved", "approve", "accepted", "accept", "yes", "ok", "go"})
_NEGATIVE: Final = frozenset({"rejected", "reject", "denied", "declined", "no", "no-go"})


def verdict_of(raw: str | None) -> str | None:
    """`approved`, `rejected`, or None for anything else."""
    word = name_key(raw or "")
    return "approved" if word in _POSITIVE else "rejected" if word in _NEGATIVE else None


def is_person(name: str | None, person: str) -> bool:
    """The name means the person at the board; a request to nobody in particular is theirs too."""
    return name is None or name_key(name) == name_key(person) or name_key(name) in PERSON_WORDS


def is_to_person(targets: Iterable[str], person: str) -> bool:
    """What is addressed to these waits for the person."""
    return any(is_person(target, person) for target in tuple(targets) or (None,))


def is_person_writing(name: str, person: str) -> bool:
    """The line is written in the person's name: the configured one, or `human`."""
    return name_key(name) in (name_key(person), "human")


def request_of(
    event: Event,
    asker: str,
    person: str,
    state: RequestState = RequestState.OPEN,
    answer: Event | None = None,
    closed_at: int | None = None,
    asker_gone: bool = False,
    decisions: tuple[Event, ...] = (),
) -> Request:
    """The request that a `decision_request` event opened, as it stands now."""
    options = event.texts("options")
    targets = event.texts("target")
    kind = event.text("kind")
    return Request(
        id=event.id,
        position=event.position,
        asker=asker,
        targets=targets,
        to_person=is_to_person(targets, person),
        kind=RequestKind(kind) if kind in set(RequestKind) else RequestKind.CHOICE if options else RequestKind.APPROVAL,
        request=event.text("request") or event.text("message") or event.text("current_task") or "(asks for a decision)",
        task=event.text("current_task"),
        details=event.text("details"),
        options=options,
        default=event.text("default"),
        evidence=event.texts("evidence"),
        urgency=event.text("urgency"),
        asked_at=event.time,
        deadline=parse_time(event.field("deadline")),
        expires=parse_time(event.field("expires")),
        state=state,
        answer=answer_of(answer) if answer else None,
        closed_at=closed_at,
        asker_gone=asker_gone,
        decisions=decisions,
        event=event,
    )


def answer_of(event: Event) -> Answer:
    """What a `decision` event says."""
    return Answer(
        by=event.agent or "",
        position=event.position,
        verdict=verdict_of(event.text("verdict")),
        text=event.text("answer") or event.text("verdict"),
        comment=event.text("comment") or event.text("message"),
        time=event.time,
        has_request_id=bool(as_id(event.data.get("request_id"))),
        event=event,
    )


def closes(event: Event, request_id: str, asker: str, to_person: bool, person: str) -> bool:
    """The event, read after the request, closes it: a decision by somebody who may answer, or its asker's withdrawal.

    A request to the person is closed only in the person's name, one to an agent by anybody but its asker.
    """
    writer = event.agent
    if writer is None or as_id(event.data.get("request_id")) != request_id:
        return False
    by_asker = name_key(writer) == name_key(asker)
    if event.kind == "request_withdrawn":
        return by_asker
    return event.kind == "decision" and not by_asker and (not to_person or is_person_writing(writer, person))


def has_gone_on(closed_at: int, status: Status | None, status_at: int, task_since: int | None) -> bool:
    """An asker awaits nothing more that was closed at this position: it declared since that it does not wait, or that
    it has another task.

    `status_at` and `task_since` are where it declared its status and its task.
    """
    if task_since is not None and task_since > max(status_at, closed_at):
        return True
    return status_at > closed_at and status not in (Status.WAITING, Status.BLOCKED)


class _Entry:
    """One request as the fold keeps it: the events about it. The `Request` is made when a board is."""

    __slots__ = (
        "answer",
        "asker",
        "asker_gone",
        "asker_key",
        "closed_at",
        "decisions",
        "event",
        "frozen",
        "id",
        "keys",
        "state",
        "targets",
        "to_person",
    )

    def __init__(self, event: Event, asker: str, person: str) -> None:
        self.event = event
        self.id = event.id
        self.asker = asker
        self.asker_key = name_key(asker)
        self.targets = event.texts("target")
        self.to_person = is_to_person(self.targets, person)
        self.keys = self._keys()
        self.state = RequestState.OPEN
        self.answer: Event | None = None
        self.closed_at: int | None = None
        self.decisions: tuple[Event, ...] = ()
        self.asker_gone = False
        self.frozen: Request | None = None

    def _keys(self) -> set[_Key]:
        """By what it is found: its asker, its targets, and what a decision may call it."""
        names = (self.id, self.event.text("request"), self.event.text("current_task"))
        keys = {("name", name) for name in names if name}
        keys.update(("target", name_key(name)) for name in self.targets)
        keys.add(("asker", self.asker_key))
        return keys

    def freeze(self, person: str) -> Request:
        """The request as the board shows it."""
        if self.frozen is None:
            self.frozen = request_of(
                self.event,
                self.asker,
                person,
                self.state,
                self.answer,
                self.closed_at,
                self.asker_gone,
                self.decisions,
            )
        return self.frozen

    def copy(self) -> _Entry:
        """An independent copy."""
        twin = _Entry.__new__(_Entry)
        for name in self.__slots__:
            setattr(twin, name, getattr(self, name))
        return twin


class RequestBook:
    """Every open request and the lately closed ones. Looking one up costs the same with ten open and ten thousand."""

    def __init__(self, person: str, agents: Mapping[str, AgentState]) -> None:
        self._person = person
        self._agents = agents
        """By key; whoever makes the book keeps it up to date."""
        self._open: dict[str, _Entry] = {}
        self._closed: OrderedDict[str, _Entry] = OrderedDict()
        """Lately closed ones, and those answered in the person's name whose askers may wait for their true word."""
        self._index: _Index = {}
        self._perhaps: dict[str, list[str]] = {}
        """Asker -> its open requests that a decision perhaps answered."""

    def ask(self, event: Event, asker: str) -> None:
        """Open the request of a `decision_request` event."""
        entry = _Entry(event, asker, self._person)
        if not self.knows(entry.id):
            self._open[entry.id] = entry
            for key in entry.keys:
                _add(self._index, key, entry.id)

    def decide(self, event: Event) -> str | None:
        """Apply a `decision` or `request_withdrawn`; gives the asker's key if the event perhaps answers a request."""
        request_id = as_id(event.data.get("request_id"))
        if not request_id:
            entry = self._perhaps_answered(event) if event.kind == "decision" else None
            return self._mark(entry, event) if entry else None
        entry = self._open.get(request_id)
        if entry is None:
            self._again(request_id, event)
            return None
        if not self._closes(entry, event):
            return self._mark(entry, event) if event.kind == "decision" else None
        if event.kind == "request_withdrawn":
            self._close(entry, RequestState.WITHDRAWN, None, event.position)
        else:
            entry.decisions = (event,)
            self._close(entry, RequestState.ANSWERED, event, event.position)
        return None

    def _closes(self, entry: _Entry, event: Event) -> bool:
        return closes(event, entry.id, entry.asker, entry.to_person, self._person)

    def _again(self, request_id: str, event: Event) -> None:
        """What comes after a request was answered: the answer may not have been that of whom it names.

        Nothing is verified here. The asker may withdraw. Of each writer the first decision is kept, and all that carry
        a signature; of what waits for the person, one with a signature stands before one without.
        """
        known = self._closed.get(request_id)
        if known is None or known.state is not RequestState.ANSWERED or not self._closes(known, event):
            return
        is_withdrawal = event.kind == "request_withdrawn"
        if not is_withdrawal and not _has_signature(event) and _has_decided(event.agent, known.decisions):
            return
        entry = self._closed[request_id] = known.copy()  # the known one may be another fold's, too
        entry.frozen = None
        if is_withdrawal:
            entry.state, entry.answer, entry.closed_at = RequestState.WITHDRAWN, None, event.position
            return
        entry.decisions = (*known.decisions[: MAX_DECISIONS - 1], event)
        if entry.to_person and _has_signature(event) and not any(map(_has_signature, known.decisions)):
            entry.answer = event

    def knows(self, request_id: object) -> bool:
        """A request of that id is remembered."""
        return request_id in self._open or request_id in self._closed

    def moved_on(self, asker_key: str, position: int) -> None:
        """The asker works again: its perhaps answered requests are over."""
        for request_id in self._perhaps.pop(asker_key, ()):
            if (entry := self._open.get(request_id)) is not None:
                self._close(entry, RequestState.MOVED_ON, entry.answer, position)

    def asker_gone(self, asker_key: str, gone: bool) -> None:
        """The asker's session ended or began again."""
        for request_id in self._index.get(("asker", asker_key), ()):
            entry = self._open[request_id]
            entry.asker_gone, entry.frozen = gone, None

    def request(self, request_id: str) -> Request | None:
        """The request with that id, if it is remembered."""
        entry = self._open.get(request_id) or self._closed.get(request_id)
        return entry.freeze(self._person) if entry is not None else None

    def requests(self) -> tuple[Request, ...]:
        """All remembered requests, oldest first."""
        found = [entry.freeze(self._person) for book in (self._closed, self._open) for entry in book.values()]
        return tuple(sorted(found, key=attrgetter("position")))

    def copy(self, agents: Mapping[str, AgentState]) -> RequestBook:
        """An independent copy, with the copies of the agents."""
        twin = RequestBook(self._person, agents)
        twin._open = {request_id: entry.copy() for request_id, entry in self._open.items()}
        twin._closed = self._closed.copy()
        twin._index = {key: ids.copy() for key, ids in self._index.items()}
        twin._perhaps = {key: ids.copy() for key, ids in self._perhaps.items()}
        return twin

    def _mark(self, entry: _Entry, event: Event) -> str:
        entry.answer, entry.frozen = event, None
        self._perhaps.setdefault(entry.asker_key, []).append(entry.id)
        return entry.asker_key

    def _close(self, entry: _Entry, state: RequestState, answer: Event | None, position: int) -> None:
        del self._open[entry.id]
        for key in entry.keys:
            _remove(self._index, key, entry.id)
        entry.state, entry.answer, entry.closed_at, entry.frozen = state, answer, position, None
        self._closed[entry.id] = entry
        self._forget_oldest()

    def _forget_oldest(self) -> None:
        """Two are looked at for each that comes: so it costs the same however many have to be kept."""
        for _ in range(2):
            if len(self._closed) <= MAX_CLOSED:
                return
            oldest = next(iter(self._closed.values()))
            if self._is_awaited(oldest):
                self._closed.move_to_end(oldest.id)
            else:
                del self._closed[oldest.id]

    def _is_awaited(self, entry: _Entry) -> bool:
        """It waits for the person, and its asker perhaps for another answer than the one that it got."""
        if not entry.to_person or entry.state is not RequestState.ANSWERED or entry.closed_at is None:
            return False
        asker = self._agents[entry.asker_key]
        said = asker.set_by.get("status")
        status = as_text(said.data["status"]) if said is not None else ""
        status_at = said.position if said is not None and status else -1
        return not asker.gone and not has_gone_on(entry.closed_at, status_of(status), status_at, asker.task_since)

    def _perhaps_answered(self, event: Event) -> _Entry | None:
        """The open request that a decision without `request_id` may answer: the one it names, else the oldest of the
        agent that it names, those addressed to its writer first, else the oldest addressed to its writer.

        One that is about somebody or something else answers nothing, and one to an agent only what that agent asked.
        """
        writer = name_key(event.agent or "")
        for key, also in _lookups(event, writer, self._agents):
            for request_id in self._index.get(key, ()):
                entry = self._open[request_id]
                if entry.asker_key != writer and (also is None or also in entry.keys):
                    return entry
        return None


def _has_signature(decision: Event) -> bool:
    return decision.data.get("signature") is not None


def _has_decided(writer: str | None, decisions: Iterable[Event]) -> bool:
    return name_key(writer or "") in (name_key(decision.agent or "") for decision in decisions)


def _lookups(event: Event, writer: str, agents: Container[str]) -> Iterator[tuple[_Key, _Key | None]]:
    """Where to look for the request that a decision may answer, the most likely first, and what it must also have."""
    decision_for = event.text("decision_for")
    about = [name for name in (decision_for, event.text("current_task")) if name is not None]
    targets = event.texts("target")
    named = (_leading_agent(name, agents) for name in targets or about)
    askers = [("asker", key) for key in named if key is not None and key != writer]
    for name in about:
        if not targets:
            yield ("name", name), None
        for asker in askers if targets else ():
            yield asker, ("name", name)
    for asker in askers:
        yield asker, ("target", writer)
        yield asker, None
    if not (targets or askers or decision_for):
        yield ("target", writer), None


def _leading_agent(name: str, agents: Container[str]) -> str | None:
    """The key of the agent that the name starts with, or, where it has spaces, is."""
    return next((key for key in leading_names(name) or (name_key(name),) if key in agents), None)


def _add(index: _Index, key: _Key, request_id: str) -> None:
    ids = index.get(key)
    if ids is None:
        index[key] = {request_id: None}
    else:
        ids[request_id] = None


def _remove(index: _Index, key: _Key, request_id: str) -> None:
    ids = index[key]
    del ids[request_id]
    if not ids:
        del index[key]
