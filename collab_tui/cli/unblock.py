"""`collab-tui unblock`: remove a blocker from an agent."""

from __future__ import annotations

import os
import sys

from collab_tui.cli.arguments import decider_name, is_agents, make_parser, say, show_anything
from collab_tui.cli.reading import NotThereError, Reading, only_match, read
from collab_tui.cli.taking_part import known_agents
from collab_tui.model.board import Board
from collab_tui.model.fold import Fold
from collab_tui.model.text import one_line
from collab_tui.protocol.answers import resolution, seal_of_release, why_not_blocked
from collab_tui.protocol.presence import agent_mark, refusal, why_not_the_person
from collab_tui.protocol.released import Releases
from collab_tui.registry.append import RefusedError, UnusableError

_EXAMPLES = """\
  collab-tui unblock gitcode "no credentials for staging"
  collab-tui unblock gitcode "no cred" -m "they are in the vault now"   a unique beginning will do
A blocker that starts with your name, such as human_approval, waits for your word: resolving it is signed with your key,
so you do it at a terminal. Agents go by that alone, and by what the blocked one says itself.
exit: 0 it is on the disk; 1 it was removed meanwhile; 2 usage, no such agent or blocker, or not at a terminal; 74 not
surely on the disk; 75 others hold the lock. What ends with 1 or 2 wrote nothing"""


def main(arguments: list[str]) -> int:
    """Append the `blocker_resolved` event."""
    parser = make_parser("unblock", "Remove a blocker from an agent.", _EXAMPLES)
    parser.add_argument("target", metavar="AGENT", help="who is blocked")
    parser.add_argument("blocker", metavar="BLOCKER", help="what blocks it, or a unique beginning of that")
    parser.add_argument("-m", "--comment", metavar="TEXT", help="a word to the agent")
    parser.add_argument("--agent", metavar="NAME", help="who resolves it, for agents; else $COLLAB_AGENT, else $AGENT")
    parser.add_argument(
        "--as",
        dest="person",
        metavar="NAME",
        help="who resolves it, for people; with no name given anywhere, the configured person",
    )
    options = parser.parse_args(arguments)
    show_anything()

    reading = read(options.registry)
    by = decider_name(options.agent, options.person, reading.config.person)
    if not is_agents(options.agent, options.person) and (mark := agent_mark(os.environ)) is not None:
        raise UnusableError(one_line(f"not as {by}: {refusal(mark)}. An agent unblocks as itself: add --agent NAME"))
    agent = _board_of_agents(reading).agent(options.target)
    if agent is None:
        names = ", ".join(known_agents(reading.moment.board))
        raise NotThereError(f"there is no agent {options.target!r}; there are {names or 'none yet'}")
    if not agent.blockers:
        raise NotThereError(f"nothing blocks {agent.name}")
    blocker = only_match(options.blocker, {blocker.text: blocker for blocker in agent.blockers}, "blocker")
    seal = seal_of_release(reading.registry, reading.trust, by, blocker)
    if seal is not None and (why := why_not_the_person(os.environ, sys.stdin)) is not None:
        raise UnusableError(one_line(f"not as {by}, whose word {blocker.text} waits for: {why}"))

    def why_not() -> str | None:
        return why_not_blocked(reading.registry, agent.name, blocker, known=reading.fold.position)

    try:
        reading.registry.append(
            resolution(by, agent.name, blocker.text, options.comment),
            unless=why_not if seal is None else None,  # a claim may have taken it from the board, and from there only
            seal=seal,
        )
    except RefusedError as error:
        raise RefusedError(one_line(f"{error}. Nothing was written")) from error
    say(one_line(f"{by} unblocked {agent.name}: {blocker.text}"))
    return 0


def _board_of_agents(reading: Reading) -> Board:
    """As agents take it: with blockers that nobody resolved who may. See `released`."""
    fold, releases = Fold(reading.config.person), Releases(reading.trust)
    fold.extend(map(releases.see, reading.registry.items(0, reading.fold.position)))
    return fold.board()
