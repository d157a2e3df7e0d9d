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
    """An event that we do not know still tells something: its own fields."""
    told = _TOLD if progress_of(event.field("progress")) is None else _TOLD | {"progress"}
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


_BY_KIND = {
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
