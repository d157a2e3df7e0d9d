"""`collab-tui session list`: what each session says, and what is seen of it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from rich.cells import cell_len, set_cell_size

from collab_tui.cli.arguments import make_parser, say, show_anything
from collab_tui.cli.reading import Reading, read
from collab_tui.cli.settings import load_to_brake
from collab_tui.model.ages import age, seconds_between
from collab_tui.model.glyphs import STATUS_WORDS
from collab_tui.model.sessions import Session
from collab_tui.model.text import one_line
from collab_tui.monitor.watching import Watch, known, watch

_LIST: Final = """\
  collab-tui session list
  collab-tui session list --json | jq '.[] | select(.observed == "idle") | .session'
Of each: its name, what is seen of its program and since when, what it says of itself, how it is talked to; its branch,
the files that it changed and the commits that stand nowhere else; what it said last. What ran when it was last told of
and does not now is "gone with monitor", what runs without one "not watched"; of another machine's it is said
what that told last."""

_WIDEST: Final = 120


def list_(arguments: list[str]) -> int:
    """Print the sessions, those that run first."""
    parser = make_parser("session list", "What each session says, and what is seen of it.", _LIST)
    parser.add_argument("--json", action="store_true", help="a JSON array, with all that is known of each")
    options = parser.parse_args(arguments)
    show_anything()
    reading = read(options.registry, settings=load_to_brake)
    path = Path(reading.registry.name)
    sessions = known(path, reading.moment.board.sessions)
    watched = watch(path, sessions)
    shown = sorted(sessions, key=lambda each: (not _runs(each, watched.get(each.run)), -each.started))
    if options.json:
        print(json.dumps([_document(reading, each, watched.get(each.run)) for each in shown], indent=2))
        return 0
    width = min(_WIDEST, shutil.get_terminal_size().columns)
    for each in shown:
        for line in _lines(reading, each, watched.get(each.run)):
            say(line if cell_len(line) <= width else set_cell_size(line, width))
    if not shown:
        say("There are no sessions; `collab-tui session start AGENT` starts one.")
    return 0


def _runs(session: Session, watched: Watch | None) -> bool:
    """It runs, for all that is known here."""
    return watched not in (None, Watch.GONE) and session.observed.is_running


def _seen(session: Session, watched: Watch | None) -> str:
    """What is seen of its program, in words that are still true."""
    told = session.observed.value
    match watched:
        case Watch.GONE:
            return f"gone with monitor (was {told})"
        case Watch.NOBODY:
            return f"not watched (was {told})"
        case Watch.ELSEWHERE:
            return f"{told}, as told from {one_line(session.host) or 'another machine'}"
    return told


def _says(reading: Reading, session: Session) -> str:
    """What its agent says of its work."""
    agent = reading.moment.board.agent(session.name)
    if agent is None or agent.status is None or not session.observed.is_running:
        return ""
    word = STATUS_WORDS.get(agent.status) or one_line(agent.raw_status or "")
    progress = f" {agent.progress:.0f} %" if agent.progress is not None else ""
    return f"says {word}{progress}"


def _since(since: datetime | None, now: datetime) -> str:
    seconds = seconds_between(since, now)
    return f" {age(seconds)}" if seconds is not None else ""


def _lines(reading: Reading, session: Session, watched: Watch | None) -> Iterator[str]:
    seen = f"{_seen(session, watched)}{_since(session.observed_since, reading.moment.now)}"
    facts = [seen, _says(reading, session), session.driver]
    name = one_line(session.name)
    yield f"{name}{' ' * max(0, 12 - cell_len(name))}  {', '.join(one_line(fact) for fact in facts if fact)}"
    counts = (
        (session.changed, "changed"),
        (session.unpushed, "unpushed"),
        (session.queued, "queued"),
        (session.undelivered, "undelivered"),
    )
    work = [session.branch or session.cwd or "", *(f"{count} {what}" for count, what in counts if count)]
    for told in (", ".join(filter(None, work)), session.why or "", session.last_line or ""):
        if told:
            yield f"{' ' * 14}{one_line(told)}"


def _document(reading: Reading, session: Session, watched: Watch | None) -> dict[str, Any]:
    agent = reading.moment.board.agent(session.name)
    seconds = seconds_between(session.observed_since, reading.moment.now)
    return {
        "session": session.name,
        "run": session.run,
        "runs": _runs(session, watched) if watched is not Watch.ELSEWHERE else None,
        "observed": session.observed.value,
        "why": session.why,
        "watched_by": watched.value if watched is not None else None,
        "observed_seconds": round(seconds) if seconds is not None else None,
        "declared": agent.raw_status if agent is not None else None,
        "task": (agent.current_task if agent is not None else None) or session.task,
        "definition": session.definition,
        "driver": session.driver,
        "host": session.host,
        "monitor": session.monitor,
        "pid": session.pid,
        "cwd": session.cwd,
        "branch": session.branch,
        "base": session.base,
        "changed": session.changed,
        "unpushed": session.unpushed,
        "queued": session.queued,
        "undelivered": session.undelivered,
        "can_resume": session.can_resume,
        "worker": session.worker,
        "log": session.log,
        "started_at": session.started_at.isoformat() if session.started_at is not None else None,
        "last_line": session.last_line,
    }
