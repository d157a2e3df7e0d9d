"""Where a value comes from, and what a line did to the board."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from collab_tui.model.agent_state import SHOWN_FIELDS
from collab_tui.model.board import Agent, Answer, Because, Board, Obstacle, Request, RequestState, Wait
from collab_tui.model.event import Event, as_id
from collab_tui.model.sessions import Session
from collab_tui.model.signature import Judgement
from collab_tui.model.summary import standing_words
from collab_tui.model.text import one_line
from collab_tui.model.words import ALIASES

if TYPE_CHECKING:
    from collab_tui.model.runs import Run, RunTask, Value


@dataclass(frozen=True, slots=True)
class Explanation:
    """One value of the board: what it is, which line set it, by which rule."""

    name: str
    value: str
    position: int
    rule: str


def explain_agent(agent: Agent, setters: dict[int, Event]) -> list[Explanation]:
    """Every value shown of an agent. `setters` holds the events at the positions of `agent.set_at`."""
    found = []
    for name in SHOWN_FIELDS:
        position = agent.set_at.get(name)
        if position is not None:
            found.append(Explanation(name, _value(agent, name), position, _rule(agent, name, setters.get(position))))
    for blocker in agent.blockers:
        rule = "named by its writer and not resolved since"
        found.append(Explanation("blocker", blocker.text, blocker.position, rule))
    if agent.unblocked:
        resolved_at = agent.set_at["unblocked"]
        found.append(Explanation("unblocked", "not yet moving", resolved_at, "its last blocker was resolved"))
    if agent.gone:
        found.append(Explanation("gone", "session ended", agent.last_position, "session_end and nothing since"))
    found.append(
        Explanation("sign of life", agent.last_event or "(no event name)", agent.last_position, "its last line")
    )
    return found


def explain_session(session: Session) -> list[Explanation]:
    """What its monitor tells of the program of an agent."""
    seen = session.observed.value + (f": {session.why}" if session.why else "")
    told = f"told by the monitor that started it on {session.host or 'its machine'}; the agent itself says the rest"
    return [
        Explanation("session", f"{session.definition}, {session.driver}", session.started, "its program is a session"),
        Explanation("seen", seen, session.observed_at, told),
    ]


def explain_run(run: Run) -> list[Explanation]:
    """What the lines of a run's own agent tell of it."""
    rules = {
        "goal": "run_started",
        "pipeline": "run_started",
        "state": "run_started, run_resumed or run_ended",
        "reason": "run_ended",
        "host": "run_started or run_resumed",
        "pid": "run_started or run_resumed",
    }
    found = []
    for name, rule in rules.items():
        value, position = getattr(run, name), run.set_at.get(name)
        if value is not None and position is not None:
            found.append(Explanation(name, str(value), position, f"the last {rule} of {run.agent} for this run"))
    from collab_tui.model.run_words import TASK_WORDS  # most registries tell of no run

    counts = Counter(TASK_WORDS[task.state] for task in run.tasks)
    told = ", ".join(f"{count} {state}" for state, count in counts.items())
    found.append(Explanation("tasks", told or "none yet", run.position, "the last line of each task, see there"))
    return found


def explain_task(task: RunTask) -> list[Explanation]:
    """How far a task of a run is, and what says so."""
    from collab_tui.model.run_words import TASK_WORDS

    state = TASK_WORDS[task.state] + (f": {task.error}" if task.error else "")
    told = f"told by {task.seat}, its seat, or by the run's agent" if task.seat else "told by the run's agent"
    found = [Explanation("task", state, task.position, f"its last run_task, else run_tasks: {told}")]
    if task.needs:
        added = f"added by {task.added_by}" if task.added_by else "as the run began"
        found.append(Explanation("needs", ", ".join(task.needs), task.position, f"its run_tasks, {added}"))
    return found


def explain_value(value: Value) -> list[Explanation]:
    """Who wrote a value of a blackboard, and when."""
    by = f"written by {value.by}" + (f" for the task {value.task}" if value.task else "")
    where = [Explanation("file", value.file, value.position, f"SHA-256 {value.digest}")] if value.file else []
    return [Explanation(f"{value.key}, revision {value.revision}", one_line(value.text), value.position, by), *where]


