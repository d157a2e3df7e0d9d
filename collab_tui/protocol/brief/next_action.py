"""What an agent does next: exactly one thing, and the same for the same lines.

In this order; the first that holds is it, and `why` has its name:

    answer_first   blocker_on_you    another agent's blocker names you, or was aimed at you
                   request_to_you    another agent's open request waits for you
                   status_on_you     another agent's status says that it waits for you, and you decided nothing since
                   deadlock          you and others wait for each other, and none of the above breaks it
    redesign       rejected          something of yours was rejected, and you declared nothing since
    wait           blocked           you have blockers, and do not say that you are working
                   dependency        the same, of dependencies that do not hold yet
    go_on          approved          a request of yours was approved, and you declared nothing since
                   answered          the same, answered in words
    wait           request_open      a request of yours is open, and you do not say that you are working
                   status_wait       your status names whom you wait for
    go_on          unblocked         your last blocker was resolved
                   dependency_met    you say that you wait, and your dependencies hold
                   expired           a request of yours expired without an answer
                   void              a request of yours was closed in the name of one who signs, and not by them
                   first_time        nobody has heard of you yet
                   nothing_awaited   you say that you wait or are blocked, and nothing tells what for
                   failed, done      as you said
                   at_work           nothing keeps you

Others come before own work: whoever waits in silence for somebody who waits in silence is what this program is to
prevent. Nobody is answered first whose session ended, while nobody else waits for them. A decision in the name of one
who signs counts only with their signature; without it, it changes nothing here.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from collab_tui.model.board import Agent, Because, Blocker, Request, RequestKind
from collab_tui.model.event import Event
from collab_tui.model.waits import is_met
from collab_tui.model.words import Status, leading_names, name_key
from collab_tui.protocol.brief.how_to import HowTo
from collab_tui.protocol.brief.standpoint import Decision, Standpoint
from collab_tui.protocol.wording import listed, named, quoted

_GOES_ON: Final = (Status.IN_PROGRESS, Status.COMPLETED, Status.FAILED)
_STUCK: Final = (Status.WAITING, Status.BLOCKED)
_MOVES: Final = "--status in_progress"


class Kind(StrEnum):
    """What is to be done."""

    GO_ON = "go_on"
    WAIT = "wait"
    REDESIGN = "redesign"
    ANSWER_FIRST = "answer_first"

    @property
    def words(self) -> str:
        """As it is written for people and models."""
        return self.value.replace("_", " ")


@dataclass(frozen=True, slots=True)
class NextAction:
    """The one thing that an agent does next."""

    kind: Kind
    why: str
    """Which case it is: see above."""
    sentence: str
    """The same in words; what others wrote stands in it in double quotes."""
    whom: tuple[str, ...] = ()
    """Who is waited for, or answered."""
    request_id: str | None = None
    command: str | None = None
    """What to run, with what has to be filled in in capitals."""


def next_action(at: Standpoint, how_to: HowTo) -> NextAction:
    """The first case that holds."""
    return (
        _answer_first(at, how_to)
        or _redesign(at, how_to)
        or _held(at, how_to)
        or _decided(at, how_to)
        or _waits(at, how_to)
        or _go_on(at, how_to)
    )


# Answer first


def _answer_first(at: Standpoint, how_to: HowTo) -> NextAction | None:
    for holder, blocker, held_up in at.blockers_on_me:
        if held_up:
            text = (
                f"{named(holder)} is held up by its blocker {quoted(blocker.text)}, which is yours to resolve"
                f"{_also(held_up, holder)}. Resolve it before your own work."
            )
            command = how_to.unblock(holder, blocker.text, _other_blockers(at.agent(holder), blocker.text))
            return NextAction(Kind.ANSWER_FIRST, "blocker_on_you", text, (holder,), command=command)
    for request in at.requests_to_me:
        if held_up := at.held_up(request.asker):
            text = (
                f"{named(request.asker)} asks you {quoted(request.request)}{_also(held_up, request.asker)}. "
                f"Answer it before your own work{_fill_in(request)}."
            )
            command = how_to.answer(request)
            return NextAction(Kind.ANSWER_FIRST, "request_to_you", text, (request.asker,), request.id, command)
    for wait, reason in at.status_waits_on_me:
        if held_up := at.held_up(wait.waiter):
            text = (
                f"{named(wait.waiter)} has the status {quoted(reason.text)} and asked nothing by a request"
                f"{_also(held_up, wait.waiter)}. Tell it what you decide before your own work; VERDICT is approved or "
                "rejected."
            )
            command = how_to.decide_unasked(wait.waiter)
            return NextAction(Kind.ANSWER_FIRST, "status_on_you", text, (wait.waiter,), command=command)
    return _deadlock(at, how_to)


def _also(held_up: tuple[str, ...], first: str) -> str:
    others = [name for name in held_up if name_key(name) != name_key(first)]
    return f", and so {'is' if len(others) == 1 else 'are'} {listed(others)}" if others else ""


def _other_blockers(agent: Agent | None, text: str) -> list[str]:
    return [blocker.text for blocker in agent.blockers if blocker.text != text] if agent is not None else []


def _fill_in(request: Request) -> str:
    match request.kind:
        case RequestKind.APPROVAL:
            return "; VERDICT is approve or reject"
        case RequestKind.CHOICE:
            return "; NUMBER is that of one of its options"
        case _:
            return ""


def _deadlock(at: Standpoint, how_to: HowTo) -> NextAction | None:
    if not at.deadlocks:
        return None
    deadlock = at.deadlocks[0]
    into = [wait for wait in deadlock.waits if name_key(wait.awaited) == at.key]
    cycle = " -> ".join(map(named, (*deadlock.agents[:6], deadlock.agents[0])))
    what = f"{named(into[0].waiter)} waits for {quoted(into[0].reasons[0].text)}" if into else "somebody waits for you"
    text = (
        f"Deadlock: you wait for each other ({cycle}), and nobody moves. {what}: do that without waiting, or ask the "
        "person who goes first."
    )
    return NextAction(
        Kind.ANSWER_FIRST, "deadlock", text, tuple(wait.waiter for wait in into), deadlock.request_id, how_to.ask()
    )


# Redesign


def _redesign(at: Standpoint, how_to: HowTo) -> NextAction | None:
    rejected = [d for d in at.decisions if d.counts and d.is_pending and d.answer.verdict == "rejected"]
    if not rejected:
        return None
    text = f"{_said(rejected[-1])} Change the plan before you go on, and declare it."
    command = how_to.renew(_MOVES, '--next "NEW PLAN"')
    return NextAction(Kind.REDESIGN, "rejected", text, (_by(rejected[-1]),), _id(rejected[-1]), command)


def _said(decision: Decision) -> str:
    """What was decided, by whom, in their words."""
    answer, request = decision.answer, decision.request
    who = named(answer.by)
    about = quoted(request.request) if request is not None else quoted(_about(decision.event))
    perhaps = "" if request is None or decision.names_request else "perhaps "
    if answer.verdict is not None:
        said = f"{who} {perhaps}{answer.verdict} {about}"
    else:
        said = f"{who} {perhaps}answered {about} with {quoted(answer.text or '')}"
    return f"{said}: {quoted(answer.comment, 300)}." if answer.comment else f"{said}."


def _about(event: Event) -> str:
    return event.text("decision_for") or event.text("current_task") or "your work"


def _by(decision: Decision) -> str:
    return decision.answer.by


def _id(decision: Decision) -> str | None:
    return decision.request.id if decision.request is not None else None


# Wait


def _held(at: Standpoint, how_to: HowTo) -> NextAction | None:
    """What keeps the agent whatever was decided: blockers, and dependencies on others."""
    me = at.me
    if me is None or me.status in _GOES_ON:
        return None
    if blockers := [blocker for blocker in me.blockers if not _is_decided(at, blocker)]:
        first, *more = blockers
        whom = _named_in(at, first.text)
        text = f"You are blocked by {quoted(first.text)}" + (f" and {len(more):,} more" if more else "")
        if whom is not None:
            text += f". Wait for {named(whom)}{_absence(at, whom)}; if it blocks you no more, unblock yourself."
            command = how_to.wait_for_blocker(first.text)
        else:
            text += ", and it names nobody who could resolve it: ask; if it blocks you no more, unblock yourself."
            command = how_to.ask()
        return NextAction(Kind.WAIT, "blocked", text, (whom,) if whom else (), command=command)
    for wait in at.my_waits:
        for reason in wait.reasons:
            if reason.because is Because.DEPENDENCY:
                text = (
                    f"Your dependency {quoted(reason.text)} does not hold yet: wait for {named(wait.awaited)}"
                    f"{_state(at, wait.awaited)}."
                )
                command = how_to.wait_for_dependency(reason.text)
                return NextAction(Kind.WAIT, "dependency", text, (wait.awaited,), command=command)
    if me.status in _STUCK and (unknown := [text for text in me.dependencies if agent_of(at, text) is None]):
        text = f"Your dependency {quoted(unknown[0])} names nobody who has written here: wait, or ask for it."
        return NextAction(Kind.WAIT, "dependency", text, command=how_to.ask())
    return None


def _is_decided(at: Standpoint, blocker: Blocker) -> bool:
    """Whom the blocker waits for decided something for the agent since, and it counts."""
    whom = _named_in(at, blocker.text)
    return whom is not None and any(
        d.counts and d.is_pending and name_key(_by(d)) == name_key(whom) and d.event.position > blocker.position
        for d in at.decisions
    )


def _named_in(at: Standpoint, token: str) -> str | None:
    """The agent, or the person, whose name a blocker starts with."""
    for wait in at.my_waits:
        if any(reason.because is Because.BLOCKER and reason.text == token for reason in wait.reasons):
            return wait.awaited
    return None


def _absence(at: Standpoint, name: str) -> str:
    agent = at.agent(name)
    return ", whose session ended" if agent is not None and agent.gone else ""


def _state(at: Standpoint, name: str) -> str:
    agent = at.agent(name)
    if agent is None:
        return ""
    if agent.gone:
        return ", whose session ended"
    silence = at.moment.silence(agent)
    silent = ", and has been silent for long" if silence is not None else ""
    return f", whose status is {quoted(agent.raw_status, 40)}{silent}" if agent.raw_status else silent


def _waits(at: Standpoint, how_to: HowTo) -> NextAction | None:
    """What the agent says that it waits for, and nothing that counts has answered."""
    me = at.me
    if me is None or me.status in _GOES_ON or me.unblocked:
        return None
    if at.open_requests:
        request = at.open_requests[-1]
        whom = _asked(at, request)
        text = f"Your request {quoted(request.request)} waits for {listed(whom)}{_absence(at, whom[0])}."
        if (claim := at.claim(request)) is not None:
            text += (
                f" Somebody answered it in the name of {named(claim.by)} without a signature that counts: that is no "
                "answer."
            )
        elif at.moment.is_overdue(request):
            text += " It is overdue: remind them, or work on something else meanwhile."
        return NextAction(Kind.WAIT, "request_open", text, whom, request.id, how_to.wait_for(request))
    for wait in at.my_waits:
        for reason in wait.reasons:
            if reason.because is Because.STATUS and not reason.answered:
                text = (
                    f"Your status {quoted(reason.text)} says that you wait for {named(wait.awaited)}"
                    f"{_absence(at, wait.awaited)}, and you asked nothing by a request. Ask: that can be answered."
                )
                command = how_to.ask(None if at.moment.is_me(wait.awaited) else wait.awaited)
                return NextAction(Kind.WAIT, "status_wait", text, (wait.awaited,), command=command)
    return None


def _asked(at: Standpoint, request: Request) -> tuple[str, ...]:
    return (at.moment.person,) if request.to_person else request.targets


# Go on


def _decided(at: Standpoint, how_to: HowTo) -> NextAction | None:
    """A decision on nothing that was asked releases no request that is open."""
    found = [d for d in at.decisions if d.counts and d.is_pending and d.answer.verdict != "rejected"]
    newest = next((d for d in reversed(found) if d.request is not None or not at.open_requests), None)
    if newest is None:
        return None
    why = "approved" if newest.answer.verdict is not None else "answered"
    text = f"{_said(newest)} Go on, and declare it."
    if still := sum(request.id != _id(newest) for request in at.open_requests):
        told = "1 other request of yours is" if still == 1 else f"{still:,} other requests of yours are"
        text += f" {told} still open: do nothing yet that needs the answer."
    return NextAction(Kind.GO_ON, why, text, (_by(newest),), _id(newest), how_to.renew(_MOVES))


def _go_on(at: Standpoint, how_to: HowTo) -> NextAction:
    me = at.me
    if me is None:
        text = "This is your first time here: nobody has heard of you yet. Say what you work on."
        return _going("first_time", text, how_to.renew(_MOVES, '--task "TASK"'))
    moves = how_to.renew(_MOVES)
    if me.unblocked:
        return _going("unblocked", f"Your last blocker was resolved. Go on{_plan(me)}, and declare it.", moves)
    if me.status is Status.WAITING and (met := _met(at, me)):
        return _going("dependency_met", f"{quoted(met)} holds now. Go on{_plan(me)}, and declare it.", moves)
    if at.expired_requests:
        request = at.expired_requests[-1]
        default = f" Its default was {quoted(request.default)}." if request.default else ""
        text = (
            f"Your request {quoted(request.request)} expired without an answer.{default} Ask again, or go on without."
        )
        to = None if request.to_person else request.targets[0]
        return NextAction(Kind.GO_ON, "expired", text, _asked(at, request), request.id, how_to.ask(to))
    if at.void_requests:
        return _void(at.void_requests[-1], how_to)
    if me.status in _STUCK:
        text = (
            f"Your status is {quoted(me.raw_status or '', 40)}, but nothing here tells what you wait for: no open "
            f"request, no blocker, no dependency. Go on{_plan(me)}; if you do wait for somebody, ask."
        )
        return _going("nothing_awaited", text, moves)
    if me.status is Status.FAILED:
        return _going("failed", "You said that it failed. Say what you do about it.", moves)
    if me.status in (Status.COMPLETED, Status.IDLE):
        text = "Nothing waits for you. Take the next task, and declare it."
        return _going("done", text, how_to.renew(_MOVES, '--task "TASK"'))
    text = f"Nothing keeps you. Go on{_plan(me)}, and keep your state up to date."
    return _going("at_work", text, how_to.renew("--progress PERCENT"))


def _void(request: Request, how_to: HowTo) -> NextAction:
    by = request.answer.by if request.answer is not None else ""
    text = (
        f"Somebody closed your request {quoted(request.request)} in the name of {named(by)} without a signature that "
        f"counts: that is no answer, and {listed(request.targets)} will give none any more. Ask again."
    )
    command = how_to.ask(request.targets[0])
    return NextAction(Kind.GO_ON, "void", text, request.targets, request.id, command)


def _going(why: str, text: str, command: str) -> NextAction:
    return NextAction(Kind.GO_ON, why, text, command=command)


def _plan(me: Agent) -> str:
    """What the agent itself said that it would do."""
    said = me.next_action or me.current_task
    return f" with {quoted(said)}" if said else ""


def agent_of(at: Standpoint, dependency: str) -> Agent | None:
    """The agent whose name a dependency starts with; None where it names nobody who wrote."""
    return next(filter(None, map(at.agent, leading_names(dependency))), None)


def _met(at: Standpoint, me: Agent) -> str | None:
    """The last dependency, when all of them hold."""
    if not all(is_met(dependency, agent_of(at, dependency)) for dependency in me.dependencies):
        return None
    return me.dependencies[-1] if me.dependencies else None
