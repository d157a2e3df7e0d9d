"""`collab-tui unblock`: remove a blocker from an agent."""

from __future__ import annotations

import os

from collab_tui.cli.arguments import decider_name, is_agents, make_parser, say, show_anything
from collab_tui.cli.reading import NotThereError, only_match, read
from collab_tui.model.text import one_line
from collab_tui.protocol.answers import resolution, why_not_blocked
from collab_tui.protocol.presence import agent_mark, refusal
from collab_tui.registry.append import RefusedError, UnusableError

_EXAMPLES = """\
  collab-tui unblock gitcode "no credentials for staging"
  collab-tui unblock gitcode "no cred" -m "they are in the vault now"   a unique beginning will do"""


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
    agent = reading.moment.board.agent(options.target)
    if agent is None:
        names = ", ".join(agent.name for agent in reading.moment.board.agents)
        raise NotThereError(f"there is no agent {options.target!r}; there are {names or 'none yet'}")
    if not agent.blockers:
        raise NotThereError(f"nothing blocks {agent.name}")
    blocker = only_match(options.blocker, {blocker.text: blocker for blocker in agent.blockers}, "blocker")
    try:
        reading.registry.append(
            resolution(by, agent.name, blocker.text, options.comment),
            unless=lambda: why_not_blocked(reading.registry, agent.name, blocker, known=reading.fold.position),
        )
    except RefusedError as error:
        raise RefusedError(one_line(f"{error}. Nothing was written")) from error
    say(one_line(f"{by} unblocked {agent.name}: {blocker.text}"))
    return 0
