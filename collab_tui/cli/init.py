"""`collab-tui init`: make a registry for a project."""

from __future__ import annotations

import argparse
from pathlib import Path

from collab_tui.cli.arguments import Parser, say, show_anything
from collab_tui.registry.append import UnusableError
from collab_tui.registry.create import make_registry

_EXAMPLES = """\
examples:
  collab-tui init             in the folder you are in
  collab-tui init ~/project"""

_WHAT_FOR = {".gitignore": ": git leaves the registry out, which may hold secrets"}


def main(arguments: list[str]) -> int:
    """Make `.collab/` with a registry and a commented config; what is there stays."""
    parser = Parser(
        prog="collab-tui init",
        description="Make .collab/ with a registry, which git leaves out, and a config. What is there already stays.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("folder", nargs="?", default=".", metavar="FOLDER", help="the project's folder; else this one")
    parser.add_argument("--registry", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.registry is not None:
        parser.error("it makes .collab/ in a FOLDER: give that instead of --registry")
    folder = Path(options.folder)
    show_anything()
    try:
        made = make_registry(folder)
    except OSError as error:
        raise UnusableError(f"cannot make {folder / '.collab'}: {error.strerror}") from error
    for path in made:
        say(f"made {path}{_WHAT_FOR.get(path.name, '')}")
    if not made:
        say(f"{folder / '.collab'} is there already")
    print("Next: `collab-tui connect claude` (or codex) lets an agent take part; you watch with `collab-tui`.")
    return 0
