"""A command that is a family of commands: which of them is meant, and help that lists them.

Each has a function of its name with an underscore, in a module beside the family that is imported when it runs.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Final, NoReturn

from collab_tui.cli.arguments import make_parser

Verbs = Mapping[str, tuple[str, str]]
"""Command -> the module that has it, and what it does."""
_REGISTRY: Final = "--registry"


def run_one_of(package: str, verbs: Verbs, what: str, examples: str, arguments: list[str]) -> int:
    """Run the command that the arguments name; `what` says what the family is for."""
    place = 0
    while place < len(arguments) and arguments[place].partition("=")[0] == _REGISTRY:
        place += 1 if "=" in arguments[place] else 2
    verb = arguments[place] if place < len(arguments) else ""
    if verb not in verbs:
        _usage(package.rpartition(".")[2], verbs, what, examples, arguments, verb)
    run: Callable[[list[str]], int] = getattr(import_module(f"{package}.{verbs[verb][0]}"), f"{verb}_")
    return run(arguments[:place] + arguments[place + 1 :])


def _usage(family: str, verbs: Verbs, what: str, examples: str, arguments: list[str], verb: str) -> NoReturn:
    """Help, or what is wrong; ends the program."""
    told = "\n".join(f"  {name:<10} {does}" for name, (_, does) in verbs.items())
    parser = make_parser(family, what, f"{examples.rstrip()}\n\ncommands:\n{told}")
    parser.usage = f"collab-tui {family} COMMAND ..."
    parser.add_argument("command", metavar="COMMAND", nargs="?", help=argparse.SUPPRESS)
    parser.add_argument("rest", nargs="*", help=argparse.SUPPRESS)
    parser.parse_known_args(arguments)
    from collab_tui.config.values import instead_of

    if not verb or verb.startswith("-"):
        parser.error(f"which command? There are {', '.join(verbs)}")
    parser.error(f"there is no command {verb!r}; {instead_of(verb, verbs)}")
