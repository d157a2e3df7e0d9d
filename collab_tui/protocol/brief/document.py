"""The JSON of `collab-tui start --json`: one object, stable; fields are added, never renamed.

    agent          name, first_time, did_you_mean [names that are nearly this one]
    now            the time at which ages were judged
    position       lines read
    registry       {name, id}
    next_action    kind (go_on, wait, redesign, answer_first), why, sentence, whom [names], request_id, command
    state          null the first time: status, raw_status, progress, current_task, next_action, unblocked,
                   blockers [{text, reason, line}], dependencies [{text, met}], last_event, last_event_at, last_line,
                   age_seconds
    decisions      for you: request_id, request, by, verdict, answer, comment, at, line, standing, counts, pending,
                   names_request
    blockers       those that wait for you (`change` is "opened"), and yours that were "resolved": change, agent, text,
                   reason, by, comment, line
    requests       that wait for you: id, asker, asker_gone, kind, request, details, options, default, evidence,
                   urgency, asked_at, deadline, overdue, holds_up [names], perhaps_answered_by, command
    waiters        who waits for you: agent, reasons [{because, text, line}]
    messages       to you: by, to_all, text, at, line
    my_requests    your own that wait: id, to [names], kind, request, asked_at, deadline, overdue, expires, claimed_by
    deadlocks      that you are part of: [[names]]
    others         name, status, raw_status, progress, current_task, blockers [texts], gone, silent_seconds,
                   age_seconds, changes (their events since your last one), last (the last of these, in words)
    memory         null without one: file, section (its last one), cut, trouble (why it cannot be read)
    more           list -> how many entries were left out of it

`counts` is false for what somebody wrote in the name of one who signs, without a signature that is theirs: take it for
nobody's decision. `pending`: you declared nothing since. Times are RFC 3339 in UTC, lines count from 1, absent values
are null, texts of more than 2,000 characters are cut.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from difflib import get_close_matches
from typing import Any, Final, NamedTuple, TypeVar

from collab_tui.model.ages import seconds_between
from collab_tui.model.board import Agent, Reason, Request
from collab_tui.model.event import Event
from collab_tui.model.summary import separated, summarize
from collab_tui.model.waits import is_met
from collab_tui.model.words import name_key
from collab_tui.protocol.brief.how_to import HowTo
from collab_tui.protocol.brief.next_action import NextAction, agent_of
from collab_tui.protocol.brief.standpoint import Decision, Standpoint
from collab_tui.protocol.wording import cut

_LISTED: Final = 20
"""Entries of each list."""
_LONGEST: Final = 2000
"""Characters of each text."""
_LONGEST_NAME: Final = 80
"""Characters by which names are compared."""
_NEAR: Final = 0.75

_Entry = TypeVar("_Entry")


class Kept(NamedTuple):
    """What is in an agent's memory file."""

    file: str | None
    section: str
    """The last one."""
    is_cut: bool
    trouble: str | None = None
    """Why it cannot be read."""


def document_of(at: Standpoint, how_to: HowTo, action: NextAction, registry: str, kept: Kept | None) -> dict[str, Any]:
    """The whole brief as plain JSON values: every list capped, every text cut."""
    return _Maker(at, how_to).document(action, registry, kept)


