"""`collab-tui ask`: ask the person or another agent, and wait for the answer."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from collab_tui.cli.arguments import agent_name, complain, make_parser, say, show_anything
from collab_tui.cli.durations import duration, moment
from collab_tui.cli.polling import add_poll
from collab_tui.cli.reading import read
from collab_tui.cli.taking_part import ANSWER_HELP, Place, add_agent, wait_for_answer
from collab_tui.model.board import RequestKind
from collab_tui.model.requests import is_person
from collab_tui.model.text import one_line
from collab_tui.model.words import name_key
from collab_tui.protocol.conditions import doubt_about
from collab_tui.protocol.participation import Participant
from collab_tui.registry.append import UnusableError

_ENDED_BY_SIGTERM: Final = 143
_EXAMPLES = f"""\
  collab-tui ask "Deploy to 5 %?" --agent sena --wait --timeout 10m --key deploy-5
  collab-tui ask "Which tagger first?" --agent sena --option rules --option model --target lubit
  collab-tui ask "How many golden logs?" --agent sena --kind question --evidence docs/metrics.md
Without --wait the id of the request is printed. With --wait only an answer that counts ends it: asked of the person,
one that they signed. Ctrl-C and SIGTERM withdraw it, unless another process opened it and this one found it by its
key. After a time-out, a crash or a kill it stays open, and asking again with the same --key finds it, or its answer.
{ANSWER_HELP}"""


def main(arguments: list[str]) -> int:
    """Open a request, or find it by its key; with `--wait`, wait for its answer."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.timeout is not None and not options.wait:
        parser.error("--timeout is for --wait")
    if options.kind == RequestKind.CHOICE and not options.option:
        parser.error("a choice needs its options: --option TEXT, once for each")
    if options.default is not None and options.option and options.default not in options.option:
        parser.error(f"--default {options.default!r} is none of the options")
    show_anything()
    place = Place(options.registry)
    name = agent_name(options.agent)
    if options.target is not None:
        _check_target(options, name, place)
    me = place.participant(name, options.poll)
    fields = _fields(options, place.path)
    try:
        return asyncio.run(_ask(me, place, options, fields))
    except asyncio.CancelledError:
        return _ENDED_BY_SIGTERM


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


def _check_target(options: argparse.Namespace, name: str, place: Place) -> None:
    """Refuse to ask oneself, and warn of a name that nobody answers to."""
    target = options.target.strip()
    if name_key(target) == name_key(name):
        raise UnusableError("nobody answers their own request: give another --target, or none to ask the person")
    agents = read(options.registry).moment.board.agents
    known = {name_key(one): one for one in (*(agent.name for agent in agents), *place.config.approvers)}
    if name_key(target) not in known and not is_person(target, place.config.person):
        complain(doubt_about(target, list(known.values())))


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


async def _ask(me: Participant, place: Place, options: argparse.Namespace, fields: dict[str, Any]) -> int:
    asking = asyncio.current_task()
    assert asking is not None  # noqa: S101 - a coroutine runs in a task
    with suppress(NotImplementedError):  # Windows ends the process without asking
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, asking.cancel)
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
        complain(f"the request {request_id} stays open: another process opened it")
    elif await me.withdraw(request_id, "interrupted"):
        complain(f"withdrawn: {request_id}")
    else:
        complain(f"the request {request_id} was closed meanwhile: `collab-tui wait decision {request_id}`")
