"""The filter language of the log.

    deploy              the text occurs anywhere in the line, in any case
    "two words"         the same, with spaces
    agent:sena          the field is exactly that; `agent`, `event`, `status`, or any other field name
    event:blocker,decision   one of them
    status:blocked      also matches by meaning: `stuck`
    progress>50         comparisons: > >= < <= =
    time>14:00          times: 14:00, 2025-10-19, 2025-10-19T16:30
    -event:progress     not

Terms are joined by and. Nothing is invalid: what is no comparison is searched as text. `doubts` tells what was hardly
meant.
"""

from __future__ import annotations

import operator
import re
import unicodedata
from collections.abc import Callable
from datetime import UTC, date, datetime, time, tzinfo
from difflib import get_close_matches
from typing import Any, Final

from collab_tui.model.agent_state import progress_of
from collab_tui.model.event import Event, Item, as_text
from collab_tui.model.glyphs import STATUS_WORDS
from collab_tui.model.words import ALIASES, Status, name_key, status_of

_NEAR: Final = 0.75
"""How alike a mistyped name and the one that was meant are."""
Predicate = Callable[[Item], bool]

_SHOWN: Final = {word: status for status, word in STATUS_WORDS.items()}
"""A status by the word that the screen has for it."""

_TERM: Final = re.compile(
    r'(?P<not>[-!])?(?:(?P<field>[^\W\d]\w*)(?P<op>:|>=|<=|>|<|=))?(?:"(?P<quoted>[^"]*)"?|(?P<bare>\S+))'
)
_OUR_FIELDS: Final = (
    "id agent event kind line status role progress next_action blockers blocker dependencies estimated_completion "
    "message options default target deadline expires urgency key request_id verdict answer decision_for signature "
    "key_id request_digest reason result session driver pid host cwd branch registry rule cause outcome took_ms "
    "command_type payload command_id state"
)
_FIELDS: Final = frozenset(_OUR_FIELDS.split()).union(*ALIASES.values())
"""The fields that have a meaning; events may carry any other."""
_TIMES: Final = ("time", "timestamp", "ts")
_COMPARISONS: Final[dict[str, Callable[[Any, Any], bool]]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
    "=": operator.eq,
    ":": operator.eq,
}


def parse_query(query: str, zone: tzinfo | None = None) -> Predicate:
    """The test that a query stands for. Times without zone are in `zone` (None: the machine's own)."""
    tests = [_term(match, zone) for match in _TERM.finditer(query)]
    return lambda item: all(test(item) for test in tests)


def doubts(query: str) -> list[str]:
    """What in a query can hardly have been meant: a field that is nearly one of ours, a value that is no time."""
    found: list[str] = []
    for match in _TERM.finditer(query):
        name, value = match["field"], match["quoted"] if match["quoted"] is not None else match["bare"]
        if name is None or value.startswith("//"):
            continue
        folded = name.casefold()
        if folded in _TIMES:
            wrong = [one for one in _choices(match) if _time_test(match["op"], one, None) is None]
            found += [f"{one} is no time: write 14:00, 2025-10-19 or 2025-10-19T16:30" for one in wrong]
        elif folded in ("line", "progress"):
            wrong = [one for one in _choices(match) if _number(one.removesuffix("%")) is None]
            found += [f"{one} is no number" for one in wrong]
        elif folded not in _FIELDS and (near := get_close_matches(folded, _FIELDS, 1, _NEAR)):
            found.append(f"unknown field {name}: did you mean {near[0]}:?")
    return found


def _term(match: re.Match[str], zone: tzinfo | None) -> Predicate:
    value = match["quoted"] if match["quoted"] is not None else match["bare"]
    name, op = match["field"], match["op"]
    if name is None or value.startswith("//"):  # `http://...` names no field
        test = _text_test(match[0].lstrip("-!") if name else value)
    elif op in ":=" and match["bare"]:
        tests = [_field_test(name, op, choice, zone) for choice in _choices(match)]
        test = lambda item: any(test(item) for test in tests)  # noqa: E731
    else:
        test = _field_test(name, op, value, zone)
    if match["not"]:
        return lambda item: not test(item)
    return test