def explain_request(
    request: Request, setter: Event | None, answer: Answer | None = None, judgement: Judgement | None = None
) -> list[Explanation]:
    """What the board says of a request. `answer` is the one that counts, `judgement` who wrote it."""
    answer = answer or request.answer
    asked = "decision_request opens a request"
    whom = "addressed to nobody in particular: the person's" if request.target is None else "its field `target`"
    found = [
        Explanation("request", request.request, request.position, asked),
        Explanation("asks", request.target or "the person", request.position, whom),
        Explanation(
            "kind", request.kind, request.position, "its field `kind`, else options make a choice, else an approval"
        ),
        Explanation("id", request.id, request.position, _id_rule(setter)),
    ]
    if answer is not None:
        name = "answered" if request.state is RequestState.ANSWERED else "perhaps answered"
        by = f"{answer.text or ''} by {answer.by}"
        found.append(Explanation(name, by, answer.position, _answer_rule(request, answer)))
        if judgement is not None:
            words = standing_words(judgement.standing)
            found.append(Explanation("who says so", words, answer.position, judgement.reason))
    if request.state is RequestState.MOVED_ON and request.closed_at is not None:
        rule = "it was perhaps answered, and its asker no longer waits"
        found.append(Explanation("moved on", f"{request.asker} went on", request.closed_at, rule))
    return found


def _answer_rule(request: Request, answer: Answer) -> str:
    if request.state is RequestState.ANSWERED:
        return "a decision that names it"
    if answer.has_request_id:
        return "a decision that names it, by one who may not answer it"
    return "a decision without `request_id` may mean it"


def explain_wait(wait: Wait) -> list[Explanation]:
    """Every reason of a wait."""
    rules = {
        Because.REQUEST: "an open request",
        Because.STATUS: "a status that names whom it waits for",
        Because.BLOCKER: "a blocker that begins with a name",
        Because.DEPENDENCY: "a dependency that begins with a name and is not met",
        Because.TASK: "derived: its next task in a run needs this one, who is awaited has it",
    }
    who = f"{wait.waiter} waits for {wait.awaited}"
    return [Explanation(who, reason.text, reason.position, rules[reason.because]) for reason in wait.reasons]


def explain_obstacle(obstacle: Obstacle) -> list[Explanation]:
    """Who has a blocker, and whom that holds up."""
    held = f"holds up {', '.join(obstacle.holds_up)}"
    return [
        Explanation(
            "blocker", obstacle.text, obstacle.since, f"named by {', '.join(obstacle.holders)}, not resolved since"
        ),
        Explanation("holds up", held, obstacle.since, "those who have it, and all who wait for them"),
    ]


def _id_rule(event: Event | None) -> str:
    own = event is not None and as_id(event.data.get("id"))
    return "its field `id`" if own else "derived from the line's bytes and position: it has no `id`"


def _value(agent: Agent, name: str) -> str:
    value = getattr(agent, name)
    if name == "status":
        return f"{agent.status} (says {agent.raw_status!r})"
    if name == "progress":
        return f"{value:g} %"
    return ", ".join(value) if isinstance(value, tuple) else str(value)


def _rule(agent: Agent, name: str, setter: Event | None) -> str:
    if setter is None:
        return "the last line of this agent that has it"
    for spelling in ALIASES.get(name, (name,)):
        if setter.data.get(spelling) is not None:
            if name == "status":
                return "its field `status`, mapped by its first word"
            return f"its field `{spelling}`"
    return f"implied by `{setter.kind}`"


@dataclass(frozen=True, slots=True)
class Change:
    """One value that a line changed on the board."""

    subject: str
    name: str
    before: str
    after: str


_UNTOLD = frozenset(
    {"set_at", "last_position", "last_event_at", "last_decision", "status_since", "task_since", "last_event"}
)


