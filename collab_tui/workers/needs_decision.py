"""Which events need a decision: by default a task that is done, and one to do that is urgent or high."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from collab_tui.config.workers import DecideRule, Priority
from collab_tui.workers.stream_event import StreamEvent

TASK_COMPLETED: Final = "task_completed"
HIGH_PRIORITY: Final = "high_priority"
EXECUTION: Final = "execution"
_DONE: Final = frozenset({"done", "completed", "complete"})
_TO_DO: Final = frozenset({"todo", "to do", "to_do", "open", "backlog"})


@dataclass(frozen=True, slots=True)
class Need:
    """What a decision worker is for."""

    template: str
    why: str


def needs_decision(event: StreamEvent, rules: Sequence[DecideRule] = ()) -> Need | None:
    """The need for a decision that an event brings, None for none; of the rules the first that holds decides."""
    usual = _usual(event)
    rule = next((rule for rule in rules if _holds(rule, event)), None)
    if rule is None:
        return usual
    if rule.is_skipped:
        return None
    template = rule.template or (usual.template if usual else HIGH_PRIORITY)
    return Need(template, f"the settings say so ({rule})")


def _usual(event: StreamEvent) -> Need | None:
    if event.status in _DONE:
        return Need(TASK_COMPLETED, "it is done")
    if event.status in _TO_DO and event.rank in (Priority.URGENT, Priority.HIGH):
        return Need(HIGH_PRIORITY, f"it is to be done, {event.priority}")
    return None


def _holds(rule: DecideRule, event: StreamEvent) -> bool:
    wanted = ((rule.status, event.status), (rule.project, event.project), (rule.stream, event.stream))
    if any(word is not None and word.casefold() != (said or "").casefold() for word, said in wanted):
        return False
    if rule.priority is not None and rule.priority is not event.rank:
        return False
    title = (event.title or "").casefold()
    return not rule.title or any(word.casefold() in title for word in rule.title)
