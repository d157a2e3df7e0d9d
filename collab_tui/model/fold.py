"""Fold: turns events into the state. It knows what each event means.

`extend` mutates, `board` freezes. Folding is a pure function of the events and of the person's name: the same lines
give the same board, in one go or in pieces (`checkpoint` marks a point to go on from).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from datetime import UTC, datetime
from itertools import chain
from typing import TYPE_CHECKING, Final

from collab_tui.model.agent_state import STILL_WAITING, AgentState, progress_of
from collab_tui.model.board import Board, Request
from collab_tui.model.event import Event, Item, Unreadable, as_id, as_texts, parse_time
from collab_tui.model.problems import ProblemLog
from collab_tui.model.recent_ids import KnownRepeats, RecentIds
from collab_tui.model.requests import RequestBook, is_person
from collab_tui.model.session_book import SessionBook
from collab_tui.model.signature import registry_id
from collab_tui.model.waits import find_deadlocks, find_obstacles, find_waits, named_first
from collab_tui.model.words import NOTHING_BLOCKS, Status, name_key, status_of
from collab_tui.model.worker_book import WorkerBook

if TYPE_CHECKING:
    from collab_tui.model.run_book import RunBook

_FIRST_TIME: Final = datetime.min.replace(tzinfo=UTC)
_OF_ITSELF: Final = ("status", "progress", "current_task", "next_action", "message", "role")
"""What a line about a run says of its writer; its other fields are the run's."""


