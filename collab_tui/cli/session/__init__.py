"""`collab-tui session`: agents' programs as sessions, started, prompted, looked at, ended. One file for what belongs
together; each command imports what it needs when it runs.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from importlib import import_module
from typing import Final

from collab_tui.cli.arguments import make_parser

VERBS: Final = {
    "start": ("starting", "start an agent, in a worktree of its own"),
    "list": ("listing", "what each session says, and what is seen of it"),
    "send": ("prompting", "give a session a prompt"),
    "ask": ("prompting", "give it a prompt, and print its reply"),
    "peek": ("looking", "see what it shows now"),
    "attach": ("looking", "type in its terminal yourself"),
    "diff": ("looking", "what it changed"),
    "interrupt": ("ending", "end what it is at; the session stays"),
    "stop": ("ending", "end it"),
    "restore": ("starting", "go on with one that is over"),
    "allow": ("allowing", "allow an agent that the project defines"),
    "worktrees": ("worktrees", "worktrees that sessions left, and their removal"),
}
"""Command -> where it is, and what it does."""

_EXAMPLES: Final = """\
  collab-tui session start claude --task login --prompt "Build the login form"
  collab-tui session list
  collab-tui session ask claude "Which tests fail?"
  git diff | collab-tui session send claude -
  collab-tui session stop claude
`collab-tui session COMMAND --help` tells the rest.

Sessions live in the monitor, which is started if none acts; they outlive the
board and your terminal. What you want of them is signed with your key and
stands in the registry, so you give it at a terminal, and not from within an
agent."""


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
    parser = make_parser("session", "Agents' programs as sessions.", f"{_EXAMPLES}\n\ncommands:\n{told}")
    parser.usage = "collab-tui session COMMAND ..."
    parser.add_argument("command", metavar="COMMAND", nargs="?", help=argparse.SUPPRESS)
    parser.add_argument("rest", nargs="*", help=argparse.SUPPRESS)
    parser.parse_known_args(arguments)
    from collab_tui.config.values import instead_of

    if not verb or verb.startswith("-"):
        parser.error(f"which command? There are {', '.join(VERBS)}")
    parser.error(f"there is no command {verb!r}; {instead_of(verb, VERBS)}")
