"""`collab-tui decide`: answer a request."""

from __future__ import annotations

import os
import sys

from collab_tui.cli.arguments import decider_name, is_agents, make_parser, say, show_anything
from collab_tui.cli.reading import NotThereError, find_request, now, read
from collab_tui.config import user_config_file
from collab_tui.model.board import Request, RequestKind
from collab_tui.model.requests import is_person_writing
from collab_tui.model.text import one_line
from collab_tui.protocol.answers import Verdict, answer
from collab_tui.protocol.presence import why_not_the_person
from collab_tui.registry.append import RefusedError, UnusableError

_EXAMPLES = """\
  collab-tui decide 3f2a approve                 any unique beginning of the id will do; `status` lists them
  collab-tui decide 3f2a reject -m "not on a Friday"
  collab-tui decide 3f2a --answer "rules first"  for a choice: one of its options, or its number
  collab-tui decide 3f2a approve --agent lubit   an agent answers as itself
What you decide is signed with your key; so you decide at a terminal, and not from within an agent.
exit: 0 it is on the disk; 1 it was closed meanwhile, or is not yours to answer; 2 usage, no such request, or not at a
terminal; 74 not surely on the disk; 75 others hold the lock. What ends with 1 or 2 wrote nothing"""


def main(arguments: list[str]) -> int:
    """Append the decision on a request, once."""
    parser = make_parser(
        "decide", "Answer a request. It is answered once: a request that was closed meanwhile stays so.", _EXAMPLES
    )
    parser.add_argument("id", metavar="ID", help="the request's id, or a unique beginning of it")
    parser.add_argument("--exact", action="store_true", help="ID is a whole id, though other ids begin with it")
    parser.add_argument("verdict", nargs="?", choices=["approve", "reject"], help="for an approval")
    parser.add_argument("--answer", metavar="TEXT", help="for a choice or a question")
    parser.add_argument("-m", "--comment", metavar="TEXT", help="a word to the asker")
    parser.add_argument("--agent", metavar="NAME", help="who decides, for agents; else $COLLAB_AGENT, else $AGENT")
    parser.add_argument(
        "--as",
        dest="person",
        metavar="NAME",
        help="who decides, for people; with no name given anywhere, the configured person",
    )
    options = parser.parse_args(arguments)
    if (options.verdict is None) == (options.answer is None):
        parser.error("give either approve, reject or --answer TEXT")
    show_anything()

    reading = read(options.registry)
    person = reading.config.person
    by = decider_name(options.agent, options.person, person)
    is_the_person = is_person_writing(by, person)
    if is_the_person or not is_agents(options.agent, options.person):
        _check_presence(by)
    request = find_request(reading.moment, options.id, exact=options.exact)
    if not request.is_open and not reading.moment.is_unsigned(request):
        answered = reading.moment.answer(request)
        by = f" by {answered.by}" if answered else ""
        state = request.state.replace("_", " ")
        raise RefusedError(one_line(f"request {request.id} is closed: {state}{by}. Nothing was written"))
    given: str
    if options.verdict is not None:
        given = Verdict.APPROVED if options.verdict == "approve" else Verdict.REJECTED
    else:
        given = chosen(request, options.answer)
    try:
        if options.agent is None and options.person is not None:
            _check_person(request, by, person)
        written = answer(
            reading.registry,
            request,
            by,
            given,
            options.comment,
            known=reading.moment.board.position,
            person=reading.fold.person,
            clock=now,
            trust=reading.trust if is_the_person else None,
        )
    except RefusedError as error:
        why = f"request {request.id} cannot be answered: {error}. Nothing was written"
        raise RefusedError(one_line(why)) from error
    said = written.get("verdict") or written["answer"]
    say(one_line(f"{by} -> {request.asker}: {said} ({request.request})"))
    return 0


def _check_presence(by: str) -> None:
    """Refuse to decide as a person where nobody can tell that it is one."""
    if (why := why_not_the_person(os.environ, sys.stdin)) is not None:
        raise UnusableError(one_line(f"not as {by}: {why}. An agent answers as itself: add --agent NAME"))


def _check_person(request: Request, by: str, person: str) -> None:
    """Refuse a name that is the person's for nobody else who reads the registry."""
    if request.to_person and not is_person_writing(by, person):
        raise RefusedError(
            f'it waits for {person}; if {by} is your name, set person = "{by}" in {user_config_file()} first'
        )


def chosen(request: Request, text: str) -> str:
    """The answer meant by a text: for a choice an option, by its words or its number."""
    if request.kind is not RequestKind.CHOICE or not request.options:
        return text
    if text.isdecimal() and 0 < int(text) <= len(request.options):
        return request.options[int(text) - 1]
    if text in request.options:
        return text
    options = ", ".join(f"{number} {option}" for number, option in enumerate(request.options, 1))
    raise NotThereError(f"{text!r} is none of its options: {options}")
