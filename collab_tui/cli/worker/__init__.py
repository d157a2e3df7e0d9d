"""`collab-tui worker`: what decides what is to be done next, and what does it. One file for what belongs together; each
command imports what it needs when it runs.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Final

from collab_tui.cli.arguments import make_parser

VERBS: Final = {
    "decision": ("by_hand", "have an agent judge what is to be done next; it changes nothing"),
    "execution": ("by_hand", "have an agent do a task, in a worktree of its own"),
    "list": ("listing", "the workers there are and were"),
    "queue": ("queue", "which wait, in order; what would become of events"),
    "logs": ("logs", "what was decided and why, how long it took, what failed"),
    "stop": ("by_hand", "end one that waits or runs"),
    "allow": ("allowing", "allow a template of the project"),
}
"""Command -> where it is, and what it does."""

_EXAMPLES: Final = """\
  collab-tui worker decision --task T-12 --template task_completed
  collab-tui worker execution T-13 --title "Tests for the login" --base main
  collab-tui worker queue --dry-run events.jsonl
  collab-tui worker logs --why T-13
`collab-tui worker COMMAND --help` tells the rest.

A [[stream]] of your settings starts decision workers by itself, [[decide]] says for which events, and [workers] which
agents and how many. What a decision wants done is asked of you before it starts, unless [workers] has start = "auto".
"""


def main(arguments: list[str]) -> int:
    """Run one of its commands."""
    place = 0
    while place < len(arguments) and arguments[place].partition("=")[0] == "--registry":
        place += 1 if "=" in arguments[place] else 2
    verb = arguments[place] if place < len(arguments) else ""
    if verb not in VERBS:
        return _usage(arguments, verb)
    run: Callable[[list[str]], int] = getattr(import_module(f"{__name__}.{VERBS[verb][0]}"), f"{verb}_")
    return run(arguments[:place] + arguments[place + 1 :])


def _usage(arguments: list[str], verb: str) -> int:
    """Help, or what is wrong."""
    told = "\n".join(f"  {name:<10} {what}" for name, (_, what) in VERBS.items())
    parser = make_parser("worker", "What decides what is to be done next, and what does it.", "")
    parser.epilog = f"examples:\n{_EXAMPLES}\ncommands:\n{told}"
    parser.usage = "collab-tui worker COMMAND ..."
    parser.add_argument("command", metavar="COMMAND", nargs="?", help="one of the commands below")
    parser.add_argument("rest", nargs="*", help="what it takes")
    parser.parse_known_args(arguments)
    from collab_tui.config.values import instead_of

    if not verb or verb.startswith("-"):
        parser.error(f"which command? There are {', '.join(VERBS)}")
    parser.error(f"there is no command {verb!r}; {instead_of(verb, VERBS)}")
