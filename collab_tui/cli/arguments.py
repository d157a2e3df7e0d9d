"""What the commands have in common on the command line. On the path of `emit`: argparse and nothing heavier."""

from __future__ import annotations

import argparse
import os
import sys

from collab_tui.registry.append import UnusableError
from collab_tui.registry.find import find_registry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import NoReturn, TextIO

_LONGEST_NAME = 80
_NARROWEST = 24
"""Columns in which what an example does can be told beside it."""


class Parser(argparse.ArgumentParser):
    """One whose errors repeat nothing that could steer the terminal: a shell makes arguments of the names of files."""

    def error(self, message: str) -> NoReturn:
        """Say it with the usage, and end."""
        if message.endswith("expected one argument"):
            message += "; one that begins with - is given as --OPTION=VALUE"
        super().error(_plain(message))


class _Help(argparse.RawDescriptionHelpFormatter):
    """Breaks the lines that are too long for the terminal between words; examples keep their columns."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=_columns() - 2)  # of each argument argparse makes one

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return "\n".join(indent + line for line in _wrapped(text, max(width, 40)))


def _columns() -> int:
    """As `shutil.get_terminal_size` tells them; to import that is a tenth of an `emit`."""
    told = os.environ.get("COLUMNS", "")
    if told.isdecimal() and int(told):
        return int(told)
    try:
        return os.get_terminal_size(sys.__stdout__.fileno()).columns or 80  # type: ignore[union-attr]
    except (AttributeError, ValueError, OSError):
        return 80


def _wrapped(text: str, width: int) -> Iterator[str]:
    """Prose is filled anew, from one end of a paragraph to the next; of an example what it does is."""
    import textwrap

    lines = text.splitlines()
    if all(len(line) <= width for line in lines):
        yield from lines
        return
    paragraph = ""
    for line in [*lines, ""]:
        begins = not line or line.startswith((" ", "exit: ")) or paragraph.endswith(":")
        if paragraph and begins:
            yield from textwrap.wrap(paragraph, width, break_on_hyphens=False)
            paragraph = ""
        if line and not line.startswith(" "):
            paragraph = f"{paragraph} {line}".lstrip()
            continue
        words, _, told = line.lstrip().partition("  ")
        told = told.lstrip()
        column = len(line) - len(told)
        if len(line) <= width or not told:
            yield line  # a command is not broken: it is copied
        elif width - column < _NARROWEST:
            yield f"  {words}"
            yield from textwrap.wrap(told, width, initial_indent=" " * 6, subsequent_indent=" " * 6)
        else:
            first, *others = textwrap.wrap(told, width - column)
            yield line[:column] + first
            yield from (" " * column + other for other in others)


def make_parser(command: str, description: str, examples: str) -> Parser:
    """A parser whose help ends with examples; `--registry` is there on every command."""
    parser = Parser(
        prog=f"collab-tui {command}".strip(),
        description=description,
        epilog=f"examples:\n{examples}",
        formatter_class=_Help,
    )
    parser.add_argument(
        "--registry", metavar="FILE", help="the registry; else $COLLAB_REGISTRY, else found upward from here"
    )
    return parser


def given_registry(parser: argparse.ArgumentParser, options: argparse.Namespace) -> str | None:
    """The registry of a command that takes it as an argument too; given twice it is a usage error."""
    if options.file and options.registry:
        parser.error(f"{options.file!r} and --registry {options.registry!r}: give one registry")
    given: str | None = options.file or options.registry
    return given


def registry_path(given: str | None) -> str:
    """The registry that a command works on."""
    try:
        return given or find_registry(".", os.environ)
    except OSError as error:
        raise UnusableError("the folder you are in is gone; give --registry FILE") from error


def agent_name(given: str | None) -> str:
    """The writing agent: `--agent`, else `$COLLAB_AGENT`, else `$AGENT`."""
    name = (given or agent_here()).strip()
    if not name:
        raise UnusableError("who is writing? Give --agent NAME or set $COLLAB_AGENT")
    check_name(name)
    return name


def decider_name(agent: str | None, person: str | None, configured: str) -> str:
    """Who decides: `--agent`, else `--as`, else `$COLLAB_AGENT`, else `$AGENT`, else the configured person."""
    for option, name in (("--agent", agent), ("--as", person)):
        if name is not None:
            if not name.strip():  # a variable that was never set: not a reason to write as somebody else
                raise UnusableError(f"{option} needs a name")
            check_name(name.strip())
            return name.strip()
    if here := agent_here().strip():
        check_name(here)
    return here or configured


def is_agents(agent: str | None, person: str | None) -> bool:
    """Whether `decider_name` gives an agent's name: by `--agent` or, with no name given, by the environment."""
    return agent is not None or (person is None and bool(agent_here().strip()))


def agent_here() -> str:
    """The agent in whose process we run; empty when the environment names none."""
    return os.environ.get("COLLAB_AGENT") or os.environ.get("AGENT") or ""


def check_name(name: str) -> None:
    """Raise `UnusableError` for a name that nobody could write or read, and for the one that means everybody."""
    key = name.casefold()
    if not name.isascii():
        from unicodedata import normalize

        key = normalize("NFKC", name).casefold()
    if key == "all":
        raise UnusableError(f"{name} is everybody: an agent has a name of its own")
    if len(name) > _LONGEST_NAME or "  " in name or not all(sign.isalnum() or sign in " _-." for sign in name):
        from collab_tui.model.text import clean, one_line  # nearly every name is seen to be one without

        if len(name) > _LONGEST_NAME or name != one_line(clean(name)):
            text = one_line(clean(name[:60]))
            raise UnusableError(f"a name is one line of at most {_LONGEST_NAME} characters: {text}")


def show_anything(stream: object = None) -> None:
    """Make output that a narrow console cannot encode come out as escapes instead of an error."""
    for target in (stream,) if stream is not None else (sys.stdout, sys.stderr):
        reconfigure = getattr(target, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


def drop_output(stream: TextIO | None = None) -> None:
    """Let nothing more go to a stream, standard output by default, that nobody reads: no error, and none at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), (stream or sys.stdout).fileno())


def say(text: str) -> None:
    """A line on standard output; what could steer the terminal in it, as names of folders may, is made visible."""
    print(_plain(text))


def complain(text: str) -> None:
    """The same on standard error, in whatever its encoding can show."""
    encoding = sys.stderr.encoding or "ascii"
    try:
        print("collab-tui:", _plain(text).encode(encoding, "backslashreplace").decode(encoding), file=sys.stderr)
    except OSError:  # whether somebody reads of it changes nothing of what it is about
        drop_output(sys.stderr)


def asked_yes(question: str) -> bool:
    """The person at the terminal types yes; all else, and no more input, is a no."""
    try:
        return input(f"{_plain(question)} Type yes: ").strip().lower() == "yes"
    except EOFError:  # ctrl+d
        print()
        return False


def _plain(text: str) -> str:
    from collab_tui.model.text import clean  # a hook that appends has nothing to say, and need not pay for it

    return clean(text)
