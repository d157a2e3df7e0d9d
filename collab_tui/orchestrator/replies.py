"""What is read out of what an agent gave: words, JSON, a plan with tasks, or a verdict. Data, bounded, and plain.

    {"plan": "...", "tasks": [{"key": "api", "role": "executor", "title": "...", "prompt": "...", "needs": ["..."]}]}
    {"verdict": "rejected", "reasons": ["the second test fails"]}

The last fenced block of its words, or the whole of them; what a callable gives may be such a value itself. A task that
is added says what is to be done, and by which role. What is started for it, and what holds it back, is never its to
say: one that tries to is refused, and its adder may try again without.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from collab_tui.config.values import shown
from collab_tui.model.text import clean, one_line
from collab_tui.orchestrator.agent import WorkError
from collab_tui.orchestrator.plan import ReplyKind, Task
from collab_tui.orchestrator.values import ValueRefusedError, checked
from collab_tui.protocol.asked_for import FORBIDDEN, STARTED, asked_for
from collab_tui.protocol.fenced import FencedError, fenced_json

MOST_TASKS: Final = 200
"""Tasks that one plan adds."""
MOST_REASONS: Final = 50
LONGEST_REASON: Final = 2000
MOST_PRIORITY: Final = 1000
_LONGEST: Final = 1 << 20
"""Characters of JSON in words."""
_OF_TASK: Final = ("key", "role", "title", "prompt", "needs", "gives", "priority", "review", "data")
_NOT_ITS: Final = (FORBIDDEN - {"prompt"}) | {"agent", "agents", "session", "worktree", "folder", "approval"}
_LOOSENS: Final = frozenset(("needs_approval", "timeout", "retries", "backoff", "on_error", "rounds", "expires"))
"""What the person says of tasks, and no agent."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What an agent planned."""

    value: Any
    """The plan itself, for those who need it."""
    tasks: tuple[Task, ...]
    """What it adds to the run, as it wrote it; whether that can be is still to be checked."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a reviewer says of a result."""

    is_approved: bool
    reasons: tuple[str, ...]
    """At least one where it is rejected."""

    @property
    def comment(self) -> str:
        """The reasons as one text."""
        return "\n".join(self.reasons)

    def document(self) -> dict[str, Any]:
        """As JSON values."""
        return {"verdict": "approved" if self.is_approved else "rejected", "reasons": list(self.reasons)}


def read(reply: ReplyKind, given: Any) -> Any:
    """What an agent's words or value say: a JSON value, of a plan a `Plan`, of a verdict a `Verdict`.

    Nothing that the agent holds is in it, so that it may go on changing what it gave. Raises `WorkError`.
    """
    if reply is ReplyKind.TEXT:
        return _plain(given)
    try:
        value = fenced_json(given, _LONGEST) if isinstance(given, str) else _plain(given)
    except FencedError as error:
        looks = f"; one looks like this: {_LOOKS[reply]}" if reply in _LOOKS else ""
        begins = f"; it begins {shown(given)}" if given.strip() else ""
        raise WorkError(f"its reply cannot be read{_AS[reply]}: {error}{begins}{looks}") from error
    return value if reply is ReplyKind.JSON else _READERS[reply](value)


def _plain(value: Any) -> Any:
    """A JSON value of its own. Raises `WorkError` for what is none."""
    if value is None or isinstance(value, bool | str):
        return value
    try:
        return checked(value).value
    except ValueRefusedError as error:
        raise WorkError(f"what it gave cannot be a value: {one_line(clean(str(error)))}") from error


# Plans


def _plan(value: Any) -> Plan:
    _check_keys(value, ("plan", "tasks"), "the plan")
    if "plan" not in value:
        raise WorkError("the plan has no plan: say in it, in words, how the goal is reached")
    tasks = value.get("tasks", [])
    if not isinstance(tasks, list):
        raise WorkError("tasks of the plan is a list, empty where nothing is to be added")
    if len(tasks) > MOST_TASKS:
        raise WorkError(f"the plan adds {len(tasks)} tasks, and may add {MOST_TASKS}")
    return Plan(value["plan"], tuple(_task(task, place) for place, task in enumerate(tasks, 1)))