class Fold:
    """The state of a registry, event by event."""

    def __init__(self, person: str = "human", problems: ProblemLog | None = None) -> None:
        self.person = person
        self.position = 0
        """The index of the next line."""
        self._events = 0
        self._agents: dict[object, AgentState] = {}
        """Every spelling of a name seen so far -> its agent."""
        self._by_key: dict[str, AgentState] = {}
        self._requests = RequestBook(person, self._by_key)
        self._sessions = SessionBook()
        self._workers = WorkerBook()
        self._runs: RunBook | None = None
        """None until there is a run: most registries have none, and the first picture comes without it."""
        self._problems = problems or ProblemLog()
        self._ids: RecentIds | KnownRepeats = RecentIds()
        self._last_time = _FIRST_TIME
        self._runs_backward = False
        self._registry_id: str | None = None

    def extend(self, items: Iterable[Item]) -> None:
        """Take the next items, in file order."""
        if self._registry_id is None:
            items = self._identify(items)
        handler_of, declare, agents = _HANDLERS.get, Fold._declare, self._agents
        fromisoformat = datetime.fromisoformat
        is_repeated = self._ids.is_repeated
        last_time, runs_backward, events = self._last_time, self._runs_backward, 0
        item: Item | None = None
        for item in items:
            if item.__class__ is Unreadable:
                self._problems.unreadable(item)
                continue
            event: Event = item  # type: ignore[assignment]  # the class was compared: isinstance costs more here
            data = event[1]
            if "id" in data and is_repeated(event):
                self._problems.repeated_id(event)
                continue
            events += 1
            try:
                time = fromisoformat(data["timestamp"])
                is_later = time >= last_time
            except (KeyError, ValueError, TypeError):
                unusual = self._unusual_time(event)
                time = unusual or last_time
                is_later = time >= last_time if unusual else not runs_backward
            if not is_later and not runs_backward:
                self._problems.out_of_order(event)
            last_time, runs_backward = time, not is_later
            try:
                agent = agents[data["agent"]]
            except (KeyError, TypeError):
                found = self._find_agent(event)
                if found is None:
                    continue
                agent = found
            agent.last = event
            if agent.gone:
                self._return(agent)
            try:
                handler = handler_of(data.get("event"), declare)
            except TypeError:  # a name that is a list or an object
                handler = declare
            handler(self, agent, event)
        self._last_time, self._runs_backward = last_time, runs_backward
        self._events += events
        if item is not None:
            self.position = item.position + 1

    def board(self) -> Board:
        """The state now, frozen."""
        agents = tuple(state.freeze() for state in self._by_key.values())
        requests = self._requests.requests()
        of_runs = self._runs.seat_waits() if self._runs is not None else ()
        waits = find_waits(agents, requests, self.person, of_runs)
        return Board(
            position=self.position,
            agents=agents,
            requests=requests,
            waits=waits,
            deadlocks=find_deadlocks(agents, waits),
            blockers=find_obstacles(agents, waits),
            problems=tuple(self._problems.kept),
            problem_count=self._problems.count,
            events=self._events,
            registry_id=self._registry_id,
            last_time=None if self._last_time is _FIRST_TIME else self._last_time,
            sessions=self._sessions.sessions(),
            commands=self._sessions.commands(),
            streams=self._workers.streams(),
            workers=self._workers.workers(),
            runs=self._runs.runs() if self._runs is not None else (),
        )

    def checkpoint(self) -> Fold:
        """A copy that folds on over lines only after this fold has taken them: it keeps no ids of its own.

        A hundred copies of a hundred thousand ids would fill the memory.
        """
        twin = Fold(self.person)
        twin.__dict__.update(self.__dict__)
        twin._by_key = {key: state.copy() for key, state in self._by_key.items()}
        twin._agents = {name: twin._by_key[state.key] for name, state in self._agents.items()}
        twin._requests = self._requests.copy(twin._by_key)
        twin._sessions, twin._workers = self._sessions.copy(), self._workers.copy()
        twin._runs = self._runs.copy() if self._runs is not None else None
        twin._problems = self._problems.copy()
        twin._ids = KnownRepeats(self._ids.repeats)
        return twin

    def writer(self, event: Event) -> AgentState | None:
        """What is known of the writer of the line that was taken last; None when it names none, or did not count."""
        try:
            state = self._agents.get(event.data.get("agent"))
        except TypeError:  # a name that is a list or an object
            return None
        return state if state is not None and state.last is event else None

    @property
    def registry_id(self) -> str | None:
        """The id of the registry; None before its first line."""
        return self._registry_id

    def request(self, request_id: str) -> Request | None:
        """The request with that id, if it is remembered, without making the whole board."""
        return self._requests.request(request_id)

    def restart(self) -> None:
        """Forget everything: the registry is another."""
        self.__dict__.update(Fold(self.person).__dict__)

    def note_unterminated(self) -> None:
        """The last line has no newline: it was counted because the file is read to its end as it is."""
        self._problems.unterminated(self.position - 1)

    # What each event means. A handler gets the writer and the event.

    def _declare(self, agent: AgentState, event: Event) -> None:
        """Status updates, progress and every event that we do not know: the given fields are set."""
        data = event[1]
        if agent.perhaps_answered and data.get("status") != agent.raw_status:
            self._move_on(agent, event)
        agent.set_fields(event, data)
        blockers = data.get("blockers")
        if blockers is not None and (blockers or agent.blockers):
            agent.replace_blockers(blockers, event)
        if "progress" in data and data["progress"].__class__ is not int:
            self._check_progress(event)

    def _status_update(self, agent: AgentState, event: Event) -> None:
        """Models write `blocker` here as well."""
        self._declare(agent, event)
        if "blocker" in event.data:
            agent.name_blockers(event)

    def _session_start(self, agent: AgentState, event: Event) -> None:
        self._status_update(agent, event)
        self._sessions.start(agent.name, event)

    def _session_end(self, agent: AgentState, event: Event) -> None:
        self._declare(agent, event)
        self._sessions.end(agent.name, event)
        self._leave(agent)

    def _decision_request(self, agent: AgentState, event: Event) -> None:
        self._declare(agent, event)
        if event.field("status") is None:
            agent.imply(event, status=Status.WAITING.value)
        self._requests.ask(event, agent.name)

    def _decision(self, agent: AgentState, event: Event) -> None:
        agent.decided_at = event.position
        self._declare_status(agent, event)
        if (resolved := event.field("resolved_blockers")) is not None:
            for text in as_texts(resolved):
                self._resolve(text, (), event)
        asker = self._requests.decide(event)
        if asker is not None:
            self._by_key[asker].perhaps_answered = True
            self._by_key[asker].note_waiting()
        self._check_request_id(event)

    def _request_withdrawn(self, agent: AgentState, event: Event) -> None:
        self._declare_status(agent, event)
        self._requests.decide(event)
        self._check_request_id(event)

    def _blocker(self, agent: AgentState, event: Event) -> None:
        named = event.texts("blocker") or event.texts("blockers")
        if event.field("blocker") is not None and all(name_key(text) in NOTHING_BLOCKS for text in named):
            self._declare(agent, event)
            agent.name_blockers(event)
            return
        agent.set_fields(event, event.data)
        agent.name_blockers(event)
        if event.field("status") is None:
            agent.imply(event, status=Status.BLOCKED.value)

    def _blocker_resolved(self, agent: AgentState, event: Event) -> None:
        self._declare_status(agent, event)
        targets = {name_key(name) for name in event.texts("target")}
        for text in event.texts("blocker") or event.texts("resolved_blockers") or event.texts("blockers"):
            self._resolve(text, targets, event)

    def _completion(self, agent: AgentState, event: Event) -> None:
        self._declare(agent, event)
        agent.imply(event, status=Status.COMPLETED.value, progress=100)

    def _declare_status(self, agent: AgentState, event: Event) -> None:
        """Events about others say nothing of their writer but, perhaps, a status."""
        status = event.data.get("status")
        if status is not None:
            if agent.perhaps_answered:
                self._move_on(agent, event)
            agent.set_status(event, status)

    def _command(self, agent: AgentState, event: Event) -> None:
        self._declare_status(agent, event)
        self._sessions.command(agent.name, event)

    # Runs. What a seat writes tells of the run, and of the seat itself what it declares.

    def _declare_itself(self, agent: AgentState, event: Event) -> None:
        data = event.data
        if agent.perhaps_answered and data.get("status") != agent.raw_status:
            self._move_on(agent, event)
        agent.set_fields(event, {name: data[name] for name in _OF_ITSELF if name in data})
        if data.get("status") == "idle" and "progress" not in data:  # it was of the task that a seat has no more
            agent.set_by.pop("progress", None)
        self._check_progress(event)

    def _run_started(self, agent: AgentState, event: Event) -> None:
        self._declare_itself(agent, event)
        if self._runs is None:
            from collab_tui.model.run_book import RunBook

            self._runs = RunBook()
        self._runs.started(agent.name, event, self._by_key)

    def _run_line(self, agent: AgentState, event: Event) -> None:
        self._declare_itself(agent, event)
        if (runs := self._runs) is None:
            return
        match event.kind:
            case "run_tasks":
                runs.tasks(event)
            case "run_task":
                runs.task(event)
            case "run_value":
                runs.value(event)
            case "run_resumed":
                runs.resumed(event)
            case "run_ended" if runs.ended(event):  # with its run the agent of the orchestrator takes its leave
                self._leave(agent)

    # The rest is seldom needed.

    def _identify(self, items: Iterable[Item]) -> Iterable[Item]:
        """Take the registry's id from its first line; a later one that names another changes nothing."""
        rest = iter(items)
        first = next(rest, None)
        if first is None:
            return ()
        if first.position == 0:
            self._registry_id = registry_id(first)
        return chain((first,), rest)

    def _resolve(self, text: str, targets: Collection[str], event: Event) -> None:
        """Remove a blocker; what waits for the person is removed only by its holder, or with a signature.

        Whose signature that is, is not checked here.
        """
        is_theirs = event.data.get("signature") is None and self._awaits_person(text)
        writer = name_key(event.agent or "") if is_theirs else ""
        for agent in self._by_key.values():
            if agent.blockers and (not targets or agent.key in targets) and (not is_theirs or agent.key == writer):
                agent.resolve(text, event)

    def _awaits_person(self, blocker: str) -> bool:
        """Its first word names the person, as in `human_approval`."""
        named = named_first(blocker, self._by_key, self.person)
        return named is not None and is_person(named, self.person)

    def _move_on(self, agent: AgentState, event: Event) -> None:
        """Called before the event's status is taken over: one that never stopped working does not move on.

        Nor does who leads a run, where other tasks go on while one waits for an answer.
        """
        if self._runs is not None and self._runs.is_led_by(agent.key):
            return
        agent.note_waiting()
        status = event.text("status")
        if status is not None and status_of(status) not in STILL_WAITING and agent.has_waited:
            agent.perhaps_answered = agent.has_waited = False
            self._requests.moved_on(agent.key, event.position)

    def _leave(self, agent: AgentState) -> None:
        agent.gone = True
        self._requests.asker_gone(agent.key, True)

    def _return(self, agent: AgentState) -> None:
        agent.gone = False
        self._requests.asker_gone(agent.key, False)

    def _find_agent(self, event: Event) -> AgentState | None:
        """The agent for a spelling that was not seen before; None for a line that names no writer."""
        name = event.agent
        if name is None:
            return None
        key = name_key(name)
        state = self._by_key.get(key)
        if state is None:
            state = self._by_key[key] = AgentState(name, key, event)
        self._agents[event.data["agent"]] = state
        return state

    def _unusual_time(self, event: Event) -> datetime | None:
        """A time that is no ISO text with a zone: epoch seconds, another spelling, none at all."""
        stated = event.field("timestamp")
        time = parse_time(stated)
        if time is None and stated is not None:
            self._problems.bad_time(event, stated)
        return time

    def _check_progress(self, event: Event) -> None:
        if (value := event.data.get("progress")) is not None and progress_of(value) is None:
            self._problems.bad_progress(event, value)

    def _check_request_id(self, event: Event) -> None:
        request_id = event.data.get("request_id")
        if request_id is not None and not self._requests.knows(as_id(request_id)):
            self._problems.no_such_request(event, request_id)


