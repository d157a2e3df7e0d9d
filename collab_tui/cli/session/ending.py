"""`collab-tui session interrupt` and `stop`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final

from collab_tui.cli.arguments import asked_yes, complain, make_parser, say, show_anything
from collab_tui.cli.session.giving import EXITS, FAILED, TIMED_OUT, Line, document, failed
from collab_tui.cli.session.worktrees import ignored, losses
from collab_tui.model.sessions import Session
from collab_tui.model.text import one_line
from collab_tui.monitor.watching import record_of
from collab_tui.protocol.commands import CommandType

_WITHIN: Final = 60.0
"""Seconds for a program to end, by force if need be, and for its worktree to be removed."""

_MOST: Final = 10
"""Ignored files that are told by name."""
_INTERRUPT: Final = f"""\
  collab-tui session interrupt sena
What it is at ends, as if you pressed escape; prompts that wait come next.
{EXITS}"""

_STOP: Final = f"""\
  collab-tui session stop sena                     asks, and says what would be lost
  collab-tui session stop sena --remove-worktree   its worktree too, unless something stands nowhere else
  collab-tui session stop sena --yes
{EXITS}"""


def interrupt_(arguments: list[str]) -> int:
    """End what a session is at."""
    parser = make_parser("session interrupt", "End what a session is at; the session stays.", _INTERRUPT)
    parser.add_argument("name", metavar="NAME", help="the session")
    parser.add_argument("--json", action="store_true", help="one JSON object: id, session, state, reason")
    options = parser.parse_args(arguments)
    show_anything()
    line = Line(options.registry, is_brake=True)
    return _ended(line, line.session(options.name), CommandType.INTERRUPT, {}, as_json=options.json)


def stop_(arguments: list[str]) -> int:
    """End a session."""
    parser = make_parser("session stop", "End a session.", _STOP)
    parser.add_argument("name", metavar="NAME", help="the session")
    parser.add_argument(
        "--remove-worktree", action="store_true", help="and remove its worktree; commits stay on its branch"
    )
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.add_argument("--json", action="store_true", help="one JSON object: id, session, state, reason, ended")
    options = parser.parse_args(arguments)
    show_anything()
    if options.json and not options.yes:
        parser.error("--json asks nothing: give --yes with it")
    line = Line(options.registry, is_brake=True)
    session = line.session(options.name)
    line.check_person()
    if not options.yes:
        for told in _lost(line, session, is_removed=options.remove_worktree):
            say(told)
        if not asked_yes(f"Stop {one_line(session.name)}?"):
            say("Nothing was stopped.")
            return FAILED
    payload = {"remove_worktree": True} if options.remove_worktree else {}
    return _ended(line, session, CommandType.STOP, payload, as_json=options.json)


def _ended(line: Line, session: Session, type_: CommandType, payload: dict[str, bool], *, as_json: bool) -> int:
    command_id = line.give(type_, session.name, payload, line.carrier(session))
    result = line.heard(command_id, line.carrier(session), within=_WITHIN)
    if as_json:
        print(json.dumps(document(command_id, session.name, result)))
    if result is None or not result.state.is_over:
        complain(one_line(f"{session.name} has not ended within {_WITHIN:g} s: `collab-tui session list` shows it"))
        return TIMED_OUT
    if failed(result):
        complain(one_line(f"{session.name}: {result.reason}"))
        return FAILED
    if not as_json:
        did = "interrupted" if type_ is CommandType.INTERRUPT else "stopped"
        say(one_line(f"{did} {session.name}{f': {result.reason}' if result.reason else ''}"))
    return 0


def _lost(line: Line, session: Session, *, is_removed: bool) -> Iterator[str]:
    """What ends with it, in words, each on one line."""
    name, agent = one_line(session.name), line.reading.moment.board.agent(session.name)
    at = f", at “{one_line(agent.current_task)}”" if agent is not None and agent.current_task else ""
    yield f"{name} is {session.observed}{at}."
    if session.queued:
        yield f"  {session.queued} {'prompt waits' if session.queued == 1 else 'prompts wait'}, and will not be given."
    again = f"`collab-tui session restore {name}` goes on with it later"
    yield f"  Its conversation {f'is kept: {again}' if session.can_resume else 'cannot be gone on with'}."
    if session.branch is None:
        return
    place = one_line(session.cwd or "")
    record = record_of(line.path, session)
    found = losses(record) if record is not None else ()
    if not is_removed:
        yield f"  Its worktree {place} stays, on the branch {one_line(session.branch)}."
    elif found:
        yield f"  Its worktree {place} stays all the same, for it holds what stands nowhere else:"
    else:
        yield f"  Its worktree {place} is removed."
        if unseen := ignored(record) if record is not None else ():
            more = f" and {len(unseen) - _MOST} more" if len(unseen) > _MOST else ""
            yield f"  With it goes what git ignores there: {', '.join(unseen[:_MOST])}{more}"
    yield from (f"    {one_line(each)}" for each in found)
