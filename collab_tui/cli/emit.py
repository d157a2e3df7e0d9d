"""`collab-tui emit`: append one event. Called from hooks on every tool use, so it starts fast and does one thing."""

from __future__ import annotations

import argparse
import json
import sys

from collab_tui.cli.arguments import agent_name, complain, make_parser, registry_path
from collab_tui.registry.append import UnusableError, append

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_EXAMPLES = """\
  collab-tui emit status_update --agent sena --status in_progress --progress 40 --task "metrics"
  collab-tui emit blocker --agent gitcode --blocker "no credentials for staging"
  collab-tui emit decision_request --agent sena --field request="Which first?" --field options='["a","b"]'
  echo '{"event":"message","target":"lubit","message":"draft is ready"}' | collab-tui emit --agent sena
exit: 0 it is on the disk; 2 refused; 75 others hold the lock, try again; 74 it could not be written, or not surely to
the disk; ended by a signal: perhaps written. An object that brings its own "id" can be sent again: it counts once."""

_NOT_FIELDS = {
    "agent": "give it as --agent NAME",
    "event": "give it as EVENT, before the options",
    "id": "it is made here; only an object on standard input may bring its own",
    "timestamp": "it is set here; only an object on standard input may bring its own",
}
"""What `--field` must not set -> what to do instead."""

_NEEDED = {
    "decision_request": (("request", "request_type"), "what is asked: --field request=TEXT"),
    "decision": (("verdict", "answer"), "what was decided: --field verdict=approved, or --field answer=TEXT"),
}
"""Event -> the fields of which it must have one, and what to say else."""
_KNOWN_WORDS = (
    "registry_created session_start session_end status_update progress decision_request decision request_withdrawn "
    "blocker blocker_resolved completion message activation command command_result session_observed stream_state "
    "stream_event worker run_started run_tasks run_task run_value run_resumed run_ended"
)
KNOWN_EVENTS = frozenset(_KNOWN_WORDS.split())
"""Events that do more than being shown. Any other may be written; one that is nearly one of these is a slip."""
_NEAR = 0.85
_STATUS_WORDS = (
    "waiting awaiting pending in_progress active working running started validating monitoring blocked stuck completed "
    "complete done finished approved idle ready standby failed error"
)
KNOWN_STATUSES = frozenset(_STATUS_WORDS.split())
"""Words that a status with a meaning begins with; `_`, `-` or a space goes before any others."""
_NEAR_STATUS = 0.7
"""So near is `finishing` to `finished`."""


def main(arguments: list[str]) -> int:
    """Append one event; prints nothing but doubts about its name, status and progress."""
    parser = _parser()
    options = parser.parse_args(arguments)
    event = {"event": options.event} if options.event is not None else _from_stdin(parser)
    event |= _from_options(options, event["event"])
    for name in ("agent", "event"):
        if not isinstance(event.get(name) or "", str):
            raise UnusableError(f"{name} is a name, not {str(event[name])[:60]}")
    if not (event["event"] or "").strip():
        raise UnusableError("what happened? Give the EVENT a name")
    event = {
        "agent": agent_name(options.agent or event.get("agent")),
        **{k: v for k, v in event.items() if k != "agent"},
    }
    _check_fields(event)
    append(registry_path(options.registry), event, durable=not options.no_sync)
    if event["event"] not in KNOWN_EVENTS:
        _warn_of_slip(event["event"])
    if options.status is not None and options.status not in KNOWN_STATUSES:
        _warn_of_status(options.status)
    if options.progress is not None and not _is_per_cent(_value(options.progress)):
        complain(f"written as it is, but progress is a number from 0 to 100, not {options.progress!r}")
    return 0


def _check_fields(event: dict[str, Any]) -> None:
    """Refuse what nobody could answer, and answers that say nothing."""
    fields, what = _NEEDED.get(event["event"], ((), ""))
    if fields and all(event.get(name) in (None, [], {}) or not str(event[name]).strip() for name in fields):
        raise UnusableError(f"a {event['event']} needs {what}")


