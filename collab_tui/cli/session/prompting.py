"""`collab-tui session send` and `ask`."""

from __future__ import annotations

import argparse
import json
from typing import Final

from collab_tui.cli.arguments import complain, make_parser, say, show_anything
from collab_tui.cli.durations import duration
from collab_tui.cli.session.giving import EXITS, FAILED, TIMED_OUT, Line, document, failed
from collab_tui.cli.standard_input import read_text
from collab_tui.model.sessions import CommandState, Session
from collab_tui.model.text import one_line
from collab_tui.protocol.commands import CommandType
from collab_tui.registry.append import UnusableError
from collab_tui.sessions.prompts import LONGEST

_QUEUED: Final = 3.0
"""Seconds after which a prompt that its session did not begin with counts as waiting for the one before."""

_SEND: Final = f"""\
  collab-tui session send sena "go on with the tests"
  git diff | collab-tui session send sena -
It does not wait for the reply: `session ask` does. While the agent is at work, the prompt waits for its turn.
{EXITS}"""

_ASK: Final = f"""\
  collab-tui session ask sena "Which tests fail, and why?"
  collab-tui session ask sena - --timeout 10m --json < question.md | jq -r .reply
Its reply is printed when its turn ends. Whoever waits no longer takes nothing back: the agent goes on.
From another machine comes what the registry tells of it, which nobody signs: at most the last 8,192 characters, and
then it exits with 1.
{EXITS}"""


def send_(arguments: list[str]) -> int:
    """Give a session a prompt."""
    parser = make_parser("session send", "Give a session a prompt.", _SEND)
    _add(parser, "one JSON object: id, session, state (accepted: it waits for its turn; running; done; failed)")
    options = parser.parse_args(arguments)
    show_anything()
    line, session, text = _prompt(options)
    command_id = line.give(CommandType.SEND_PROMPT, session.name, {"prompt": text}, line.carrier(session))
    result = line.heard(command_id, line.carrier(session), once_taken=_QUEUED)
    if options.json:
        print(json.dumps(document(command_id, session.name, result)))
    if result is not None and failed(result):
        complain(one_line(f"{session.name} did not take it: {result.reason}"))
        return FAILED
    if not options.json:
        is_waiting = result is not None and result.state is CommandState.ACCEPTED
        say(one_line(f"{session.name} {'has it after what it is at' if is_waiting else 'has it'}"))
    return 0


def ask_(arguments: list[str]) -> int:
    """Give a session a prompt, and print its reply."""
    parser = make_parser("session ask", "Give a session a prompt, and print its reply.", _ASK)
    _add(parser, "one JSON object: id, session, state, reason, reply, status, duration, delivery")
    parser.add_argument("--timeout", type=duration, metavar="TIME", help="how long to wait: 90s, 10m; else for ever")
    options = parser.parse_args(arguments)
    show_anything()
    line, session, text = _prompt(options)
    command_id = line.give(CommandType.SEND_PROMPT, session.name, {"prompt": text}, line.carrier(session))
    result = line.heard(command_id, line.carrier(session), within=options.timeout)
    if options.json:
        print(json.dumps(document(command_id, session.name, result)))
    if result is None or not result.state.is_over:
        complain(one_line(f"no reply of {session.name} within {options.timeout:g} s; it goes on"))
        return TIMED_OUT
    reply, cut, log = (result.result.get(name) for name in ("reply", "cut", "log"))
    if not options.json and isinstance(reply, str) and reply:
        say(reply)
    if cut:
        complain(
            one_line(f"the reply is longer: only its end comes from another machine; all of it is there, in {log}")
        )
    if failed(result):
        complain(one_line(f"{session.name}: {result.reason}"))
    return FAILED if cut or failed(result) else 0


def _add(parser: argparse.ArgumentParser, told: str) -> None:
    parser.add_argument("name", metavar="NAME", help="the session")
    parser.add_argument("text", metavar="TEXT", help="the prompt; - reads it from standard input")
    parser.add_argument("--json", action="store_true", help=told)


def _prompt(options: argparse.Namespace) -> tuple[Line, Session, str]:
    """The line, the session and the text, all of them checked."""
    line = Line(options.registry, is_piped=options.text == "-")
    session = line.session(options.name)
    line.check_person()
    text: str = read_text(LONGEST) if options.text == "-" else options.text
    if not text.strip():
        raise UnusableError("an empty prompt says nothing")
    return line, session, text
