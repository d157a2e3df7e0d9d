"""From what happened to a line of the registry: lean, in the background, and never in an agent's way.

What is told with every use of a tool is a sign of life, of which one in a while is recorded. Hooks run side by side and
may end in another order than they began: each counts as of the moment at which it was started.
"""

from __future__ import annotations

import os

from collab_tui.hooks import happening as told
from collab_tui.hooks.session import Said
from collab_tui.model.tool_lines import short
from collab_tui.model.tool_lines import told as tool_told
from collab_tui.registry.append import append

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from collab_tui.hooks.happening import Happening
    from collab_tui.hooks.session import Session

_AT_ONCE = 2.0
"""Seconds by which hooks that run side by side may be started in another order than their events."""
TIMEOUT = 2.0
"""Seconds to wait for other writers of the registry; half a second with a sign of life."""


def tell(session: Session, happening: Happening, snapshot: dict[str, Any], at: float) -> None:
    """Record what happened, if it is to be recorded. Raises `OSError` and what `append` raises.

    `at` is when this hook was started, in epoch seconds.
    """
    is_beat = happening.kind in told.TOOL_KINDS
    if happening.kind == told.PROMPTED and happening.text:
        session.prompted()
    _end_waits(session, happening, snapshot)
    if is_beat and not _is_due(session.said(), happening, at):
        return
    event = _event(happening, snapshot)
    if happening.kind == told.LEFT:
        session.end()
    if event is None or not os.path.isfile(snapshot["registry"]):
        return
    with session.lock():
        said = session.said()
        if session.is_over or (is_beat and not _is_due(said, happening, at)):
            return
        if happening.kind in (told.PLANNED, told.TASK):
            progress = _progress(session, happening, snapshot["settings"])
            if progress is None:
                return
            event |= progress
        if _is_late(said, happening, at):
            event.pop("status", None)
        _write(session, snapshot, event, is_beat=is_beat)
        if happening.kind == told.ENDED:
            session.end()
        _note(session, said, event, happening, at, snapshot["settings"]["heartbeat"])


def _end_waits(session: Session, happening: Happening, snapshot: dict[str, Any]) -> None:
    """Whoever waits for an answer on the board is told that it was given elsewhere."""
    left: list[str] = []
    why = "the agent went on without it"
    if happening.kind in told.OVER_KINDS:
        left, why = session.answered(happening), told.ELSEWHERE
    elif happening.kind in (told.ENDED, told.LEFT):
        left = session.answered()
    elif happening.kind in told.TURN_KINDS and not happening.helper and not _is_its_own_prompt(happening):
        left = session.answered(is_turn=True)
    for request in left:
        _write(session, snapshot, {"event": "request_withdrawn", "request_id": request, "reason": why})


def _is_its_own_prompt(happening: Happening) -> bool:
    return happening.kind == told.PROMPTED and not happening.text


def _is_due(said: Said, happening: Happening, at: float) -> bool:
    """A sign of life is recorded now and then, and whenever it shows that the agent works again."""
    if said.at > at:
        return False
    works_again = said.status != "in_progress" and not happening.helper
    return works_again or at >= said.due


def _is_late(said: Said, happening: Happening, at: float) -> bool:
    """Something later was told already. In a turn that takes no time, its end may be told before its beginning."""
    is_same_turn = said.turn == happening.turn != ""
    if happening.kind in told.ENDS_OF_TURN and is_same_turn:
        return False
    is_over = happening.kind == told.PROMPTED and is_same_turn and said.status in ("idle", "failed")
    return said.at > at or (is_over and at - said.at < _AT_ONCE)