class _Maker:
    def __init__(self, at: Standpoint, how_to: HowTo) -> None:
        self._at = at
        self._moment = at.moment
        self._how_to = how_to
        self._more: dict[str, int] = {}

    def document(self, action: NextAction, registry: str, kept: Kept | None) -> dict[str, Any]:
        at = self._at
        return {
            "agent": {
                "name": at.name,
                "first_time": at.me is None,
                "did_you_mean": self._near_names() if at.me is None else [],
            },
            "now": _time(self._moment.now),
            "position": self._moment.board.position,
            "registry": {"name": registry, "id": _short(self._moment.board.registry_id)},
            "next_action": {
                "kind": action.kind.value,
                "why": action.why,
                "sentence": action.sentence,
                "whom": list(map(_short, action.whom[:_LISTED])),
                "request_id": _short(action.request_id),
                "command": action.command,
            },
            "state": self._state(at.me) if at.me is not None else None,
            "decisions": self._listed("decisions", at.decisions[::-1], self._decision),
            "blockers": self._blockers(),
            "requests": self._listed("requests", at.requests_to_me, self._request),
            "waiters": self._listed(
                "waiters",
                at.waits_for_me,
                lambda wait: {"agent": _short(wait.waiter), "reasons": list(map(_reason, wait.reasons[:_LISTED]))},
            ),
            "messages": self._messages(),
            "my_requests": self._listed("my_requests", at.open_requests[::-1], self._own_request),
            "deadlocks": self._listed(
                "deadlocks", at.deadlocks, lambda deadlock: list(map(_short, deadlock.agents[:_LISTED]))
            ),
            "others": self._listed("others", at.others, self._other),
            "memory": kept
            and {"file": kept.file, "section": _short(kept.section), "cut": kept.is_cut, "trouble": kept.trouble},
            "more": self._more,
        }

    def _listed(self, name: str, entries: Sequence[_Entry], tell: Callable[[_Entry], Any]) -> list[Any]:
        if len(entries) > _LISTED:
            self._more[name] = len(entries) - _LISTED
        return list(map(tell, entries[:_LISTED]))

    def _near_names(self) -> list[str]:
        """Of agents that are nearly that of the new one."""
        keys = {agent.key[:_LONGEST_NAME]: agent.name for agent in self._at.others}
        near = get_close_matches(self._at.key[:_LONGEST_NAME], keys, 3, _NEAR)
        return [str(_short(keys[key])) for key in near]

    def _state(self, me: Agent) -> dict[str, Any]:
        return {
            "status": me.status.value if me.status else None,
            "raw_status": _short(me.raw_status),
            "progress": me.progress,
            "current_task": _short(me.current_task),
            "next_action": _short(me.next_action),
            "unblocked": me.unblocked,
            "blockers": self._listed(
                "state.blockers",
                me.blockers,
                lambda b: {"text": _short(b.text), "reason": _short(b.reason), "line": b.position + 1},
            ),
            "dependencies": self._listed(
                "state.dependencies",
                me.dependencies,
                lambda text: {"text": _short(text), "met": is_met(text, agent_of(self._at, text))},
            ),
            "last_event": _short(me.last_event),
            "last_event_at": _time(me.last_event_at),
            "last_line": me.last_position + 1,
            "age_seconds": self._moment.age(me),
        }

    def _decision(self, decision: Decision) -> dict[str, Any]:
        answer, request = decision.answer, decision.request
        about = request.request if request is not None else decision.event.text("decision_for")
        return {
            "request_id": _short(request.id) if request is not None else None,
            "request": _short(about),
            "by": _short(answer.by),
            "verdict": answer.verdict,
            "answer": _short(answer.text) if answer.verdict is None else None,
            "comment": _short(answer.comment),
            "at": _time(answer.time),
            "line": answer.position + 1,
            "standing": decision.standing.value if decision.standing is not None else None,
            "counts": decision.counts,
            "pending": decision.is_pending,
            "names_request": decision.names_request,
        }

    def _blockers(self) -> list[dict[str, Any]]:
        opened = [
            {
                "change": "opened",
                "agent": _short(on.holder),
                "text": _short(on.blocker.text),
                "reason": _short(on.blocker.reason),
                "by": _short(on.holder),
                "comment": None,
                "line": on.blocker.position + 1,
            }
            for on in self._at.blockers_on_me
        ]
        resolved = [
            {
                "change": "resolved",
                "agent": self._at.name,
                "text": _short(text),
                "reason": None,
                "by": _short(event.agent),
                "comment": _short(event.text("comment") or event.text("message")),
                "line": event.position + 1,
            }
            for event in reversed(self._at.gathered.resolved)
            for text in event.texts("resolved_blockers") or event.texts("blocker") or event.texts("blockers")
        ]
        return self._listed("blockers", [*opened, *resolved], dict)

    def _request(self, request: Request) -> dict[str, Any]:
        return {
            "id": _short(request.id),
            "asker": _short(request.asker),
            "asker_gone": request.asker_gone,
            "kind": request.kind.value,
            "request": _short(request.request),
            "details": _short(request.details),
            "options": list(map(_short, request.options[:_LISTED])),
            "default": _short(request.default),
            "evidence": list(map(_short, request.evidence[:_LISTED])),
            "urgency": _short(request.urgency),
            "asked_at": _time(request.asked_at),
            "deadline": _time(request.deadline),
            "overdue": self._moment.is_overdue(request),
            "holds_up": list(map(_short, self._at.held_up(request.asker)[:_LISTED])),
            "perhaps_answered_by": _short(request.answer.by) if request.answer is not None else None,
            "command": self._how_to.answer(request),
        }

    def _messages(self) -> list[dict[str, Any]]:
        gathered = self._at.gathered
        told = self._listed("messages", list(reversed(gathered.messages)), self._message)
        if (not_kept := gathered.message_count - len(gathered.messages)) > 0:
            self._more["messages"] = self._more.get("messages", 0) + not_kept
        return told

    def _message(self, event: Event) -> dict[str, Any]:
        return {
            "by": _short(event.agent),
            "to_all": self._at.key not in map(name_key, event.texts("target")),
            "text": _said(event),
            "at": _time(event.time),
            "line": event.position + 1,
        }

    def _own_request(self, request: Request) -> dict[str, Any]:
        claim = self._at.claim(request)
        return {
            "id": _short(request.id),
            "to": list(map(_short, request.targets[:_LISTED])) or [self._moment.person],
            "kind": request.kind.value,
            "request": _short(request.request),
            "asked_at": _time(request.asked_at),
            "deadline": _time(request.deadline),
            "overdue": self._moment.is_overdue(request),
            "expires": _time(request.expires),
            "claimed_by": _short(claim.by) if claim is not None else None,
        }

    def _other(self, agent: Agent) -> dict[str, Any]:
        change = self._at.gathered.changes.get(agent.key)
        return {
            "name": _short(agent.name),
            "status": agent.status.value if agent.status else None,
            "raw_status": _short(agent.raw_status),
            "progress": agent.progress,
            "current_task": _short(agent.current_task),
            "blockers": [_short(blocker.text) for blocker in agent.blockers[:_LISTED]],
            "gone": agent.gone,
            "silent_seconds": self._moment.silence(agent),
            "age_seconds": seconds_between(agent.last_event_at, self._moment.now),
            "changes": change.events if change is not None else 0,
            "last": _in_words(change.last) if change is not None else None,
        }


def _said(event: Event) -> str:
    """The words of a message; of another event its name with what it asks or tells."""
    words = event.text("message") or ""
    if event.kind != "message":
        told = (event.text(name) for name in ("request", "message", "details"))
        words = f"{event.kind}: {'; '.join(filter(None, told))}"
    return str(_short(words))


def _in_words(event: Event) -> str:
    """One event on one line."""
    said = "".join(span.text for span in separated(summarize(event)))
    return cut(f"{event.kind}: {said}" if said else event.kind, _LONGEST)


def _reason(reason: Reason) -> dict[str, Any]:
    return {"because": reason.because.value, "text": _short(reason.text), "line": reason.position + 1}


def _time(time: datetime | None) -> str | None:
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z") if time is not None else None


def _short(text: str | None) -> str | None:
    return text if text is None or len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."
