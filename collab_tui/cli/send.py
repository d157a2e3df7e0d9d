"""`collab-tui send`: say something to an agent, to the person, or to all."""

from __future__ import annotations

import json

from collab_tui.cli.arguments import agent_name, complain, make_parser
from collab_tui.cli.reading import read
from collab_tui.cli.standard_input import read_text
from collab_tui.cli.taking_part import add_agent, known_agents
from collab_tui.model.requests import is_person
from collab_tui.model.text import clean, one_line
from collab_tui.model.words import name_key
from collab_tui.protocol.answers import message
from collab_tui.protocol.conditions import doubt_about
from collab_tui.registry.append import MAX_LINE, UnusableError

_EXAMPLES = """\
  collab-tui send lubit "draft is ready for your review" --agent sena
  collab-tui send all "staging is down until noon" --agent gitcode
  git diff --stat | collab-tui send lubit - --agent sena
A message is nothing that anybody has to answer: for that, `collab-tui ask --target NAME`."""


def main(arguments: list[str]) -> int:
    """Append one message."""
    parser = make_parser("send", "Say something to an agent, to the person, or to all.", _EXAMPLES)
    parser.add_argument("to", metavar="TO", help="an agent's name, or all")
    parser.add_argument("text", metavar="TEXT", help="what is said; - reads it from standard input")
    add_agent(parser)
    parser.add_argument("--json", action="store_true", help='print {"id": ...}, by which it stands in the registry')
    options = parser.parse_args(arguments)
    by = agent_name(options.agent)
    to, text = one_line(clean(options.to)), options.text if options.text != "-" else read_text(MAX_LINE)
    if not to:
        raise UnusableError("to whom? Give the name of an agent, or all")
    if not text.strip():
        raise UnusableError("an empty message says nothing")
    reading = read(options.registry)
    written = reading.registry.append(message(by, to, text))
    board = reading.moment.board
    if name_key(to) != "all" and board.agent(to) is None and not is_person(to, reading.config.person):
        complain(f"sent, but {doubt_about(to, known_agents(board))}")
    if options.json:
        print(json.dumps({"id": written["id"]}))
    return 0
