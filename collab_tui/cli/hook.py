"""`collab-tui hook`: what an agent's program runs at its events. It tells the board, and never fails the agent.

Whatever goes wrong, the exit code is 0, nothing is on standard output, and a line stands in the log of the hooks.
"""

from __future__ import annotations

import json
import os
import sys
import time

from collab_tui.cli.arguments import make_parser
from collab_tui.hooks import happening as told
from collab_tui.hooks import places
from collab_tui.hooks.session import Session
from collab_tui.hooks.status import tell
from collab_tui.model.ours import DRIVER, SIGNALS, STRUCTURED

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any

    from collab_tui.hooks.happening import Happening

AGENTS = ("claude", "codex", "gemini", "copilot")
MAX_PAYLOAD = 64 << 20
"""Bytes of a payload; what is longer is read and dropped, so that its writer does not fail."""
_EXAMPLES = """\
  collab-tui hook claude              as a hook of Claude Code: `collab-tui connect claude` writes it there
  collab-tui hook codex --as lubit    under another name than the program's
  collab-tui hook claude --inbox      wait for what others write to the agent, and wake it
It reads the event from standard input. It always exits with 0, but --inbox with 2 when it wakes."""


def main(arguments: list[str]) -> int:
    """Tell what happened."""
    at = time.time()
    try:
        return _run(_options(arguments), at)
    except SystemExit as leaving:
        if not leaving.code or (sys.stdin is not None and sys.stdin.isatty()):
            raise
        places.log("hook", f"wired with arguments that mean nothing: {' '.join(arguments)}")
    except told.ForeignError as error:
        places.log("hook", str(error))
    except (Exception, KeyboardInterrupt) as error:
        places.log(arguments[0] if arguments else "hook", f"{type(error).__name__}: {error}")
    return 0


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = make_parser("hook", "Take an event of an agent's program: run by that program, not by you.", _EXAMPLES)
    parser.add_argument("agent", choices=AGENTS, metavar="AGENT", help=f"one of {', '.join(AGENTS)}")
    parser.add_argument("--as", dest="name", metavar="NAME", help="under which name; $COLLAB_AGENT goes before it")
    parser.add_argument("--session", action="store_true", help="given by a session that starts the program itself")
    parser.add_argument("--inbox", action="store_true", help="wait until something comes for the agent, and wake it")
    options = parser.parse_args(arguments)
    if sys.stdin is None or sys.stdin.isatty():
        parser.error("an agent's program runs this, with the event on standard input; see `collab-tui connect`")
    return options


def _run(options: argparse.Namespace, at: float) -> int:
    payload = _payload(options.agent)
    if payload is None or os.environ.get(DRIVER) == STRUCTURED:
        return 0
    if options.agent == "claude" and os.environ.get(SIGNALS) and not options.session:
        return 0  # its session gave it these hooks as well
    program: ModuleType = __import__(f"collab_tui.hooks.{options.agent}", fromlist=["read"])
    happening: Happening | None = program.read(payload, os.environ)
    if happening is None or not happening.session:
        return 0
    session = Session(options.agent, happening.session)
    if options.inbox:
        if not hasattr(program, "can_be_woken") or not program.can_be_woken(os.environ):
            return 0
        from collab_tui.hooks.inbox import wait

        return wait(session, happening, program, at)
    if signals := os.environ.get(SIGNALS):
        from collab_tui.hooks.signals import signal

        signal(signals, happening, payload, at)
    is_start = happening.kind in told.STARTS
    snapshot = None if is_start else session.snapshot()
    known = snapshot
    if snapshot is None or (session.is_over and happening.kind == told.PROMPTED):
        snapshot = _open(options, session, happening, program)
    if snapshot is None:
        return 0
    if is_start or happening.kind == told.COMPACTED:
        _greet(options.agent, snapshot, program)
    if happening.kind == told.ASKS and snapshot["settings"]["permissions"] and hasattr(program, "decision"):
        from collab_tui.hooks.permission import ask

        ask(session, happening, snapshot, program, at, _say)
        return 0
    ends = happening.kind == told.STOPPED and not happening.helper and payload.get("stop_hook_active") is not True
    if ends and hasattr(program, "go_on") and _gave(session, snapshot, program.go_on):
        return 0
    tell(session, happening, snapshot, at)
    if happening.kind == told.PROMPTED and hasattr(program, "at_prompt"):
        if known is not None and known["name"] != snapshot["name"]:
            from collab_tui.hooks.greeting import renamed

            _say(program.at_prompt(renamed(snapshot["name"])))
        else:
            _gave(session, snapshot, program.at_prompt)
    return 0


def _payload(agent: str) -> dict[str, Any] | None:
    """The event; None when standard input holds nothing of the kind."""
    data = sys.stdin.buffer.read(MAX_PAYLOAD + 1)
    if len(data) > MAX_PAYLOAD:
        while sys.stdin.buffer.read(1 << 20):
            pass
        places.log(agent, f"an event of more than {MAX_PAYLOAD:,} bytes was dropped")
        return None
    try:
        payload = json.loads(data.decode("utf-8-sig", "replace"))
    except (ValueError, RecursionError) as error:
        places.log(agent, f"standard input holds no JSON: {error}")
        return None
    if not isinstance(payload, dict):
        places.log(agent, "standard input holds JSON, but no object")
        return None
    return payload


def _open(
    options: argparse.Namespace, session: Session, happening: Happening, program: ModuleType
) -> dict[str, Any] | None:
    from collab_tui.hooks.opening import open_session

    environment = {**os.environ, "COLLAB_REGISTRY": options.registry} if options.registry else os.environ
    return open_session(session, happening, program.DRIVER, options.name, environment)


def _greet(agent: str, snapshot: dict[str, Any], program: ModuleType) -> None:
    """Before its start is recorded: the brief tells what came since it was last there."""
    if not snapshot["settings"]["brief"] or not hasattr(program, "context"):
        return
    from collab_tui.hooks.greeting import greeting

    text = greeting(agent, snapshot)
    if text is not None:
        _say(program.context(text))


def _gave(session: Session, snapshot: dict[str, Any], answer: Callable[[str], dict[str, Any]]) -> bool:
    """The agent is told what waits for it, as its program takes that, unless another process brings it."""
    from collab_tui.registry.append import LockedError

    try:
        with session.lock(0, "inbox"):
            from collab_tui.hooks.inbox import give

            given = give(snapshot)
    except LockedError:
        return False
    if given is None:
        return False
    text, acknowledge = given
    _say(answer(text))
    acknowledge()
    return True


def _say(answer: dict[str, Any]) -> None:
    """In ASCII: nobody knows how the program's pipe is encoded."""
    sys.stdout.write(json.dumps(answer))
    sys.stdout.flush()
