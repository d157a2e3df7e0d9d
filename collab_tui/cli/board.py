"""`collab-tui [REGISTRY]`: the board."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from collab_tui import __version__
from collab_tui.cli.arguments import Parser, given_registry, registry_path
from collab_tui.cli.main import COMMANDS, GROUPS
from collab_tui.cli.polling import add_poll
from collab_tui.registry.append import UnusableError
from collab_tui.tui import garbage

_EXAMPLES = """\
examples:
  collab-tui                        the registry of this project, found upward from here
  collab-tui FILE.jsonl             any registry; it may come later
  collab-tui --poll 1 FILE.jsonl    on a drive that announces no changes
  collab-tui COMMAND --help         more about one command"""


def main(arguments: list[str]) -> int:
    """Show the board until the person leaves."""
    parser = _parser()
    options, unknown = parser.parse_known_args(arguments)
    if options.file:
        _check_command(options.file)  # first: to a mistyped command its options are not unknown
    if unknown:
        parser.error(f"unrecognized arguments: {' '.join(unknown)}")
    path = Path(registry_path(given_registry(parser, options)))
    check_terminal("`collab-tui status` prints it instead")
    garbage.hold()  # until the board is on the screen
    from collab_tui.cli.settings import load_screen_settings  # after what can be refused without them

    settings = load_screen_settings(path)
    from collab_tui.tui.app import run_board

    return run_board(path, settings, poll=options.poll)


def _parser() -> argparse.ArgumentParser:
    width = max(map(len, COMMANDS)) + 2
    commands = "\n\n".join(
        "\n".join([f"{purpose}:", *(f"  {name:<{width}}{text}" for name, text in group.items())])
        for purpose, group in GROUPS.items()
    )
    parser = Parser(
        prog="collab-tui",
        description="The terminal board for AI agents that work on one project at the same time.",
        epilog=f"{commands}\n\n{_EXAMPLES}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "file", nargs="?", metavar="REGISTRY", help="the registry; else $COLLAB_REGISTRY, else found upward"
    )
    parser.add_argument("--registry", metavar="FILE", help="the same, as on every command")
    add_poll(parser)
    parser.add_argument("--version", action="version", version=f"collab-tui {__version__}")
    return parser


def _check_command(name: str) -> None:
    """Refuse a word that looks like a command and is none; a registry of such a name may come, but seldom does."""
    if os.path.lexists(name) or os.path.splitext(name)[1] or os.path.basename(name) != name:
        return
    from difflib import get_close_matches

    near = get_close_matches(name, COMMANDS, 1)
    suggestion = f"did you mean `collab-tui {near[0]}`?" if near else "`collab-tui --help` lists the commands."
    raise UnusableError(f"there is no {name!r}; {suggestion} A registry that will come: --registry FILE")


def check_terminal(instead: str) -> None:
    """Refuse to start without one; Textual would: it reads from the first, asks the second for the size, paints on the
    third.
    """
    streams = (sys.stdin, sys.stdout, sys.stderr)
    if not all(stream is not None and stream.isatty() for stream in streams) or os.environ.get("TERM") == "dumb":
        raise UnusableError(f"the board needs a terminal; {instead}")
