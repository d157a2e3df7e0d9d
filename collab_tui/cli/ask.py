"""`collab-tui ask`: ask the person or another agent, and wait for the answer."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from collab_tui.cli.arguments import agent_name, complain, make_parser, say, show_anything
from collab_tui.cli.durations import duration, moment
from collab_tui.cli.polling import add_poll
from collab_tui.cli.reading import read
from collab_tui.cli.taking_part import ANSWER_HELP, Place, add_agent, doubt_own_name, known_agents, wait_for_answer
from collab_tui.model.board import Board, RequestKind
from collab_tui.model.requests import is_person
from collab_tui.model.text import clean, one_line
from collab_tui.model.words import name_key
from collab_tui.protocol.conditions import doubt_about
from collab_tui.protocol.participation import Participant
from collab_tui.registry.append import UnusableError

_ENDED_BY_SIGNAL: Final = 128
_EXAMPLES = f"""\
  collab-tui ask "Deploy to 5 %?" --agent sena --wait --timeout 10m --key deploy-5
  collab-tui ask "Which tagger first?" --agent sena --option rules --option model --target lubit
  collab-tui ask "How many golden logs?" --agent sena --kind question --evidence docs/metrics.md
Without --wait the id of the request is printed. With --wait only an answer that counts ends it: asked of the person,
one that they signed; asked of an agent, the first answer of any other agent, and who gave it is told. Ctrl-C, SIGTERM
and SIGHUP withdraw it, unless another process opened it and this one found it by its key. After a time-out, a crash or
a kill it stays open, and asking again with the same --key finds it, or its answer, until that was printed once.
{ANSWER_HELP};
75 others hold the lock, try again; 130 ended by Ctrl-C, 143 by SIGTERM, 129 by SIGHUP"""


def main(arguments: list[str]) -> int:
    """Open a request, or find it by its key; with `--wait`, wait for its answer."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.timeout is not None and not options.wait:
        parser.error("--timeout is for --wait")
    if options.kind == RequestKind.CHOICE and not options.option:
        parser.error("a choice needs its options: --option TEXT, once for each")
    if (why := _why_no_choice(options)) is not None:
        parser.error(why)
    if options.expires is not None and _is_past(options.expires):
        parser.error(f"--expires {options.expires} is past: nobody could answer")
    if options.default is not None and options.option and options.default not in options.option:
        parser.error(f"--default {options.default!r} is none of the options")
    show_anything()
    place = Place(options.registry)
    name = agent_name(options.agent)
    place.check_agent(name)
    board = read(options.registry).moment.board
    doubt_own_name(name, board)
    if options.target is not None:
        options.target = _checked_target(options.target, name, place, board)
    if options.deadline is not None and _is_past(options.deadline):
        complain(f"--deadline {options.deadline} is past: it is overdue at once")
    me = place.participant(name, options.poll)
    fields = _fields(options, place.path)
    ended_by: list[int] = []
    try:
        return asyncio.run(_ask(me, place, options, fields, ended_by))
    except asyncio.CancelledError:
        return _ENDED_BY_SIGNAL + ended_by[0]


def _parser() -> argparse.ArgumentParser:
    parser = make_parser("ask", "Ask the person, or another agent, for a decision.", _EXAMPLES)
    parser.add_argument("text", metavar="TEXT", help="what is asked, in one line")
    add_agent(parser)
    parser.add_argument("--target", metavar="NAME", help="whom; else the person")
    parser.add_argument(
        "--kind", choices=list(map(str, RequestKind)), help="else a choice where options are given, or an approval"
    )
    parser.add_argument(
        "--option", metavar="TEXT", action="append", default=[], help="an answer to choose from; may be repeated"
    )
    parser.add_argument("--default", metavar="TEXT", help="what you would do; nobody does it for you")
    parser.add_argument("--details", metavar="TEXT", help="what has to be known to answer")
    parser.add_argument(
        "--evidence", metavar="FILE", action="append", default=[], help="a file to look into; only its name is recorded"
    )
    parser.add_argument("--urgency", metavar="WORD", help="such as high; critical is asked once more before it is sent")
    parser.add_argument(
        "--deadline", metavar="TIME", type=moment, help="10m from now, or 2026-01-31T18:00:00Z; overdue then"
    )
    parser.add_argument("--expires", metavar="TIME", type=moment, help="the same; closed then, unanswered")
    parser.add_argument("--key", metavar="NAME", help="names this question: asking it again is the same request")
    parser.add_argument("--wait", action="store_true", help="until it is answered; prints the answer")
    parser.add_argument("--timeout", metavar="TIME", type=duration, help="with --wait: at most so long, such as 10m")
    add_poll(parser)
    return parser


