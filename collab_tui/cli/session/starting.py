"""`collab-tui session start` and `restore`."""

from __future__ import annotations

import argparse
import json
from typing import Any, Final

from collab_tui.cli.arguments import complain, make_parser, say, show_anything
from collab_tui.cli.session.giving import EXITS, FAILED, TIMED_OUT, Line, document, failed
from collab_tui.cli.standard_input import read_text
from collab_tui.model.text import one_line
from collab_tui.monitor.watching import record_of
from collab_tui.protocol.commands import Carrier, CommandType, Result
from collab_tui.registry.append import RefusedError, UnusableError
from collab_tui.sessions.defining import load_definitions
from collab_tui.sessions.definitions import DefinitionError
from collab_tui.sessions.names import BadNameError, checked
from collab_tui.sessions.prompts import LONGEST

_WITHIN: Final = 300.0
"""Seconds until it has to be ready: its worktree is made, and its program starts."""

_START: Final = f"""\
  collab-tui session start claude
  collab-tui session start codex --task login --prompt "Build the login form"
  collab-tui session start claude --as lubit --base main
  collab-tui session start reviewer --no-worktree --prompt - < what-to-review.md
An agent is a built-in one, or a file of .collab/agents/ (allowed with `session allow`) or of your own agents folder.
It works on the branch collab/NAME/TASK, in a worktree that is made, or taken again if it is there.
{EXITS}"""

_RESTORE: Final = f"""\
  collab-tui session restore sena
Its program goes on with the same conversation, in the same worktree.
{EXITS}"""


def start_(arguments: list[str]) -> int:
    """Start an agent."""
    parser = make_parser("session start", "Start an agent as a session.", _START)
    parser.add_argument("agent", metavar="AGENT", help="which agent: the name of its definition")
    parser.add_argument("--task", metavar="TEXT", help="what it is for; its branch is called after it")
    parser.add_argument("--base", metavar="BRANCH", help="where its branch begins; else where the project stands")
    parser.add_argument("--as", dest="name", metavar="NAME", help="its name on the board; else AGENT")
    parser.add_argument("--prompt", metavar="TEXT", help="its first prompt; - reads it from standard input")
    parser.add_argument("--no-worktree", action="store_true", help="let it work in the project's own folder")
    parser.add_argument(
        "--host", metavar="NAME", help="the machine, or the monitor by its id, that starts it; else this one"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object: session, state, run, cwd, branch, log")
    options = parser.parse_args(arguments)
    show_anything()
    line = Line(options.registry, is_piped=options.prompt == "-")
    carrier = line.carrier_on(options.host)
    try:
        target = checked(options.name or options.agent, "name of a session")
        if line.is_own(carrier):
            load_definitions(line.path).of(options.agent)
    except (BadNameError, DefinitionError) as error:
        raise UnusableError(str(error)) from error
    line.check_person()
    payload: dict[str, Any] = {"agent": options.agent}
    payload |= {name: value for name in ("task", "base") if (value := getattr(options, name)) is not None}
    if options.no_worktree:
        payload["in_worktree"] = False
    if options.prompt is not None:
        payload["prompt"] = _prompt(options)
    return _started(line, CommandType.START, target, payload, carrier, options)


def restore_(arguments: list[str]) -> int:
    """Go on with a session that is over."""
    parser = make_parser("session restore", "Go on with a session that is over.", _RESTORE)
    parser.add_argument("name", metavar="NAME", help="the session")
    parser.add_argument("--json", action="store_true", help="one JSON object: session, state, run, cwd, branch, log")
    options = parser.parse_args(arguments)
    show_anything()
    line = Line(options.registry)
    session = line.session(options.name)
    carrier = line.carrier(session)
    record = record_of(line.path, session)
    if record is not None and record.ended is not None and record.resume_id is None:
        raise RefusedError(one_line(f"{session.name} told nothing by which its program could go on: start it anew"))
    return _started(line, CommandType.RESTORE, session.name, {}, carrier, options)


def _prompt(options: argparse.Namespace) -> str:
    text: str = read_text(LONGEST) if options.prompt == "-" else options.prompt
    if not text.strip():
        raise UnusableError("an empty prompt says nothing")
    return text


def _started(
    line: Line, type_: CommandType, target: str, payload: dict[str, Any], carrier: Carrier, options: argparse.Namespace
) -> int:
    command_id = line.give(type_, target, payload, carrier)
    result = line.heard(command_id, carrier, within=_WITHIN)
    if options.json:
        print(json.dumps(document(command_id, target, result)))
    if result is None or not result.state.is_over:
        complain(f"{target} is not ready after {_WITHIN:g} s, and still starts: `collab-tui session list` shows it")
        return TIMED_OUT
    if failed(result):
        complain(one_line(f"{target} was not started: {result.reason}"))
        return FAILED
    if not options.json:
        for told in _told(target, result, "prompt" in payload):
            say(told)
    return 0


def _told(target: str, result: Result, has_prompt: bool) -> list[str]:
    found = result.result
    where = f" on branch {found['branch']}" if found.get("branch") else ""
    lines = [one_line(f"{target} runs{where}"), f"  in {one_line(str(found.get('cwd', '')))}"]
    return [
        *lines,
        f"  {'it has its prompt' if has_prompt else 'it waits for a prompt'}; see it: collab-tui session peek {target}",
    ]
