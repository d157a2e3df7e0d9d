"""What `connect`, `disconnect` and `connections` have in common on the command line."""

from __future__ import annotations

import argparse
import os
import sys
import textwrap
from collections.abc import Iterable
from pathlib import Path

from collab_tui.cli.arguments import Parser, registry_path, say
from collab_tui.cli.console import make_console, styled
from collab_tui.config.values import instead_of
from collab_tui.hooks.wiring.agents import AGENTS, Agent, Scope
from collab_tui.hooks.wiring.pasting import PASTED
from collab_tui.hooks.wiring.places import project_of
from collab_tui.hooks.wiring.plan import Plan
from collab_tui.model.summary import Span
from collab_tui.model.text import clean, one_line
from collab_tui.registry.append import RefusedError, UnusableError
from collab_tui.registry.find import NotFoundError

_ROLES = {"+": "success", "-": "error", "@": "accent"}


def add_options(parser: Parser) -> None:
    """What both commands that change a file take."""
    parser.add_argument(
        "agent", metavar="AGENT", help=f"{', '.join(AGENTS)}; {' and '.join(PASTED)} are set up by hand"
    )
    scope = parser.add_mutually_exclusive_group()
    scope.add_argument("--project", action="store_true", help="its sessions in this project; that is the default")
    scope.add_argument("--user", action="store_true", help="its sessions in every project of yours that has a registry")
    parser.add_argument("--dry-run", action="store_true", help="show the change, and change nothing")
    parser.add_argument("--yes", action="store_true", help="do not ask; needed where there is no terminal")


def agent_of(parser: Parser, name: str) -> Agent | None:
    """The agent of that name; None for one that is set up by hand. Any other is a usage error."""
    if name not in AGENTS and name not in PASTED:
        parser.error(f"no agent is called {name!r} here; {instead_of(name, [*AGENTS, *PASTED])}")
    return AGENTS.get(name)


def scope_of(options: argparse.Namespace) -> Scope:
    """Where the sessions are that are meant."""
    return Scope.USER if options.user else Scope.PROJECT


def here() -> Path:
    """The folder we are in. Raises `UnusableError` where it is gone."""
    try:
        return Path.cwd()
    except OSError as error:
        raise UnusableError("the folder you are in is gone") from error


def project_here(given: str | None) -> tuple[Path, Path, bool]:
    """The registry, the folder of its project, and whether it is found from there by itself.

    Raises `UnusableError` where there is none.
    """
    try:
        registry = Path(os.path.abspath(registry_path(given)))
    except NotFoundError as error:
        raise UnusableError(
            f"no registry here or above {here()}: `collab-tui init` makes one for this project, "
            "and --user means every project that has one"
        ) from error
    if not registry.is_file():
        raise UnusableError(f"there is no {registry}; `collab-tui init` makes a registry for a project")
    return registry, *project_of(registry, here())


def told(path: Path) -> str:
    """A path as people write it: from here, else from their own folder, else in full."""
    for folder, sign in (
        (os.path.join(os.getcwd(), ""), ""),
        (os.path.join(os.path.expanduser("~"), ""), f"~{os.sep}"),
    ):
        if str(path).startswith(folder):
            return sign + str(path).removeprefix(folder)
    return str(path)


def note(text: str, command: str | None = None) -> None:
    """Print something to know, wrapped on a terminal, and the command it speaks of on a line that can be copied."""
    console = make_console()
    line = one_line(clean(text))
    lines = [f"- {line}"] if console.soft_wrap else textwrap.wrap(f"- {line}", console.width, subsequent_indent="  ")
    for part in lines:
        console.print(styled([Span(part)]), soft_wrap=True)
    if command is not None:
        console.print(styled([Span(f"    {one_line(clean(command))}", "strong")]), soft_wrap=True)


def show(lines: Iterable[str]) -> None:
    """Print a diff, coloured on a terminal."""
    console = make_console()
    for line in lines:
        role = "strong" if line.startswith(("+++", "---")) else _ROLES.get(line[:1], "text")
        console.print(styled([Span(clean(line.rstrip("\r")), role)]), soft_wrap=True)


def agreed(plan: Plan, options: argparse.Namespace) -> bool:
    """Show the change and ask for leave. Raises `RefusedError` where nobody can be asked."""
    show(plan.diff(told(plan.found.path)))
    print()
    say(plan.summary())
    if options.dry_run:
        say("Nothing was written: --dry-run.")
        return False
    if options.yes:
        return True
    if sys.stdin is None or not sys.stdin.isatty():
        raise RefusedError("nothing was written: nobody can be asked here; look at the change, then add --yes")
    try:
        answer = input("Write this? [y/N] ")
    except EOFError:  # ctrl+d
        answer = ""
        print()
    if answer.strip().casefold() in ("y", "yes"):
        return True
    say("Nothing was written.")
    return False