def _warn_of_slip(kind: str) -> None:
    """Say that an event was written under a name that was hardly meant."""
    from difflib import get_close_matches

    near = get_close_matches(kind.casefold().replace("-", "_"), KNOWN_EVENTS, 1, _NEAR)
    if near:
        complain(f"written as it is, but no event has a meaning that is called {kind!r}; did you mean {near[0]}?")


def _warn_of_status(word: str) -> None:
    """Say that a status was written in a word that was hardly meant; one that is like none of ours was."""
    plain = word.strip(" _-").casefold().replace("-", "_").replace(" ", "_")
    if plain.startswith("in_progress") or plain.partition("_")[0] in KNOWN_STATUSES:
        return
    from difflib import get_close_matches

    if near := get_close_matches(plain, KNOWN_STATUSES, 1, _NEAR_STATUS):
        complain(f"written as it is, but no status is called {word!r}; did you mean {near[0]}?")


def _is_per_cent(value: Any) -> bool:
    if isinstance(value, str):
        value = _value(value.strip().removesuffix("%").strip())
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 100


def _parser() -> argparse.ArgumentParser:
    parser = make_parser("emit", "Append one event to the registry.", _EXAMPLES)
    parser.add_argument(
        "event",
        nargs="?",
        metavar="EVENT",
        help="its name; without one, a JSON object is read from standard input, and the options go over it",
    )
    parser.add_argument("--agent", metavar="NAME", help="who writes; else $COLLAB_AGENT, else $AGENT")
    parser.add_argument(
        "--status", metavar="WORD", help="waiting, in_progress, blocked, completed, idle, failed or your own"
    )
    parser.add_argument("--progress", metavar="N", help="per cent")
    parser.add_argument("--task", metavar="TEXT", help="what it works on")
    parser.add_argument("--next", metavar="TEXT", help="what it will do next")
    parser.add_argument("--message", metavar="TEXT", help="a word to the reader")
    parser.add_argument("--target", metavar="NAME", help="whom it concerns")
    parser.add_argument(
        "--blocker", metavar="TEXT", action="append", help="what keeps it from going on; may be repeated"
    )
    parser.add_argument(
        "--field", metavar="KEY=VALUE", action="append", default=[], help="any other; JSON values stay JSON"
    )
    parser.add_argument("--no-sync", action="store_true", help="do not wait for the disk (heartbeats)")
    return parser


def _from_options(options: argparse.Namespace, kind: str) -> dict[str, Any]:
    """The fields that the options give to an event of that name."""
    named = {
        "status": options.status,
        "progress": _value(options.progress) if options.progress is not None else None,
        "current_task": options.task,
        "next_action": options.next,
        "message": options.message,
        "target": options.target,
    }
    fields: dict[str, Any] = {name: value for name, value in named.items() if value is not None}
    if options.blocker:
        is_one = kind in ("blocker", "blocker_resolved") and len(options.blocker) == 1
        fields["blocker" if is_one else "blockers"] = options.blocker[0] if is_one else options.blocker
    for pair in options.field:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise UnusableError(f"--field {pair!r}: write it as key=value")
        if name in _NOT_FIELDS:
            raise UnusableError(f"--field cannot set {name}: {_NOT_FIELDS[name]}")
        fields[name] = _value(value)
    return fields


def _value(text: str) -> Any:
    """JSON where it is JSON, else the text itself."""
    try:
        return json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return text


def _refuse(constant: str) -> None:
    """Python reads NaN and Infinity; JSON has no such numbers."""
    raise ValueError(constant)


def _from_stdin(parser: argparse.ArgumentParser) -> dict[str, Any]:
    if sys.stdin is None or sys.stdin.isatty():
        parser.error("give an EVENT, or one JSON object on standard input")
    try:
        event = json.loads(sys.stdin.buffer.read())
    except (ValueError, RecursionError) as error:
        raise UnusableError(f"standard input holds no JSON object: {error}") from error
    if not isinstance(event, dict):
        raise UnusableError("standard input holds JSON, but not an object")
    if not event.get("event"):
        raise UnusableError('the object on standard input has no "event"')
    return event
