"""One line about one event: what a person wants to know of it, in spans of text with a role.

A role names a meaning (`muted`, `success`, ...); the screen and the console each have their colours for it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from collab_tui.model.agent_state import progress_of
from collab_tui.model.ages import duration
from collab_tui.model.event import Event, Item, Unreadable, as_text
from collab_tui.model.glyphs import STATUS_WORDS, UNICODE, Glyphs
from collab_tui.model.requests import verdict_of
from collab_tui.model.signature import Standing
from collab_tui.model.text import one_line
from collab_tui.model.words import ALIASES, Status, status_of


class Span(NamedTuple):
    """A piece of one line of text and what it means."""

    text: str
    role: str = "text"


STATUS_ROLES = {
    Status.IN_PROGRESS: "accent",
    Status.WAITING: "muted",
    Status.BLOCKED: "warning",
    Status.FAILED: "error",
    Status.COMPLETED: "success",
    Status.IDLE: "muted",
}
STANDING_ROLES = {
    Standing.SIGNED: "success",
    Standing.CLAIMED: "warning",
    Standing.UNKNOWN_KEY: "warning",
    Standing.BAD: "error",
}
_MAX_TEXT = 600
_MAX_OPTIONS = 60
_WENT_WELL = frozenset({"sent", "notified", "started", "submitted", "exit 0"})
"""Outcomes of rules that ask for no attention."""
_ODD_ENDS = frozenset({"failed", "lost", "waiting for approval", "waiting for input"})
"""What is seen of a session that asks for attention."""
_COUNTS = {"changed": "changed", "unpushed": "unpushed", "queued": "queued", "undelivered": "undelivered"}
_LONGEST = 10**12
"""Milliseconds that a rule may have taken; more is nonsense."""
_SAYINGS = ("message", "comment", "details", "error", "reason", "result")
_PATH_END = re.compile(r"[/\\]")
_TOLD = frozenset({"id", "agent", "event", "blockers"}.union(ALIASES["timestamp"], ALIASES["current_task"]))
"""Fields that are told already."""
_OF_A_RUN = frozenset({"run", "number", "part", "proof", "asked"})
"""Fields with which an orchestrator knows its own lines again."""


def summarize(item: Item, glyphs: Glyphs = UNICODE, request: Event | None = None) -> list[Span]:
    """What the line says, without its time, writer and event name. `request` is the one that it names by its id."""
    if isinstance(item, Unreadable):
        return [
            Span(f"{glyphs.unreadable} {item.reason}", "warning"),
            Span(_shorten(repr(item.line[:200])[2:-1]), "muted"),
        ]
    describe = _BY_KIND.get(item.kind, _declaration)
    spans = [span for span in describe(item, glyphs) if span.text]
    if request is not None and item.field("decision_for") is None:
        spans.insert(1, Span(f"“{_quoted(request, 'request') or _quoted(request, 'message')}”"))
    return spans


def standing_words(standing: Standing) -> str:
    """What can be said of who wrote a decision, in one or two words."""
    return "bad signature" if standing is Standing.BAD else standing.replace("_", " ")


def standing_span(standing: Standing | None, glyphs: Glyphs = UNICODE) -> Span:
    """The mark of a decision in the name of somebody who signs; empty for what has no standing."""
    if standing is None:
        return Span("")
    sign = f"{glyphs.signed} " if standing is Standing.SIGNED else f"{glyphs.unreadable} "
    return Span(f"{'' if standing is Standing.CLAIMED else sign}{standing_words(standing)}", STANDING_ROLES[standing])


def separated(spans: Iterable[Span], gap: str = "  ") -> Iterator[Span]:
    """The spans with a gap between each two."""
    for number, span in enumerate(spans):
        if number:
            yield Span(gap)
        yield span


def _shorten(text: str) -> str:
    return one_line(text[:_MAX_TEXT])


def _quoted(event: Event, name: str) -> str:
    return _shorten(event.text(name) or "")


def _status(event: Event) -> Span:
    raw = event.text("status")
    progress = progress_of(event.field("progress"))
    percent = f" {progress:.0f} %" if progress is not None else ""
    if raw is None:
        return Span(percent.strip())
    status = status_of(raw)
    return Span(_shorten(STATUS_WORDS.get(status, raw)) + percent, STATUS_ROLES.get(status, "text"))


def _declaration(event: Event, glyphs: Glyphs) -> Iterator[Span]:
    yield from _declared(event, glyphs)
    if all(event.field(name) is None for name in (*_SAYINGS, "status", "next_action")):
        yield from _other_fields(event)


def _declared(event: Event, glyphs: Glyphs) -> Iterator[Span]:
    yield _status(event)
    yield Span(_quoted(event, "current_task"))
    if blockers := event.texts("blockers"):
        yield Span(f"{glyphs.blocker} {_shorten(', '.join(blockers))}", "warning")
    if text := _quoted(event, "next_action"):
        yield Span(f"next: {text}", "muted")
    for name in _SAYINGS:
        yield Span(_quoted(event, name), "error" if name == "error" else "muted")


def _session_start(event: Event, glyphs: Glyphs) -> Iterator[Span]:
    """Which program began where, as people name it; its ids are for programs."""
    folder = _PATH_END.split((event.text("cwd") or "").rstrip("/\\"))[-1]
    named = ("", _quoted(event, "driver")), ("in ", _shorten(folder)), ("on branch ", _quoted(event, "branch"))
    where = Span(" ".join(lead + name for lead, name in named if name))
    said = [span for span in (where, *_declared(event, glyphs)) if span.text]
    role = _quoted(event, "role")
    yield from said or [Span(f"as {role}" if role else "begins", "muted")]


def _other_fields(event: Event) -> Iterator[Span]:
    """An event that we do not know still tells something: its own fields, but for those that are for programs."""
    told = _TOLD if progress_of(event.field("progress")) is None else _TOLD | {"progress"}
    told = told | _OF_A_RUN if "proof" in event.data else told
    for name, value in event.data.items():
        if name not in told and (text := _shorten(as_text(value))):
            yield Span(f"{_shorten(name)}: {text}", "muted")


def _decision_request(event: Event, glyphs: Glyphs) -> Iterator[Span]:
    yield Span(f"{glyphs.needs_you} {_quoted(event, 'request') or _quoted(event, 'message')}", "warning")
    if options := event.texts("options"):
        numbered = (f"{number} {_shorten(text)}" for number, text in enumerate(options[:_MAX_OPTIONS], 1))
        yield Span("  ".join(numbered)[:_MAX_TEXT])
    if targets := event.texts("target"):
        yield Span(f"asks {_shorten(', '.join(targets))}", "muted")
    yield Span(_quoted(event, "details"), "muted")


def _decision(event: Event, glyphs: Glyphs) -> Iterator[Span]:
    raw = _quoted(event, "verdict")
    match verdict_of(raw):
        case "approved":
            yield Span(f"{glyphs.yes} approved", "success")
        case "rejected":
            yield Span(f"{glyphs.no} rejected", "error")
        case _:
            yield Span(_quoted(event, "answer") or raw, "success")
    yield Span(_quoted(event, "decision_for"))
    yield Span(_quoted(event, "comment"), "muted")
    if resolved := event.texts("resolved_blockers"):
        yield Span(f"resolves {_shorten(', '.join(resolved))}", "success")


def _blocker(event: Event, glyphs: Glyphs) -> Iterator[Span]:
    texts = event.texts("blocker") or event.texts("blockers")
    yield Span(f"{glyphs.blocker} {_shorten(', '.join(texts))}", "warning")
    yield Span(_quoted(event, "reason") or _quoted(event, "message"), "muted")


def _blocker_resolved(event: Event, glyphs: Glyphs) -> Iterator[Span]:
    texts = event.texts("blocker") or event.texts("resolved_blockers") or event.texts("blockers")
    targets = event.texts("target")
    whose = f" of {_shorten(', '.join(targets))}" if targets else ""
    yield Span(f"{glyphs.yes} {_shorten(', '.join(texts))}{whose}", "success")
    yield Span(_quoted(event, "comment") or _quoted(event, "message"), "muted")


def _message(event: Event, glyphs: Glyphs) -> Iterator[Span]:
    yield Span(f"{glyphs.arrow} {_shorten(', '.join(event.texts('target')) or 'all')}", "accent")
    yield Span(_quoted(event, "message"))


def _completion(event: Event, glyphs: Glyphs) -> Iterator[Span]:
    yield Span(f"{glyphs.yes} done", "success")
    yield Span(_quoted(event, "current_task"))
    yield Span(_quoted(event, "result") or _quoted(event, "message"), "muted")


def _activation(event: Event, glyphs: Glyphs) -> Iterator[Span]:
    yield Span(f"rule “{_quoted(event, 'rule')}”")
    if targets := event.texts("target"):
        yield Span(f"{glyphs.arrow} {_shorten(', '.join(targets))}", "accent")
    yield Span(_quoted(event, "notify"))
    outcome = _quoted(event, "outcome")
    yield Span(outcome, "muted" if outcome in _WENT_WELL else "warning")
    took = event.field("took_ms")
    if isinstance(took, int) and 0 < took < _LONGEST:
        yield Span(f"in {duration(took / 1000)}", "muted")
    yield Span(_quoted(event, "log"), "muted")


def _session_observed(event: Event, glyphs: Glyphs) -> Iterator[Span]:
    yield Span(f"{glyphs.arrow} {_quoted(event, 'target')}", "accent")
    observed = _quoted(event, "observed")
    yield Span(observed, "warning" if observed in _ODD_ENDS else "text")
    yield Span(_quoted(event, "why"), "muted")
    counts = ((event.field(name), words) for name, words in _COUNTS.items())
    yield Span(", ".join(f"{count} {words}" for count, words in counts if isinstance(count, int) and count), "muted")
    yield Span(_quoted(event, "last_line"), "muted")


def _command(event: Event, glyphs: Glyphs) -> Iterator[Span]:
    yield Span(_quoted(event, "command_type").replace("_", " "), "accent")
    yield Span(f"{glyphs.arrow} {_quoted(event, 'target')}" if event.texts("target") else "", "accent")
    payload = event.data.get("payload")
    said = payload.get("prompt") or payload.get("task") if isinstance(payload, dict) else None
    yield Span(_shorten(as_text(said)))
    yield Span(f"on {host}" if (host := _quoted(event, "host")) else "", "muted")


def _command_result(event: Event, glyphs: Glyphs) -> Iterator[Span]:
    yield Span(_quoted(event, "command_type").replace("_", " "), "accent")
    yield Span(f"{glyphs.arrow} {_quoted(event, 'target')}" if event.texts("target") else "", "accent")
    state = _quoted(event, "state")
    yield Span(state, {"done": "success", "failed": "error"}.get(state, "text"))
    yield Span(_quoted(event, "reason"), "warning" if state == "failed" else "muted")


def _stream_state(event: Event, glyphs: Glyphs) -> Iterator[Span]:
    state = _quoted(event, "state")
    yield Span(f"stream “{_quoted(event, 'stream')}”")
    yield Span(state, {"connected": "success", "retrying": "warning", "stopped": "error"}.get(state, "text"))
    yield Span(_quoted(event, "why"), "muted")


def _stream_event(event: Event, glyphs: Glyphs) -> Iterator[Span]:
    yield Span(f"stream “{_quoted(event, 'stream')}”")
    yield Span(_quoted(event, "task"), "accent")
    yield Span(
        " ".join(filter(None, (_quoted(event, "status"), _quoted(event, "priority"), _quoted(event, "project"))))
    )
    yield Span(_quoted(event, "title"), "muted")
    yield Span(_quoted(event, "outcome"), "muted")


def _worker(event: Event, glyphs: Glyphs) -> Iterator[Span]:
    yield Span(" ".join(filter(None, (_quoted(event, "kind"), _quoted(event, "worker")))))
    state = _quoted(event, "state")
    yield Span(
        state, {"done": "success", "failed": "error", "dropped": "warning", "refused": "warning"}.get(state, "text")
    )
    yield Span(_quoted(event, "task"), "accent")
    yield Span(_quoted(event, "outcome") or _quoted(event, "why"), "muted")


def _run_started(event: Event, glyphs: Glyphs) -> Iterator[Span]:
    yield Span(f"run “{_quoted(event, 'name')}”")
    yield Span(_quoted(event, "goal"))
    pools = event.data.get("pools")
    told = [pool for pool in pools if isinstance(pool, dict)][:_MAX_OPTIONS] if isinstance(pools, list) else []
    sizes = ((_shorten(as_text(pool.get("role"))), pool.get("seats")) for pool in told)
    roles = (f"{role} x{len(seats)}" if isinstance(seats, list) and len(seats) != 1 else role for role, seats in sizes)
    yield Span(", ".join(roles)[:_MAX_TEXT], "muted")


def _run_tasks(event: Event, glyphs: Glyphs) -> Iterator[Span]:
    tasks = event.data.get("tasks")
    told = [task for task in tasks if isinstance(task, dict)] if isinstance(tasks, list) else []
    yield Span(f"{len(told)} task{'' if len(told) == 1 else 's'}")
    yield Span(f"added by {by}" if (by := _quoted(event, "by")) else "", "muted")
    yield Span(", ".join(_shorten(as_text(task.get("key"))) for task in told[:_MAX_OPTIONS])[:_MAX_TEXT], "muted")


def _run_task(event: Event, glyphs: Glyphs) -> Iterator[Span]:
    from collab_tui.model.run_words import TASK_ROLES, TASK_WORDS  # most registries tell of no run
    from collab_tui.model.runs import TaskState
    from collab_tui.model.session_book import word_of

    yield Span(_shorten(as_text(event.data.get("task"))), "accent")
    state = word_of(TaskState, event.data.get("state"))
    further = _further(event, "round") + (_further(event, "attempt") if state is TaskState.RUNNING else "")
    role = TASK_ROLES[state] if state is not None else "text"
    yield Span((TASK_WORDS[state] if state is not None else _quoted(event, "state")) + further, role)
    took, left = event.data.get("took_ms"), event.data.get("retry_in")
    is_again = state is TaskState.RETRYING
    if isinstance(took, int) and 0 < took < _LONGEST:
        yield Span(f"{'after' if is_again else 'in'} {duration(took / 1000)}", "muted")
    if is_again and isinstance(left, int | float) and 0 < left < _LONGEST:
        yield Span(f"again in {duration(left)}", "muted")
    yield Span(_quoted(event, "error") or _quoted(event, "why"), "error" if role == "error" else "muted")
    yield Span(_quoted(event, "comment"), "muted")
    if state is TaskState.DONE and ("value" in event.data or "file" in event.data):
        yield from _written(event)


def _run_value(event: Event, glyphs: Glyphs) -> Iterator[Span]:
    yield Span(_quoted(event, "key") + _further(event, "revision"), "accent")
    yield from _written(event)


def _further(event: Event, name: str) -> str:
    """Which round, attempt or revision it is, unless it is the first."""
    number = event.data.get(name)
    return f", {name} {number}" if isinstance(number, int) and 1 < number < _LONGEST else ""


def _written(event: Event) -> Iterator[Span]:
    """A value of the blackboard, or where it stands."""
    yield Span(_quoted(event, "file") or _shorten(as_text(event.data.get("value"))), "muted")


def _run_resumed(event: Event, glyphs: Glyphs) -> Iterator[Span]:
    yield Span("goes on")
    again = event.texts("again")
    yield Span(f"again: {_shorten(', '.join(again))}" if again else "", "muted")
    yield Span(f"on {host}" if (host := _quoted(event, "host")) else "", "muted")


def _run_ended(event: Event, glyphs: Glyphs) -> Iterator[Span]:
    from collab_tui.model.run_words import RUN_ROLES
    from collab_tui.model.runs import RunState
    from collab_tui.model.session_book import word_of

    state = word_of(RunState, event.data.get("state"))
    yield Span(f"run {_quoted(event, 'state')}", RUN_ROLES[state] if state is not None else "text")
    yield Span(_quoted(event, "reason"), "muted")


_BY_KIND = {
    "run_started": _run_started,
    "run_tasks": _run_tasks,
    "run_task": _run_task,
    "run_value": _run_value,
    "run_resumed": _run_resumed,
    "run_ended": _run_ended,
    "activation": _activation,
    "command": _command,
    "command_result": _command_result,
    "session_observed": _session_observed,
    "stream_event": _stream_event,
    "stream_state": _stream_state,
    "worker": _worker,
    "decision_request": _decision_request,
    "decision": _decision,
    "blocker": _blocker,
    "blocker_resolved": _blocker_resolved,
    "message": _message,
    "session_start": _session_start,
    "completion": _completion,
}