def _why_no_choice(options: argparse.Namespace) -> str | None:
    """Why nobody could choose from these options; None where one can."""
    plain = [one_line(clean(option)) for option in options.option]
    if not all(plain):
        return "--option needs words"
    if len({name_key(option) for option in plain}) < len(plain):
        return "an --option is given twice: which one was chosen could not be told"
    if plain and options.kind not in (None, RequestKind.CHOICE):
        return f"--option makes it a choice, and --kind says {options.kind}: leave one out"
    return None


def _is_past(time: str) -> bool:
    return datetime.fromisoformat(time) <= datetime.now(UTC)


def _checked_target(given: str, name: str, place: Place, board: Board) -> str:
    """Whom to ask. Refuses to ask nobody or oneself, and warns of a name that nobody answers to."""
    target = one_line(clean(given))
    if not target:
        raise UnusableError("--target needs a name; leave it out to ask the person")
    if name_key(target) == name_key(name):
        raise UnusableError("nobody answers their own request: give another --target, or none to ask the person")
    known = {name_key(one): one for one in (*known_agents(board), *place.config.approvers)}
    if name_key(target) not in known and not is_person(target, place.config.person):
        complain(doubt_about(target, list(known.values())))
    return target


def _fields(options: argparse.Namespace, registry: Path) -> dict[str, Any]:
    named = {
        "kind": options.kind,
        "options": options.option,
        "default": options.default,
        "target": options.target,
        "details": options.details,
        "evidence": list(_evidence(options.evidence, registry)),
        "urgency": options.urgency,
        "deadline": options.deadline,
        "expires": options.expires,
    }
    return {name: value for name, value in named.items() if value}


def _evidence(files: Iterable[str], registry: Path) -> Iterable[str]:
    """The files as they are named in the project; outside of it by their whole path."""
    folder = Path(os.path.realpath(registry)).parent
    project = folder.parent if folder.name in (".collab", "session_memory") else folder
    for name in files:
        file = Path(os.path.realpath(name))
        if not file.is_file():
            raise UnusableError(f"--evidence {name}: there is no such file")
        yield (file.relative_to(project) if file.is_relative_to(project) else file).as_posix()


def _endings() -> list[int]:
    """Signals that are to end it orderly: on Unix, those that are not ignored, as `nohup` does with one."""
    if sys.platform == "win32":  # which ends a process without asking
        return []
    return [number for number in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(number) is not signal.SIG_IGN]


def _end_by(number: int, asking: asyncio.Task[Any], ended_by: list[int]) -> None:
    ended_by.append(number)
    asking.cancel()


async def _ask(
    me: Participant, place: Place, options: argparse.Namespace, fields: dict[str, Any], ended_by: list[int]
) -> int:
    asking = asyncio.current_task()
    assert asking is not None  # noqa: S101 - a coroutine runs in a task
    for number in _endings():
        asyncio.get_running_loop().add_signal_handler(number, _end_by, number, asking, ended_by)
    mine = os.urandom(8).hex()
    opening = asyncio.ensure_future(me.request(options.text, key=options.key, id=mine, **fields))
    request_id = mine
    try:
        request_id = await asyncio.shield(opening)
        is_mine = request_id == mine
        if not options.wait:
            say(request_id)
        whom = options.target or place.config.person
        _tell(request_id, is_mine, one_line(whom), options.wait)
        if not options.wait:
            return 0
        async with me:
            return await wait_for_answer(me, place.trust, request_id, options.timeout)
    except asyncio.CancelledError:
        await _leave(me, await opening, mine)
        raise


def _tell(request_id: str, is_mine: bool, whom: str, waits: bool) -> None:
    """Who waits sees for what; on standard error, because the answer alone is on standard output."""
    if not is_mine:
        complain(f"it was asked before, and no answer was taken yet: {request_id}")
    elif waits:
        complain(f"asked {whom}, waiting: {request_id}")


async def _leave(me: Participant, request_id: str, mine: str) -> None:
    """Told to end: nobody waits for what this process asked."""
    if request_id != mine:
        complain(f"the request {request_id} stays as it is: another process opened it")
    elif await me.withdraw(request_id, "interrupted"):
        complain(f"withdrawn: {request_id}")
    else:
        complain(f"the request {request_id} was closed meanwhile: `collab-tui wait decision {request_id}`")
