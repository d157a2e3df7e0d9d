"""`collab-tui decide`: answer a request."""

from __future__ import annotations

from collab_tui.cli.arguments import make_parser, show_anything
from collab_tui.cli.reading import NotThereError, find_request, now, read
from collab_tui.model.board import Request, RequestKind
from collab_tui.model.text import one_line
from collab_tui.protocol.answers import answer
from collab_tui.registry.append import RefusedError

_EXAMPLES = """\
  collab-tui decide 3f2a approve                 any unique beginning of the id will do; `status` lists them
  collab-tui decide 3f2a reject -m "not on a Friday"
  collab-tui decide 3f2a --answer "rules first"  for a choice: one of its options, or its number
  collab-tui decide 3f2a approve --agent lubit   an agent answers as itself"""


def main(arguments: list[str]) -> int:
    """Append the decision on a request, once."""
    parser = make_parser(
        "decide", "Answer a request. It is answered once: a request that was closed meanwhile stays so.", _EXAMPLES
    )
    parser.add_argument("id", metavar="ID", help="the request's id, or a unique beginning of it")
    parser.add_argument("verdict", nargs="?", choices=["approve", "reject"], help="for an approval")
    parser.add_argument("--answer", metavar="TEXT", help="for a choice or a question")
    parser.add_argument("-m", "--comment", metavar="TEXT", help="a word to the asker")
    parser.add_argument("--agent", metavar="NAME", help="who decides, for agents")
    parser.add_argument(
        "--as", dest="person", metavar="NAME", help="who decides, for people; else the configured person"
    )
    options = parser.parse_args(arguments)
    if (options.verdict is None) == (options.answer is None):
        parser.error("give either approve, reject or --answer TEXT")
    show_anything()

    reading = read(options.registry, options.person)
    request = find_request(reading.moment, options.id)
    if not request.is_open:
        by = f" by {request.answer.by}" if request.answer else ""
        state = request.state.replace("_", " ")
        raise RefusedError(one_line(f"request {request.id} is closed: {state}{by}. Nothing was written"))
    given = {"approve": "approved", "reject": "rejected"}.get(options.verdict) or chosen(request, options.answer)
    by = options.agent or options.person or reading.config.person
    try:
        answer(
            reading.registry,
            request,
            by,
            given,
            options.comment,
            known=reading.moment.board.position,
            person=reading.fold.person,
            clock=now,
        )
    except RefusedError as error:
        why = f"request {request.id} cannot be answered: {error}. Nothing was written"
        raise RefusedError(one_line(why)) from error
    print(one_line(f"{by} -> {request.asker}: {given} ({request.request})"))
    return 0


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
