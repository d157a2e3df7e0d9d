"""`collab-tui end`: end a session as an agent."""

from __future__ import annotations

from collab_tui.cli.arguments import agent_name, make_parser, say, show_anything
from collab_tui.cli.reading import NotThereError, Reading, read
from collab_tui.cli.taking_part import known_agents
from collab_tui.model.board import Agent
from collab_tui.model.text import one_line
from collab_tui.model.words import name_key
from collab_tui.protocol.brief.gathered import Gathered
from collab_tui.protocol.brief.standpoint import Standpoint
from collab_tui.protocol.conditions import near_name
from collab_tui.protocol.session import end_session
from collab_tui.protocol.wording import listed

_EXAMPLES = """\
  collab-tui end --agent sena
  collab-tui end --agent sena --status completed --reason "metrics v2 is merged"
Requests that are open stay so, and others see that you are gone. The next start tells what came of them."""


def main(arguments: list[str]) -> int:
    """Append the `session_end`, and say who is left waiting."""
    parser = make_parser("end", "End a session as an agent: says that you are gone.", _EXAMPLES)
    parser.add_argument("--agent", metavar="NAME", help="who ends; else $COLLAB_AGENT, else $AGENT")
    parser.add_argument("--status", metavar="WORD", help="completed, idle, failed, ...; else what it was")
    parser.add_argument("--reason", metavar="TEXT", help="why it ends")
    options = parser.parse_args(arguments)
    show_anything()

    name = agent_name(options.agent)
    reading = read(options.registry)
    agent = _known(name, reading)
    if agent.gone:
        say(one_line(f"{agent.name} is gone already; nothing was written."))
        return 0
    fields = {"status": options.status, "reason": options.reason}
    end_session(reading.registry, agent.name, **{field: text for field, text in fields.items() if text is not None})
    say(one_line(f"{agent.name} is gone.{_left_behind(agent, reading)}"))
    return 0


def _known(name: str, reading: Reading) -> Agent:
    """Nobody ends who never was there: it was another name."""
    agent = reading.moment.board.agent(name)
    if agent is not None:
        return agent
    names = known_agents(reading.moment.board)
    near = near_name(name, names)
    instead = f"did you mean {near}?" if near is not None else f"there are {listed(names) or 'none yet'}"
    raise NotThereError(f"there is no agent {name!r}; {instead}")


def _left_behind(agent: Agent, reading: Reading) -> str:
    waiters = [wait.waiter for wait in reading.moment.waits if name_key(wait.awaited) == agent.key]
    gathered = Gathered(agent.name, reading.config.person)
    asked = Standpoint(reading.moment, agent.name, reading.trust, gathered).open_requests
    told = f" {listed(waiters)} still {'waits' if len(waiters) == 1 else 'wait'} for it." if waiters else ""
    if asked:
        told += f" {len(asked):,} of its requests {'stays' if len(asked) == 1 else 'stay'} open."
    return told