_Handler = Callable[[Fold, AgentState, Event], None]

_HANDLERS: Final[dict[object, _Handler]] = {
    "registry_created": lambda *_: None,  # it tells of the registry only as its first line: see `_identify`
    "status_update": Fold._status_update,
    "session_start": Fold._session_start,
    "session_observed": lambda fold, _, event: fold._sessions.observe(event),
    "session_end": Fold._session_end,
    "decision_request": Fold._decision_request,
    "decision": Fold._decision,
    "request_withdrawn": Fold._request_withdrawn,
    "blocker": Fold._blocker,
    "blocker_resolved": Fold._blocker_resolved,
    "completion": Fold._completion,
    "message": Fold._declare_status,
    "activation": Fold._declare_status,
    "command": Fold._command,
    "command_result": lambda fold, _, event: fold._sessions.result(event),
    "stream_state": lambda fold, _, event: fold._workers.stream_state(event),
    "stream_event": lambda fold, _, event: fold._workers.stream_event(event),
    "worker": lambda fold, _, event: fold._workers.worker(event),
    "run_started": Fold._run_started,
    "run_tasks": Fold._run_line,
    "run_task": Fold._run_line,
    "run_value": Fold._run_line,
    "run_resumed": Fold._run_line,
    "run_ended": Fold._run_line,
}
"""Event -> what it does; every other event only declares fields (`Fold._declare`). What a monitor tells of sessions and
workers says nothing of the monitor.
"""