def _task(value: Any, place: int) -> Task:
    """Only of what kind it all is: keys, roles and sizes are checked with the rest of the run."""
    where = f"task {place} of the plan"
    _check_keys(value, _OF_TASK, where)
    for needed in ("key", "role"):
        if not value.get(needed):
            raise WorkError(f"{where} has no {needed}")
    priority = value.get("priority", 0)
    if isinstance(priority, bool) or not isinstance(priority, int) or abs(priority) > MOST_PRIORITY:
        raise WorkError(f"priority of {where} is a whole number from {-MOST_PRIORITY} to {MOST_PRIORITY}")
    needs, data = value.get("needs", []), value.get("data", {})
    if not isinstance(needs, list) or not all(isinstance(need, str) for need in needs):
        raise WorkError(f"needs of {where} is a list of keys")
    if not isinstance(data, dict):
        raise WorkError(f"data of {where} is an object")
    if named := asked_for(data, STARTED):
        raise WorkError(f"data of {where} names {', '.join(named)}: what is started is not a plan's to say")
    texts = {name: _text(value, name, where) for name in ("key", "role", "title", "prompt", "gives", "review")}
    return Task(
        texts["key"] or "",
        role=texts["role"],
        title=one_line(texts["title"] or "") or None,
        prompt=texts["prompt"],
        needs=tuple(needs),
        gives=texts["gives"],
        priority=priority,
        review=texts["review"],
        data=data,
    )


# Verdicts


def _verdict(value: Any) -> Verdict:
    where = "the verdict"
    _check_keys(value, ("verdict", "reasons"), where)
    if (said := value.get("verdict")) not in ("approved", "rejected"):
        told = "a list" if isinstance(said, list) else "an object" if isinstance(said, dict) else shown(said)
        raise WorkError(f"verdict is approved or rejected, {f'not {told}' if 'verdict' in value else 'and missing'}")
    given = value.get("reasons", [])
    reasons = [given] if isinstance(given, str) else given
    if not isinstance(reasons, list) or len(reasons) > MOST_REASONS:
        raise WorkError(f"reasons of {where} is a list of at most {MOST_REASONS} texts")
    texts = [_text({"reasons": reason}, "reasons", where) for reason in reasons]
    if any(len(text or "") > LONGEST_REASON for text in texts):
        raise WorkError(f"a reason has at most {LONGEST_REASON:,} characters")
    verdict = Verdict(value["verdict"] == "approved", tuple(filter(None, texts)))
    if not verdict.is_approved and not verdict.reasons:
        raise WorkError("a verdict that rejects says why, in reasons")
    return verdict


# Values


def _check_keys(value: Any, known: tuple[str, ...], where: str) -> None:
    if not isinstance(value, dict):
        raise WorkError(f"{where} is an object with {', '.join(known)}")
    if named := asked_for(value, _NOT_ITS):
        raise WorkError(f"{where} names {', '.join(named)}: what is started, and where, is not an agent's to say")
    if named := asked_for(value, _LOOSENS):
        raise WorkError(f"{where} names {', '.join(named)}: that is the person's to say")
    if unknown := [key for key in value if key not in known]:
        raise WorkError(f"{where} has {shown(unknown[0])}, and may have {', '.join(known)} only")


def _text(value: Mapping[str, Any], key: str, where: str) -> str | None:
    text = value.get(key)
    if text is not None and not isinstance(text, str):
        raise WorkError(f"{key} of {where} is a text")
    return clean(text).strip() or None if text is not None else None


_AS: Final = {ReplyKind.JSON: "", ReplyKind.PLAN: " as a plan", ReplyKind.VERDICT: " as a verdict"}
_LOOKS: Final = {
    ReplyKind.PLAN: '{"plan": "...", "tasks": [{"key": "...", "role": "...", "prompt": "..."}]}',
    ReplyKind.VERDICT: '{"verdict": "rejected", "reasons": ["..."]}',
}
_READERS: Final = {ReplyKind.PLAN: _plan, ReplyKind.VERDICT: _verdict}