def _choices(match: re.Match[str]) -> list[str]:
    """The values of a field's term: several with commas between them, or one."""
    if match["op"] in ":=" and match["bare"]:
        return [choice for choice in match["bare"].split(",") if choice]
    return [match["quoted"] if match["quoted"] is not None else match["bare"]]


def _text_test(text: str) -> Predicate:
    wanted = name_key(text)
    return lambda item: wanted in searchable(item)


def searchable(item: Item) -> str:
    """Everything readable in a line, folded for comparison."""
    if isinstance(item, Event):
        return unicodedata.normalize("NFKC", as_text(item.data)).casefold()
    return item.line.decode("utf-8", "replace").casefold()


def _field_test(name: str, op: str, value: str, zone: tzinfo | None) -> Predicate:
    compare = _COMPARISONS[op]
    match name.casefold():
        case folded if folded in _TIMES:
            return _time_test(op, value, zone) or _text_test(f"{name}{op}{value}")
        case "line":
            number = _number(value)
            return lambda item: number is not None and compare(item.position + 1, number)
        case "status" if op in ":=":
            wanted = name_key(value)
            return lambda item: isinstance(item, Event) and _status_matches(item, wanted)
        case "event" | "kind" if op in ":=":
            return lambda item: isinstance(item, Event) and name_key(item.kind) == name_key(value)
        case "progress":
            percent = _number(value.removesuffix("%"))
            return lambda item: (
                isinstance(item, Event)
                and percent is not None
                and (progress := progress_of(item.field("progress"))) is not None
                and compare(progress, percent)
            )
        case _:
            return _other_field_test(name, op, value)


def _other_field_test(name: str, op: str, value: str) -> Predicate:
    number, wanted, compare = _number(value), name_key(value), _COMPARISONS[op]

    def test(item: Item) -> bool:
        if not isinstance(item, Event):
            return False
        found = item.field(name)
        if isinstance(found, int | float) and number is not None:
            return compare(found, number)
        return op in ":=" and found is not None and name_key(as_text(found)) == wanted

    return test


def _status_matches(event: Event, wanted: str) -> bool:
    raw = event.text("status")
    if raw is None:
        return False
    meant = status_of(wanted)
    return (
        name_key(raw) == wanted
        or (meant is not Status.UNKNOWN and status_of(raw) is meant)
        or _SHOWN.get(wanted) is status_of(raw)
    )


def _time_test(op: str, value: str, zone: tzinfo | None) -> Predicate | None:
    """A time of day compares the time of day, a date the day, a full time the moment. `:` and `=` mean "that one"."""
    compare = _COMPARISONS[op]
    for parse, part in ((date.fromisoformat, datetime.date), (time.fromisoformat, _clock_part(value))):
        try:
            wanted = parse(value)
        except ValueError:
            continue
        if isinstance(wanted, time) and wanted.tzinfo is not None:
            wanted, zone = wanted.replace(tzinfo=None), wanted.tzinfo
        return lambda item, wanted=wanted, part=part: (  # type: ignore[misc]
            isinstance(item, Event) and (at := item.time) is not None and compare(part(at.astimezone(zone)), wanted)
        )
    try:
        moment = datetime.fromisoformat(value)
        moment = (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return lambda item: isinstance(item, Event) and (at := item.time) is not None and compare(at, moment)


def _clock_part(value: str) -> Callable[[datetime], time]:
    """The time of day as precisely as the query gives it: `14:00` means the whole minute."""
    if re.split("[-+Zz]", value)[0].count(":") == 1:
        return lambda at: at.time().replace(second=0, microsecond=0)
    return lambda at: at.time().replace(microsecond=0)


def _number(value: str) -> float | None:
    try:
        return float(value)
    except ValueError:
        return None
