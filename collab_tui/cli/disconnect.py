"""`collab-tui disconnect`: take our entries out of an agent's configuration again."""

from __future__ import annotations

import os
from pathlib import Path

from collab_tui.cli.arguments import make_parser, say, show_anything
from collab_tui.cli.wired import add_options, agent_of, agreed, here, note, project_here, scope_of, told
from collab_tui.hooks.wiring.agents import Scope
from collab_tui.hooks.wiring.files import forget_kept
from collab_tui.hooks.wiring.pasting import PASTED
from collab_tui.hooks.wiring.plan import plan_disconnect
from collab_tui.registry.append import UnusableError

_EXAMPLES = """\
  collab-tui disconnect claude             its sessions in this project
  collab-tui disconnect codex --user
  collab-tui disconnect claude --dry-run   only show what would be changed
It takes out the entries whose command is `collab-tui hook AGENT`, wherever they stand now, and nothing else. A list or
object that held only them goes too, unless it was in the file before connect first changed it; so does a file that
held nothing else and was not there before. Exit code: 0 done, or nothing to do; 1 not done; 2 it cannot be changed."""


def main(arguments: list[str]) -> int:
    """Show the change, ask, and make it."""
    parser = make_parser("disconnect", "Take out of an agent's configuration what connect put in.", _EXAMPLES)
    add_options(parser)
    options = parser.parse_args(arguments)
    agent = agent_of(parser, options.agent)
    show_anything()
    if agent is None:
        title = PASTED[options.agent].title
        say(f"{title} was set up by hand: take out by hand what runs `collab-tui hook {options.agent}`.")
        return 0
    scope = scope_of(options)
    path = agent.file(scope, _project(scope, options.registry), os.environ)
    plan = plan_disconnect(agent, path)
    if not plan.is_change:
        say(f"{agent.title} is not connected there: {told(path)} has nothing of ours.")
        return 0
    if not agreed(plan, options):
        return 0 if options.dry_run else 1
    plan.carry_out()
    say(f"{'Removed' if plan.after is None else 'Wrote'} {told(path)}")
    if (place := forget_kept(path)) is not None:
        note("It was changed since. As it was before connect it is still kept, with whatever it held:", told(place))
    note(f"Sessions of {agent.title} that run now may go on telling the board until they end.")
    return 0


def _project(scope: Scope, given: str | None) -> Path:
    """The project's folder; the one we are in where there is no registry any more."""
    if scope is Scope.USER:
        return here()
    try:
        return project_here(given)[1]
    except UnusableError:
        if given is not None:
            raise
        return here()