def _event(happening: Happening, snapshot: dict[str, Any]) -> dict[str, Any] | None:
    """What is recorded of it; None where nothing is."""
    settings = snapshot["settings"]
    how, is_told = settings["tool_input"], settings["prompts"]
    tool = tool_told(happening.tool, happening.tool_input, happening.cwd, how)
    status: str | None = "in_progress"
    message = ""
    fields: dict[str, Any] = {}
    match happening.kind:
        case told.BEGAN | told.RETURNED:
            fields = {"pid": happening.process, "host": snapshot["host"], "cwd": happening.cwd}
            fields |= {"driver": snapshot["driver"]}
            return {"event": "session_start", "status": "idle"} | {k: v for k, v in fields.items() if v}
        case told.CLEARED:
            status, message = "idle", "its conversation was cleared"
        case told.ENDED:
            return {"event": "session_end"} | ({"reason": short(happening.text)} if happening.text else {})
        case told.LEFT | told.COMPACTED:
            return None
        case told.PROMPTED:
            fields = {"current_task": short(happening.text)} if is_told and happening.text.strip() else {}
        case told.USES | told.USED:
            message = tool
        case told.TOOL_FAILED | told.DENIED:
            message = f"{'failed' if happening.kind == told.TOOL_FAILED else 'not allowed'}: {tool}" if tool else ""
        case told.ASKS:
            status, message = "waiting", f"asks at its terminal: {tool}" if tool else "asks at its terminal"
            message += f" ({happening.text})" if happening.text else ""
        case told.WAITS:
            words = short(happening.text) if is_told else ""
            status, message = "waiting", f"asks at its terminal: {words}" if words else "asks at its terminal"
        case told.PLANNED | told.TASK:
            pass
        case told.STOPPED:
            status, message = "idle", short(happening.text) if is_told else ""
        case told.BUSY:
            message = f"still runs: {short(happening.text)}" if how == "summary" else ""
        case told.BROKE:
            words = happening.text if is_told else happening.text.partition(": ")[0]  # then perhaps what was asked
            status, message = "failed", short(words) or "its turn ended with an error"
        case told.INTERRUPTED:
            status, message = "idle", "interrupted at its terminal"
        case told.HELPER_BEGAN | told.HELPER_ENDED:
            word = "started" if happening.kind == told.HELPER_BEGAN else "is done"
            status, message = None, f"sub-agent {short(happening.helper)} {word}"
    if happening.helper and happening.kind not in (told.HELPER_BEGAN, told.HELPER_ENDED):
        if happening.kind not in (*told.TOOL_KINDS, told.ASKS, told.PLANNED, told.TASK):
            return None  # a turn of a sub-agent is none of the agent's
        status = None
        message = f"{short(happening.helper)}: {message}" if message else ""
    fields |= {"status": status} if status else {}
    fields |= {"message": message} if message else {}
    return {"event": "status_update", **fields}


def _progress(session: Session, happening: Happening, settings: dict[str, Any]) -> dict[str, Any] | None:
    """How much of its plan is done, and what it does now; None when that is as it was. The lock is held."""
    if happening.helper:
        return None  # a plan of its own
    known = session.read("plan.json")
    known = known if isinstance(known, list) else []
    old = {item[0]: item for item in known if isinstance(item, list) and len(item) == 3}
    if happening.kind == told.PLANNED:
        new = {item[0]: list(item) for item in happening.plan}
    else:
        is_over = bool(old) and all(item[2] == told.DONE for item in old.values())
        begins = any(item[0] not in old and item[2] == told.PENDING for item in happening.plan)
        new = {} if is_over and begins else dict(old)
        for name, text, state in happening.plan:
            before = new.get(name, [name, "", told.PENDING])
            new[name] = [name, text or before[1], state or before[2]]
    new = {name: item for name, item in new.items() if item[2] != told.DROPPED}
    if new == old:
        return None
    session.write("plan.json", list(new.values()))
    done = sum(item[2] == told.DONE for item in new.values())
    doing = next((item[1] for item in new.values() if item[2] == told.DOING), "")
    fields: dict[str, Any] = {"progress": round(100 * done / len(new))} if new else {}
    if doing and settings["prompts"]:
        fields["current_task"] = short(doing)
    return fields


def _write(session: Session, snapshot: dict[str, Any], event: dict[str, Any], *, is_beat: bool = False) -> None:
    event = {"agent": snapshot["name"], **event, "session": session.id}
    append(snapshot["registry"], event, timeout=TIMEOUT / 4 if is_beat else TIMEOUT, durable=not is_beat)


def _note(
    session: Session, said: Said, event: dict[str, Any], happening: Happening, at: float, heartbeat: float
) -> None:
    """What is running beside it when its turn is over is no work of its own: the next that it does is told at once."""
    status = "beside" if happening.kind == told.BUSY else event.get("status", said.status)
    if happening.kind in told.TOOL_KINDS:
        due = at + heartbeat
    else:
        due = 0.0 if happening.kind in (*told.TURN_KINDS, *told.STARTS) or status != "in_progress" else said.due
    turn = "" if happening.kind in told.STARTS else happening.turn or said.turn
    session.note(Said(max(at, said.at), due, status, turn))
