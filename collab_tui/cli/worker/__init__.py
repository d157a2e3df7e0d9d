"""`collab-tui worker`: what decides what is to be done next, and what does it. One file for what belongs together; each
command imports what it needs when it runs.
"""

from __future__ import annotations

from typing import Final

from collab_tui.cli.family import run_one_of

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
    return run_one_of(__name__, VERBS, "What decides what is to be done next, and what does it.", _EXAMPLES, arguments)
