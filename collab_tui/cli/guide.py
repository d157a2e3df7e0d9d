"""`collab-tui guide`: the page that a person puts into an agent's instructions."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import collab_tui
from collab_tui.cli.arguments import Parser, check_name, show_anything
from collab_tui.protocol.wording import own

_EXAMPLES = """\
examples:
  collab-tui guide --agent sena >> CLAUDE.md     Claude Code reads that in every session
  collab-tui guide --agent lubit >> AGENTS.md    and Codex this"""

_PAGE = "for-agents.md"
_NAME = "NAME"
"""What stands in the page for the agent's name."""


def main(arguments: list[str]) -> int:
    """Print the page, with the agent's name in it if that is given."""
    parser = Parser(
        prog="collab-tui guide",
        description="Print what an agent has to know to take part, for its instructions: CLAUDE.md, AGENTS.md.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--agent", metavar="NAME", help=f"its name on the board; else {_NAME} stands where it belongs")
    parser.add_argument("--registry", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.registry is not None:
        parser.error("the page is the same for every registry: leave out --registry")
    if options.agent is not None and not options.agent.strip():
        parser.error("--agent needs a name")
    if options.agent is not None:
        check_name(options.agent.strip())
    show_anything()
    page = _page().read_text(encoding="utf-8")
    sys.stdout.write(page if options.agent is None else page.replace(_NAME, own(options.agent.strip())))
    return 0


def _page() -> Path:
    """The document; an installed program has it beside its modules, a checkout among its documents."""
    package = Path(collab_tui.__file__).parent
    beside = package / _PAGE
    return beside if beside.exists() else package.parent / "docs" / _PAGE