def changes(before: Board, after: Board) -> list[Change]:
    """What differs between two boards, in words: agents, requests, runs, waits, deadlocks, problems."""
    return [
        *_agent_changes(before, after),
        *_request_changes(before, after),
        *_run_changes(before, after),
        *_graph_changes(before, after),
    ]


def _agent_changes(before: Board, after: Board) -> Iterator[Change]:
    known = {agent.key: agent for agent in before.agents}
    for agent in after.agents:
        old = known.get(agent.key)
        if old is None:
            yield Change(agent.name, "agent", "", "appeared")
        if old is agent:
            continue
        told_by_status = {"raw_status"} if old is None or old.status is not agent.status else set()
        for field in fields(Agent):
            if field.name in told_by_status:
                continue
            new_value = getattr(agent, field.name)
            old_value = getattr(old, field.name) if old else None
            if field.name not in _UNTOLD and field.name != "name" and (new_value or None) != (old_value or None):
                yield Change(agent.name, field.name, _words(old_value), _words(new_value))


def _request_changes(before: Board, after: Board) -> Iterator[Change]:
    known = {request.id: request for request in before.requests}
    for request in after.requests:
        old = known.get(request.id)
        if old is None:
            yield Change(request.asker, "request", "", f"asks: {request.request}")
        elif old.state is not request.state:
            yield Change(request.asker, f"request {request.request!r}", old.state, request.state)
        elif old.answer != request.answer and request.answer is not None:
            yield Change(
                request.asker, f"request {request.request!r}", old.state, f"perhaps answered by {request.answer.by}"
            )


def _run_changes(before: Board, after: Board) -> Iterator[Change]:
    if not after.runs:
        return
    from collab_tui.model.run_words import TASK_WORDS

    known = {run.id: run for run in before.runs}
    for run in after.runs:
        old = known.get(run.id)
        if old is run:
            continue
        if old is None or old.state is not run.state:
            yield Change(run.agent, f"run {run.name!r}", old.state if old is not None else "", run.state)
        tasks = {task.key: task for task in old.tasks} if old is not None else {}
        for task in run.tasks:
            was = tasks.get(task.key)
            if was is None or was.state is not task.state:
                old_word = TASK_WORDS[was.state] if was is not None else ""
                yield Change(run.agent, f"task {task.key!r}", old_word, TASK_WORDS[task.state])
        revisions = {value.key: value.revision for value in old.values} if old is not None else {}
        for value in run.values:
            if (was_at := revisions.get(value.key, 0)) != value.revision:
                was_told = f"revision {was_at}" if was_at else ""
                told = f"revision {value.revision}: {one_line(value.text)}"
                yield Change(run.agent, f"value {value.key!r}", was_told, told)


def _graph_changes(before: Board, after: Board) -> Iterator[Change]:
    edges_before = {(wait.waiter, wait.awaited) for wait in before.waits}
    edges_after = {(wait.waiter, wait.awaited) for wait in after.waits}
    for waiter, awaited in sorted(edges_after - edges_before):
        yield Change(waiter, "waits for", "", awaited)
    for waiter, awaited in sorted(edges_before - edges_after):
        yield Change(waiter, "waits for", awaited, "")
    cycles_before, cycles_after = ({d.id: d for d in board.deadlocks} for board in (before, after))
    for key in cycles_after.keys() - cycles_before.keys():
        yield Change("board", "deadlock", "", ", ".join(cycles_after[key].agents))
    for key in cycles_before.keys() - cycles_after.keys():
        yield Change("board", "deadlock", ", ".join(cycles_before[key].agents), "resolved")
    if after.problem_count > before.problem_count:
        told = after.problems[len(before.problems) :]
        yield Change("board", "problem", "", "; ".join(problem.text for problem in told) or "one more")


def _words(value: object) -> str:
    match value:
        case None | False:
            return ""
        case True:
            return "yes"
        case tuple():
            return ", ".join(getattr(item, "text", str(item)) for item in value)
        case float():
            return f"{value:g}"
        case _:
            return str(value)
