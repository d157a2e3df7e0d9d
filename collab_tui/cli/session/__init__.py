"""`collab-tui session`: agents' programs as sessions, started, prompted, looked at, ended. One file for what belongs
together; each command imports what it needs when it runs.
"""

from __future__ import annotations

from typing import Final

from collab_tui.cli.family import run_one_of

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
    return run_one_of(__name__, VERBS, "Agents' programs as sessions.", _EXAMPLES, arguments)
